/* core/merge on deltas that nobody honest would write: whatever a decoder lets through, a replay ends, and
 * what the check of deltas lets through becomes a state that is one. */
#include "support/test.h"

#include "support/merge_model.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

enum { PAIRS_MAX = 6 };

static void write_anything(test_random *random, gt_buf *out, int depth);

/* A map with text keys from a few names, and sometimes integer keys. */
static void write_any_map(test_random *random, gt_buf *out, int depth) {
    static const char *const names[] = {"text", "list", "tags", "map", "votes", "other", "k", ""};
    gt_pair pairs[PAIRS_MAX];
    gt_buf values[PAIRS_MAX], map;
    size_t count = 0;
    unsigned integers = test_random_below(random, 6) == 0 ? test_random_below(random, 3) + 1 : 0, used = 0;
    gt_buf_init(&map, &gt_alloc_system);
    for (size_t want = test_random_below(random, PAIRS_MAX); want > 0; want--) {
        unsigned name = test_random_below(random, 8);
        if ((used >> name & 1) != 0) {
            continue;
        }
        used |= 1u << name;
        gt_buf_init(&values[count], &gt_alloc_system);
        write_anything(random, &values[count], depth + 1);
        pairs[count] = (gt_pair){gt_bytes_text(names[name]), gt_buf_bytes(&values[count])};
        count++;
    }
    assert_true(gt_write_map(&map, pairs, count));
    gt_write_map_head(out, count + integers);
    for (unsigned i = 0; i < integers; i++) {
        gt_write_int(out, (int64_t)i);
        write_anything(random, out, depth + 1);
    }
    gt_buf_append(out, map.data + 1, map.len - 1);
    gt_buf_free(&map);
    for (size_t i = 0; i < count; i++) {
        gt_buf_free(&values[i]);
    }
}

static void write_any_set(test_random *random, gt_buf *out, int depth) {
    gt_bytes elements[PAIRS_MAX];
    gt_buf buffers[PAIRS_MAX];
    size_t count = test_random_below(random, PAIRS_MAX);
    for (size_t i = 0; i < count; i++) {
        gt_buf_init(&buffers[i], &gt_alloc_system);
        write_anything(random, &buffers[i], depth + 2);
        elements[i] = gt_buf_bytes(&buffers[i]);
    }
    gt_write_set(out, elements, count);
    for (size_t i = 0; i < count; i++) {
        gt_buf_free(&buffers[i]);
    }
}

static void write_anything(test_random *random, gt_buf *out, int depth) {
    switch (test_random_below(random, depth > 4 ? 9 : 13)) {
    case 0: gt_write_undefined(out); break;
    case 1: gt_write_bool(out, test_random_below(random, 2) == 1); break;
    case 2: gt_write_int(out, (int64_t)test_random_u64(random)); break;
    case 3: gt_write_int(out, test_random_below(random, 3)); break;
    case 4: gt_write_text(out, gt_bytes_text("a")); break;
    case 5: gt_write_double(out, 0.5); break;
    case 6: gt_write_date_ms(out, 1500); break;
    case 7: gt_write_bytes(out, gt_bytes_of("\0\1", 2)); break;
    case 8: gt_write_null(out); break;
    case 9:
    case 10: write_any_set(random, out, depth); break;
    case 11: write_any_map(random, out, depth); break;
    default:
        gt_write_array_head(out, 2);
        write_anything(random, out, depth + 1);
        write_anything(random, out, depth + 1);
        break;
    }
}

/* Half of a history's deltas, or a few, become something else. */
static void spoil(model *m, test_random *random) {
    uint32_t one_in = 1 + test_random_below(random, 8);
    for (uint32_t i = 0; i < m->count; i++) {
        if (test_random_below(random, one_in) != 0) {
            continue;
        }
        gt_buf delta;
        gt_buf_init(&delta, &gt_alloc_system);
        if (test_random_below(random, 20) == 0) {
            write_anything(random, &delta, 0);
        } else {
            write_any_map(random, &delta, 0);
        }
        if (gt_value_check(gt_buf_bytes(&delta), GT_VALUE_EDIT, NULL) != GOAT_OK) {
            fail_msg("the test writes what is not an edit");
        }
        test_value_free(m->steps[i].bytes);
        m->steps[i].bytes = gt_buf_bytes(&delta);
    }
}

static bool all_good(const gt_schema *schema, const model *m) {
    bool good = true;
    for (uint32_t i = 0; i < m->count; i++) {
        good &= m->steps[i].bytes.data == NULL || gt_merge_check_delta(schema, m->steps[i].bytes, NULL) == GOAT_OK;
    }
    return good;
}

static void assert_is_state(gt_bytes state) {
    gt_iter iter = gt_map_iter(state);
    gt_bytes key, value;
    assert_int_equal(gt_value_check(state, GT_VALUE_EDIT, NULL), GOAT_OK);
    while (gt_map_next(&iter, &key, &value)) {
        assert_int_equal(gt_value_check(value, 0, NULL), GOAT_OK);
    }
}

static void whatever_was_decoded_can_be_replayed(void **state) {
    (void)state;
    static model m;
    static model_replay replay;
    test_random random;
    gt_schema *schema = model_schema(false);
    int replayed = 0, refused = 0, good = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    test_random_init(&random, __func__);
    for (int i = 0; i < 20000; i++) {
        gt_diag diag;
        uint32_t step_count = 1 + test_random_below(&random, 12);
        model_make(&m, &random, 1 + test_random_below(&random, 4), step_count);
        spoil(&m, &random);
        model_replay_of(&m, UINT64_MAX, 0, NULL, &replay);
        gt_buf_clear(&out);
        gt_diag_init(&diag);
        goat_status status = gt_merge_replay(&gt_alloc_system, schema, gt_bytes_of(NULL, 0), replay.steps, replay.count,
                                             &out, NULL, &diag);
        replayed += status == GOAT_OK ? 1 : 0;
        refused += status == GOAT_INVALID ? 1 : 0;
        if (status == GOAT_INVALID) {
            assert_true(diag.position < replay.count);
            assert_int_equal(gt_merge_check_delta(schema, replay.steps[diag.position].delta, NULL), GOAT_INVALID);
        }
        if (all_good(schema, &m)) {
            assert_int_equal(status, GOAT_OK);
            assert_is_state(gt_buf_bytes(&out));
            good++;
        }
        model_free(&m);
    }
    printf("%d replayed, of these %d without fault, %d refused\n", replayed, good, refused);
    assert_int_equal(replayed + refused, 20000);
    assert_true(replayed > 1000 && refused > 1000 && good > 1000);
    gt_buf_free(&out);
    gt_schema_free(schema);
}

/* A state that was made under another version of the schema may hold anything in a field. */
static void a_base_of_other_types_is_no_danger(void **state) {
    (void)state;
    static const char *const bases[] = {"{text: [1], list: 'a', tags: 7, map: set[1], votes: 'x'}",
                                        "{text: {a: 1}, list: set[], tags: {a: 1}, map: [1, 2], votes: 1.5}",
                                        "{text: null, list: null, tags: [2, 1, 'z', 1], map: 'abc', votes: set[1]}",
                                        "[1]", "7"};
    static model m;
    static model_replay replay;
    test_random random;
    gt_schema *schema = model_schema(false);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    test_random_init(&random, __func__);
    for (int i = 0; i < 5000; i++) {
        gt_bytes base = test_value(bases[i % 5]);
        model_make(&m, &random, 1 + test_random_below(&random, 4), 1 + test_random_below(&random, 8));
        model_replay_of(&m, UINT64_MAX, 0, NULL, &replay);
        gt_buf_clear(&out);
        assert_int_equal(gt_merge_replay(&gt_alloc_system, schema, base, replay.steps, replay.count, &out, NULL, NULL),
                         GOAT_OK);
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), GT_VALUE_EDIT, NULL), GOAT_OK);
        model_free(&m);
        test_value_free(base);
    }
    gt_buf_free(&out);
    gt_schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_was_decoded_can_be_replayed),
        cmocka_unit_test(a_base_of_other_types_is_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
