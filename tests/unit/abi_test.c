/* What needs no noun of the public interface: versions, errors, buffers, values, configuration. */
#include "support/test.h"

#include "support/test_db.h"

#include <math.h>
#include <string.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
