/* Handles of the public interface: counted, freed in any order, closed with what they belong to; and without memory. */
#include "support/test.h"

#include "support/test_db.h"

#include <string.h>

/* ---- Handles ----------------------------------------------------------------------------------- */

static void handles_are_counted(void **state) {
    test_db *f = *state;
    goat_tx *tx = NULL;
    goat_query *query = NULL;
    goat_job *job = NULL;
    assert_int_equal(goat_debug_live_handles(), 2); /* database and repository */
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{}"), &query, NULL, &error));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, &job, &error));
    assert_int_equal(goat_debug_live_handles(), 6);
    goat_job_free(job);
    goat_query_free(query);
    goat_tx_free(tx);
    goat_item_free(item);
    assert_int_equal(goat_debug_live_handles(), 2);
}

/* Frees six handles of one database in the order that the digits of `order` (base 6) say. */
static void free_in_order(test_db *f, uint32_t order) {
    goat_host host = test_db_host(f);
    goat_config config = GOAT_CONFIG_INIT;
    goat_db *db = NULL;
    goat_repo *repo = NULL;
    goat_item *item = NULL, *other = NULL;
    goat_tx *tx = NULL;
    goat_query *query = NULL;
    goat_job *job = NULL;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = &host;
    assert_ok(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    assert_ok(goat_db_add_schema(db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(db, TEXT("/data/tasks"), 0, &repo, NULL, &error));
    assert_ok(goat_item_create(db, NULL, TEXT("/data/tasks"), TEXT("task"), NULL, 0, &item, &error));
    assert_ok(goat_tx_begin(repo, &tx, &error));
    assert_ok(goat_item_create(db, tx, TEXT("/data/tasks"), TEXT("task"), NULL, 0, &other, &error));
    assert_ok(goat_query_open(repo, NULL, TEXT("{}"), &query, NULL, &error));
    assert_ok(goat_db_flush(db, GOAT_DURABLE_DISK, &job, &error));
    bool freed[7] = {false};
    for (uint32_t left = 7; left > 0; left--) {
        uint32_t skip = order % left, which = 0;
        order /= left;
        while (freed[which] || skip-- > 0) which++;
        freed[which] = true;
        switch (which) {
        case 0: goat_db_free(db); break;
        case 1: goat_repo_free(repo); break;
        case 2: goat_item_free(item); break;
        case 3: goat_item_free(other); break;
        case 4: goat_tx_free(tx); break;
        case 5: goat_query_free(query); break;
        default: goat_job_free(job); break;
        }
    }
}

static void handles_are_freed_in_any_order(void **state) {
    test_db *f = *state;
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    f->repo = NULL;
    f->db = NULL;
    size_t blocks = f->memory.live_blocks;
    for (uint32_t order = 0; order < 5040; order += 41) { /* 7! orders are too many for every run */
        free_in_order(f, order);
        assert_int_equal(goat_debug_live_handles(), 0);
        assert_int_equal(f->memory.live_blocks, blocks);
    }
}

static void after_closing_children_answer_closed(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_tx *tx = NULL;
    goat_query *query = NULL;
    goat_job *job = NULL;
    goat_item *made = NULL;
    goat_repo *repo = NULL;
    uint32_t number;
    bool flag;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{\"sort\": [\"title\"]}"), &query, NULL, &error));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, &job, &error));
    assert_ok(goat_db_close(f->db, NULL, &error));
#define closed(call) assert_fails(GOAT_CLOSED, call)
    closed(goat_db_close(f->db, NULL, &error));
    closed(goat_db_info(f->db, &buf, &error));
    closed(goat_db_run(f->db, -1, 0, NULL, &error));
    closed(goat_db_on_wake(f->db, NULL, NULL, NULL, &error));
    closed(goat_db_advance(f->db, &buf, &error));
    closed(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    closed(goat_db_verify(f->db, NULL, 0, &buf, NULL, &error));
    closed(goat_db_add_schema(f->db, test_db_schema, strlen(test_db_schema), &error));
    closed(goat_db_schemas(f->db, &buf, &error));
    closed(goat_db_check_schema(f->db, test_db_schema, strlen(test_db_schema), &buf, &error));
    closed(goat_db_schema_changes(f->db, TEXT("task"), 1, 1, &buf, &error));
    closed(goat_db_retire_schema(f->db, TEXT("task"), 1, true, &error));
    closed(goat_repo_open(f->db, TEXT("/data/b"), 0, &repo, NULL, &error));
    closed(goat_repo_close(f->repo, NULL, &error));
    closed(goat_db_repos(f->db, &buf, NULL, &error));
    closed(goat_repo_apply_json(f->repo, TEXT("[]"), 0, NULL, &error));
    closed(goat_repo_apply(f->repo, (const uint8_t *)"\x80", 1, 0, NULL, &error));
    closed(goat_repo_digest(f->repo, &buf, NULL, &error));
    closed(goat_orderstamp_between(f->db, NULL, 0, NULL, 0, 1, &buf, &error));
    closed(goat_tx_begin(f->repo, &(goat_tx *){NULL}, &error));
    closed(goat_tx_commit(tx, NULL, 0, NULL, &error));
    closed(goat_item_open(f->db, NULL, TEXT("/data/tasks/1"), &made, &error));
    closed(goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, &made, &error));
    closed(goat_item_path(item, &buf, &error));
    closed(goat_item_state(item, &number, &error));
    closed(goat_item_check(item, &error));
    closed(goat_item_read(item, &buf, NULL, &error));
    closed(goat_item_read_json(item, &buf, NULL, &error));
    closed(goat_item_get_bool(item, TEXT("done"), &flag, &error));
    closed(goat_item_set_bool(item, TEXT("done"), true, &error));
    closed(goat_item_delete(item, true, &error));
    closed(goat_item_commits(item, NULL, 0, 1, &buf, &error));
    closed(goat_item_find_commit(item, TEXT("00000000"), &buf, &error));
    closed(goat_query_open(f->repo, NULL, TEXT("{}"), &(goat_query *){NULL}, NULL, &error));
    closed(goat_query_count(query, &number, &error));
    closed(goat_query_rows(query, 0, 1, &buf, &error));
    closed(goat_query_rows_json(query, 0, 1, &buf, &error));
    closed(goat_query_find(query, (const uint8_t *)"\x01", 1, &number, NULL, &error));
#undef closed
    assert_ok(goat_job_wait(job, 0, &error)); /* it was done before */
    goat_job_free(job);
    goat_query_free(query);
    goat_tx_free(tx);
    goat_item_free(item);
    goat_buf_free(&buf);
}

static void handles_of_a_closed_repository_answer_closed(void **state) {
    test_db *f = *state;
    goat_query *query = NULL;
    goat_buf path = {0};
    uint32_t count;
    bool flag;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one"), *other = NULL;
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{}"), &query, NULL, &error));
    assert_ok(goat_repo_close(f->repo, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_item_get_bool(item, TEXT("done"), &flag, &error));
    assert_fails(GOAT_CLOSED, goat_item_open(f->db, NULL, TEXT("/data/tasks/1"), &other, &error));
    assert_fails(GOAT_CLOSED, goat_query_count(query, &count, &error));
    assert_fails(GOAT_CLOSED, goat_repo_apply_json(f->repo, TEXT("[]"), 0, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_repo_close(f->repo, NULL, &error));
    assert_ok(goat_item_path(item, &path, &error));
    assert_string_equal(path.data, "/data/tasks/1");
    goat_repo_free(f->repo);
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_item_get_bool(item, TEXT("done"), &flag, &error)); /* a new handle is wanted */
    other = test_db_item(f->db, "/data/tasks/1");
    test_db_assert_item(other, "{\"done\":false,\"title\":\"one\"}"); /* closing captured it */
    goat_item_free(other);
    goat_item_free(item);
    goat_query_free(query);
    goat_buf_free(&path);
}

/* ---- Memory ------------------------------------------------------------------------------------ */

static goat_status query_and_transact(goat_db *db, goat_repo *repo, goat_error **why) {
    static const char spec[] = "{\"where\": {\"title\": {\"$regex\": \"^o\"}}, \"sort\": [\"size\"]}";
    static const char edits[] = "[{\"key\": \"1\", \"set\": {\"size\": 5}},"
                                " {\"key\": \"3\", \"schema\": \"task\", \"set\": {\"title\": \"oak\"}}]";
    goat_query *query = NULL;
    goat_tx *tx = NULL;
    goat_item *item = NULL;
    goat_buf buf = {0};
    goat_status status = goat_query_open(repo, NULL, TEXT(spec), &query, NULL, why);
    if (status == GOAT_OK) status = goat_tx_begin(repo, &tx, why);
    if (status == GOAT_OK) status = goat_item_open(db, tx, TEXT("/data/tasks/1"), &item, why);
    if (status == GOAT_OK) status = goat_item_put(item, TEXT("map"), TEXT("k"), (const uint8_t *)"\x01", 1, why);
    if (status == GOAT_OK) status = goat_tx_commit(tx, TEXT("why"), &buf, why);
    if (status == GOAT_OK) status = goat_repo_apply_json(repo, TEXT(edits), 0, &buf, why);
    if (status == GOAT_OK) status = goat_db_advance(db, &buf, why);
    if (status == GOAT_OK) status = goat_query_rows_json(query, 0, 10, &buf, why);
    if (status == GOAT_OK) assert_int_equal(buf.size, strlen((char *)buf.data));
    if (status == GOAT_OK) status = goat_item_commits(item, NULL, 0, 10, &buf, why);
    goat_buf_free(&buf);
    goat_item_free(item);
    goat_tx_free(tx);
    goat_query_free(query);
    return status;
}

static goat_status live_a_little(goat_host *host) {
    goat_config config = GOAT_CONFIG_INIT;
    goat_db *db = NULL;
    goat_repo *repo = NULL;
    goat_item *item = NULL;
    goat_error *why = NULL;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = host;
    goat_status status = goat_db_open(TEXT("d"), &config, &db, NULL, &why);
    if (status == GOAT_OK) status = goat_db_add_schema(db, test_db_schema, strlen(test_db_schema), &why);
    if (status == GOAT_OK) status = goat_repo_open(db, TEXT("/data/tasks"), 0, &repo, NULL, &why);
    if (status == GOAT_OK) {
        status = goat_item_create(db, NULL, TEXT("/data/tasks/1"), TEXT("task"), NULL, 0, &item, &why);
    }
    if (status == GOAT_OK) status = goat_item_set_text(item, TEXT("title"), TEXT("one"), &why);
    if (status == GOAT_OK) status = goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &why);
    if (status == GOAT_OK) status = query_and_transact(db, repo, &why);
    if (status == GOAT_OK) status = goat_db_verify(db, NULL, 0, NULL, NULL, &why);
    assert_int_equal(goat_error_status(why), status);
    goat_error_free(why);
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
    return status;
}

static void each_allocation_of_the_database_may_fail(void **state) {
    (void)state;
    uint64_t k = 0;
    for (;; k++) {
        test_db f = {.disk = gt_sim_disk_new(&gt_alloc_system, 3)};
        test_alloc_init(&f.memory, k);
        gt_sim_clock_init(&f.clock);
        gt_sim_random_init(&f.random, 3);
        goat_host host = test_db_host(&f);
        goat_status status = live_a_little(&host);
        gt_sim_disk_free(f.disk);
        assert_int_equal(goat_debug_live_handles(), 0);
        test_alloc_assert_empty(&f.memory);
        assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY); /* OK: it could do without */
        if (!f.memory.failed) {
            assert_int_equal(status, GOAT_OK);
            break;
        }
    }
    assert_true(k > 50);
}

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(handles_are_counted),
        with_db(handles_are_freed_in_any_order),
        with_db(after_closing_children_answer_closed),
        with_db(handles_of_a_closed_repository_answer_closed),
        cmocka_unit_test(each_allocation_of_the_database_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
