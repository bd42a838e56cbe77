/* Channels: opened, closed and tried again, many of them, and the list of what may be opened. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"

#include <stdio.h>

typedef test_trio fixture;

static int setup(void **state) {
    test_trio_setup(state);
    fixture *f = *state;
    test_wire_join(&f->wire, &f->client, &f->server);
    return 0;
}

/* ---- tried again ---- */

/* A server that is open for reading only, for one. */
static void a_server_that_makes_no_repository_is_asked_for_what_is_new(void **state) {
    fixture *f = *state;
    f->server.absent = f->server.makes_none = true;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_in_range(f->client.closed, 1, 2);
    uint32_t before = f->client.closed;
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    test_wire_step(&f->wire);
    assert_int_equal(f->client.closed, before + 1);
}

static void a_channel_that_never_gets_even_is_tried_ever_less_often(void **state) {
    enum { SECONDS = 40 };
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_site_sync(&f->server.site);
    test_site_close(&f->server.site);
    test_site_open(&f->server.site, TEST_SITE_READ_ONLY); /* the channel opens, and takes nothing */
    f->server.shared.repo = f->server.site.repo;
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    f->wire.flushes = false; /* there is nothing to flush */
    for (int i = 0; i < SECONDS; i++) test_wire_settle(&f->wire);
    assert_int_equal(f->client.last_status, GOAT_FORBIDDEN);
    assert_in_range(f->client.closed, 4, 7); /* 1, 2, 4, … seconds */
}

/* It keeps the repository open, and nothing of what was said about it. */
static void a_channel_that_is_closed_begins_anew(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_wire_settle(&f->wire);
    gt_channel *channel = f->wire.c->channels;
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    test_wire_step(&f->wire);
    gt_message close = {.kind = GT_MESSAGE_CLOSE, .channel = channel->number};
    close.as.close.status = GOAT_NOT_FOUND;
    close.as.close.text = gt_bytes_text("");
    gt_buf packet, lost;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_buf_init(&lost, &gt_alloc_system);
    gt_message_write(&packet, &close);
    test_peer_edit(&f->client, "c", "{text: 'z'}");
    gt_sync_send(f->wire.c, f->wire.now_us, &lost);
    gt_buf_free(&lost);
    assert_true(channel->received > 0 && channel->sent.count > 0 && channel->even);
    assert_int_equal(test_wire_give(&f->wire, f->wire.c, gt_buf_bytes(&packet)), GOAT_OK);
    assert_int_equal(channel->state, GT_CHANNEL_PAUSED);
    assert_non_null(channel->shared);
    assert_int_equal(channel->received + channel->sent.count + channel->echo.count + channel->marks.count, 0);
    assert_false(channel->even || channel->trusted);
    gt_buf_free(&packet);
}

/* ---- many ---- */

static gt_bytes path_of(uint32_t number, char *path, size_t size) {
    int len = snprintf(path, size, "/%063u/%063u", number, number);
    return gt_bytes_of(path, (size_t)len);
}

static void open_all(fixture *f, uint32_t count) {
    char path[GT_LOG_REPOSITORY_MAX + 1];
    for (uint32_t i = 0; i < count; i++) {
        gt_bytes bytes = path_of(i, path, sizeof path);
        assert_int_equal(gt_sync_open_channel(f->wire.c, bytes, NULL, NULL), GOAT_OK);
    }
}

static uint32_t count_open(const gt_sync *sync) {
    uint32_t count = 0;
    for (const gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        count += channel->state == GT_CHANNEL_OPEN;
    }
    return count;
}

/* Their OPENs are more than a packet may have that comes before the greeting. */
static void all_channels_can_be_opened_with_the_greeting(void **state) {
    fixture *f = *state;
    f->server.alias = f->client.alias = true;
    open_all(f, GT_SYNC_CHANNELS_MAX - 1);
    test_wire_settle(&f->wire);
    assert_false(gt_sync_has_ended(f->wire.c));
    assert_int_equal(count_open(f->wire.s), GT_SYNC_CHANNELS_MAX);
}

static void all_channels_can_be_closed_and_opened_again_in_one_step(void **state) {
    fixture *f = *state;
    f->server.alias = f->client.alias = true;
    open_all(f, GT_SYNC_CHANNELS_MAX - 1);
    test_wire_settle(&f->wire);
    for (uint32_t i = 0; i < GT_SYNC_CHANNELS_MAX - 1; i++) {
        char path[GT_LOG_REPOSITORY_MAX + 1];
        gt_sync_close_channel(f->wire.c, path_of(i, path, sizeof path));
    }
    open_all(f, GT_SYNC_CHANNELS_MAX - 1);
    test_wire_settle(&f->wire);
    assert_int_equal(count_open(f->wire.s), GT_SYNC_CHANNELS_MAX);
    assert_int_equal(count_open(f->wire.c), GT_SYNC_CHANNELS_MAX);
}

/* ---- the list ---- */

static void a_list_that_cannot_be_had_is_not_an_empty_one(void **state) {
    fixture *f = *state;
    f->server.list_fails = GOAT_IO;
    gt_sync_ask_list(f->wire.c);
    test_wire_settle(&f->wire);
    assert_int_equal(f->client.lists, 1);
    assert_int_equal(f->client.last_status, GOAT_IO);
    f->server.list_fails = GOAT_OK;
    f->client.last_status = GOAT_OK;
    gt_sync_ask_list(f->wire.c);
    test_wire_settle(&f->wire);
    assert_int_equal(f->client.lists, 2);
    assert_int_equal(f->client.last_status, GOAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, test_trio_teardown)
        TEST(a_server_that_makes_no_repository_is_asked_for_what_is_new),
        TEST(a_channel_that_never_gets_even_is_tried_ever_less_often),
        TEST(a_channel_that_is_closed_begins_anew),
        TEST(all_channels_can_be_opened_with_the_greeting),
        TEST(all_channels_can_be_closed_and_opened_again_in_one_step),
        TEST(a_list_that_cannot_be_had_is_not_an_empty_one),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
