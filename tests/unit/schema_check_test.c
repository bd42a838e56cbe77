/* core/schema: validation, states as a reader sees them, and plain JSON. */
#include "support/test.h"

#include "schema/schema.h"
#include "schema/schema_json.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    gt_diag diag;
} fixture;

static int set_up(void **state) {
    *state = calloc(1, sizeof(fixture));
    return *state == NULL;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static const char *const task =
    "{\"ns\": \"task\", \"version\": 3, \"description\": \"what is to be done\", \"fields\": {"
    "\"title\": {\"type\": \"string\", \"required\": true, \"min_length\": 1, \"max_length\": 20},"
    "\"done\": {\"type\": \"boolean\", \"default\": false},"
    "\"size\": {\"type\": \"number\", \"min\": 0, \"max\": 10.5},"
    "\"due\": {\"type\": \"date\"},"
    "\"tags\": {\"type\": \"set\", \"default\": [\"new\", \"a\", \"new\"], \"max_length\": 3},"
    "\"state\": {\"type\": \"string\", \"enum\": [\"open\", \"closed\"], \"required\": true, \"default\": \"open\"},"
    "\"owner\": {\"type\": \"ref\", \"description\": \"a person\"},"
    "\"votes\": {\"type\": \"counter\", \"default\": 0},"
    "\"notes\": {\"type\": \"map\"}, \"steps\": {\"type\": \"list\"},"
    "\"key\": {\"type\": \"bytes\", \"min_length\": 2, \"max_length\": 2},"
    "\"code\": {\"type\": \"string\", \"pattern\": \"^[a-z]+[0-9]$\"}}}";

/* A schema with the one field "f". */
static gt_schema *parse_field(const char *rules) {
    char json[1024];
    snprintf(json, sizeof json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"f\": %s}}", rules);
    return test_schema(json);
}

static void assert_diag(const fixture *f, const char *field, const char *rule, const char *message) {
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    assert_string_equal(f->diag.rule, rule);
}

static goat_status check(fixture *f, const gt_schema *schema, const char *notation) {
    gt_bytes state = test_value(notation);
    gt_diag_init(&f->diag);
    goat_status status = gt_schema_check_state(schema, state, &f->diag);
    assert_int_equal(f->diag.status, status);
    test_value_free(state);
    return status;
}

static void assert_valid(fixture *f, const gt_schema *schema, const char *notation) {
    if (check(f, schema, notation) != GOAT_OK) {
        fail_msg("%s: %s", notation, f->diag.message);
    }
}

static void assert_invalid(fixture *f, const gt_schema *schema, const char *notation, const char *field,
                           const char *rule, const char *message) {
    assert_int_equal(check(f, schema, notation), GOAT_INVALID);
    assert_diag(f, field, rule, message);
}

/* ---- validation ---- */

static void a_state_is_valid_when_all_fields_are(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    assert_valid(f, schema, "{title: 'a'}");
    assert_valid(f, schema, "{0: true, title: 'a'}");
    assert_valid(f, schema,
                 "{title: 'a', done: true, size: 10.5, due: date(5), tags: set['x'], state: 'closed', key: bytes(0102),"
                 "owner: ref('/t/r/i'), votes: -3, notes: {a: 1}, steps: [1, 2], code: 'ab1'}");
    gt_schema_free(schema);
}

static void what_is_missing_unknown_or_wrong_is_named(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    assert_invalid(f, schema, "{}", "title", "required", "\"title\" is required");
    assert_invalid(f, schema, "{votes: 1}", "title", "required", "\"title\" is required");
    assert_invalid(f, schema, "{title: 'a', colour: 'red'}", "colour", "unknown_field",
                   "task version 3 has no field \"colour\"");
    assert_invalid(f, schema, "{title: 'a', a: 1}", "a", "unknown_field", "task version 3 has no field \"a\"");
    assert_invalid(f, schema, "{title: 7}", "title", "type", "\"title\" is of type string and cannot be an integer");
    assert_invalid(f, schema, "{title: null}", "title", "type", "\"title\" is of type string and cannot be null");
    assert_invalid(f, schema, "{title: 'a', size: -1}", "size", "min", "\"size\" must be at least 0");
    assert_invalid(f, schema, "{title: 'a', size: 10.75}", "size", "max", "\"size\" must be at most 10.5");
    assert_invalid(f, schema, "{title: ''}", "title", "min_length", "\"title\" must have at least 1 character");
    assert_invalid(f, schema, "{title: '123456789012345678901'}", "title", "max_length",
                   "\"title\" must have at most 20 characters");
    assert_invalid(f, schema, "{title: 'a', state: 'x'}", "state", "enum",
                   "\"state\" must be one of \"open\", \"closed\"");
    assert_invalid(f, schema, "{title: 'a', code: 'ab'}", "code", "pattern", "\"code\" does not match its pattern");
    assert_invalid(f, schema, "{title: 'a', tags: set[1, 2, 3, 4]}", "tags", "max_length",
                   "\"tags\" must have at most 3 elements");
    assert_invalid(f, schema, "{title: 'a', key: bytes(01)}", "key", "min_length",
                   "\"key\" must have at least 2 bytes");
    gt_schema_free(schema);
}

static void lengths_of_texts_are_counted_in_code_points(void **state) {
    fixture *f = *state;
    gt_schema *schema = parse_field("{\"type\": \"string\", \"min_length\": 2, \"max_length\": 2}");
    assert_valid(f, schema, "{f: '\xf0\x9f\x90\x90\xc3\xa9'}");
    assert_invalid(f, schema, "{f: '\xf0\x9f\x90\x90'}", "f", "min_length", "\"f\" must have at least 2 characters");
    gt_schema_free(schema);
}

static void dates_have_limits_too(void **state) {
    fixture *f = *state;
    gt_schema *schema =
        parse_field("{\"type\": \"date\", \"min\": \"2020-01-01T00:00:00Z\", \"max\": \"2020-12-31T23:59:59.5Z\"}");
    assert_valid(f, schema, "{f: date(1577836800000)}");
    assert_invalid(f, schema, "{f: date(1577836799999)}", "f", "min", "\"f\" must be at least 2020-01-01T00:00:00Z");
    assert_valid(f, schema, "{f: date(1609459199500)}");
    assert_invalid(f, schema, "{f: date(1609459199501)}", "f", "max", "\"f\" must be at most 2020-12-31T23:59:59.500Z");
    gt_schema_free(schema);
}

/* A value of each type, in the order of gt_type. */
static const char *const samples[] = {"'a'",           "1.5",    "true",   "date(0)", "bytes(00)",
                                      "ref('/t/r/i')", "set[1]", "{a: 1}", "7",       "[1]"};
static const char *const type_names[] = {"string", "number", "boolean", "date",    "bytes",
                                         "ref",    "set",    "map",     "counter", "list"};

static void each_type_takes_its_own_values_only(void **state) {
    fixture *f = *state;
    for (size_t type = 0; type < 10; type++) {
        char rules[64];
        snprintf(rules, sizeof rules, "{\"type\": \"%s\"}", type_names[type]);
        gt_schema *schema = parse_field(rules);
        const gt_field *field = gt_schema_field_at(schema, 0);
        for (size_t sample = 0; sample < 10; sample++) {
            gt_bytes value = test_value(samples[sample]);
            bool fits = type == sample || (type == 1 && sample == 8); /* an integer is a number */
            gt_diag_init(&f->diag);
            assert_int_equal(gt_schema_check_value(field, value, &f->diag), fits ? GOAT_OK : GOAT_WRONG_TYPE);
            assert_string_equal(f->diag.rule, fits ? "" : "type");
            assert_int_equal(gt_schema_check_type(field, value, NULL), fits ? GOAT_OK : GOAT_WRONG_TYPE);
            test_value_free(value);
        }
        gt_schema_free(schema);
    }
}

static void an_orderstamp_is_a_text_of_its_form(void **state) {
    fixture *f = *state;
    gt_schema *schema = parse_field("{\"type\": \"orderstamp\", \"merge\": \"latest\"}");
    assert_valid(f, schema, "{f: 'n3w5e11264sgsf'}");
    assert_valid(f, schema, "{f: 'nx004000000000000'}");
    assert_invalid(f, schema, "{f: ''}", "f", "type", "\"f\" is no order stamp: it is empty");
    assert_invalid(f, schema, "{f: 'first'}", "f", "type", "\"f\" is no order stamp: it ends too early");
    assert_invalid(f, schema, "{f: 'N3w5e11264sgsf'}", "f", "type",
                   "\"f\" is no order stamp: it has another character than 0-9 and a-z");
    assert_invalid(f, schema, "{f: 7}", "f", "type", "\"f\" is of type orderstamp and cannot be an integer");
    gt_schema_free(schema);
}

static void a_pattern_too_hard_for_its_text_counts_as_broken(void **state) {
    fixture *f = *state;
    gt_schema *schema = parse_field("{\"type\": \"string\", \"pattern\": \"^(a+)+$\"}");
    assert_invalid(f, schema, "{f: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'}", "f", "pattern",
                   "\"f\" is too long or too hard to compare with its pattern");
    gt_schema_free(schema);
}

static void a_message_lists_no_more_of_an_enum_than_fits(void **state) {
    fixture *f = *state;
    gt_schema *schema = parse_field(
        "{\"type\": \"string\", \"enum\": "
        "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
        "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\", \"cccccccccccccccccccccccccccccccccccccc\","
        "\"ddddddddddddddddddddddddddddddddddddddddddddd\", \"e\"]}");
    assert_int_equal(check(f, schema, "{f: 'z'}"), GOAT_INVALID);
    assert_string_equal(f->diag.rule, "enum");
    assert_non_null(strstr(f->diag.message, "…"));
    assert_valid(f, schema, "{f: 'e'}");
    gt_schema_free(schema);
}

/* ---- reading ---- */

static void assert_read(const gt_schema *schema, const char *state_notation, const char *expected) {
    gt_bytes state = test_value(state_notation);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_schema_read(schema, state, &out);
    assert_value(gt_buf_bytes(&out), expected);
    assert_int_equal(gt_schema_is_whole(schema, state), gt_bytes_equal(state, gt_buf_bytes(&out)));
    gt_buf_free(&out);
    test_value_free(state);
}

static void a_reader_sees_defaults_and_no_tombstone(void **state) {
    (void)state;
    gt_schema *schema = test_schema(task);
    assert_read(schema, "{}", "{done: false, tags: set['a', 'new'], state: 'open', votes: 0}");
    assert_read(schema, "{0: true, title: 'x', votes: 3}",
                "{done: false, tags: set['a', 'new'], state: 'open', votes: 3, title: 'x'}");
    assert_read(schema, "{done: true, tags: set[], state: 'closed', votes: 1}",
                "{done: true, tags: set[], state: 'closed', votes: 1}");
    assert_read(schema, "{a: 1, zzzzzzzz: 2, done: true, tags: set[], state: 'closed', votes: 1}",
                "{a: 1, zzzzzzzz: 2, done: true, tags: set[], state: 'closed', votes: 1}");
    gt_schema_free(schema);
}

/* ---- plain JSON ---- */

static void documents_go_through_plain_json_unchanged(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    const char *json = "{\"due\":\"2026-01-31T12:00:00Z\",\"key\":\"AAE=\",\"code\":\"a1\",\"done\":true,\"size\":2.5,"
                       "\"tags\":[1,\"a\"],\"notes\":{\"when\":{\"$date\":\"1970-01-01T00:00:00Z\"}},"
                       "\"owner\":\"/data/people/ann\",\"steps\":[1,[2]],\"title\":\"t\",\"votes\":-1}";
    gt_buf fields, text;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    assert_int_equal(gt_schema_from_json_text(schema, gt_bytes_text(json), &fields, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&fields),
                 "{due: date(1769860800000), key: bytes(0001), code: 'a1', done: true, size: 2.5, tags: set[1, 'a'],"
                 "notes: {when: date(0)}, owner: ref('/data/people/ann'), steps: [1, [2]], title: 't', votes: -1}");
    assert_int_equal(gt_schema_check_state(schema, gt_buf_bytes(&fields), NULL), GOAT_OK);
    assert_int_equal(gt_schema_to_json_text(schema, gt_buf_bytes(&fields), &text, &f->diag), GOAT_OK);
    assert_int_equal(text.len, strlen(json));
    assert_memory_equal(text.data, json, text.len);
    gt_buf_clear(&text);
    assert_int_equal(gt_schema_members_to_json_text(schema, gt_buf_bytes(&fields), &text, &f->diag), GOAT_OK);
    assert_int_equal(text.len, strlen(json) - 2);
    assert_memory_equal(text.data, json + 1, text.len);
    gt_buf_free(&fields);
    gt_buf_free(&text);
    gt_schema_free(schema);
}

static void wrapped_forms_are_read_as_well(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    assert_int_equal(gt_schema_from_json_text(schema,
                                              gt_bytes_text("{\"due\": {\"$date\": \"1970-01-01T00:00:01Z\"},"
                                                            "\"tags\": {\"$set\": [2, 1]}, \"unknown\": [1]}"),
                                              &fields, &f->diag),
                     GOAT_OK);
    assert_value(gt_buf_bytes(&fields), "{due: date(1000), tags: set[1, 2], unknown: [1]}");
    gt_buf_free(&fields);
    gt_schema_free(schema);
}

static void one_field_goes_through_plain_json(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    const gt_field *due = gt_schema_field(schema, gt_bytes_text("due"));
    gt_buf value, text;
    gt_buf_init(&value, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    assert_int_equal(gt_field_from_json_text(due, gt_bytes_text("\"1970-01-01T00:00:01Z\""), &value, &f->diag),
                     GOAT_OK);
    assert_value(gt_buf_bytes(&value), "date(1000)");
    assert_int_equal(gt_field_to_json_text(due, gt_buf_bytes(&value), &text, &f->diag), GOAT_OK);
    assert_memory_equal(text.data, "\"1970-01-01T00:00:01Z\"", text.len);
    gt_buf_clear(&value);
    assert_int_equal(gt_field_from_json_text(due, gt_bytes_text("\"soon\""), &value, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.field, "due");
    assert_int_equal(value.len, 0);
    gt_buf_free(&value);
    gt_buf_free(&text);
    gt_schema_free(schema);
}

static void a_fault_in_a_document_names_the_field(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema(task);
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    assert_int_equal(
        gt_schema_from_json_text(schema, gt_bytes_text("{\"title\": \"a\", \"due\": \"soon\"}"), &fields, &f->diag),
        GOAT_INVALID);
    assert_string_equal(f->diag.field, "due");
    assert_int_equal(f->diag.position, 22);
    gt_buf_free(&fields);
    gt_schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_valid_when_all_fields_are),
        cmocka_unit_test(what_is_missing_unknown_or_wrong_is_named),
        cmocka_unit_test(lengths_of_texts_are_counted_in_code_points),
        cmocka_unit_test(dates_have_limits_too),
        cmocka_unit_test(each_type_takes_its_own_values_only),
        cmocka_unit_test(an_orderstamp_is_a_text_of_its_form),
        cmocka_unit_test(a_pattern_too_hard_for_its_text_counts_as_broken),
        cmocka_unit_test(a_message_lists_no_more_of_an_enum_than_fits),
        cmocka_unit_test(a_reader_sees_defaults_and_no_tombstone),
        cmocka_unit_test(documents_go_through_plain_json_unchanged),
        cmocka_unit_test(wrapped_forms_are_read_as_well),
        cmocka_unit_test(one_field_goes_through_plain_json),
        cmocka_unit_test(a_fault_in_a_document_names_the_field),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
