/* What a run of compare shows to be safe at the server, and what it does not. */
#include "support/test.h"
#include "support/test_trio.h"
#include "sync/internal.h"

typedef test_trio fixture;

static uint64_t unacknowledged(const test_wire *wire) {
    gt_channel_info info;
    assert_true(gt_sync_channel_info(wire->c, gt_sync_next_channel(wire->c, NULL), &info));
    return info.unacknowledged;
}

/* The point that comes after the run does not speak for it before it is on the disk. */
static void what_a_run_brought_is_not_safe_before_the_disk_has_it(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_flush(&f->server);
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    test_wire_join(&f->wire, &f->client, &f->server);
    f->wire.flushes = false;
    test_wire_settle(&f->wire);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    assert_true(f->client.last_equal);
    assert_int_equal(unacknowledged(&f->wire), 1);
    const gt_channel *channel = f->wire.c->channels; /* the run's own end speaks for what it sent */
    assert_true(((const gt_sent *)gt_queue_at(&channel->sent.items, 0))->run < channel->run_number);
    assert_true(gt_sync_safe_length(f->wire.c, &f->client.shared) < gt_log_length(gt_repo_log(f->client.site.repo)));
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(unacknowledged(&f->wire), 0);
    assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared),
                     gt_log_length(gt_repo_log(f->client.site.repo)));
}

/* A part of somebody's batch, which the client has got elsewhere. */
static void take_part(fixture *f, test_writer *writer, gt_buf *part) {
    test_writer_init(writer, &f->network, 3, test_goat_1);
    test_writer_leaf(writer, "a", 1, NULL, 0, "{text: 'x'}", NULL);
    test_writer_leaf(writer, "b", 2, NULL, 0, "{text: 'y'}", NULL);
    gt_bytes frame = test_writer_finish(writer);
    gt_buf_init(part, &gt_alloc_system);
    test_writer_elide(writer, frame, "10", GT_NODE_HAD, part);
    test_site_admits(&f->client.site, gt_buf_bytes(part), GT_ADMITTED);
}

/* Nobody acknowledges a batch that was dropped and of which only a part came by another way. That both sides have the same
 * is shown by a run: a later one, or the very one that sent it. */
static void a_part_that_was_dropped_is_shown_to_be_there(void **state) {
    fixture *f = *state;
    for (int by_run = 0; by_run < 2; by_run++) {
        test_writer writer;
        gt_buf part;
        test_trio_free(f);
        test_trio_init(f);
        test_peer_free(&f->server);
        test_peer_init(&f->server, &f->network, 0, 11, 1 << 3);
        if (by_run == 1) test_peer_edit(&f->server, "s", "{text: 'z'}"); /* so that the two compare at once */
        test_peer_flush(&f->server);
        take_part(f, &writer, &part);
        test_wire_join(&f->wire, &f->client, &f->server);
        for (int i = 0; gt_sync_get_counters(f->wire.s)->batches_dropped == 0; i++) {
            assert_true(i < 100);
            if (!test_wire_step(&f->wire)) f->wire.now_us += 1000;
        }
        assert_int_equal(unacknowledged(&f->wire), 1);
        assert_int_equal(f->wire.c->channels->run != NULL, by_run);
        test_peer_certify(&f->server, 3);
        gt_sync_sessions_grew(f->wire.s);
        test_site_admits(&f->server.site, gt_buf_bytes(&part), GT_ADMITTED);
        test_peer_flush(&f->server);
        test_wire_settle(&f->wire);
        assert_true(f->client.last_equal);
        assert_int_equal(unacknowledged(&f->wire), 0);
        gt_buf_free(&part);
        test_writer_free(&writer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_run_brought_is_not_safe_before_the_disk_has_it, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_part_that_was_dropped_is_shown_to_be_there, test_trio_setup,
                                        test_trio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
