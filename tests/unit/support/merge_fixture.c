#include "support/merge_fixture.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const definition =
    "{\"ns\": \"n\", \"version\": 1, \"fields\": {"
    "\"text\": {\"type\": \"string\"}, \"size\": {\"type\": \"number\"}, \"list\": {\"type\": \"list\"},"
    "\"tags\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
    "\"done\": {\"type\": \"boolean\"}, \"due\": {\"type\": \"date\"}, \"raw\": {\"type\": \"bytes\"},"
    "\"owner\": {\"type\": \"ref\"}, \"place\": {\"type\": \"orderstamp\"}, \"rich\": {\"type\": \"richtext\"}}}";

int merge_fixture_set_up(void **state) {
    merge_fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) {
        f->schema = test_schema(definition);
    }
    return f == NULL;
}

int merge_fixture_tear_down(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, NULL);
    gt_schema_free(f->schema);
    free(f);
    return 0;
}

void merge_begin(merge_fixture *f, const char *base) {
    for (uint32_t i = 0; i < f->step_count; i++) {
        test_value_free(f->steps[i].delta);
    }
    test_value_free(f->base);
    f->base = test_value(base);
    f->step_count = 0;
}

uint32_t merge_step(merge_fixture *f, const char *parents, const char *delta) {
    uint32_t index = f->step_count++, count = 0;
    for (const char *at = parents; *at != 0;) {
        f->parents[index][count++] = (uint32_t)strtoul(at, (char **)(uintptr_t)&at, 10);
    }
    memset(f->ids[index], 0, 32);
    f->ids[index][0] = (uint8_t)(index + 1);
    f->steps[index] = (gt_step){.id = f->ids[index],
                                .time = 100 + index,
                                .delta = test_value(delta),
                                .parents = f->parents[index],
                                .parent_count = count};
    return index;
}

void merge_gives(merge_fixture *f, const char *expected) {
    gt_buf out;
    uint64_t work = 0;
    gt_buf_init(&out, &gt_alloc_system);
    gt_diag_init(&f->diag);
    goat_status status =
        gt_merge_replay(&gt_alloc_system, f->schema, f->base, f->steps, f->step_count, &out, &work, &f->diag);
    if (status != GOAT_OK) {
        fail_msg("%s", f->diag.message);
    }
    assert_value(gt_buf_bytes(&out), expected);
    assert_true(work >= f->step_count);
    gt_buf_free(&out);
    merge_begin(f, NULL);
}

void merge_refuses(merge_fixture *f, const char *field, const char *edit, int run, const char *words) {
    char notation[256], message[256];
    snprintf(notation, sizeof notation, "{%s: %s}", field, edit);
    int len = snprintf(message, sizeof message, "the edit of \"%s\" %s", field, words);
    if (run >= 0) snprintf(message + len, sizeof message - (size_t)len, ": number %d of its array", run);
    gt_bytes delta = test_value(notation);
    gt_diag_init(&f->diag);
    assert_int_equal(gt_value_check(delta, GT_VALUE_EDIT, NULL), GOAT_OK); /* the decoder has let it through */
    assert_int_equal(gt_merge_check_delta(f->schema, delta, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    assert_int_equal(f->diag.position, run < 0 ? GT_NO_POSITION : (uint64_t)run);
    test_value_free(delta);
}
