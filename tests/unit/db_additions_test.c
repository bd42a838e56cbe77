/* core/db: what is added to sets and maps may wait until somebody looks, and comes to the same. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_random.h"

#include <stdio.h>

static const char schema[] = "{\"ns\": \"goat\", \"version\": 9, \"fields\": {\"tags\": {\"type\": \"set\"}, "
                             "\"names\": {\"type\": \"map\"}, \"few\": {\"type\": \"map\", \"max_length\": 3}, "
                             "\"born\": {\"type\": \"map\", \"default\": {\"a\": 1}}}}";

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

static goat_status put(goat_item *item, const char *name, uint32_t key, const uint8_t *value) {
    char text[16];
    int len = snprintf(text, sizeof text, "k%u", (unsigned)key);
    gt_edit edit = {.operation = GT_PUT, .key = gt_bytes_of((const uint8_t *)text, (size_t)len)};
    if (value != NULL) edit.value = gt_bytes_of(value, 1);
    return gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
}

static void many_puts_copy_little_each(void **state) {
    test_handles *f = *state;
    enum { MANY = 8000 };
    const uint8_t one = 1;
    goat_item *item = create(f, "x");
    uint64_t before = f->machine.memory.bytes;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(put(item, "names", i * 7919 % MANY, &one), GOAT_OK);
        gt_edit add = {.operation = GT_ADD,
                       .value = gt_bytes_of((const uint8_t[]){0x19, (uint8_t)(i % 31 + 1), (uint8_t)i}, 3)};
        assert_int_equal(gt_item_edit(item, gt_bytes_text("tags"), &add, NULL), GOAT_OK);
    }
    assert_int_equal(gt_value_count(value_of(item, "names")), MANY);
    assert_int_equal(gt_value_count(value_of(item, "tags")), 31 * 256);
    assert_true(f->machine.memory.bytes - before <
                64u << 20); /* 16 times as often as there is a run; all each time: 1 GB */
    test_handle_drop(item);
}

/* One item is looked at after each edit, the other seldom. */
static void whenever_it_is_looked_at_it_is_the_same(void **state) {
    test_handles *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    static const char *const names[] = {"names", "few", "born", "tags"};
    for (int round = 0; round < 40; round++) {
        char key[16];
        snprintf(key, sizeof key, "often%d", round);
        goat_item *often = create(f, key);
        snprintf(key, sizeof key, "seldom%d", round);
        goat_item *seldom = create(f, key);
        for (int i = 0; i < 120; i++) {
            const char *name = names[test_random_below(&random, 4)];
            bool is_set = name[0] == 't';
            uint8_t number = (uint8_t)test_random_below(&random, 20);
            uint64_t what = test_random_below(&random, 20);
            char text[16];
            int len = snprintf(text, sizeof text, "k%u", (unsigned)test_random_below(&random, 12));
            gt_edit edit = {.operation = is_set ? GT_ADD : GT_PUT,
                            .key = gt_bytes_of((const uint8_t *)text, (size_t)len),
                            .value = gt_bytes_of(&number, 1)};
            if (what == 0) edit.operation = GT_UNSET;
            if (what == 1 && is_set) edit.operation = GT_REMOVE;
            if (what == 1 && !is_set) edit.value = (gt_bytes){0};
            if (what == 2 && !is_set)
                edit = (gt_edit){.operation = GT_SET, .value = gt_bytes_of((const uint8_t *)"\xa0", 1)};
            if (what == 3) {
                test_handle_flush(&f->a, GOAT_DURABLE_MEMORY); /* what was captured is the base of the next edits */
            }
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
        goat_item *items[] = {often, seldom};
        for (int i = 0; i < 2; i++) {
            gt_buf_init(&deltas[i], &gt_alloc_system);
            gt_sight sight;
            assert_int_equal(gt_item_look(items[i], &sight, NULL), GOAT_OK);
            if (sight.work != NULL) assert_int_equal(gt_work_delta(sight.work, &deltas[i], NULL), GOAT_OK);
        }
        assert_int_equal(deltas[0].len, deltas[1].len);
        if (deltas[0].len > 0) assert_memory_equal(deltas[0].data, deltas[1].data, deltas[0].len);
        for (int i = 0; i < 2; i++) {
            gt_buf_free(&deltas[i]);
            test_handle_drop(items[i]);
        }
    }
}

static void an_addition_that_lacks_memory_is_none(void **state) {
    test_handles *f = *state;
    enum { COUNT = 9 };
    const uint8_t one = 1;
    for (uint64_t k = 0;; k++) {
        char key[16];
        snprintf(key, sizeof key, "%u", (unsigned)k);
        goat_item *item = create(f, key);
        f->machine.memory.failed = false;
        f->machine.memory.once = true;
        f->machine.memory.left = k;
        uint32_t made = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            goat_status status = put(item, "names", i, &one);
            assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY);
            made += status == GOAT_OK;
        }
        f->machine.memory.left = TEST_ALLOC_NEVER;
        bool failed = f->machine.memory.failed;
        gt_bytes value = value_of(item, "names");
        assert_int_equal(gt_value_count(value), made);
        test_handle_drop(item);
        if (!failed) break;
        assert_true(made == COUNT - 1 || made == COUNT); /* where something else went without */
    }
}

static void rules_hold_at_once(void **state) {
    test_handles *f = *state;
    const uint8_t one = 1;
    goat_item *item = create(f, "x");
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(put(item, "few", i, &one), GOAT_OK);
    assert_int_equal(put(item, "few", 3, &one), GOAT_INVALID);
    assert_int_equal(put(item, "few", 0, NULL), GOAT_OK);
    assert_int_equal(put(item, "few", 3, &one), GOAT_OK);
    test_handle_drop(item);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, test_handles_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(many_puts_copy_little_each),
        CASE(whenever_it_is_looked_at_it_is_the_same),
        CASE(an_addition_that_lacks_memory_is_none),
        CASE(rules_hold_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
