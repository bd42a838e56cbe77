/* Splices of a text, or Deltas of a rich text, that nobody has looked at yet, on top of a field's edit. The text is the field, or stands
 * in it where the field is an object.
 *
 * Each on its own would cost what the whole text does. So they are made in an index of the text, and value and edit wait until
 * somebody asks. The index stays where it is until something else is done to the field. */
#include "db/splices.h"

#include "merge/rich_index.h"
#include "merge/text_index.h"

struct gt_splices {
    gt_text_index *text; /* one of the two */
    gt_rich_index *rich;
    uint8_t *below;   /* edit and value that they are on top of, which the index lies on; NULL: there is no edit */
    size_t below_len; /* of that edit */
    const gt_field *inside[GT_PATH_FIELDS_MAX]; /* from the field to the text */
    size_t inside_count;
};

/* ---- the index ---- */

static goat_status index_new(gt_splices *splices, const gt_field *text, gt_bytes base, gt_bytes edit, gt_bytes value,
                             const gt_alloc *alloc, gt_diag *diag) {
    if (text->type == GT_TYPE_TEXT) return gt_text_index_new(alloc, text, base, edit, value, &splices->text, diag);
    return gt_rich_index_new(alloc, text, base, edit, value, &splices->rich, diag);
}

static goat_status index_push(const gt_splices *splices, const gt_edit *edit, bool *made, gt_diag *diag) {
    if (splices->text != NULL) return gt_text_index_splice(splices->text, &edit->splice, made, diag);
    return gt_rich_index_delta(splices->rich, edit->value, made, diag);
}

static bool index_is_edit(const gt_splices *splices) {
    return splices->text != NULL ? gt_text_index_is_edit(splices->text) : gt_rich_index_is_edit(splices->rich);
}

static void index_edit(const gt_splices *splices, gt_buf *edit) {
    if (splices->text != NULL) gt_text_index_edit(splices->text, edit);
    if (splices->rich != NULL) gt_rich_index_edit(splices->rich, edit);
}

static void index_value(const gt_splices *splices, gt_buf *value) {
    if (splices->text != NULL) gt_text_index_value(splices->text, value);
    if (splices->rich != NULL) gt_rich_index_value(splices->rich, value);
}

/* ---- what may wait ---- */

/* A pattern asks for all of the text at each edit, and so do values to choose from. */
static bool has_index(const gt_field *text, gt_operation operation) {
    bool fits = operation == GT_SPLICE  ? text->type == GT_TYPE_TEXT
                : operation == GT_DELTA ? text->type == GT_TYPE_RICHTEXT
                                        : false;
    return fits && text->enum_values.data == NULL && text->pattern == NULL;
}

static gt_bytes edit_of(const gt_field_edit *edit) {
    return edit->bytes == NULL ? (gt_bytes){0} : gt_bytes_of(edit->bytes, edit->edit_len);
}

static gt_bytes value_of(const gt_field_edit *edit, gt_bytes base) {
    if (edit == NULL || edit->bytes == NULL) return base;
    return edit->has_value ? gt_bytes_of(edit->bytes + edit->edit_len, edit->value_len) : (gt_bytes){0};
}

/* In an object a text must be there: what is edited then is the text and nothing around it. */
bool gt_splices_may_wait(const gt_field *field, gt_bytes base, const gt_field_edit *before, const gt_edit *edit) {
    if (edit->inside_count == 0) return has_index(field, edit->operation);
    const gt_field *text = edit->inside[edit->inside_count - 1];
    if (!has_index(text, edit->operation)) return false;
    gt_bytes value = gt_inside_value(value_of(before, base), edit->inside, edit->inside_count);
    return value.data != NULL && gt_field_holds(text, value);
}

bool gt_splices_go_on(const gt_field_edit *before, const gt_edit *edit) {
    const gt_splices *splices = before == NULL ? NULL : before->splices;
    bool same = splices != NULL && edit->operation == (splices->text != NULL ? GT_SPLICE : GT_DELTA) &&
                splices->inside_count == edit->inside_count;
    for (size_t i = 0; same && i < edit->inside_count; i++) same = splices->inside[i] == edit->inside[i];
    return same;
}

/* ---- pushing ---- */

static bool has_begun(const gt_splices *splices) { return splices->text != NULL || splices->rich != NULL; }

/* There may be no index of a rich text. */
static goat_status begin(gt_field_edit *to, gt_bytes base, const gt_edit *edit, const gt_alloc *alloc, gt_diag *diag) {
    const gt_field *const *inside = edit->inside;
    size_t count = edit->inside_count;
    gt_splices *splices = gt_new(alloc, 1, sizeof(*splices));
    if (splices == NULL) return gt_no_memory(diag);
    goat_status status = index_new(splices, count == 0 ? to->field : inside[count - 1],
                                   gt_inside_value(base, inside, count), gt_inside_value(edit_of(to), inside, count),
                                   gt_inside_value(value_of(to, base), inside, count), alloc, diag);
    if (status != GOAT_OK || !has_begun(splices)) {
        gt_free(alloc, splices);
        return status;
    }
    splices->below = to->bytes;
    splices->below_len = to->bytes == NULL ? 0 : to->edit_len;
    splices->inside_count = count;
    for (size_t i = 0; i < count; i++) splices->inside[i] = inside[i];
    to->bytes = NULL;
    gt_splices_free(alloc, to->splices);
    to->splices = splices;
    return GOAT_OK;
}

goat_status gt_splices_push(gt_field_edit *to, gt_bytes base, const gt_edit *edit, const gt_alloc *alloc, bool *made,
                            gt_diag *diag) {
    *made = false;
    goat_status status = gt_splices_go_on(to, edit) ? GOAT_OK : begin(to, base, edit, alloc, diag);
    if (status == GOAT_OK && gt_splices_go_on(to, edit)) status = index_push(to->splices, edit, made, diag);
    if (!*made) return status;
    gt_free(alloc, to->bytes);
    to->bytes = NULL;
    return GOAT_OK;
}

/* ---- what they come to ---- */

static gt_bytes below(const gt_splices *splices) { return gt_bytes_of(splices->below, splices->below_len); }

bool gt_splices_are_edit(const gt_field_edit *edit) {
    const gt_splices *splices = edit->splices;
    return index_is_edit(splices) || !gt_inside_is_all(below(splices), splices->inside, splices->inside_count);
}

bool gt_splices_are_nothing(const gt_field_edit *edit) { return !index_is_edit(edit->splices); }

static goat_status write_edit(const gt_splices *splices, gt_buf *out, gt_diag *diag) {
    gt_buf inner;
    gt_buf_init(&inner, out->alloc);
    index_edit(splices, &inner);
    gt_inside_write(below(splices), splices->inside, splices->inside_count, gt_buf_bytes(&inner), out);
    bool failed = gt_buf_failed(&inner) || gt_buf_failed(out);
    gt_buf_free(&inner);
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

/* What an object comes to is what its edit does to it. */
static goat_status write_value(const gt_field_edit *edit, gt_bytes base, gt_bytes made, gt_buf *out, gt_diag *diag) {
    if (edit->splices->inside_count > 0) return gt_edit_apply(edit->field, base, made, out, diag);
    index_value(edit->splices, out);
    return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_splices_settle(gt_field_edit *edit, gt_bytes base, const gt_alloc *alloc, gt_diag *diag) {
    gt_buf made, both;
    gt_buf_init(&made, alloc);
    gt_buf_init(&both, alloc);
    goat_status status = write_edit(edit->splices, &made, diag);
    gt_buf_append(&both, made.data, made.len);
    if (status == GOAT_OK) status = write_value(edit, base, gt_buf_bytes(&made), &both, diag);
    if (status == GOAT_OK) {
        GOAT_ASSERT(made.len > 0); /* a field without an edit has none to settle */
        edit->bytes = both.data;   /* the buffer's memory is taken over */
        edit->edit_len = made.len;
        edit->value_len = both.len - made.len;
        edit->has_value = edit->value_len > 0;
    } else {
        gt_buf_free(&both);
    }
    gt_buf_free(&made);
    return status;
}

void gt_splices_free(const gt_alloc *alloc, gt_splices *splices) {
    if (splices == NULL) return;
    gt_text_index_free(splices->text);
    gt_rich_index_free(splices->rich);
    gt_free(alloc, splices->below);
    gt_free(alloc, splices);
}
