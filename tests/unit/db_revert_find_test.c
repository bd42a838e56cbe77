/* core/db: which commits a revert is about: beginnings of ids, what is not visible yet; and repositories that are closed
 * meanwhile. */
#include "support/test.h"

#include "base/utf8.h"
#include "db/internal.h"
#include "repo/tables.h"
#include "support/test_link.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

static gt_repo *repo_of(const test_handle *handle) { return handle->space->mount->repo; }

static void make(test_handle *handle, const char *key, const char *fields) {
    assert_int_equal(test_handle_create(handle, key, fields), GOAT_OK);
    assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
}

static void set(test_handle *handle, const char *key, const char *field, const char *value) {
    assert_int_equal(test_handle_set(handle, key, field, value), GOAT_OK);
    assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
}

/* The first digits of an id, as "commits" or "session" name it. */
static const char *begin_of(const gt_id *id, int digits) {
    static char hex[2][2 * GT_ID_SIZE + 1];
    static int turn;
    char *out = hex[turn = !turn];
    gt_hex(out, id->bytes, GT_ID_SIZE);
    out[digits] = '\0';
    return out;
}

static goat_status revert(test_handle *handle, const char *spec, gt_buf *result) {
    goat_job *job = NULL;
    gt_diag_init(&handle->diag);
    goat_status status = gt_space_revert(handle->space, gt_bytes_text(spec), &job, &handle->diag);
    return status == GOAT_OK ? test_handle_wait(handle, job, result) : status;
}

static goat_status revert_commit(test_handle *handle, const char *begin, const char *more) {
    char spec[200];
    snprintf(spec, sizeof spec, "{\"commits\": [\"%s\"]%s}", begin, more);
    return revert(handle, spec, NULL);
}

static goat_status revert_session(test_handle *handle, const char *begin, gt_buf *result) {
    char spec[200];
    snprintf(spec, sizeof spec, "{\"session\": \"%s\"}", begin);
    return revert(handle, spec, result);
}

static uint64_t count_items(const gt_buf *result) {
    gt_bytes items = gt_map_find(gt_buf_bytes(result), gt_bytes_text("items"));
    assert_non_null(items.data);
    return gt_value_count(items);
}

/* The row of an item's newest commit. */
static uint32_t newest_of(test_handle *handle, const char *key) {
    return gt_item_at(repo_of(handle), gt_repo_find(repo_of(handle), gt_bytes_text(key)))->newest;
}

/* ---- beginnings of ids ---- */

/* Ids are hashes, and it takes 2^16 of them until two begin alike: one is given the beginning of another here. */
static gt_id make_alike(gt_id *id, const gt_id *other) {
    gt_id before = *id;
    memcpy(id->bytes, other->bytes, 4);
    id->bytes[4] = (uint8_t)(other->bytes[4] ^ 0x10); /* the ninth digit differs */
    return before;
}

static void a_beginning_that_two_commits_have_is_refused(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    char spec[200];
    make(a, "x", "{size: 1}");
    make(a, "y", "{size: 1}");
    set(a, "x", "text", "'x'");
    const gt_id *wanted = &gt_commit_at(repo_of(a), newest_of(a, "x"))->id;
    gt_id *other = &gt_commit_at(repo_of(a), newest_of(a, "y"))->id, before = make_alike(other, wanted);
    assert_int_equal(revert_commit(a, begin_of(wanted, 8), ""), GOAT_INVALID);
    assert_non_null(strstr(a->diag.message, "several commits"));
    assert_int_equal(revert_commit(a, begin_of(wanted, 8), ", \"lacks_some\": true, \"dry_run\": true"), GOAT_INVALID);
    snprintf(spec, sizeof spec, "{\"commits\": [\"%s\", \"%s\"]}", begin_of(wanted, 64), begin_of(wanted, 8));
    assert_int_equal(revert(a, spec, NULL), GOAT_INVALID);
    assert_int_equal(revert_commit(a, begin_of(wanted, 8), ", \"item\": \"x\", \"dry_run\": true"), GOAT_OK);
    assert_int_equal(revert_commit(a, begin_of(wanted, 9), ""), GOAT_OK);
    *other = before;
    test_handle_shows(a, "x", "{size: 1}");
    test_handle_shows(a, "y", "{size: 1}");
}

static void a_beginning_that_no_commit_has_is_said(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    char spec[200];
    make(a, "x", "{size: 1}");
    gt_id id = gt_commit_at(repo_of(a), newest_of(a, "x"))->id;
    const char *right = begin_of(&id, 8);
    id.bytes[3] ^= 1; /* the eighth digit */
    assert_int_equal(revert_commit(a, begin_of(&id, 8), ""), GOAT_NOT_FOUND);
    assert_non_null(strstr(a->diag.message, "no such commit"));
    assert_int_equal(revert_commit(a, begin_of(&id, 64), ""), GOAT_NOT_FOUND);
    snprintf(spec, sizeof spec, "{\"commits\": [\"%s\", \"%s\"]}", right, begin_of(&id, 8));
    assert_int_equal(revert(a, spec, NULL), GOAT_NOT_FOUND); /* one that is there does not make up for it */
    test_handle_shows(a, "x", "{size: 1}");
    assert_int_equal(revert_commit(a, begin_of(&id, 8), ", \"lacks_some\": true"), GOAT_OK);
    test_handle_shows(a, "x", "{size: 1}");
}

/* Of another's session, whose edit was overwritten since. */
static void a_range_that_changes_nothing_writes_nothing(void **state) {
    (void)state;
    test_trio f;
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    test_trio_begin(&f);
    test_handle *server = &f.server;
    make(server, "x", "{size: 1}");
    make(server, "y", "{size: 1}");
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_handle_advance(&f.one);
    set(&f.one, "x", "size", "2");
    set(&f.one, "y", "size", "2");
    test_world_meet(&f.world);
    test_handle_advance(server);
    const gt_commit_key others = gt_repo_commit_key(repo_of(server), newest_of(server, "x"));
    set(server, "x", "size", "3");
    uint32_t entries = gt_repo_commit_count(repo_of(server));
    for (int run = 0; run < 2; run++) { /* what the first has undone the second finds undone */
        gt_buf_clear(&result);
        assert_int_equal(revert_session(server, begin_of(&others.session, 64), &result), GOAT_OK);
        assert_int_equal(count_items(&result), run == 0);
        assert_int_equal(gt_repo_commit_count(repo_of(server)), entries + 1);
        test_handle_shows(server, "x", "{size: 3}");
        test_handle_shows(server, "y", "{size: 1}");
    }
    gt_buf_clear(&result);
    assert_int_equal(revert(server, "{\"undo\": true}", &result),
                     GOAT_OK); /* the revert of y is the last thing that was done */
    assert_int_equal(count_items(&result), 1);
    test_handle_shows(server, "x", "{size: 3}");
    test_handle_shows(server, "y", "{size: 2}");
    entries = gt_repo_commit_count(repo_of(server));
    assert_int_equal(revert_commit(server, begin_of(&others.id, 64), ""), GOAT_OK);
    assert_int_equal(gt_repo_commit_count(repo_of(server)), entries + 1); /* that it is undone is kept */
    test_handle_shows(server, "x", "{size: 3}");
    gt_buf_free(&result);
    test_trio_end(&f);
}

static void a_session_is_named_by_its_beginning(void **state) {
    (void)state;
    test_trio f;
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    test_trio_begin(&f);
    make(&f.server, "x", "{size: 1}");
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_handle_advance(&f.one);
    set(&f.one, "x", "text", "'by another'");
    test_world_meet(&f.world);
    test_handle_advance(&f.server);
    const gt_id own = gt_repo_commit_key(repo_of(&f.server), gt_item_at(repo_of(&f.server), 0)->first).session;
    const gt_id others = gt_repo_commit_key(repo_of(&f.server), newest_of(&f.server, "x")).session;
    assert_int_not_equal(gt_id_compare(&own, &others), 0);
    gt_id *row = &gt_session_at(repo_of(&f.server), gt_find_session(repo_of(&f.server), &own))->id;
    gt_id before = make_alike(row, &others);
    assert_int_equal(revert_session(&f.server, begin_of(&others, 8), NULL), GOAT_INVALID);
    assert_non_null(strstr(f.server.diag.message, "several sessions"));
    *row = before;
    gt_id nobody = others;
    nobody.bytes[3] ^= 1;
    assert_int_equal(revert_session(&f.server, begin_of(&nobody, 8), &result), GOAT_OK);
    assert_int_equal(count_items(&result), 0);
    gt_buf_clear(&result);
    assert_int_equal(revert_session(&f.server, begin_of(&others, 9), &result), GOAT_OK);
    assert_int_equal(count_items(&result), 1);
    test_handle_shows(&f.server, "x", "{size: 1}");
    gt_buf_free(&result);
    test_trio_end(&f);
}

/* ---- what is not visible yet ---- */

/* Two handles on one database, of which `b` has not advanced since `a` made a commit of "old" and the item "new". */
static void fall_behind(test_handles *f, gt_id *of_old, gt_id *of_new) {
    make(&f->a, "old", "{size: 1}");
    test_handle_join(&f->b, &f->a);
    set(&f->a, "old", "text", "'later'");
    make(&f->a, "new", "{size: 2}");
    *of_old = gt_commit_at(repo_of(&f->a), newest_of(&f->a, "old"))->id;
    *of_new = gt_commit_at(repo_of(&f->a), newest_of(&f->a, "new"))->id;
}

static void what_is_named_before_it_is_visible_is_not_found(void **state) {
    test_handles *f = *state;
    gt_id of_old, of_new;
    fall_behind(f, &of_old, &of_new);
    for (int digits = 8; digits <= 64; digits += 56) {
        assert_int_equal(revert_commit(&f->b, begin_of(&of_old, digits), ""), GOAT_NOT_FOUND);
        assert_non_null(strstr(f->b.diag.message, "not visible before the next advance"));
        assert_int_equal(revert_commit(&f->b, begin_of(&of_new, digits), ""), GOAT_NOT_FOUND);
    }
    test_handle_shows(&f->a, "old", "{size: 1, text: 'later'}");
    test_handle_shows(&f->a, "new", "{size: 2}");
    test_handle_advance(&f->b);
    assert_int_equal(revert_commit(&f->b, begin_of(&of_old, 8), ""), GOAT_OK);
    test_handle_shows(&f->b, "old", "{size: 1}");
}

static void of_a_range_it_is_left_out_without_a_word(void **state) {
    test_handles *f = *state;
    gt_id of_old, of_new;
    gt_buf result;
    gt_buf_init(&result, &gt_alloc_system);
    fall_behind(f, &of_old, &of_new);
    assert_int_equal(revert(&f->b, "{\"since\": \"0\", \"dry_run\": true}", &result), GOAT_OK);
    assert_int_equal(count_items(&result), 1); /* the creation of "old" alone */
    assert_null(gt_map_find(gt_buf_bytes(&result), gt_bytes_text("skipped")).data);
    gt_buf_clear(&result);
    assert_int_equal(revert(&f->b, "{\"since\": \"0\"}", &result), GOAT_OK);
    assert_int_equal(count_items(&result), 1);
    assert_null(gt_map_find(gt_buf_bytes(&result), gt_bytes_text("skipped")).data);
    test_handle_advance(&f->a);
    test_handle_advance(&f->b);
    test_handle_shows(&f->a, "old", "{size: 1, text: 'later'}"); /* it was deleted, and edited at the same time */
    test_handle_shows(&f->a, "new", "{size: 2}");
    gt_buf_free(&result);
}

/* ---- repositories that are closed meanwhile ---- */

/* Each kind of revert, its repository closed after each of its rounds, by the handle or with the database. */
static void it_ends_when_its_repository_is_closed(void **state) {
    static const char *const specs[] = {"{\"since\": \"0\"}", "{\"undo\": true}", "{\"commits\": [\"0123456789\"]}"};
    (void)state;
    uint32_t cut = 0;
    for (uint32_t kind = 0; kind < 6; kind++) {
        for (uint32_t rounds = 0;; rounds++) {
            test_machine machine;
            test_handle a;
            gt_job_info info;
            goat_job *job = NULL, *closing = NULL;
            test_machine_init(&machine, 3);
            test_handle_open(&a, &machine, GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD);
            for (int i = 0; i < 40; i++) {
                char key[8];
                snprintf(key, sizeof key, "%d", i);
                assert_int_equal(test_handle_create(&a, key, "{size: 1}"), GOAT_OK);
            }
            assert_int_equal(test_handle_flush(&a, GOAT_DURABLE_MEMORY), GOAT_OK);
            assert_int_equal(gt_space_revert(a.space, gt_bytes_text(specs[kind / 2]), &job, NULL), GOAT_OK);
            for (uint32_t i = 0; i < rounds; i++) gt_db_pump(a.db, gt_db_now_us(a.db), NULL);
            gt_job_info_of(job, &info);
            bool was_done = info.done;
            goat_status ended = was_done ? info.status : GOAT_CLOSED;
            assert_int_equal(
                kind % 2 == 0 ? gt_space_close(a.space, &closing, NULL) : gt_db_close(a.db, &closing, NULL), GOAT_OK);
            assert_int_equal(test_handle_wait(&a, closing, NULL), GOAT_OK);
            assert_int_equal(test_handle_wait(&a, job, NULL), ended);
            if (kind % 2 == 0) {
                assert_int_equal(test_handle_open_repo(&a), GOAT_OK);
                if (!was_done) test_handle_shows(&a, "0", "{size: 1}");
            }
            (void)test_handle_end(&a);
            test_machine_free(&machine);
            cut += !was_done;
            if (was_done) break;
        }
    }
    assert_true(cut > 12);
}

static void it_may_be_cancelled_in_each_round(void **state) {
    test_handle *a = &((test_handles *)*state)->a;
    for (int i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(test_handle_create(a, key, "{size: 1}"), GOAT_OK);
    }
    assert_int_equal(test_handle_flush(a, GOAT_DURABLE_MEMORY), GOAT_OK);
    uint32_t commits = gt_repo_commit_count(repo_of(a)), rounds = 0;
    for (bool was_done = false; !was_done; rounds++) {
        goat_job *job = NULL;
        gt_job_info info;
        assert_int_equal(gt_space_revert(a->space, gt_bytes_text("{\"since\": \"0\"}"), &job, NULL), GOAT_OK);
        for (uint32_t i = 0; i < rounds; i++) gt_db_pump(a->db, gt_db_now_us(a->db), NULL);
        gt_job_info_of(job, &info);
        was_done = info.done;
        gt_job_cancel(job);
        assert_int_equal(test_handle_wait(a, job, NULL), was_done ? GOAT_OK : GOAT_CANCELLED);
        assert_int_equal(gt_repo_commit_count(repo_of(a)), was_done ? 2 * commits : commits);
    }
    assert_true(rounds > 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, test_handles_set_up, test_handles_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_beginning_that_two_commits_have_is_refused),
        CASE(a_beginning_that_no_commit_has_is_said),
        cmocka_unit_test(a_range_that_changes_nothing_writes_nothing),
        cmocka_unit_test(a_session_is_named_by_its_beginning),
        CASE(what_is_named_before_it_is_visible_is_not_found),
        CASE(of_a_range_it_is_left_out_without_a_word),
        cmocka_unit_test(it_ends_when_its_repository_is_closed),
        CASE(it_may_be_cancelled_in_each_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
