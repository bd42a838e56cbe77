/* Splices of texts that nobody has looked at yet, on top of a field's edit.
 *
 * Each on its own would cost what the whole text does. So they are made in an index of the text, and value and edit wait until
 * somebody asks. The index stays where it is until something else is done to the field. */
#include "db/internal.h"

/* Rules of the field ask for the whole text at each edit. */
bool gt_splices_may_wait(const gt_field *field, const gt_edit *edit) {
    return edit->operation == GT_SPLICE && field->type == GT_TYPE_TEXT && field->min_length == 0 &&
           field->max_length == UINT64_MAX && field->enum_values.data == NULL && field->pattern == NULL;
}

static goat_status begin(gt_field_edit *to, gt_bytes base, const gt_alloc *alloc, gt_diag *diag) {
    gt_bytes edit = {0}, value = base;
    if (to->bytes != NULL) {
        edit = gt_bytes_of(to->bytes, to->edit_len);
        value = to->has_value ? gt_bytes_of(to->bytes + to->edit_len, to->value_len) : (gt_bytes){0};
    }
    goat_status status = gt_text_index_new(alloc, to->field, base, edit, value, &to->text, diag);
    if (status != GOAT_OK) return status;
    to->text_below = to->bytes; /* the index lies on it */
    to->bytes = NULL;
    return GOAT_OK;
}

goat_status gt_splices_push(gt_field_edit *to, gt_bytes base, const gt_splice *splice, const gt_alloc *alloc,
                            gt_diag *diag) {
    goat_status status = to->text == NULL ? begin(to, base, alloc, diag) : GOAT_OK;
    if (status == GOAT_OK) status = gt_text_index_splice(to->text, splice, diag);
    if (status != GOAT_OK) return status;
    gt_free(alloc, to->bytes);
    to->bytes = NULL;
    return GOAT_OK;
}

goat_status gt_splices_settle(gt_field_edit *edit, const gt_alloc *alloc, gt_diag *diag) {
    gt_buf both;
    gt_buf_init(&both, alloc);
    gt_text_index_edit(edit->text, &both);
    size_t edit_len = both.len;
    gt_text_index_value(edit->text, &both);
    if (gt_buf_failed(&both)) {
        gt_buf_free(&both);
        return gt_no_memory(diag);
    }
    edit->bytes = both.data; /* the buffer's memory is taken over */
    edit->edit_len = edit_len;
    edit->value_len = both.len - edit_len;
    edit->has_value = edit->value_len > 0;
    return GOAT_OK;
}

void gt_splices_free(const gt_alloc *alloc, gt_field_edit *edit) {
    gt_text_index_free(edit->text);
    gt_free(alloc, edit->text_below);
    edit->text = NULL;
    edit->text_below = NULL;
}
