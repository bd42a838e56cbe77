/* core/value: what holds for every value. Seeds are printed. */
#include "support/test.h"

#include "support/value_random.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 2000, DEPTH = 6 };

static gt_bytes copy_of(gt_bytes bytes) {
    uint8_t *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.len);
    return gt_bytes_of(copy, bytes.len);
}

/* In memory of exactly its size; end it with drop(). */
static gt_bytes new_value(test_random *random, int flags) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    value_random(random, DEPTH, flags, &out);
    assert_false(gt_buf_failed(&out));
    gt_bytes value = copy_of(gt_buf_bytes(&out));
    gt_buf_free(&out);
    return value;
}

static void drop(gt_bytes value) { free((void *)(uintptr_t)value.data); }

static void assert_rewrites(gt_bytes value) {
    gt_buf again;
    gt_buf_init(&again, &gt_alloc_system);
    value_rewrite(value, &again);
    assert_true(gt_bytes_equal(gt_buf_bytes(&again), value));
    gt_buf_free(&again);
    assert_ptr_equal(gt_value_skip(value.data, value.data + value.len), value.data + value.len);
}

static void what_is_written_is_a_value_with_one_encoding(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "what_is_written_is_a_value_with_one_encoding");
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t flags = i % 2 == 0 ? 0 : GT_VALUE_EDIT;
        gt_bytes value = new_value(&random, flags != 0 ? VALUE_RANDOM_EDITS : 0);
        gt_diag diag;
        gt_diag_init(&diag);
        if (gt_value_check(value, flags, &diag) != GOAT_OK) {
            fail_msg("%s at %lld", diag.message, (long long)diag.position);
        }
        assert_rewrites(value);
        drop(value);
    }
}

static void a_value_cut_off_anywhere_is_refused(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "a_value_cut_off_anywhere_is_refused");
    for (int i = 0; i < ROUNDS / 10; i++) {
        gt_bytes value = new_value(&random, 0);
        for (size_t len = 0; len < value.len; len++) {
            gt_bytes prefix = copy_of(gt_bytes_of(value.data, len));
            gt_diag diag;
            gt_diag_init(&diag);
            assert_int_equal(gt_value_check(prefix, 0, &diag), GOAT_INVALID);
            assert_true(diag.position <= len);
            drop(prefix);
        }
        drop(value);
    }
}

/* One to three bytes changed, left out or put in. */
static gt_bytes mutated(test_random *random, gt_bytes value) {
    uint8_t *bytes = malloc(value.len + 3);
    assert_non_null(bytes);
    size_t len = value.len;
    memcpy(bytes, value.data, len);
    for (uint32_t left = 1 + test_random_below(random, 3); left > 0 && len > 0; left--) {
        size_t at = test_random_below(random, (uint32_t)len);
        switch (test_random_below(random, 4)) {
        case 0: bytes[at] = (uint8_t)test_random_u64(random); break;
        case 1: bytes[at] ^= (uint8_t)(1u << test_random_below(random, 8)); break;
        case 2:
            memmove(bytes + at, bytes + at + 1, len - at - 1);
            len--;
            break;
        default:
            memmove(bytes + at + 1, bytes + at, len - at);
            len++;
            break;
        }
    }
    gt_bytes result = copy_of(gt_bytes_of(bytes, len));
    free(bytes);
    return result;
}

static void mutated_bytes_are_refused_or_a_value(void **state) {
    (void)state;
    test_random random;
    uint32_t taken = 0, refused = 0;
    test_random_init(&random, "mutated_bytes_are_refused_or_a_value");
    for (int i = 0; i < ROUNDS; i++) {
        gt_bytes value = new_value(&random, VALUE_RANDOM_EDITS);
        for (int j = 0; j < 20; j++) {
            gt_bytes changed = mutated(&random, value);
            uint32_t flags = j % 2 == 0 ? 0 : GT_VALUE_EDIT;
            gt_diag diag;
            gt_diag_init(&diag);
            goat_status status = gt_value_check(changed, flags, &diag);
            if (status == GOAT_OK) {
                assert_rewrites(changed);
                assert_int_equal(gt_value_compare(changed, changed), 0);
                taken++;
            } else {
                assert_true(status == GOAT_INVALID || status == GOAT_TOO_LARGE);
                assert_true(diag.position <= changed.len);
                refused++;
            }
            drop(changed);
        }
        drop(value);
    }
    assert_true(taken > ROUNDS && refused > ROUNDS);
}

static int sign(int order) { return (order > 0) - (order < 0); }

static void comparison_is_a_total_order(void **state) {
    (void)state;
    enum { COUNT = 60 };
    test_random random;
    test_random_init(&random, "comparison_is_a_total_order");
    for (int round = 0; round < 20; round++) {
        gt_bytes values[COUNT];
        int order[COUNT][COUNT];
        for (int i = 0; i < COUNT; i++) { /* some of them close to each other */
            values[i] = i % 3 == 2 ? mutated(&random, values[i - 1]) : new_value(&random, 0);
            if (gt_value_check(values[i], 0, NULL) != GOAT_OK) {
                drop(values[i]);
                values[i] = new_value(&random, 0);
            }
        }
        for (int i = 0; i < COUNT; i++) {
            for (int j = 0; j < COUNT; j++) {
                order[i][j] = sign(gt_value_compare(values[i], values[j]));
                assert_true(order[i][j] == 0 || !gt_value_equal(values[i], values[j]));
            }
        }
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(order[i][i], 0);
            for (int j = 0; j < COUNT; j++) {
                assert_int_equal(order[i][j], -order[j][i]);
                for (int k = 0; k < COUNT; k++) {
                    if (order[i][j] <= 0 && order[j][k] <= 0) {
                        assert_true(order[i][k] <= 0);
                        assert_true(order[i][k] < 0 || (order[i][j] == 0 && order[j][k] == 0));
                    }
                }
            }
        }
        for (int i = 0; i < COUNT; i++) {
            drop(values[i]);
        }
    }
}

static void a_key_is_found_where_iteration_has_it(void **state) {
    (void)state;
    test_random random;
    uint32_t found_keys = 0, absent = 0;
    test_random_init(&random, "a_key_is_found_where_iteration_has_it");
    for (int i = 0; i < ROUNDS; i++) {
        gt_bytes map = new_value(&random, VALUE_RANDOM_EDITS), other = new_value(&random, VALUE_RANDOM_EDITS);
        gt_bytes key, value, wanted, ignored;
        size_t count = 0;
        for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &key, &value); count++) {
            assert_ptr_equal(gt_map_find(map, key).data, value.data);
            assert_int_equal(gt_map_find(map, key).len, value.len);
            found_keys++;
        }
        assert_true(count <= gt_value_count(map));
        for (gt_iter iter = gt_map_iter(other); gt_map_next(&iter, &wanted, &ignored);) {
            bool there = false;
            for (gt_iter walk = gt_map_iter(map); gt_map_next(&walk, &key, &value);) {
                there = there || gt_bytes_equal(key, wanted);
            }
            assert_int_equal(gt_map_find(map, wanted).data != NULL, there);
            absent += !there;
        }
        drop(map);
        drop(other);
    }
    assert_true(found_keys > 100 && absent > 100);
}

static void dates_and_numbers_come_back(void **state) {
    (void)state;
    test_random random;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    test_random_init(&random, "dates_and_numbers_come_back");
    for (int i = 0; i < 100 * ROUNDS; i++) {
        uint64_t range = (uint64_t)(GT_DATE_MAX_MS - GT_DATE_MIN_MS + 1), bits = test_random_u64(&random);
        int64_t date_ms = GT_DATE_MIN_MS + (int64_t)(bits % range), found = 0;
        double number, read = 0;
        memcpy(&number, &bits, sizeof number);
        gt_buf_clear(&out);
        assert_true(gt_write_date_ms(&out, date_ms));
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
        assert_true(gt_value_as_date_ms(gt_buf_bytes(&out), &found) && found == date_ms);
        gt_buf_clear(&out);
        if (number - number == 0) {
            assert_true(gt_write_double(&out, number));
            assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
            assert_true(gt_value_as_double(gt_buf_bytes(&out), &read) && read == number);
        }
    }
    gt_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_a_value_with_one_encoding),
        cmocka_unit_test(a_value_cut_off_anywhere_is_refused),
        cmocka_unit_test(mutated_bytes_are_refused_or_a_value),
        cmocka_unit_test(comparison_is_a_total_order),
        cmocka_unit_test(a_key_is_found_where_iteration_has_it),
        cmocka_unit_test(dates_and_numbers_come_back),
    };
    return cmocka_run_group_tests_name("value_property", tests, NULL, NULL);
}
