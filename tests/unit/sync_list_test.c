/* Which repositories a server has, and which it has later. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"

typedef test_trio fixture;

static int setup(void **state) {
    test_trio_setup(state);
    fixture *f = *state;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    return 0;
}

static void make(fixture *f, const char *path) { gt_sync_repo_made(f->wire.s, gt_bytes_text(path)); }

static void who_has_asked_is_told_of_what_is_made_later(void **state) {
    fixture *f = *state;
    gt_sync_ask_list(f->wire.c);
    test_wire_settle(&f->wire);
    assert_string_equal(f->client.listed, TEST_REPO_PATH " ");
    make(f, "/data/later");
    test_wire_settle(&f->wire);
    make(f, "/data/last");
    test_wire_settle(&f->wire);
    assert_string_equal(f->client.listed, TEST_REPO_PATH " /data/later /data/last ");
}

static void who_has_not_asked_is_not_told(void **state) {
    fixture *f = *state;
    test_wire_count(&f->wire);
    make(f, "/data/later");
    test_wire_settle(&f->wire);
    assert_int_equal(f->wire.packets[1], 0);
    assert_string_equal(f->client.listed, "");
}

static void a_list_that_nobody_asked_for_ends_the_connection(void **state) {
    fixture *f = *state;
    gt_message message = {.kind = GT_MESSAGE_REPOS};
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_write(&packet, &message);
    assert_int_equal(test_wire_give(&f->wire, f->wire.c, gt_buf_bytes(&packet)), GOAT_INVALID);
    gt_buf_free(&packet);
}

/* Many are made while a peer reads nothing: what waits for it stays small, and it gets the list in the end. */
static void who_does_not_read_costs_little_and_gets_the_list(void **state) {
    enum { MADE = 10 * 1000, WAITING_MAX = 128 * 1024 };
    fixture *f = *state;
    gt_sync_ask_list(f->wire.c);
    test_wire_settle(&f->wire);
    f->client.listed[0] = 0;
    for (int i = 0; i < MADE; i++) make(f, "/data/of-many");
    assert_true(f->wire.s->out.len < WAITING_MAX);
    assert_true(f->wire.s->lists);
    f->wire.c->host.event = NULL; /* thousands are not looked at */
    test_wire_settle(&f->wire);
    assert_false(f->wire.s->lists);
    assert_int_equal(f->wire.s->out.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, test_trio_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(who_has_asked_is_told_of_what_is_made_later),
        TEST(who_has_not_asked_is_not_told),
        TEST(a_list_that_nobody_asked_for_ends_the_connection),
        TEST(who_does_not_read_costs_little_and_gets_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
