/* Operations on lists, made as edits. Each says exactly what its author did: what he moved, and what he left alone. */
#include "merge/runs.h"
#include "merge/type.h"

static goat_status want_list(const gt_field *field, gt_diag *diag) {
    return gt_edit_want_type(field, GT_TYPE_LIST, "list: it has no positions", diag);
}

static uint64_t count_of(const gt_field *field, gt_bytes base) {
    base = gt_edit_base(field, base);
    return base.data == NULL ? 0 : gt_value_count(base);
}

static goat_status no_such_place(const gt_field *field, uint64_t position, uint64_t count, gt_diag *diag) {
    gt_fail_at(diag, GOAT_INVALID, position, "there is no position %llu in a list of %llu elements",
               (unsigned long long)position, (unsigned long long)count);
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    return GOAT_INVALID;
}

static goat_status finish(gt_run_writer *writer, gt_buf *edit, gt_diag *diag) {
    gt_run_writer_end(writer, edit);
    return gt_buf_failed(edit) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_edit_list_insert(const gt_field *field, gt_bytes base, uint64_t position, gt_bytes values, gt_buf *edit,
                                gt_diag *diag) {
    goat_status status = want_list(field, diag);
    if (status == GOAT_OK) status = gt_schema_check_type(field, values, diag);
    if (status != GOAT_OK) return status;
    uint64_t count = count_of(field, base);
    if (position > count) return no_such_place(field, position, count, diag);
    gt_iter iter = gt_array_iter(values);
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    if (gt_edit_base(field, base).data == NULL) {
        if (iter.left > 0) gt_buf_append(edit, values.data, values.len);
    } else {
        gt_run_keep(&writer, position);
        gt_run_insert_values(&writer, gt_bytes_of(iter.next, (size_t)(iter.end - iter.next)), iter.left);
    }
    return finish(&writer, edit, diag);
}

goat_status gt_edit_list_remove(const gt_field *field, gt_bytes base, uint64_t position, uint64_t count, gt_buf *edit,
                                gt_diag *diag) {
    goat_status status = want_list(field, diag);
    if (status != GOAT_OK) return status;
    uint64_t all = count_of(field, base);
    if (position > all) return no_such_place(field, position, all, diag);
    if (count > all - position) {
        gt_fail_at(diag, GOAT_INVALID, position, "at %llu of %llu elements no %llu can be removed",
                   (unsigned long long)position, (unsigned long long)all, (unsigned long long)count);
        gt_diag_field(diag, (const char *)field->path.data, field->path.len);
        return GOAT_INVALID;
    }
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    gt_run_keep(&writer, position);
    gt_run_remove(&writer, count);
    return finish(&writer, edit, diag);
}

goat_status gt_edit_list_move(const gt_field *field, gt_bytes base, uint64_t from, uint64_t to, gt_buf *edit,
                              gt_diag *diag) {
    goat_status status = want_list(field, diag);
    if (status != GOAT_OK) return status;
    uint64_t count = count_of(field, base);
    if (from >= count || to >= count) return no_such_place(field, from >= count ? from : to, count, diag);
    if (from == to) return GOAT_OK;
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    gt_run_keep(&writer, from < to ? to + 1 : to); /* it still stands among those before it */
    gt_run_move(&writer, from, gt_bytes_of(NULL, 0));
    return finish(&writer, edit, diag);
}

goat_status gt_edit_list_set(const gt_field *field, gt_bytes base, uint64_t position, gt_bytes value, gt_buf *edit,
                             gt_diag *diag) {
    goat_status status = want_list(field, diag);
    if (status != GOAT_OK) return status;
    uint64_t count = count_of(field, base);
    gt_bytes before = {0};
    if (position >= count) return no_such_place(field, position, count, diag);
    if (!gt_edit_is_element(value)) {
        gt_fail_at(diag, GOAT_TOO_LARGE, position, "a value that is too deep to stand in a list");
        gt_diag_field(diag, (const char *)field->path.data, field->path.len);
        return GOAT_TOO_LARGE;
    }
    gt_iter iter = gt_array_iter(base);
    for (uint64_t i = 0; i <= position; i++) gt_array_next(&iter, &before);
    if (gt_value_equal(before, value)) return GOAT_OK;
    gt_run_writer writer;
    gt_run_writer_init(&writer, edit->alloc);
    gt_run_keep(&writer, position);
    gt_run_set(&writer, value);
    return finish(&writer, edit, diag);
}
