/* What is on its way to a peer: found by its id, in the order of the log. */
#include "sync/sent.h"

#include "log/log.h"
#include "support/test.h"
#include "support/test_alloc.h"

static gt_id id_of(uint32_t number) {
    gt_id id = {{0}};
    gt_put_u32(id.bytes + 4, number * UINT32_C(2654435761)); /* spread, as hashes are */
    gt_put_u32(id.bytes + 8, number);
    return id;
}

static uint64_t start_of(uint32_t number) { return GT_LOG_HEADER_SIZE + 100 * (uint64_t)(number + 1); }

static void add(gt_sent_list *list, uint32_t number) {
    gt_id id = id_of(number);
    assert_true(gt_sent_add(list, &id, start_of(number), 0));
}

static void acknowledge(gt_sent_list *list, uint32_t number) {
    gt_id id = id_of(number);
    gt_sent_acknowledge(list, &id);
}

static void the_first_is_the_oldest_that_is_left(void **state) {
    (void)state;
    gt_sent_list list;
    gt_sent_init(&list, &gt_alloc_system);
    assert_int_equal(gt_sent_first(&list, 7), 7);
    for (uint32_t i = 0; i < 5; i++) add(&list, i);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(0));
    assert_int_equal(gt_sent_first(&list, 5), 5);
    acknowledge(&list, 1);
    acknowledge(&list, 3);
    acknowledge(&list, 3); /* once more is no harm, nor is one that was never sent */
    acknowledge(&list, 77);
    assert_int_equal(list.count, 3);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(0));
    acknowledge(&list, 0);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(2));
    acknowledge(&list, 2);
    acknowledge(&list, 4);
    assert_int_equal(list.count, 0);
    assert_int_equal(gt_sent_first(&list, 9), 9);
    gt_sent_free(&list);
}

static void what_was_sent_again_is_acknowledged_at_once(void **state) {
    (void)state;
    gt_sent_list list;
    gt_id one = id_of(1);
    gt_sent_init(&list, &gt_alloc_system);
    for (uint32_t i = 0; i < 3; i++) add(&list, i);
    assert_true(gt_sent_add(&list, &one, GT_LOG_HEADER_SIZE, 1)); /* by a run */
    assert_int_equal(list.count, 4);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), GT_LOG_HEADER_SIZE);
    acknowledge(&list, 1);
    assert_int_equal(list.count, 2);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(0));
    gt_sent_free(&list);
}

static bool is_second(const void *context, const gt_id *batch) { return gt_id_compare(context, batch) == 0; }

static void what_was_sent_before_a_run_is_forgotten_but_for_what_stays(void **state) {
    (void)state;
    gt_sent_list list;
    gt_id second = id_of(1), late = id_of(9);
    gt_sent_init(&list, &gt_alloc_system);
    assert_false(gt_sent_forget(&list, 1, NULL, NULL));
    for (uint32_t i = 0; i < 4; i++) add(&list, i);
    assert_true(gt_sent_add(&list, &late, start_of(9), 1));
    add(&list, 5); /* by the run itself, behind what the walk has sent meanwhile */
    assert_true(gt_sent_forget(&list, 1, is_second, &second));
    assert_int_equal(list.count, 2);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(1));
    assert_false(gt_sent_forget(&list, 1, is_second, &second));
    acknowledge(&list, 1);
    assert_int_equal(gt_sent_first(&list, UINT64_MAX), start_of(9));
    gt_sent_free(&list);
}

/* Each in another place of as many as there can be; looking at all of them for each would take minutes. */
static void acknowledging_costs_what_is_acknowledged(void **state) {
    enum { COUNT = 300 * 1000 };
    (void)state;
    gt_sent_list list;
    gt_sent_init(&list, &gt_alloc_system);
    for (uint32_t i = 0; i < COUNT; i++) add(&list, i);
    for (uint32_t i = COUNT; i-- > 1;) acknowledge(&list, i);
    assert_int_equal(list.count, 1);
    assert_true(list.items.capacity > 0 && list.items.count < 128); /* the marked ones do not pile up */
    for (uint32_t round = 0; round < COUNT; round++) {              /* … nor behind one that is never acknowledged */
        add(&list, COUNT + round);
        acknowledge(&list, COUNT + round);
        assert_true(list.items.count < 128);
    }
    acknowledge(&list, 0);
    assert_int_equal(list.items.capacity, 0);
    assert_int_equal(list.index.capacity, 0);
    gt_sent_free(&list);
}

/* Against a plain array, in random order. */
static void it_holds_what_was_added_and_not_acknowledged(void **state) {
    enum { COUNT = 3000 };
    (void)state;
    gt_sent_list list;
    bool there[COUNT] = {false};
    uint64_t random = 12345;
    uint32_t next = 0;
    gt_sent_init(&list, &gt_alloc_system);
    while (next < COUNT) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t pick = (uint32_t)(random >> 33);
        if (pick % 5 < 3 || next == 0) {
            there[next] = true;
            add(&list, next++);
        } else {
            there[pick % next] = false;
            acknowledge(&list, pick % next);
        }
        uint32_t count = 0, first = UINT32_MAX;
        for (uint32_t i = 0; i < next; i++) {
            if (there[i] && first == UINT32_MAX) first = i;
            count += there[i];
        }
        assert_int_equal(list.count, count);
        assert_int_equal(gt_sent_first(&list, UINT64_MAX), count == 0 ? UINT64_MAX : start_of(first));
    }
    gt_sent_free(&list);
}

static void without_memory_nothing_is_added(void **state) {
    (void)state;
    gt_id id = id_of(1);
    for (uint64_t allowed = 0; allowed < 2; allowed++) { /* of the index, of the queue */
        test_alloc memory;
        gt_sent_list list;
        test_alloc_init(&memory, allowed);
        memory.once = true;
        gt_sent_init(&list, &memory.alloc);
        assert_false(gt_sent_add(&list, &id, start_of(1), 0));
        assert_int_equal(list.count, 0);
        gt_sent_acknowledge(&list, &id);
        assert_true(gt_sent_add(&list, &id, start_of(1), 0));
        gt_sent_free(&list);
        test_alloc_assert_empty(&memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_the_oldest_that_is_left),
        cmocka_unit_test(what_was_sent_again_is_acknowledged_at_once),
        cmocka_unit_test(what_was_sent_before_a_run_is_forgotten_but_for_what_stays),
        cmocka_unit_test(acknowledging_costs_what_is_acknowledged),
        cmocka_unit_test(it_holds_what_was_added_and_not_acknowledged),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
