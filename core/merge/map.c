/* Maps: each key by itself. A removal removes what its author saw; of several values that are left the
 * later one stands, or either. An edit is a map of keys to values, `undefined` for a removal. */
#include "merge/keyed.h"
#include "merge/zip.h"

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    if (gt_value_kind(edit) != GT_KIND_MAP) {
        return gt_edit_refuse(field, "is not a map", diag);
    }
    gt_iter iter = gt_map_iter(edit);
    gt_bytes key, value;
    while (gt_map_next_pair(&iter, &key, &value)) {
        if (gt_value_kind(key) != GT_KIND_TEXT) {
            return gt_edit_refuse(field, "has a key that is not a text", diag);
        }
        if (fully && !gt_edit_is_unset(value) && !gt_edit_is_plain(value)) {
            return gt_edit_refuse(field, "holds what a value cannot", diag);
        }
        if (!fully) { /* keys are sorted: integers would have come first */
            break;
        }
    }
    return GOAT_OK;
}

static void write_pair(gt_buf *out, gt_bytes key, gt_bytes value) {
    gt_buf_append(out, key.data, key.len);
    gt_buf_append(out, value.data, value.len);
}

static size_t count_of(gt_bytes map) { return map.data == NULL ? 0 : gt_value_count(map); }

enum { IN_BASE = 1 };

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    gt_bytes lists[] = {base, value};
    gt_zip zip = gt_zip_begin(true, lists, 2);
    gt_zip_item item;
    size_t count = 0;
    gt_counted counted = gt_counted_begin(edit, true, count_of(base) + count_of(value));
    while (gt_zip_next(&zip, &item)) {
        if (item.in == IN_BASE) {
            gt_buf_append(edit, item.key.data, item.key.len);
            gt_write_undefined(edit);
            count++;
        } else if (item.in != 3 || !gt_value_equal(item.values[0], item.values[1])) {
            write_pair(edit, item.key, item.values[1]);
            count++;
        }
    }
    gt_counted_end(&counted, count);
}

/* The last word on each key counts; after an unset, that is `undefined` for all of the base. Removing
 * what the base does not have is no edit. */
static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    bool was_unset = gt_edit_is_unset(first);
    gt_bytes lists[] = {base, was_unset ? base : first, second};
    gt_zip zip = gt_zip_begin(true, lists, 3);
    gt_zip_item item;
    size_t begin = edit->len, count = 0;
    gt_counted counted = gt_counted_begin(edit, true, count_of(lists[1]) + count_of(second));
    while (gt_zip_next(&zip, &item)) {
        bool in_second = (item.in & 4) != 0;
        if (!in_second && (item.in & 2) == 0) {
            continue;
        }
        gt_bytes value = item.values[in_second ? 2 : 1];
        bool removes = gt_edit_is_unset(value) || (!in_second && was_unset);
        if (removes && (item.in & IN_BASE) == 0) {
            continue;
        }
        gt_buf_append(edit, item.key.data, item.key.len);
        if (removes) {
            gt_write_undefined(edit);
        } else {
            gt_buf_append(edit, value.data, value.len);
        }
        count++;
    }
    if (count == 0 && base.data != NULL) {
        edit->len = begin; /* there is a map already: no edit */
    } else {
        gt_counted_end(&counted, count);
    }
}

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_bytes lists[] = {base, edit};
    gt_zip zip = gt_zip_begin(true, lists, 2);
    gt_zip_item item;
    size_t count = 0;
    gt_counted counted = gt_counted_begin(value, true, count_of(base) + count_of(edit));
    while (gt_zip_next(&zip, &item)) {
        gt_bytes kept = item.values[item.in == IN_BASE ? 0 : 1];
        if (!gt_edit_is_unset(kept)) {
            write_pair(value, item.key, kept);
            count++;
        }
    }
    gt_counted_end(&counted, count);
}

static size_t count_ops(gt_bytes edit) { return gt_value_count(edit); }

static void push_ops(gt_keyed_ops *ops, gt_bytes edit, uint32_t step) {
    gt_bytes key, value;
    for (gt_iter iter = gt_map_iter(edit); gt_map_next_pair(&iter, &key, &value);) {
        ops->ops[ops->count++] = (gt_keyed_op){key, value, step, gt_edit_is_unset(value)};
    }
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    static const gt_keyed_kind kind = {true, count_ops, push_ops};
    return gt_keyed_replay(replay, history, &kind, value);
}

const gt_merge_type gt_merge_map = {check_edit, diff, compose, apply, replay_edits};
