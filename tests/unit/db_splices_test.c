/* core/db: splices may wait until somebody looks, and come to the same. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "{\"ns\": \"goat\", \"version\": 9, \"fields\": {\"body\": {\"type\": \"text\"}, "
                             "\"few\": {\"type\": \"text\", \"max_length\": 12}, "
                             "\"born\": {\"type\": \"text\"}}}";

static goat_item *create(test_handles *f, const char *key) {
    goat_item *item;
    assert_int_equal(test_handle_create(&f->a, key, "{}"), GOAT_OK);
    assert_int_equal(test_handle_item(&f->a, NULL, key, &item), GOAT_OK);
    return item;
}

static int set_up(void **state) {
    test_handles_set_up(state);
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, schema), GOAT_OK);
    return 0;
}

static gt_bytes value_of(goat_item *item, const char *name) {
    const gt_field *field;
    gt_bytes value;
    assert_int_equal(gt_item_field(item, gt_bytes_text(name), &field, &value, NULL), GOAT_OK);
    return value;
}

static goat_status splice(goat_item *item, const char *name, uint64_t position, uint64_t count, const char *text) {
    gt_edit edit = {.operation = GT_SPLICE, .splice = {GOAT_UNIT_CODE_POINT, position, count, gt_bytes_text(text)}};
    return gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
}

static void assert_delta(goat_item *item, gt_buf *delta) {
    gt_sight sight;
    gt_buf_init(delta, &gt_alloc_system);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    if (sight.work != NULL) assert_int_equal(gt_work_delta(sight.work, delta, NULL), GOAT_OK);
}

static void many_splices_copy_little_each(void **state) {
    test_handles *f = *state;
    enum { MANY = 20000 };
    goat_item *item = create(f, "x");
    uint64_t before = f->machine.memory.bytes;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(splice(item, "body", (uint64_t)i * 7919 % (4 * i + 1), 0, "goat"), GOAT_OK);
    }
    assert_true(f->machine.memory.bytes - before < 8u << 20); /* 80 kB each time: 800 MB */
    assert_int_equal(value_of(item, "body").len, 4 * MANY + 5);
    test_handle_drop(item);
}

/* One item is looked at after each edit, the other seldom. */
static void whenever_it_is_looked_at_it_is_the_same(void **state) {
    test_handles *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    static const char *const names[] = {"body", "few", "born"};
    static const char *const texts[] = {"", "a", "go", "\xc3\xa9\xf0\x9f\x90\x90"};
    for (int round = 0; round < 60; round++) {
        char key[16];
        snprintf(key, sizeof key, "often%d", round);
        goat_item *often = create(f, key);
        snprintf(key, sizeof key, "seldom%d", round);
        goat_item *seldom = create(f, key);
        for (int i = 0; i < 120; i++) {
            const char *name = names[test_random_below(&random, 3)];
            uint32_t what = test_random_below(&random, 24);
            gt_edit edit = {.operation = GT_SPLICE,
                            .splice = {GOAT_UNIT_UTF16, test_random_below(&random, 12), test_random_below(&random, 3),
                                       gt_bytes_text(texts[test_random_below(&random, 4)])}};
            if (what == 0) edit = (gt_edit){.operation = GT_UNSET};
            if (what == 1) {
                edit = (gt_edit){.operation = GT_SET, .value = gt_bytes_of((const uint8_t *)"\x64goat", 5)};
            }
            if (what == 2) test_handle_flush(&f->a, GOAT_DURABLE_MEMORY);
            if (what == 3) edit.operation = GT_INCREMENT; /* a text is no counter: what was spliced stays */
            goat_status one = gt_item_edit(often, gt_bytes_text(name), &edit, NULL);
            gt_bytes now = value_of(often, name);
            assert_int_equal(gt_item_edit(seldom, gt_bytes_text(name), &edit, NULL), one);
            if (what != 4) continue;
            gt_bytes then = value_of(seldom, name);
            now = value_of(often, name);
            assert_int_equal(now.len, then.len);
            if (now.len > 0) assert_memory_equal(now.data, then.data, now.len);
        }
        gt_buf deltas[2];
        assert_delta(often, &deltas[0]);
        assert_delta(seldom, &deltas[1]);
        assert_int_equal(deltas[0].len, deltas[1].len);
        if (deltas[0].len > 0) assert_memory_equal(deltas[0].data, deltas[1].data, deltas[0].len);
        gt_buf_free(&deltas[0]);
        gt_buf_free(&deltas[1]);
        test_handle_drop(often);
        test_handle_drop(seldom);
    }
}

static void what_is_typed_and_taken_back_is_not_unsaved(void **state) {
    test_handles *f = *state;
    gt_sight sight;
    goat_item *item = create(f, "x");
    assert_int_equal(splice(item, "body", 0, 0, "goat"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(splice(item, "body", 4, 0, "s"), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_true(sight.flags & GOAT_ITEM_UNSAVED);
    assert_int_equal(splice(item, "body", 4, 1, ""), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_false(sight.flags & GOAT_ITEM_UNSAVED);
    assert_int_equal(splice(item, "body", 9, 1, ""), GOAT_INVALID);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_false(sight.flags & GOAT_ITEM_UNSAVED);
    test_handle_drop(item);
}

static void a_splice_that_lacks_memory_is_none(void **state) {
    test_handles *f = *state;
    enum { COUNT = 9 };
    for (uint64_t k = 0;; k++) {
        char key[16];
        snprintf(key, sizeof key, "%u", (unsigned)k);
        goat_item *item = create(f, key);
        f->machine.memory.failed = false;
        f->machine.memory.once = true;
        f->machine.memory.left = k;
        uint32_t made = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            goat_status status = splice(item, "body", 0, 0, "x");
            assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY);
            made += status == GOAT_OK;
        }
        f->machine.memory.left = TEST_ALLOC_NEVER;
        bool failed = f->machine.memory.failed;
        assert_int_equal(value_of(item, "body").len, made + 1);
        test_handle_drop(item);
        if (!failed) break;
    }
}

/* No item can be larger, so it could not be captured. */
static void a_text_does_not_outgrow_what_an_item_may_be(void **state) {
    test_handles *f = *state;
    enum { PIECE = GOAT_VALUE_MAX / 4 };
    char *piece = malloc(PIECE + 1);
    assert_non_null(piece);
    memset(piece, 'x', PIECE);
    piece[PIECE] = 0;
    goat_item *item = create(f, "x");
    for (int i = 0; i < 4; i++) assert_int_equal(splice(item, "body", 0, 0, piece), GOAT_OK);
    assert_int_equal(splice(item, "body", 7, 0, "y"), GOAT_TOO_LARGE);
    assert_int_equal(splice(item, "body", 7, 1, "y"), GOAT_OK); /* as long as before */
    assert_int_equal(splice(item, "body", PIECE - 1, PIECE + 2, piece), GOAT_OK);
    assert_int_equal(splice(item, "body", 7, 0, "yyy"), GOAT_TOO_LARGE);
    assert_int_equal(splice(item, "body", 0, 100, ""), GOAT_OK); /* and room for the rest of the item */
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    test_handle_drop(item);
    free(piece);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_does_not_outgrow_what_an_item_may_be, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(many_splices_copy_little_each, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(whenever_it_is_looked_at_it_is_the_same, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(what_is_typed_and_taken_back_is_not_unsaved, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(a_splice_that_lacks_memory_is_none, set_up, test_handles_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
