#include "support/edit_laws.h"

#include "support/test.h"
#include "support/test_alloc.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

edit_place edit_place_of(const gt_schema *schema, const char *field) {
    edit_place at = {schema, gt_schema_field(schema, gt_bytes_text(field))};
    assert_non_null(at.field);
    return at;
}

goat_status edit_check(edit_place at, gt_bytes edit, gt_diag *diag) {
    gt_buf delta;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, at.field->name);
    gt_buf_append(&delta, edit.data, edit.len);
    gt_diag_init(diag);
    goat_status status = gt_merge_check_delta(at.schema, gt_buf_bytes(&delta), diag);
    gt_buf_free(&delta);
    return status;
}

static void succeeds(goat_status status, const gt_diag *diag) {
    if (status != GOAT_OK) fail_msg("%s", diag->message);
}

void edit_leads(edit_place at, gt_bytes from, gt_bytes edit, gt_bytes to) {
    gt_buf value;
    gt_diag diag;
    gt_buf_init(&value, &gt_alloc_system);
    succeeds(edit_check(at, edit, &diag), &diag);
    succeeds(gt_edit_apply(at.field, from, edit, &value, &diag), &diag);
    assert_true(gt_bytes_equal(gt_buf_bytes(&value), to));
    gt_buf_free(&value);
}

void edit_made(edit_place at, gt_bytes from, gt_bytes to, gt_buf *edit) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_clear(edit);
    succeeds(gt_edit_diff(at.field, from, to, edit, &diag), &diag);
    assert_int_equal(edit->len == 0, gt_bytes_equal(from, to));
    if (edit->len > 0) edit_leads(at, from, gt_buf_bytes(edit), to);
}

void edit_made_is(edit_place at, const char *from, const char *to, const char *expected) {
    gt_bytes base = test_value(from), value = test_value(to);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    edit_made(at, base, value, &edit);
    assert_value(gt_buf_bytes(&edit), expected);
    gt_buf_free(&edit);
    test_value_free(base);
    test_value_free(value);
}

bool edit_composed(edit_place at, gt_bytes base, gt_bytes first, gt_bytes second, gt_bytes to, gt_buf *both) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_clear(both);
    succeeds(gt_edit_compose(at.field, base, first, second, both, &diag), &diag);
    if (both->len > 0) {
        edit_leads(at, base, gt_buf_bytes(both), to);
    } else {
        assert_true(gt_bytes_equal(base, to));
    }
    return both->len > 0;
}

uint32_t edit_laws_hold(edit_place at, const edit_model *model, uint32_t rounds, const char *test_name) {
    test_random random;
    gt_buf values[3], edits[2], both;
    uint32_t composed = 0;
    test_random_init(&random, test_name);
    for (int i = 0; i < 3; i++) gt_buf_init(&values[i], &gt_alloc_system);
    for (int i = 0; i < 2; i++) gt_buf_init(&edits[i], &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 3; i++) {
            gt_buf_clear(&values[i]);
            if (i > 0 && model->vary != NULL && test_random_below(&random, 8) > 0) {
                model->vary(&random, gt_buf_bytes(&values[i - 1]), &values[i]);
            } else {
                model->make(&random, &values[i]);
            }
        }
        gt_bytes base = gt_buf_bytes(&values[0]), middle = gt_buf_bytes(&values[1]), end = gt_buf_bytes(&values[2]);
        edit_made(at, base, middle, &edits[0]);
        edit_made(at, middle, end, &edits[1]);
        if (edits[0].len == 0 || edits[1].len == 0) continue;
        composed += edit_composed(at, base, gt_buf_bytes(&edits[0]), gt_buf_bytes(&edits[1]), end, &both);
    }
    for (int i = 0; i < 3; i++) gt_buf_free(&values[i]);
    for (int i = 0; i < 2; i++) gt_buf_free(&edits[i]);
    gt_buf_free(&both);
    return composed;
}

void edit_laws_hold_without_memory(merge_fixture *f, const char *field, const char *base, const char *other,
                                   const char *one, const char *two) {
    const gt_field *of = edit_place_of(f->schema, field).field;
    gt_bytes from = test_value(base), to = test_value(other), first = test_value(one), second = test_value(two);
    gt_buf item, delta[2];
    gt_buf_init(&item, &gt_alloc_system);
    for (int i = 0; i < 2; i++) gt_buf_init(&delta[i], &gt_alloc_system);
    test_text(&item, "{%s: %s}", field, base);
    test_text(&delta[0], "{%s: %s}", field, one);
    test_text(&delta[1], "{%s: %s}", field, two);
    for (int call = 0; call < 4; call++) {
        bool failed = true;
        for (uint64_t allowed = 0; failed; allowed++) {
            test_alloc memory;
            gt_buf out;
            goat_status status;
            test_alloc_init(&memory, allowed);
            gt_buf_init(&out, &memory.alloc);
            merge_begin(f, (const char *)item.data);
            for (int i = 0; i < 2; i++) merge_step(f, "", (const char *)delta[i].data);
            switch (call) {
            case 0: status = gt_edit_diff(of, from, to, &out, &f->diag); break;
            case 1: status = gt_edit_compose(of, from, first, second, &out, &f->diag); break;
            case 2: status = gt_edit_apply(of, from, second, &out, &f->diag); break;
            default:
                status = gt_merge_replay(&memory.alloc, f->schema, f->base, f->steps, 2, &out, NULL, &f->diag);
                break;
            }
            failed = memory.failed;
            assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
            gt_buf_free(&out);
            test_alloc_assert_empty(&memory);
        }
    }
    merge_begin(f, NULL);
    gt_buf_free(&item);
    for (int i = 0; i < 2; i++) gt_buf_free(&delta[i]);
    test_value_free(from);
    test_value_free(to);
    test_value_free(first);
    test_value_free(second);
}
