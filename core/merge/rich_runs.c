#include "merge/rich_runs.h"

#include "base/utf8.h"
#include "value/build.h"

/* ---- reading ---- */

static bool read_number(gt_bytes element, gt_run *run) {
    int64_t number = 0;
    if (!gt_value_as_int64(element, &number)) return false;
    run->kind = number > 0 ? GT_RUN_KEEP : GT_RUN_REMOVE;
    run->count = number > 0 ? (uint64_t)number : (uint64_t)0 - (uint64_t)number;
    return true;
}

static void read_content(gt_bytes content, gt_bytes attributes, gt_run *run) {
    gt_rich_piece piece = gt_rich_piece_of(content, attributes);
    *run = (gt_run){.kind = GT_RUN_INSERT, .is_embed = piece.is_embed, .count = piece.count, .inserted = piece.content};
    run->value = attributes;
}

static const char *count_fault(const gt_run *run) {
    bool good = run->count > 0 && run->count <= GT_RUN_COUNT_MAX;
    return good ? NULL : "has a run of no elements, or of too many";
}

/* A run of an array: what it is about and its attributes. */
static bool read_pair(gt_bytes element, gt_run *run, const char **fault) {
    gt_iter iter = gt_array_iter(element);
    size_t count = iter.left;
    gt_bytes content = {0}, attributes = {0};
    gt_array_next(&iter, &content);
    gt_array_next(&iter, &attributes);
    if (count < 1 || count > 2) return false;
    bool is_kept = read_number(content, run);
    if (!is_kept) {
        if (gt_value_kind(content) != GT_KIND_TEXT && gt_rich_embed_fault(content) != NULL) return false;
        read_content(content, attributes, run);
    }
    run->value = attributes;
    *fault = count_fault(run);
    if (is_kept && run->kind != GT_RUN_KEEP) return false;
    if (attributes.data == NULL && !run->is_embed) return false;
    if (attributes.data != NULL && *fault == NULL) *fault = gt_rich_attributes_fault(attributes, is_kept);
    if (is_kept && attributes.len > GT_RICH_ATTRIBUTES_MAX) *fault = "gives attributes of more than 4096 bytes";
    return true;
}

bool gt_rich_run_read(gt_bytes element, gt_run *run, const char **fault) {
    *run = (gt_run){0};
    *fault = NULL;
    gt_kind kind = gt_value_kind(element);
    if (kind == GT_KIND_ARRAY) return read_pair(element, run, fault);
    if (kind == GT_KIND_TEXT) {
        read_content(element, (gt_bytes){0}, run);
    } else if (!read_number(element, run)) {
        return false;
    }
    *fault = count_fault(run);
    return true;
}

bool gt_rich_edit_fits(gt_bytes edit) {
    gt_bytes element, kept, attributes;
    if (edit.len == 0 || gt_value_kind(edit) != GT_KIND_MAP) return true;
    for (gt_iter iter = gt_array_iter(gt_map_find_int(edit, 0)); gt_array_next(&iter, &element);) {
        int64_t number;
        if (element.len <= GT_RICH_ATTRIBUTES_MAX || gt_value_kind(element) != GT_KIND_ARRAY) continue;
        gt_iter pair = gt_array_iter(element);
        bool is_kept = gt_array_next(&pair, &kept) && gt_value_as_int64(kept, &number);
        if (is_kept && gt_array_next(&pair, &attributes) && attributes.len > GT_RICH_ATTRIBUTES_MAX) return false;
    }
    return true;
}

gt_run_iter gt_rich_runs_of(gt_bytes edit, uint64_t base_count) {
    bool is_whole = gt_value_kind(edit) != GT_KIND_MAP;
    gt_run_iter iter = {.before = base_count, .left = base_count, .removes = is_whole, .is_rich = true};
    iter.iter = gt_array_iter(is_whole ? edit : gt_map_find_int(edit, 0));
    return iter;
}

static bool read_insertion(gt_run_iter *iter, gt_run *run) {
    gt_rich_piece piece;
    if (!gt_rich_next(&iter->iter, &piece)) return false;
    *run = (gt_run){.kind = GT_RUN_INSERT, .is_embed = piece.is_embed, .count = piece.count, .inserted = piece.content};
    run->value = piece.attributes;
    return true;
}

bool gt_rich_run_next(gt_run_iter *iter, gt_run *run) {
    gt_bytes element;
    const char *fault;
    if (iter->removes && read_insertion(iter, run)) return true;
    while (!iter->removes && gt_array_next(&iter->iter, &element)) {
        if (!gt_rich_run_read(element, run, &fault)) continue;
        if (run->kind != GT_RUN_INSERT) {
            if (run->count > iter->left) run->count = iter->left;
            iter->left -= run->count;
        }
        if (run->count > 0) return true;
    }
    *run = (gt_run){.kind = iter->removes ? GT_RUN_REMOVE : GT_RUN_KEEP, .count = iter->left};
    iter->left = 0;
    return run->count > 0;
}

gt_rich_piece gt_rich_run_piece(const gt_run *run) {
    return (gt_rich_piece){run->inserted, run->count, run->value, run->is_embed};
}

gt_run gt_rich_run_take(gt_run *run, uint64_t count) {
    gt_run taken = *run;
    if (run->kind == GT_RUN_INSERT) {
        gt_rich_piece piece = gt_rich_run_piece(run);
        taken.inserted = gt_rich_take(&piece, count).content;
        run->inserted = piece.content;
    }
    taken.count = count;
    run->count -= count;
    return taken;
}

/* ---- writing ---- */

void gt_rich_run_writer_init(gt_rich_run_writer *writer, const gt_alloc *alloc) {
    *writer = (gt_rich_run_writer){0};
    gt_buf_init(&writer->runs, alloc);
    gt_buf_init(&writer->inserted, alloc);
    gt_buf_init(&writer->text, alloc);
    gt_buf_init(&writer->attributes, alloc);
    gt_buf_init(&writer->next, alloc);
}

static void write_text(gt_rich_run_writer *writer) {
    gt_bytes attributes = gt_buf_bytes(&writer->attributes);
    if (writer->text.len == 0) return;
    if (attributes.len > 0) gt_write_array_head(&writer->inserted, 2);
    gt_write_text(&writer->inserted, gt_buf_bytes(&writer->text));
    gt_buf_append(&writer->inserted, attributes.data, attributes.len);
    writer->text.len = 0;
    writer->inserted_count++;
}

/* What was inserted and removed since the last that was kept. */
static void write_changes(gt_rich_run_writer *writer) {
    write_text(writer);
    gt_buf_append(&writer->runs, writer->inserted.data, writer->inserted.len);
    writer->count += writer->inserted_count + (writer->removed > 0);
    if (writer->removed > 0) gt_write_int(&writer->runs, -(int64_t)writer->removed);
    writer->inserted.len = 0;
    writer->inserted_count = 0;
    writer->removed = 0;
}

static void write_kept(gt_rich_run_writer *writer) {
    gt_bytes attributes = gt_buf_bytes(&writer->attributes);
    if (writer->kept == 0) return;
    if (attributes.len > 0) gt_write_array_head(&writer->runs, 2);
    gt_write_int(&writer->runs, (int64_t)writer->kept);
    gt_buf_append(&writer->runs, attributes.data, attributes.len);
    writer->kept = 0;
    writer->count++;
}

static bool has_attributes(const gt_rich_run_writer *writer, gt_bytes attributes) {
    return gt_bytes_equal(gt_buf_bytes(&writer->attributes), attributes);
}

static void set_attributes(gt_rich_run_writer *writer, gt_bytes attributes) {
    writer->attributes.len = 0;
    gt_buf_append(&writer->attributes, attributes.data, attributes.len);
}

void gt_rich_run_keep(gt_rich_run_writer *writer, uint64_t count, gt_bytes attributes) {
    if (count == 0) return;
    write_changes(writer);
    if (writer->kept > 0 && !has_attributes(writer, attributes)) write_kept(writer);
    if (writer->kept == 0) set_attributes(writer, attributes);
    writer->kept += count;
}

void gt_rich_run_remove(gt_rich_run_writer *writer, uint64_t count) {
    if (count == 0) return;
    write_kept(writer);
    writer->removed += count;
}

void gt_rich_run_insert(gt_rich_run_writer *writer, const gt_rich_piece *piece) {
    if (piece->count == 0) return;
    write_kept(writer);
    writer->next.len = 0;
    gt_rich_attributes_compose((gt_bytes){0}, piece->attributes, false, &writer->next);
    gt_bytes attributes = gt_buf_bytes(&writer->next);
    if (piece->is_embed || !has_attributes(writer, attributes)) write_text(writer);
    if (piece->is_embed) {
        gt_write_array_head(&writer->inserted, 1u + (attributes.len > 0));
        gt_buf_append(&writer->inserted, piece->content.data, piece->content.len);
        gt_buf_append(&writer->inserted, attributes.data, attributes.len);
        writer->inserted_count++;
    } else {
        set_attributes(writer, attributes);
        gt_buf_append(&writer->text, piece->content.data, piece->content.len);
    }
}

void gt_rich_run_writer_end(gt_rich_run_writer *writer, gt_buf *edit) {
    write_changes(writer);
    if (writer->attributes.len > 0) write_kept(writer);
    if (gt_buf_failed(&writer->runs) || gt_buf_failed(&writer->inserted) || gt_buf_failed(&writer->text) ||
        gt_buf_failed(&writer->attributes) || gt_buf_failed(&writer->next)) {
        edit->failed = true;
    } else if (writer->count > 0) {
        gt_write_map_head(edit, 1);
        gt_write_int(edit, 0);
        gt_write_array_head(edit, writer->count);
        gt_buf_append(edit, writer->runs.data, writer->runs.len);
    }
    gt_buf_free(&writer->runs);
    gt_buf_free(&writer->inserted);
    gt_buf_free(&writer->text);
    gt_buf_free(&writer->attributes);
    gt_buf_free(&writer->next);
}
