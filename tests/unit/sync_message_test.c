/* Messages of PROTOCOL.md section 2: what is written is read back, and nothing else is read. */
#include "sync/message.h"

#include "support/hex_buf.h"
#include "support/message_fixture.h"
#include "support/test.h"
#include "support/test_alloc.h"
#include "value/build.h"

/* ---- round trips ---- */

static void a_hello_says_what_it_was_given(void **state) {
    message_fixture *f = *state;
    gt_message m = message_hello(f);
    message_takes_this(f, &m);
    assert_null(f->message.as.hello.network);
    assert_null(f->message.as.hello.root_key);
    assert_null(f->message.as.hello.certificate.data);
    m.as.hello.role = 1;
    m.as.hello.network = (const gt_id *)(const void *)(f->filled + 3);
    m.as.hello.root_key = f->filled + 4;
    m.as.hello.wall_ms = INT64_MAX;
    m.as.hello.certificate = gt_bytes_of(f->filled, 0);
    message_takes_this(f, &m);
    const gt_hello *h = &f->message.as.hello;
    assert_int_equal(h->version, 1);
    assert_int_equal(h->role, 1);
    assert_memory_equal(h->network->bytes, f->filled + 3, GT_ID_SIZE);
    assert_memory_equal(h->root_key, f->filled + 4, GT_PUBLIC_KEY_SIZE);
    assert_memory_equal(h->public_key, f->filled + 1, GT_PUBLIC_KEY_SIZE);
    assert_memory_equal(h->nonce, f->filled + 2, GT_SYNC_NONCE_SIZE);
    assert_int_equal(h->wall_ms, INT64_MAX);
    assert_int_equal(h->window, GT_SYNC_WINDOW_MIN);
    assert_non_null(h->certificate.data); /* empty is not null */
    assert_int_equal(h->certificate.len, 0);
}

static void records_keep_their_order_and_kind(void **state) {
    message_fixture *f = *state;
    gt_data_record records[] = {
        {false, gt_bytes_of(f->filled, 30)}, {true, gt_bytes_of(f->filled, 200)}, {false, {f->filled, 0}}};
    gt_message m = {.kind = GT_MESSAGE_DATA, .channel = 7, .as.data = {GT_DATA_ACK | GT_DATA_END, records, 3}};
    message_takes_this(f, &m);
    assert_int_equal(f->message.kind, GT_MESSAGE_DATA);
    assert_int_equal(f->message.channel, 7);
    assert_int_equal(f->message.as.data.flags, GT_DATA_ACK | GT_DATA_END);
    assert_int_equal(f->message.as.data.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const gt_data_record *found = &f->message.as.data.records[i];
        assert_int_equal(found->is_receipt, records[i].is_receipt);
        assert_true(gt_bytes_equal(found->bytes, records[i].bytes));
    }
}

static void heads_and_pieces_make_the_same_message(void **state) {
    message_fixture *f = *state;
    gt_buf pieces;
    gt_buf_init(&pieces, &gt_alloc_system);
    gt_data_record records[] = {{false, gt_bytes_of(f->filled, 30)}, {true, gt_bytes_of(f->filled, 40)}};
    gt_message m = {.kind = GT_MESSAGE_DATA, .channel = 300, .as.data = {GT_DATA_WANTED, records, 2}};
    message_say(f, &m);
    gt_message_data_head(&pieces, 300, GT_DATA_WANTED, 2);
    gt_write_bytes(&pieces, records[0].bytes);
    gt_message_write_receipt(&pieces, records[1].bytes);
    assert_true(gt_bytes_equal(gt_buf_bytes(&pieces), gt_buf_bytes(&f->bytes)));

    gt_buf_clear(&pieces);
    gt_message_ack_head(&pieces, 2, GOAT_DURABLE_DISK, 2);
    for (size_t i = 0; i < 2; i++) gt_write_bytes(&pieces, gt_bytes_of(f->filled + i, GT_ID_SIZE));
    gt_buf_clear(&f->bytes);
    gt_buf_append(&f->bytes, pieces.data, pieces.len);
    message_takes(f);
    assert_int_equal(f->message.kind, GT_MESSAGE_ACK);
    assert_int_equal(f->message.as.ack.level, GOAT_DURABLE_DISK);
    assert_int_equal(f->message.as.ack.ids.count, 2);
    assert_memory_equal(gt_ids_at(f->message.as.ack.ids, 1)->bytes, f->filled + 1, GT_ID_SIZE);

    gt_buf_clear(&f->bytes);
    gt_message_want_head(&f->bytes, 2, 1);
    gt_write_bytes(&f->bytes, gt_bytes_of(f->filled + 5, GT_ID_SIZE));
    message_takes(f);
    assert_int_equal(f->message.kind, GT_MESSAGE_WANT);
    assert_memory_equal(gt_ids_at(f->message.as.want.ids, 0)->bytes, f->filled + 5, GT_ID_SIZE);
    gt_buf_free(&pieces);
}

static void several_messages_lie_behind_one_another(void **state) {
    message_fixture *f = *state;
    gt_message list = {.kind = GT_MESSAGE_LIST}, credit = {.kind = GT_MESSAGE_CREDIT, .as.credit.bytes = 77};
    gt_message_write(&f->bytes, &list);
    gt_message_write(&f->bytes, &credit);
    gt_write_array_head(&f->bytes, 3); /* of a later version */
    gt_write_int(&f->bytes, GT_MESSAGE_SKIP_FROM);
    gt_write_text(&f->bytes, gt_bytes_text("what this one does not know"));
    gt_write_array_head(&f->bytes, 1);
    gt_write_int(&f->bytes, -1);
    gt_message_write(&f->bytes, &list);
    gt_bytes rest = gt_buf_bytes(&f->bytes);
    assert_int_equal(gt_message_read(&rest, &f->arena, &f->message, NULL), GOAT_OK);
    assert_int_equal(f->message.kind, GT_MESSAGE_LIST);
    assert_int_equal(gt_message_read(&rest, &f->arena, &f->message, NULL), GOAT_OK);
    assert_int_equal(f->message.as.credit.bytes, 77);
    assert_int_equal(gt_message_read(&rest, &f->arena, &f->message, NULL), GOAT_NOT_FOUND);
    assert_int_equal(gt_message_read(&rest, &f->arena, &f->message, NULL), GOAT_OK);
    assert_int_equal(f->message.kind, GT_MESSAGE_LIST);
    assert_int_equal(rest.len, 0);
}

/* ---- form ---- */

static void what_is_no_message_is_refused(void **state) {
    message_fixture *f = *state;
    message_refuses_hex(f, "", GOAT_INVALID, "cut short");
    message_refuses_hex(f, "0b", GOAT_INVALID, "a message is an array");
    message_refuses_hex(f, "80", GOAT_INVALID, "begins with its kind");
    message_refuses_hex(f, "8140", GOAT_INVALID, "begins with its kind");
    message_refuses_hex(f, "8120", GOAT_INVALID, "begins with its kind");
    message_refuses_hex(f, "8112", GOAT_INVALID, "unknown kind");   /* 18 */
    message_refuses_hex(f, "81183f", GOAT_INVALID, "unknown kind"); /* 63 */
    message_refuses_hex(f, "82183f00", GOAT_INVALID, "unknown kind");
    message_refuses_hex(f, "9f0bff", GOAT_INVALID, "indefinite");
    message_refuses_hex(f, "98010b", GOAT_INVALID, "shortest form");
    message_refuses_hex(f, "81180b", GOAT_INVALID, "shortest form");
    message_refuses_hex(f, "820bf6", GOAT_INVALID, "number of elements");
    message_refuses_hex(f, "810a", GOAT_INVALID, "number of elements");
    message_refuses_hex(f, "820e20", GOAT_INVALID, "a channel");
    message_refuses_hex(f, "820a1b8000000000000000", GOAT_TOO_LARGE, "credit");
    message_refuses_hex(f, "820afb3ff0000000000000", GOAT_INVALID, "credit");
}

static void a_later_version_is_passed_over_only_in_good_form(void **state) {
    message_fixture *f = *state;
    gt_buf_free(&f->bytes);
    f->bytes = hex_buf("8218404100");
    assert_int_equal(message_read_back(f), GOAT_NOT_FOUND);
    gt_buf_free(&f->bytes);
    f->bytes = hex_buf("821b7fffffffffffffffa16161f5");
    assert_int_equal(message_read_back(f), GOAT_NOT_FOUND);
    message_refuses_hex(f, "82184041", GOAT_INVALID, "cut short");
    message_refuses_hex(f, "82184058010a", GOAT_INVALID, "shortest form");
    message_refuses_hex(f, "9a10000000184000", GOAT_INVALID, "cut short");
}

static void a_receipt_is_128_and_bytes(void **state) {
    message_fixture *f = *state;
    static const char *const wrong[] = {
        "840501008182188141aa", "8405010081821880f6", "84050100811880", "840501008183188041aa41aa",
        "840501008182f641aa",   "840501008180",       "8405010081f6",   "840501008163616161"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gt_buf_free(&f->bytes);
        f->bytes = hex_buf(wrong[i]);
        assert_int_equal(message_read_back(f), GOAT_INVALID);
    }
    gt_buf_free(&f->bytes);
    f->bytes = hex_buf("840501008182188041aa");
    message_takes(f);
    assert_true(f->message.as.data.records[0].is_receipt);
}

/* A count that is claimed costs nothing before there are bytes for it. */
static void a_claimed_count_takes_no_memory(void **state) {
    static const char *const claims[] = {
        "84050100991000",         /* DATA with 4,096 records */
        "840501009a00ffffff",     /* … more than are allowed */
        "830c990400",             /* REPOS with 1,024 */
        "840601029904005820",     /* ACK */
        "8309019b00ffffffffffff", /* WANT */
        "8a000100f6f65b7fffffffffffffff",
    };
    message_fixture *f = *state;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        test_alloc memory;
        gt_arena arena;
        gt_buf bytes = hex_buf(claims[i]);
        gt_bytes rest = gt_buf_bytes(&bytes);
        test_alloc_init(&memory, TEST_ALLOC_NEVER);
        gt_arena_init(&arena, &memory.alloc);
        goat_status status = gt_message_read(&rest, &arena, &f->message, NULL);
        assert_true(status == GOAT_INVALID || status == GOAT_TOO_LARGE);
        assert_int_equal(memory.most_bytes, 0);
        gt_arena_free(&arena);
        gt_buf_free(&bytes);
    }
}

/* ---- memory ---- */

static void without_memory_a_message_is_not_half_read(void **state) {
    message_fixture *f = *state;
    gt_data_record records[40];
    for (size_t i = 0; i < 40; i++) records[i] = (gt_data_record){i % 2 == 0, gt_bytes_of(f->filled, i)};
    gt_bytes paths[40];
    for (size_t i = 0; i < 40; i++) paths[i] = gt_bytes_text("/data/goats");
    gt_message messages[] = {{.kind = GT_MESSAGE_DATA, .channel = 1, .as.data = {0, records, 40}},
                             {.kind = GT_MESSAGE_REPOS, .as.repos = {paths, 40, false}}};
    for (size_t i = 0; i < 2; i++) {
        message_say(f, &messages[i]);
        test_alloc memory;
        for (uint64_t k = 0;; k++) {
            test_alloc_init(&memory, k);
            gt_arena arena;
            gt_bytes rest = gt_buf_bytes(&f->bytes);
            gt_arena_init(&arena, &memory.alloc);
            gt_diag_init(&f->diag);
            goat_status status = gt_message_read(&rest, &arena, &f->message, &f->diag);
            gt_arena_free(&arena);
            test_alloc_assert_empty(&memory);
            if (!memory.failed) {
                assert_int_equal(status, GOAT_OK);
                assert_true(k > 0);
                break;
            }
            assert_int_equal(status, GOAT_NO_MEMORY);
            assert_int_equal(f->diag.status, GOAT_NO_MEMORY);
            assert_int_equal(rest.len, f->bytes.len); /* it stays where it was */
        }
    }
}

static void without_memory_writing_says_so(void **state) {
    message_fixture *f = *state;
    gt_message m = message_hello(f);
    message_say(f, &m);
    test_alloc memory;
    for (uint64_t k = 0;; k++) {
        gt_buf out;
        test_alloc_init(&memory, k);
        gt_buf_init(&out, &memory.alloc);
        gt_message_write(&out, &m);
        bool failed = gt_buf_failed(&out);
        assert_int_equal(failed, memory.failed);
        if (!failed) assert_true(gt_bytes_equal(gt_buf_bytes(&out), gt_buf_bytes(&f->bytes)));
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!failed) break;
    }
}

/* ---- what PROOF signs ---- */

static void a_proof_is_over_both_hellos_and_who_signs(void **state) {
    message_fixture *f = *state;
    gt_hasher *hasher;
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &hasher, NULL), GOAT_OK);
    const gt_id *network = (const gt_id *)(const void *)f->filled;
    gt_buf server, other;
    gt_buf_init(&server, &gt_alloc_system);
    gt_buf_init(&other, &gt_alloc_system);
    gt_hello_signed_bytes(hasher, network, 0, gt_bytes_text("abc"), gt_bytes_text(""), &f->bytes);
    /* SHA-256 of "abc" and of nothing, from FIPS 180-4 */
    gt_buf expected = hex_buf("866c676f61742e68656c6c6f2e31"
                              "5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                              "6000"
                              "5820ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                              "5820e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(gt_bytes_equal(gt_buf_bytes(&f->bytes), gt_buf_bytes(&expected)));
    gt_hello_signed_bytes(hasher, network, 1, gt_bytes_text("abc"), gt_bytes_text(""), &server);
    gt_hello_signed_bytes(hasher, network, 0, gt_bytes_text("abc"), gt_bytes_text("x"), &other);
    assert_false(gt_bytes_equal(gt_buf_bytes(&f->bytes), gt_buf_bytes(&server)));
    assert_false(gt_bytes_equal(gt_buf_bytes(&f->bytes), gt_buf_bytes(&other)));
    gt_buf_free(&expected);
    gt_buf_free(&server);
    gt_buf_free(&other);
    gt_hasher_free(hasher);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, message_setup, message_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_hello_says_what_it_was_given),
        TEST(records_keep_their_order_and_kind),
        TEST(heads_and_pieces_make_the_same_message),
        TEST(several_messages_lie_behind_one_another),
        TEST(what_is_no_message_is_refused),
        TEST(a_later_version_is_passed_over_only_in_good_form),
        TEST(a_receipt_is_128_and_bytes),
        TEST(a_claimed_count_takes_no_memory),
        TEST(without_memory_a_message_is_not_half_read),
        TEST(without_memory_writing_says_so),
        TEST(a_proof_is_over_both_hellos_and_who_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
