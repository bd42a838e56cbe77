/* core/schema: definitions, and the registry of them. What they do to values is in schema_check_test.c. */
#include "support/test.h"

#include "crypto/crypto.h"
#include "schema/schema.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"

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

static void assert_diag(const fixture *f, const char *field, const char *rule, const char *message) {
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    assert_string_equal(f->diag.rule, rule);
}

static void assert_refused(fixture *f, const char *json, const char *field, const char *rule, const char *message) {
    gt_schema *schema = NULL;
    assert_int_equal(test_schema_parse(&gt_alloc_system, json, &schema, &f->diag), GOAT_INVALID);
    assert_null(schema);
    assert_int_equal(f->diag.status, GOAT_INVALID);
    assert_diag(f, field, rule, message);
}

static void assert_rules_refused(fixture *f, const char *rules, const char *rule, const char *message) {
    char json[1024];
    snprintf(json, sizeof json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"f\": %s}}", rules);
    assert_refused(f, json, "f", rule, message);
}

/* ---- definitions ---- */

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
    "\"notes\": {\"type\": \"map\"}, \"steps\": {\"type\": \"list\", \"default\": []},"
    "\"key\": {\"type\": \"bytes\", \"min_length\": 2, \"max_length\": 2},"
    "\"code\": {\"type\": \"string\", \"pattern\": \"^[a-z]+[0-9]$\"}}}";

static void a_definition_is_parsed(void **state) {
    (void)state;
    gt_schema *schema = test_schema(task);
    assert_memory_equal(gt_schema_ns(schema).data, "task", 4);
    assert_int_equal(gt_schema_version(schema), 3);
    assert_int_equal(gt_schema_field_count(schema), 12);
    const gt_field *title = gt_schema_field(schema, gt_bytes_text("title"));
    assert_int_equal(title->type, GT_TYPE_STRING);
    assert_true(title->required);
    assert_int_equal(title->min_length, 1);
    assert_int_equal(title->max_length, 20);
    assert_null(title->default_value.data);
    assert_value(gt_schema_field(schema, gt_bytes_text("size"))->max, "10.5");
    assert_value(gt_schema_field(schema, gt_bytes_text("state"))->enum_values, "['open', 'closed']");
    assert_non_null(gt_schema_field(schema, gt_bytes_text("code"))->pattern);
    assert_null(gt_schema_field(schema, gt_bytes_text("other")));
    assert_null(gt_schema_field(schema, gt_bytes_text("")));
    gt_schema_free(schema);
}

static void fields_stand_in_the_order_of_states(void **state) {
    (void)state;
    gt_schema *schema = test_schema(task);
    for (size_t i = 1; i < gt_schema_field_count(schema); i++) {
        assert_true(gt_key_compare(gt_schema_field_at(schema, i - 1)->name, gt_schema_field_at(schema, i)->name) < 0);
    }
    gt_schema_free(schema);
}

static void the_hash_begins_the_sha_256_of_the_definition(void **state) {
    (void)state;
    gt_schema *schema = test_schema(task);
    uint8_t hash[GT_HASH_SIZE];
    gt_hasher *hasher = NULL;
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &hasher, NULL), GOAT_OK);
    gt_bytes definition = gt_schema_definition(schema);
    gt_hash(hasher, definition.data, definition.len, hash);
    assert_memory_equal(gt_schema_hash(schema), hash, 8);
    gt_hasher_free(hasher);
    gt_schema_free(schema);
}

static void values_of_a_definition_may_have_the_plain_form(void **state) {
    (void)state;
    gt_schema *schema = test_schema(
        "{\"ns\": \"n\", \"version\": 1, \"fields\": {"
        "\"a\": {\"type\": \"date\", \"default\": \"2026-01-31T12:00:00Z\", \"min\": {\"$date\": "
        "\"2000-01-01T00:00:00Z\"}},"
        "\"b\": {\"type\": \"bytes\", \"default\": \"AAEC\"}, \"c\": {\"type\": \"bytes\", \"default\": \"\"},"
        "\"d\": {\"type\": \"ref\", \"enum\": [\"/data/people/ann\", {\"$ref\": \"/data/people/bob\"}]},"
        "\"e\": {\"type\": \"set\", \"default\": [3, 1, 3]}, \"g\": {\"type\": \"set\", \"default\": {\"$set\": "
        "[2]}}}}");
    assert_value(gt_schema_field(schema, gt_bytes_text("a"))->default_value, "date(1769860800000)");
    assert_value(gt_schema_field(schema, gt_bytes_text("a"))->min, "date(946684800000)");
    assert_value(gt_schema_field(schema, gt_bytes_text("b"))->default_value, "bytes(000102)");
    assert_value(gt_schema_field(schema, gt_bytes_text("c"))->default_value, "bytes()");
    assert_value(gt_schema_field(schema, gt_bytes_text("d"))->enum_values,
                 "[ref('/data/people/ann'), ref('/data/people/bob')]");
    assert_value(gt_schema_field(schema, gt_bytes_text("e"))->default_value, "set[1, 3]");
    assert_value(gt_schema_field(schema, gt_bytes_text("g"))->default_value, "set[2]");
    gt_schema_free(schema);
}

static void a_schema_without_fields_is_one(void **state) {
    fixture *f = *state;
    gt_schema *schema = test_schema("{\"ns\": \"n\", \"version\": 4294967295, \"fields\": {}}");
    assert_int_equal(gt_schema_version(schema), UINT32_MAX);
    assert_null(gt_schema_field(schema, gt_bytes_text("f")));
    gt_bytes empty = test_value("{}"), other = test_value("{a: 1}");
    assert_int_equal(gt_schema_check_state(schema, empty, &f->diag), GOAT_OK);
    assert_int_equal(gt_schema_check_state(schema, other, &f->diag), GOAT_INVALID);
    assert_diag(f, "a", "unknown_field", "n version 4294967295 has no field \"a\"");
    test_value_free(empty);
    test_value_free(other);
    gt_schema_free(schema);
}

static void a_definition_that_is_wrong_is_refused_by_the_word_that_is_wrong(void **state) {
    fixture *f = *state;
    static const char *const ns_words = "\"ns\" must be 1 to 64 of the characters A-Z a-z 0-9 . _ -";
    static const char *const version_words = "\"version\" must be a whole number from 1 to 4294967295";
    assert_refused(f, "[]", "", "", "a schema definition must be a map with \"ns\", \"version\" and \"fields\"");
    assert_refused(f, "{\"version\": 1, \"fields\": {}}", "", "ns", "\"ns\" is missing");
    assert_refused(f, "{\"ns\": \"n\", \"fields\": {}}", "", "version", "\"version\" is missing");
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1}", "", "fields", "\"fields\" is missing");
    assert_refused(f, "{\"ns\": \"\", \"version\": 1, \"fields\": {}}", "", "ns", ns_words);
    assert_refused(f, "{\"ns\": \"a b\", \"version\": 1, \"fields\": {}}", "", "ns", ns_words);
    assert_refused(f, "{\"ns\": 7, \"version\": 1, \"fields\": {}}", "", "ns", ns_words);
    assert_refused(f, "{\"ns\": \"n\", \"version\": 0, \"fields\": {}}", "", "version", version_words);
    assert_refused(f, "{\"ns\": \"n\", \"version\": 4294967296, \"fields\": {}}", "", "version", version_words);
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1.5, \"fields\": {}}", "", "version", version_words);
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1, \"fields\": []}", "", "fields",
                   "\"fields\" must be a map of names to rules");
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"\": {\"type\": \"number\"}}}", "", "fields",
                   "the name of a field must have 1 to 128 bytes");
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1, \"fields\": {}, \"extra\": 1}", "", "extra",
                   "\"extra\" is not a word of schema definitions");
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1, \"fields\": {}, \"upgrade\": 1}", "", "upgrade",
                   "\"upgrade\" must be an array of at most 4096 steps");
    assert_refused(f, "{\"ns\": \"n\", \"version\": 1, \"fields\": {}, \"description\": 1}", "", "description",
                   "\"description\" must be a text");
}

static void a_namespace_has_at_most_64_characters(void **state) {
    fixture *f = *state;
    char json[256], ns[66] = "";
    memset(ns, 'n', 64);
    snprintf(json, sizeof json, "{\"ns\": \"%s\", \"version\": 1, \"fields\": {}}", ns);
    gt_schema_free(test_schema(json));
    ns[64] = 'n';
    snprintf(json, sizeof json, "{\"ns\": \"%s\", \"version\": 1, \"fields\": {}}", ns);
    gt_schema *schema = NULL;
    assert_int_equal(test_schema_parse(&gt_alloc_system, json, &schema, &f->diag), GOAT_INVALID);
}

static void each_rule_has_to_fit_its_type(void **state) {
    fixture *f = *state;
    assert_rules_refused(f, "7", "type", "\"f\": \"type\" is missing: the rules of a field are a map");
    assert_rules_refused(f, "{}", "type", "\"f\": \"type\" is missing");
    assert_rules_refused(f, "{\"type\": \"text\", \"default\": \"x\"}", "default",
                         "\"f\": \"default\" of a text can only be the empty one, at which edits begin");
    assert_rules_refused(f, "{\"type\": \"richtext\", \"default\": [{\"insert\": \"a\"}]}", "default",
                         "\"f\": \"default\" of a rich text can only be the empty one, at which edits begin");
    assert_rules_refused(f, "{\"type\": \"orderstamp\", \"default\": \"first\"}", "default",
                         "\"f\": \"default\": \"f\" is no order stamp: it ends too early");
    assert_rules_refused(f, "{\"type\": \"orderstamp\", \"max_length\": 20}", "max_length",
                         "\"f\": \"max_length\" is not a rule for fields of type orderstamp");
    assert_rules_refused(f, "{\"type\": \"orderstamp\", \"merge\": \"both\"}", "merge",
                         "\"f\": \"merge\" must be one of latest, either");
    assert_rules_refused(
        f, "{\"type\": \"integer\"}", "type",
        "\"f\": \"type\" must be one of string, number, boolean, date, bytes, ref, set, map, object, counter, list, "
        "text, orderstamp, richtext");
    assert_rules_refused(f, "{\"type\": \"number\", \"pattern\": \"a\"}", "pattern",
                         "\"f\": \"pattern\" is not a rule for fields of type number");
    assert_rules_refused(f, "{\"type\": \"string\", \"min\": 1}", "min",
                         "\"f\": \"min\" is not a rule for fields of type string");
    assert_rules_refused(f, "{\"type\": \"number\", \"max_length\": 1}", "max_length",
                         "\"f\": \"max_length\" is not a rule for fields of type number");
    assert_rules_refused(f, "{\"type\": \"set\", \"enum\": [1]}", "enum",
                         "\"f\": \"enum\" is not a rule for fields of type set");
    assert_rules_refused(f, "{\"type\": \"list\", \"default\": [1]}", "default",
                         "\"f\": \"default\" of a list can only be the empty one, at which edits begin");
    assert_rules_refused(f, "{\"type\": \"set\", \"merge\": \"latest\"}", "merge",
                         "\"f\": \"merge\" is not a rule for fields of type set");
    assert_rules_refused(f, "{\"type\": \"string\", \"merge\": \"both\"}", "merge",
                         "\"f\": \"merge\" must be one of latest, either");
    assert_rules_refused(f, "{\"type\": \"map\", \"merge\": \"merged\"}", "merge",
                         "\"f\": \"merge\" must be one of latest, either");
    assert_rules_refused(f, "{\"type\": \"counter\", \"merge\": \"latest\"}", "merge",
                         "\"f\": \"merge\" is not a rule for fields of type counter");
    assert_rules_refused(f, "{\"type\": \"text\", \"merge\": \"newest\"}", "merge",
                         "\"f\": \"merge\" must be one of latest, either, both, merged");
    assert_rules_refused(f, "{\"type\": \"text\", \"merge\": 1}", "merge",
                         "\"f\": \"merge\" must be one of latest, either, both, merged");
    assert_rules_refused(f, "{\"type\": \"string\", \"maxlength\": 7}", "maxlength",
                         "\"f\": \"maxlength\" is not a rule of fields");
}

static void rules_have_values_of_their_own_kind(void **state) {
    fixture *f = *state;
    assert_rules_refused(f, "{\"type\": \"string\", \"required\": 1}", "required",
                         "\"f\": \"required\" must be true or false");
    assert_rules_refused(f, "{\"type\": \"string\", \"min_length\": -1}", "min_length",
                         "\"f\": \"min_length\" must be a whole number, not negative");
    assert_rules_refused(f, "{\"type\": \"string\", \"enum\": []}", "enum",
                         "\"f\": \"enum\" must be an array of at least one value");
    assert_rules_refused(f, "{\"type\": \"string\", \"enum\": [1]}", "enum",
                         "\"f\": \"enum\" must be a value of the field's type");
    assert_rules_refused(f, "{\"type\": \"number\", \"min\": \"a\"}", "min",
                         "\"f\": \"min\" must be a value of the field's type");
    assert_rules_refused(f, "{\"type\": \"date\", \"min\": \"today\"}", "min",
                         "\"f\": \"min\" must be a value of the field's type");
    assert_rules_refused(f, "{\"type\": \"string\", \"pattern\": 1}", "pattern", "\"f\": \"pattern\" must be a text");
    assert_rules_refused(f, "{\"type\": \"string\", \"description\": 1}", "description",
                         "\"f\": \"description\" must be a text");
    assert_rules_refused(f, "{\"type\": \"string\", \"pattern\": \"(\"}", "pattern",
                         "\"f\": \"pattern\": not a pattern: missing closing parenthesis");
}

static void rules_have_to_fit_together(void **state) {
    fixture *f = *state;
    assert_rules_refused(f, "{\"type\": \"number\", \"min\": 2, \"max\": 1}", "max",
                         "\"f\": \"max\" is less than \"min\"");
    assert_rules_refused(f, "{\"type\": \"string\", \"min_length\": 2, \"max_length\": 1}", "max_length",
                         "\"f\": \"max_length\" is less than \"min_length\"");
    assert_rules_refused(f, "{\"type\": \"string\", \"default\": 1}", "default",
                         "\"f\": \"default\" must be a value of the field's type");
    assert_rules_refused(f, "{\"type\": \"number\", \"default\": 1, \"min\": 2}", "default",
                         "\"f\": \"default\": \"f\" must be at least 2");
    assert_rules_refused(f, "{\"type\": \"string\", \"default\": \"a1\", \"pattern\": \"^[a-z]+$\"}", "default",
                         "\"f\": \"default\": \"f\" does not match its pattern");
    assert_rules_refused(f, "{\"type\": \"counter\", \"default\": 5}", "default",
                         "\"f\": \"default\" of a counter can only be 0, from which it counts");
}

/* A definition of `count` fields with names of `name_len` bytes. */
static gt_buf many_fields(int count, int name_len) {
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {");
    for (int i = 0; i < count; i++) {
        test_text(&json, "%s\"%0*d\": {\"type\": \"number\"}", i == 0 ? "" : ",", name_len, i);
    }
    test_text(&json, "}}");
    return json;
}

static goat_status parse_many(fixture *f, int count, int name_len, gt_schema **schema) {
    gt_buf json = many_fields(count, name_len);
    goat_status status = test_schema_parse(&gt_alloc_system, (const char *)json.data, schema, &f->diag);
    gt_buf_free(&json);
    return status;
}

static void a_schema_has_up_to_1024_fields(void **state) {
    fixture *f = *state;
    gt_schema *schema = NULL;
    assert_int_equal(parse_many(f, GOAT_FIELDS_MAX, 4, &schema), GOAT_OK);
    for (int i = 0; i < GOAT_FIELDS_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "%04d", i);
        assert_ptr_equal(gt_schema_field(schema, gt_bytes_text(name)), gt_schema_field_at(schema, (size_t)i));
    }
    gt_schema_free(schema);
    assert_int_equal(parse_many(f, GOAT_FIELDS_MAX + 1, 4, &schema), GOAT_TOO_LARGE);
    assert_string_equal(f->diag.rule, "fields");
}

static void a_field_name_has_up_to_128_bytes(void **state) {
    fixture *f = *state;
    gt_schema *schema = NULL;
    assert_int_equal(parse_many(f, 1, GOAT_FIELD_NAME_MAX, &schema), GOAT_OK);
    gt_schema_free(schema);
    assert_int_equal(parse_many(f, 1, GOAT_FIELD_NAME_MAX + 1, &schema), GOAT_INVALID);
    assert_null(schema);
}

static void each_allocation_of_parsing_may_fail(void **state) {
    fixture *f = *state;
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        gt_schema *schema = NULL;
        test_alloc_init(&memory, allowed);
        goat_status status = test_schema_parse(&memory.alloc, task, &schema, &f->diag);
        gt_schema_free(schema);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
        assert_int_equal(f->diag.status, GOAT_NO_MEMORY);
    }
}

/* ---- registry ---- */

static gt_schema *version_of(const char *ns, unsigned version, const char *fields) {
    char json[256];
    snprintf(json, sizeof json, "{\"ns\": \"%s\", \"version\": %u, \"fields\": %s}", ns, version, fields);
    return test_schema(json);
}

static void a_registry_finds_versions_and_the_newest(void **state) {
    (void)state;
    gt_registry *registry = gt_registry_new(&gt_alloc_system);
    static const struct {
        const char *ns;
        unsigned version;
    } added[] = {{"b", 2}, {"a", 1}, {"b", 10}, {"ab", 1}, {"b", 1}, {"c", UINT32_MAX}, {"c", 3}};
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(gt_registry_add(registry, version_of(added[i].ns, added[i].version, "{}"), NULL), GOAT_OK);
    }
    assert_int_equal(gt_registry_count(registry), 7);
    for (size_t i = 0; i < 7; i++) {
        const gt_schema *found = gt_registry_find(registry, gt_bytes_text(added[i].ns), added[i].version);
        assert_non_null(found);
        assert_int_equal(gt_schema_version(found), added[i].version);
    }
    assert_null(gt_registry_find(registry, gt_bytes_text("b"), 3));
    assert_null(gt_registry_find(registry, gt_bytes_text("d"), 1));
    assert_int_equal(gt_schema_version(gt_registry_newest(registry, gt_bytes_text("b"))), 10);
    assert_int_equal(gt_schema_version(gt_registry_newest(registry, gt_bytes_text("c"))), UINT32_MAX);
    assert_int_equal(gt_schema_version(gt_registry_newest(registry, gt_bytes_text("a"))), 1);
    assert_null(gt_registry_newest(registry, gt_bytes_text("aa")));
    assert_null(gt_registry_newest(registry, gt_bytes_text("d")));
    static const unsigned order[] = {1, 1, 1, 2, 10, 3, UINT32_MAX};
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(gt_schema_version(gt_registry_at(registry, i)), order[i]);
    }
    gt_registry_free(registry);
}

static void a_version_never_changes_in_a_registry(void **state) {
    fixture *f = *state;
    gt_registry *registry = gt_registry_new(&gt_alloc_system);
    assert_int_equal(gt_registry_add(registry, version_of("a", 1, "{}"), NULL), GOAT_OK);
    assert_int_equal(gt_registry_add(registry, version_of("a", 1, "{}"), NULL), GOAT_OK); /* the same */
    assert_int_equal(gt_registry_count(registry), 1);
    gt_schema *other = version_of("a", 1, "{\"f\": {\"type\": \"number\"}}");
    assert_int_equal(gt_registry_add(registry, other, &f->diag), GOAT_CONFLICT);
    assert_string_equal(f->diag.message, "another definition stands under a version 1");
    gt_schema_free(other); /* still ours */
    gt_registry_free(registry);
}

static void a_registry_without_memory_stays_as_it_was(void **state) {
    (void)state;
    for (uint64_t allowed = 0; allowed < 4; allowed++) {
        test_alloc memory;
        test_alloc_init(&memory, allowed);
        gt_registry *registry = gt_registry_new(&memory.alloc);
        for (unsigned version = 1; registry != NULL && version < 20; version++) {
            gt_schema *schema = version_of("a", version, "{}");
            if (gt_registry_add(registry, schema, NULL) == GOAT_NO_MEMORY) {
                gt_schema_free(schema);
                assert_int_equal(gt_registry_count(registry), version - 1);
                break;
            }
        }
        gt_registry_free(registry);
        test_alloc_assert_empty(&memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_is_parsed),
        cmocka_unit_test(fields_stand_in_the_order_of_states),
        cmocka_unit_test(the_hash_begins_the_sha_256_of_the_definition),
        cmocka_unit_test(values_of_a_definition_may_have_the_plain_form),
        cmocka_unit_test(a_schema_without_fields_is_one),
        cmocka_unit_test(a_definition_that_is_wrong_is_refused_by_the_word_that_is_wrong),
        cmocka_unit_test(a_namespace_has_at_most_64_characters),
        cmocka_unit_test(each_rule_has_to_fit_its_type),
        cmocka_unit_test(rules_have_values_of_their_own_kind),
        cmocka_unit_test(rules_have_to_fit_together),
        cmocka_unit_test(a_schema_has_up_to_1024_fields),
        cmocka_unit_test(a_field_name_has_up_to_128_bytes),
        cmocka_unit_test(each_allocation_of_parsing_may_fail),
        cmocka_unit_test(a_registry_finds_versions_and_the_newest),
        cmocka_unit_test(a_version_never_changes_in_a_registry),
        cmocka_unit_test(a_registry_without_memory_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
