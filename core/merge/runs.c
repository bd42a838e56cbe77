#include "merge/runs.h"

#include "base/utf8.h"
#include "merge/rich_runs.h"
#include "value/build.h"

/* ---- reading ---- */

gt_run_iter gt_runs_of(gt_bytes edit, uint64_t base_count) {
    gt_run_iter iter = {.before = base_count, .left = base_count, .removes = gt_value_kind(edit) != GT_KIND_MAP};
    if (iter.removes) {
        iter.whole = edit;
    } else {
        iter.iter = gt_array_iter(gt_map_find_int(edit, 0));
    }
    return iter;
}

static gt_run insertion(gt_bytes value) {
    gt_run run = {.kind = GT_RUN_INSERT};
    if (gt_value_as_text(value, &run.inserted)) {
        run.count = gt_utf8_count(run.inserted.data, run.inserted.len);
    } else {
        gt_iter iter = gt_array_iter(value);
        run.count = iter.left;
        run.inserted = gt_bytes_of(iter.next, (size_t)(iter.end - iter.next));
    }
    return run;
}

/* False for one of an element that is not there. */
static bool read_map(gt_run_iter *iter, gt_bytes map, gt_run *run) {
    gt_bytes from = gt_map_find_int(map, 1);
    int64_t number = 0;
    *run = (gt_run){.kind = from.data != NULL ? GT_RUN_MOVE : GT_RUN_SET, .count = 1, .value = gt_map_find_int(map, 2)};
    if (run->kind == GT_RUN_MOVE) {
        gt_value_as_int64(from, &number);
        run->from = (uint64_t)number;
        return run->from < iter->before;
    }
    if (iter->left == 0) return false;
    iter->left--;
    return true;
}

bool gt_run_next(gt_run_iter *iter, gt_run *run) {
    gt_bytes element;
    int64_t number = 0;
    if (iter->is_rich) return gt_rich_run_next(iter, run);
    if (iter->whole.data != NULL) {
        *run = insertion(iter->whole);
        iter->whole = (gt_bytes){0};
        if (run->count > 0) return true;
    }
    while (iter->iter.left > 0 && gt_array_next(&iter->iter, &element)) {
        if (gt_value_kind(element) == GT_KIND_MAP) {
            if (read_map(iter, element, run)) return true;
            continue;
        }
        if (!gt_value_as_int64(element, &number)) {
            *run = insertion(element);
            return true;
        }
        *run = (gt_run){.kind = number > 0 ? GT_RUN_KEEP : GT_RUN_REMOVE};
        run->count = number > 0 ? (uint64_t)number : (uint64_t)0 - (uint64_t)number;
        if (run->count > iter->left) run->count = iter->left;
        iter->left -= run->count;
        if (run->count > 0) return true;
    }
    *run = (gt_run){.kind = iter->removes ? GT_RUN_REMOVE : GT_RUN_KEEP, .count = iter->left};
    iter->left = 0;
    return run->count > 0;
}

/* ---- writing ---- */

void gt_run_writer_init(gt_run_writer *writer, const gt_alloc *alloc) {
    *writer = (gt_run_writer){0};
    gt_buf_init(&writer->runs, alloc);
    gt_buf_init(&writer->inserted, alloc);
}

static void write_number(gt_run_writer *writer, int64_t number) {
    if (number == 0) return;
    gt_write_int(&writer->runs, number);
    writer->count++;
}

static void write_inserted(gt_run_writer *writer) {
    gt_bytes inserted = gt_buf_bytes(&writer->inserted);
    if (inserted.len == 0) return;
    if (writer->values == 0) {
        gt_write_text(&writer->runs, inserted);
    } else {
        gt_write_array_head(&writer->runs, (size_t)writer->values);
        gt_buf_append(&writer->runs, inserted.data, inserted.len);
    }
    writer->inserted.len = 0;
    writer->values = 0;
    writer->count++;
}

/* What was inserted and removed since the last that was kept. */
static void write_changes(gt_run_writer *writer) {
    write_inserted(writer);
    write_number(writer, -(int64_t)writer->removed);
    writer->removed = 0;
}

static void write_kept(gt_run_writer *writer) {
    write_number(writer, (int64_t)writer->kept);
    writer->kept = 0;
}

void gt_run_keep(gt_run_writer *writer, uint64_t count) {
    if (count == 0) return;
    write_changes(writer);
    writer->kept += count;
}

void gt_run_remove(gt_run_writer *writer, uint64_t count) {
    if (count == 0) return;
    write_kept(writer);
    writer->removed += count;
}

void gt_run_insert(gt_run_writer *writer, gt_bytes text) {
    if (text.len == 0) return;
    write_kept(writer);
    gt_buf_append(&writer->inserted, text.data, text.len);
}

void gt_run_insert_values(gt_run_writer *writer, gt_bytes values, uint64_t count) {
    gt_run_insert(writer, values);
    writer->values += count;
}

static void write_map(gt_run_writer *writer, bool moves, uint64_t from, gt_bytes value) {
    gt_write_map_head(&writer->runs, moves + (size_t)(value.data != NULL));
    if (moves) {
        gt_write_int(&writer->runs, 1);
        gt_write_int(&writer->runs, (int64_t)from);
    }
    if (value.data != NULL) {
        gt_write_int(&writer->runs, 2);
        gt_buf_append(&writer->runs, value.data, value.len);
    }
    writer->count++;
}

void gt_run_move(gt_run_writer *writer, uint64_t from, gt_bytes value) {
    write_kept(writer);
    write_inserted(writer);
    write_map(writer, true, from, value);
}

void gt_run_set(gt_run_writer *writer, gt_bytes value) {
    write_changes(writer);
    write_kept(writer);
    write_map(writer, false, 0, value);
}

void gt_run_writer_end(gt_run_writer *writer, gt_buf *edit) {
    write_changes(writer);
    if (gt_buf_failed(&writer->runs) || gt_buf_failed(&writer->inserted)) {
        edit->failed = true;
    } else if (writer->count > 0) {
        gt_write_map_head(edit, 1);
        gt_write_int(edit, 0);
        gt_write_array_head(edit, writer->count);
        gt_buf_append(edit, writer->runs.data, writer->runs.len);
    }
    gt_buf_free(&writer->runs);
    gt_buf_free(&writer->inserted);
}
