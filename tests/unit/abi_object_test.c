/* abi/: fields in objects, by their path. */
#include "support/test.h"

#include "base/buf.h"
#include "support/test_db.h"
#include "value/value.h"

#include <string.h>

static const char person[] =
    "{\"ns\": \"person\", \"version\": 1, \"fields\": {\"name\": {\"type\": \"string\"},"
    "\"address\": {\"type\": \"object\", \"fields\": {"
    "\"city\": {\"type\": \"string\", \"required\": true, \"max_length\": 10}, \"house\": {\"type\": \"number\"},"
    "\"since\": {\"type\": \"date\"}, \"owned\": {\"type\": \"boolean\", \"default\": false}, \"key\": {\"type\": "
    "\"bytes\"},"
    "\"note\": {\"type\": \"text\"}, \"visits\": {\"type\": \"counter\"}, \"tags\": {\"type\": \"set\"},"
    "\"names\": {\"type\": \"map\"}, \"steps\": {\"type\": \"list\"},"
    "\"geo\": {\"type\": \"object\", \"fields\": {\"lat\": {\"type\": \"number\"}}}}}}}";

static int setup(void **state) {
    if (test_db_setup(state) != 0) return -1;
    test_db *f = *state;
    assert_ok(goat_db_add_schema(f->db, TEXT(person), &error));
    return 0;
}

static goat_item *create(test_db *f, const char *path) {
    goat_item *item = NULL;
    assert_ok(goat_item_create(f->db, NULL, path, strlen(path), TEXT("person"), NULL, 0, &item, &error));
    return item;
}

static void flush(test_db *f) { assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error)); }

static void fields_in_objects_are_read_and_edited_by_their_path(void **state) {
    test_db *f = *state;
    goat_item *item = create(f, "/data/tasks/1");
    goat_buf buf = {0};
    for (int round = 0; round < 2; round++) { /* on nothing, then on what was captured */
        bool flag = true;
        double number = 0;
        int32_t high;
        uint32_t low;
        assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Bonn"), &error));
        assert_ok(goat_item_set_number(item, TEXT("address.house"), 7.5, &error));
        assert_ok(goat_item_set_json(item, TEXT("address.since"), TEXT("\"2026-01-01T00:00:00Z\""), &error));
        assert_ok(goat_item_set_bytes(item, TEXT("address.key"), (const uint8_t *)"\0\1", 2, &error));
        assert_ok(goat_item_set_number(item, TEXT("address.geo.lat"), 50, &error));
        test_db_assert_field(item, "address.city", "\"Bonn\"");
        assert_ok(goat_item_get_number(item, TEXT("address.house"), &number, &error));
        assert_true(number == 7.5);
        test_db_assert_field(item, "address.since", "\"2026-01-01T00:00:00Z\"");
        assert_ok(goat_item_get_bool(item, TEXT("address.owned"), &flag, &error));
        assert_false(flag); /* by default */
        assert_ok(goat_item_get_bytes(item, TEXT("address.key"), &buf, &error));
        assert_int_equal(buf.size, 2);
        assert_ok(goat_item_get_int(item, TEXT("address.geo.lat"), &high, &low, &error));
        assert_int_equal(low, 50);
        test_db_assert_field(item, "address.geo", "{\"lat\":50}");
        test_db_assert_field(item, "address",
                             "{\"geo\":{\"lat\":50},\"key\":\"AAE=\",\"city\":\"Bonn\",\"house\":7.5,"
                             "\"owned\":false,\"since\":\"2026-01-01T00:00:00Z\"}");
        assert_ok(goat_item_get(item, TEXT("address"), &buf, &error));
        assert_non_null(strstr(test_db_json(&buf), "\"owned\":false"));
        flush(f);
    }
    assert_ok(goat_item_unset(item, TEXT("address.geo.lat"), &error));
    test_db_assert_field(item, "address.geo.lat", NULL);
    test_db_assert_field(item, "address.geo", "{}");
    assert_ok(goat_item_unset(item, TEXT("address.geo"), &error));
    test_db_assert_field(item, "address.geo", NULL);
    flush(f);
    test_db_assert_field(item, "address.geo.lat", NULL);
    assert_ok(goat_item_unset(item, TEXT("address"), &error));
    test_db_assert_field(item, "address.owned", NULL); /* defaults are of an object that is there */
    test_db_assert_item(item, "{}");
    goat_buf_free(&buf);
    goat_item_free(item);
}

static void every_operation_takes_a_path(void **state) {
    test_db *f = *state;
    goat_item *item = create(f, "/data/tasks/1");
    for (int round = 0; round < 2; round++) {
        assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Bonn"), &error));
        assert_ok(goat_item_increment(item, TEXT("address.visits"), 0, 2, &error));
        assert_ok(goat_item_add(item, TEXT("address.tags"), (const uint8_t *)"\x01", 1, &error));
        assert_ok(goat_item_add(item, TEXT("address.tags"), (const uint8_t *)"\x02", 1, &error));
        assert_ok(goat_item_remove(item, TEXT("address.tags"), (const uint8_t *)"\x01", 1, &error));
        assert_ok(goat_item_put(item, TEXT("address.names"), TEXT("de"), (const uint8_t *)"\x61x", 2, &error));
        assert_ok(goat_item_put(item, TEXT("address.names"), TEXT("en"), (const uint8_t *)"\x61y", 2, &error));
        assert_ok(goat_item_put(item, TEXT("address.names"), TEXT("de"), NULL, 0, &error));
        assert_ok(goat_item_splice(item, TEXT("address.note"), GOAT_UNIT_UTF16, 0, 0, TEXT("goat"), &error));
        assert_ok(goat_item_splice(item, TEXT("address.note"), GOAT_UNIT_UTF16, 1, 1, TEXT("O"), &error));
        assert_ok(goat_item_list_insert(item, TEXT("address.steps"), 0, (const uint8_t *)"\x82\x01\x02", 3, &error));
        assert_ok(goat_item_list_move(item, TEXT("address.steps"), 0, 1, &error));
        assert_ok(goat_item_list_set(item, TEXT("address.steps"), 0, (const uint8_t *)"\x09", 1, &error));
        test_db_assert_field(item, "address",
                             round == 0
                                 ? "{\"city\":\"Bonn\",\"note\":\"gOat\",\"tags\":[2],\"names\":{\"en\":\"y\"},"
                                   "\"owned\":false,\"steps\":[9,1],\"visits\":2}"
                                 : "{\"city\":\"Bonn\",\"note\":\"gOatgOat\",\"tags\":[2],\"names\":{\"en\":\"y\"},"
                                   "\"owned\":false,\"steps\":[9,1,9,1],\"visits\":4}");
        flush(f);
        assert_ok(goat_item_list_remove(item, TEXT("address.steps"), 0, 1, &error));
        test_db_assert_field(item, "address.steps", round == 0 ? "[1]" : "[1,9,1]");
        assert_ok(goat_item_list_insert(item, TEXT("address.steps"), 0, (const uint8_t *)"\x81\x09", 2, &error));
    }
    goat_item_free(item);
}

/* Fails and says which field by which rule. */
static void refused(goat_item *item, const char *field, const char *json, goat_status status, const char *where,
                    const char *rule) {
    goat_error *error = NULL;
    assert_int_equal(goat_item_set_json(item, field, strlen(field), json, strlen(json), &error), status);
    assert_string_equal(goat_error_detail(error, GOAT_DETAIL_FIELD), where);
    assert_string_equal(goat_error_detail(error, GOAT_DETAIL_RULE), rule);
    goat_error_free(error);
}

static void errors_name_the_path(void **state) {
    test_db *f = *state;
    goat_item *item = create(f, "/data/tasks/1");
    refused(item, "address.city", "\"Llanfairpwll\"", GOAT_INVALID, "address.city", "max_length");
    refused(item, "address.city", "7", GOAT_WRONG_TYPE, "address.city", "type");
    refused(item, "address.zip", "7", GOAT_INVALID, "address.zip", "unknown_field");
    refused(item, "address.", "7", GOAT_INVALID, "address.", "unknown_field");
    refused(item, "city", "7", GOAT_INVALID, "city", "unknown_field");
    refused(item, "name.x", "7", GOAT_INVALID, "name.x", "unknown_field");
    refused(item, "address", "{\"zip\": 1}", GOAT_INVALID, "address.zip", "unknown_field");
    refused(item, "address", "{}", GOAT_INVALID, "address.city", "required");
    refused(item, "address", "{\"city\": \"Llanfairpwll\"}", GOAT_INVALID, "address.city", "max_length");
    refused(item, "address", "7", GOAT_WRONG_TYPE, "address", "type");
    refused(item, "address.since", "\"soon\"", GOAT_INVALID, "address.since", "");
    assert_fails(GOAT_WRONG_TYPE, goat_item_add(item, TEXT("address"), (const uint8_t *)"\x01", 1, &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_increment(item, TEXT("address.city"), 0, 1, &error));
    test_db_assert_item(item, "{}");
    assert_ok(goat_item_set_number(item, TEXT("address.house"), 1, &error)); /* city may still come */
    assert_fails(GOAT_INVALID, goat_item_check(item, &error));
    assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Bonn"), &error));
    assert_ok(goat_item_check(item, &error));
    goat_item_free(item);
}

/* As many arrays around a null as its head says, as CBOR. */
static size_t write_deep(uint8_t *out, size_t depth) {
    memset(out, 0x81, depth);
    out[depth] = 0xf6;
    return depth + 1;
}

static void the_depth_of_an_item_counts_the_objects(void **state) {
    test_db *f = *state;
    goat_item *item = create(f, "/data/tasks/1");
    uint8_t value[80];
    assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Bonn"), &error));
    size_t most = GOAT_VALUE_DEPTH_MAX - 2; /* the state and the object are around it */
    assert_fails(GOAT_TOO_LARGE,
                 goat_item_set(item, TEXT("address.steps"), value, write_deep(value, most + 1), &error));
    assert_ok(goat_item_set(item, TEXT("address.steps"), value, write_deep(value, most), &error));
    flush(f);
    assert_ok(goat_item_list_set(item, TEXT("address.steps"), 0, value, write_deep(value, most - 1), &error));
    assert_fails(GOAT_TOO_LARGE,
                 goat_item_list_set(item, TEXT("address.steps"), 0, value, write_deep(value, most), &error));
    assert_ok(goat_item_list_set(item, TEXT("address.steps"), 0, (const uint8_t *)"\x01", 1, &error));
    assert_ok(goat_item_list_set(item, TEXT("address.steps"), 0, value, write_deep(value, most - 1), &error));
    flush(f);
    goat_item_free(item);
    test_db_reopen(f);
    assert_ok(goat_db_add_schema(f->db, TEXT(person), &error));
    item = test_db_item(f->db, "/data/tasks/1");
    test_db_assert_field(item, "address.city", "\"Bonn\"");
    goat_item_free(item);
}

static void a_new_item_takes_names_and_no_paths(void **state) {
    test_db *f = *state;
    goat_item *item = NULL;
    goat_buf fields = test_db_value("{\"address.city\": \"Bonn\"}");
    assert_fails(GOAT_INVALID, goat_item_create(f->db, NULL, TEXT("/data/tasks/1"), TEXT("person"), fields.data,
                                                fields.size, &item, &error));
    goat_buf_free(&fields);
    fields = test_db_value("{\"address\": {\"city\": \"Bonn\"}}");
    assert_ok(
        goat_item_create(f->db, NULL, TEXT("/data/tasks/1"), TEXT("person"), fields.data, fields.size, &item, &error));
    test_db_assert_item(item, "{\"address\":{\"city\":\"Bonn\",\"owned\":false}}");
    goat_buf_free(&fields);
    goat_item_free(item);
}

static void assert_rows(test_db *f, const char *spec, const char *json) {
    goat_buf rows = {0};
    goat_query *query = NULL;
    assert_ok(goat_query_open(f->repo, NULL, spec, strlen(spec), &query, NULL, &error));
    assert_ok(goat_query_rows_json(query, 0, UINT32_MAX, &rows, &error));
    assert_string_equal(rows.data, json);
    goat_buf_free(&rows);
    goat_query_free(query);
}

static void queries_see_into_objects_defaults_included(void **state) {
    test_db *f = *state;
    static const char edits[] =
        "[{\"key\": \"a\", \"schema\": \"person\", \"set\": {\"address\": {\"city\": \"Bonn\", \"owned\": true}}},"
        "{\"key\": \"b\", \"schema\": \"person\", \"set\": {\"address\": {\"city\": \"Ulm\", \"since\": "
        "\"2026-01-01T00:00:00Z\"}}},"
        "{\"key\": \"c\", \"schema\": \"person\", \"set\": {\"name\": \"C\"}}]";
    assert_ok(goat_repo_apply_json(f->repo, TEXT(edits), 0, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_rows(f, "{\"where\": {\"address.city\": \"Bonn\"}, \"fields\": [\"name\"]}", "{\"key\":\"a\"}\n");
    assert_rows(f, "{\"where\": {\"address.owned\": false}, \"fields\": [\"name\"]}", "{\"key\":\"b\"}\n");
    assert_rows(f, "{\"where\": {\"address.owned\": {\"$exists\": false}}, \"fields\": [\"name\"]}",
                "{\"key\":\"c\",\"name\":\"C\"}\n");
    assert_rows(
        f, "{\"where\": {\"address\": {\"$exists\": true}}, \"sort\": [\"-address.city\"], \"fields\": [\"address\"]}",
        "{\"key\":\"b\",\"address\":{\"city\":\"Ulm\",\"owned\":false,\"since\":\"2026-01-01T00:00:00Z\"}}\n"
        "{\"key\":\"a\",\"address\":{\"city\":\"Bonn\",\"owned\":true}}\n");
}

/* Of the first field that is told of. */
static void assert_explained(goat_item *item, const char *path, const char *type, const char *effects) {
    goat_buf told = {0};
    gt_bytes text, field = {0}, commit;
    gt_buf all;
    gt_buf_init(&all, &gt_alloc_system);
    assert_ok(goat_item_explain(item, path, strlen(path), NULL, 0, 10, &told, &error));
    gt_iter fields = gt_array_iter(gt_map_find(gt_bytes_of(told.data, told.size), gt_bytes_text("fields")));
    assert_true(gt_array_next(&fields, &field) && fields.left == 0);
    assert_true(gt_value_as_text(gt_map_find(field, gt_bytes_text("name")), &text));
    assert_true(gt_bytes_equal(text, gt_bytes_text(path)));
    assert_true(gt_value_as_text(gt_map_find(field, gt_bytes_text("type")), &text));
    assert_true(gt_bytes_equal(text, gt_bytes_text(type)));
    gt_iter commits = gt_array_iter(gt_map_find(field, gt_bytes_text("commits")));
    while (gt_array_next(&commits, &commit)) {
        assert_true(gt_value_as_text(gt_map_find(commit, gt_bytes_text("effect")), &text));
        gt_buf_append(&all, text.data, text.len);
        gt_buf_append_byte(&all, ' ');
    }
    assert_true(gt_bytes_equal(gt_buf_bytes(&all), gt_bytes_text(effects)));
    gt_buf_free(&all);
    goat_buf_free(&told);
}

static void a_field_in_an_object_is_explained_by_itself(void **state) {
    test_db *f = *state;
    goat_item *item = create(f, "/data/tasks/1");
    goat_buf told = {0};
    assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Bonn"), &error));
    flush(f);
    assert_ok(goat_item_set_number(item, TEXT("address.geo.lat"), 50, &error));
    flush(f);
    assert_ok(goat_item_set_text(item, TEXT("address.city"), TEXT("Ulm"), &error));
    flush(f);
    assert_explained(item, "address.city", "string", "kept overridden ");
    assert_explained(item, "address.geo.lat", "number", "kept ");
    assert_ok(goat_item_unset(item, TEXT("address"), &error));
    flush(f);
    assert_explained(item, "address.geo.lat", "number", "kept overridden ");
    assert_fails(GOAT_INVALID, goat_item_explain(item, TEXT("address.wings"), NULL, 0, 1, &told, &error));
    goat_buf_free(&told);
    goat_item_free(item);
}

#define with_person(test) cmocka_unit_test_setup_teardown(test, setup, test_db_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_person(fields_in_objects_are_read_and_edited_by_their_path),
        with_person(every_operation_takes_a_path),
        with_person(errors_name_the_path),
        with_person(the_depth_of_an_item_counts_the_objects),
        with_person(a_new_item_takes_names_and_no_paths),
        with_person(a_field_in_an_object_is_explained_by_itself),
        with_person(queries_see_into_objects_defaults_included),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
