/* What a connection counts of commits, and of the time until they are safe. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"

typedef test_trio fixture;

static uint64_t sum(const gt_histogram *histogram) {
    uint64_t count = 0;
    for (int i = 0; i <= GT_HISTOGRAM_BOUNDS; i++) count += histogram->counts[i];
    return count;
}

static void commits_are_counted_where_they_go_out_and_where_they_come_in(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 3; i++) test_peer_edit(&f->server, "s", "{text: 'x'}");
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    for (int i = 0; i < 2; i++) test_peer_edit(&f->client, "c", "{text: 'y'}");
    test_wire_settle(&f->wire);
    const gt_sync_counters *c = gt_sync_get_counters(f->wire.c), *s = gt_sync_get_counters(f->wire.s);
    assert_int_equal(s->entries_out, 3);
    assert_int_equal(c->entries_in, 3);
    assert_int_equal(c->entries_out, 2);
    assert_int_equal(s->entries_in, 2);
    assert_int_equal(sum(&s->acknowledging), 2);
    assert_int_equal(sum(&c->acknowledging), 0); /* a client acknowledges nothing */
}

static void the_time_to_an_acknowledgement_is_that_of_the_disk(void **state) {
    enum { FLUSH_US = 40 * 1000, BOUND = 9 /* 50 ms */ };
    fixture *f = *state;
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    f->wire.flushes = false;
    test_peer_edit(&f->client, "c", "{text: 'y'}");
    while (test_wire_step(&f->wire)) {
    }
    const gt_sync_counters *s = gt_sync_get_counters(f->wire.s);
    assert_int_equal(s->entries_in, 1);
    assert_int_equal(sum(&s->acknowledging), 0);
    f->wire.now_us += FLUSH_US;
    test_peer_flush(&f->server);
    while (test_wire_step(&f->wire)) {
    }
    assert_int_equal(gt_histogram_bounds_us[BOUND], 50 * 1000);
    assert_int_equal(s->acknowledging.counts[BOUND], 1);
    assert_int_equal(s->acknowledging.sum_us, FLUSH_US);
}

/* What is read of a frame without decoding it. */
static void the_head_of_a_frame_names_its_leaves(void **state) {
    (void)state;
    uint8_t frame[] = {0x8b, 1, 0x41, 7, 5, 0x80, 0xf6, 0x80, 0, 0x18, 200, 0xf6, 0x40, 0x80};
    assert_int_equal(gt_batch_peek_size(gt_bytes_of(frame, sizeof frame)), 200);
    frame[0] = 0x8a; /* another number of parts */
    assert_int_equal(gt_batch_peek_size(gt_bytes_of(frame, sizeof frame)), 0);
    assert_int_equal(gt_batch_peek_size(gt_bytes_of("\xa0", 1)), 0);
    assert_int_equal(gt_batch_peek_size(gt_bytes_of("", 0)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_trio_setup, test_trio_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(commits_are_counted_where_they_go_out_and_where_they_come_in),
        TEST(the_time_to_an_acknowledgement_is_that_of_the_disk),
        cmocka_unit_test(the_head_of_a_frame_names_its_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
