/* core/schema: objects, which have fields of their own. */
#include "support/test.h"

#include "schema/schema.h"
#include "schema/schema_json.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    gt_schema *schema;
    gt_diag diag;
} fixture;

#define PERSON                                                                                                         \
    "{\"ns\": \"person\", \"version\": 2, \"fields\": {\"name\": {\"type\": \"string\"},"                              \
    "\"address\": {\"type\": \"object\", \"fields\": {"                                                                \
    "\"city\": {\"type\": \"string\", \"required\": true, \"max_length\": 10},"                                        \
    "\"code\": {\"type\": \"string\", \"pattern\": \"^[0-9]+$\"}, \"since\": {\"type\": \"date\"},"                    \
    "\"kind\": {\"type\": \"string\", \"enum\": [\"home\", \"work\"], \"default\": \"home\"},"                         \
    "\"geo\": {\"type\": \"object\", \"default\": {}, \"fields\": {"                                                   \
    "\"lat\": {\"type\": \"number\", \"min\": -90}, \"precise\": {\"type\": \"boolean\", \"default\": false}}}}},"     \
    "\"seen\": {\"type\": \"object\", \"required\": true, \"fields\": {}}}}"

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) f->schema = test_schema(PERSON);
    return f == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_schema_free(f->schema);
    free(f);
    return 0;
}

static void assert_diag(const fixture *f, const char *field, const char *rule, const char *message) {
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    assert_string_equal(f->diag.rule, rule);
}

/* ---- definitions ---- */

static void refused(fixture *f, goat_status status, const char *fields, const char *field, const char *rule,
                    const char *message) {
    gt_schema *schema = NULL;
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {%s}}", fields);
    gt_diag_init(&f->diag);
    assert_int_equal(test_schema_parse(&gt_alloc_system, (const char *)json.data, &schema, &f->diag), status);
    assert_null(schema);
    assert_diag(f, field, rule, message);
    gt_buf_free(&json);
}

static void an_object_has_fields_by_the_rules_for_fields(void **state) {
    fixture *f = *state;
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\"}", "o", "fields", "\"o\": \"fields\" is missing");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": []}", "o", "fields",
            "\"fields\" must be a map of names to rules");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {\"\": {\"type\": \"set\"}}}", "o.", "fields",
            "the name of a field must have 1 to 128 bytes");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {\"a\": {\"type\": \"set\", \"min\": 1}}}",
            "o.a", "min", "\"o.a\": \"min\" is not a rule for fields of type set");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {\"a\": {\"type\": \"object\"}}}", "o.a",
            "fields", "\"o.a\": \"fields\" is missing");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"map\", \"fields\": {}}", "o", "fields",
            "\"o\": \"fields\" is not a rule for fields of type map");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {}, \"max_length\": 1}", "o", "max_length",
            "\"o\": \"max_length\" is not a rule for fields of type object");
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {}, \"default\": {\"a\": 1}}", "o", "default",
            "\"o\": \"default\" of an object can only be the empty one, at which edits begin");
    refused(
        f, GOAT_INVALID,
        "\"o\": {\"type\": \"object\", \"default\": {}, \"fields\": {\"a\": {\"type\": \"set\", \"required\": true}}}",
        "o", "default", "\"o\": \"default\": \"o.a\" is required");
}

static void where_there_are_objects_no_name_has_a_dot(void **state) {
    fixture *f = *state;
    const char *words = "where there are objects, the name of a field has no dot";
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {}}, \"a.b\": {\"type\": \"set\"}", "a.b",
            "fields", words);
    refused(f, GOAT_INVALID, "\"o\": {\"type\": \"object\", \"fields\": {\"a.b\": {\"type\": \"set\"}}}", "o.a.b",
            "fields", words);
    gt_schema *schema = test_schema(
        "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"a.b\": {\"type\": \"set\"}, \"a\": {\"type\": \"map\"}}}");
    const gt_field *path[GT_PATH_FIELDS_MAX];
    assert_int_equal(gt_schema_path(schema, gt_bytes_text("a.b"), path), 1);
    assert_int_equal(path[0]->type, GT_TYPE_SET);
    assert_int_equal(gt_schema_path(schema, gt_bytes_text("a.c"), path), 0);
    gt_schema_free(schema);
}

static void write_nested(gt_buf *json, int depth) {
    test_text(json, "\"o\": {\"type\": \"object\", \"fields\": {");
    if (depth > 1) write_nested(json, depth - 1);
    test_text(json, "}}");
}

static void objects_go_so_deep_and_no_deeper(void **state) {
    fixture *f = *state;
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {");
    write_nested(&json, GOAT_OBJECT_DEPTH_MAX);
    test_text(&json, "}}");
    gt_schema *schema = test_schema((const char *)json.data);
    const gt_field *path[GT_PATH_FIELDS_MAX];
    assert_int_equal(gt_schema_path(schema, gt_bytes_text("o.o.o.o.o.o.o.o"), path), GOAT_OBJECT_DEPTH_MAX);
    assert_int_equal(gt_schema_path(schema, gt_bytes_text("o.o.o.o.o.o.o.o.o"), path), 0);
    assert_int_equal(gt_schema_path(schema, gt_bytes_text("o.o.o.o.o.o.o.o.o.o.o.o.o.o"), path), 0);
    gt_schema_free(schema);
    gt_buf_free(&json);
    gt_buf_init(&json, &gt_alloc_system);
    write_nested(&json, GOAT_OBJECT_DEPTH_MAX + 1);
    refused(f, GOAT_TOO_LARGE, (const char *)json.data, "o.o.o.o.o.o.o.o.o", "fields",
            "\"o.o.o.o.o.o.o.o.o\": more than 8 objects inside each other");
    gt_buf_free(&json);
}

static void a_path_leads_through_objects(void **state) {
    fixture *f = *state;
    const gt_field *path[GT_PATH_FIELDS_MAX];
    assert_int_equal(gt_schema_path(f->schema, gt_bytes_text("address.geo.lat"), path), 3);
    assert_int_equal(path[0]->type, GT_TYPE_OBJECT);
    assert_int_equal(path[1]->type, GT_TYPE_OBJECT);
    assert_int_equal(path[2]->type, GT_TYPE_NUMBER);
    assert_memory_equal(path[2]->path.data, "address.geo.lat", 15);
    static const char *const wrong[] = {"",         ".",         "address.", ".address",         "address..geo",
                                        "name.x",   "address.x", "city",     "address.geo.lat.", "address.city.x",
                                        "seen.city"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(gt_schema_path(f->schema, gt_bytes_text(wrong[i]), path), 0);
    }
}

static void a_definition_that_fails_at_any_allocation_leaves_nothing(void **state) {
    fixture *f = *state;
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        gt_schema *schema = NULL;
        test_alloc_init(&memory, allowed);
        goat_status status = test_schema_parse(&memory.alloc, PERSON, &schema, &f->diag);
        gt_schema_free(schema);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) break;
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
}

/* ---- states ---- */

static void check(fixture *f, goat_status status, const char *notation) {
    gt_bytes state = test_value(notation);
    gt_diag_init(&f->diag);
    assert_int_equal(gt_schema_check_state(f->schema, state, &f->diag), status);
    test_value_free(state);
}

static void invalid(fixture *f, const char *address, const char *field, const char *rule, const char *message) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    test_text(&state, "{seen: {}, address: %s}", address);
    check(f, GOAT_INVALID, (const char *)state.data);
    assert_diag(f, field, rule, message);
    gt_buf_free(&state);
}

static void what_is_wrong_in_an_object_is_said_with_its_path(void **state) {
    fixture *f = *state;
    check(f, GOAT_OK, "{seen: {}}");
    check(f, GOAT_OK, "{seen: {}, address: {city: 'Bonn', code: '53111', geo: {lat: 50.7}}}");
    invalid(f, "{}", "address.city", "required", "\"address.city\" is required");
    invalid(f, "{city: 'Llanfairpwll'}", "address.city", "max_length",
            "\"address.city\" must have at most 10 characters");
    invalid(f, "{city: 'Bonn', code: 'x'}", "address.code", "pattern", "\"address.code\" does not match its pattern");
    invalid(f, "{city: 'Bonn', kind: 'x'}", "address.kind", "enum",
            "\"address.kind\" must be one of \"home\", \"work\"");
    invalid(f, "{city: 7}", "address.city", "type", "\"address.city\" is of type string and cannot be an integer");
    invalid(f, "{city: 'Bonn', zip: 1}", "address.zip", "unknown_field",
            "person version 2 has no field \"address.zip\"");
    invalid(f, "{city: 'Bonn', geo: {lat: -91}}", "address.geo.lat", "min", "\"address.geo.lat\" must be at least -90");
    invalid(f, "{city: 'Bonn', geo: {long: 7}}", "address.geo.long", "unknown_field",
            "person version 2 has no field \"address.geo.long\"");
    invalid(f, "7", "address", "type", "\"address\" is of type object and cannot be an integer");
    check(f, GOAT_INVALID, "{}");
    assert_diag(f, "seen", "required", "\"seen\" is required");
}

static void read_as(fixture *f, const char *stored, const char *expected) {
    gt_bytes state = test_value(stored);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_schema_read(f->schema, state, &out);
    assert_value(gt_buf_bytes(&out), expected);
    assert_int_equal(gt_schema_is_whole(f->schema, state), strcmp(stored, expected) == 0);
    gt_buf_free(&out);
    test_value_free(state);
}

static void defaults_are_those_of_an_object_that_is_there(void **state) {
    fixture *f = *state;
    read_as(f, "{}", "{}");
    read_as(f, "{address: {}}", "{address: {kind: 'home', geo: {precise: false}}}");
    read_as(f, "{address: {geo: {lat: 5}, kind: 'work', city: 'Bonn'}}",
            "{address: {kind: 'work', geo: {lat: 5, precise: false}, city: 'Bonn'}}");
    read_as(f, "{seen: {}, address: {kind: 'home', geo: {precise: true}}}",
            "{seen: {}, address: {kind: 'home', geo: {precise: true}}}");
    read_as(f, "{address: {other: 1}}",
            "{address: {kind: 'home', geo: {precise: false}, other: 1}}"); /* another version's */
    read_as(f, "{address: 7}", "{address: 7}");
}

/* ---- JSON ---- */

static void json_is_plain_inside_of_objects_too(void **state) {
    fixture *f = *state;
    const char *json = "{\"seen\":{},\"address\":{\"geo\":{\"lat\":5},\"since\":\"2026-01-31T12:00:00Z\"}}";
    gt_buf fields, text;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    assert_int_equal(gt_schema_from_json_text(f->schema, gt_bytes_text(json), &fields, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&fields), "{seen: {}, address: {geo: {lat: 5}, since: date(1769860800000)}}");
    assert_int_equal(gt_schema_to_json_text(f->schema, gt_buf_bytes(&fields), &text, &f->diag), GOAT_OK);
    assert_int_equal(text.len, strlen(json));
    assert_memory_equal(text.data, json, text.len);

    const gt_field *address = gt_schema_field(f->schema, gt_bytes_text("address"));
    gt_buf_clear(&fields);
    gt_buf_clear(&text);
    assert_int_equal(
        gt_field_from_json_text(address, gt_bytes_text(" {\"since\":\"1970-01-01T00:00:01Z\"}"), &fields, &f->diag),
        GOAT_OK);
    assert_value(gt_buf_bytes(&fields), "{since: date(1000)}");
    assert_int_equal(gt_field_to_json_text(address, gt_buf_bytes(&fields), &text, &f->diag), GOAT_OK);
    assert_memory_equal(text.data, "{\"since\":\"1970-01-01T00:00:01Z\"}", text.len);
    gt_buf_free(&fields);
    gt_buf_free(&text);
}

/* A map of one key that begins with a dollar is a wrapped form elsewhere. */
static void names_in_an_object_are_never_taken_for_wrapped_forms(void **state) {
    (void)state;
    gt_schema *schema = test_schema("{\"ns\": \"n\", \"version\": 1, \"fields\": {\"o\": {\"type\": \"object\","
                                    "\"fields\": {\"$date\": {\"type\": \"string\"}, \"a\": {\"type\": \"set\"}}}}}");
    const char *json = "{\"o\":{\"$date\":\"never\"}}";
    gt_buf fields, text;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    assert_int_equal(gt_schema_from_json_text(schema, gt_bytes_text(json), &fields, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&fields), "{o: {'$date': 'never'}}");
    assert_int_equal(gt_schema_to_json_text(schema, gt_buf_bytes(&fields), &text, NULL), GOAT_OK);
    assert_int_equal(text.len, strlen(json));
    assert_memory_equal(text.data, json, text.len);
    gt_buf_free(&fields);
    gt_buf_free(&text);
    gt_schema_free(schema);
}

static void what_is_wrong_in_json_is_said_with_its_path(void **state) {
    fixture *f = *state;
    const gt_field *address = gt_schema_field(f->schema, gt_bytes_text("address"));
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_diag_init(&f->diag);
    gt_bytes json = gt_bytes_text("{\"address\": {\"city\": \"Bonn\", \"since\": \"soon\"}}");
    assert_int_equal(gt_schema_from_json_text(f->schema, json, &fields, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.field, "address.since");
    assert_int_equal(f->diag.position, 38);
    gt_diag_init(&f->diag);
    json = gt_bytes_text("{\"since\": \"soon\"}");
    assert_int_equal(gt_field_from_json_text(address, json, &fields, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.field, "address.since");
    gt_diag_init(&f->diag);
    json = gt_bytes_text("{\"since\": ");
    assert_int_equal(gt_field_from_json_text(address, json, &fields, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.field, "address");
    assert_int_equal(fields.len, 0);
    gt_buf_free(&fields);
}

#define with_schema(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_schema(an_object_has_fields_by_the_rules_for_fields),
        with_schema(where_there_are_objects_no_name_has_a_dot),
        with_schema(objects_go_so_deep_and_no_deeper),
        with_schema(a_path_leads_through_objects),
        with_schema(a_definition_that_fails_at_any_allocation_leaves_nothing),
        with_schema(what_is_wrong_in_an_object_is_said_with_its_path),
        with_schema(defaults_are_those_of_an_object_that_is_there),
        with_schema(json_is_plain_inside_of_objects_too),
        with_schema(names_in_an_object_are_never_taken_for_wrapped_forms),
        with_schema(what_is_wrong_in_json_is_said_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
