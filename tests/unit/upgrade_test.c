/* core/schema and core/merge: what each upgrade step does to states and to edits, and how wrong ones are named. */
#include "support/test.h"

#include "merge/merge.h"
#include "schema/difference.h"
#include "schema/upgrade.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdlib.h>

static const char old_json[] =
    "{\"ns\": \"goat\", \"version\": 1, \"fields\": {\"name\": {\"type\": \"string\"}, \"size\": {\"type\": "
    "\"string\"},"
    "\"kind\": {\"type\": \"string\"}, \"tags\": {\"type\": \"set\"}, \"more\": {\"type\": \"map\"},"
    "\"votes\": {\"type\": \"counter\"}, \"story\": {\"type\": \"text\"}, \"born\": {\"type\": \"date\"},"
    "\"home\": {\"type\": \"object\", \"fields\": {\"town\": {\"type\": \"string\"}, \"way\": {\"type\": \"text\"},"
    "\"old\": {\"type\": \"number\"}}}}}";

typedef struct fixture {
    gt_schema *from, *to;
    gt_upgrade *upgrade;
    gt_diag diag;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) f->from = test_schema(old_json);
    return f == NULL;
}

static void forget(fixture *f) {
    gt_upgrade_free(f->upgrade);
    gt_schema_free(f->to);
    f->upgrade = NULL;
    f->to = NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    forget(f);
    gt_schema_free(f->from);
    free(f);
    return 0;
}

/* Parses version 2 of the fields and steps given and binds it; what comes first fails. */
static goat_status bind(fixture *f, const char *fields, const char *steps) {
    gt_buf json;
    forget(f);
    gt_buf_init(&json, &gt_alloc_system);
    const char *const parts[] = {"{\"ns\": \"goat\", \"version\": 2, \"fields\": {", fields, "}, \"upgrade\": [", steps,
                                 "]}"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) gt_buf_append(&json, parts[i], strlen(parts[i]));
    gt_buf_append_byte(&json, 0);
    goat_status status = test_schema_parse(&gt_alloc_system, (const char *)json.data, &f->to, &f->diag);
    gt_buf_free(&json);
    if (status == GOAT_OK) status = gt_upgrade_new(&gt_alloc_system, f->from, f->to, &f->upgrade, &f->diag);
    return status;
}

static void binds(fixture *f, const char *fields, const char *steps) {
    if (bind(f, fields, steps) != GOAT_OK) fail_msg("%s", f->diag.message);
}

static void refuses(fixture *f, const char *fields, const char *steps, const char *field, const char *words) {
    assert_int_equal(bind(f, fields, steps), GOAT_INVALID);
    if (strstr(f->diag.message, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", f->diag.message, words);
    assert_string_equal(f->diag.rule, "upgrade");
    assert_string_equal(f->diag.field, field);
}

static void carries_state(const fixture *f, const char *state, const char *expected) {
    gt_buf out;
    gt_bytes value = test_value(state);
    gt_buf_init(&out, &gt_alloc_system);
    gt_upgrade_state(f->upgrade, value, &out);
    assert_value(gt_buf_bytes(&out), expected);
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), GT_VALUE_EDIT, NULL), GOAT_OK);
    test_value_free(value);
    gt_buf_free(&out);
}

static void carries_edit(const fixture *f, const char *delta, const char *expected) {
    gt_buf out;
    gt_bytes value = test_value(delta);
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_merge_upgrade_delta(&gt_alloc_system, f->upgrade, value, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), expected);
    assert_int_equal(gt_merge_check_delta(f->to, gt_buf_bytes(&out), NULL), GOAT_OK);
    test_value_free(value);
    gt_buf_free(&out);
}

/* ---- steps ---- */

static void without_steps_fields_of_the_same_type_are_kept(void **state) {
    fixture *f = *state;
    binds(f, "\"name\": {\"type\": \"string\"}, \"votes\": {\"type\": \"counter\"}, \"kind\": {\"type\": \"set\"}", "");
    carries_state(f, "{name: 'Ada', votes: 3, kind: 'x', tags: set[1]}", "{name: 'Ada', votes: 3}");
    carries_edit(f, "{name: 'Bo', kind: 'x', votes: -1}", "{name: 'Bo', votes: -1}");
    assert_true(gt_upgrade_is_exact(f->upgrade));
}

static void a_field_is_renamed(void **state) {
    fixture *f = *state;
    binds(f, "\"title\": {\"type\": \"string\"}, \"tale\": {\"type\": \"text\"}",
          "{\"rename\": \"name\", \"to\": \"title\"}, {\"rename\": \"story\", \"to\": \"tale\"}");
    carries_state(f, "{name: 'Ada', story: 'Once'}", "{title: 'Ada', tale: 'Once'}");
    carries_edit(f, "{name: undefined, story: {0: [4, ' upon']}}", "{title: undefined, tale: {0: [4, ' upon']}}");
}

static void two_fields_change_places(void **state) {
    fixture *f = *state;
    binds(f, "\"name\": {\"type\": \"string\"}, \"kind\": {\"type\": \"string\"}",
          "{\"rename\": \"name\", \"to\": \"x\"}, {\"rename\": \"kind\", \"to\": \"name\"},"
          "{\"rename\": \"x\", \"to\": \"kind\"}");
    carries_state(f, "{name: 'Ada', kind: 'goat'}", "{name: 'goat', kind: 'Ada'}");
}

static void a_copy_follows_its_original(void **state) {
    fixture *f = *state;
    binds(f, "\"name\": {\"type\": \"string\"}, \"label\": {\"type\": \"string\"}",
          "{\"copy\": \"name\", \"to\": \"label\"},"
          "{\"map\": \"label\", \"values\": [[\"Ada\", \"A.\"]], \"else\": \"?\"}");
    carries_state(f, "{name: 'Ada'}", "{name: 'Ada', label: 'A.'}");
    carries_edit(f, "{name: 'Bo'}", "{name: 'Bo', label: '?'}");
    carries_edit(f, "{name: undefined}", "{name: undefined, label: undefined}");
}

static void a_default_is_what_older_items_have(void **state) {
    fixture *f = *state;
    binds(f, "\"born\": {\"type\": \"date\"}, \"name\": {\"type\": \"string\"}, \"stars\": {\"type\": \"number\"}",
          "{\"default\": \"stars\", \"value\": 3}, {\"default\": \"name\", \"value\": \"nobody\"},"
          "{\"default\": \"born\", \"value\": \"1970-01-01T00:00:01Z\"}");
    carries_state(f, "{}", "{born: date(1000), name: 'nobody', stars: 3}");
    carries_state(f, "{name: 'Ada', 0: true}", "{0: true, born: date(1000), name: 'Ada', stars: 3}");
    carries_edit(f, "{name: undefined}", "{name: 'nobody'}");
    carries_edit(f, "{name: 'Bo'}", "{name: 'Bo'}"); /* the new field is nobody's edit */
}

static void fields_move_into_a_map(void **state) {
    fixture *f = *state;
    binds(f, "\"facts\": {\"type\": \"map\"}",
          "{\"move\": \"size\", \"to\": [\"facts\", \"size\"]}, {\"move\": \"kind\", \"to\": [\"facts\", \"a\"]}");
    carries_state(f, "{kind: 'goat', size: '3', name: 'Ada'}", "{facts: {a: 'goat', size: '3'}}");
    carries_state(f, "{name: 'Ada'}", "{facts: {}}");
    carries_edit(f, "{size: '4'}", "{facts: {size: '4'}}");
    carries_edit(f, "{kind: undefined, size: '4'}", "{facts: {a: undefined, size: '4'}}");
    assert_false(gt_upgrade_is_exact(f->upgrade));
}

static void a_key_moves_out_of_a_map(void **state) {
    fixture *f = *state;
    binds(f, "\"more\": {\"type\": \"map\"}, \"age\": {\"type\": \"number\"}",
          "{\"move\": [\"more\", \"age\"], \"to\": \"age\"}");
    carries_state(f, "{more: {age: 7, b: 1}}", "{age: 7, more: {b: 1}}");
    carries_state(f, "{more: {age: 'old'}}", "{more: {}}");
    carries_edit(f, "{more: {age: 8}}", "{age: 8, more: {}}");
    carries_edit(f, "{more: {age: undefined, b: 2}}", "{age: undefined, more: {b: 2}}");
    carries_edit(f, "{more: undefined}", "{age: undefined, more: undefined}");
    carries_edit(f, "{more: {b: 2}}", "{more: {b: 2}}");
}

static void fields_move_into_an_object(void **state) {
    fixture *f = *state;
    binds(f,
          "\"goat\": {\"type\": \"object\", \"fields\": {\"name\": {\"type\": \"string\"},"
          "\"story\": {\"type\": \"text\"}, \"home\": {\"type\": \"object\", \"fields\": {\"town\": {\"type\": "
          "\"string\"}}}}}",
          "{\"move\": \"name\", \"to\": [\"goat\", \"name\"]}, {\"move\": \"story\", \"to\": [\"goat\", \"story\"]},"
          "{\"move\": \"home\", \"to\": [\"goat\", \"home\"]}");
    assert_true(gt_upgrade_is_exact(f->upgrade));
    carries_state(f, "{name: 'Ada', story: 'Once', home: {town: 'B', old: 3}}",
                  "{goat: {name: 'Ada', story: 'Once', home: {town: 'B'}}}");
    carries_state(f, "{votes: 1}", "{goat: {}}");
    carries_edit(f, "{name: undefined, story: {0: [4, ' upon']}}",
                 "{goat: {name: undefined, story: {0: [4, ' upon']}}}");
    carries_edit(f, "{home: {town: undefined, old: 4}}", "{goat: {home: {town: undefined}}}");
    carries_edit(f, "{home: undefined}", "{goat: {home: undefined}}");
    refuses(f, "\"goat\": {\"type\": \"object\", \"fields\": {\"name\": {\"type\": \"number\"}}}",
            "{\"move\": \"name\", \"to\": [\"goat\", \"name\"]}", "goat", "holds a string there");
}

static void fields_move_out_of_an_object(void **state) {
    fixture *f = *state;
    binds(f,
          "\"town\": {\"type\": \"string\"}, \"way\": {\"type\": \"text\"},"
          "\"home\": {\"type\": \"object\", \"fields\": {\"old\": {\"type\": \"number\"}, \"town\": {\"type\": "
          "\"string\"}}}",
          "{\"move\": [\"home\", \"town\"], \"to\": \"town\"}, {\"move\": [\"home\", \"way\"], \"to\": \"way\"}");
    carries_state(f, "{home: {town: 'B', way: 'left', old: 3}}", "{way: 'left', home: {old: 3}, town: 'B'}");
    carries_state(f, "{home: {}}", "{home: {}}");
    carries_edit(f, "{home: {way: {0: [-1]}, town: undefined}}", "{way: {0: [-1]}, home: {}, town: undefined}");
    carries_edit(f, "{home: undefined}", "{way: undefined, home: undefined, town: undefined}");
    refuses(f, "\"x\": {\"type\": \"string\"}", "{\"move\": [\"home\", \"x\"], \"to\": \"x\"}", "home",
            "no such field");
    refuses(f, "\"x\": {\"type\": \"string\"}", "{\"move\": [\"home\", \"old\"], \"to\": \"x\"}", "x",
            "no field of type number");
}

static void values_are_converted(void **state) {
    fixture *f = *state;
    binds(f, "\"size\": {\"type\": \"number\"}", "{\"convert\": \"size\", \"to\": \"number\"}");
    carries_state(f, "{size: '-12.5e1'}", "{size: -125}");
    carries_state(f, "{size: ' 1'}", "{}");
    carries_edit(f, "{size: '0.5'}", "{size: 0.5}");
    carries_edit(f, "{size: '1e999'}", "{size: undefined}");
    binds(f, "\"size\": {\"type\": \"number\"}", "{\"convert\": \"size\", \"to\": \"number\", \"else\": -1}");
    carries_edit(f, "{size: 'big'}", "{size: -1}");
    carries_edit(f, "{size: undefined}", "{size: undefined}");
    binds(f, "\"born\": {\"type\": \"string\"}", "{\"convert\": \"born\", \"to\": \"string\"}");
    carries_state(f, "{born: date(1000)}", "{born: '1970-01-01T00:00:01Z'}");
    binds(f, "\"name\": {\"type\": \"text\"}", "{\"convert\": \"name\", \"to\": \"text\"}");
    carries_edit(f, "{name: 'Ada'}", "{name: 'Ada'}");
    assert_false(gt_upgrade_is_exact(f->upgrade));
}

static void every_conversion_goes_both_ways_or_gives_nothing(void **state) {
    (void)state;
    static const struct {
        gt_type from, to;
        const char *value, *converted; /* NULL: it cannot be */
    } cases[] = {
        {GT_TYPE_NUMBER, GT_TYPE_STRING, "1.5", "'1.5'"},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'1.5'", "1.5"},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'01'", NULL},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'-'", NULL},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'1.'", NULL},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'1e'", NULL},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "''", NULL},
        {GT_TYPE_STRING, GT_TYPE_NUMBER, "'true'", NULL},
        {GT_TYPE_BOOLEAN, GT_TYPE_STRING, "true", "'true'"},
        {GT_TYPE_STRING, GT_TYPE_BOOLEAN, "'false'", "false"},
        {GT_TYPE_STRING, GT_TYPE_BOOLEAN, "'no'", NULL},
        {GT_TYPE_DATE, GT_TYPE_STRING, "date(1500)", "'1970-01-01T00:00:01.500Z'"},
        {GT_TYPE_STRING, GT_TYPE_DATE, "'1970-01-01T00:00:01.500Z'", "date(1500)"},
        {GT_TYPE_STRING, GT_TYPE_DATE, "'yesterday'", NULL},
        {GT_TYPE_BYTES, GT_TYPE_STRING, "bytes(0102)", "'AQI='"},
        {GT_TYPE_STRING, GT_TYPE_BYTES, "'AQI='", "bytes(0102)"},
        {GT_TYPE_STRING, GT_TYPE_BYTES, "'AQI'", NULL},
        {GT_TYPE_REF, GT_TYPE_STRING, "ref('/a/b/c')", "'/a/b/c'"},
        {GT_TYPE_STRING, GT_TYPE_REF, "'/a/b/c'", "ref('/a/b/c')"},
        {GT_TYPE_STRING, GT_TYPE_REF, "'a b'", NULL},
        {GT_TYPE_BOOLEAN, GT_TYPE_NUMBER, "true", "1"},
        {GT_TYPE_NUMBER, GT_TYPE_BOOLEAN, "0", "false"},
        {GT_TYPE_NUMBER, GT_TYPE_BOOLEAN, "2", NULL},
        {GT_TYPE_DATE, GT_TYPE_NUMBER, "date(1500)", "1500"},
        {GT_TYPE_NUMBER, GT_TYPE_DATE, "1500", "date(1500)"},
        {GT_TYPE_NUMBER, GT_TYPE_DATE, "1e18", NULL},
        {GT_TYPE_NUMBER, GT_TYPE_DATE, "0.5", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gt_buf out;
        gt_bytes value = test_value(cases[i].value);
        gt_buf_init(&out, &gt_alloc_system);
        assert_true(gt_can_convert(cases[i].from, cases[i].to));
        gt_convert(cases[i].from, cases[i].to, value, &out);
        if (cases[i].converted == NULL) {
            assert_int_equal(out.len, 0);
        } else {
            assert_value(gt_buf_bytes(&out), cases[i].converted);
        }
        test_value_free(value);
        gt_buf_free(&out);
    }
    assert_false(gt_can_convert(GT_TYPE_COUNTER, GT_TYPE_NUMBER));
    assert_false(gt_can_convert(GT_TYPE_TEXT, GT_TYPE_STRING));
}

static void values_are_mapped_and_dropped(void **state) {
    fixture *f = *state;
    binds(f, "\"kind\": {\"type\": \"string\"}, \"more\": {\"type\": \"map\"}",
          "{\"map\": \"kind\", \"values\": [[\"g\", \"goat\"], [\"s\", \"sheep\"]]},"
          "{\"map\": \"more\", \"values\": [[1, \"one\"]]}, {\"drop\": \"name\"}");
    carries_state(f, "{kind: 'g', name: 'Ada', more: {a: 1, b: 2}}", "{kind: 'goat', more: {a: 'one', b: 2}}");
    carries_edit(f, "{kind: 'cow'}", "{kind: 'cow'}");
    carries_edit(f, "{more: {a: undefined, b: 1}}", "{more: {a: undefined, b: 'one'}}");
}

static void an_edit_of_which_nothing_is_left_is_still_one(void **state) {
    fixture *f = *state;
    binds(f, "\"name\": {\"type\": \"string\"}", "{\"drop\": \"kind\"}");
    carries_edit(f, "{kind: 'x'}", "{0: false}");
    carries_edit(f, "{0: true, kind: 'x'}", "{0: true}");
    carries_edit(f, "{}", "{}");
}

/* ---- what is refused ---- */

static void a_wrong_step_is_named_with_its_field(void **state) {
    fixture *f = *state;
    const char *name = "\"name\": {\"type\": \"string\"}";
    refuses(f, name, "{\"drop\": \"kind\"}, {\"rename\": \"nam\", \"to\": \"name\"}", "nam", "upgrade step 2 (rename)");
    refuses(f, name, "{\"rename\": \"kind\", \"to\": \"name\"}", "name", "is there already");
    refuses(f, name, "{\"rename\": \"kind\", \"to\": \"title\"}", "title", "no field of type string");
    refuses(f, name, "{\"copy\": \"kind\", \"to\": \"tags\"}", "tags", "is there already");
    refuses(f, name, "{\"convert\": \"votes\", \"to\": \"number\"}", "votes", "counter, which cannot become number");
    refuses(f, name, "{\"convert\": \"name\", \"to\": \"number\"}", "name", "no field of type number");
    refuses(f, name, "{\"convert\": \"name\", \"to\": \"numbers\"}", "name", "must be the name of a type");
    refuses(f, name, "{\"default\": \"title\", \"value\": 1}", "title", "is no field of the new version");
    refuses(f, name, "{\"default\": \"name\", \"value\": 1}", "name", "a value of the step is not");
    refuses(f, name, "{\"default\": \"tags\", \"value\": [1]}", "tags", "cannot be filled in");
    refuses(f, name, "{\"map\": \"tags\", \"values\": [[1, 2]]}", "tags", "cannot be mapped");
    refuses(f, name, "{\"map\": \"name\", \"values\": [[1, 2]]}", "name", "a value of the step is not");
    refuses(f, name, "{\"map\": \"name\", \"values\": []}", "name", "array of pairs");
    refuses(f, name, "{\"move\": \"kind\", \"to\": [\"more\", \"x\"]}", "more", "is there already");
    refuses(f, name, "{\"move\": \"tags\", \"to\": [\"x\", \"y\"]}", "tags", "which no value in a map is");
    refuses(f, name, "{\"move\": \"kind\", \"to\": \"x\"}", "kind", "exactly one side");
    refuses(f, name, "{\"move\": [\"kind\", \"x\"], \"to\": \"y\"}", "kind", "only maps and objects have keys");
    refuses(f, "\"x\": {\"type\": \"set\"}", "{\"move\": [\"more\", \"x\"], \"to\": \"x\"}", "x", "single value");
    refuses(f, name, "{\"drop\": \"kind\", \"value\": 1}", "kind", "\"value\" is not a word");
    refuses(f, name, "{\"rename\": \"kind\"}", "kind", "\"to\" is missing");
    refuses(f, name, "{\"call\": \"kind\"}", "kind", "\"with\" is missing");
    refuses(f, name, "{\"call\": \"kind\", \"with\": 1}", "kind", "must be the name of a function");
    refuses(f, name, "{\"call\": \"tags\", \"with\": \"f\"}", "tags", "of which a call knows no values");
    refuses(f, name, "{\"call\": \"kind\", \"with\": \"f\", \"to\": \"set\"}", "kind",
            "of which a call knows no values");
    refuses(f, name, "{\"call\": \"kind\", \"with\": \"f\", \"else\": 1}", "kind", "a value of the step is not");
    refuses(f, name, "{\"shuffle\": \"kind\"}", "", "must be a map with one of");
    refuses(f, name, "1", "", "must be a map with one of");
}

static void steps_are_a_bounded_array(void **state) {
    fixture *f = *state;
    gt_buf json;
    for (int over = 0; over < 2; over++) {
        gt_buf_init(&json, &gt_alloc_system);
        for (int i = 0; i < GT_UPGRADE_STEPS_MAX + over; i++) {
            gt_buf_append(&json, i == 0 ? "1" : ",1", i == 0 ? 1 : 2);
        }
        gt_buf_append_byte(&json, 0);
        assert_int_equal(bind(f, "", (const char *)json.data), GOAT_INVALID);
        assert_true((strstr(f->diag.message, "at most 4096 steps") != NULL) == (over == 1));
        gt_buf_free(&json);
    }
}

/* ---- without memory ---- */

/* Two versions are registered, and a state and an edit carried; what comes first fails. */
static goat_status work(const gt_alloc *alloc, gt_bytes state, gt_buf *carried) {
    static const char *const definitions[] = {
        old_json,
        "{\"ns\": \"goat\", \"version\": 2, \"fields\": {\"title\": {\"type\": \"string\"}, \"size\": {\"type\":"
        " \"number\"}, \"kind\": {\"type\": \"string\"}, \"facts\": {\"type\": \"map\"}, \"more\": {\"type\": \"map\"},"
        "\"age\": {\"type\": \"number\"}, \"born\": {\"type\": \"string\"}, \"raw\": {\"type\": \"bytes\"}},"
        "\"upgrade\": [{\"copy\": \"name\", \"to\": \"title\"}, {\"move\": \"name\", \"to\": [\"facts\", \"name\"]},"
        "{\"convert\": \"size\", \"to\": \"number\", \"else\": 7}, {\"move\": [\"more\", \"age\"], \"to\": \"age\"},"
        "{\"map\": \"kind\", \"values\": [[\"a\", \"b\"]]}, {\"convert\": \"born\", \"to\": \"string\"},"
        "{\"default\": \"raw\", \"value\": \"AQI=\"}]}"};
    gt_registry *registry = gt_registry_new(alloc);
    goat_status status = registry == NULL ? GOAT_NO_MEMORY : GOAT_OK;
    gt_diag diag;
    for (size_t i = 0; status == GOAT_OK && i < 2; i++) {
        gt_schema *schema = NULL;
        status = test_schema_parse(alloc, definitions[i], &schema, &diag);
        if (status == GOAT_OK) status = gt_registry_check(registry, schema, NULL);
        if (status == GOAT_OK) status = gt_registry_add(registry, schema, NULL);
        if (status != GOAT_OK) gt_schema_free(schema);
    }
    if (status == GOAT_OK) {
        const gt_upgrade *upgrade = gt_registry_upgrade(registry, gt_registry_find(registry, gt_bytes_text("goat"), 1));
        size_t count = 0;
        assert_non_null(upgrade);
        gt_upgrade_state(upgrade, state, carried);
        if (gt_buf_failed(carried)) status = GOAT_NO_MEMORY;
        if (status == GOAT_OK) status = gt_merge_upgrade_delta(alloc, upgrade, state, carried, NULL);
        if (status == GOAT_OK) gt_upgrade_describe(upgrade, carried, &count);
        if (gt_buf_failed(carried)) status = GOAT_NO_MEMORY;
    }
    gt_registry_free(registry);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    gt_bytes value = test_value("{name: 'Ada', size: '12', kind: 'a', more: {age: 3, b: 4}, born: date(0)}");
    gt_buf whole;
    gt_buf_init(&whole, &gt_alloc_system);
    assert_int_equal(work(&gt_alloc_system, value, &whole), GOAT_OK);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        gt_buf carried;
        test_alloc_init(&memory, k);
        gt_buf_init(&carried, &memory.alloc);
        goat_status status = work(&memory.alloc, value, &carried);
        if (!memory.failed) assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&carried)));
        gt_buf_free(&carried);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) break;
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
    gt_buf_free(&whole);
    test_value_free(value);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(without_steps_fields_of_the_same_type_are_kept),
        CASE(a_field_is_renamed),
        CASE(two_fields_change_places),
        CASE(a_copy_follows_its_original),
        CASE(a_default_is_what_older_items_have),
        CASE(fields_move_into_a_map),
        CASE(a_key_moves_out_of_a_map),
        CASE(fields_move_into_an_object),
        CASE(fields_move_out_of_an_object),
        CASE(values_are_converted),
        CASE(every_conversion_goes_both_ways_or_gives_nothing),
        CASE(values_are_mapped_and_dropped),
        CASE(an_edit_of_which_nothing_is_left_is_still_one),
        CASE(a_wrong_step_is_named_with_its_field),
        CASE(steps_are_a_bounded_array),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
