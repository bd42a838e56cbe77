/* Rich text: four values one behind the other: a document, two edits of it by two authors, and a Delta. What is taken leaves
 * documents in their one form, whichever edit comes first, and putting edits together is doing them one after the other. */
#include "base/assert.h"
#include "merge/merge.h"
#include "support/test_schema.h"
#include "value/build.h"
#include "value/rich.h"

enum { BASE, ONE, TWO, DELTA, PARTS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gt_schema *schema;

static void assert_form(gt_bytes document) {
    uint64_t position;
    GOAT_ASSERT(gt_value_check(document, 0, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_rich_fault(document, true, &position) == NULL);
}

/* {"r": value}. */
static void write_field(gt_buf *out, gt_bytes value) {
    gt_buf_init(out, &gt_alloc_system);
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("r"));
    gt_buf_append(out, value.data, value.len);
}

static bool is_good(gt_bytes edit) {
    gt_buf delta;
    write_field(&delta, edit);
    bool good = gt_merge_check_delta(schema, gt_buf_bytes(&delta), NULL) == GOAT_OK;
    gt_buf_free(&delta);
    return good;
}

static void apply(const gt_field *field, gt_bytes base, gt_bytes edit, gt_buf *value) {
    gt_buf_init(value, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_apply(field, base, edit, value, NULL) == GOAT_OK);
    if (value->len > 0) assert_form(gt_buf_bytes(value));
}

static gt_bytes or_none(const gt_buf *value) { return value->len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(value); }

static void check_compose(const gt_field *field, gt_bytes base, gt_bytes one, gt_bytes two) {
    gt_buf after_one, after_two, both, after_both;
    apply(field, base, one, &after_one);
    apply(field, or_none(&after_one), two, &after_two);
    gt_buf_init(&both, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_compose(field, base, one, two, &both, NULL) == GOAT_OK);
    if (both.len > 0) {
        apply(field, base, gt_buf_bytes(&both), &after_both);
        GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&after_both), gt_buf_bytes(&after_two)));
        gt_buf_free(&after_both);
    }
    gt_buf_free(&both);
    gt_buf_free(&after_one);
    gt_buf_free(&after_two);
}

static void check_diff(const gt_field *field, gt_bytes before, gt_bytes after) {
    gt_buf edit, made;
    gt_buf_init(&edit, &gt_alloc_system);
    GOAT_ASSERT(gt_edit_diff(field, before, after, &edit, NULL) == GOAT_OK);
    if (edit.len > 0) {
        GOAT_ASSERT(is_good(gt_buf_bytes(&edit)));
        apply(field, before, gt_buf_bytes(&edit), &made);
        uint64_t position;
        if (gt_rich_fault(after, true, &position) == NULL) GOAT_ASSERT(gt_value_equal(gt_buf_bytes(&made), after));
        gt_buf_free(&made);
    }
    gt_buf_free(&edit);
}

/* Both at once, in either order of arrival. What was not checked may be refused, and nothing else. */
static void check_merge(gt_bytes base, const gt_bytes *edits, bool checked) {
    static const uint8_t ids[2][GT_HASH_SIZE] = {{1}, {2}};
    gt_buf state, deltas[2], out[2];
    goat_status status[2];
    write_field(&state, base);
    for (int i = 0; i < 2; i++) write_field(&deltas[i], edits[i]);
    for (int turn = 0; turn < 2; turn++) {
        gt_step steps[2];
        for (int i = 0; i < 2; i++) {
            int of = i ^ turn;
            steps[i] = (gt_step){.id = ids[of], .time = 1, .delta = gt_buf_bytes(&deltas[of])};
        }
        gt_buf_init(&out[turn], &gt_alloc_system);
        status[turn] =
            gt_merge_replay(&gt_alloc_system, schema, gt_buf_bytes(&state), steps, 2, &out[turn], NULL, NULL);
        GOAT_ASSERT(status[turn] == GOAT_OK || (!checked && status[turn] == GOAT_INVALID));
    }
    GOAT_ASSERT(status[0] == status[1]);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&out[0]), gt_buf_bytes(&out[1])));
    if (status[0] == GOAT_OK && checked) {
        gt_bytes value = gt_map_find(gt_buf_bytes(&out[0]), gt_bytes_text("r"));
        if (value.data != NULL) assert_form(value);
    }
    for (int i = 0; i < 2; i++) {
        gt_buf_free(&out[i]);
        gt_buf_free(&deltas[i]);
    }
    gt_buf_free(&state);
}

static void check_delta(const gt_field *field, gt_bytes base, gt_bytes delta) {
    gt_buf edit, made;
    gt_buf_init(&edit, &gt_alloc_system);
    goat_status status = gt_edit_delta(field, base, delta, &edit, NULL);
    GOAT_ASSERT(status == GOAT_OK || status == GOAT_INVALID);
    GOAT_ASSERT(status == GOAT_OK || edit.len == 0);
    if (edit.len > 0) {
        GOAT_ASSERT(is_good(gt_buf_bytes(&edit)));
        apply(field, base, gt_buf_bytes(&edit), &made);
        gt_buf_free(&made);
    }
    gt_buf_free(&edit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gt_bytes parts[PARTS];
    uint64_t position;
    if (schema == NULL) {
        schema = test_schema("{\"ns\": \"n\", \"version\": 1, \"fields\": {\"r\": {\"type\": \"richtext\"}}}");
    }
    for (int i = 0; i < PARTS; i++) {
        size_t len;
        uint32_t flags = i == ONE || i == TWO ? GT_VALUE_EDIT : 0;
        if (gt_value_check_first(gt_bytes_of(data, size), flags, &len, NULL) != GOAT_OK) return 0;
        parts[i] = gt_bytes_of(data, len);
        data += len;
        size -= len;
    }
    const gt_field *field = gt_schema_field_at(schema, 0);
    bool good = is_good(parts[ONE]) && is_good(parts[TWO]);
    check_merge(parts[BASE], &parts[ONE], good);
    if (gt_rich_fault(parts[BASE], true, &position) != NULL) return 0;
    check_delta(field, parts[BASE], parts[DELTA]);
    if (gt_rich_fault(parts[DELTA], false, &position) == NULL) check_diff(field, parts[BASE], parts[DELTA]);
    if (good) check_compose(field, parts[BASE], parts[ONE], parts[TWO]);
    return 0;
}
