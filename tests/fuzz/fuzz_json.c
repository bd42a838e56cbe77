/* JSON in, with each kind wanted, and as a document. What is taken is a value that comes back from its own JSON; what
 * is refused has a fault at a place in the text, and both our reader of the grammar and jansson say so. */
#include "base/assert.h"
#include "value/json.h"
#include "value/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* By the length of the name, so that every kind is reached. */
static gt_kind kind_by_length(void *context, gt_bytes name) {
    (void)context;
    static const gt_kind kinds[] = {GT_KIND_ANY, GT_KIND_DATE, GT_KIND_BYTES, GT_KIND_SET, GT_KIND_REF, GT_KIND_TEXT};
    return kinds[name.len % (sizeof kinds / sizeof kinds[0])];
}

static const gt_json_shape shape = {kind_by_length, NULL, NULL};

static goat_status from_json(gt_bytes text, gt_kind kind, bool fields, gt_buf *out, gt_diag *diag) {
    return fields ? gt_fields_from_json_text(text, &shape, out, diag)
                  : gt_value_from_json_text_as(text, kind, out, diag);
}

static goat_status to_json(gt_bytes value, gt_kind kind, bool fields, gt_buf *out) {
    return fields ? gt_fields_to_json_text(value, &shape, out, NULL) : gt_value_to_json_text_as(value, kind, out, NULL);
}

static void try_round_trip(gt_bytes value, gt_kind kind, bool fields) {
    gt_buf text, again;
    gt_buf_init(&text, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    GOAT_ASSERT(gt_value_check(value, 0, NULL) == GOAT_OK);
    GOAT_ASSERT(to_json(value, kind, fields, &text) == GOAT_OK);
    GOAT_ASSERT(from_json(gt_buf_bytes(&text), kind, fields, &again, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&again), value));
    gt_buf_free(&again);
    gt_buf_free(&text);
}

static void try_text(gt_bytes text, gt_kind kind, bool fields) {
    gt_buf value;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = from_json(text, kind, fields, &value, &diag);
    if (status == GOAT_OK) {
        try_round_trip(gt_buf_bytes(&value), kind, fields);
    } else {
        GOAT_ASSERT(status == GOAT_INVALID || status == GOAT_TOO_LARGE);
        GOAT_ASSERT(diag.position <= text.len);
        GOAT_ASSERT(value.len == 0);
    }
    gt_buf_free(&value);
}

static void try_grammar(gt_bytes text) {
    json_t *json = NULL;
    size_t position = 0;
    gt_diag diag;
    gt_diag_init(&diag);
    const char *fault = gt_json_fault(text, NULL, &position);
    goat_status status = gt_json_parse(text, &gt_alloc_system, &json, &diag);
    GOAT_ASSERT(position <= text.len);
    GOAT_ASSERT(status != GOAT_NO_MEMORY);
    GOAT_ASSERT(status != GOAT_OK || fault == NULL);
    if (status == GOAT_INVALID && strstr(diag.message, "beyond") == NULL) {
        GOAT_ASSERT(fault != NULL && diag.position == position);
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const gt_kind kinds[] = {GT_KIND_ANY, GT_KIND_DATE, GT_KIND_BYTES, GT_KIND_SET, GT_KIND_REF};
    gt_bytes text = gt_bytes_of(data, size);
    try_grammar(text);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        try_text(text, kinds[i], false);
    }
    try_text(text, GT_KIND_ANY, true);
    return 0;
}
