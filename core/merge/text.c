/* Text: insertions of both sides are kept, each run of them whole; a removal removes what its author saw. */
#include "merge/sequence.h"

#include "base/utf8.h"
#include "merge/points.h"
#include "merge/text_diff.h"
#include "merge/text_source.h"

/* ---- shape ---- */

/* What one run does, and why it is none; NULL. */
static const char *run_fault(gt_bytes element, gt_run_kind *kind) {
    int64_t number = 0;
    gt_bytes text;
    bool good;
    if (gt_value_as_text(element, &text)) {
        *kind = GT_RUN_INSERT;
        good = text.len > 0;
    } else {
        if (!gt_value_as_int64(element, &number)) return "has a run that is none";
        *kind = number > 0 ? GT_RUN_KEEP : GT_RUN_REMOVE;
        good = number != 0 && number >= -GT_RUN_COUNT_MAX && number <= GT_RUN_COUNT_MAX;
    }
    return good ? NULL : "has a run of no code points, or of too many";
}

/* Nothing but canonical runs passes. */
static const char *order_fault(gt_run_kind kind, gt_run_kind last) {
    if (kind == last) return "has two runs in place of one";
    return kind == GT_RUN_INSERT && last == GT_RUN_REMOVE ? "inserts behind what it removes there" : NULL;
}

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    if (gt_value_kind(edit) == GT_KIND_TEXT) return GOAT_OK;
    bool is_map = gt_value_kind(edit) == GT_KIND_MAP && gt_value_count(edit) == 1;
    gt_bytes runs = is_map ? gt_map_find_int(edit, 0) : (gt_bytes){0};
    if (runs.data == NULL || gt_value_kind(runs) != GT_KIND_ARRAY) {
        return gt_edit_refuse(field, "is neither a text nor a map of runs", diag);
    }
    if (fully && gt_value_count(runs) == 0) return gt_edit_refuse(field, "has no runs", diag);
    gt_iter elements = gt_array_iter(runs);
    gt_bytes element;
    uint64_t at = 0;
    gt_run_kind kind, last = GT_RUN_SET; /* behind which anything may stand */
    for (; gt_array_next(&elements, &element); last = kind, at++) {
        const char *fault = run_fault(element, &kind);
        if (fault == NULL && fully) fault = order_fault(kind, last);
        if (fault != NULL) return gt_edit_refuse_run(field, fault, at, diag);
    }
    bool keeps_last = fully && last == GT_RUN_KEEP;
    return keeps_last ? gt_edit_refuse_run(field, "keeps something at the end", at - 1, diag) : GOAT_OK;
}

/* ---- one author ---- */

static gt_bytes text_of(gt_bytes value) {
    gt_bytes text = {0};
    if (value.data != NULL) gt_value_as_text(value, &text);
    return text;
}

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    if (base.data == NULL) {
        gt_buf_append(edit, value.data, value.len);
        return;
    }
    gt_text_diff(text_of(base), text_of(value), edit);
}

static uint64_t count_of(gt_bytes value) {
    gt_bytes text = text_of(value);
    return gt_utf8_count(text.data, text.len);
}

/* What is left of a run when a part of it is used up. */
static void use(gt_run *run, uint64_t count) {
    if (run->kind == GT_RUN_INSERT) {
        size_t len = gt_utf8_bytes(run->inserted, count);
        run->inserted = gt_bytes_behind(run->inserted, len);
    }
    run->count -= count;
}

static uint64_t count_after(gt_bytes edit, uint64_t count) {
    gt_run_iter iter = gt_runs_of(edit, count);
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_INSERT) count += run.count;
        if (run.kind == GT_RUN_REMOVE) count -= run.count;
    }
    return count;
}

/* Both go along the text between them, of which the first has left something and the second does something with. */
static void compose_runs(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    uint64_t base_count = count_of(base);
    gt_run_writer writer;
    gt_run_iter firsts = gt_runs_of(first, base_count), seconds = gt_runs_of(second, count_after(first, base_count));
    gt_run one = {0}, two = {0};
    bool more_of_first = true, more_of_second = true;
    gt_run_writer_init(&writer, edit->alloc);
    for (;;) {
        if (one.count == 0 && more_of_first) more_of_first = gt_run_next(&firsts, &one);
        if (two.count == 0 && more_of_second) more_of_second = gt_run_next(&seconds, &two);
        if (more_of_first && one.kind == GT_RUN_REMOVE) {
            gt_run_remove(&writer, one.count);
            one.count = 0;
        } else if (more_of_second && two.kind == GT_RUN_INSERT) {
            gt_run_insert(&writer, two.inserted);
            two.count = 0;
        } else if (more_of_first && more_of_second) {
            uint64_t count = one.count < two.count ? one.count : two.count;
            if (one.kind == GT_RUN_KEEP && two.kind == GT_RUN_KEEP) gt_run_keep(&writer, count);
            if (one.kind == GT_RUN_KEEP && two.kind == GT_RUN_REMOVE) gt_run_remove(&writer, count);
            if (one.kind == GT_RUN_INSERT && two.kind == GT_RUN_KEEP) {
                gt_run_insert(&writer, gt_bytes_of(one.inserted.data, gt_utf8_bytes(one.inserted, count)));
            }
            use(&one, count);
            use(&two, count);
        } else {
            break;
        }
    }
    gt_run_writer_end(&writer, edit);
}

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_bytes rest = text_of(base);
    gt_run_iter iter = gt_runs_of(edit, UINT64_MAX);
    size_t begin = value->len;
    if (gt_edit_is_whole(edit)) {
        gt_buf_append(value, edit.data, edit.len);
        return;
    }
    for (gt_run run; gt_run_next(&iter, &run);) {
        size_t len = run.kind == GT_RUN_INSERT ? 0 : gt_utf8_bytes(rest, run.count);
        if (run.kind == GT_RUN_INSERT) gt_buf_append(value, run.inserted.data, run.inserted.len);
        if (run.kind == GT_RUN_KEEP) gt_buf_append(value, rest.data, len);
        rest = gt_bytes_behind(rest, len);
    }
    gt_write_text_around(value, begin);
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_runs_compose(apply, compose_runs, base, first, second, edit);
}

/* ---- positions ---- */

bool gt_text_go(gt_bytes text, goat_unit unit, uint64_t *units, size_t *bytes, uint64_t *points) {
    size_t at = 0;
    uint64_t count = 0;
    while (*units > 0 && at < text.len) {
        uint64_t word;
        if (text.len - at >= 8 && *units >= 8) {
            memcpy(&word, text.data + at, 8);
            if ((word & UINT64_C(0x8080808080808080)) == 0) { /* ASCII: one of each */
                at += 8;
                count += 8;
                *units -= 8;
                continue;
            }
        }
        uint8_t byte = text.data[at];
        size_t len = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        uint64_t step = unit == GOAT_UNIT_BYTE ? len : unit == GOAT_UNIT_UTF16 && len == 4 ? 2 : 1;
        if (step > *units) break;
        at += len;
        count++;
        *units -= step;
    }
    *bytes = at;
    *points = count;
    return *units == 0;
}

goat_status gt_splice_refuse(const gt_splice *splice, bool count, gt_diag *diag) {
    static const char *const words[] = {
        [GOAT_UNIT_BYTE] = "bytes", [GOAT_UNIT_CODE_POINT] = "code points", [GOAT_UNIT_UTF16] = "UTF-16 units"};
    if (count) {
        return gt_fail_at(diag, GOAT_INVALID, splice->position, "at %llu no %llu %s can be removed",
                          (unsigned long long)splice->position, (unsigned long long)splice->count, words[splice->unit]);
    }
    return gt_fail_at(diag, GOAT_INVALID, splice->position, "%llu %s from the beginning there is no place in the text",
                      (unsigned long long)splice->position, words[splice->unit]);
}

goat_status gt_text_write_splice(gt_bytes base, const gt_splice *splice, gt_buf *edit, gt_diag *diag) {
    gt_bytes text = text_of(base);
    size_t at = 0, len = 0;
    uint64_t before = 0, removed = 0, left = splice->position;
    if (!gt_text_go(text, splice->unit, &left, &at, &before)) return gt_splice_refuse(splice, false, diag);
    left = splice->count;
    if (!gt_text_go(gt_bytes_behind(text, at), splice->unit, &left, &len, &removed)) {
        return gt_splice_refuse(splice, true, diag);
    }
    if (base.data == NULL) {
        if (splice->text.len > 0) gt_write_text(edit, splice->text);
        return GOAT_OK;
    }
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    gt_run_keep(&writer, before);
    gt_run_insert(&writer, splice->text);
    gt_run_remove(&writer, removed);
    gt_run_writer_end(&writer, edit);
    return GOAT_OK;
}

/* ---- several ---- */

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    bool is_there;
    if (!gt_field_is_there(replay, history, &is_there)) return gt_no_memory(replay->diag);
    if (!is_there) return GOAT_OK;
    gt_sequence *sequence = gt_text_sequence(replay, history);
    gt_text_source *sources = gt_text_sources_open(replay, history);
    if (sequence == NULL || sources == NULL) return gt_no_memory(replay->diag);
    size_t begin = value->len;
    gt_span *span = NULL;
    gt_element first;
    uint32_t count;
    while (value->len - begin <= GT_FIELD_SIZE_MAX && gt_sequence_next(sequence, &span, &first, &count)) {
        gt_bytes text = gt_text_source_read(sources, replay, first, count);
        gt_buf_append(value, text.data, text.len);
    }
    gt_write_text_around(value, begin);
    return GOAT_OK;
}

const gt_merge_type gt_merge_text = {check_edit, diff, compose, apply, replay_edits};
