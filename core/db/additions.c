/* Additions to a set and puts into a map that nobody has looked at yet, on top of a field's edit.
 *
 * Taken in one by one each would go through all that the field holds. So they wait, composed among themselves in runs of doubling
 * length, until the value or the edit is asked for. They need to know nothing of the value below them, and no rule of the
 * field can break on it, so whenever they are taken in it comes to the same. */
#include "db/internal.h"

enum { RUNS = 32 };

/* Run i is of 2^i additions, or empty; later ones are in shorter runs. */
struct gt_additions {
    gt_buf runs[RUNS];
};

bool gt_additions_may_wait(const gt_field_edit *before, const gt_edit *edit) {
    if (before == NULL || !before->has_value) return false;
    const gt_field *field = before->field;
    bool adds = (edit->operation == GT_ADD && field->type == GT_TYPE_SET) ||
                (edit->operation == GT_PUT && field->type == GT_TYPE_MAP && edit->value.data != NULL);
    return adds && field->min_length == 0 && field->max_length == UINT64_MAX && field->enum_values.data == NULL;
}

static gt_additions *new_additions(const gt_alloc *alloc) {
    gt_additions *additions = gt_new(alloc, 1, sizeof(*additions));
    for (int i = 0; additions != NULL && i < RUNS; i++) gt_buf_init(&additions->runs[i], alloc);
    return additions;
}

void gt_additions_free(const gt_alloc *alloc, gt_additions *additions) {
    if (additions == NULL) return;
    for (int i = 0; i < RUNS; i++) gt_buf_free(&additions->runs[i]);
    gt_free(alloc, additions);
}

/* Puts a run in front of what was composed of later ones. */
static goat_status compose(const gt_field *field, const gt_buf *run, gt_buf *later, gt_diag *diag) {
    gt_buf both;
    gt_buf_init(&both, later->alloc);
    if (later->len == 0) {
        gt_buf_append(later, run->data, run->len);
        return gt_buf_failed(later) ? gt_no_memory(diag) : GOAT_OK;
    }
    goat_status status = gt_edit_compose(field, (gt_bytes){0}, gt_buf_bytes(run), gt_buf_bytes(later), &both, diag);
    if (status == GOAT_OK) {
        gt_buf swap = *later;
        *later = both;
        both = swap;
    }
    gt_buf_free(&both);
    return status;
}

goat_status gt_additions_push(gt_field_edit *to, const gt_edit *edit, const gt_alloc *alloc, gt_diag *diag) {
    const gt_field *field = to->field;
    if (to->additions == NULL) to->additions = new_additions(alloc);
    if (to->additions == NULL) return gt_no_memory(diag);
    gt_buf *runs = to->additions->runs, run;
    gt_buf_init(&run, alloc);
    goat_status status = edit->operation == GT_ADD
                             ? gt_edit_add(field, edit->value, &run, diag)
                             : gt_edit_put(field, (gt_bytes){0}, edit->key, edit->value, &run, diag);
    int place = 0;
    for (; status == GOAT_OK && place < RUNS - 1 && runs[place].len > 0; place++) {
        status = compose(field, &runs[place], &run, diag);
    }
    if (status == GOAT_OK && runs[place].len > 0) status = compose(field, &runs[place], &run, diag);
    if (status == GOAT_OK) { /* not before all of it has succeeded */
        for (int i = 0; i <= place; i++) gt_buf_free(&runs[i]);
        runs[place] = run;
        return GOAT_OK;
    }
    gt_buf_free(&run);
    return status;
}

goat_status gt_additions_compose(const gt_field_edit *edit, gt_buf *all, gt_diag *diag) {
    goat_status status = GOAT_OK;
    for (int i = 0; status == GOAT_OK && i < RUNS; i++) {
        const gt_buf *run = &edit->additions->runs[i];
        if (run->len > 0) status = compose(edit->field, run, all, diag);
    }
    return status;
}
