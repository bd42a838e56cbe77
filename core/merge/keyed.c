/* Additions and removals of all steps are sorted by key, each key is judged by itself, and the answers
 * are merged with the base, which lies sorted already. Most keys were only ever added, or only in the
 * base: those cost no question about ancestry. */
#include "merge/keyed.h"

#include "value/sort.h"

typedef struct judge {
    gt_replay *replay;
    const gt_field *field;
    gt_past unset;   /* what those who unset the field had seen */
    gt_past removed; /* what those who removed the key at hand had seen; with `either`, also those who wrote it */
    bool any_unset;
    bool failed; /* no memory */
} judge;

/* By key; what stands under one key in any order that is always the same. */
static bool op_before(const void *a, const void *b) {
    const gt_keyed_op *x = *(gt_keyed_op *const *)a, *y = *(gt_keyed_op *const *)b;
    int order = gt_bytes_compare(x->key, y->key);
    if (order != 0) {
        return order < 0;
    }
    return x->step != y->step ? x->step < y->step : x->removes < y->removes;
}

/* All operations, sorted by key. NULL when there is no memory. */
static gt_keyed_op **sorted_ops(gt_replay *replay, const gt_field_history *history, const gt_keyed_kind *kind,
                                uint32_t *count) {
    size_t most = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        most += gt_edit_is_unset(history->edits[i].edit) ? 0 : kind->count(history->edits[i].edit);
    }
    if (most >= UINT32_MAX) {
        return NULL;
    }
    gt_keyed_ops ops = {gt_arena_new(&replay->arena, most, sizeof *ops.ops), 0};
    gt_keyed_op **sorted = gt_arena_new(&replay->arena, most, sizeof(void *));
    if (ops.ops == NULL || sorted == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_unset(edit->edit) && !gt_edit_is_void(replay, edit)) {
            kind->push(&ops, edit->edit, edit->step);
        }
    }
    for (uint32_t i = 0; i < ops.count; i++) {
        sorted[i] = &ops.ops[i];
    }
    gt_sort(sorted, ops.count, sizeof(void *), op_before);
    replay->work += ops.count;
    *count = ops.count;
    return sorted;
}

/* Judges the operations on one key. The winner is the latest addition that is left or, with `either`, one that no other has
 * seen; NULL: there is none.
 * `*base_is_left`: nobody who saw the base has removed it. */
static const gt_keyed_op *judge_key(judge *j, gt_keyed_op *const *ops, uint32_t count, bool *base_is_left) {
    const gt_keyed_op *winner = NULL;
    bool any_removed = false;
    gt_past_clear(&j->removed);
    for (uint32_t i = 0; i < count; i++) {
        any_removed |= ops[i]->removes;
        if (ops[i]->removes || j->field->merge == GT_STRATEGY_EITHER) {
            j->failed |= !gt_past_add(&j->removed, ops[i]->step);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t step = ops[i]->step;
        if (!ops[i]->removes && !gt_past_has(&j->removed, step) && !gt_past_has(&j->unset, step) &&
            (winner == NULL || gt_step_wins(j->replay, j->field, step, winner->step))) {
            winner = ops[i];
        }
    }
    *base_is_left = !any_removed && !j->any_unset;
    return winner;
}

static bool is_there(judge *j, const gt_field_history *history) {
    if (history->base.data != NULL && !j->any_unset) {
        return true;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_void(j->replay, edit) && !gt_edit_is_unset(edit->edit) && !gt_past_has(&j->unset, edit->step)) {
            return true;
        }
    }
    return false;
}

static void write_item(gt_buf *out, gt_bytes key, bool is_map, gt_bytes value) {
    gt_buf_append(out, key.data, key.len);
    if (is_map) {
        gt_buf_append(out, value.data, value.len);
    }
}

typedef struct base_reader {
    gt_iter iter;
    bool is_map;
    gt_bytes key, value; /* the next one; key.data NULL at the end */
} base_reader;

static void read_base(base_reader *base) {
    bool more =
        base->is_map ? gt_map_next_pair(&base->iter, &base->key, &base->value) : gt_array_next(&base->iter, &base->key);
    if (!more) {
        base->key = gt_bytes_of(NULL, 0);
    }
}

/* Merges the base with the judgements, in order of key; gives how many are left. */
static size_t write_items(judge *j, base_reader *base, gt_keyed_op *const *ops, uint32_t count, gt_buf *out) {
    size_t written = 0, begin = out->len;
    uint32_t i = 0;
    while (out->len - begin <= GT_FIELD_SIZE_MAX && (base->key.data != NULL || i < count)) {
        int order = i == count ? -1 : base->key.data == NULL ? 1 : gt_bytes_compare(base->key, ops[i]->key);
        bool base_is_left = !j->any_unset;
        const gt_keyed_op *winner = NULL;
        gt_bytes key = order > 0 ? ops[i]->key : base->key;
        if (order >= 0) {
            uint32_t first = i;
            while (i < count && gt_bytes_equal(ops[i]->key, key)) {
                i++;
            }
            winner = judge_key(j, ops + first, i - first, &base_is_left);
        }
        if (winner != NULL || (order <= 0 && base_is_left)) {
            write_item(out, key, base->is_map, winner != NULL ? winner->value : base->value);
            written++;
        }
        if (order <= 0) {
            read_base(base);
        }
    }
    return written;
}

goat_status gt_keyed_replay(gt_replay *replay, const gt_field_history *history, const gt_keyed_kind *kind,
                            gt_buf *value) {
    judge j = {.replay = replay, .field = history->field};
    uint32_t count = 0;
    gt_past_init(&j.removed, &replay->ancestry);
    if (!gt_field_unset_past(replay, history, &j.unset, &j.any_unset)) {
        return gt_no_memory(replay->diag);
    }
    if (!is_there(&j, history)) {
        return GOAT_OK;
    }
    gt_keyed_op **ops = sorted_ops(replay, history, kind, &count);
    if (ops == NULL) {
        return gt_no_memory(replay->diag);
    }
    base_reader base = {.is_map = kind->is_map};
    if (history->base.data != NULL) {
        base.iter = kind->is_map ? gt_map_iter(history->base) : gt_array_iter(history->base);
    }
    size_t most = base.iter.left + count;
    read_base(&base);
    if (!kind->is_map) {
        gt_write_tag(value, GT_TAG_SET);
    }
    gt_counted counted = gt_counted_begin(value, kind->is_map, most);
    gt_counted_end(&counted, write_items(&j, &base, ops, count, value));
    return j.failed ? gt_no_memory(replay->diag) : GOAT_OK;
}
