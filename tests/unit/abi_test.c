/* abi/: what holds for every function of goat.h, whatever it does: errors, arguments, buffers, handles. */
#include "support/test.h"

#include "support/test_db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Versions, errors, buffers ----------------------------------------------------------------- */

static void the_library_says_its_version(void **state) {
    (void)state;
    assert_string_equal(goat_version(), GOAT_VERSION);
    assert_int_equal(goat_abi_version(), GOAT_ABI_VERSION);
    assert_string_equal(goat_status_name(GOAT_NO_SCHEMA), "GOAT_NO_SCHEMA");
    assert_string_equal(goat_status_name(-5), "GOAT_UNKNOWN");
}

static void no_error_answers_every_question(void **state) {
    (void)state;
    goat_error_free(NULL);
    assert_int_equal(goat_error_status(NULL), GOAT_OK);
    assert_string_equal(goat_error_message(NULL), "");
    assert_string_equal(goat_error_detail(NULL, GOAT_DETAIL_PATH), "");
    assert_true(goat_error_position(NULL) < 0);
    assert_false(goat_error_is_retryable(NULL));
    assert_false(goat_error_is_corruption(NULL));
}

static void an_error_says_what_and_where(void **state) {
    test_db *f = *state;
    goat_error *why = NULL;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_int_equal(goat_item_set_number(item, TEXT("size"), 101, &why), GOAT_INVALID);
    assert_int_equal(goat_error_status(why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/1");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "size");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "max");
    assert_string_equal(goat_error_detail(why, 99), "");
    assert_true(goat_error_position(why) < 0);
    assert_false(goat_error_is_retryable(why));
    assert_int_equal(goat_debug_live_handles(), 4); /* database, repository, item, error */
    goat_error_free(why);
    goat_item_free(item);
}

static void an_error_outlives_its_database(void **state) {
    (void)state;
    goat_error *why = NULL;
    goat_db *db = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    test_db f = {.disk = gt_sim_disk_new(&gt_alloc_system, 5)};
    test_alloc_init(&f.memory, TEST_ALLOC_NEVER);
    goat_host host = test_db_host(&f);
    config.flags = GOAT_OPEN_NO_THREAD;
    config.host = &host;
    assert_int_equal(goat_db_open(TEXT("d"), &config, &db, NULL, &why), GOAT_NOT_FOUND);
    assert_null(db);
    test_alloc_assert_empty(&f.memory);
    gt_sim_disk_free(f.disk);
    assert_int_equal(goat_error_status(why), GOAT_NOT_FOUND);
    assert_int_not_equal(strlen(goat_error_message(why)), 0);
    goat_error_free(why);
    assert_int_equal(goat_debug_live_handles(), 0);
}

static void errors_know_whether_to_try_again(void **state) {
    (void)state;
    static const uint8_t root_key[32] = {1};
    goat_error *why = NULL;
    goat_db *db = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    test_db f = {.disk = gt_sim_disk_new(&gt_alloc_system, 5)};
    test_alloc_init(&f.memory, TEST_ALLOC_NEVER);
    goat_host host = test_db_host(&f);
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = &host;
    config.root_key = root_key; /* a replica, whose server is not there */
    assert_ok(goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    assert_int_equal(goat_db_flush(db, GOAT_DURABLE_SERVER, NULL, &why), GOAT_OFFLINE);
    assert_true(goat_error_is_retryable(why));
    assert_false(goat_error_is_corruption(why));
    goat_error_free(why);
    goat_db_free(db);
    test_alloc_assert_empty(&f.memory);
    gt_sim_disk_free(f.disk);
}

static void an_authority_is_its_own_server(void **state) {
    test_db *f = *state;
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_SERVER, NULL, &error));
}

static void details_may_be_skipped(void **state) {
    test_db *f = *state;
    goat_item *item = NULL;
    assert_int_equal(goat_item_open(f->db, NULL, TEXT("/data/tasks/none"), &item, NULL), GOAT_NOT_FOUND);
    assert_int_equal(goat_item_open(f->db, NULL, TEXT("none"), &item, NULL), GOAT_INVALID);
    assert_int_equal(goat_item_open(NULL, NULL, TEXT("none"), &item, NULL), GOAT_MISUSE);
    assert_null(item);
}

static void a_position_says_where_the_input_is_wrong(void **state) {
    (void)state;
    goat_error *why = NULL;
    goat_buf value = {0};
    assert_int_equal(goat_value_from_json(TEXT("[1, 2, x]"), &value, &why), GOAT_INVALID);
    assert_true(fabs(goat_error_position(why) - 7) < 1.5);
    goat_error_free(why);
    static const uint8_t long_form[] = {0x82, 0x01, 0x18, 0x05}; /* 5 takes one byte */
    why = NULL;
    assert_int_equal(goat_value_to_json(long_form, sizeof long_form, &value, &why), GOAT_INVALID);
    assert_true(fabs(goat_error_position(why) - 2) < 0.5);
    goat_error_free(why);
    goat_buf_free(&value);
}

static void a_buffer_keeps_its_memory_and_ends_with_a_nul(void **state) {
    (void)state;
    goat_buf buf = {0};
    goat_buf_free(NULL);
    goat_buf_free(&buf);
    assert_ok(goat_value_from_json(TEXT("\"a text that is somewhat longer than the next\""), &buf, &error));
    assert_ok(goat_value_to_json((const uint8_t *)"\x61"
                                                  "a",
                                 2, &buf, &error));
    assert_int_equal(buf.size, 3);
    assert_string_equal(buf.data, "\"a\"");
    const uint8_t *before = buf.data;
    assert_ok(goat_value_from_json(TEXT("[1,2]"), &buf, &error));
    assert_int_equal(buf.size, 3);
    assert_int_equal(buf.data[3], 0);
    assert_ptr_equal(buf.data, before);
    assert_fails(GOAT_INVALID, goat_value_from_json(TEXT("[1,"), &buf, &error));
    assert_ok(goat_value_from_json(TEXT("[]"), &buf, &error)); /* still good */
    goat_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.capacity, 0);
}

static void values_survive_json(void **state) {
    (void)state;
    static const char json[] = "{\"a\":[null,true,-9223372036854775808,1.5,{\"$date\":\"2026-01-31T12:00:00Z\"}],"
                               "\"b\":{\"$bytes\":\"AAEC\"}}";
    goat_buf value = test_db_value(json);
    assert_string_equal(test_db_json(&value), json);
    goat_buf_free(&value);
}

static void memory_can_be_had_from_outside(void **state) {
    (void)state;
    uint8_t *memory = goat_alloc(0);
    assert_non_null(memory);
    goat_free(memory);
    memory = goat_alloc(1000);
    memset(memory, 7, 1000);
    goat_free(memory);
    goat_free(NULL);
}

static void a_configuration_is_as_long_as_the_caller_knows_it(void **state) {
    test_db *f = *state;
    goat_config config;
    memset(&config, 0xee, sizeof config);
    goat_config_init(&config, 8);
    assert_int_equal(config.struct_size, 8);
    assert_int_equal(config.flags, GOAT_OPEN_CREATE);
    assert_int_equal(config.capture_interval_ms, 0xeeeeeeee); /* not ours */
    goat_config_init(NULL, 8);
    goat_config_init(&config, 2);
    assert_int_equal(config.struct_size, 8);
    struct {
        goat_config config;
        uint32_t later;
        uint32_t zero;
    } newer = {.later = 0};
    goat_config_init(&newer.config, sizeof newer);
    goat_host host = test_db_host(f);
    goat_db *db = NULL;
    newer.config.flags |= GOAT_OPEN_NO_THREAD;
    newer.config.host = &host;
    newer.later = 1;
    assert_fails(GOAT_MISUSE, goat_db_open(TEXT("d"), &newer.config, &db, NULL, &error));
    newer.later = 0;
    assert_fails(GOAT_BUSY, goat_db_open(TEXT("d"), &newer.config, &db, NULL, &error)); /* the fixture has it open */
}

/* ---- Wrong arguments --------------------------------------------------------------------------- */

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
        cmocka_unit_test(the_library_says_its_version),
        cmocka_unit_test(no_error_answers_every_question),
        with_db(an_error_says_what_and_where),
        cmocka_unit_test(an_error_outlives_its_database),
        with_db(errors_know_whether_to_try_again),
        with_db(an_authority_is_its_own_server),
        with_db(details_may_be_skipped),
        cmocka_unit_test(a_position_says_where_the_input_is_wrong),
        cmocka_unit_test(a_buffer_keeps_its_memory_and_ends_with_a_nul),
        cmocka_unit_test(values_survive_json),
        cmocka_unit_test(memory_can_be_had_from_outside),
        with_db(a_configuration_is_as_long_as_the_caller_knows_it),
        cmocka_unit_test(freeing_nothing_is_fine),
        with_db(null_is_misuse_for_values_and_databases),
        with_db(null_is_misuse_for_repositories_transactions_and_queries),
        with_db(null_is_misuse_for_queries_that_are_open),
        with_db(null_is_misuse_for_items),
        with_db(null_is_misuse_for_reading_a_field),
        with_db(null_is_misuse_for_editing_a_field),
        with_db(a_configuration_that_cannot_be_is_misuse),
        with_db(a_path_that_is_not_utf8_is_invalid),
        with_db(handles_are_counted),
        with_db(handles_are_freed_in_any_order),
        with_db(after_closing_children_answer_closed),
        with_db(handles_of_a_closed_repository_answer_closed),
        cmocka_unit_test(each_allocation_of_the_database_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
