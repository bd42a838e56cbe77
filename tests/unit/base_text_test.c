/* core/base: UTF-8 and hexadecimal. */
#include "support/test.h"

#include "base/utf8.h"
#include "support/test_random.h"

#include <string.h>

/* The definition of RFC 3629, written the slow way. */
static bool slowly_valid(const uint8_t *text, size_t len) {
    size_t at = 0;
    while (at < len) {
        uint8_t first = text[at];
        size_t more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || at + more >= len + (more == 0)) {
            return false;
        }
        uint32_t code = more == 0 ? first : first & (0x3fu >> more);
        for (size_t i = 1; i <= more; i++) {
            if ((text[at + i] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (text[at + i] & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

static void utf8_agrees_with_the_definition(void **state) {
    (void)state;
    /* Every sequence of up to three bytes that begins beyond ASCII, with ASCII around it. */
    for (uint32_t word = 0x800000; word < 0x1000000; word++) {
        uint8_t text[5] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word, 'a', 'b'};
        if (gt_utf8_valid(text, 3, NULL) != slowly_valid(text, 3)) {
            fail_msg("%06x", word);
        }
        if ((word & 0xff) == 0 && gt_utf8_valid(text, 2, NULL) != slowly_valid(text, 2)) {
            fail_msg("%04x", word >> 8);
        }
    }
    test_random random;
    test_random_init(&random, __func__);
    static const uint8_t interesting[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                          0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
    for (int i = 0; i < 300000; i++) {
        uint8_t text[24];
        size_t len = test_random_below(&random, sizeof text);
        for (size_t j = 0; j < len; j++) {
            text[j] =
                test_random_below(&random, 4) != 0 ? 'a' : interesting[test_random_below(&random, sizeof interesting)];
        }
        assert_true(gt_utf8_valid(text, len, NULL) == slowly_valid(text, len));
    }
}

static void utf8_says_where_it_is_wrong(void **state) {
    (void)state;
    size_t position = 99;
    assert_true(gt_utf8_valid("", 0, &position));
    assert_true(gt_utf8_valid("twelve bytes", 12, &position));
    assert_int_equal(position, 99);
    assert_false(gt_utf8_valid("twelve bytes\xff", 13, &position));
    assert_int_equal(position, 12);
    assert_false(gt_utf8_valid("Zicklein \xf0\x9f\x90", 12, &position));
    assert_int_equal(position, 9);
    assert_false(gt_utf8_valid("\xc3\xa9\xed\xa0\x80", 5, &position));
    assert_int_equal(position, 2);
}

static void cutting_never_splits_a_code_point(void **state) {
    (void)state;
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x90z"; /* 1, 2, 3, 4 and 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t len = 0; len <= 11; len++) {
        assert_int_equal(gt_utf8_cut(text, len), expected[len]);
    }
    assert_int_equal(gt_utf8_count(text, 11), 5);
    assert_int_equal(gt_utf8_cut("\x80\x80\x80\x80\x80", 5), 5);
}

static void code_points_are_counted_eight_bytes_at_a_time(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x90"};
    char text[128];
    for (uint32_t seed = 0; seed < 2000; seed++) {
        size_t len = 0, ends[32] = {0}, pairs[32] = {0};
        uint32_t random = seed * 2654435761u;
        for (uint32_t count = 0; count < 31; count++) {
            const char *letter = letters[(random >> (count % 16 * 2) & 3) * (seed % 3 != 0)];
            memcpy(text + len, letter, strlen(letter));
            len += strlen(letter);
            ends[count + 1] = len;
            pairs[count + 1] = pairs[count] + (strlen(letter) == 4);
        }
        for (uint32_t count = 0; count < 32; count++) {
            assert_int_equal(gt_utf8_count(text, ends[count]), count);
            gt_utf8_lengths lengths = gt_utf8_lengths_of(text, ends[count]);
            assert_int_equal(lengths.bytes, ends[count]);
            assert_int_equal(lengths.points, count);
            assert_int_equal(lengths.pairs, pairs[count]);
            assert_int_equal(gt_utf8_bytes(gt_bytes_of(text, len), count), ends[count]);
            assert_int_equal(gt_utf8_bytes(gt_bytes_of(text, ends[count]), 40), ends[count]);
        }
    }
}

/* More than the counts of one byte hold. */
static void a_long_text_is_as_long_as_its_parts(void **state) {
    (void)state;
    static char text[40000];
    for (size_t at = 0; at + 10 <= sizeof(text); at += 10) {
        memcpy(text + at, "\xf0\x9f\x90\x90\xf0\x9f\x90\x90\xc3\xa9", 10);
    }
    gt_utf8_lengths lengths = gt_utf8_lengths_of(text, sizeof(text));
    assert_int_equal(lengths.points, 3 * sizeof(text) / 10);
    assert_int_equal(lengths.pairs, 2 * sizeof(text) / 10);
    memset(text, 'a', sizeof(text));
    assert_int_equal(gt_utf8_lengths_of(text, sizeof(text)).points, sizeof(text));
    text[sizeof(text) - 64] = '\xc3';
    text[sizeof(text) - 63] = '\xa9';
    assert_int_equal(gt_utf8_lengths_of(text, sizeof(text)).points, sizeof(text) - 1);
}

static void hexadecimal_goes_both_ways(void **state) {
    (void)state;
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[9];
    gt_hex(text, bytes, sizeof bytes);
    assert_string_equal(text, "000fa5ff");
    uint8_t back[4];
    assert_true(gt_unhex(back, 4, "000FA5ff", 8));
    assert_memory_equal(back, bytes, 4);
    assert_false(gt_unhex(back, 4, "000fa5f", 7));
    assert_false(gt_unhex(back, 4, "000fa5fff", 9));
    assert_false(gt_unhex(back, 4, "000fa5fg", 8));
    assert_false(gt_unhex(back, 4, "000fa5 f", 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_agrees_with_the_definition),
        cmocka_unit_test(utf8_says_where_it_is_wrong),
        cmocka_unit_test(cutting_never_splits_a_code_point),
        cmocka_unit_test(code_points_are_counted_eight_bytes_at_a_time),
        cmocka_unit_test(a_long_text_is_as_long_as_its_parts),
        cmocka_unit_test(hexadecimal_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
