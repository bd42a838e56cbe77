/* The limits of messages (PROTOCOL.md, limits.h), each on both sides. */
#include "support/message_fixture.h"
#include "support/test.h"
#include "value/build.h"

static void a_channel_is_1_to_1024(void **state) {
    message_fixture *f = *state;
    gt_message m = {.kind = GT_MESSAGE_AGAIN, .channel = 1};
    message_takes_this(f, &m);
    m.channel = GT_SYNC_CHANNELS_MAX;
    message_takes_this(f, &m);
    m.channel = GT_SYNC_CHANNELS_MAX + 1;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "a channel is 1 to 1,024");
    m.channel = 0;
    message_refuses_this(f, &m, GOAT_INVALID, "a channel is 1 to 1,024");
    assert_int_equal(f->diag.position, 2);
    m = (gt_message){.kind = GT_MESSAGE_REFUSE, .channel = 0}; /* the answer to CERTIFY */
    m.as.refuse.batch = (const gt_id *)(const void *)f->filled;
    m.as.refuse.status = GOAT_FORBIDDEN;
    m.as.refuse.text = gt_bytes_text("no");
    message_takes_this(f, &m);
    assert_int_equal(f->message.as.refuse.status, GOAT_FORBIDDEN);
    assert_true(gt_bytes_equal(f->message.as.refuse.text, gt_bytes_text("no")));
}

static void a_window_is_64_kib_to_256_mib(void **state) {
    message_fixture *f = *state;
    gt_message m = message_hello(f);
    m.as.hello.window = GT_SYNC_WINDOW_MIN - 1;
    message_refuses_this(f, &m, GOAT_INVALID, "a window is");
    m.as.hello.window = GT_SYNC_WINDOW_MAX;
    message_takes_this(f, &m);
    m.as.hello.window++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "a window is");
}

static void a_text_is_at_most_512_bytes_of_utf8(void **state) {
    message_fixture *f = *state;
    char text[GT_SYNC_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    gt_message m = {.kind = GT_MESSAGE_BYE, .as.close = {GOAT_IO, gt_bytes_of(text, GT_SYNC_TEXT_MAX)}};
    message_takes_this(f, &m);
    m.as.close.text.len++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "at most 512 bytes");
    m.as.close.text = gt_bytes_of("a\xc3", 2);
    m.as.close.status = GOAT_NOT_FOUND;
    message_refuses_this(f, &m, GOAT_INVALID, "not UTF-8");
    assert_int_equal(f->diag.position, 5);
}

static void a_status_is_a_number_below_1000(void **state) {
    message_fixture *f = *state;
    gt_message m = {.kind = GT_MESSAGE_CLOSE, .channel = 1, .as.close = {GOAT_OK, gt_bytes_text("")}};
    message_takes_this(f, &m);
    m.as.close.status = 999;
    message_takes_this(f, &m);
    m.as.close.status = 1000;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "a status");
    m.as.close.status = -1;
    message_refuses_this(f, &m, GOAT_INVALID, "a status");
}

static void a_path_is_a_repositorys(void **state) {
    message_fixture *f = *state;
    char longest[1 + GOAT_NAME_MAX + 1 + GOAT_NAME_MAX + 1];
    memset(longest, 'a', sizeof longest);
    longest[0] = longest[1 + GOAT_NAME_MAX] = '/';
    gt_message m = {.kind = GT_MESSAGE_OPEN, .channel = 1};
    m.as.open.path = gt_bytes_of(longest, sizeof longest - 1);
    message_takes_this(f, &m);
    assert_null(f->message.as.open.point.data);
    static const char *const wrong[] = {
        "", "/", "/data", "/data/", "data/goats", "/data/goats/one", "/da ta/goats", "/../etc", "/data/.goats"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        m.as.open.path = gt_bytes_text(wrong[i]);
        message_refuses_this(f, &m, GOAT_INVALID, "no repository's");
    }
    m.as.open.path = gt_bytes_of(longest, sizeof longest);
    message_refuses_this(f, &m, GOAT_INVALID, "no repository's");
}

static void flags_and_choices_have_an_end(void **state) {
    message_fixture *f = *state;
    gt_message open = {.kind = GT_MESSAGE_OPEN, .channel = 1};
    open.as.open.path = gt_bytes_text("/data/goats");
    open.as.open.flags = 3;
    message_takes_this(f, &open);
    open.as.open.flags = 4;
    message_refuses_this(f, &open, GOAT_TOO_LARGE, "flags up to 3");
    gt_message opened = {.kind = GT_MESSAGE_OPENED, .channel = 1, .as.opened = {2, INT64_MAX, INT64_MAX}};
    message_takes_this(f, &opened);
    opened.as.opened.how = 3;
    message_refuses_this(f, &opened, GOAT_TOO_LARGE, "0, 1 or 2");
    gt_message data = {.kind = GT_MESSAGE_DATA, .channel = 1, .as.data = {15, NULL, 0}};
    message_takes_this(f, &data);
    data.as.data.flags = 16;
    message_refuses_this(f, &data, GOAT_TOO_LARGE, "flags up to 15");
    gt_message hello = message_hello(f);
    hello.as.hello.role = 2;
    message_refuses_this(f, &hello, GOAT_TOO_LARGE, "a role is 0 or 1");
}

static void credit_is_at_most_a_window(void **state) {
    message_fixture *f = *state;
    gt_message m = {.kind = GT_MESSAGE_CREDIT, .as.credit.bytes = GT_SYNC_WINDOW_MAX};
    message_takes_this(f, &m);
    m.as.credit.bytes++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "credit is at most");
}

static void write_ids(message_fixture *f, gt_message_kind kind, uint32_t count) {
    gt_buf_clear(&f->bytes);
    if (kind == GT_MESSAGE_ACK) gt_message_ack_head(&f->bytes, 1, GOAT_DURABLE_DISK, count);
    if (kind == GT_MESSAGE_WANT) gt_message_want_head(&f->bytes, 1, count);
    for (uint32_t i = 0; i < count; i++) gt_write_bytes(&f->bytes, gt_bytes_of(f->filled + i % 200, GT_ID_SIZE));
}

static void lists_of_ids_have_a_limit_and_are_not_empty(void **state) {
    message_fixture *f = *state;
    write_ids(f, GT_MESSAGE_ACK, GT_SYNC_ACK_MAX);
    message_takes(f);
    assert_int_equal(f->message.as.ack.ids.count, GT_SYNC_ACK_MAX);
    write_ids(f, GT_MESSAGE_ACK, GT_SYNC_ACK_MAX + 1);
    message_refuses(f, GOAT_TOO_LARGE, "1 to 1,024");
    write_ids(f, GT_MESSAGE_ACK, 0);
    message_refuses(f, GOAT_INVALID, "1 to 1,024");
    write_ids(f, GT_MESSAGE_WANT, GT_SYNC_WANT_MAX);
    message_takes(f);
    write_ids(f, GT_MESSAGE_WANT, GT_SYNC_WANT_MAX + 1);
    message_refuses(f, GOAT_TOO_LARGE, "1 to 256");
    write_ids(f, GT_MESSAGE_WANT, 0);
    message_refuses(f, GOAT_INVALID, "1 to 256");
}

static void a_data_has_at_most_4096_records(void **state) {
    message_fixture *f = *state;
    for (uint32_t count = GT_SYNC_RECORDS_MAX; count <= GT_SYNC_RECORDS_MAX + 1; count++) {
        gt_buf_clear(&f->bytes);
        gt_message_data_head(&f->bytes, 1, 0, count);
        for (uint32_t i = 0; i < count; i++) gt_write_bytes(&f->bytes, gt_bytes_of(f->filled, 1));
        if (count == GT_SYNC_RECORDS_MAX) message_takes(f);
    }
    message_refuses(f, GOAT_TOO_LARGE, "more records");
}

static void repos_names_at_most_1024_paths(void **state) {
    message_fixture *f = *state;
    gt_bytes paths[GT_SYNC_REPOS_MAX + 1];
    for (size_t i = 0; i < GT_SYNC_REPOS_MAX + 1; i++) paths[i] = gt_bytes_text("/data/goats");
    gt_message m = {.kind = GT_MESSAGE_REPOS, .as.repos = {paths, GT_SYNC_REPOS_MAX, true}};
    message_takes_this(f, &m);
    assert_int_equal(f->message.as.repos.count, GT_SYNC_REPOS_MAX);
    assert_true(f->message.as.repos.more);
    assert_true(gt_bytes_equal(f->message.as.repos.paths[GT_SYNC_REPOS_MAX - 1], paths[0]));
    m.as.repos.count++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "more paths");
    m.as.repos.count = 0;
    m.as.repos.more = false;
    message_takes_this(f, &m);
    assert_false(f->message.as.repos.more);
}

static void a_filter_is_as_long_as_it_says(void **state) {
    message_fixture *f = *state;
    gt_message m = {.kind = GT_MESSAGE_COMPARE, .channel = 1};
    m.as.compare.run = INT32_MAX;
    m.as.compare.digest = f->filled;
    m.as.compare.filter = (gt_bloom_part){f->filled, 128, GT_SYNC_HASHES_MAX, gt_bytes_of(f->filled, 16)};
    message_takes_this(f, &m);
    gt_bloom_part *filter = &m.as.compare.filter;
    filter->hashes++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "1 to 32 hashes");
    filter->hashes = 0;
    message_refuses_this(f, &m, GOAT_INVALID, "1 to 32 hashes");
    filter->hashes = 1;
    filter->bits = 64;
    message_refuses_this(f, &m, GOAT_INVALID, "as many bits");
    filter->bits = 192;
    message_refuses_this(f, &m, GOAT_INVALID, "as many bits");
    filter->bits = 0;
    filter->bytes.len = 0;
    message_refuses_this(f, &m, GOAT_INVALID, "a multiple of 64");
    filter->bits = 72;
    filter->bytes.len = 9;
    message_refuses_this(f, &m, GOAT_INVALID, "a multiple of 64");
    m.as.compare.step = GT_STEP_OVER;
    m.as.compare.filter = (gt_bloom_part){0};
    message_takes_this(f, &m);
    m.as.compare.step++;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "a step is 0 to 3");
}

static void a_filter_is_at_most_8_mib(void **state) {
    message_fixture *f = *state;
    uint8_t *bits = test_calloc(GT_SYNC_FILTER_MAX + 8, 1);
    gt_message m = {.kind = GT_MESSAGE_COMPARE, .channel = 1};
    m.as.compare.digest = f->filled;
    m.as.compare.filter =
        (gt_bloom_part){f->filled, UINT64_C(8) * GT_SYNC_FILTER_MAX, 7, gt_bytes_of(bits, GT_SYNC_FILTER_MAX)};
    message_takes_this(f, &m);
    m.as.compare.filter.bits += 64;
    m.as.compare.filter.bytes.len += 8;
    message_refuses_this(f, &m, GOAT_TOO_LARGE, "at most 8 MiB");
    test_free(bits);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, message_setup, message_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_channel_is_1_to_1024),
        TEST(a_window_is_64_kib_to_256_mib),
        TEST(a_text_is_at_most_512_bytes_of_utf8),
        TEST(a_status_is_a_number_below_1000),
        TEST(a_path_is_a_repositorys),
        TEST(flags_and_choices_have_an_end),
        TEST(credit_is_at_most_a_window),
        TEST(lists_of_ids_have_a_limit_and_are_not_empty),
        TEST(a_data_has_at_most_4096_records),
        TEST(repos_names_at_most_1024_paths),
        TEST(a_filter_is_as_long_as_it_says),
        TEST(a_filter_is_at_most_8_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
