/* core/db: what takes long is done in many small steps. Steps are counted, not timed; how much one does is bounded by
 * what all of them do. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECKPOINT "repos/data/goats.checkpoint"

enum { ITEMS = 60000, BATCH = 500 };

static void create(test_handle *handle, uint32_t from, uint32_t count) {
    for (uint32_t i = from; i < from + count; i++) {
        char key[16], fields[48];
        snprintf(key, sizeof key, "%u", (unsigned)(i * 7919 % ITEMS));
        snprintf(fields, sizeof fields, "{votes: %u, text: 'goat %u'}", (unsigned)i % 7, (unsigned)i);
        assert_int_equal(test_handle_create(handle, key, fields), GOAT_OK);
    }
    assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
}

static void fill(test_handle *handle) {
    for (uint32_t i = 0; i < ITEMS; i += BATCH) create(handle, i, BATCH);
}

/* Rounds until the job is done. */
static uint32_t rounds_of(test_handle *handle, goat_job *job) {
    gt_job_info info;
    uint32_t rounds = 0;
    for (gt_job_info_of(job, &info); !info.done; gt_job_info_of(job, &info), rounds++) {
        assert_true(gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL)); /* each has done something */
    }
    assert_int_equal(info.status, GOAT_OK);
    gt_job_release(job);
    return rounds;
}

static goat_query *open_query(test_handle *handle, const char *spec, goat_job **job) {
    goat_query *query = NULL;
    assert_int_equal(gt_live_open(handle->space, NULL, gt_bytes_text(spec), &query, job, &handle->diag), GOAT_OK);
    return query;
}

static void drop_query(test_handle *handle, goat_query *query) {
    gt_live_free(query);
    gt_db_unlock(handle->db);
    gt_db_release(handle->db); /* the query's reference */
    gt_db_lock(handle->db);
}

static uint32_t rounds_of_open_repo(test_handle *handle) {
    goat_job *job = NULL;
    assert_int_equal(gt_space_open(handle->db, gt_bytes_text(TEST_REPO), &handle->space, &job, &handle->diag), GOAT_OK);
    return rounds_of(handle, job);
}

static void sixty_thousand_items_take_many_steps(void **state) {
    test_handles *f = *state;
    goat_job *job = NULL;
    fill(&f->a);

    assert_int_equal(gt_space_digest(f->a.space, &job, &f->a.diag), GOAT_OK);
    uint32_t rounds = rounds_of(&f->a, job);
    assert_true(rounds >= 2 * ITEMS / 256); /* fingerprints, order, views */

    goat_query *query = open_query(&f->a, "{\"where\": {\"votes\": 3}, \"sort\": [\"text\"]}", &job);
    rounds = rounds_of(&f->a, job);
    assert_true(rounds >= ITEMS / 256);
    assert_int_equal(gt_live_count(query), (ITEMS + 3) / 7);
    drop_query(&f->a, query);

    assert_int_equal(gt_db_verify(f->a.db, gt_bytes_text(TEST_REPO), &job, &f->a.diag), GOAT_OK);
    assert_true(rounds_of(&f->a, job) >= ITEMS / BATCH); /* a batch at a time */

    gt_buf digest, again;
    gt_buf_init(&digest, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    test_handle_digest(&f->a, &digest);
    assert_int_equal(gt_db_close(f->a.db, &job, &f->a.diag), GOAT_OK);
    rounds = rounds_of(&f->a, job); /* with a checkpoint */
    assert_true(rounds >= ITEMS / 1024);
    test_handle_end(&f->a);

    assert_int_equal(test_handle_try_open(&f->a, &f->machine, GOAT_OPEN_NO_THREAD), GOAT_OK);
    uint32_t with = rounds_of_open_repo(&f->a);
    assert_true(with >= gt_sim_file(f->machine.disk, CHECKPOINT).len / (256 * 1024));
    assert_int_equal(gt_repo_uncovered(f->a.space->mount->repo), 0);
    test_handle_digest(&f->a, &again);
    assert_int_equal(digest.len, again.len);
    assert_memory_equal(digest.data, again.data, digest.len);
    test_handle_end(&f->a);

    assert_int_equal(test_handle_try_open(&f->a, &f->machine, GOAT_OPEN_NO_THREAD | GOAT_OPEN_NO_CHECKPOINT), GOAT_OK);
    assert_true(rounds_of_open_repo(&f->a) >= ITEMS / BATCH / 2);
    gt_buf_free(&digest);
    gt_buf_free(&again);
}

/* Everything at once, and edits in each round: queries that are being built, a checkpoint that is overtaken. */
static void edits_may_come_in_every_round(void **state) {
    test_handles *f = *state;
    enum { OLD = 6000, LARGE = 16, SIZE = 1 << 20 };
    char *text = malloc(SIZE + 16);
    memset(text, 'x', SIZE + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + SIZE, "'}", 3);
    for (uint32_t i = 0; i < OLD; i += BATCH) create(&f->a, i, BATCH);
    for (int i = 0; i < LARGE; i++) { /* so much log is worth a checkpoint */
        char key[16];
        snprintf(key, sizeof key, "large %d", i);
        assert_int_equal(test_handle_create(&f->a, key, text), GOAT_OK);
        assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
    free(text);
    assert_null(gt_sim_file(f->machine.disk, CHECKPOINT).data); /* it is about to be made */
    goat_job *job = NULL;
    goat_query *query = open_query(&f->a, "{\"where\": {\"votes\": {\"$gte\": 0}}, \"sort\": [\"votes\"]}", &job);
    gt_job_info info;
    uint32_t made = 0;
    int rounds = 0;
    bool overtaken = false;
    gt_job_info_of(job, &info);
    for (; !info.done || gt_sim_file(f->machine.disk, CHECKPOINT).data == NULL; rounds++) {
        char key[16];
        assert_true(rounds < 3000);
        if (rounds % 3 == 0) { /* created, and captured or not by the time that rows are made for it */
            snprintf(key, sizeof key, "new %u", (unsigned)made++);
            assert_int_equal(test_handle_create(&f->a, key, "{votes: 9}"), GOAT_OK);
        } else {
            snprintf(key, sizeof key, "%u", (unsigned)((uint32_t)rounds * 7919 * 31 % OLD * 7919 % ITEMS));
            assert_int_equal(test_handle_set(&f->a, key, "votes", rounds % 2 == 0 ? "8" : "0"), GOAT_OK);
        }
        if (rounds % 4 < 2) {
            goat_job *flush = NULL;
            assert_int_equal(gt_db_flush(f->a.db, GOAT_DURABLE_MEMORY, &flush, NULL), GOAT_OK);
            gt_job_release(flush);
        }
        gt_db_pump(f->a.db, gt_db_now_us(f->a.db), NULL);
        gt_job_info_of(job, &info);
        overtaken = overtaken || f->a.space->mount->checkpoint_tries > 0;
    }
    gt_job_release(job);
    assert_true(overtaken); /* and made all the same */
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    goat_query *late = open_query(&f->a, "{\"where\": {\"votes\": {\"$gte\": 0}}, \"sort\": [\"votes\"]}", &job);
    assert_true(rounds_of(&f->a, job) > 0);
    gt_buf rows, late_rows;
    gt_buf_init(&rows, &gt_alloc_system);
    gt_buf_init(&late_rows, &gt_alloc_system);
    assert_int_equal(gt_live_check(query, NULL), GOAT_OK);
    assert_int_equal(gt_live_count(query), OLD + made);
    assert_int_equal(gt_live_rows(query, 0, UINT32_MAX, false, &rows, NULL), GOAT_OK);
    assert_int_equal(gt_live_rows(late, 0, UINT32_MAX, false, &late_rows, NULL), GOAT_OK);
    assert_int_equal(rows.len, late_rows.len);
    assert_memory_equal(rows.data, late_rows.data, rows.len);
    gt_buf_free(&rows);
    gt_buf_free(&late_rows);
    drop_query(&f->a, query);
    drop_query(&f->a, late);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sixty_thousand_items_take_many_steps, test_handles_set_up,
                                        test_handles_tear_down),
        cmocka_unit_test_setup_teardown(edits_may_come_in_every_round, test_handles_set_up, test_handles_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
