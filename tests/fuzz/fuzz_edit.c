/* Edits of texts and lists: a value and an edit in any bytes. What is taken for an edit comes to a value, the way from one
 * value to the other is an edit that leads there, and an edit done twice is the two of them in one.
 *
 * The first byte says which type, the second how long the value is; none: the field is unset. */
#include "base/assert.h"
#include "commit/read.h"
#include "merge/type.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const gt_field *field, gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(value, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_apply(field, base, edit, value, &diag) == GOAT_OK);
    GOAT_ASSERT(gt_value_check(gt_buf_bytes(value), 0, NULL) == GOAT_OK);
}

static bool equal(const gt_buf *a, const gt_buf *b) { return gt_bytes_compare(gt_buf_bytes(a), gt_buf_bytes(b)) == 0; }

static void check(const gt_field *field, gt_bytes base, gt_bytes edit) {
    gt_buf once, twice, way, both, again;
    gt_diag diag;
    gt_diag_init(&diag);
    apply(field, base, edit, &once);
    apply(field, gt_buf_bytes(&once), edit, &twice);

    gt_buf_init(&way, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_diff(field, base, gt_buf_bytes(&once), &way, &diag) == GOAT_OK);
    if (way.len > 0) {
        apply(field, base, gt_buf_bytes(&way), &again);
        GOAT_ASSERT(equal(&again, &once));
        gt_buf_free(&again);
    }
    gt_buf_init(&both, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_compose(field, base, edit, edit, &both, &diag) == GOAT_OK);
    if (both.len > 0) {
        GOAT_ASSERT(gt_merge_type_of(field)->check_edit(field, gt_buf_bytes(&both), true, &diag) == GOAT_OK);
        apply(field, base, gt_buf_bytes(&both), &again);
        GOAT_ASSERT(equal(&again, &twice));
        gt_buf_free(&again);
    }
    gt_buf_free(&once);
    gt_buf_free(&twice);
    gt_buf_free(&way);
    gt_buf_free(&both);
}

static bool is_delta(gt_bytes delta) {
    gt_diag diag;
    gt_bytes fields;
    bool plain;
    gt_diag_init(&diag);
    gt_reader reader = {.begin = delta.data, .next = delta.data, .end = delta.data + delta.len, .diag = &diag};
    return gt_read_fields(&reader, false, &fields, &plain) && reader.next == reader.end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || data[1] > size - 2) return 0;
    gt_field field = {
        .name = gt_bytes_text("f"), .type = data[0] % 2 == 0 ? GT_TYPE_LIST : GT_TYPE_TEXT, .max_length = UINT64_MAX};
    gt_bytes base = gt_bytes_of(data + 2, data[1]), edit = gt_bytes_of(data + 2 + data[1], size - 2 - data[1]);
    gt_diag diag;
    gt_diag_init(&diag);
    if (base.len == 0) {
        base.data = NULL;
    } else if (gt_value_check(base, 0, NULL) != GOAT_OK || !gt_value_is_within(base, GOAT_VALUE_DEPTH_MAX - 1) ||
               gt_schema_check_type(&field, base, &diag) != GOAT_OK) {
        return 0;
    }
    gt_buf delta; /* as a commit has it, for the form that everybody checks */
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, field.name);
    gt_buf_append(&delta, edit.data, edit.len);
    if (is_delta(gt_buf_bytes(&delta)) && gt_value_kind(edit) != GT_KIND_UNDEFINED &&
        gt_merge_type_of(&field)->check_edit(&field, edit, true, &diag) == GOAT_OK) {
        check(&field, base, edit);
    }
    gt_buf_free(&delta);
    return 0;
}
