/* Rich text: its characters and embeds merge as a text's do, and each attribute of each of them as a single value. */
#include "merge/marks.h"
#include "merge/points.h"
#include "merge/rich_diff.h"
#include "merge/rich_runs.h"

/* ---- shape ---- */

/* Nothing but canonical runs passes. */
static const char *order_fault(const gt_run *run, const gt_run *last) {
    if (last->count == 0) return NULL;
    if (run->kind == GT_RUN_INSERT && last->kind == GT_RUN_REMOVE) return "inserts behind what it removes there";
    if (run->kind != last->kind || run->is_embed || last->is_embed) return NULL;
    return gt_bytes_equal(run->value, last->value) ? "has two runs in place of one" : NULL;
}

static goat_status check_runs(const gt_field *field, gt_bytes runs, bool fully, gt_diag *diag) {
    gt_run run = {0}, last = {0};
    gt_bytes element;
    uint64_t at = 0;
    for (gt_iter iter = gt_array_iter(runs); gt_array_next(&iter, &element); last = run, at++) {
        const char *fault;
        if (!gt_rich_run_read(element, &run, &fault)) fault = "has a run that is none";
        if (fault == NULL && fully) fault = order_fault(&run, &last);
        if (fault == NULL && fully && !gt_edit_is_plain(element)) fault = "holds what a value cannot";
        if (fault != NULL) return gt_edit_refuse_run(field, fault, at, diag);
    }
    bool keeps_last = fully && last.count > 0 && last.kind == GT_RUN_KEEP && last.value.data == NULL;
    return keeps_last ? gt_edit_refuse_run(field, "keeps something at the end", at - 1, diag) : GOAT_OK;
}

/* A whole document is held to its one form even in a replay, where it may be used as it lies. */
static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    uint64_t at = 0;
    if (gt_value_kind(edit) == GT_KIND_ARRAY) {
        const char *fault = gt_rich_fault(edit, true, &at);
        if (fault == NULL && fully && !gt_edit_is_plain(edit)) fault = "holds what a value cannot";
        return fault == NULL ? GOAT_OK : gt_edit_refuse_run(field, fault, at, diag);
    }
    bool is_map = gt_value_kind(edit) == GT_KIND_MAP && gt_value_count(edit) == 1;
    gt_bytes runs = is_map ? gt_map_find_int(edit, 0) : (gt_bytes){0};
    if (runs.data == NULL || gt_value_kind(runs) != GT_KIND_ARRAY) {
        return gt_edit_refuse(field, "is neither a rich text nor a map of runs", diag);
    }
    if (fully && gt_value_count(runs) == 0) return gt_edit_refuse(field, "has no runs", diag);
    return check_runs(field, runs, fully, diag);
}

/* ---- one author ---- */

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_rich_writer writer;
    gt_iter rest = gt_rich_iter(base);
    gt_rich_piece piece = {0};
    gt_buf attributes;
    if (gt_edit_is_whole(edit)) {
        gt_buf_append(value, edit.data, edit.len);
        return;
    }
    gt_buf_init(&attributes, value->alloc);
    gt_rich_writer_init(&writer, value);
    gt_run_iter iter = gt_rich_runs_of(edit, UINT64_MAX); /* the base ends what goes beyond it */
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT) {
            gt_rich_piece inserted = gt_rich_run_piece(&run);
            gt_rich_put(&writer, &inserted);
            continue;
        }
        while (run.count > 0 && (piece.count > 0 || gt_rich_next(&rest, &piece))) {
            gt_rich_piece part = gt_rich_take(&piece, run.count < piece.count ? run.count : piece.count);
            run.count -= part.count;
            if (run.kind == GT_RUN_REMOVE) continue;
            attributes.len = 0;
            if (run.value.data != NULL) {
                gt_rich_attributes_compose(part.attributes, run.value, false, &attributes);
                part.attributes = gt_buf_bytes(&attributes);
            }
            gt_rich_put(&writer, &part);
        }
    }
    if (gt_buf_failed(&attributes)) value->failed = true;
    gt_rich_writer_end(&writer);
    gt_buf_free(&attributes);
}

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    if (base.data != NULL) {
        gt_rich_diff(base, value, edit);
        return;
    }
    gt_rich_writer writer; /* the caller's may not be in the one form */
    gt_rich_piece piece;
    gt_rich_writer_init(&writer, edit);
    for (gt_iter iter = gt_array_iter(value); gt_rich_next(&iter, &piece);) gt_rich_put(&writer, &piece);
    gt_rich_writer_end(&writer);
}

static uint64_t count_after(gt_bytes edit, uint64_t count) {
    gt_run_iter iter = gt_rich_runs_of(edit, count);
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT) count += run.count;
        if (run.kind == GT_RUN_REMOVE) count -= run.count;
    }
    return count;
}

/* The same part of what the first left and of what the second does with it. */
static void compose_part(const gt_run *one, const gt_run *two, gt_rich_run_writer *writer, gt_buf *attributes) {
    bool inserts = one->kind == GT_RUN_INSERT;
    if (two->kind == GT_RUN_REMOVE) {
        if (!inserts) gt_rich_run_remove(writer, two->count);
        return;
    }
    attributes->len = 0;
    gt_rich_attributes_compose(one->value, two->value, !inserts, attributes);
    if (inserts) {
        gt_rich_piece piece = gt_rich_run_piece(one);
        piece.attributes = gt_buf_bytes(attributes);
        gt_rich_run_insert(writer, &piece);
    } else {
        gt_rich_run_keep(writer, one->count, gt_buf_bytes(attributes));
    }
}

/* Both go along the document between them, of which the first has left something and the second does something with. */
void gt_rich_compose_runs(gt_bytes first, gt_bytes second, uint64_t base_count, gt_buf *edit) {
    gt_rich_run_writer writer;
    gt_buf attributes;
    gt_run_iter firsts = gt_rich_runs_of(first, base_count);
    gt_run_iter seconds = gt_rich_runs_of(second, count_after(first, base_count));
    gt_run one = {0}, two = {0};
    bool more_of_first = true, more_of_second = true;
    gt_rich_run_writer_init(&writer, edit->alloc);
    gt_buf_init(&attributes, edit->alloc);
    for (;;) {
        if (one.count == 0 && more_of_first) more_of_first = gt_run_next(&firsts, &one);
        if (two.count == 0 && more_of_second) more_of_second = gt_run_next(&seconds, &two);
        if (more_of_first && one.kind == GT_RUN_REMOVE) {
            gt_rich_run_remove(&writer, one.count);
            one.count = 0;
        } else if (more_of_second && two.kind == GT_RUN_INSERT) {
            gt_rich_piece piece = gt_rich_run_piece(&two);
            gt_rich_run_insert(&writer, &piece);
            two.count = 0;
        } else if (more_of_first && more_of_second) {
            uint64_t count = one.count < two.count ? one.count : two.count;
            gt_run part = gt_rich_run_take(&one, count), other = gt_rich_run_take(&two, count);
            compose_part(&part, &other, &writer, &attributes);
        } else {
            break;
        }
    }
    if (gt_buf_failed(&attributes)) edit->failed = true;
    gt_buf_free(&attributes);
    gt_rich_run_writer_end(&writer, edit);
}

goat_status gt_rich_refuse_attributes(const gt_field *field, gt_diag *diag) {
    gt_fail(diag, GOAT_TOO_LARGE,
            "with what is not captured yet, characters would be given attributes of more than %d bytes",
            GT_RICH_ATTRIBUTES_MAX);
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    return GOAT_TOO_LARGE;
}

static void compose_runs(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_rich_compose_runs(first, second, gt_rich_count(base), edit);
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_runs_compose(apply, compose_runs, base, first, second, edit);
}

/* ---- several ---- */

/* Where what a step inserted is read next: it stands in the order of its indexes. That of the base is behind the last step's. */
typedef struct source {
    gt_run_iter iter;
    gt_rich_piece rest;
    uint32_t next; /* index of the element that `rest` begins with */
} source;

/* At most so many elements from `first` on; passes over what is left out before them. */
static gt_rich_piece read_piece(source *from, uint32_t first, uint32_t count) {
    while (from->next < first || from->rest.count == 0) {
        gt_run run;
        uint32_t skipped = first - from->next;
        if (from->rest.count > 0 && skipped > 0) {
            from->next +=
                (uint32_t)gt_rich_take(&from->rest, skipped < from->rest.count ? skipped : from->rest.count).count;
            continue;
        }
        if (!gt_run_next(&from->iter, &run)) return (gt_rich_piece){0};
        if (run.kind == GT_RUN_INSERT) from->rest = gt_rich_run_piece(&run);
    }
    gt_rich_piece piece = gt_rich_take(&from->rest, count < from->rest.count ? count : from->rest.count);
    from->next += (uint32_t)piece.count;
    return piece;
}

static bool write_elements(gt_marks *marks, source *from, gt_element first, uint32_t count, gt_rich_writer *writer,
                           gt_buf *attributes) {
    while (count > 0) {
        gt_rich_piece piece = read_piece(from, first.index, count);
        if (piece.count == 0) return false;
        attributes->len = 0;
        if (!gt_marks_attributes(marks, first.step, piece.attributes, attributes)) return false;
        piece.attributes = gt_buf_bytes(attributes);
        gt_rich_put(writer, &piece);
        first.index += (uint32_t)piece.count;
        count -= (uint32_t)piece.count;
    }
    return !gt_buf_failed(attributes);
}

static bool write_all(gt_replay *replay, gt_sequence *sequence, source *sources, gt_buf *value) {
    gt_marks *marks = gt_sequence_marks(sequence);
    gt_rich_writer writer;
    gt_buf attributes;
    gt_span *span = NULL;
    gt_element first;
    uint32_t count;
    bool done = gt_marks_begin(marks);
    gt_buf_init(&attributes, value->alloc);
    gt_rich_writer_init(&writer, value);
    while (done && !writer.ended && gt_sequence_next(sequence, &span, &first, &count)) {
        source *from = &sources[first.step == GT_OF_BASE ? replay->step_count : first.step];
        gt_marks_go_to(marks, span);
        done = write_elements(marks, from, first, count, &writer, &attributes);
    }
    gt_rich_writer_end(&writer);
    gt_buf_free(&attributes);
    return done;
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    bool is_there;
    if (!gt_field_is_there(replay, history, &is_there)) return gt_no_memory(replay->diag);
    if (!is_there) return GOAT_OK;
    gt_sequence *sequence = gt_text_sequence(replay, history);
    source *sources = gt_arena_new(&replay->arena, (size_t)replay->step_count + 1, sizeof(*sources));
    if (sequence == NULL || sources == NULL) return gt_no_memory(replay->diag);
    if (history->base.data != NULL) sources[replay->step_count].iter = gt_rich_runs_of(history->base, 0);
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_unset(edit->edit)) sources[edit->step].iter = gt_rich_runs_of(edit->edit, UINT64_MAX);
    }
    return write_all(replay, sequence, sources, value) ? GOAT_OK : gt_no_memory(replay->diag);
}

goat_status gt_rich_change(const gt_outcome *from, const gt_outcome *to, gt_bytes before, gt_bytes after,
                           gt_buf *edit) {
    gt_sequence *old = gt_text_sequence(from->replay, &from->history);
    gt_sequence *new = gt_text_sequence(to->replay, &to->history);
    if (old == NULL || new == NULL) return gt_no_memory(to->replay->diag);
    gt_run_writer writer;
    gt_buf runs;
    gt_buf_init(&runs, edit->alloc);
    gt_run_writer_init(&writer, edit->alloc);
    gt_element first;
    const gt_span *a = gt_sequence_span(old, NULL), *b = gt_sequence_span(new, NULL);
    uint32_t of_a = 0, of_b = 0; /* where they are: void steps cut no spans for their attributes */
    while (a != NULL && b != NULL) {
        uint32_t left = a->length - of_a, other = b->length - of_b, count = left < other ? left : other;
        bool was = gt_sequence_is_left(old, a, &first), is = gt_sequence_is_left(new, b, &first);
        if (was && is) gt_run_keep(&writer, count);
        if (was && !is) gt_run_remove(&writer, count);
        for (uint32_t i = 0; !was && is && i < count; i++) gt_run_insert(&writer, gt_bytes_text("-"));
        of_a += count;
        of_b += count;
        if (of_a == a->length) a = gt_sequence_span(old, a);
        if (of_b == b->length) b = gt_sequence_span(new, b);
        if (left == count) of_a = 0;
        if (other == count) of_b = 0;
    }
    gt_run_writer_end(&writer, &runs);
    bool failed = gt_buf_failed(&runs);
    if (!failed) gt_rich_diff_along(before, after, gt_buf_bytes(&runs), edit);
    gt_buf_free(&runs);
    return failed ? gt_no_memory(to->replay->diag) : GOAT_OK;
}

const gt_merge_type gt_merge_rich = {check_edit, diff, compose, apply, replay_edits};
