/* Who is told to send something when a log has changed, and who is left alone. */
#include "support/test.h"
#include "support/test_trio.h"

typedef test_trio fixture;

static int setup(void **state) {
    test_trio_setup(state);
    fixture *f = *state;
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_join(&f->second, &f->other, &f->server);
    for (int i = 0; i < 3; i++) {
        test_wire_settle(&f->wire);
        test_wire_settle(&f->second);
    }
    return 0;
}

static bool is_ready(const gt_sync *sync, const test_wire *wire) { return gt_sync_is_ready(sync, wire->now_us); }

static void nobody_is_told_when_there_is_nothing_to_say(void **state) {
    fixture *f = *state;
    assert_false(is_ready(f->wire.s, &f->wire) || is_ready(f->second.s, &f->second));
    test_peer_flush(&f->server);
    assert_false(is_ready(f->wire.s, &f->wire));
    assert_false(is_ready(f->second.s, &f->second));
}

static void an_edit_is_for_everybody(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    assert_true(is_ready(f->wire.s, &f->wire));
    assert_true(is_ready(f->second.s, &f->second));
}

static void a_flush_is_for_who_waits_for_it(void **state) {
    fixture *f = *state;
    f->wire.flushes = false;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    while (test_wire_step(&f->wire)) {
    }
    assert_false(is_ready(f->wire.s, &f->wire));
    test_peer_flush(&f->server);
    assert_true(is_ready(f->wire.s, &f->wire)); /* it acknowledges */
}

/* The host was told of no time to ask at: so it must be told now. */
static void a_point_that_comes_due_is_not_forgotten(void **state) {
    fixture *f = *state;
    f->wire.flushes = f->second.flushes = false;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    while (test_wire_step(&f->wire)) {
    }
    assert_int_equal(gt_sync_deadline(f->wire.s), UINT64_MAX);
    assert_false(is_ready(f->wire.s, &f->wire));
    test_peer_flush(&f->server);
    assert_true(is_ready(f->wire.s, &f->wire));
    test_wire_count(&f->wire);
    test_wire_settle(&f->wire);
    assert_int_equal(f->wire.packets[1], 1);
}

/* It was told of one, and need not be told again with each flush until then. */
static void a_point_waits_for_its_time(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_flush(&f->server);
    while (test_wire_step(&f->wire)) { /* the edit, and a point */
    }
    f->wire.now_us += 1;
    test_peer_edit(&f->server, "b", "{text: 'x'}");
    while (test_wire_step(&f->wire)) { /* only the edit: there was a point just now */
    }
    test_peer_flush(&f->server);
    while (test_wire_step(&f->wire)) {
    }
    uint64_t deadline = gt_sync_deadline(f->wire.s);
    assert_true(deadline > f->wire.now_us && deadline <= f->wire.now_us + GT_SYNC_POINT_PAUSE_US);
    test_peer_flush(&f->server);
    assert_false(is_ready(f->wire.s, &f->wire));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, test_trio_teardown)
        TEST(nobody_is_told_when_there_is_nothing_to_say),
        TEST(an_edit_is_for_everybody),
        TEST(a_flush_is_for_who_waits_for_it),
        TEST(a_point_that_comes_due_is_not_forgotten),
        TEST(a_point_waits_for_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
