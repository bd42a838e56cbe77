/* core/db: steps within an edit of apply. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_value.h"
#include "value/json.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "{\"ns\": \"doc\", \"version\": 1, \"fields\": {\"title\": {\"type\": \"text\", \"max_length\": 8},"
    "\"body\": {\"type\": \"text\"}, \"rows\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"},"
    "\"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"}, \"rich\": {\"type\": \"richtext\"},"
    "\"name\": {\"type\": \"string\"}, \"place\": {\"type\": \"object\", \"fields\": {\"note\": {\"type\": \"text\"},"
    "\"rows\": {\"type\": \"list\"}}}}}";

static const char whole[] =
    "{title: 'goat', body: 'one two', rows: [1, 2, 3], tags: set['a'], map: {k: 1}, votes: 5, place: {note: 'by'}}";

static int set_up(void **state) {
    test_handles_set_up(state);
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, schema), GOAT_OK);
    return 0;
}

static void applies(test_handles *f, const char *edits) {
    gt_apply_result result = {0};
    if (test_handle_apply(&f->a, edits, 0, &result) != GOAT_OK) fail_msg("%s", f->a.diag.message);
}

static void begin_with(test_handles *f, const char *key) {
    char edits[400];
    snprintf(edits, sizeof edits, "[{key: '%s', schema: 'doc', set: %s}]", key, whole);
    applies(f, edits);
}

/* The edits of an item's newest commit. */
static gt_bytes delta_of(test_handles *f, const char *key) {
    gt_repo *repo = f->a.space->mount->repo;
    gt_commit_info info;
    uint32_t row = gt_repo_newest(repo, gt_repo_find(repo, gt_bytes_text(key)));
    assert_int_equal(gt_repo_commit_info(repo, row, &info, NULL), GOAT_OK);
    return info.commit.delta;
}

/* A step on one item, and the operation that it is to be on another one like it. */
static void is_recorded_as(test_handles *f, const char *field, const char *step, gt_edit edit, const char *value) {
    static int number;
    char one[16], other[16], edits[300];
    goat_item *item;
    snprintf(one, sizeof one, "s%d", number);
    snprintf(other, sizeof other, "o%d", number++);
    begin_with(f, one);
    begin_with(f, other);
    snprintf(edits, sizeof edits, "[{key: '%s', edit: {'%s': %s}}]", one, field, step);
    applies(f, edits);
    gt_bytes made = value == NULL ? (gt_bytes){0} : test_value(value);
    if (value != NULL) edit.value = made;
    assert_int_equal(test_handle_item(&f->a, NULL, other, &item), GOAT_OK);
    assert_int_equal(gt_item_edit(item, gt_bytes_text(field), &edit, NULL), GOAT_OK);
    test_handle_drop(item);
    test_value_free(made);
    test_handle_pass(&f->a, 400);
    gt_bytes as_step = delta_of(f, one), as_operation = delta_of(f, other);
    assert_true(gt_value_count(as_step) == 1);
    assert_true(gt_bytes_equal(as_step, as_operation));
}

static void a_step_is_recorded_as_the_operation_that_it_names(void **state) {
    test_handles *f = *state;
    gt_splice splice = {GOAT_UNIT_CODE_POINT, 4, 3, gt_bytes_text("2")};
    is_recorded_as(f, "body", "{splice: [4, 3, '2']}", (gt_edit){.operation = GT_SPLICE, .splice = splice}, NULL);
    splice.unit = GOAT_UNIT_UTF16;
    is_recorded_as(f, "body", "{splice: [4, 3, '2', 'utf16']}", (gt_edit){.operation = GT_SPLICE, .splice = splice},
                   NULL);
    is_recorded_as(f, "rows", "{list_insert: [1, [7, 8]]}", (gt_edit){.operation = GT_LIST_INSERT, .position = 1},
                   "[7, 8]");
    is_recorded_as(f, "rows", "{list_remove: [1, 2]}",
                   (gt_edit){.operation = GT_LIST_REMOVE, .position = 1, .count = 2}, NULL);
    is_recorded_as(f, "rows", "{list_move: [2, 0]}", (gt_edit){.operation = GT_LIST_MOVE, .position = 2}, NULL);
    is_recorded_as(f, "rows", "{list_set: [2, 'x']}", (gt_edit){.operation = GT_LIST_SET, .position = 2}, "'x'");
    is_recorded_as(f, "tags", "{add: 'a'}", (gt_edit){.operation = GT_ADD}, "'a'"); /* also where it is there */
    is_recorded_as(f, "tags", "{remove: 'a'}", (gt_edit){.operation = GT_REMOVE}, "'a'");
    is_recorded_as(f, "map", "{put: ['k', [1]]}", (gt_edit){.operation = GT_PUT, .key = gt_bytes_text("k")}, "[1]");
    is_recorded_as(f, "map", "{put: ['k']}", (gt_edit){.operation = GT_PUT, .key = gt_bytes_text("k")}, NULL);
    is_recorded_as(f, "votes", "{increment: -7}", (gt_edit){.operation = GT_INCREMENT, .by = -7}, NULL);
    is_recorded_as(f, "rich", "{apply_delta: [{insert: 'x'}]}", (gt_edit){.operation = GT_DELTA}, "[{insert: 'x'}]");
    splice = (gt_splice){GOAT_UNIT_CODE_POINT, 0, 1, gt_bytes_text("m")};
    is_recorded_as(f, "place.note", "{splice: [0, 1, 'm']}", (gt_edit){.operation = GT_SPLICE, .splice = splice}, NULL);
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void units_of_a_splice_are_those_that_it_names(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'doc', set: {body: '\xf0\x9f\x90\x90 x'}}]");
    applies(f, "[{key: 'x', edit: {body: {splice: [2, 1, 'a']}}}]");
    test_handle_shows(&f->a, "x", "{body: '\xf0\x9f\x90\x90 a'}");
    applies(f, "[{key: 'x', edit: {body: {splice: [2, 1, 'b', 'code_point']}}}]");
    test_handle_shows(&f->a, "x", "{body: '\xf0\x9f\x90\x90 b'}");
    applies(f, "[{key: 'x', edit: {body: {splice: [3, 1, 'c', 'utf16']}}}]");
    test_handle_shows(&f->a, "x", "{body: '\xf0\x9f\x90\x90 c'}");
    applies(f, "[{key: 'x', edit: {body: {splice: [5, 1, 'd', 'byte']}}}]");
    test_handle_shows(&f->a, "x", "{body: '\xf0\x9f\x90\x90 d'}");
}

static void several_steps_are_made_in_order_and_are_one_commit(void **state) {
    test_handles *f = *state;
    begin_with(f, "x");
    uint32_t entries = test_handle_entries(&f->a);
    applies(f, "[{key: 'x', set: {name: 'n', rows: [4]}, unset: ['map'], edit: {"
               "body: [{splice: [0, 0, 'zero ']}, {splice: [5, 4, '']}],"
               "rows: [{list_insert: [0, [1, 2]]}, {list_move: [2, 0]}, {list_set: [1, 'x']}, {list_remove: [2, 1]}],"
               "tags: [{add: 'b'}, {add: 'c'}, {remove: 'a'}, {remove: 'c'}], votes: [{increment: 2}, {increment: 3}],"
               "'place.note': {splice: [2, 0, 'e']}, 'place.rows': [{list_insert: [0, [1]]}]}}]");
    test_handle_shows(&f->a, "x",
                      "{title: 'goat', body: 'zero two', rows: [4, 'x'], tags: set['b'], votes: 10, name: 'n',"
                      " place: {note: 'bye', rows: [1]}}");
    assert_int_equal(test_handle_entries(&f->a), entries + 1);
    applies(f, "[{key: 'x', edit: {body: []}}, {key: 'x', edit: {}}, {key: 'x', edit: {body: {splice: [1, 0, '']}}},"
               " {key: 'x', edit: {votes: [{increment: 1}, {increment: -1}]}}]");
    assert_int_equal(test_handle_entries(&f->a), entries + 1); /* nothing of this is an edit */
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void they_make_items_and_follow_what_the_same_call_did(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'doc', edit: {body: {splice: [0, 0, 'a']}, votes: {increment: 2}}},"
               " {key: 'x', edit: {body: {splice: [1, 0, 'b']}}}, {key: 'x', delete: true},"
               " {key: 'x', edit: {body: {splice: [2, 0, 'c']}}}]");
    test_handle_shows(&f->a, "x", "{body: 'abc', votes: 2}"); /* an edit brings it back */
    applies(f, "[{key: 'y', schema: 'doc', set: {votes: 1}, edit: {votes: {increment: 1}}, unset: ['name']}]");
    test_handle_shows(&f->a, "y", "{votes: 2}");
}

/* As JSON; `words` NULL: it is taken. */
static void json_is(test_handles *f, const char *edits, const char *words) {
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_space_apply_json(f->a.space, gt_bytes_text(edits), 0, NULL, &diag);
    if (words == NULL && status != GOAT_OK) fail_msg("%s", diag.message);
    if (words != NULL && status == GOAT_OK) fail_msg("taken: %s", edits);
    if (words != NULL && strstr(diag.message, words) == NULL) fail_msg("%s: %s", edits, diag.message);
}

static void json_says_the_same(void **state) {
    test_handles *f = *state;
    begin_with(f, "x");
    json_is(f,
            "[{\"key\": \"x\", \"edit\": {\"body\": [{\"splice\": [0, 3, \"1\"]}], \"tags\": {\"add\": {\"$bytes\": "
            "\"AQ==\"}},"
            "\"map\": {\"put\": [\"d\", {\"$set\": [1, 2]}]}, \"place.note\": {\"splice\": [0, 0, \"x\"]},"
            "\"rich\": {\"apply_delta\": {\"ops\": [{\"insert\": \"x\", \"attributes\": {\"b\": true}}]}}}}]",
            NULL);
    test_handle_shows(
        &f->a, "x",
        "{title: 'goat', body: '1 two', rows: [1, 2, 3], tags: set[bytes(01), 'a'],"
        " map: {d: set[1, 2], k: 1}, votes: 5, rich: [{insert: 'x', attributes: {b: true}}], place: {note: 'xby'}}");
    json_is(f, "[{\"key\": \"x\", \"edit\": []}]", "wrong type");
    json_is(f, "[{\"key\": \"x\", \"edit\": {\"$set\": [1]}}]", "not a map from fields");
    json_is(f, "[{\"key\": \"x\", \"edit\": {\"body\": {\"splice\": [0, 3]}}}]", "step 1: \"splice\" takes");
    json_is(f, "[{\"key\": \"x\", \"edit\": {\"votes\": {\"increment\": 1.5}}}]", "step 1: \"increment\" takes");
    json_is(f, "[{\"key\": \"x\", \"edit\": {\"rows\": {\"list_set\": [0, {\"$date\": \"no\"}]}}}]", "date");
}

static void what_does_not_fit_is_refused_and_says_where(void **state) {
    test_handles *f = *state;
    static const struct {
        const char *edits, *field, *words;
        goat_status status;
    } wrong[] = {
        {"edit: 7", "edit", "wrong type", GOAT_INVALID},
        {"edit: {nobody: {add: 1}}", "nobody", "no such field", GOAT_INVALID},
        {"edit: {'place.nobody': {add: 1}}", "place.nobody", "no such field", GOAT_INVALID},
        {"edit: {tags: 7}", "tags", "step 1: not a map of one member", GOAT_INVALID},
        {"edit: {tags: {}}", "tags", "step 1: not a map of one member", GOAT_INVALID},
        {"edit: {tags: {add: 1, remove: 2}}", "tags", "step 1: not a map of one member", GOAT_INVALID},
        {"edit: {tags: [{add: 1}, [1]]}", "tags", "step 2: not a map of one member", GOAT_INVALID},
        {"edit: {tags: {insert: 1}}", "tags", "step 1: there is no step of that name", GOAT_INVALID},
        {"edit: {tags: {0: 1}}", "tags", NULL, GOAT_INVALID},
        {"edit: {tags: [{add: 1}, {splice: [0, 0, 'a']}]}", "tags", "step 2: ", GOAT_INVALID},
        {"edit: {body: {add: 1}}", "body", "step 1: ", GOAT_INVALID},
        {"edit: {name: {splice: [0, 0, 'a']}}", "name", "step 1: ", GOAT_INVALID},
        {"edit: {body: {splice: [0, 0]}}", "body", "step 1: \"splice\" takes [position", GOAT_INVALID},
        {"edit: {body: {splice: [0, 0, 'a', 'utf16', 1]}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: [0, 0, 'a', 'utf8']}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: [0, 0, 'a', 2]}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: [-1, 0, 'a']}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: [0.5, 0, 'a']}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: [0, 0, 1]}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: {splice: 'a'}}", "body", "step 1: \"splice\" takes", GOAT_INVALID},
        {"edit: {body: [{splice: [7, 0, 'a']}, {splice: [9, 0, 'a']}]}", "body", "step 2: ", GOAT_INVALID},
        {"edit: {body: {splice: [7, 1, 'a']}}", "body", "step 1: ", GOAT_INVALID},
        {"edit: {rows: {list_insert: [4, [1]]}}", "rows", "step 1: ", GOAT_INVALID},
        {"edit: {rows: {list_insert: [0, 1]}}", "rows", "step 1: \"list_insert\" takes [position, [", GOAT_INVALID},
        {"edit: {rows: {list_insert: [0]}}", "rows", "step 1: \"list_insert\" takes", GOAT_INVALID},
        {"edit: {rows: {list_remove: [3, 1]}}", "rows", "step 1: ", GOAT_INVALID},
        {"edit: {rows: {list_remove: [0, '1']}}", "rows", "step 1: \"list_remove\" takes", GOAT_INVALID},
        {"edit: {rows: {list_move: [0, 3]}}", "rows", "step 1: ", GOAT_INVALID},
        {"edit: {rows: {list_set: [3, 1]}}", "rows", "step 1: ", GOAT_INVALID},
        {"edit: {rows: {list_set: ['0', 1]}}", "rows", "step 1: \"list_set\" takes", GOAT_INVALID},
        {"edit: {map: {put: []}}", "map", "step 1: \"put\" takes", GOAT_INVALID},
        {"edit: {map: {put: [1, 2]}}", "map", "step 1: \"put\" takes", GOAT_INVALID},
        {"edit: {map: {put: ['a', 1, 2]}}", "map", "step 1: \"put\" takes", GOAT_INVALID},
        {"edit: {votes: {increment: 1.5}}", "votes", "step 1: \"increment\" takes", GOAT_INVALID},
        {"edit: {votes: {increment: '1'}}", "votes", "step 1: \"increment\" takes", GOAT_INVALID},
        {"edit: {rich: {apply_delta: [{retain: 1}]}}", "rich", "step 1: ", GOAT_INVALID},
        {"edit: {rich: {apply_delta: 'x'}}", "rich", "step 1: ", GOAT_INVALID},
        {"edit: {title: {splice: [4, 0, '56789']}}", "title", "", GOAT_INVALID},
        {"edit: {tags: {add: 1}}, replace: {}", "", "\"replace\" beside", GOAT_INVALID},
        {"set: {tags: set[]}, unset: ['tags']", "tags", "both set and unset", GOAT_INVALID},
    };
    begin_with(f, "x");
    uint32_t entries = test_handle_entries(&f->a);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char edits[300];
        gt_apply_result result;
        snprintf(edits, sizeof edits, "[{key: 'x', edit: {votes: {increment: 1}}}, {key: 'x', %s}]", wrong[i].edits);
        gt_diag_init(&f->a.diag);
        if (test_handle_apply(&f->a, edits, 0, &result) != wrong[i].status) fail_msg("%s", edits);
        if (wrong[i].words == NULL) continue; /* no value at all */
        if (strstr(f->a.diag.message, wrong[i].words) == NULL) fail_msg("%s: %s", edits, f->a.diag.message);
        assert_string_equal(f->a.diag.field, wrong[i].field);
        assert_string_equal(f->a.diag.path,
                            wrong[i].field[0] == '\0' || strcmp(wrong[i].field, "edit") == 0 ? "" : TEST_REPO "/x");
    }
    assert_int_equal(test_handle_entries(&f->a), entries);
    test_handle_shows(&f->a, "x", whole);
}

static void json_that_is_no_value_is_named_by_its_step(void **state) {
    test_handles *f = *state;
    static const struct {
        const char *steps, *field, *words;
    } wrong[] = {
        {"{\"tags\": {\"add\": {\"$date\": \"bad\"}}}", "tags", "step 1: "},
        {"{\"tags\": [{\"add\": 1}, {\"add\": {\"$date\": \"bad\"}}]}", "tags", "step 2: "},
        {"{\"votes\": {\"increment\": 1}, \"rows\": {\"list_set\": [0, {\"$bytes\": 1}]}}", "rows", "step 1: "},
    };
    begin_with(f, "x");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char edits[300];
        gt_apply_result result;
        snprintf(edits, sizeof edits, "[{\"key\": \"x\", \"edit\": %s}]", wrong[i].steps);
        gt_diag_init(&f->a.diag);
        assert_int_equal(gt_space_apply_json(f->a.space, gt_bytes_text(edits), 0, &result, &f->a.diag), GOAT_INVALID);
        assert_string_equal(f->a.diag.field, wrong[i].field);
        assert_string_equal(f->a.diag.path, TEST_REPO "/x");
        if (strncmp(f->a.diag.message, wrong[i].words, strlen(wrong[i].words)) != 0) fail_msg("%s", f->a.diag.message);
    }
}

static void a_rule_that_steps_break_is_named(void **state) {
    test_handles *f = *state;
    gt_apply_result result;
    begin_with(f, "x");
    applies(f, "[{key: 'x', edit: {title: {splice: [4, 0, '5678']}}}]");
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'x', edit: {title: {splice: [8, 0, '9']}}}]", 0, &result),
                     GOAT_INVALID);
    assert_string_equal(f->a.diag.rule, "max_length");
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'x', edit: {votes: {add: 1}}}]", 0, &result), GOAT_INVALID);
    assert_string_equal(f->a.diag.rule, "type");
}

/* One edit with so many steps, in either form. */
static goat_status count_to(test_handles *f, uint32_t steps, bool as_json) {
    gt_buf edits, value;
    gt_buf_init(&edits, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    const char *begin = "[{\"key\": \"x\", \"edit\": {\"votes\": [", *end = "]}}]";
    gt_buf_append(&edits, begin, strlen(begin));
    for (uint32_t i = 0; i < steps; i++) {
        const char *step = i == 0 ? "{\"increment\": 1}" : ", {\"increment\": 1}";
        gt_buf_append(&edits, step, strlen(step));
    }
    gt_buf_append(&edits, end, strlen(end));
    assert_int_equal(gt_value_from_json_text(gt_buf_bytes(&edits), &value, NULL), GOAT_OK);
    goat_status status = as_json ? gt_space_apply_json(f->a.space, gt_buf_bytes(&edits), 0, NULL, NULL)
                                 : gt_space_apply(f->a.space, gt_buf_bytes(&value), 0, NULL, NULL);
    gt_buf_free(&edits);
    gt_buf_free(&value);
    return status;
}

static void no_more_steps_are_taken_than_a_batch_has_edits(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'doc', set: {votes: 1}}]");
    for (int as_json = 0; as_json < 2; as_json++) {
        assert_int_equal(count_to(f, GOAT_BATCH_MAX, as_json), GOAT_TOO_LARGE);
        test_handle_shows(&f->a, "x", as_json ? "{votes: 65536}" : "{votes: 1}");
        assert_int_equal(count_to(f, GOAT_BATCH_MAX - 1, as_json), GOAT_OK); /* the edit counts too */
    }
    test_handle_shows(&f->a, "x", "{votes: 131071}");
}

static void without_memory_nothing_is_changed(void **state) {
    test_handles *f = *state;
    gt_apply_result result;
    static const char edits[] = "[{key: 'x', set: {name: 'n'}, unset: ['map'], edit: {body: [{splice: [0, 0, 'a']}],"
                                "rows: [{list_insert: [0, [1]]}, {list_move: [2, 0]}], tags: [{add: 'b'}, {add: 'c'}],"
                                "'place.note': {splice: [2, 0, 'e']}}}]";
    begin_with(f, "x");
    test_handle_settle(&f->a);
    uint32_t failures = 0;
    for (uint64_t k = 0;; k++) {
        f->machine.memory.left = k;
        f->machine.memory.failed = false;
        goat_status status = test_handle_apply(&f->a, edits, 0, &result);
        f->machine.memory.left = TEST_ALLOC_NEVER;
        if (status == GOAT_OK) break;
        assert_int_equal(status, GOAT_NO_MEMORY);
        if (gt_repo_get_phase(f->a.space->mount->repo) == GT_REPO_FAILED) { /* it was logged: db_fault_test */
            assert_true(failures > 10);
            return;
        }
        test_handle_shows(&f->a, "x", whole);
        failures++;
    }
    assert_true(failures > 10);
    test_handle_shows(&f->a, "x",
                      "{title: 'goat', body: 'aone two', rows: [2, 1, 1, 3], tags: set['a', 'b', 'c'], votes: 5,"
                      " name: 'n', place: {note: 'bye'}}");
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, test_handles_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_step_is_recorded_as_the_operation_that_it_names),
        CASE(units_of_a_splice_are_those_that_it_names),
        CASE(several_steps_are_made_in_order_and_are_one_commit),
        CASE(they_make_items_and_follow_what_the_same_call_did),
        CASE(json_says_the_same),
        CASE(what_does_not_fit_is_refused_and_says_where),
        CASE(json_that_is_no_value_is_named_by_its_step),
        CASE(a_rule_that_steps_break_is_named),
        CASE(no_more_steps_are_taken_than_a_batch_has_edits),
        CASE(without_memory_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
