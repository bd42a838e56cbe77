#include "support/undo_history.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdlib.h>

int undo_set_up(void **state) { return undo_set_up_with(state, "both"); }

int undo_set_up_with(void **state, const char *strategy) {
    undo_history *h = calloc(1, sizeof(*h));
    gt_buf json;
    *state = h;
    if (h == NULL) return 1;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json,
              "{\"ns\": \"page\", \"version\": 1, \"fields\": {\"title\": {\"type\": \"string\"},"
              "\"done\": {\"type\": \"boolean\"}, \"body\": {\"type\": \"text\", \"merge\": \"%s\"},"
              "\"list\": {\"type\": \"list\", \"merge\": \"%s\"}, \"tags\": {\"type\": \"set\"},"
              "\"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
              "\"rich\": {\"type\": \"richtext\", \"merge\": \"%s\"}, \"card\": {\"type\": \"object\", \"fields\": {"
              "\"name\": {\"type\": \"string\"}, \"note\": {\"type\": \"text\", \"merge\": \"%s\"}}}}}",
              strategy, strategy, strategy, strategy);
    h->schema = test_schema((const char *)json.data);
    gt_buf_free(&json);
    return 0;
}

void undo_begin(undo_history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
    h->count = 0;
}

int undo_tear_down(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    gt_schema_free(h->schema);
    free(h);
    return 0;
}

/* ---- replays ---- */

void undo_choose(const undo_history *h, uint64_t which, uint64_t base, uint64_t voids, undo_some *s) {
    s->count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((which & ~base & undo_bit(i)) == 0) continue;
        uint32_t at = s->count++;
        s->number[i] = at;
        s->steps[at] = h->steps[i];
        s->steps[at].is_void = (voids & undo_bit(i)) != 0;
        s->steps[at].parents = s->parents[at];
        s->steps[at].parent_count = 0;
        for (uint32_t k = 0; k < h->steps[i].parent_count; k++) {
            uint32_t parent = h->parents[i][k];
            if ((base & undo_bit(parent)) == 0) s->parents[at][s->steps[at].parent_count++] = s->number[parent];
        }
        for (uint32_t k = 0; k < h->undoes[i].count; k++) s->undone[at][k] = s->number[h->undone[i][k]];
        s->undoes[at] = (gt_undoes){s->undone[at], h->undoes[i].count};
    }
}

void undo_replay(const undo_history *h, uint64_t which, uint64_t voids, gt_buf *out) {
    undo_some s;
    gt_diag diag;
    gt_diag_init(&diag);
    undo_choose(h, which, 0, voids, &s);
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, h->schema, (gt_bytes){0}, s.steps, s.count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

/* ---- making steps ---- */

uint32_t undo_add_step(undo_history *h, uint64_t known, gt_bytes delta) {
    uint32_t at = h->count++;
    gt_step *step = &h->steps[at];
    uint64_t heads = known;
    for (uint32_t i = 0; i < at; i++) {
        if ((known & undo_bit(i)) != 0) heads &= ~h->past[i];
    }
    *step = (gt_step){.id = h->ids[at], .time = at + 1, .parents = h->parents[at]};
    for (uint32_t i = 0; i < at; i++) {
        if ((heads & undo_bit(i)) != 0) h->parents[at][step->parent_count++] = i;
    }
    for (uint32_t i = 0; i < 32; i++) h->ids[at][i] = (uint8_t)(i == 0 ? (at * 167 + 13) % 251 : at);
    gt_buf_init(&h->deltas[at], &gt_alloc_system);
    gt_buf_append(&h->deltas[at], delta.data, delta.len);
    step->delta = gt_buf_bytes(&h->deltas[at]);
    h->past[at] = known;
    h->undoes[at] = (gt_undoes){h->undone[at], 0};
    return at;
}

uint32_t undo_edit(undo_history *h, uint64_t known, const char *delta) {
    gt_bytes value = test_value(delta);
    uint32_t step = undo_add_step(h, known, value);
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
uint32_t undo_revert(undo_history *h, uint64_t known, uint64_t wanted) {
    undo_some s;
    uint8_t asked[UNDO_STEPS_MAX] = {0}, marks[UNDO_STEPS_MAX];
    gt_buf view, delta, expected;
    gt_diag diag;
    gt_diag_init(&diag);
    undo_choose(h, known, 0, 0, &s);
    for (uint32_t i = 0; i < h->count; i++) {
        if ((known & wanted & undo_bit(i)) != 0) asked[s.number[i]] = 1;
    }
    uint32_t named = gt_merge_mark(s.steps, s.undoes, s.count, asked, marks);
    if (named == 0) return UINT32_MAX;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&expected, &gt_alloc_system);
    gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
    make_revert(&what, 1 + h->count % 7, &view, &delta);
    if (gt_merge_check_delta(h->schema, gt_buf_bytes(&delta), &diag) != GOAT_OK) fail_msg("%s", diag.message);
    undo_replay(h, known, 0, &expected);
    assert_true(gt_bytes_equal(gt_buf_bytes(&view), gt_buf_bytes(&expected)));
    uint32_t step = undo_add_step(h, known, gt_buf_bytes(&delta));
    for (uint32_t i = 0; i < step; i++) {
        if ((known & undo_bit(i)) == 0 || (marks[s.number[i]] & GT_MARK_NAMED) == 0) continue;
        h->undone[step][h->undoes[step].count++] = i;
    }
    gt_buf_free(&view);
    gt_buf_free(&delta);
    gt_buf_free(&expected);
    return step;
}

static void print_history(const undo_history *h) {
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

void undo_assert_same(const undo_history *h, const gt_buf *expected, const gt_buf *actual, const char *claim) {
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

void undo_assert_view(const undo_history *h, uint64_t known, const char *notation) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    undo_replay(h, known, 0, &state);
    assert_value(gt_buf_bytes(&state), notation);
    gt_buf_free(&state);
}

void undo_assert_all(const undo_history *h, const char *notation) {
    undo_assert_view(h, undo_first(h->count), notation);
}

/* The next step knows all there are. */
uint32_t undo_edit_all(undo_history *h, const char *delta) { return undo_edit(h, undo_first(h->count), delta); }
uint32_t undo_revert_one(undo_history *h, uint32_t step) {
    return undo_revert(h, undo_first(h->count), undo_bit(step));
}
