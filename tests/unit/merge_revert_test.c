/* Reverting: claims one by one, and properties over random histories of several authors who edit all types, revert each
 * other, and revert reverts. */
#include "support/test.h"

#include "merge/revert.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdlib.h>

enum { STEPS_MAX = 40, AUTHORS_MAX = 4, HISTORIES = 3000 };

typedef struct history {
    gt_schema *schema;
    test_random random;
    uint32_t count;
    gt_step steps[STEPS_MAX];
    uint8_t ids[STEPS_MAX][32];
    uint32_t parents[STEPS_MAX][STEPS_MAX];
    uint64_t past[STEPS_MAX]; /* strict ancestors */
    uint32_t undone[STEPS_MAX][STEPS_MAX];
    gt_undoes undoes[STEPS_MAX];
    gt_buf deltas[STEPS_MAX];
} history;

static int set_up(void **state) {
    history *h = calloc(1, sizeof(*h));
    *state = h;
    if (h == NULL) return 1;
    h->schema =
        test_schema("{\"ns\": \"page\", \"version\": 1, \"fields\": {\"title\": {\"type\": \"string\"},"
                    "\"done\": {\"type\": \"boolean\"}, \"body\": {\"type\": \"text\"}, \"list\": {\"type\": \"list\"},"
                    "\"tags\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
                    "\"rich\": {\"type\": \"richtext\"}, \"card\": {\"type\": \"object\", \"fields\": {"
                    "\"name\": {\"type\": \"string\"}, \"note\": {\"type\": \"text\"}}}}}");
    return 0;
}

static void begin(history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
    h->count = 0;
}

static int tear_down(void **state) {
    history *h = *state;
    begin(h);
    gt_schema_free(h->schema);
    free(h);
    return 0;
}

static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }
static uint64_t first_steps(uint32_t count) { return bit(count) - 1; }

/* ---- replays ---- */

/* Some of the steps as core/merge wants them. */
typedef struct some {
    gt_step steps[STEPS_MAX];
    uint32_t parents[STEPS_MAX][STEPS_MAX], undone[STEPS_MAX][STEPS_MAX], number[STEPS_MAX];
    gt_undoes undoes[STEPS_MAX];
    uint32_t count;
} some;

static void choose(const history *h, uint64_t which, uint64_t base, uint64_t voids, some *s) {
    s->count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((which & ~base & bit(i)) == 0) continue;
        uint32_t at = s->count++;
        s->number[i] = at;
        s->steps[at] = h->steps[i];
        s->steps[at].is_void = (voids & bit(i)) != 0;
        s->steps[at].parents = s->parents[at];
        s->steps[at].parent_count = 0;
        for (uint32_t k = 0; k < h->steps[i].parent_count; k++) {
            uint32_t parent = h->parents[i][k];
            if ((base & bit(parent)) == 0) s->parents[at][s->steps[at].parent_count++] = s->number[parent];
        }
        for (uint32_t k = 0; k < h->undoes[i].count; k++) s->undone[at][k] = s->number[h->undone[i][k]];
        s->undoes[at] = (gt_undoes){s->undone[at], h->undoes[i].count};
    }
}

static void replay(const history *h, uint64_t which, uint64_t voids, gt_buf *out) {
    some s;
    gt_diag diag;
    gt_diag_init(&diag);
    choose(h, which, 0, voids, &s);
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, h->schema, (gt_bytes){0}, s.steps, s.count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

/* ---- making steps ---- */

static uint32_t add_step(history *h, uint64_t known, gt_bytes delta) {
    uint32_t at = h->count++;
    gt_step *step = &h->steps[at];
    uint64_t heads = known;
    for (uint32_t i = 0; i < at; i++) {
        if ((known & bit(i)) != 0) heads &= ~h->past[i];
    }
    *step = (gt_step){.id = h->ids[at], .time = at + 1, .parents = h->parents[at]};
    for (uint32_t i = 0; i < at; i++) {
        if ((heads & bit(i)) != 0) h->parents[at][step->parent_count++] = i;
    }
    for (uint32_t i = 0; i < 32; i++) h->ids[at][i] = (uint8_t)(i == 0 ? (at * 167 + 13) % 251 : at);
    gt_buf_init(&h->deltas[at], &gt_alloc_system);
    gt_buf_append(&h->deltas[at], delta.data, delta.len);
    step->delta = gt_buf_bytes(&h->deltas[at]);
    h->past[at] = known;
    h->undoes[at] = (gt_undoes){h->undone[at], 0};
    return at;
}

static uint32_t edit(history *h, uint64_t known, const char *delta) {
    gt_bytes value = test_value(delta);
    uint32_t step = add_step(h, known, value);
    test_value_free(value);
    return step;
}

/* In pieces of some steps each it comes to what it does at once. */
static void make_revert(const gt_reverting *what, uint32_t piece, gt_buf *view, gt_buf *delta) {
    gt_buf views, deltas;
    gt_undoing *undoing;
    gt_diag diag;
    bool done = false;
    uint32_t budget = UINT32_MAX, pieces = 0;
    gt_diag_init(&diag);
    gt_buf_init(&views, &gt_alloc_system);
    gt_buf_init(&deltas, &gt_alloc_system);
    if (gt_merge_revert(&gt_alloc_system, what, view, delta, NULL, &diag) != GOAT_OK) fail_msg("%s", diag.message);
    assert_int_equal(gt_undoing_begin(&gt_alloc_system, what, &undoing, NULL), GOAT_OK);
    for (; !done; pieces++) {
        budget = piece;
        assert_int_equal(gt_undoing_step(undoing, &budget, &done, NULL), GOAT_OK);
        assert_true(budget < piece);
    }
    assert_true(pieces >=
                (2 * what->step_count + piece - 1) / piece); /* two replays at least, but of all that is deleted */
    assert_int_equal(gt_undoing_write(undoing, &budget, &views, &deltas, NULL, NULL), GOAT_OK);
    assert_true(gt_bytes_equal(gt_buf_bytes(view), gt_buf_bytes(&views)));
    assert_true(gt_bytes_equal(gt_buf_bytes(delta), gt_buf_bytes(&deltas)));
    gt_undoing_free(undoing);
    gt_buf_free(&views);
    gt_buf_free(&deltas);
}

/* Reverts some steps of those known; UINT32_MAX when there is nothing to revert. */
static uint32_t revert(history *h, uint64_t known, uint64_t wanted) {
    some s;
    uint8_t asked[STEPS_MAX] = {0}, marks[STEPS_MAX];
    gt_buf view, delta, expected;
    gt_diag diag;
    gt_diag_init(&diag);
    choose(h, known, 0, 0, &s);
    for (uint32_t i = 0; i < h->count; i++) {
        if ((known & wanted & bit(i)) != 0) asked[s.number[i]] = 1;
    }
    uint32_t named = gt_merge_mark(s.steps, s.undoes, s.count, asked, marks);
    if (named == 0) return UINT32_MAX;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&expected, &gt_alloc_system);
    gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
    make_revert(&what, 1 + h->count % 7, &view, &delta);
    if (gt_merge_check_delta(h->schema, gt_buf_bytes(&delta), &diag) != GOAT_OK) fail_msg("%s", diag.message);
    replay(h, known, 0, &expected);
    assert_true(gt_bytes_equal(gt_buf_bytes(&view), gt_buf_bytes(&expected)));
    uint32_t step = add_step(h, known, gt_buf_bytes(&delta));
    for (uint32_t i = 0; i < step; i++) {
        if ((known & bit(i)) == 0 || (marks[s.number[i]] & GT_MARK_NAMED) == 0) continue;
        h->undone[step][h->undoes[step].count++] = i;
    }
    gt_buf_free(&view);
    gt_buf_free(&delta);
    gt_buf_free(&expected);
    return step;
}

static void print_history(const history *h) {
    for (uint32_t i = 0; i < h->count; i++) {
        gt_buf text;
        test_value_print(h->steps[i].delta, &text);
        print_error("%2u after", i);
        for (uint32_t k = 0; k < h->steps[i].parent_count; k++) print_error(" %u", h->parents[i][k]);
        for (uint32_t k = 0; k < h->undoes[i].count; k++)
            print_error("%s %u", k == 0 ? " undoes" : "", h->undone[i][k]);
        print_error(": %s\n", (const char *)text.data);
        gt_buf_free(&text);
    }
}

static void assert_same(const history *h, const gt_buf *expected, const gt_buf *actual, const char *claim) {
    if (gt_bytes_equal(gt_buf_bytes(expected), gt_buf_bytes(actual))) return;
    gt_buf text;
    print_history(h);
    test_value_print(gt_buf_bytes(expected), &text);
    print_error("expected %s\n", (const char *)text.data);
    gt_buf_free(&text);
    test_value_print(gt_buf_bytes(actual), &text);
    print_error(" but was %s\n", (const char *)text.data);
    gt_buf_free(&text);
    fail_msg("%s", claim);
}

static void assert_view(const history *h, uint64_t known, const char *notation) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    replay(h, known, 0, &state);
    assert_value(gt_buf_bytes(&state), notation);
    gt_buf_free(&state);
}

static void assert_all(const history *h, const char *notation) { assert_view(h, first_steps(h->count), notation); }

/* The next step knows all there are. */
static uint32_t edit_all(history *h, const char *delta) { return edit(h, first_steps(h->count), delta); }
static uint32_t revert_one(history *h, uint32_t step) { return revert(h, first_steps(h->count), bit(step)); }

/* ---- claims ---- */

static void a_write_goes_back_to_the_one_before(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{title: 'a'}");
    uint32_t second = edit_all(h, "{title: 'b', done: true}");
    edit_all(h, "{votes: 3}");
    revert_one(h, second);
    assert_all(h, "{title: 'a', votes: 3}");
}

static void what_was_written_over_stays_written_over(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{title: 'a'}");
    uint32_t second = edit_all(h, "{title: 'b'}");
    edit_all(h, "{title: 'c'}");
    uint32_t undo = revert_one(h, second);
    assert_all(h, "{title: 'c'}");
    assert_value(h->steps[undo].delta, "{}");
}

static void what_is_undone_does_not_come_back_with_another(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{votes: 1}");
    uint32_t a = edit_all(h, "{title: 'a'}"), b = edit_all(h, "{title: 'b'}");
    revert_one(h, a);
    assert_all(h, "{title: 'b', votes: 1}");
    revert_one(h, b);
    assert_all(h, "{votes: 1}");
}

static void undoing_twice_undoes_what_the_first_brought_back(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{body: '', list: []}");
    uint32_t one = edit_all(h, "{body: {0: ['one']}, list: {0: [[1]]}, title: 'one'}");
    uint32_t two = edit_all(h, "{body: {0: ['two', -3]}, list: {0: [[2], -1]}, title: 'two'}");
    revert_one(h, two);
    assert_all(h, "{body: 'one', list: [1], title: 'one'}");
    revert_one(h, one);
    assert_all(h, "{body: '', list: []}");
}

static void a_chain_of_undo_and_redo_stays_exact(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{body: 'ac', list: [1, 3], votes: 1, tags: set['x'], map: {k: 1}}");
    uint32_t last = edit_all(
        h, "{body: {0: [1, 'b']}, list: {0: [1, [2]]}, votes: 5, tags: {0: set['y'], 1: set['x']}, map: {k: 2}}");
    for (int i = 0; i < 5; i++) {
        last = revert_one(h, last);
        assert_all(h, "{body: 'ac', list: [1, 3], votes: 1, tags: set['x'], map: {k: 1}}");
        last = revert_one(h, last);
        assert_all(h, "{body: 'abc', list: [1, 2, 3], votes: 6, tags: set['y'], map: {k: 2}}");
    }
}

static void others_type_inside_of_what_is_undone_and_done_again(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{body: ''}");
    uint32_t typed = edit_all(h, "{body: {0: ['abc']}}");
    uint32_t undo = revert_one(h, typed);
    revert_one(h, undo);
    edit_all(h, "{body: {0: [1, 'X']}}");
    assert_all(h, "{body: 'aXbc'}");
    uint32_t again = revert_one(h, typed);
    assert_all(h, "{body: 'X'}");
    revert_one(h, again);
    assert_all(h, "{body: 'aXbc'}");
}

static void a_creation_undone_is_a_deletion(void **state) {
    history *h = *state;
    begin(h);
    uint32_t first = edit_all(h, "{title: 'a', body: 'b'}");
    uint32_t undo = revert_one(h, first);
    assert_value(h->steps[undo].delta, "{0: true}");
    assert_all(h, "{0: true, title: 'a', body: 'b'}");
    revert_one(h, undo);
    assert_all(h, "{title: 'a', body: 'b'}");
}

static void a_creation_undone_leaves_what_others_wrote(void **state) {
    history *h = *state;
    begin(h);
    uint32_t first = edit_all(h, "{title: 'a', body: 'b'}");
    edit_all(h, "{votes: 1}");
    revert_one(h, first);
    assert_all(h, "{votes: 1}");
}

static void a_deletion_is_undone_and_done_again(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{title: 'a'}");
    uint32_t deletion = edit_all(h, "{0: true}");
    uint32_t undo = revert_one(h, deletion);
    assert_all(h, "{title: 'a'}");
    revert_one(h, undo);
    assert_all(h, "{0: true, title: 'a'}");
}

static void an_undone_edit_does_not_clear_a_tombstone(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{title: 'a'}");
    uint32_t second = edit_all(h, "{title: 'b'}");
    edit_all(h, "{0: true}");
    revert_one(h, second);
    assert_all(h, "{0: true, title: 'a'}");
}

static void a_moved_element_goes_back_with_what_others_made_of_it(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{list: [1, 2, 3]}");
    uint32_t moves = edit_all(h, "{list: {0: [{1: 2}]}}");
    assert_all(h, "{list: [3, 1, 2]}");
    edit_all(h, "{list: {0: [{2: 'three'}]}}");
    uint32_t undo = revert_one(h, moves);
    assert_all(h, "{list: [1, 2, 'three']}");
    assert_value(h->steps[undo].delta, "{list: {0: [3, {1: 0}]}}");
    revert_one(h, undo);
    assert_all(h, "{list: ['three', 1, 2]}");
}

/* Somebody types beside an "a" that is like those around it: what is undone is that one, not the last. */
static void what_is_undone_in_an_object_goes_by_its_fields(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{card: {name: 'x', note: 'aa'}}");
    uint32_t types = edit_all(h, "{card: {name: 'y', note: {0: ['a']}}}");
    uint64_t known = first_steps(h->count);
    uint32_t undo = revert(h, known, bit(types));
    assert_value(h->steps[undo].delta, "{card: {name: 'x', note: {0: [-1]}}}");
    edit(h, known, "{card: {note: {0: [1, '-']}}}");
    assert_all(h, "{card: {name: 'x', note: '-aa'}}");
    edit_all(h, "{card: {name: 'z'}}");
    uint32_t redo = revert_one(h, undo); /* of the name somebody else knew better */
    assert_value(h->steps[redo].delta, "{card: {note: {0: ['a']}}}");
    assert_all(h, "{card: {name: 'z', note: 'a-aa'}}");
}

static void two_who_undo_at_once_are_both_taken_back(void **state) {
    history *h = *state;
    begin(h);
    edit_all(h, "{body: 'abc'}");
    uint32_t removed = edit_all(h, "{body: {0: [-3]}}");
    uint64_t known = first_steps(h->count);
    uint32_t one = revert(h, known, bit(removed)), other = revert(h, known, bit(removed));
    assert_all(h, "{body: 'abcabc'}");
    revert(h, first_steps(h->count), bit(one) | bit(other));
    assert_all(h, "{body: ''}");
}

static void what_is_undone_already_is_not_named_again(void **state) {
    history *h = *state;
    begin(h);
    uint32_t first = edit_all(h, "{title: 'a'}"), second = edit_all(h, "{votes: 1}");
    revert_one(h, second);
    assert_int_equal(revert_one(h, second), UINT32_MAX);
    uint32_t both = revert(h, first_steps(h->count), bit(first) | bit(second));
    assert_int_equal(h->undoes[both].count, 1);
    assert_int_equal(h->undone[both][0], first);
}

/* ---- random histories ---- */

static gt_bytes field_of(const gt_buf *state, const char *name) {
    return gt_map_find(gt_buf_bytes(state), gt_bytes_text(name));
}

static void random_text(test_random *random, char *out) {
    uint32_t len = 1 + test_random_below(random, 4);
    for (uint32_t i = 0; i < len; i++) out[i] = (char)('a' + test_random_below(random, 3));
    out[len] = '\0';
}

/* Inserts, removes or formats somewhere in a rich text. */
static void random_delta(test_random *random, const gt_field *field, gt_bytes base, const char *text, gt_buf *edit) {
    static const char *const attributes[] = {"{}", "{b: 1}", "{b: 2, i: 1}", "{b: null}"};
    uint32_t len = base.data == NULL ? 0 : (uint32_t)gt_rich_count(base), at = test_random_below(random, len + 1);
    const char *given = attributes[test_random_below(random, 4)];
    gt_buf notation;
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, "[");
    if (at > 0) test_text(&notation, "{retain: %u}, ", (unsigned)at);
    uint32_t rest = len - at, kind = rest == 0 ? 0 : test_random_below(random, 4);
    if (kind < 2) test_text(&notation, "{insert: '%s', attributes: %s}, ", text, given);
    if (kind == 1 || kind == 2) test_text(&notation, "{delete: %u}", 1 + (unsigned)test_random_below(random, rest));
    if (kind == 3)
        test_text(&notation, "{retain: %u, attributes: %s}", 1 + (unsigned)test_random_below(random, rest), given);
    if (kind == 0) test_text(&notation, "{insert: {e: 1}}");
    test_text(&notation, "]");
    gt_bytes delta = test_value((const char *)notation.data);
    assert_int_equal(gt_edit_delta(field, base, delta, edit, NULL), GOAT_OK);
    test_value_free(delta);
    gt_buf_free(&notation);
}

/* Writes the name in an object, or types in its note. */
static void random_in_object(test_random *random, const gt_field *object, gt_bytes base, const char *text,
                             gt_buf *edit) {
    bool names = test_random_below(random, 2) == 0;
    const gt_field *field = gt_schema_field(object->fields, gt_bytes_text(names ? "name" : "note"));
    gt_bytes inner = base.data == NULL ? base : gt_map_find(base, field->name), content = {0};
    gt_write_map_head(edit, 1);
    gt_write_text(edit, field->name);
    if (names || inner.data == NULL || !gt_value_as_text(inner, &content)) {
        gt_write_text(edit, gt_bytes_text(text));
        return;
    }
    uint32_t at = test_random_below(random, (uint32_t)content.len + 1);
    gt_splice splice = {GOAT_UNIT_CODE_POINT, at, at < content.len && at % 2 == 0, gt_bytes_text(text)};
    assert_int_equal(gt_edit_splice(field, inner, &splice, edit, NULL), GOAT_OK);
}

static void random_field(history *h, const gt_buf *view, uint32_t which, gt_buf *edit) {
    static const char *const names[] = {"title", "done", "body", "list", "tags", "map", "votes", "rich", "card"};
    test_random *random = &h->random;
    const gt_field *field = gt_schema_field(h->schema, gt_bytes_text(names[which]));
    gt_bytes base = field_of(view, names[which]);
    char text[8];
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    if (test_random_below(random, 20) == 0) {
        gt_edit_diff(field, base, (gt_bytes){0}, edit, NULL);
        gt_buf_free(&value);
        return;
    }
    random_text(random, text);
    if (which == 0) {
        gt_write_text(edit, gt_bytes_text(text));
    } else if (which == 1) {
        gt_write_bool(edit, test_random_below(random, 2) == 0);
    } else if (which == 2) {
        uint32_t len = base.data == NULL ? 0 : (uint32_t)base.len - 1; /* short enough for one byte of head, mostly */
        gt_bytes content = {0};
        if (base.data != NULL && gt_value_as_text(base, &content)) len = (uint32_t)content.len;
        uint32_t at = test_random_below(random, len + 1), count = test_random_below(random, len - at + 1);
        gt_splice splice = {GOAT_UNIT_CODE_POINT, at, test_random_below(random, 2) == 0 ? 0 : count,
                            gt_bytes_text(text)};
        if (test_random_below(random, 4) == 0) splice.text.len = 0;
        assert_int_equal(gt_edit_splice(field, base, &splice, edit, NULL), GOAT_OK);
    } else if (which == 3) {
        uint32_t len = base.data == NULL ? 0 : (uint32_t)gt_value_count(base), kind = test_random_below(random, 5);
        if (len == 0 || kind < 2) {
            gt_write_array_head(&value, 2);
            gt_write_int(&value, test_random_below(random, 5));
            gt_write_text(&value, gt_bytes_text(text));
            gt_edit_list_insert(field, base, test_random_below(random, len + 1), gt_buf_bytes(&value), edit, NULL);
        } else if (kind == 2) {
            gt_edit_list_remove(field, base, test_random_below(random, len), 1, edit, NULL);
        } else if (kind == 3) {
            gt_edit_list_move(field, base, test_random_below(random, len), test_random_below(random, len), edit, NULL);
        } else {
            gt_write_text(&value, gt_bytes_text(text));
            gt_edit_list_set(field, base, test_random_below(random, len), gt_buf_bytes(&value), edit, NULL);
        }
    } else if (which == 4) {
        text[1] = '\0';
        gt_write_text(&value, gt_bytes_text(text));
        if (test_random_below(random, 2) == 0) {
            gt_edit_add(field, gt_buf_bytes(&value), edit, NULL);
        } else {
            gt_edit_remove(field, base, gt_buf_bytes(&value), edit, NULL);
        }
    } else if (which == 5) {
        text[1] = '\0';
        gt_write_int(&value, test_random_below(random, 9));
        gt_bytes put = test_random_below(random, 3) == 0 ? (gt_bytes){0} : gt_buf_bytes(&value);
        gt_edit_put(field, base, gt_bytes_text(text), put, edit, NULL);
    } else if (which == 6) {
        gt_edit_increment(field, (int64_t)test_random_below(random, 9) - 4, edit, NULL);
    } else if (which == 7) {
        random_delta(random, field, base, text, edit);
    } else {
        random_in_object(random, field, base, text, edit);
    }
    gt_buf_free(&value);
}

/* Some fields of `fields` (bits) are edited on what is seen. */
static uint32_t random_edit(history *h, uint64_t known, uint32_t fields, bool deletes) {
    gt_pair pairs[9];
    static const char *const names[] = {"title", "done", "body", "list", "tags", "map", "votes", "rich", "card"};
    gt_buf view, edits[9], delta;
    size_t count = 0;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    replay(h, known, 0, &view);
    for (uint32_t i = 0; i < 9; i++) {
        gt_buf_init(&edits[i], &gt_alloc_system);
        if ((fields >> i & 1) == 0 || test_random_below(&h->random, 3) == 0) continue;
        random_field(h, &view, i, &edits[i]);
        if (edits[i].len > 0) pairs[count++] = (gt_pair){gt_bytes_text(names[i]), gt_buf_bytes(&edits[i])};
    }
    if (deletes && test_random_below(&h->random, 10) == 0) {
        gt_write_map_head(&delta, 1);
        gt_write_int(&delta, 0);
        gt_write_bool(&delta, test_random_below(&h->random, 3) > 0);
    } else {
        gt_write_map(&delta, pairs, count);
    }
    uint32_t step = add_step(h, known, gt_buf_bytes(&delta));
    for (uint32_t i = 0; i < 9; i++) gt_buf_free(&edits[i]);
    gt_buf_free(&view);
    gt_buf_free(&delta);
    return step;
}

static uint64_t random_some(history *h, uint64_t of) {
    uint64_t some_of = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if (test_random_below(&h->random, 3) == 0) some_of |= of & bit(i);
    }
    return some_of;
}

/* Everybody begins from one first step, unless that is wanted otherwise. `reverts`: of a hundred steps. */
static void random_history(history *h, uint32_t steps, uint32_t authors, uint32_t reverts, uint64_t *by) {
    uint64_t known[AUTHORS_MAX];
    begin(h);
    uint32_t first = edit(h, 0, "{body: 'abc', list: [1, 2, 3], title: 'x', card: {note: 'ab'}}");
    for (uint32_t i = 0; i < AUTHORS_MAX; i++) {
        known[i] = bit(first);
        by[i] = 0;
    }
    by[0] = bit(first);
    while (h->count < steps) {
        uint32_t one = test_random_below(&h->random, authors), other = test_random_below(&h->random, authors);
        uint32_t event = test_random_below(&h->random, 100), step;
        if (event < 35) {
            known[one] |= known[other];
            continue;
        }
        uint64_t wanted = test_random_below(&h->random, 2) == 0 ? bit(test_random_below(&h->random, h->count))
                                                                : random_some(h, known[one]);
        if (test_random_below(&h->random, 100) < reverts) {
            step = revert(h, known[one], wanted & known[one]);
            if (step == UINT32_MAX) continue;
        } else {
            step = random_edit(h, known[one], 0x1ff, true);
        }
        known[one] |= bit(step);
        by[one] |= bit(step);
    }
}

/* Reverts some of it and takes that back: nothing came between, so everything is as it was. */
static void a_revert_of_a_revert_restores_everything(void **state) {
    history *h = *state;
    gt_buf before, after;
    uint64_t by[AUTHORS_MAX];
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < HISTORIES; i++) {
        random_history(h, 4 + test_random_below(&h->random, 20), 1 + test_random_below(&h->random, AUTHORS_MAX), 30,
                       by);
        uint64_t all = first_steps(h->count);
        replay(h, all, 0, &before);
        uint32_t undo = revert(h, all, random_some(h, all));
        if (undo == UINT32_MAX) continue;
        for (int again = 0; again < 3; again++) {
            uint32_t redo = revert_one(h, undo);
            replay(h, first_steps(h->count), 0, &after);
            assert_same(h, &before, &after, "a revert and its revert");
            undo = revert_one(h, redo);
        }
    }
    gt_buf_free(&before);
    gt_buf_free(&after);
}

/* Others have gone on with other fields: those that the revert changed are as they were, and the rest as they made it. */
static void what_others_did_to_other_fields_stays(void **state) {
    history *h = *state;
    gt_buf before, after, expected;
    uint64_t by[AUTHORS_MAX];
    static const char *const names[] = {"title", "done", "body", "list", "tags", "map", "votes", "rich", "card"};
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    gt_buf_init(&expected, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < HISTORIES; i++) {
        random_history(h, 4 + test_random_below(&h->random, 16), 1 + test_random_below(&h->random, AUTHORS_MAX), 30,
                       by);
        uint64_t all = first_steps(h->count), base = all;
        replay(h, all, 0, &before);
        uint32_t undo = revert(h, all, random_some(h, all));
        if (undo == UINT32_MAX) continue;
        uint32_t fields = test_random_below(&h->random, 512);
        uint64_t one = all | bit(undo), other = test_random_below(&h->random, 2) == 0 ? one : base;
        for (int k = 0; k < 3; k++) other |= bit(random_edit(h, other, fields, false));
        all = first_steps(h->count);
        replay(h, all, 0, &expected);
        revert_one(h, undo);
        replay(h, first_steps(h->count), 0, &after);
        for (int k = 0; k < 9; k++) {
            gt_bytes now = field_of(&after, names[k]), was = field_of(&before, names[k]);
            if ((fields >> k & 1) != 0) continue;
            bool same = was.data == NULL || now.data == NULL ? was.data == now.data : gt_bytes_equal(was, now);
            if (!same) assert_same(h, &before, &after, names[k]);
        }
    }
    gt_buf_free(&before);
    gt_buf_free(&after);
    gt_buf_free(&expected);
}

/* Where nobody has reverted yet, what is left is what there would be if those steps had been void. */
static void a_first_revert_leaves_what_void_steps_leave(void **state) {
    history *h = *state;
    gt_buf expected, after;
    uint64_t by[AUTHORS_MAX];
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < HISTORIES; i++) {
        uint32_t authors = 1 + test_random_below(&h->random, AUTHORS_MAX);
        random_history(h, 4 + test_random_below(&h->random, 20), authors, 0, by);
        uint64_t all = first_steps(h->count), wanted = by[test_random_below(&h->random, authors)];
        if (test_random_below(&h->random, 2) == 0) wanted = random_some(h, all);
        wanted &= ~bit(0); /* the creation is another matter */
        if (revert(h, all, wanted) == UINT32_MAX) continue;
        replay(h, all, wanted, &expected);
        replay(h, first_steps(h->count), 0, &after);
        assert_same(h, &expected, &after, "reverted, and void");
    }
    gt_buf_free(&expected);
    gt_buf_free(&after);
}

/* One author: undo goes back step by step, redo forth again, and what was there each time is what had been there. */
static void undo_and_redo_walk_along_the_history(void **state) {
    history *h = *state;
    gt_buf views[16], after;
    uint32_t undone[16];
    gt_buf_init(&after, &gt_alloc_system);
    for (int k = 0; k < 16; k++) gt_buf_init(&views[k], &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < HISTORIES / 4; i++) {
        uint32_t count = 1 + test_random_below(&h->random, 8), back = 0;
        begin(h);
        edit_all(h, "{body: 'abc', list: [1, 2, 3], title: 'x'}");
        replay(h, 1, 0, &views[0]);
        for (uint32_t k = 1; k <= count; k++) {
            random_edit(h, first_steps(h->count), 0x7f, true);
            replay(h, first_steps(h->count), 0, &views[k]);
        }
        while (h->count < STEPS_MAX - 1) {
            bool undoes = back == 0 || (back < count && test_random_below(&h->random, 2) == 0);
            if (undoes) {
                undone[back] = revert_one(h, count - back);
                back++;
            } else {
                revert_one(h, undone[--back]);
            }
            replay(h, first_steps(h->count), 0, &after);
            assert_same(h, &views[count - back], &after, "a step of undo or redo");
        }
    }
    gt_buf_free(&after);
    for (int k = 0; k < 16; k++) gt_buf_free(&views[k]);
}

static void a_revert_of_nothing_changes_nothing(void **state) {
    history *h = *state;
    uint64_t by[AUTHORS_MAX];
    gt_buf view, delta;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < HISTORIES / 4; i++) {
        some s;
        uint8_t asked[STEPS_MAX] = {0}, marks[STEPS_MAX];
        random_history(h, 4 + test_random_below(&h->random, 20), AUTHORS_MAX, 30, by);
        choose(h, first_steps(h->count), 0, 0, &s);
        assert_int_equal(gt_merge_mark(s.steps, s.undoes, s.count, asked, marks), 0);
        gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
        gt_buf_clear(&view);
        gt_buf_clear(&delta);
        assert_int_equal(gt_merge_revert(&gt_alloc_system, &what, &view, &delta, NULL, NULL), GOAT_OK);
        bool is_deleted = gt_map_find_int(gt_buf_bytes(&view), 0).data != NULL;
        if (!is_deleted || delta.len > 1) assert_value(gt_buf_bytes(&delta), "{}");
    }
    gt_buf_free(&view);
    gt_buf_free(&delta);
}

/* From every base that may be one the delta is the same. */
static void the_base_makes_no_difference(void **state) {
    history *h = *state;
    uint64_t by[AUTHORS_MAX];
    gt_buf view, delta, base;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    int bases = 0;
    for (int i = 0; i < HISTORIES; i++) {
        random_history(h, 4 + test_random_below(&h->random, 20), 1 + test_random_below(&h->random, 2), 20, by);
        uint64_t all = first_steps(h->count), wanted = bit(h->count - 1 - test_random_below(&h->random, 3));
        uint32_t undo = revert(h, all, wanted);
        if (undo == UINT32_MAX) continue;
        for (uint32_t count = 1; count < undo; count++) {
            uint64_t below = first_steps(count);
            bool good = (wanted & below) == 0;
            for (uint32_t k = count; k < undo && good; k++) {
                good = (h->past[k] & below) == below;
                for (uint32_t n = 0; n < h->undoes[k].count; n++) good = good && h->undone[k][n] >= count;
            }
            if (!good) continue;
            some s;
            uint8_t asked[STEPS_MAX] = {0}, marks[STEPS_MAX];
            replay(h, below, 0, &base);
            choose(h, all, below, 0, &s);
            for (uint32_t k = count; k < undo; k++) asked[s.number[k]] = (wanted & bit(k)) != 0;
            gt_merge_mark(s.steps, s.undoes, s.count, asked, marks);
            gt_reverting what = {h->schema, gt_buf_bytes(&base), s.steps, marks, s.count, false};
            gt_buf_clear(&view);
            gt_buf_clear(&delta);
            assert_int_equal(gt_merge_revert(&gt_alloc_system, &what, &view, &delta, NULL, NULL), GOAT_OK);
            assert_same(h, &h->deltas[undo], &delta, "from another base");
            bases++;
        }
    }
    assert_true(bases > HISTORIES / 8);
    gt_buf_free(&view);
    gt_buf_free(&delta);
    gt_buf_free(&base);
}

static void every_lack_of_memory_is_said(void **state) {
    history *h = *state;
    some s;
    uint8_t asked[STEPS_MAX] = {0}, marks[STEPS_MAX];
    begin(h);
    edit_all(h, "{body: 'abc', list: [1, 2, 3], rich: [{insert: 'abc'}]}");
    uint32_t first =
        edit_all(h, "{body: {0: [1, 'x', -1]}, list: {0: [{1: 2}, [4]]}, rich: {0: ['r']}, votes: 1, map: {k: 1}}");
    uint64_t known = first_steps(h->count);
    uint32_t undo = revert_one(h, first);
    edit(h, known, "{body: {0: [2, 'y']}, list: {0: [-1]}, rich: {0: [1, 's']}, map: {k: 2}, tags: set[1]}");
    revert_one(h, undo);
    edit_all(h, "{body: {0: [1, 'z']}, list: {0: [[5]]}, rich: {0: [1, 't']}, votes: 2}");
    choose(h, first_steps(h->count), 0, 0, &s);
    asked[first] = 1;
    assert_int_equal(gt_merge_mark(s.steps, s.undoes, s.count, asked, marks), 1);
    gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        gt_buf view, delta;
        test_alloc_init(&memory, k);
        gt_buf_init(&view, &memory.alloc);
        gt_buf_init(&delta, &memory.alloc);
        goat_status status = gt_merge_revert(&memory.alloc, &what, &view, &delta, NULL, NULL);
        gt_buf_free(&view);
        gt_buf_free(&delta);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 20);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_goes_back_to_the_one_before),
        cmocka_unit_test(what_was_written_over_stays_written_over),
        cmocka_unit_test(what_is_undone_does_not_come_back_with_another),
        cmocka_unit_test(undoing_twice_undoes_what_the_first_brought_back),
        cmocka_unit_test(a_chain_of_undo_and_redo_stays_exact),
        cmocka_unit_test(others_type_inside_of_what_is_undone_and_done_again),
        cmocka_unit_test(a_creation_undone_is_a_deletion),
        cmocka_unit_test(a_creation_undone_leaves_what_others_wrote),
        cmocka_unit_test(a_deletion_is_undone_and_done_again),
        cmocka_unit_test(an_undone_edit_does_not_clear_a_tombstone),
        cmocka_unit_test(a_moved_element_goes_back_with_what_others_made_of_it),
        cmocka_unit_test(what_is_undone_in_an_object_goes_by_its_fields),
        cmocka_unit_test(two_who_undo_at_once_are_both_taken_back),
        cmocka_unit_test(what_is_undone_already_is_not_named_again),
        cmocka_unit_test(a_revert_of_nothing_changes_nothing),
        cmocka_unit_test(a_first_revert_leaves_what_void_steps_leave),
        cmocka_unit_test(undo_and_redo_walk_along_the_history),
        cmocka_unit_test(a_revert_of_a_revert_restores_everything),
        cmocka_unit_test(what_others_did_to_other_fields_stays),
        cmocka_unit_test(the_base_makes_no_difference),
        cmocka_unit_test(every_lack_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
