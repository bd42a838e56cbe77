/* Random messages, and random damage to them. */
#include "support/test.h"
#include "support/test_random.h"
#include "sync/message.h"
#include "value/build.h"

/* What a message points to. */
typedef struct room {
    uint8_t filled[256]; /* 0, 1, 2, … */
    gt_data_record records[8];
    gt_bytes paths[8];
    gt_buf ids;
} room;

static gt_bytes some_bytes(test_random *random, const room *r, uint32_t most) {
    return gt_bytes_of(r->filled + test_random_below(random, 8), test_random_below(random, most));
}

static uint64_t some_number(test_random *random, uint64_t max) {
    uint64_t number = test_random_u64(random) >> test_random_below(random, 64);
    return number > max ? max : number;
}

static gt_ids some_ids(test_random *random, room *r) {
    uint32_t count = 1 + test_random_below(random, 8);
    gt_buf_clear(&r->ids);
    for (uint32_t i = 0; i < count; i++) {
        gt_write_bytes(&r->ids, gt_bytes_of(r->filled + test_random_below(random, 224), GT_ID_SIZE));
    }
    return (gt_ids){.data = r->ids.data, .count = count};
}

static gt_message any_message(test_random *random, room *r) {
    static const char *const paths[] = {"/data/goats", "/sys/sessions", "/a/b", "/data/sheep-and.goats_2"};
    gt_message m = {.kind = (gt_message_kind)test_random_below(random, 17)};
    m.channel = 1 + test_random_below(random, GT_SYNC_CHANNELS_MAX);
    const uint8_t *fixed = r->filled + test_random_below(random, 190);
    const gt_id *id = (const gt_id *)(const void *)fixed;
    gt_bytes path = gt_bytes_text(paths[test_random_below(random, 4)]);
    goat_status status = (goat_status)test_random_below(random, 999);
    switch (m.kind) {
    case GT_MESSAGE_HELLO:
        m.channel = 0;
        m.as.hello = (gt_hello){.public_key = fixed, .nonce = fixed + 1, .window = GT_SYNC_WINDOW_MIN};
        m.as.hello.version = some_number(random, UINT32_MAX);
        m.as.hello.role = test_random_below(random, 2);
        m.as.hello.network = test_random_below(random, 2) == 0 ? NULL : id;
        m.as.hello.root_key = test_random_below(random, 2) == 0 ? NULL : fixed;
        m.as.hello.wall_ms = some_number(random, INT64_MAX);
        m.as.hello.window += some_number(random, GT_SYNC_WINDOW_MAX - GT_SYNC_WINDOW_MIN);
        if (test_random_below(random, 2) == 0) m.as.hello.certificate = some_bytes(random, r, 200);
        break;
    case GT_MESSAGE_PROOF: m.as.proof.signature = fixed; break;
    case GT_MESSAGE_OPEN:
        m.as.open.path = path;
        m.as.open.flags = test_random_below(random, 4);
        m.as.open.count = some_number(random, INT64_MAX);
        if (test_random_below(random, 2) == 0) m.as.open.point = gt_bytes_of(fixed, GT_SYNC_POINT_SIZE);
        break;
    case GT_MESSAGE_OPENED:
        m.as.opened.how = test_random_below(random, 3);
        m.as.opened.bytes = some_number(random, INT64_MAX);
        m.as.opened.count = some_number(random, INT64_MAX);
        break;
    case GT_MESSAGE_DATA:
        m.as.data.flags = test_random_below(random, 16);
        m.as.data.records = r->records;
        m.as.data.count = test_random_below(random, 9);
        for (uint32_t i = 0; i < m.as.data.count; i++) {
            r->records[i] = (gt_data_record){test_random_below(random, 2) == 0, some_bytes(random, r, 240)};
        }
        break;
    case GT_MESSAGE_ACK:
        m.as.ack.level = (goat_durability)test_random_below(random, 4);
        m.as.ack.ids = some_ids(random, r);
        break;
    case GT_MESSAGE_POINT:
        m.as.point.behind = some_number(random, INT64_MAX);
        m.as.point.point = gt_bytes_of(fixed, GT_SYNC_POINT_SIZE);
        break;
    case GT_MESSAGE_COMPARE:
        m.as.compare.run = (uint32_t)some_number(random, INT32_MAX);
        m.as.compare.step = test_random_below(random, 4);
        m.as.compare.count = some_number(random, INT64_MAX);
        m.as.compare.digest = fixed;
        if (test_random_below(random, 2) == 0) {
            uint32_t bytes = 8 * (1 + test_random_below(random, 8));
            m.as.compare.filter = (gt_bloom_part){fixed, 8 * bytes, 1 + test_random_below(random, GT_SYNC_HASHES_MAX),
                                                  gt_bytes_of(r->filled, bytes)};
        }
        break;
    case GT_MESSAGE_WANT: m.as.want.ids = some_ids(random, r); break;
    case GT_MESSAGE_LOST: m.as.lost.ids = some_ids(random, r); break;
    case GT_MESSAGE_CREDIT: m.as.credit.bytes = some_number(random, GT_SYNC_WINDOW_MAX); break;
    case GT_MESSAGE_REPOS:
        m.as.repos.paths = r->paths;
        m.as.repos.count = test_random_below(random, 9);
        m.as.repos.more = test_random_below(random, 2) == 0;
        for (uint32_t i = 0; i < m.as.repos.count; i++)
            r->paths[i] = gt_bytes_text(paths[test_random_below(random, 4)]);
        break;
    case GT_MESSAGE_REFUSE:
        m.channel %= GT_SYNC_CHANNELS_MAX; /* 0 too */
        m.as.refuse.batch = id;
        m.as.refuse.status = status;
        m.as.refuse.text = path;
        break;
    case GT_MESSAGE_CLOSE:
    case GT_MESSAGE_BYE:
        m.as.close.status = status;
        m.as.close.text = path;
        break;
    default: break;
    }
    return m;
}

static void room_init(room *r) {
    for (size_t i = 0; i < sizeof r->filled; i++) r->filled[i] = (uint8_t)i;
    gt_buf_init(&r->ids, &gt_alloc_system);
}

typedef struct reader {
    room room;
    gt_buf bytes, again;
    gt_arena arena;
    gt_message message;
    gt_diag diag;
} reader;

static void reader_init(reader *r) {
    room_init(&r->room);
    gt_buf_init(&r->bytes, &gt_alloc_system);
    gt_buf_init(&r->again, &gt_alloc_system);
    gt_arena_init(&r->arena, &gt_alloc_system);
}

static void reader_free(reader *r) {
    gt_buf_free(&r->room.ids);
    gt_buf_free(&r->bytes);
    gt_buf_free(&r->again);
    gt_arena_free(&r->arena);
}

/* Refused at a place within it; or the one encoding of what it says. */
static goat_status read_bytes(reader *r) {
    gt_bytes rest = gt_buf_bytes(&r->bytes);
    gt_arena_reset(&r->arena);
    gt_diag_init(&r->diag);
    goat_status status = gt_message_read(&rest, &r->arena, &r->message, &r->diag);
    if (status == GOAT_OK) {
        gt_buf_clear(&r->again);
        gt_message_write(&r->again, &r->message);
        assert_true(gt_bytes_equal(gt_buf_bytes(&r->again), r->message.bytes));
    } else if (status != GOAT_NOT_FOUND) {
        assert_true(status == GOAT_INVALID || status == GOAT_TOO_LARGE);
        assert_true(r->diag.position <= r->bytes.len);
        assert_int_equal(rest.len, r->bytes.len);
    }
    return status;
}

static void whatever_is_said_is_understood(void **state) {
    test_random random;
    reader r;
    (void)state;
    test_random_init(&random, __func__);
    reader_init(&r);
    for (int i = 0; i < 20000; i++) {
        gt_message m = any_message(&random, &r.room);
        gt_buf_clear(&r.bytes);
        gt_message_write(&r.bytes, &m);
        if (read_bytes(&r) != GOAT_OK) fail_msg("kind %d: %s", (int)m.kind, r.diag.message);
        assert_int_equal(r.message.kind, m.kind);
        assert_int_equal(r.message.bytes.len, r.bytes.len);
    }
    reader_free(&r);
}

static void whatever_is_garbled_is_refused_or_another_message(void **state) {
    test_random random;
    reader r;
    uint32_t taken = 0, refused = 0;
    (void)state;
    test_random_init(&random, __func__);
    reader_init(&r);
    for (int i = 0; i < 50000; i++) {
        gt_message m = any_message(&random, &r.room);
        gt_buf_clear(&r.bytes);
        gt_message_write(&r.bytes, &m);
        for (uint32_t changes = 1 + test_random_below(&random, 3); changes > 0; changes--) {
            r.bytes.data[test_random_below(&random, (uint32_t)r.bytes.len)] = (uint8_t)test_random_u64(&random);
        }
        if (test_random_below(&random, 4) == 0) r.bytes.len -= test_random_below(&random, (uint32_t)r.bytes.len);
        goat_status status = read_bytes(&r);
        taken += status == GOAT_OK;
        refused += status == GOAT_INVALID || status == GOAT_TOO_LARGE;
    }
    assert_true(taken > 1000 && refused > 1000); /* both were tried */
    reader_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_said_is_understood),
        cmocka_unit_test(whatever_is_garbled_is_refused_or_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
