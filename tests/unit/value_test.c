/* core/value: what readers and writers say of values, and the order of all. Which bytes are values:
 * value_check_test.c. */
#include "support/test.h"

#include "support/hex_buf.h"
#include "support/test_alloc.h"
#include "support/test_value.h"
#include "support/value_random.h"
#include "value/build.h"
#include "value/value.h"

#include <float.h>
#include <string.h>

/* ---- readers ---- */

static const char *const one_of_each[] = {
    "null", "true", "7", "0.5", "'text'", "bytes(00ff)", "[1, 2]", "{a: 1}", "date(1500)", "set[1]", "ref('/a/b/c')",
};
static const gt_kind kinds[] = {
    GT_KIND_NULL,  GT_KIND_BOOL, GT_KIND_INT,  GT_KIND_DOUBLE, GT_KIND_TEXT, GT_KIND_BYTES,
    GT_KIND_ARRAY, GT_KIND_MAP,  GT_KIND_DATE, GT_KIND_SET,    GT_KIND_REF,
};

static void readers_refuse_other_kinds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        gt_bytes value = test_value(one_of_each[i]), string;
        gt_kind kind = kinds[i];
        bool truth;
        int64_t integer;
        double number;
        assert_int_equal(gt_value_kind(value), kind);
        assert_int_equal(gt_value_as_bool(value, &truth), kind == GT_KIND_BOOL);
        assert_int_equal(gt_value_as_int64(value, &integer), kind == GT_KIND_INT);
        assert_int_equal(gt_value_as_double(value, &number), kind == GT_KIND_INT || kind == GT_KIND_DOUBLE);
        assert_int_equal(gt_value_as_text(value, &string), kind == GT_KIND_TEXT);
        assert_int_equal(gt_value_as_ref(value, &string), kind == GT_KIND_REF);
        assert_int_equal(gt_value_as_bytes(value, &string), kind == GT_KIND_BYTES);
        assert_int_equal(gt_value_as_date_ms(value, &integer), kind == GT_KIND_DATE);
        bool is_list = kind == GT_KIND_ARRAY || kind == GT_KIND_SET;
        assert_int_equal(gt_value_count(value), kind == GT_KIND_ARRAY ? 2 : kind == GT_KIND_SET || kind == GT_KIND_MAP);
        assert_int_equal(gt_array_iter(value).left > 0, is_list);
        assert_int_equal(gt_map_iter(value).left > 0, kind == GT_KIND_MAP);
        assert_int_equal(gt_map_find(value, gt_bytes_text("a")).data != NULL, kind == GT_KIND_MAP);
        assert_null(gt_map_find_int(value, 0).data);
        assert_ptr_equal(gt_value_skip(value.data, value.data + value.len), value.data + value.len);
        assert_true(strlen(gt_kind_name(kind)) > 0);
        test_value_free(value);
    }
    assert_string_equal(gt_kind_name(GT_KIND_DATE), "a date");
    assert_string_equal(gt_kind_name(GT_KIND_ANY), "a value");
}

static void integer_keys_are_found_and_passed_over(void **state) {
    (void)state;
    gt_bytes map = test_value("{0: 'x', 5: 'y', a: 1, bb: 2}"), key, value;
    assert_value(gt_map_find_int(map, 0), "'x'");
    assert_value(gt_map_find_int(map, 5), "'y'");
    assert_null(gt_map_find_int(map, 4).data);
    assert_null(gt_map_find_int(map, 6).data);
    assert_value(gt_map_find(map, gt_bytes_text("a")), "1");
    assert_value(gt_map_find(map, gt_bytes_text("bb")), "2");
    assert_null(gt_map_find(map, gt_bytes_text("")).data);
    assert_null(gt_map_find(map, gt_bytes_text("b")).data);
    assert_null(gt_map_find(map, gt_bytes_text("bc")).data);
    assert_null(gt_map_find(map, gt_bytes_text("ccc")).data);
    gt_iter iter = gt_map_iter(map);
    assert_true(gt_map_next(&iter, &key, &value) && gt_bytes_equal(key, gt_bytes_text("a")));
    assert_true(gt_map_next(&iter, &key, &value) && gt_bytes_equal(key, gt_bytes_text("bb")));
    assert_false(gt_map_next(&iter, &key, &value));
    test_value_free(map);
    map = test_value("{'': 1, a: 2}");
    assert_value(gt_map_find(map, gt_bytes_text("")), "1");
    assert_value(gt_map_find(map, gt_bytes_of(NULL, 0)), "1");
    test_value_free(map);
}

/* ---- writers ---- */

static void assert_written(gt_buf *out, const char *hex) {
    gt_buf expected = hex_buf(hex);
    if (!gt_bytes_equal(gt_buf_bytes(out), gt_buf_bytes(&expected))) {
        fail_msg("not %s", hex);
    }
    gt_buf_free(&expected);
    gt_buf_clear(out);
}

static void numbers_are_written_in_their_one_form(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {-0.0, "00"},
        {1.0, "01"},
        {-1.0, "20"},
        {0x1p53, "1b0020000000000000"},
        {-0x1p53, "3b001fffffffffffff"},
        {0x1.0000000000001p53, "fb4340000000000001"},
        {0x1p54, "fa5a800000"},
        {0.5, "f93800"},
        {-0x1p-24, "f98001"},
        {0x1p-25, "fa33000000"},
        {0.1, "fb3fb999999999999a"},
        {DBL_MAX, "fb7fefffffffffffff"},
        {65504, "19ffe0"},
        {2047.5, "fa44fff000"},
        {1023.5, "f963ff"},
        {(double)FLT_MAX, "fa7f7fffff"},
        {0x1p-1074, "fb0000000000000001"},
        {0x1p63, "fa5f000000"},
        {-0x1p63, "fadf000000"},
        {32752.5, "fa46ffe100"},
    };
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(gt_write_double(&out, cases[i].number));
        assert_written(&out, cases[i].hex);
    }
    volatile double zero = 0;
    assert_false(gt_write_double(&out, 1 / zero));
    assert_false(gt_write_double(&out, -1 / zero));
    assert_false(gt_write_double(&out, zero / zero));
    assert_false(gt_write_date_ms(&out, GT_DATE_MAX_MS + 1));
    assert_false(gt_write_date_ms(&out, GT_DATE_MIN_MS - 1));
    assert_int_equal(out.len, 0);
    assert_true(gt_write_date_ms(&out, GT_DATE_MAX_MS));
    assert_written(&out, "c1fb424d7ffa20bfffdf");
    assert_true(gt_write_date_ms(&out, GT_DATE_MIN_MS));
    assert_written(&out, "c13b0000000e7791f6ff");
    gt_write_int(&out, INT64_MIN);
    assert_written(&out, "3b7fffffffffffffff");
    gt_buf_free(&out);
}

static void maps_and_sets_are_sorted_by_their_writers(void **state) {
    (void)state;
    enum { COUNT = 200 }; /* more than insertion sort is for */
    gt_pair pairs[COUNT];
    gt_bytes elements[2 * COUNT];
    uint8_t keys[COUNT][2], encoded[COUNT][3];
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (size_t count = 0; count <= COUNT; count += count < 30 ? 1 : 17) {
        for (size_t i = 0; i < count; i++) {
            size_t mixed = i * 83 % count;
            memcpy(keys[i], (uint8_t[]){(uint8_t)('a' + mixed / 20), (uint8_t)('a' + mixed % 20)}, 2);
            memcpy(encoded[i], (uint8_t[]){0x62, keys[i][0], keys[i][1]}, 3);
            pairs[i] = (gt_pair){gt_bytes_of(keys[i], 2), gt_bytes_of(encoded[i], 3)};
            elements[i] = elements[count + i] = gt_bytes_of(encoded[i], 3);
        }
        bool distinct = count % 83 != 0 || count == 0;
        assert_int_equal(gt_write_map(&out, pairs, count), distinct);
        if (!distinct) {
            assert_int_equal(out.len, 0);
            continue;
        }
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
        assert_int_equal(gt_value_count(gt_buf_bytes(&out)), count);
        gt_buf_clear(&out);
        gt_write_set(&out, elements, 2 * count);
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
        assert_int_equal(gt_value_count(gt_buf_bytes(&out)), count);
        gt_buf_clear(&out);
    }
    gt_buf_free(&out);
}

static void a_key_given_twice_is_refused_by_the_writer(void **state) {
    (void)state;
    static const uint8_t null_value[] = {0xf6};
    gt_bytes value = gt_bytes_of(null_value, 1);
    gt_pair pairs[] = {{gt_bytes_text("b"), value}, {gt_bytes_text("a"), value}, {gt_bytes_text("b"), value}};
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    assert_false(gt_write_map(&out, pairs, 3));
    assert_int_equal(out.len, 0);
    gt_buf_free(&out);
}

static void writers_survive_lack_of_memory(void **state) {
    (void)state;
    gt_buf out;
    test_random random;
    test_random_init(&random, "writers_survive_lack_of_memory");
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    do {
        gt_buf_clear(&value);
        value_random(&random, 5, 0, &value);
    } while (value.len < 300);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_buf_init(&out, &memory.alloc);
        value_rewrite(gt_buf_bytes(&value), &out);
        assert_int_equal(gt_buf_failed(&out), memory.failed);
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_true(k > 0);
            break;
        }
    }
    gt_buf_free(&value);
}

/* ---- order ---- */

static void all_kinds_have_their_place(void **state) {
    (void)state;
    /* Ascending; "=" before one that is equal to the one before it. */
    static const char *const ascending[] = {
        "undefined",
        "null",
        "-9223372036854775808",
        "-9007199254740993",
        "-9007199254740992",
        "-1.5",
        "-1",
        "0",
        "0.25",
        "1",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "=9007199254740994.0",
        "9223372036854775807",
        "9223372036854775808.0",
        "1e300",
        "''",
        "'A'",
        "'a'",
        "'aa'",
        "'b'",
        "'\xc3\xbc'",
        "'\xf0\x90\x85\x91'",
        "{}",
        "{a: null}",
        "{a: 1}",
        "{a: 1, b: 1}",
        "{a: 2}",
        "{b: 2}",
        "{a: 'x'}",
        "{aa: 'x'}",
        "{a: {}}",
        "[]",
        "=set[]",
        "[null]",
        "[1]",
        "=set[1]",
        "[1, null]",
        "[1, 1]",
        "[2]",
        "[[]]",
        "bytes()",
        "bytes(00)",
        "bytes(ff)",
        "bytes(0000)",
        "ref('/a/b/c')",
        "ref('/a/b/cc')",
        "ref('/a/b/d')",
        "false",
        "true",
        "date(-1)",
        "date(0)",
        "date(1)",
        "date(1000)",
    };
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    gt_bytes values[COUNT];
    int places[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        bool same = ascending[i][0] == '=';
        values[i] = test_value(ascending[i] + same);
        places[i] = i == 0 ? 0 : places[i - 1] + !same;
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int order = gt_value_compare(values[i], values[j]);
            if ((order > 0) - (order < 0) != (places[i] > places[j]) - (places[i] < places[j])) {
                fail_msg("%s and %s compare as %d", ascending[i], ascending[j], order);
            }
            assert_int_equal(gt_value_equal(values[i], values[j]), i == j);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        test_value_free(values[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_refuse_other_kinds),
        cmocka_unit_test(integer_keys_are_found_and_passed_over),
        cmocka_unit_test(numbers_are_written_in_their_one_form),
        cmocka_unit_test(maps_and_sets_are_sorted_by_their_writers),
        cmocka_unit_test(a_key_given_twice_is_refused_by_the_writer),
        cmocka_unit_test(writers_survive_lack_of_memory),
        cmocka_unit_test(all_kinds_have_their_place),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
