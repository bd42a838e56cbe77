/* Lists: every element has an identity, so one that is moved on one side and edited on the other is moved and edited;
 * insertions of both sides are kept, each run of them whole; a removal removes what its author saw, wherever it stands. */
#include "merge/arrangement.h"
#include "merge/list_diff.h"
#include "merge/sequence.h"

/* ---- shape ---- */

static goat_status check_map(const gt_field *field, gt_bytes map, bool fully, gt_diag *diag) {
    gt_bytes from = gt_map_find_int(map, 1), value = gt_map_find_int(map, 2);
    int64_t number = 0;
    size_t known = (from.data != NULL) + (size_t)(value.data != NULL);
    if (known == 0 || gt_value_count(map) != known) return gt_edit_refuse(field, "has a run that is none", diag);
    if (from.data != NULL && (!gt_value_as_int64(from, &number) || number < 0 || number >= GT_RUN_COUNT_MAX)) {
        return gt_edit_refuse(field, "moves an element from where there is no place", diag);
    }
    if (fully && value.data != NULL && !gt_edit_is_element(value)) {
        return gt_edit_refuse(field, "holds what a value cannot", diag);
    }
    return GOAT_OK;
}

static goat_status check_number(const gt_field *field, gt_bytes element, gt_diag *diag) {
    int64_t number;
    bool good =
        gt_value_as_int64(element, &number) && number != 0 && number >= -GT_RUN_COUNT_MAX && number <= GT_RUN_COUNT_MAX;
    return good ? GOAT_OK : gt_edit_refuse(field, "has a run of no elements, or of too many", diag);
}

static goat_status check_run(const gt_field *field, gt_bytes element, bool fully, gt_diag *diag) {
    switch (gt_value_kind(element)) {
    case GT_KIND_INT: return check_number(field, element, diag);
    case GT_KIND_MAP: return check_map(field, element, fully, diag);
    case GT_KIND_ARRAY: break;
    default: return gt_edit_refuse(field, "has a run that is none", diag);
    }
    if (gt_value_count(element) == 0) {
        return gt_edit_refuse(field, "has a run of no elements, or of too many", diag);
    }
    bool good = !fully || gt_edit_is_plain(element);
    return good ? GOAT_OK : gt_edit_refuse(field, "holds what a value cannot", diag);
}

/* Nothing but canonical runs passes. */
static goat_status check_order(const gt_field *field, gt_run_kind kind, gt_run_kind last, gt_diag *diag) {
    if (kind == last && kind != GT_RUN_MOVE && kind != GT_RUN_SET) {
        return gt_edit_refuse(field, "has two runs in place of one", diag);
    }
    if ((kind == GT_RUN_INSERT || kind == GT_RUN_MOVE) && last == GT_RUN_REMOVE) {
        return gt_edit_refuse(field, "inserts behind what it removes there", diag);
    }
    return GOAT_OK;
}

static gt_run_kind kind_of(gt_bytes element) {
    int64_t number = 0;
    switch (gt_value_kind(element)) {
    case GT_KIND_ARRAY: return GT_RUN_INSERT;
    case GT_KIND_MAP: return gt_map_find_int(element, 1).data != NULL ? GT_RUN_MOVE : GT_RUN_SET;
    default: return gt_value_as_int64(element, &number) && number > 0 ? GT_RUN_KEEP : GT_RUN_REMOVE;
    }
}

static bool is_whole(gt_bytes edit) { return gt_value_kind(edit) == GT_KIND_ARRAY; }

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    if (is_whole(edit)) {
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
    goat_status status = GOAT_OK;
    gt_run_kind kind, last = GT_RUN_SET; /* behind which anything may stand */
    for (; status == GOAT_OK && gt_array_next(&elements, &element); last = kind) {
        kind = kind_of(element);
        status = check_run(field, element, fully, diag);
        if (status == GOAT_OK && fully) status = check_order(field, kind, last, diag);
    }
    if (status == GOAT_OK && fully && last == GT_RUN_KEEP) {
        return gt_edit_refuse(field, "keeps something at the end", diag);
    }
    return status;
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
    if (is_whole(edit)) {
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

/* What came before is not looked at any more: the edit is a whole list. */
static void compose_whole(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_buf whole;
    gt_buf_init(&whole, edit->alloc);
    gt_bytes before = gt_edit_is_unset(first) ? gt_bytes_of(NULL, 0) : first;
    if (before.data != NULL && !is_whole(before)) {
        apply(gt_bytes_of(NULL, 0), first, &whole);
        before = gt_buf_bytes(&whole);
    }
    if (gt_buf_failed(&whole)) {
        edit->failed = true;
    } else {
        size_t begin = edit->len;
        apply(before, second, edit);
        gt_bytes made = gt_bytes_of(edit->data + begin, edit->len - begin);
        if (!gt_buf_failed(edit) && base.data != NULL && gt_value_equal(base, made)) edit->len = begin;
    }
    gt_buf_free(&whole);
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    if (!is_whole(second) && !is_whole(first) && !gt_edit_is_unset(first) && base.data != NULL) {
        compose_runs(base, first, second, edit);
    } else {
        compose_whole(base, first, second, edit);
    }
}

/* ---- several ---- */

/* Where the elements that a step inserted lie, by index; those of the base behind the last step. */
typedef struct source {
    gt_bytes edit;
    const uint8_t **values; /* NULL: not looked for yet */
} source;

typedef struct reader {
    gt_replay *replay;
    const gt_sequence *sequence;
    source *sources;
} reader;

static bool open_source(reader *r, source *from, uint32_t step) {
    bool is_base = step == r->replay->step_count;
    uint64_t seen = is_base ? 0 : gt_sequence_seen_by(r->sequence, step), count = 0;
    gt_run run;
    for (gt_run_iter iter = gt_runs_of(from->edit, seen); gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) count += run.count;
    }
    from->values = gt_arena_new(&r->replay->arena, (size_t)count + 1, sizeof(*from->values));
    if (from->values == NULL) return false;
    count = 0;
    for (gt_run_iter iter = gt_runs_of(from->edit, seen); gt_run_next(&iter, &run);) {
        const uint8_t *at = run.inserted.data, *end = at == NULL ? NULL : at + run.inserted.len;
        for (uint64_t i = 0; run.kind == GT_RUN_INSERT && i < run.count; i++, at = gt_value_skip(at, end)) {
            from->values[count++] = at;
        }
        if (run.kind == GT_RUN_MOVE) count++;
    }
    return true;
}

/* So many elements from `first` on, which were inserted side by side. Data NULL when there is no memory. */
static gt_bytes read_values(reader *r, gt_element first, uint32_t count) {
    uint32_t step = first.step == GT_OF_BASE ? r->replay->step_count : first.step;
    source *from = &r->sources[step];
    if (from->values == NULL && !open_source(r, from, step)) return gt_bytes_of(NULL, 0);
    const uint8_t *begin = from->values[first.index], *last = from->values[first.index + count - 1];
    const uint8_t *end = gt_value_skip(last, from->edit.data + from->edit.len);
    return gt_bytes_of(begin, (size_t)(end - begin));
}

static goat_status write_list(reader *r, gt_buf *value) {
    gt_span *span = NULL;
    gt_element first;
    uint32_t count;
    size_t all = 0;
    while (gt_sequence_next(r->sequence, &span, &first, &count)) all += count;
    gt_counted counted = gt_counted_begin(value, false, all);
    size_t contents = value->len;
    all = 0;
    span = NULL;
    while (value->len - contents <= GT_FIELD_SIZE_MAX && gt_sequence_next(r->sequence, &span, &first, &count)) {
        gt_bytes values = span->slot == NULL ? gt_bytes_of(NULL, 0) : span->slot->of->value;
        if (values.data == NULL) values = read_values(r, first, count);
        if (values.data == NULL) return gt_no_memory(r->replay->diag);
        gt_buf_append(value, values.data, values.len);
        all += count;
    }
    gt_counted_end(&counted, all);
    return GOAT_OK;
}

static bool open_reader(reader *r, gt_replay *replay, const gt_field_history *history) {
    *r = (reader){.replay = replay, .sequence = gt_sequence_replay(replay, history, count_of(history->base), NULL)};
    r->sources = gt_arena_new(&replay->arena, (size_t)replay->step_count + 1, sizeof(*r->sources));
    if (r->sequence == NULL || r->sources == NULL) return false;
    r->sources[replay->step_count].edit = history->base;
    for (uint32_t i = 0; i < history->count; i++) r->sources[history->edits[i].step].edit = history->edits[i].edit;
    return true;
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    bool is_there;
    reader r;
    if (!gt_field_is_there(replay, history, &is_there)) return gt_no_memory(replay->diag);
    if (!is_there) return GOAT_OK;
    return open_reader(&r, replay, history) ? write_list(&r, value) : gt_no_memory(replay->diag);
}

/* ---- from one outcome to another ---- */

/* Numbers the elements that stand in a list, those that have slots for good. */
static void number_elements(const reader *r) {
    uint64_t index = 0;
    gt_element first;
    for (gt_span *span = gt_sequence_span(r->sequence, NULL); span != NULL;
         span = gt_sequence_span(r->sequence, span)) {
        if (!gt_sequence_is_left(r->sequence, span, &first)) continue;
        if (span->slot != NULL) {
            span->slot->of->stands = true;
            span->slot->of->index = index;
        }
        index += span->length;
    }
}

/* The value of an element with slots; data NULL when there is no memory. */
static gt_bytes value_of(reader *r, const gt_changed *changed) {
    return changed->value.data != NULL ? changed->value : read_values(r, changed->element, 1);
}

/* What is to be done at one of an element's slots. */
static bool change_slot(reader *from, reader *to, gt_span *a, gt_span *b, gt_run_writer *writer) {
    gt_changed *before = a->slot->of, *after = b->slot->of;
    gt_element element;
    bool was = gt_sequence_is_left(from->sequence, a, &element), is = gt_sequence_is_left(to->sequence, b, &element);
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

static bool change_span(reader *from, reader *to, gt_span *a, gt_span *b, gt_run_writer *writer) {
    gt_element first;
    if (a->slot != NULL) return change_slot(from, to, a, b, writer);
    bool was = gt_sequence_is_left(from->sequence, a, &first), is = gt_sequence_is_left(to->sequence, b, &first);
    if (was && is) gt_run_keep(writer, a->length);
    if (was && !is) gt_run_remove(writer, a->length);
    if (was || !is) return true;
    gt_bytes values = read_values(to, first, a->length);
    if (values.data != NULL) gt_run_insert_values(writer, values, a->length);
    return values.data != NULL;
}

goat_status gt_list_change(gt_replay *from, gt_replay *to, const gt_field_history *history, gt_buf *edit) {
    reader before, after;
    if (!open_reader(&before, from, history) || !open_reader(&after, to, history)) return gt_no_memory(to->diag);
    number_elements(&before);
    number_elements(&after);
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    bool good = true;
    for (gt_span *a = gt_sequence_span(before.sequence, NULL), *b = gt_sequence_span(after.sequence, NULL);
         good && a != NULL; a = gt_sequence_span(before.sequence, a), b = gt_sequence_span(after.sequence, b)) {
        good = change_span(&before, &after, a, b, &writer);
    }
    gt_run_writer_end(&writer, edit);
    return good ? GOAT_OK : gt_no_memory(to->diag);
}

const gt_merge_type gt_merge_list = {check_edit, diff, compose, apply, replay_edits};
