/* core/base: checksums, bytes and diagnostics. */
#include "support/test.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "base/utf8.h"
#include "support/test_random.h"

#include <string.h>

/* ---- Checksum ------------------------------------------------------------------------------ */

static void crc32c_gives_the_values_of_rfc_3720(void **state) {
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x113fdb5c);
    assert_int_equal(gt_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(gt_crc32c(0, "", 0), 0);
}

static void crc32c_is_the_same_by_table_and_in_pieces(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    uint8_t bytes[300];
    test_random_fill(&random, bytes, sizeof bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        uint32_t whole = gt_crc32c(0, bytes, len);
        assert_int_equal(whole, gt_crc32c_portable(0, bytes, len));
        size_t cut = test_random_below(&random, (uint32_t)len + 1);
        assert_int_equal(whole, gt_crc32c(gt_crc32c(0, bytes, cut), bytes + cut, len - cut));
        assert_int_equal(whole, gt_crc32c_portable(gt_crc32c(0, bytes, cut), bytes + cut, len - cut));
    }
}

/* What is long goes in lanes of 4,096 bytes. */
static void crc32c_of_what_is_long_is_the_same_by_table(void **state) {
    (void)state;
    enum { LANES = 3 * 4096 };
    static uint8_t bytes[2 * LANES + 100];
    test_random random;
    test_random_init(&random, __func__);
    test_random_fill(&random, bytes, sizeof bytes);
    for (size_t i = 0; i < 100; i++) {
        size_t begin = test_random_below(&random, 9), len = (1 + i % 2) * LANES - 10 + test_random_below(&random, 21);
        uint32_t crc = (uint32_t)test_random_u64(&random);
        assert_int_equal(gt_crc32c(crc, bytes + begin, len), gt_crc32c_portable(crc, bytes + begin, len));
    }
}

/* ---- Bytes and diagnostics ----------------------------------------------------------------- */

static void fields_are_little_endian_and_bytes_compare_by_prefix(void **state) {
    (void)state;
    uint8_t bytes[8];
    gt_put_u64(bytes, UINT64_C(0x0102030405060708));
    assert_int_equal(bytes[0], 8);
    assert_true(gt_get_u64(bytes) == UINT64_C(0x0102030405060708));
    assert_int_equal(gt_get_u32(bytes), 0x05060708);
    assert_int_equal(gt_get_u16(bytes + 6), 0x0102);
    assert_true(gt_bytes_compare(gt_bytes_text("ab"), gt_bytes_text("abc")) < 0);
    assert_true(gt_bytes_compare(gt_bytes_text("b"), gt_bytes_text("abc")) > 0);
    assert_int_equal(gt_bytes_compare(gt_bytes_of(NULL, 0), gt_bytes_text("")), 0);
    assert_true(gt_bytes_equal(gt_bytes_of(NULL, 0), gt_bytes_text("")));
    assert_false(gt_bytes_equal(gt_bytes_text("ab"), gt_bytes_text("aB")));
}

static void a_diagnostic_says_what_and_where(void **state) {
    (void)state;
    gt_diag diag;
    memset(&diag, 0x55, sizeof diag);
    gt_diag_init(&diag);
    assert_false(gt_diag_is_set(&diag));
    assert_false(gt_diag_is_set(NULL));
    assert_int_equal(gt_fail_at(&diag, GOAT_INVALID, 17, "expected %s", "a goat"), GOAT_INVALID);
    gt_diag_path(&diag, "/data/tasks/1", 13);
    gt_diag_field(&diag, "title", 5);
    gt_diag_rule(&diag, "required");
    assert_true(gt_diag_is_set(&diag));
    assert_int_equal(diag.position, 17);
    assert_string_equal(diag.message, "expected a goat");
    assert_string_equal(diag.path, "/data/tasks/1");
    assert_string_equal(diag.field, "title");
    assert_string_equal(diag.rule, "required");
    assert_int_equal(gt_no_memory(&diag), GOAT_NO_MEMORY);
    assert_string_equal(diag.path, "");
    assert_string_equal(diag.rule, "");
    assert_true(diag.position == GT_NO_POSITION);

    assert_int_equal(gt_fail(NULL, GOAT_IO, "nobody listens"), GOAT_IO);
    gt_diag_path(NULL, "x", 1);
    gt_diag_field(NULL, "x", 1);
    gt_diag_rule(NULL, "x");
}

static void a_diagnostic_is_one_printable_line_within_its_bounds(void **state) {
    (void)state;
    gt_diag diag;
    gt_fail(&diag, GOAT_INVALID, "%s",
            "a\nb\x1b[31m\xff\xc2\x9b"
            "c");
    assert_string_equal(diag.message, "a?b?[31m???c");
    char text[3000];
    for (size_t i = 0; i < sizeof text - 1; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    text[sizeof text - 2] = 0;
    gt_fail(&diag, GOAT_INVALID, "%s", text);
    gt_diag_path(&diag, text, strlen(text));
    gt_diag_field(&diag, text, strlen(text));
    assert_int_equal(strlen(diag.message), GT_DIAG_MESSAGE_MAX - 2);
    assert_int_equal(strlen(diag.path), GT_DIAG_PATH_MAX - 2);
    assert_int_equal(strlen(diag.field), GT_DIAG_NAME_MAX - 2);
    assert_true(gt_utf8_valid(diag.message, strlen(diag.message), NULL));
    gt_diag_path(&diag, "a\0b", 3);
    assert_string_equal(diag.path, "a?b");
}

static void every_status_has_its_own_name(void **state) {
    (void)state;
    assert_string_equal(gt_status_name(GOAT_OK), "GOAT_OK");
    assert_string_equal(gt_status_name(GOAT_NEWER_FORMAT), "GOAT_NEWER_FORMAT");
    assert_string_equal(gt_status_name(-1), "GOAT_UNKNOWN");
    int named = 0;
    for (goat_status a = 0; a < 200; a++) {
        const char *name = gt_status_name(a);
        named += strcmp(name, "GOAT_UNKNOWN") != 0;
        for (goat_status b = 0; b < a; b++) {
            assert_true(strcmp(name, "GOAT_UNKNOWN") == 0 || strcmp(name, gt_status_name(b)) != 0);
        }
    }
    assert_int_equal(named, 25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_values_of_rfc_3720),
        cmocka_unit_test(crc32c_is_the_same_by_table_and_in_pieces),
        cmocka_unit_test(crc32c_of_what_is_long_is_the_same_by_table),
        cmocka_unit_test(fields_are_little_endian_and_bytes_compare_by_prefix),
        cmocka_unit_test(a_diagnostic_says_what_and_where),
        cmocka_unit_test(a_diagnostic_is_one_printable_line_within_its_bounds),
        cmocka_unit_test(every_status_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
