/* core/value: order stamps. Properties with seeds; lengths are printed, because they are what one looks at. */
#include "support/test.h"

#include "port/sim/sim.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "value/build.h"
#include "value/orderstamp.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RUNS_MAX: insertions of many runs lead as deep as chance has it, 34 to 78 bytes over 60 seeds; and deep down, where the
 * numbers of a level begin far apart, a run that starts within another one takes five bytes more. */
enum { INSERTIONS = 10000, SHORT_MAX = 64, RUNS_MAX = 128, LIST_MAX = 40000 };

/* A list of stamps, each text in memory of its own so that sanitizers see its end. */
typedef struct list {
    gt_bytes stamps[LIST_MAX];
    uint32_t count;
    size_t longest, total;
    gt_sim_random random;
    goat_random source;
} list;

static list *new_list(uint64_t seed) {
    list *l = calloc(1, sizeof *l);
    assert_non_null(l);
    gt_sim_random_init(&l->random, seed);
    l->source = gt_sim_random_source(&l->random);
    return l;
}

static void free_list(list *l) {
    for (uint32_t i = 0; i < l->count; i++) free((void *)(uintptr_t)l->stamps[i].data);
    free(l);
}

static gt_bytes copy_of(gt_bytes bytes) {
    uint8_t *copy = malloc(bytes.len);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.len);
    return gt_bytes_of(copy, bytes.len);
}

static void put(list *l, uint32_t at, gt_bytes stamp) {
    assert_true(l->count < LIST_MAX && at <= l->count);
    memmove(&l->stamps[at + 1], &l->stamps[at], (l->count - at) * sizeof l->stamps[0]);
    l->stamps[at] = copy_of(stamp);
    l->count++;
    l->total += stamp.len;
    if (stamp.len > l->longest) l->longest = stamp.len;
}

static const gt_bytes none = {NULL, 0};

static gt_bytes before(const list *l, uint32_t at) { return at == 0 ? none : l->stamps[at - 1]; }
static gt_bytes after(const list *l, uint32_t at) { return at == l->count ? none : l->stamps[at]; }

/* `count` new stamps into `out`, checked: values, stamps, in order, in their place. */
static void make(const goat_random *source, gt_bytes low, gt_bytes high, uint32_t count, gt_buf *out) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_clear(out);
    if (gt_orderstamp_between(low, high, count, source, out, &diag) != GOAT_OK) {
        fail_msg("%s: between \"%.*s\" and \"%.*s\"", diag.message, (int)low.len, (const char *)low.data, (int)high.len,
                 (const char *)high.data);
    }
    gt_bytes array = gt_buf_bytes(out), element, text, last = low;
    assert_int_equal(gt_value_check(array, 0, NULL), GOAT_OK);
    assert_int_equal(gt_value_count(array), count);
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &element); last = text) {
        assert_true(gt_value_as_text(element, &text));
        assert_null(gt_orderstamp_fault(text, NULL));
        if (last.len > 0) assert_true(gt_bytes_compare(last, text) < 0);
    }
    if (high.len > 0 && count > 0) assert_true(gt_bytes_compare(last, high) < 0);
}

static void insert_many(list *l, uint32_t at, uint32_t count) {
    gt_buf out;
    gt_bytes element, text;
    gt_buf_init(&out, &gt_alloc_system);
    make(&l->source, before(l, at), after(l, at), count, &out);
    gt_iter iter = gt_array_iter(gt_buf_bytes(&out));
    while (gt_array_next(&iter, &element)) {
        assert_true(gt_value_as_text(element, &text));
        put(l, at++, text);
    }
    gt_buf_free(&out);
}

static void assert_in_order(const list *l) {
    for (uint32_t i = 1; i < l->count; i++) assert_true(gt_bytes_compare(l->stamps[i - 1], l->stamps[i]) < 0);
}

static uint64_t seed_of(const char *name) {
    test_random random;
    test_random_init(&random, name);
    return test_random_u64(&random);
}

/* ---- one place ---- */

typedef uint32_t where(list *l, uint32_t round);

static uint32_t front(list *l, uint32_t round) { return (void)l, (void)round, 0; }
static uint32_t end(list *l, uint32_t round) { return (void)round, l->count; }
static uint32_t between_the_last_two(list *l, uint32_t round) { return (void)round, l->count - (l->count > 0); }
static uint32_t between_the_first_two(list *l, uint32_t round) { return (void)round, l->count > 0; }
static uint32_t before_the_fifth_last(list *l, uint32_t round) {
    return (void)round, l->count - (l->count < 5 ? 0 : 5);
}
static uint32_t after_the_fifth(list *l, uint32_t round) { return (void)round, l->count < 5 ? l->count : 5; }
static uint32_t middle(list *l, uint32_t round) { return (void)round, l->count / 2; }
static uint32_t anywhere(list *l, uint32_t round) {
    return (void)round, (uint32_t)gt_sim_random_below(&l->random, l->count + 1);
}

static void ten_thousand_at_one_place_stay_short(void **state) {
    static const struct {
        const char *name;
        where *at;
    } patterns[] = {{"front", front},
                    {"end", end},
                    {"between the last two", between_the_last_two},
                    {"between the first two", between_the_first_two},
                    {"before the fifth last", before_the_fifth_last},
                    {"after the fifth", after_the_fifth},
                    {"middle, between the two newest", middle},
                    {"anywhere", anywhere}};
    (void)state;
    uint64_t seed = seed_of("ten_thousand_at_one_place_stay_short");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        list *l = new_list(seed);
        for (uint32_t round = 0; round < INSERTIONS; round++) insert_many(l, patterns[i].at(l, round), 1);
        assert_in_order(l);
        printf("%s: at most %zu bytes, %.1f on average\n", patterns[i].name, l->longest, (double)l->total / l->count);
        assert_true(l->longest < SHORT_MAX);
        free_list(l);
    }
}

/* As people fill in a list: 20 one after the other, then somewhere else. */
static void ten_thousand_in_runs_stay_below_half_of_the_limit(void **state) {
    (void)state;
    list *l = new_list(seed_of("ten_thousand_in_runs_stay_below_half_of_the_limit"));
    uint32_t at = 0;
    for (uint32_t i = 0; i < INSERTIONS; i++) {
        if (i % 20 == 0) at = anywhere(l, i);
        insert_many(l, at++, 1);
    }
    assert_in_order(l);
    printf("runs: at most %zu bytes, %.1f on average\n", l->longest, (double)l->total / l->count);
    assert_true(l->longest < RUNS_MAX);
    assert_true(l->total < (size_t)SHORT_MAX * l->count);
    free_list(l);
}

/* Two peers insert at one place of the same list each round, then see each other's. */
static void two_peers_at_one_place_stay_short(void **state) {
    static where *const places[] = {front, end, between_the_last_two, between_the_first_two, after_the_fifth};
    (void)state;
    uint64_t seed = seed_of("two_peers_at_one_place_stay_short");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        list *l = new_list(seed);
        gt_buf ours, theirs;
        gt_buf_init(&ours, &gt_alloc_system);
        gt_buf_init(&theirs, &gt_alloc_system);
        for (uint32_t round = 0; round < INSERTIONS; round++) {
            uint32_t at = places[i](l, round);
            gt_bytes element, a = {0}, b = {0};
            make(&l->source, before(l, at), after(l, at), 1, &ours);
            make(&l->source, before(l, at), after(l, at), 1, &theirs);
            gt_iter iter = gt_array_iter(gt_buf_bytes(&ours));
            assert_true(gt_array_next(&iter, &element) && gt_value_as_text(element, &a));
            iter = gt_array_iter(gt_buf_bytes(&theirs));
            assert_true(gt_array_next(&iter, &element) && gt_value_as_text(element, &b));
            int order = gt_bytes_compare(a, b);
            assert_int_not_equal(order, 0);
            put(l, at, order < 0 ? b : a);
            put(l, at, order < 0 ? a : b);
        }
        assert_in_order(l);
        assert_true(l->longest < SHORT_MAX);
        gt_buf_free(&ours);
        gt_buf_free(&theirs);
        free_list(l);
    }
}

/* ---- collisions ---- */

static int compare_tails(const void *a, const void *b) { return memcmp(a, b, 16); }

/* All of them are made at the same place, so it is enough to look at them all together. */
static void two_peers_at_one_place_never_collide(void **state) {
    enum { TRIES = 1000000 };
    (void)state;
    test_random seeds;
    test_random_init(&seeds, "two_peers_at_one_place_never_collide");
    list *l = new_list(1);
    insert_many(l, 0, 2);
    uint8_t(*made)[16] = calloc(2 * TRIES, sizeof *made);
    assert_non_null(made);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (int peer = 0; peer < 2; peer++) {
        gt_sim_random random;
        gt_sim_random_init(&random, test_random_u64(&seeds));
        goat_random source = gt_sim_random_source(&random);
        for (int i = 0; i < TRIES; i++) {
            gt_bytes element, text;
            gt_buf_clear(&out);
            assert_int_equal(gt_orderstamp_between(l->stamps[0], l->stamps[1], 1, &source, &out, NULL), GOAT_OK);
            gt_iter iter = gt_array_iter(gt_buf_bytes(&out));
            assert_true(gt_array_next(&iter, &element) && gt_value_as_text(element, &text));
            assert_true(text.len <= 16);
            memcpy(made[peer * TRIES + i], text.data, text.len);
        }
    }
    qsort(made, 2 * TRIES, sizeof *made, compare_tails);
    for (int i = 1; i < 2 * TRIES; i++) assert_true(memcmp(made[i - 1], made[i], 16) != 0);
    gt_buf_free(&out);
    free(made);
    free_list(l);
}

static bool fill_with_ones(void *context, uint8_t *bytes, size_t len) {
    return memset(bytes, 0xff, len), context == NULL;
}
static bool fill_nothing(void *context, uint8_t *bytes, size_t len) { return (void)bytes, (void)len, context != NULL; }

/* Every bit of the randomness is in the stamp, and the greatest is still one. */
static void sixty_four_random_bits_are_kept(void **state) {
    goat_random ones = {.struct_size = sizeof ones, .fill = fill_with_ones};
    gt_buf out;
    (void)state;
    gt_buf_init(&out, &gt_alloc_system);
    make(&ones, none, none, 1, &out);
    assert_int_equal(out.len, 16);
    assert_memory_equal(out.data, "\x81\x6en3w5e11264sgsf", 16); /* 2^64 - 1 in base 36 */
    gt_buf_free(&out);
}

/* ---- many at once ---- */

static size_t longest_between(list *l) {
    size_t longest = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i <= l->count; i++) {
        make(&l->source, before(l, i), after(l, i), 1, &out);
        if (out.len > longest) longest = out.len;
    }
    gt_buf_free(&out);
    return longest;
}

static void many_at_once_are_in_order_and_short(void **state) {
    static const uint32_t counts[] = {0, 1, 2, 3, 17, 18, 19, 63, 64, 65, 90, 91, 1000, 10000};
    (void)state;
    uint64_t seed = seed_of("many_at_once_are_in_order_and_short");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        list *l = new_list(seed);
        insert_many(l, 0, counts[i]);                       /* into an empty list */
        insert_many(l, 0, counts[i]);                       /* before it */
        insert_many(l, l->count, counts[i]);                /* behind it */
        if (l->count > 1) insert_many(l, 1, counts[i] / 2); /* between two */
        assert_in_order(l);
        assert_true(l->longest <= 24);
        assert_true(longest_between(l) <= 28);
        free_list(l);
    }
}

/* The numbers at which the stamps of an array stand have the same distance from each other, but for rounding. */
static void many_at_once_are_spread_evenly(void **state) {
    (void)state;
    list *l = new_list(seed_of("many_at_once_are_spread_evenly"));
    insert_many(l, 0, 18); /* one letter each, from 'e' to 'v' */
    for (uint32_t i = 0; i < 18; i++) assert_int_equal(l->stamps[i].data[0], 'e' + i);
    for (uint32_t i = 1; i < 17; i++) free((void *)(uintptr_t)l->stamps[i].data);
    l->stamps[1] = l->stamps[17];
    l->count = 2;
    insert_many(l, 1, 3); /* of the 16 that went away */
    assert_int_equal(l->stamps[1].data[0], 'i');
    assert_int_equal(l->stamps[2].data[0], 'm');
    assert_int_equal(l->stamps[3].data[0], 'q');
    free_list(l);
}

/* ---- any two stamps ---- */

/* Text of the alphabet, biased towards what is at the limits; most of it is no stamp. */
static gt_bytes random_text(test_random *random, uint8_t text[GT_ORDERSTAMP_MAX]) {
    static const char letters[] = "0000000009zzzaaaanve";
    size_t len = 0, parts = 1 + test_random_below(random, 4);
    for (size_t i = 0; i < parts; i++) {
        uint32_t kind = test_random_below(random, 8);
        uint8_t lead = (uint8_t)('a' + test_random_below(random, 26));
        if (kind < 3) lead = kind == 0 ? 'a' : kind == 1 ? 'z' : 'n';
        text[len++] = lead;
        size_t digits = lead == 'a' || lead == 'z'   ? 8
                        : lead == 'b' || lead == 'y' ? 4
                        : lead == 'c' || lead == 'x' ? 2
                        : lead == 'd' || lead == 'w' ? 1
                                                     : 0;
        bool same = test_random_below(random, 2) == 0;
        uint8_t digit = (uint8_t)letters[test_random_below(random, sizeof letters - 1)];
        for (size_t k = 0; k < digits; k++) {
            text[len++] = same ? digit : (uint8_t)letters[test_random_below(random, sizeof letters - 1)];
        }
        bool tail = i + 1 == parts || test_random_below(random, 3) == 0;
        for (int k = 0; tail && k < 13; k++) text[len++] = k == 0 ? '0' : (uint8_t)('0' + test_random_below(random, 2));
    }
    return gt_bytes_of(text, len);
}

static void between_any_two_there_is_room(void **state) {
    enum { ROUNDS = 200000 };
    (void)state;
    test_random random;
    test_random_init(&random, "between_any_two_there_is_room");
    gt_sim_random bits;
    gt_sim_random_init(&bits, 7);
    goat_random source = gt_sim_random_source(&bits);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    int pairs = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t low_text[GT_ORDERSTAMP_MAX], high_text[GT_ORDERSTAMP_MAX];
        gt_bytes low = random_text(&random, low_text), high = random_text(&random, high_text);
        if (test_random_below(&random, 3) == 0) { /* more often alike */
            size_t same = test_random_below(&random, (uint32_t)(low.len < high.len ? low.len : high.len) + 1);
            memcpy(high_text, low_text, same);
        }
        if (gt_orderstamp_fault(low, NULL) != NULL || gt_orderstamp_fault(high, NULL) != NULL) continue;
        int order = gt_bytes_compare(low, high);
        uint32_t count = 1 + test_random_below(&random, i % 100 == 0 ? 2000 : 5);
        make(&source, none, low, count, &out);
        make(&source, low, none, count, &out);
        if (order == 0) continue;
        make(&source, order < 0 ? low : high, order < 0 ? high : low, count, &out);
        pairs++;
    }
    assert_true(pairs > ROUNDS / 10);
    gt_buf_free(&out);
}

/* ---- what is refused ---- */

static void assert_refused(const char *low, const char *high, uint32_t count, goat_status status, const char *words) {
    gt_sim_random bits;
    gt_sim_random_init(&bits, 7);
    goat_random source = gt_sim_random_source(&bits);
    gt_diag diag;
    gt_buf out;
    gt_diag_init(&diag);
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_append_byte(&out, 1);
    assert_int_equal(gt_orderstamp_between(gt_bytes_text(low), gt_bytes_text(high), count, &source, &out, &diag),
                     status);
    assert_string_equal(diag.message, words);
    assert_int_equal(out.len, 1);
    gt_buf_free(&out);
}

#define ZEROS "0000000000000"

static void hostile_stamps_are_refused_with_words(void **state) {
    (void)state;
    char long_text[GT_ORDERSTAMP_MAX + 2];
    memset(long_text, 'n', sizeof long_text);
    memcpy(long_text + GT_ORDERSTAMP_MAX + 1 - 13, ZEROS, 14);
    assert_refused(long_text, "", 1, GOAT_INVALID, "the stamp before is none: it is longer than 255 bytes");
    assert_refused("", long_text, 1, GOAT_INVALID, "the stamp after is none: it is longer than 255 bytes");
    assert_refused("n00000000-0000", "", 1, GOAT_INVALID,
                   "the stamp before is none: it has another character than 0-9 and a-z");
    assert_refused("", "N" ZEROS, 1, GOAT_INVALID,
                   "the stamp after is none: it has another character than 0-9 and a-z");
    assert_refused("n\xff", "", 1, GOAT_INVALID, "the stamp before is none: it has another character than 0-9 and a-z");
    assert_refused("n", "", 1, GOAT_INVALID, "the stamp before is none: it ends too early");
    assert_refused("n000000000000", "", 1, GOAT_INVALID, "the stamp before is none: it ends too early");
    assert_refused("z0000000", "", 1, GOAT_INVALID, "the stamp before is none: it ends too early");
    assert_refused(ZEROS, "", 1, GOAT_INVALID, "the stamp before is none: it has digits where a letter is to stand");
    assert_refused("n" ZEROS ZEROS, "", 1, GOAT_INVALID,
                   "the stamp before is none: it has digits where a letter is to stand");
    assert_refused("a00000000" ZEROS, "", 1, GOAT_INVALID, /* nothing could come before it */
                   "the stamp before is none: it has digits where a letter is to stand");
    assert_refused("n" ZEROS, "n" ZEROS, 1, GOAT_INVALID, "the stamp before does not sort before the stamp after");
    assert_refused("o" ZEROS, "n" ZEROS, 1, GOAT_INVALID, "the stamp before does not sort before the stamp after");
    assert_refused("", "", GT_ORDERSTAMP_COUNT_MAX + 1, GOAT_TOO_LARGE, "at most 65536 stamps are made at once");
}

static void a_fault_says_where(void **state) {
    size_t position = 99;
    (void)state;
    assert_string_equal(gt_orderstamp_fault(gt_bytes_text("n0000-"), &position),
                        "has another character than 0-9 and a-z");
    assert_int_equal(position, 5);
    assert_string_equal(gt_orderstamp_fault(gt_bytes_text("nn000"), &position), "ends too early");
    assert_int_equal(position, 2);
    assert_string_equal(gt_orderstamp_fault(gt_bytes_text(""), &position), "is empty");
    assert_int_equal(position, 0);
    assert_null(gt_orderstamp_fault(gt_bytes_text("n" ZEROS), NULL));
}

/* Nothing fits under the longest stamp, but before and after it. */
static void a_place_that_is_full_is_refused_with_words(void **state) {
    gt_sim_random bits;
    gt_buf out;
    (void)state;
    char low[GT_ORDERSTAMP_MAX + 1], high[GT_ORDERSTAMP_MAX + 1];
    memset(low, 'n', sizeof low);
    memset(high, 'n', sizeof high);
    memcpy(low + GT_ORDERSTAMP_MAX - 13, ZEROS, 14);
    memcpy(high + GT_ORDERSTAMP_MAX - 13, "0000000000001", 14);
    assert_refused(low, high, 1, GOAT_TOO_LARGE,
                   "between these two there is no stamp of at most 255 bytes: give the list new ones");
    gt_sim_random_init(&bits, 7);
    goat_random source = gt_sim_random_source(&bits);
    gt_buf_init(&out, &gt_alloc_system);
    make(&source, gt_bytes_text(low), none, 1, &out);
    make(&source, none, gt_bytes_text(low), 1, &out);
    gt_buf_free(&out);
}

static void without_randomness_there_are_no_stamps(void **state) {
    goat_random nothing = {.struct_size = sizeof nothing, .fill = fill_nothing};
    gt_diag diag;
    gt_buf out;
    (void)state;
    gt_diag_init(&diag);
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_orderstamp_between(none, none, 1, &nothing, &out, &diag), GOAT_IO);
    assert_string_equal(diag.message, "the machine gives no randomness");
    assert_int_equal(out.len, 0);
    gt_buf_free(&out);
}

static void a_lack_of_memory_is_said(void **state) {
    gt_sim_random bits;
    (void)state;
    gt_sim_random_init(&bits, 7);
    goat_random source = gt_sim_random_source(&bits);
    for (uint64_t allocations = 0;; allocations++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, allocations);
        gt_buf_init(&out, &memory.alloc);
        goat_status status = gt_orderstamp_between(none, none, 100, &source, &out, NULL);
        bool failed = memory.failed;
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (!failed) break;
    }
}

static void start_and_end_are_before_and_after_all(void **state) {
    gt_sim_random bits;
    gt_buf out;
    (void)state;
    gt_sim_random_init(&bits, 7);
    goat_random source = gt_sim_random_source(&bits);
    gt_buf_init(&out, &gt_alloc_system);
    gt_bytes only = gt_bytes_text("n" ZEROS);
    assert_int_equal(gt_orderstamp_start(only, &source, &out, NULL), GOAT_OK);
    assert_int_equal(out.data[2], 'm');
    gt_buf_clear(&out);
    assert_int_equal(gt_orderstamp_end(only, &source, &out, NULL), GOAT_OK);
    assert_int_equal(out.data[2], 'o');
    gt_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_at_one_place_stay_short),
        cmocka_unit_test(ten_thousand_in_runs_stay_below_half_of_the_limit),
        cmocka_unit_test(two_peers_at_one_place_stay_short),
        cmocka_unit_test(two_peers_at_one_place_never_collide),
        cmocka_unit_test(sixty_four_random_bits_are_kept),
        cmocka_unit_test(many_at_once_are_in_order_and_short),
        cmocka_unit_test(many_at_once_are_spread_evenly),
        cmocka_unit_test(between_any_two_there_is_room),
        cmocka_unit_test(hostile_stamps_are_refused_with_words),
        cmocka_unit_test(a_fault_says_where),
        cmocka_unit_test(a_place_that_is_full_is_refused_with_words),
        cmocka_unit_test(without_randomness_there_are_no_stamps),
        cmocka_unit_test(a_lack_of_memory_is_said),
        cmocka_unit_test(start_and_end_are_before_and_after_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
