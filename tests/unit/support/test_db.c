/* Opens with GOAT_OPEN_NO_THREAD, because the simulated machine is for one thread. */
#include "support/test_db.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

const char test_db_schema[] =
    "{\"ns\": \"task\", \"version\": 1, \"fields\": {"
    "\"title\": {\"type\": \"string\", \"required\": true, \"max_length\": 1000},"
    "\"done\": {\"type\": \"boolean\", \"default\": false},"
    "\"number\": {\"type\": \"number\"}, \"size\": {\"type\": \"number\", \"min\": 0, \"max\": 100},"
    "\"date\": {\"type\": \"date\"}, \"bytes\": {\"type\": \"bytes\"}, \"ref\": {\"type\": \"ref\"},"
    "\"set\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"counter\": {\"type\": \"counter\"},"
    "\"list\": {\"type\": \"list\"}, \"body\": {\"type\": \"text\"}, \"place\": {\"type\": \"orderstamp\"},"
    "\"rich\": {\"type\": \"richtext\"}}}";

goat_host test_db_host(test_db *f) {
    goat_host host = {.struct_size = sizeof host};
    host.allocator = f->memory.alloc;
    host.clock = gt_sim_clock_source(&f->clock);
    host.random = gt_sim_random_source(&f->random);
    assert_int_equal(gt_sim_storage(f->disk, &host.storage, NULL), GOAT_OK);
    return host;
}

void test_db_assert_status(goat_status came_to, goat_status wanted, goat_error *error, const char *call,
                           const char *file, int line) {
    if (came_to != wanted) {
        print_error("%s\n%s instead of %s: %s (%s, %s, %s)\n", call, goat_status_name(came_to),
                    goat_status_name(wanted), goat_error_message(error), goat_error_detail(error, GOAT_DETAIL_PATH),
                    goat_error_detail(error, GOAT_DETAIL_FIELD), goat_error_detail(error, GOAT_DETAIL_RULE));
    }
    _assert_int_equal((LargestIntegralType)came_to, (LargestIntegralType)wanted, file, line);
    _assert_int_equal((LargestIntegralType)goat_error_status(error), (LargestIntegralType)wanted, file, line);
    _assert_true(wanted == GOAT_OK || goat_error_message(error)[0] != 0, "the error has words", file, line);
    goat_error_free(error);
}

static void open_all(test_db *f) {
    goat_host host = test_db_host(f);
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = &host;
    assert_ok(goat_db_open(TEXT("simulated"), &config, &f->db, NULL, &error));
    assert_ok(goat_db_add_schema(f->db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
}

int test_db_setup(void **state) {
    test_db *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    test_alloc_init(&f->memory, TEST_ALLOC_NEVER);
    gt_sim_clock_init(&f->clock);
    gt_sim_set_wall_ms(&f->clock, INT64_C(1767225600000)); /* 2026 */
    gt_sim_random_init(&f->random, 1);
    f->disk = gt_sim_disk_new(&gt_alloc_system, 1);
    assert_int_equal(goat_debug_live_handles(), 0);
    open_all(f);
    *state = f;
    return 0;
}

int test_db_teardown(void **state) {
    test_db *f = *state;
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    assert_int_equal(goat_debug_live_handles(), 0);
    test_alloc_assert_empty(&f->memory);
    gt_sim_disk_free(f->disk);
    free(f);
    return 0;
}

void test_db_reopen(test_db *f) {
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    open_all(f);
}

goat_item *test_db_create(test_db *f, const char *path, const char *title) {
    goat_item *item = NULL;
    assert_ok(goat_item_create(f->db, NULL, path, strlen(path), TEXT("task"), NULL, 0, &item, &error));
    assert_ok(goat_item_set_text(item, TEXT("title"), title, strlen(title), &error));
    return item;
}

goat_item *test_db_item(goat_db *db, const char *path) {
    goat_item *item = NULL;
    assert_ok(goat_item_open(db, NULL, path, strlen(path), &item, &error));
    return item;
}

void test_db_assert_item(goat_item *item, const char *json) {
    goat_buf text = {0};
    assert_ok(goat_item_read_json(item, &text, NULL, &error));
    assert_string_equal(text.data, json);
    goat_buf_free(&text);
}

void test_db_assert_field(goat_item *item, const char *field, const char *json) {
    goat_buf text = {0};
    if (json == NULL) {
        assert_fails(GOAT_NOT_FOUND, goat_item_get_json(item, field, strlen(field), &text, &error));
    } else {
        assert_ok(goat_item_get_json(item, field, strlen(field), &text, &error));
        assert_string_equal(text.data, json);
    }
    goat_buf_free(&text);
}

void test_db_flush(test_db *f) { assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error)); }

uint32_t test_db_flags(goat_item *item) {
    uint32_t flags = 0;
    assert_ok(goat_item_state(item, &flags, &error));
    return flags;
}

void test_db_set(goat_item *item, const char *field, const char *json) {
    assert_ok(goat_item_set_json(item, field, strlen(field), json, strlen(json), &error));
}

static void read_place(goat_item *item, goat_buf *stamp) {
    if (item != NULL) assert_ok(goat_item_get_text(item, TEXT("place"), stamp, &error));
}

void test_db_place(goat_db *db, goat_item *item, goat_item *before, goat_item *after) {
    goat_buf low = {0}, high = {0}, stamps = {0};
    read_place(before, &low);
    read_place(after, &high);
    assert_ok(goat_orderstamp_between(db, (const char *)low.data, low.size, (const char *)high.data, high.size, 1,
                                      &stamps, &error));
    assert_ok(goat_item_set(item, TEXT("place"), stamps.data + 1, stamps.size - 1, &error)); /* of an array of one */
    goat_buf_free(&low);
    goat_buf_free(&high);
    goat_buf_free(&stamps);
}

const char *test_db_json(goat_buf *value) {
    goat_buf json = {0};
    assert_ok(goat_value_to_json(value->data, value->size, &json, &error));
    goat_buf_free(value);
    *value = json;
    return (const char *)value->data;
}

goat_buf test_db_value(const char *json) {
    goat_buf value = {0};
    assert_ok(goat_value_from_json(json, strlen(json), &value, &error));
    return value;
}
