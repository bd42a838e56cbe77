/* core/value/check.c: which bytes are values, and where the others are wrong. */
#include "support/test.h"

#include "support/hex_buf.h"
#include "support/test_value.h"
#include "support/value_random.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* In memory of exactly its size, so that an address sanitizer sees a read behind its end. */
static gt_bytes exact(gt_bytes bytes) {
    uint8_t *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(copy);
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return gt_bytes_of(copy, bytes.len);
}

static void exact_free(gt_bytes bytes) { free((void *)(uintptr_t)bytes.data); }

typedef struct value_case {
    const char *hex;
    uint64_t position;
    const char *words; /* what the message has in it; NULL: this is a value */
} value_case;

#define VALUE(hex)                                                                                                     \
    { hex, 0, NULL }

static void run_case(const value_case *c, uint32_t flags) {
    gt_buf buf = hex_buf(c->hex), again;
    gt_bytes bytes = exact(gt_buf_bytes(&buf));
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_value_check(bytes, flags, &diag);
    bool large = c->words != NULL && strstr(c->words, "more than") != NULL;
    goat_status expected = c->words == NULL ? GOAT_OK : large ? GOAT_TOO_LARGE : GOAT_INVALID;
    if (status != expected || (expected != GOAT_OK && diag.position != c->position) ||
        (expected != GOAT_OK && strstr(diag.message, c->words) == NULL)) {
        fail_msg("%s: %s at %lld, \"%s\"", c->hex, gt_status_name(status), (long long)diag.position, diag.message);
    }
    if (status == GOAT_OK) {
        gt_buf_init(&again, &gt_alloc_system);
        value_rewrite(bytes, &again);
        if (!gt_bytes_equal(gt_buf_bytes(&again), bytes)) {
            fail_msg("%s: written anew it differs", c->hex);
        }
        gt_buf_free(&again);
    }
    exact_free(bytes);
    gt_buf_free(&buf);
}

static void run_cases(const value_case *cases, size_t count, uint32_t flags) {
    for (size_t i = 0; i < count; i++) {
        run_case(&cases[i], flags);
    }
}

#define RUN(cases, flags) run_cases(cases, sizeof(cases) / sizeof(cases)[0], flags)

#define INT_RANGE "an integer is beyond int64"
#define WHOLE "a whole number is written as a float"
#define INFINITE "a number is NaN or infinite"
#define SIMPLE "a simple value other than false, true and null"
#define TAG "a tag other than 1, 258 and 39080"
#define INDEFINITE "its length is indefinite"
#define CUT "the value is cut short"
#define UNDEFINED_HEAD "a head that CBOR does not define"
#define SHORTEST "a head is not in its shortest form"
#define FLOAT_SHORTEST "a float is not in its shortest form"
#define KEY "a map's key is not a text"
#define NO_UTF8 "a text is not UTF-8"
#define NO_DATE "a date is not a number of milliseconds in the years 1 to 9999"

/* Every example of RFC 8949 appendix A, in its order. */
static void rfc_8949_appendix_a(void **state) {
    (void)state;
    static const value_case cases[] = {
        VALUE("00"),
        VALUE("01"),
        VALUE("0a"),
        VALUE("17"),
        VALUE("1818"),
        VALUE("1819"),
        VALUE("1864"),
        VALUE("1903e8"),
        VALUE("1a000f4240"),
        VALUE("1b000000e8d4a51000"),
        {"1bffffffffffffffff", 0, INT_RANGE},
        {"c249010000000000000000", 0, TAG},
        {"3bffffffffffffffff", 0, INT_RANGE},
        {"c349010000000000000000", 0, TAG},
        VALUE("20"),
        VALUE("29"),
        VALUE("3863"),
        VALUE("3903e7"),
        {"f90000", 0, WHOLE},
        {"f98000", 0, WHOLE},
        {"f93c00", 0, WHOLE},
        VALUE("fb3ff199999999999a"),
        VALUE("f93e00"),
        {"f97bff", 0, WHOLE},
        {"fa47c35000", 0, WHOLE},
        VALUE("fa7f7fffff"),
        VALUE("fb7e37e43c8800759c"),
        VALUE("f90001"),
        VALUE("f90400"),
        {"f9c400", 0, WHOLE},
        VALUE("fbc010666666666666"),
        {"f97c00", 0, INFINITE},
        {"f97e00", 0, INFINITE},
        {"f9fc00", 0, INFINITE},
        {"fa7f800000", 0, INFINITE},
        {"fa7fc00000", 0, INFINITE},
        {"faff800000", 0, INFINITE},
        {"fb7ff0000000000000", 0, INFINITE},
        {"fb7ff8000000000000", 0, INFINITE},
        {"fbfff0000000000000", 0, INFINITE},
        VALUE("f4"),
        VALUE("f5"),
        VALUE("f6"),
        {"f7", 0, "undefined is no value"},
        {"f0", 0, SIMPLE},
        {"f8ff", 0, SIMPLE},
        {"c074323031332d30332d32315432303a30343a30305a", 0, TAG},
        VALUE("c11a514b67b0"),
        VALUE("c1fb41d452d9ec200000"),
        {"d74401020304", 0, TAG},
        {"d818456449455446", 0, TAG},
        {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", 0, TAG},
        VALUE("40"),
        VALUE("4401020304"),
        VALUE("60"),
        VALUE("6161"),
        VALUE("6449455446"),
        VALUE("62225c"),
        VALUE("62c3bc"),
        VALUE("63e6b0b4"),
        VALUE("64f0908591"),
        VALUE("80"),
        VALUE("83010203"),
        VALUE("8301820203820405"),
        VALUE("98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
        VALUE("a0"),
        {"a201020304", 1, KEY},
        VALUE("a26161016162820203"),
        VALUE("826161a161626163"),
        VALUE("a56161614161626142616361436164614461656145"),
        {"5f42010243030405ff", 0, INDEFINITE},
        {"7f657374726561646d696e67ff", 0, INDEFINITE},
        {"9fff", 0, INDEFINITE},
        {"9f018202039f0405ffff", 0, INDEFINITE},
        {"9f01820203820405ff", 0, INDEFINITE},
        {"83018202039f0405ff", 5, INDEFINITE},
        {"83019f0203ff820405", 2, INDEFINITE},
        {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", 0, INDEFINITE},
        {"bf61610161629f0203ffff", 0, INDEFINITE},
        {"826161bf61626163ff", 3, INDEFINITE},
        {"bf6346756ef563416d7421ff", 0, INDEFINITE},
    };
    assert_int_equal(sizeof cases / sizeof cases[0], 81);
    RUN(cases, 0);
}

/* The examples of RFC 8949 appendix F, and some more. */
static void what_is_not_well_formed_is_refused(void **state) {
    (void)state;
    static const value_case cases[] = {
        {"", 0, CUT},
        {"18", 0, CUT},
        {"19", 0, CUT},
        {"1a", 0, CUT},
        {"1b", 0, CUT},
        {"1901", 0, CUT},
        {"1a0102", 0, CUT},
        {"1b01020304050607", 0, CUT},
        {"38", 0, CUT},
        {"58", 0, CUT},
        {"78", 0, CUT},
        {"98", 0, CUT},
        {"9a01ff00", 0, CUT},
        {"b8", 0, CUT},
        {"d8", 0, CUT},
        {"f8", 0, CUT},
        {"f900", 0, CUT},
        {"fa0000", 0, CUT},
        {"fb000000", 0, CUT},
        {"d90102", 3, CUT},
        {"d998a8", 3, CUT},
        {"d90102 98", 3, CUT},
        {"d998a8 78", 3, CUT},
        {"41", 0, CUT},
        {"61", 0, CUT},
        {"5affffffff00", 0, CUT},
        {"5bffffffffffffffff010203", 0, CUT},
        {"7affffffff00", 0, CUT},
        {"7b7fffffffffffffff010203", 0, CUT},
        {"d998a8 612f", 5, "the name is empty"},
        {"d998a8 662f", 3, CUT},
        {"a1 6261", 1, CUT},
        {"a1 18", 1, CUT},
        {"81", 1, CUT},
        {"818181818181818181", 9, CUT},
        {"8200", 2, CUT},
        {"a1", 1, CUT},
        {"a1 6161", 3, CUT},
        {"a2 6161 01", 4, CUT},
        {"9bffffffffffffffff00", 10, CUT},
        {"bbffffffffffffffff", 9, CUT},
        {"d90102 9bffffffffffffffff", 12, CUT},
        {"c1", 1, CUT},
        {"c1 1a00", 1, CUT},
        {"c1 f9", 1, CUT},
        {"5f4100", 0, INDEFINITE},
        {"7f6100", 0, INDEFINITE},
        {"9f", 0, INDEFINITE},
        {"9f0102", 0, INDEFINITE},
        {"bf", 0, INDEFINITE},
        {"bf01020102", 0, INDEFINITE},
        {"819f", 1, INDEFINITE},
        {"9f8000", 0, INDEFINITE},
        {"ff", 0, INDEFINITE},
        {"81ff", 1, INDEFINITE},
        {"8200ff", 2, INDEFINITE},
        {"a1ff", 1, INDEFINITE},
        {"a16161ff", 3, INDEFINITE},
        {"1f", 0, INDEFINITE},
        {"3f", 0, INDEFINITE},
        {"df", 0, INDEFINITE},
        {"d90102 9fff", 3, INDEFINITE},
        {"d998a8 7fff", 3, INDEFINITE},
        {"c1 1f", 1, INDEFINITE},
        {"1c", 0, UNDEFINED_HEAD},
        {"1d", 0, UNDEFINED_HEAD},
        {"1e", 0, UNDEFINED_HEAD},
        {"3c", 0, UNDEFINED_HEAD},
        {"5d", 0, UNDEFINED_HEAD},
        {"7e", 0, UNDEFINED_HEAD},
        {"9c", 0, UNDEFINED_HEAD},
        {"bd", 0, UNDEFINED_HEAD},
        {"de", 0, UNDEFINED_HEAD},
        {"fc", 0, UNDEFINED_HEAD},
        {"fd", 0, UNDEFINED_HEAD},
        {"fe", 0, UNDEFINED_HEAD},
        {"f800", 0, SIMPLE},
        {"f801", 0, SIMPLE},
        {"f818", 0, SIMPLE},
        {"f81f", 0, SIMPLE},
        {"f814", 0, SIMPLE},
        {"e0", 0, SIMPLE},
        {"f3", 0, SIMPLE},
        {"0000", 1, "more bytes follow"},
        {"80f6", 1, "more bytes follow"},
        {"616100", 2, "more bytes follow"},
        {"a0 ff", 1, "more bytes follow"},
    };
    RUN(cases, 0);
}

static void what_is_not_deterministic_is_refused(void **state) {
    (void)state;
    static const value_case cases[] = {
        {"1800", 0, SHORTEST},
        {"1817", 0, SHORTEST},
        {"190018", 0, SHORTEST},
        {"1900ff", 0, SHORTEST},
        VALUE("18ff"),
        VALUE("190100"),
        {"1a0000ffff", 0, SHORTEST},
        VALUE("19ffff"),
        VALUE("1a00010000"),
        {"1b00000000ffffffff", 0, SHORTEST},
        VALUE("1affffffff"),
        VALUE("1b0000000100000000"),
        {"3817", 0, SHORTEST},
        {"5800", 0, SHORTEST},
        {"780161", 0, SHORTEST},
        {"9800", 0, SHORTEST},
        {"b800", 0, SHORTEST},
        {"d801 00", 0, SHORTEST},
        {"da00000102 80", 0, SHORTEST},
        {"da000098a8 60", 0, SHORTEST},
        {"d90102 9800", 3, SHORTEST},
        {"d998a8 7806 2f612f622f63", 3, SHORTEST},
        {"c1 1801", 1, SHORTEST},
        {"a1 780161 00", 1, SHORTEST},
        {"82 00 1805", 2, SHORTEST},
        {"fa3fc00000", 0, FLOAT_SHORTEST},         /* 1.5 is f93e00 */
        {"fb3ff8000000000000", 0, FLOAT_SHORTEST}, /* so is this */
        {"fb3fb99999a0000000", 0, FLOAT_SHORTEST}, /* binary32 keeps it */
        VALUE("fa3dcccccd"),
        {"fa33800000", 0, FLOAT_SHORTEST},         /* 2^-24, the smallest half */
        VALUE("fa33000000"),                       /* 2^-25 */
        {"fb36a0000000000000", 0, FLOAT_SHORTEST}, /* 2^-149, the smallest single */
        VALUE("fa00000001"),
        VALUE("fb3690000000000000"),
        VALUE("fb0000000000000001"),
        {"fa38800000", 0, FLOAT_SHORTEST}, /* 2^-14, the smallest normal half */
        VALUE("f903ff"),
        VALUE("f98001"),
        VALUE("f90401"),
        VALUE("fb7fefffffffffffff"),
        {"fb47efffffe0000000", 0, FLOAT_SHORTEST}, /* FLT_MAX */
        VALUE("fb47efffffe0000001"),
        VALUE("fb47effffff0000000"),
        {"fb4340000000000000", 0, WHOLE},
        {"fa5a000000", 0, WHOLE},
        {"fada000000", 0, WHOLE}, /* ±2^53 */
        VALUE("fb4340000000000001"),
        VALUE("fa5a000001"),
        VALUE("fada000001"),
        VALUE("fa5f000000"),
        {"a2 6162 00 6161 00", 4, "not sorted by its keys"},
        {"a2 6161 00 6161 00", 4, "has a key twice"},
        {"a2 626161 00 6162 00", 5, "not sorted by its keys"},
        VALUE("a2 6162 00 626161 00"),
        VALUE("a2 60 00 6100 00"),
        {"a2 60 00 60 00", 3, "has a key twice"},
        {"d90102 82 02 01", 5, "a set is not sorted"},
        {"d90102 82 01 01", 5, "a set has an element twice"},
        VALUE("d90102 80"),
        VALUE("d90102 82 01 02"),
        VALUE("d90102 83 00 1818 20"),
        {"d90102 82 6162 6161", 6, "a set is not sorted"},
        VALUE("d90102 82 6162 626161"),
    };
    RUN(cases, 0);
}

static void what_is_no_value_is_refused(void **state) {
    (void)state;
    static const value_case cases[] = {
        VALUE("1b7fffffffffffffff"),
        VALUE("3b7fffffffffffffff"),
        {"1b8000000000000000", 0, INT_RANGE},
        {"3b8000000000000000", 0, INT_RANGE},
        {"82 00 1bffffffffffffffff", 2, INT_RANGE},
        {"61ff", 1, NO_UTF8},
        {"6361ffff", 2, NO_UTF8},
        {"62c080", 1, NO_UTF8},
        {"63eda080", 1, NO_UTF8},
        {"63edbfbf", 1, NO_UTF8},
        {"64f4908080", 1, NO_UTF8},
        {"6361c3 62", 2, NO_UTF8},
        {"6261c3", 2, NO_UTF8},
        {"a1 61ff 00", 2, NO_UTF8},
        {"d998a8 61ff", 4, NO_UTF8},
        VALUE("6100"),
        VALUE("6361 c3bc"),
        VALUE("41ff"),
        {"a1 00 00", 1, KEY},
        {"a1 20 00", 1, KEY},
        {"a1 4161 00", 1, KEY},
        {"a1 80 00", 1, KEY},
        {"a1 f6 00", 1, KEY},
        {"a1 c1 00 00", 1, KEY},
        {"c0 60", 0, TAG},
        {"c2 40", 0, TAG},
        {"d901 03 80", 0, TAG},
        {"d998a7 60", 0, TAG},
        {"d998a9 40", 0, TAG},
        {"d998aa 40", 0, TAG},
        {"d998af 40", 0, TAG},
        {"d998b0 40", 0, TAG},
        {"d9d9f7 00", 0, TAG},
        {"db0000000100000001 00", 0, TAG},
        {"81 c0 60", 1, TAG},
        {"d90102 a0", 3, "a set is not an array"},
        {"d90102 00", 3, "a set is not an array"},
        {"d90102 d90102 80", 3, "a set is not an array"},
        {"d90102 81 f7", 4, "undefined is no value"},
        {"81 f7", 1, "undefined is no value"},
        {"d998a8 40", 3, "a ref is not a text"},
        {"d998a8 80", 3, "a ref is not a text"},
        {"d998a8 60", 4, "a path begins with '/'"},
        {"d998a8 64 2f612f62", 8, "three parts"},
        {"d998a8 65 2f612f622f", 9, "key is empty"},
        VALUE("d998a8 66 2f612f622f63"),
        {"d998a8 66 2f612f622f2e", 9, "'.' or '..'"},
        {"d998a8 67 2f2e612f622f63", 5, "does not begin with a dot"},
        {"d998a8 68 2f612f622f632f64", 10, "holds no '/'"},
    };
    RUN(cases, 0);
}

static void dates_have_one_form(void **state) {
    (void)state;
    static const value_case cases[] = {
        VALUE("c1 00"),
        VALUE("c1 20"),
        VALUE("c1 1b0000003afff4417f"),
        VALUE("c1 3b0000000e7791f6ff"),
        {"c1 1b0000003afff44180", 1, "a date is beyond the year 9999"},
        {"c1 3b0000000e7791f700", 1, "a date is before the year 1"},
        {"c1 60", 1, "a date is not a number"},
        {"c1 f6", 1, "a date is not a number"},
        {"c1 c1 00", 1, "a date is not a number"},
        {"c1 40", 1, "a date is not a number"},
        {"c1 f93c00", 1, WHOLE},
        {"c1 f97e00", 1, INFINITE},
        {"c1 f97c00", 1, INFINITE},
        VALUE("c1 f93800"),
        VALUE("c1 f9b800"), /* ±0.5 */
        {"c1 fa3f000000", 1, FLOAT_SHORTEST},
        VALUE("c1 fb3f50624dd2f1a9fc"), /* 0.001 */
        {"c1 fb3f50624dd2f1a9fd", 1, NO_DATE},
        {"c1 fb3f50624dd2f1a9fb", 1, NO_DATE}, /* its neighbours */
        {"c1 fa3a83126f", 1, NO_DATE},         /* (float)0.001 */
        {"c1 f90001", 1, NO_DATE},
        {"c1 f91000", 1, NO_DATE},
        {"c1 fb7e37e43c8800759c", 1, NO_DATE},
        VALUE("c1 fb424d7ffa20bfffdf"), /* 9999-12-31T23:59:59.999Z */
        {"c1 fb424d7ffa20bffff0", 1, NO_DATE},
        {"c1 fb424d7ffa20bfffff", 1, NO_DATE},
        VALUE("c1 fbc22cef23edffff7d"), /* 0001-01-01T00:00:00.001Z */
    };
    RUN(cases, 0);
}

static void edits_take_what_values_do_not(void **state) {
    (void)state;
    static const value_case cases[] = {
        VALUE("f7"),
        VALUE("a1 00 f5"),
        VALUE("a2 00 f5 6161 f7"),
        VALUE("a1 1b7fffffffffffffff 00"),
        {"a1 1b8000000000000000 00", 1, KEY},
        {"a1 20 00", 1, KEY},
        {"a1 1800 00", 1, SHORTEST},
        {"a2 6161 00 00 00", 4, "not sorted by its keys"},
        {"a2 01 00 00 00", 3, "not sorted by its keys"},
        {"a2 00 00 00 00", 3, "has a key twice"},
        {"a1 00 1bffffffffffffffff", 2, INT_RANGE},
        {"f0", 0, SIMPLE},
        VALUE("a1 6161 a2 00 d90102 8101 01 d90102 8102"),
    };
    RUN(cases, GT_VALUE_EDIT);
}

/* `layers` arrays inside each other, then `inner`. */
static gt_bytes nested(uint32_t layers, const char *inner) {
    gt_buf out, last = hex_buf(inner);
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < layers; i++) {
        gt_write_array_head(&out, 1);
    }
    gt_buf_append(&out, last.data, last.len);
    gt_buf_free(&last);
    return gt_buf_bytes(&out);
}

static void assert_depth(uint32_t layers, const char *inner, uint32_t flags, bool good) {
    gt_bytes value = nested(layers, inner);
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_value_check(value, flags, &diag);
    assert_int_equal(status, good ? GOAT_OK : GOAT_TOO_LARGE);
    if (!good) {
        uint32_t depth_max = flags != 0 ? (uint32_t)GT_EDIT_DEPTH_MAX : (uint32_t)GOAT_VALUE_DEPTH_MAX;
        assert_int_equal(diag.position, layers < depth_max ? layers : depth_max);
        assert_non_null(strstr(diag.message, "inside each other"));
    }
    test_value_free(value);
}

static void depth_is_limited(void **state) {
    (void)state;
    static const uint32_t limits[] = {GOAT_VALUE_DEPTH_MAX, GT_EDIT_DEPTH_MAX};
    for (uint32_t flags = 0; flags <= GT_VALUE_EDIT; flags += GT_VALUE_EDIT) {
        uint32_t limit = limits[flags / GT_VALUE_EDIT];
        assert_depth(limit, "00", flags, true);
        assert_depth(limit, "6161", flags, true);
        assert_depth(limit, "80", flags, false);
        assert_depth(limit - 1, "80", flags, true);
        assert_depth(limit, "a0", flags, false);
        assert_depth(limit - 1, "a16161f6", flags, true);
        assert_depth(limit - 1, "c100", flags, true);
        assert_depth(limit, "c100", flags, false);
        assert_depth(limit - 1, "d998a8662f612f622f63", flags, true);
        assert_depth(limit, "d998a8662f612f622f63", flags, false);
        assert_depth(limit - 2, "d9010280", flags, true);
        assert_depth(limit - 1, "d9010280", flags, false);
        assert_depth(limit + 1000000, "00", flags, false); /* the stack is not asked */
    }
}

static void size_is_limited(void **state) {
    (void)state;
    gt_diag diag;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    uint8_t *content = calloc(1, GOAT_VALUE_MAX);
    assert_non_null(content);
    gt_write_bytes(&out, gt_bytes_of(content, GOAT_VALUE_MAX - 5));
    assert_int_equal(out.len, GOAT_VALUE_MAX);
    gt_diag_init(&diag);
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, &diag), GOAT_OK);
    gt_buf_clear(&out);
    gt_write_bytes(&out, gt_bytes_of(content, GOAT_VALUE_MAX - 4));
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, &diag), GOAT_TOO_LARGE);
    assert_int_equal(diag.position, GOAT_VALUE_MAX);
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), GT_VALUE_EDIT, &diag), GOAT_OK);
    gt_buf_free(&out);
    free(content);
}

static void the_first_value_of_several_is_measured(void **state) {
    (void)state;
    gt_buf buf = hex_buf("a16161820102 ff00");
    size_t len = 0;
    gt_diag diag;
    gt_diag_init(&diag);
    assert_int_equal(gt_value_check_first(gt_buf_bytes(&buf), 0, &len, &diag), GOAT_OK);
    assert_int_equal(len, 6);
    len = 99;
    assert_int_equal(gt_value_check_first(gt_bytes_of(buf.data, 5), 0, &len, &diag), GOAT_INVALID);
    assert_int_equal(diag.position, 5);
    assert_int_equal(len, 99);
    assert_int_equal(gt_value_check_first(gt_bytes_of(NULL, 0), 0, &len, NULL), GOAT_INVALID);
    gt_buf_free(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_8949_appendix_a),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(what_is_not_deterministic_is_refused),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(dates_have_one_form),
        cmocka_unit_test(edits_take_what_values_do_not),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(the_first_value_of_several_is_measured),
    };
    return cmocka_run_group_tests_name("value_check", tests, NULL, NULL);
}
