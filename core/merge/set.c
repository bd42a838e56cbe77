/* Sets: additions of both sides are kept, a removal removes what its author saw. An edit is a set of what
 * is added, or a map {0: added, 1: removed}. */
#include "merge/keyed.h"
#include "merge/zip.h"

typedef struct set_edit {
    gt_bytes added, removed; /* sets; data NULL: none */
} set_edit;

static set_edit split(gt_bytes edit) {
    if (gt_value_kind(edit) == GT_KIND_SET) {
        return (set_edit){.added = edit};
    }
    return (set_edit){gt_map_find_int(edit, 0), gt_map_find_int(edit, 1)};
}

/* ---- shape ---- */

/* One of the two sets of a map. */
static goat_status check_part(const gt_field *field, gt_bytes key, gt_bytes part, bool fully, gt_diag *diag) {
    int64_t number = -1;
    if (!gt_value_as_int64(key, &number) || number > 1) {
        return gt_edit_refuse(field, "has keys other than 0 and 1", diag);
    }
    if (gt_value_kind(part) != GT_KIND_SET) {
        return gt_edit_refuse(field, "adds or removes what is not a set", diag);
    }
    if (fully && gt_value_count(part) == 0) {
        return gt_edit_refuse(field, "adds or removes an empty set", diag);
    }
    if (fully && !gt_edit_is_plain(part)) {
        return gt_edit_refuse(field, "holds what a value cannot", diag);
    }
    return GOAT_OK;
}

static bool have_common_element(set_edit edit) {
    gt_bytes lists[] = {edit.added, edit.removed};
    gt_zip zip = gt_zip_begin(false, lists, 2);
    gt_zip_item item;
    while (gt_zip_next(&zip, &item)) {
        if (item.in == 3) {
            return true;
        }
    }
    return false;
}

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    gt_kind kind = gt_value_kind(edit);
    if (kind == GT_KIND_SET) {
        return !fully || gt_edit_is_plain(edit) ? GOAT_OK : gt_edit_refuse(field, "holds what a value cannot", diag);
    }
    if (kind != GT_KIND_MAP || gt_value_count(edit) == 0) {
        return gt_edit_refuse(field, "is neither a set nor a map of sets", diag);
    }
    gt_iter iter = gt_map_iter(edit);
    gt_bytes key, part;
    while (gt_map_next_pair(&iter, &key, &part)) {
        goat_status status = check_part(field, key, part, fully, diag);
        if (status != GOAT_OK) {
            return status;
        }
    }
    if (fully && have_common_element(split(edit))) {
        return gt_edit_refuse(field, "adds and removes the same element", diag);
    }
    return GOAT_OK;
}

/* ---- making edits ---- */

typedef enum verdict { KEEP, ADD, REMOVE } verdict;

/* What becomes of an element, by the lists that it is in. */
typedef verdict judge(unsigned in);

static size_t count_of(gt_zip zip, judge *judge_element, verdict wanted) {
    gt_zip_item item;
    size_t count = 0;
    while (gt_zip_next(&zip, &item)) {
        count += judge_element(item.in) == wanted ? 1 : 0;
    }
    return count;
}

static void write_set(gt_zip zip, judge *judge_element, verdict wanted, size_t count, gt_buf *out) {
    gt_zip_item item;
    gt_write_tag(out, GT_TAG_SET);
    gt_write_array_head(out, count);
    while (gt_zip_next(&zip, &item)) {
        if (judge_element(item.in) == wanted) {
            gt_buf_append(out, item.key.data, item.key.len);
        }
    }
}

/* Writes the edit in its simplest form. Where it would change nothing, nothing is written unless
 * `even_empty`: then it makes a field that was unset an empty set. */
static void write_edit(const gt_bytes *lists, unsigned list_count, judge *judge_element, bool even_empty,
                       gt_buf *edit) {
    gt_zip zip = gt_zip_begin(false, lists, list_count);
    size_t added = count_of(zip, judge_element, ADD), removed = count_of(zip, judge_element, REMOVE);
    if (removed == 0) {
        if (added > 0 || even_empty) {
            write_set(zip, judge_element, ADD, added, edit);
        }
        return;
    }
    gt_write_map_head(edit, added > 0 ? 2 : 1);
    if (added > 0) {
        gt_write_int(edit, 0);
        write_set(zip, judge_element, ADD, added, edit);
    }
    gt_write_int(edit, 1);
    write_set(zip, judge_element, REMOVE, removed, edit);
}

enum { IN_BASE = 1, IN_VALUE = 2 };

static verdict judge_difference(unsigned in) { return in == IN_BASE ? REMOVE : in == IN_VALUE ? ADD : KEEP; }

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    gt_bytes lists[] = {base, value};
    write_edit(lists, 2, judge_difference, true, edit);
}

enum { FIRST_ADDED = 2, FIRST_REMOVED = 4, SECOND_ADDED = 8, SECOND_REMOVED = 16 };

/* The last word counts. Removing what the base does not have is no edit. */
static verdict judge_both(unsigned in) {
    if ((in & SECOND_ADDED) != 0) {
        return ADD;
    }
    if ((in & SECOND_REMOVED) == 0 && (in & FIRST_ADDED) != 0) {
        return ADD;
    }
    bool removed = (in & (SECOND_REMOVED | FIRST_REMOVED)) != 0;
    return removed && (in & IN_BASE) != 0 ? REMOVE : KEEP;
}

/* As judge_both, where the first edit has removed all of the base. */
static verdict judge_after_unset(unsigned in) {
    return (in & SECOND_ADDED) != 0 ? ADD : (in & IN_BASE) != 0 ? REMOVE : KEEP;
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    bool was_unset = gt_edit_is_unset(first);
    set_edit before = was_unset ? (set_edit){.added = {NULL, 0}} : split(first);
    set_edit after = split(second);
    gt_bytes lists[] = {base, before.added, before.removed, after.added, after.removed};
    write_edit(lists, 5, was_unset ? judge_after_unset : judge_both, base.data == NULL, edit);
}

static verdict judge_removal(unsigned in) { return in == 3 ? REMOVE : KEEP; }

void gt_set_write_remove(gt_bytes base, gt_bytes element, gt_buf *edit) {
    gt_buf one;
    gt_buf_init(&one, edit->alloc);
    gt_write_tag(&one, GT_TAG_SET);
    gt_write_array_head(&one, 1);
    gt_buf_append(&one, element.data, element.len);
    if (gt_buf_failed(&one)) {
        edit->failed = true;
    } else {
        gt_bytes lists[] = {base, gt_buf_bytes(&one)};
        write_edit(lists, 2, judge_removal, false, edit);
    }
    gt_buf_free(&one);
}

/* ---- applying ---- */

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    set_edit parts = split(edit);
    gt_bytes lists[] = {base, parts.removed, parts.added};
    gt_zip zip = gt_zip_begin(false, lists, 3);
    gt_zip_item item;
    size_t most =
        (base.data == NULL ? 0 : gt_value_count(base)) + (parts.added.data == NULL ? 0 : gt_value_count(parts.added));
    size_t count = 0;
    gt_write_tag(value, GT_TAG_SET);
    gt_counted counted = gt_counted_begin(value, false, most);
    while (gt_zip_next(&zip, &item)) {
        if (item.in == 1 || item.in >= 4) {
            gt_buf_append(value, item.key.data, item.key.len);
            count++;
        }
    }
    gt_counted_end(&counted, count);
}

static size_t count_ops(gt_bytes edit) {
    set_edit parts = split(edit);
    return (parts.added.data == NULL ? 0 : gt_value_count(parts.added)) +
           (parts.removed.data == NULL ? 0 : gt_value_count(parts.removed));
}

static void push_elements(gt_keyed_ops *ops, gt_bytes set, uint32_t step, bool removes) {
    gt_bytes element;
    if (set.data == NULL) {
        return;
    }
    for (gt_iter iter = gt_array_iter(set); gt_array_next(&iter, &element);) {
        ops->ops[ops->count++] = (gt_keyed_op){.key = element, .step = step, .removes = removes};
    }
}

static void push_ops(gt_keyed_ops *ops, gt_bytes edit, uint32_t step) {
    set_edit parts = split(edit);
    push_elements(ops, parts.added, step, false);
    push_elements(ops, parts.removed, step, true);
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    static const gt_keyed_kind kind = {false, count_ops, push_ops};
    return gt_keyed_replay(replay, history, &kind, value);
}

const gt_merge_type gt_merge_set = {check_edit, diff, compose, apply, replay_edits};
