/* The Bloom filter of PROTOCOL.md 7.3: nothing that was added is denied, little else is affirmed, and its size is what
 * the page says. */
#include "sync/bloom.h"

#include "port/sim/sim.h"
#include "support/test.h"
#include "support/test_alloc.h"
#include "support/test_random.h"

/* Ids as they are: the output of a hash. */
static gt_id any_id(test_random *random) {
    gt_id id;
    for (size_t i = 0; i < GT_ID_SIZE; i += 8) {
        uint64_t word = test_random_u64(random);
        memcpy(id.bytes + i, &word, 8);
    }
    return id;
}

static void make(gt_bloom *filter, gt_sim_random *source, uint64_t elements) {
    assert_int_equal(gt_bloom_init(filter, &gt_alloc_system, gt_sim_random_source(source), elements, NULL), GOAT_OK);
}

/* ---- sizes ---- */

/* Worked out by hand from the page. */
static void sizes_are_those_of_the_page(void **state) {
    static const struct {
        uint64_t elements, bits;
        uint32_t hashes;
    } sizes[] = {
        {0, 64, 7}, /* as for one */
        {1, 64, 7}, /* b would be 5, and is 10 at least */
        {6, 64, 7},
        {7, 128, 7},
        {8, 128, 7}, /* 8n is a power of two: log2 6, b 9 */
        {9, 128, 8}, /* one more: log2 7, b 11 */
        {1000, 19008, 14},
        {10000, 250048, 18},
        {20971, 524288, 18}, /* the last that is precise: b 25, exactly 64 KiB */
        {20972, 503360, 17}, /* b 24 is what fits */
        {50000, 500032, 7},
        {52428, 524288, 7}, /* the last that fits into 64 KiB with b 10 */
        {52429, 524352, 7},
        {1000000, 10000000, 7},
        {6710886, 67108864, 7}, /* the last that fits into 8 MiB */
        {6710887, 67108864, 7},
        {UINT64_MAX / 2, 67108864, 7},
    };
    gt_sim_random source;
    (void)state;
    gt_sim_random_init(&source, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        gt_bloom filter;
        make(&filter, &source, sizes[i].elements);
        assert_int_equal(filter.bits, sizes[i].bits);
        assert_int_equal(filter.hashes, sizes[i].hashes);
        gt_bloom_part part = gt_bloom_part_of(&filter);
        assert_int_equal(part.bytes.len, filter.bits / 8);
        assert_true(part.bytes.len <= GT_SYNC_FILTER_MAX && filter.hashes <= GT_SYNC_HASHES_MAX);
        gt_bloom_free(&filter);
    }
}

/* What is made can be sent: reading takes it. */
static void a_filter_of_any_size_can_be_sent(void **state) {
    static const uint64_t sizes[] = {0, 1, 63, 1000, 52429, 10000000};
    gt_sim_random source;
    (void)state;
    gt_sim_random_init(&source, 2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        static const uint8_t digest[GT_HASH_SIZE];
        gt_message message = {.kind = GT_MESSAGE_COMPARE, .channel = 1}, found;
        gt_bloom filter;
        gt_buf out;
        gt_arena arena;
        gt_buf_init(&out, &gt_alloc_system);
        gt_arena_init(&arena, &gt_alloc_system);
        make(&filter, &source, sizes[i]);
        message.as.compare.digest = digest;
        message.as.compare.filter = gt_bloom_part_of(&filter);
        gt_message_write(&out, &message);
        gt_bytes rest = gt_buf_bytes(&out);
        assert_int_equal(gt_message_read(&rest, &arena, &found, NULL), GOAT_OK);
        assert_int_equal(found.as.compare.filter.bits, filter.bits);
        assert_memory_equal(found.as.compare.filter.salt, filter.salt, GT_SYNC_SALT_SIZE);
        gt_arena_free(&arena);
        gt_buf_free(&out);
        gt_bloom_free(&filter);
    }
}

/* ---- answers ---- */

static void an_empty_filter_holds_nothing(void **state) {
    test_random random;
    gt_sim_random source;
    gt_bloom filter;
    (void)state;
    test_random_init(&random, __func__);
    gt_sim_random_init(&source, 3);
    make(&filter, &source, 100);
    gt_bloom_part part = gt_bloom_part_of(&filter);
    for (int i = 0; i < 1000; i++) {
        gt_id id = any_id(&random);
        assert_false(gt_bloom_may_hold(&part, &id));
    }
    gt_bloom_free(&filter);
}

/* All that were added are there. Gives how many of `probes` others it may hold, too. */
static uint32_t probe(test_random *random, gt_sim_random *source, uint32_t elements, uint32_t probes) {
    gt_bloom filter;
    uint32_t found = 0;
    gt_id *ids = test_malloc(elements * sizeof *ids);
    make(&filter, source, elements);
    for (uint32_t i = 0; i < elements; i++) {
        ids[i] = any_id(random);
        gt_bloom_add(&filter, &ids[i]);
    }
    gt_bloom_part part = gt_bloom_part_of(&filter);
    for (uint32_t i = 0; i < elements; i++) assert_true(gt_bloom_may_hold(&part, &ids[i]));
    for (uint32_t i = 0; i < probes; i++) {
        gt_id other = any_id(random);
        found += gt_bloom_may_hold(&part, &other);
    }
    test_free(ids);
    gt_bloom_free(&filter);
    return found;
}

/* 1 in 8n as long as that fits into 64 KiB (7.4: a run misses few), then what bits an element give: k places of which
 * 1 - e^(-k n / bits) are set. Small filters differ among themselves, so many are made of these. */
static void what_was_added_is_never_denied_and_little_else_affirmed(void **state) {
    enum { PROBES = 200000, PRECISE_MAX = 20971, SMALL = 1000 };
    static const struct {
        uint32_t elements;
        double rate; /* 0: 1 in 8n */
    } sizes[] = {
        {1, 0},          {2, 0},          {3, 0},    {6, 0},    {7, 0},           {10, 0},           {20, 0},
        {64, 0},         {100, 0},        {1000, 0}, {5000, 0}, {PRECISE_MAX, 0}, {30000, 0.000284}, {52428, 0.0082},
        {60000, 0.0082}, {100000, 0.0082}};
    test_random random;
    gt_sim_random source;
    (void)state;
    test_random_init(&random, __func__);
    gt_sim_random_init(&source, test_random_u64(&random));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t elements = sizes[i].elements, filters = elements < SMALL ? SMALL : 1, found = 0;
        for (uint32_t n = 0; n < filters; n++) found += probe(&random, &source, elements, PROBES / filters);
        double rate = sizes[i].rate == 0 ? 1 / (8.0 * elements) : 1.1 * sizes[i].rate;
        double expected = rate * PROBES, over = found - expected;
        if (over > 0 && over * over > 36 * (expected + 1)) {
            fail_msg("%u elements: %u of %u others, where %.1f are expected", elements, found, PROBES, expected);
        }
    }
}

/* The salts differ, and what one filter hides the next one shows: so further rounds end. */
static void a_new_salt_hides_something_else(void **state) {
    enum { ELEMENTS = 60000, OTHERS = 20000 };
    test_random random;
    gt_sim_random source;
    gt_bloom first, second;
    (void)state;
    test_random_init(&random, __func__);
    gt_sim_random_init(&source, test_random_u64(&random));
    make(&first, &source, ELEMENTS);
    make(&second, &source, ELEMENTS);
    assert_memory_not_equal(first.salt, second.salt, GT_SYNC_SALT_SIZE);
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        gt_id id = any_id(&random);
        gt_bloom_add(&first, &id);
        gt_bloom_add(&second, &id);
    }
    gt_bloom_part a = gt_bloom_part_of(&first), b = gt_bloom_part_of(&second);
    uint32_t hidden = 0, still = 0;
    for (uint32_t i = 0; i < OTHERS; i++) {
        gt_id other = any_id(&random);
        if (!gt_bloom_may_hold(&a, &other)) continue;
        hidden++;
        still += gt_bloom_may_hold(&b, &other);
    }
    assert_true(hidden > OTHERS / 250); /* 0.8 % are expected: there was something to show */
    assert_true(still < hidden / 10 + 5);
    gt_bloom_free(&first);
    gt_bloom_free(&second);
}

/* A filter of a peer's making may have any bits, sizes and hashes within the limits. */
static void a_full_filter_holds_everything(void **state) {
    uint8_t salt[GT_SYNC_SALT_SIZE] = {0}, bytes[8];
    gt_bloom_part part = {salt, 64, GT_SYNC_HASHES_MAX, gt_bytes_of(bytes, sizeof bytes)};
    test_random random;
    (void)state;
    test_random_init(&random, __func__);
    memset(bytes, 0xff, sizeof bytes);
    for (int i = 0; i < 1000; i++) {
        gt_id id = any_id(&random);
        assert_true(gt_bloom_may_hold(&part, &id));
    }
    bytes[3] = 0;
    uint32_t held = 0;
    for (int i = 0; i < 1000; i++) {
        gt_id id = any_id(&random);
        held += gt_bloom_may_hold(&part, &id);
    }
    assert_true(held < 200); /* (1 - 1/8)^32 is 1.4 %; h2 is odd, so all 64 places are reached */
}

/* ---- trouble ---- */

static bool no_randomness(void *context, uint8_t *bytes, size_t len) {
    (void)context;
    (void)bytes;
    (void)len;
    return false;
}

static void without_memory_or_randomness_there_is_no_filter(void **state) {
    test_alloc memory;
    gt_sim_random source;
    gt_bloom filter;
    gt_diag diag;
    (void)state;
    gt_sim_random_init(&source, 4);
    test_alloc_init(&memory, 0);
    gt_diag_init(&diag);
    assert_int_equal(gt_bloom_init(&filter, &memory.alloc, gt_sim_random_source(&source), 10, &diag), GOAT_NO_MEMORY);
    assert_int_equal(diag.status, GOAT_NO_MEMORY);
    gt_bloom_free(&filter);
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    goat_random none = {.fill = no_randomness};
    assert_int_equal(gt_bloom_init(&filter, &memory.alloc, none, 10, &diag), GOAT_IO);
    gt_bloom_free(&filter);
    test_alloc_assert_empty(&memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_those_of_the_page),
        cmocka_unit_test(a_filter_of_any_size_can_be_sent),
        cmocka_unit_test(an_empty_filter_holds_nothing),
        cmocka_unit_test(what_was_added_is_never_denied_and_little_else_affirmed),
        cmocka_unit_test(a_new_salt_hides_something_else),
        cmocka_unit_test(a_full_filter_holds_everything),
        cmocka_unit_test(without_memory_or_randomness_there_is_no_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
