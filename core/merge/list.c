/* Lists: every element has an identity, so one that is moved on one side and edited on the other is moved and edited;
 * insertions of both sides are kept, each run of them whole; a removal removes what its author saw, wherever it stands. */
#include "merge/arrangement.h"
#include "merge/list_diff.h"
#include "merge/list_source.h"

/* ---- shape ---- */

static const char *map_fault(gt_bytes map, bool fully) {
    gt_bytes from = gt_map_find_int(map, 1), value = gt_map_find_int(map, 2);
    int64_t number = 0;
    size_t known = (from.data != NULL) + (size_t)(value.data != NULL);
    if (known == 0 || gt_value_count(map) != known) return "has a run that is none";
    if (from.data != NULL && (!gt_value_as_int64(from, &number) || number < 0 || number >= GT_RUN_COUNT_MAX)) {
        return "moves an element from where there is no place";
    }
    return fully && value.data != NULL && !gt_edit_is_element(value) ? "holds what a value cannot" : NULL;
}

static const char *number_fault(gt_bytes element) {
    int64_t number;
    bool good =
        gt_value_as_int64(element, &number) && number != 0 && number >= -GT_RUN_COUNT_MAX && number <= GT_RUN_COUNT_MAX;
    return good ? NULL : "has a run of no elements, or of too many";
}

static const char *run_fault(gt_bytes element, bool fully) {
    switch (gt_value_kind(element)) {
    case GT_KIND_INT: return number_fault(element);
    case GT_KIND_MAP: return map_fault(element, fully);
    case GT_KIND_ARRAY: break;
    default: return "has a run that is none";
    }
    if (gt_value_count(element) == 0) return "has a run of no elements, or of too many";
    return fully && !gt_edit_is_plain(element) ? "holds what a value cannot" : NULL;
}

/* Nothing but canonical runs passes. */
static const char *order_fault(gt_run_kind kind, gt_run_kind last) {
    if (kind == last && kind != GT_RUN_MOVE && kind != GT_RUN_SET) return "has two runs in place of one";
    bool inserts_behind = (kind == GT_RUN_INSERT || kind == GT_RUN_MOVE) && last == GT_RUN_REMOVE;
    return inserts_behind ? "inserts behind what it removes there" : NULL;
}

static gt_run_kind kind_of(gt_bytes element) {
    int64_t number = 0;
    switch (gt_value_kind(element)) {
    case GT_KIND_ARRAY: return GT_RUN_INSERT;
    case GT_KIND_MAP: return gt_map_find_int(element, 1).data != NULL ? GT_RUN_MOVE : GT_RUN_SET;
    default: return gt_value_as_int64(element, &number) && number > 0 ? GT_RUN_KEEP : GT_RUN_REMOVE;
    }
}

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    if (gt_value_kind(edit) == GT_KIND_ARRAY) {
        bool good = !fully || gt_edit_is_plain(edit);
        return good ? GOAT_OK : gt_edit_refuse(field, "holds what a value cannot", diag);
    }
    bool is_map = gt_value_kind(edit) == GT_KIND_MAP && gt_value_count(edit) == 1;
    gt_bytes runs = is_map ? gt_map_find_int(edit, 0) : (gt_bytes){0};
    if (runs.data == NULL || gt_value_kind(runs) != GT_KIND_ARRAY) {
        return gt_edit_refuse(field, "is neither a list nor a map of runs", diag);
    }
    if (fully && gt_value_count(runs) == 0) return gt_edit_refuse(field, "has no runs", diag);
    gt_iter elements = gt_array_iter(runs);
    gt_bytes element;
    uint64_t at = 0;
    gt_run_kind kind, last = GT_RUN_SET; /* behind which anything may stand */
    for (; gt_array_next(&elements, &element); last = kind, at++) {
        kind = kind_of(element);
        const char *fault = run_fault(element, fully);
        if (fault == NULL && fully) fault = order_fault(kind, last);
        if (fault != NULL) return gt_edit_refuse_run(field, fault, at, diag);
    }
    bool keeps_last = fully && last == GT_RUN_KEEP;
    return keeps_last ? gt_edit_refuse_run(field, "keeps something at the end", at - 1, diag) : GOAT_OK;
}

/* ---- one author ---- */

static uint64_t count_of(gt_bytes list) { return list.data == NULL ? 0 : gt_value_count(list); }

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    if (base.data == NULL) {
        gt_buf_append(edit, value.data, value.len);
    } else {
        gt_list_diff(base, value, edit);
    }
}

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_arrangement a;
    if (gt_edit_is_whole(edit)) {
        gt_buf_append(value, edit.data, edit.len);
        return;
    }
    gt_arrangement_init(&a, count_of(base), value->alloc);
    gt_arrangement_of_edit(&a, edit);
    gt_arrangement_apply(&a, base, value);
    gt_arrangement_free(&a);
}

static void compose_runs(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_arrangement one, two, both;
    gt_arrangement_init(&one, count_of(base), edit->alloc);
    gt_arrangement_of_edit(&one, first);
    gt_arrangement_init(&two, gt_arrangement_size(&one), edit->alloc);
    gt_arrangement_of_edit(&two, second);
    gt_arrangement_init(&both, one.base_count, edit->alloc);
    gt_arrangement_through(&both, &one, &two);
    gt_arrangement_simplify(&both, base);
    gt_arrangement_write(&both, edit);
    gt_arrangement_free(&one);
    gt_arrangement_free(&two);
    gt_arrangement_free(&both);
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_runs_compose(apply, compose_runs, base, first, second, edit);
}

/* ---- several ---- */

static goat_status write_list(gt_list_source *list, gt_diag *diag, gt_buf *value) {
    const gt_sequence *sequence = gt_list_sequence(list);
    gt_span *span = NULL;
    gt_element first;
    uint32_t count;
    size_t all = 0;
    while (gt_sequence_next(sequence, &span, &first, &count)) all += count;
    gt_counted counted = gt_counted_begin(value, false, all);
    size_t contents = value->len;
    all = 0;
    span = NULL;
    while (value->len - contents <= GT_FIELD_SIZE_MAX && gt_sequence_next(sequence, &span, &first, &count)) {
        gt_bytes values = span->slot == NULL ? gt_bytes_of(NULL, 0) : span->slot->of->value;
        if (values.data == NULL) values = gt_list_read(list, first, count);
        if (values.data == NULL) return gt_no_memory(diag);
        gt_buf_append(value, values.data, values.len);
        all += count;
    }
    gt_counted_end(&counted, all);
    return GOAT_OK;
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    bool is_there;
    if (!gt_field_is_there(replay, history, &is_there)) return gt_no_memory(replay->diag);
    if (!is_there) return GOAT_OK;
    gt_list_source *list = gt_list_open(replay, history);
    return list == NULL ? gt_no_memory(replay->diag) : write_list(list, replay->diag, value);
}

/* ---- from one outcome to another ---- */

/* Numbers the elements that stand in a list, those that have slots for good. */
static void number_elements(const gt_sequence *sequence) {
    uint64_t index = 0;
    gt_element first;
    for (gt_span *span = gt_sequence_span(sequence, NULL); span != NULL; span = gt_sequence_span(sequence, span)) {
        if (!gt_sequence_is_left(sequence, span, &first)) continue;
        if (span->slot != NULL) {
            span->slot->of->stands = true;
            span->slot->of->index = index;
        }
        index += span->length;
    }
}

/* The value of an element with slots; data NULL when there is no memory. */
static gt_bytes value_of(gt_list_source *list, const gt_changed *changed) {
    return changed->value.data != NULL ? changed->value : gt_list_read(list, changed->element, 1);
}

/* What is to be done at one of an element's slots. */
static bool change_slot(gt_list_source *from, gt_list_source *to, gt_span *a, gt_span *b, gt_run_writer *writer) {
    gt_changed *before = a->slot->of, *after = b->slot->of;
    gt_element element;
    bool was = gt_sequence_is_left(gt_list_sequence(from), a, &element),
         is = gt_sequence_is_left(gt_list_sequence(to), b, &element);
    if (!is) {
        if (was && after->stands) gt_run_keep(writer, 1); /* it goes elsewhere */
        if (was && !after->stands) gt_run_remove(writer, 1);
        return true;
    }
    gt_bytes value = value_of(to, after), old = before->stands ? value_of(from, before) : value;
    if (value.data == NULL || old.data == NULL) return false;
    bool differs = !gt_bytes_equal(value, old);
    if (was && differs) {
        gt_run_set(writer, value);
    } else if (was) {
        gt_run_keep(writer, 1);
    } else if (before->stands) {
        gt_run_move(writer, before->index, differs ? value : gt_bytes_of(NULL, 0));
    } else {
        gt_run_insert_values(writer, value, 1);
    }
    return true;
}

static bool change_span(gt_list_source *from, gt_list_source *to, gt_span *a, gt_span *b, gt_run_writer *writer) {
    gt_element first;
    if (a->slot != NULL) return change_slot(from, to, a, b, writer);
    bool was = gt_sequence_is_left(gt_list_sequence(from), a, &first),
         is = gt_sequence_is_left(gt_list_sequence(to), b, &first);
    if (was && is) gt_run_keep(writer, a->length);
    if (was && !is) gt_run_remove(writer, a->length);
    if (was || !is) return true;
    gt_bytes values = gt_list_read(to, first, a->length);
    if (values.data != NULL) gt_run_insert_values(writer, values, a->length);
    return values.data != NULL;
}

goat_status gt_list_change(const gt_outcome *from, const gt_outcome *to, gt_buf *edit) {
    gt_list_source *before = gt_list_open(from->replay, &from->history);
    gt_list_source *after = gt_list_open(to->replay, &to->history);
    if (before == NULL || after == NULL) return gt_no_memory(to->replay->diag);
    gt_sequence *old = gt_list_sequence(before), *new = gt_list_sequence(after);
    if (!gt_sequence_align(old, new)) return gt_no_memory(to->replay->diag);
    number_elements(old);
    number_elements(new);
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    bool good = true;
    for (gt_span *a = gt_sequence_span(old, NULL), *b = gt_sequence_span(new, NULL); good && a != NULL;
         a = gt_sequence_span(old, a), b = gt_sequence_span(new, b)) {
        good = change_span(before, after, a, b, &writer);
    }
    gt_run_writer_end(&writer, edit);
    return good ? GOAT_OK : gt_no_memory(to->replay->diag);
}

const gt_merge_type gt_merge_list = {check_edit, diff, compose, apply, replay_edits};
