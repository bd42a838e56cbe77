/* Arguments of the public interface that cannot be: each is refused, none crashes. */
#include "support/test.h"

#include "support/test_db.h"

#include <math.h>

/* Each is one call with one argument that cannot be. */
#define misuse(call) assert_fails(GOAT_MISUSE, call)

static void freeing_nothing_is_fine(void **state) {
    (void)state;
    goat_db_free(NULL);
    goat_repo_free(NULL);
    goat_item_free(NULL);
    goat_tx_free(NULL);
    goat_query_free(NULL);
    goat_job_free(NULL);
    goat_job_cancel(NULL);
    double done = 5, total = 5;
    goat_job_progress(NULL, &done, &total);
    assert_true(done == 0 && total == 0);
    goat_job_progress(NULL, NULL, NULL);
    assert_int_equal(goat_job_id(NULL), 0);
    assert_int_equal(goat_query_id(NULL), 0);
}

static void null_is_misuse_for_values_and_databases(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_db *db = NULL;
    uint8_t byte = 0;
    misuse(goat_value_from_json(NULL, 1, &buf, &error));
    misuse(goat_value_from_json(TEXT("1"), NULL, &error));
    misuse(goat_value_to_json(NULL, 1, &buf, &error));
    misuse(goat_value_to_json(&byte, 1, NULL, &error));
    misuse(goat_db_open(NULL, 1, NULL, &db, NULL, &error));
    misuse(goat_db_open(TEXT("d"), NULL, NULL, NULL, &error));
    misuse(goat_db_open(TEXT(""), NULL, &db, NULL, &error));
    misuse(goat_db_open(TEXT("a\0b"), NULL, &db, NULL, &error));
    misuse(goat_db_close(NULL, NULL, &error));
    misuse(goat_db_info(NULL, &buf, &error));
    misuse(goat_db_info(f->db, NULL, &error));
    misuse(goat_db_run(NULL, -1, 0, NULL, &error));
    misuse(goat_db_run(f->db, (double)NAN, 0, NULL, &error));
    misuse(goat_db_run(f->db, (double)INFINITY, 0, NULL, &error));
    misuse(goat_db_on_wake(NULL, NULL, NULL, NULL, &error));
    misuse(goat_db_advance(NULL, &buf, &error));
    misuse(goat_db_flush(NULL, GOAT_DURABLE_DISK, NULL, &error));
    misuse(goat_db_flush(f->db, -1, NULL, &error));
    misuse(goat_db_flush(f->db, GOAT_DURABLE_SERVER + 1, NULL, &error));
    misuse(goat_db_verify(NULL, NULL, 0, NULL, NULL, &error));
    misuse(goat_db_verify(f->db, NULL, 1, NULL, NULL, &error));
    misuse(goat_job_wait(NULL, 0, &error));
    misuse(goat_job_result(NULL, &buf, &error));
    misuse(goat_db_add_schema(NULL, TEXT("{}"), &error));
    misuse(goat_db_add_schema(f->db, NULL, 0, &error));
    misuse(goat_db_schemas(NULL, &buf, &error));
    misuse(goat_db_schemas(f->db, NULL, &error));
    misuse(goat_db_check_schema(NULL, TEXT("{}"), &buf, &error));
    misuse(goat_db_check_schema(f->db, NULL, 0, &buf, &error));
    misuse(goat_db_check_schema(f->db, TEXT("{}"), NULL, &error));
    misuse(goat_db_schema_changes(NULL, TEXT("a"), 1, 2, &buf, &error));
    misuse(goat_db_schema_changes(f->db, NULL, 0, 1, 2, &buf, &error));
    misuse(goat_db_schema_changes(f->db, TEXT("a"), 1, 2, NULL, &error));
    misuse(goat_db_retire_schema(NULL, TEXT("a"), 1, true, &error));
    misuse(goat_db_retire_schema(f->db, NULL, 0, 1, true, &error));
    assert_null(db);
}

static void null_is_misuse_for_repositories_transactions_and_queries(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_repo *repo = NULL;
    goat_tx *tx = NULL;
    goat_query *query = NULL;
    uint32_t number = 0;
    uint8_t byte = 0;
    misuse(goat_repo_open(NULL, TEXT("/a/b"), 0, &repo, NULL, &error));
    misuse(goat_repo_open(f->db, NULL, 0, 0, &repo, NULL, &error));
    misuse(goat_repo_open(f->db, TEXT("/a/b"), 0, NULL, NULL, &error));
    misuse(goat_repo_open(f->db, TEXT("/a/b"), 1, &repo, NULL, &error));
    misuse(goat_repo_close(NULL, NULL, &error));
    misuse(goat_db_repos(NULL, &buf, NULL, &error));
    misuse(goat_repo_apply(NULL, &byte, 1, 0, NULL, &error));
    misuse(goat_repo_apply(f->repo, NULL, 0, 0, NULL, &error));
    misuse(goat_repo_apply(f->repo, &byte, 1, 4, NULL, &error));
    misuse(goat_repo_apply_json(NULL, TEXT("[]"), 0, NULL, &error));
    misuse(goat_repo_apply_json(f->repo, NULL, 0, 0, NULL, &error));
    misuse(goat_repo_apply_json(f->repo, TEXT("[]"), 4, NULL, &error));
    misuse(goat_repo_digest(NULL, &buf, NULL, &error));
    misuse(goat_tx_begin(NULL, &tx, &error));
    misuse(goat_tx_begin(f->repo, NULL, &error));
    misuse(goat_tx_commit(NULL, NULL, 0, NULL, &error));
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    misuse(goat_tx_commit(tx, NULL, 1, NULL, &error));
    goat_tx_free(tx);
    misuse(goat_query_open(NULL, NULL, TEXT("{}"), &query, NULL, &error));
    misuse(goat_query_open(f->repo, NULL, NULL, 0, &query, NULL, &error));
    misuse(goat_query_open(f->repo, NULL, TEXT("{}"), NULL, NULL, &error));
    misuse(goat_query_count(NULL, &number, &error));
    misuse(goat_query_rows(NULL, 0, 1, &buf, &error));
    misuse(goat_query_rows_json(NULL, 0, 1, &buf, &error));
    misuse(goat_query_find(NULL, &byte, 1, &number, NULL, &error));
    assert_null(repo);
    assert_null(query);
}

static void null_is_misuse_for_queries_that_are_open(void **state) {
    test_db *f = *state;
    goat_query *query = NULL;
    uint32_t number = 0;
    uint8_t byte = 0;
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{\"sort\": [\"title\"]}"), &query, NULL, &error));
    misuse(goat_query_count(query, NULL, &error));
    misuse(goat_query_rows(query, 0, 1, NULL, &error));
    misuse(goat_query_rows_json(query, 0, 1, NULL, &error));
    misuse(goat_query_find(query, NULL, 0, &number, NULL, &error));
    misuse(goat_query_find(query, &byte, 1, NULL, NULL, &error));
    goat_query_free(query);
}

static void null_is_misuse_for_items(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_item *item = NULL, *made = NULL;
    uint32_t number = 0;
    item = test_db_create(f, "/data/tasks/1", "one");
    misuse(goat_item_open(NULL, NULL, TEXT("/data/tasks/1"), &made, &error));
    misuse(goat_item_open(f->db, NULL, NULL, 0, &made, &error));
    misuse(goat_item_open(f->db, NULL, TEXT("/data/tasks/1"), NULL, &error));
    misuse(goat_item_create(NULL, NULL, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, &made, &error));
    misuse(goat_item_create(f->db, NULL, NULL, 0, TEXT("task"), NULL, 0, &made, &error));
    misuse(goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), NULL, 0, NULL, 0, &made, &error));
    misuse(goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"), NULL, 1, &made, &error));
    misuse(goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, NULL, &error));
    misuse(goat_item_path(NULL, &buf, &error));
    misuse(goat_item_path(item, NULL, &error));
    misuse(goat_item_state(NULL, &number, &error));
    misuse(goat_item_state(item, NULL, &error));
    misuse(goat_item_check(NULL, &error));
    misuse(goat_item_read(NULL, &buf, NULL, &error));
    misuse(goat_item_read_json(NULL, &buf, NULL, &error));
    misuse(goat_item_read_json(item, NULL, NULL, &error));
    misuse(goat_item_commits(NULL, NULL, 0, 1, &buf, &error));
    misuse(goat_item_commits(item, NULL, 0, 1, NULL, &error));
    misuse(goat_item_find_commit(NULL, TEXT("00000000"), &buf, &error));
    misuse(goat_item_find_commit(item, NULL, 8, &buf, &error));
    misuse(goat_item_find_commit(item, TEXT("00000000"), NULL, &error));
    misuse(goat_item_replace(NULL, (const uint8_t *)"\xa0", 1, &error));
    misuse(goat_item_replace(item, NULL, 0, &error));
    misuse(goat_item_delete(NULL, true, &error));
    goat_item_free(item);
    assert_null(made);
}

static void null_is_misuse_for_reading_a_field(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    goat_buf buf = {0};
    bool flag = true;
    double number = 5;
    int32_t high = 5;
    uint32_t low = 5;
    misuse(goat_item_get(NULL, TEXT("title"), &buf, &error));
    misuse(goat_item_get(item, NULL, 0, &buf, &error));
    misuse(goat_item_get(item, TEXT("title"), NULL, &error));
    misuse(goat_item_get_json(NULL, TEXT("title"), &buf, &error));
    misuse(goat_item_get_json(item, NULL, 0, &buf, &error));
    misuse(goat_item_get_json(item, TEXT("title"), NULL, &error));
    misuse(goat_item_get_bool(NULL, TEXT("done"), &flag, &error));
    misuse(goat_item_get_bool(item, NULL, 0, &flag, &error));
    misuse(goat_item_get_bool(item, TEXT("done"), NULL, &error));
    misuse(goat_item_get_number(NULL, TEXT("number"), &number, &error));
    misuse(goat_item_get_number(item, NULL, 0, &number, &error));
    misuse(goat_item_get_number(item, TEXT("number"), NULL, &error));
    misuse(goat_item_get_int(NULL, TEXT("number"), &high, &low, &error));
    misuse(goat_item_get_int(item, NULL, 0, &high, &low, &error));
    misuse(goat_item_get_int(item, TEXT("number"), NULL, &low, &error));
    misuse(goat_item_get_int(item, TEXT("number"), &high, NULL, &error));
    misuse(goat_item_get_text(NULL, TEXT("title"), &buf, &error));
    misuse(goat_item_get_text(item, NULL, 0, &buf, &error));
    misuse(goat_item_get_text(item, TEXT("title"), NULL, &error));
    misuse(goat_item_get_bytes(NULL, TEXT("bytes"), &buf, &error));
    misuse(goat_item_get_bytes(item, NULL, 0, &buf, &error));
    misuse(goat_item_get_bytes(item, TEXT("bytes"), NULL, &error));
    assert_true(!flag && number == 0 && high == 0 && low == 0); /* outputs of failed calls */
    goat_item_free(item);
}

static void null_is_misuse_for_editing_a_field(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    const uint8_t one[] = {1};
    misuse(goat_item_set(NULL, TEXT("number"), one, 1, &error));
    misuse(goat_item_set(item, NULL, 0, one, 1, &error));
    misuse(goat_item_set(item, TEXT("number"), NULL, 0, &error));
    misuse(goat_item_set_json(NULL, TEXT("number"), TEXT("1"), &error));
    misuse(goat_item_set_json(item, NULL, 0, TEXT("1"), &error));
    misuse(goat_item_set_json(item, TEXT("number"), NULL, 0, &error));
    misuse(goat_item_set_bool(NULL, TEXT("done"), true, &error));
    misuse(goat_item_set_bool(item, NULL, 0, true, &error));
    misuse(goat_item_set_number(NULL, TEXT("number"), 1, &error));
    misuse(goat_item_set_number(item, NULL, 0, 1, &error));
    misuse(goat_item_set_int(NULL, TEXT("number"), 0, 1, &error));
    misuse(goat_item_set_int(item, NULL, 0, 0, 1, &error));
    misuse(goat_item_set_text(NULL, TEXT("title"), TEXT("a"), &error));
    misuse(goat_item_set_text(item, NULL, 0, TEXT("a"), &error));
    misuse(goat_item_set_text(item, TEXT("title"), NULL, 1, &error));
    misuse(goat_item_set_bytes(NULL, TEXT("bytes"), one, 1, &error));
    misuse(goat_item_set_bytes(item, NULL, 0, one, 1, &error));
    misuse(goat_item_set_bytes(item, TEXT("bytes"), NULL, 1, &error));
    misuse(goat_item_unset(NULL, TEXT("title"), &error));
    misuse(goat_item_unset(item, NULL, 0, &error));
    misuse(goat_item_add(NULL, TEXT("set"), one, 1, &error));
    misuse(goat_item_add(item, NULL, 0, one, 1, &error));
    misuse(goat_item_add(item, TEXT("set"), NULL, 0, &error));
    misuse(goat_item_remove(NULL, TEXT("set"), one, 1, &error));
    misuse(goat_item_remove(item, NULL, 0, one, 1, &error));
    misuse(goat_item_remove(item, TEXT("set"), NULL, 0, &error));
    misuse(goat_item_put(NULL, TEXT("map"), TEXT("k"), one, 1, &error));
    misuse(goat_item_put(item, NULL, 0, TEXT("k"), one, 1, &error));
    misuse(goat_item_put(item, TEXT("map"), NULL, 1, one, 1, &error));
    misuse(goat_item_put(item, TEXT("map"), TEXT("k"), NULL, 1, &error));
    misuse(goat_item_increment(NULL, TEXT("counter"), 0, 1, &error));
    misuse(goat_item_increment(item, NULL, 0, 0, 1, &error));
    misuse(goat_item_list_insert(NULL, TEXT("list"), 0, one, 1, &error));
    misuse(goat_item_list_insert(item, NULL, 0, 0, one, 1, &error));
    misuse(goat_item_list_insert(item, TEXT("list"), 0, NULL, 0, &error));
    misuse(goat_item_list_remove(NULL, TEXT("list"), 0, 1, &error));
    misuse(goat_item_list_remove(item, NULL, 0, 0, 1, &error));
    misuse(goat_item_list_move(NULL, TEXT("list"), 0, 1, &error));
    misuse(goat_item_list_move(item, NULL, 0, 0, 1, &error));
    misuse(goat_item_list_set(NULL, TEXT("list"), 0, one, 1, &error));
    misuse(goat_item_list_set(item, NULL, 0, 0, one, 1, &error));
    misuse(goat_item_list_set(item, TEXT("list"), 0, NULL, 0, &error));
    misuse(goat_item_apply_delta(NULL, TEXT("rich"), TEXT("[]"), &error));
    misuse(goat_item_apply_delta(item, NULL, 0, TEXT("[]"), &error));
    misuse(goat_item_apply_delta(item, TEXT("rich"), NULL, 0, &error));
    goat_buf stamps = {0};
    misuse(goat_orderstamp_between(NULL, NULL, 0, NULL, 0, 1, &stamps, &error));
    misuse(goat_orderstamp_between(f->db, NULL, 1, NULL, 0, 1, &stamps, &error));
    misuse(goat_orderstamp_between(f->db, NULL, 0, NULL, 1, 1, &stamps, &error));
    misuse(goat_orderstamp_between(f->db, NULL, 0, NULL, 0, 1, NULL, &error));
    goat_buf_free(&stamps);
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item_free(item);
}

static void a_configuration_that_cannot_be_is_misuse(void **state) {
    test_db *f = *state;
    goat_db *db = NULL;
    goat_host host = test_db_host(f);
    goat_config config = GOAT_CONFIG_INIT;
    config.struct_size = 0;
    misuse(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    config = (goat_config)GOAT_CONFIG_INIT;
    config.flags |= 1u << 31;
    misuse(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    config = (goat_config)GOAT_CONFIG_INIT;
    config.host = &host;
    goat_storage storage = host.storage;
    host.storage.poll = NULL;
    misuse(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    host.storage = storage;
    host.clock.wall_ms = NULL;
    misuse(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    host = (goat_host){0};
    misuse(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    storage.close(storage.context); /* misuse takes nothing */
}

static void a_path_that_is_not_utf8_is_invalid(void **state) {
    test_db *f = *state;
    goat_db *db = NULL;
    goat_item *item = NULL;
    goat_repo *repo = NULL;
    assert_fails(GOAT_INVALID, goat_db_open(TEXT("\xff"), NULL, &db, NULL, &error));
    assert_fails(GOAT_INVALID, goat_repo_open(f->db, TEXT("/data/\xff"), 0, &repo, NULL, &error));
    assert_fails(GOAT_INVALID, goat_repo_open(f->db, TEXT("data"), 0, &repo, NULL, &error));
    assert_fails(GOAT_INVALID, goat_item_open(f->db, NULL, TEXT("/data/tasks/\xc3("), &item, &error));
    assert_fails(GOAT_INVALID, goat_item_open(f->db, NULL, TEXT("/data/tasks"), &item, &error));
    assert_fails(GOAT_INVALID,
                 goat_item_create(f->db, NULL, TEXT("/data/tasks/1"), TEXT("\xff"), NULL, 0, &item, &error));
}

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeing_nothing_is_fine),
        with_db(null_is_misuse_for_values_and_databases),
        with_db(null_is_misuse_for_repositories_transactions_and_queries),
        with_db(null_is_misuse_for_queries_that_are_open),
        with_db(null_is_misuse_for_items),
        with_db(null_is_misuse_for_reading_a_field),
        with_db(null_is_misuse_for_editing_a_field),
        with_db(a_configuration_that_cannot_be_is_misuse),
        with_db(a_path_that_is_not_utf8_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
