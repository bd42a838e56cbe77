/* Two edits of one author as one: what texts, lists and rich texts do alike. */
#include "merge/type.h"

bool gt_edit_is_whole(gt_bytes edit) { return gt_value_kind(edit) != GT_KIND_MAP; }

/* What came before is not looked at any more: the edit is a whole value, and none if it is the one of the base. */
static void compose_whole(gt_apply_edit *apply, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    gt_buf whole;
    gt_buf_init(&whole, edit->alloc);
    gt_bytes before = gt_edit_is_unset(first) ? gt_bytes_of(NULL, 0) : first;
    if (before.data != NULL && !gt_edit_is_whole(before)) {
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

void gt_runs_compose(gt_apply_edit *apply, gt_compose_edits *compose_runs, gt_bytes base, gt_bytes first,
                     gt_bytes second, gt_buf *edit) {
    bool are_runs = !gt_edit_is_whole(second) && !gt_edit_is_unset(first) && !gt_edit_is_whole(first);
    if (are_runs && base.data != NULL) {
        compose_runs(base, first, second, edit);
    } else {
        compose_whole(apply, base, first, second, edit);
    }
}
