/* core/merge on deltas that nobody honest would write: whatever a decoder lets through, a replay ends, and
 * what the check of deltas lets through becomes a state that is one. */
#include "support/test.h"

#include "support/history.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

enum { PAIRS_MAX = 6 };

static void write_anything(test_random *random, gt_buf *out, int depth);

/* A map with text keys from a few names, and sometimes integer keys. */
static void write_any_map(test_random *random, gt_buf *out, int depth) {
    static const char *const names[] = {"text_both",     "list_both", "set",    "map_latest",
                                        "richtext_both", "object",    "insert", "attributes"};
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

/* What looks like the runs of a text, a list or a rich text, and often is some. */
static void write_any_runs(test_random *random, gt_buf *out, int depth) {
    static const int64_t counts[] = {0, 1, 2, -1, -3, 1 << 30, -(1 << 30), (1 << 30) + 1, INT64_MIN, INT64_MAX};
    uint32_t count = test_random_below(random, 5);
    gt_write_map_head(out, 1);
    gt_write_int(out, 0);
    gt_write_array_head(out, count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t number = counts[test_random_below(random, 10)];
        switch (test_random_below(random, 6)) {
        case 0:
        case 1: gt_write_int(out, number); break;
        case 2: gt_write_text(out, gt_bytes_text("ab")); break;
        case 3: /* a move, or another value */
            gt_write_map_head(out, 1);
            gt_write_int(out, 1 + test_random_below(random, 2));
            gt_write_int(out, number);
            break;
        case 4: /* elements of a list, or a run with attributes */
            gt_write_array_head(out, 2);
            gt_write_int(out, number);
            gt_write_map_head(out, 1);
            gt_write_text(out, gt_bytes_text("b"));
            gt_write_int(out, 1);
            break;
        default: write_anything(random, out, depth + 2); break;
        }
    }
}

static void write_anything(test_random *random, gt_buf *out, int depth) {
    if (depth > 0 && depth < 4 && test_random_below(random, 3) == 0) {
        write_any_runs(random, out, depth);
        return;
    }
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
static void spoil(history *h, test_random *random) {
    uint32_t one_in = 1 + test_random_below(random, 8);
    for (uint32_t i = 0; i < h->count; i++) {
        gt_buf *delta = &h->deltas[i];
        if (test_random_below(random, one_in) != 0) continue;
        gt_buf_clear(delta);
        if (test_random_below(random, 20) == 0) {
            write_anything(random, delta, 0);
        } else {
            write_any_map(random, delta, 0);
        }
        if (gt_value_check(gt_buf_bytes(delta), GT_VALUE_EDIT, NULL) != GOAT_OK) {
            fail_msg("the test writes what is not an edit");
        }
        h->steps[i].delta = gt_buf_bytes(delta);
    }
}

static bool all_good(const history *h) {
    bool good = true;
    for (uint32_t i = 0; i < h->count; i++) {
        gt_bytes delta = h->steps[i].delta;
        good &= delta.data == NULL || gt_merge_check_delta(h->fields->schema, delta, NULL) == GOAT_OK;
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

/* Made of up to so many steps by up to four replicas. */
static void make(history *h, test_random *random, uint32_t most) {
    static history_script script;
    history_script_random(&script, h->fields, random, 1 + test_random_below(random, 4),
                          1 + test_random_below(random, most));
    assert_true(history_make(h, &script, NULL));
}

static void whatever_was_decoded_can_be_replayed(void **state) {
    history *h = *state;
    test_random random;
    int replayed = 0, refused = 0, good = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    test_random_init(&random, __func__);
    for (int i = 0; i < 20000; i++) {
        gt_diag diag;
        gt_diag_init(&diag);
        make(h, &random, 12);
        spoil(h, &random);
        uint64_t all = history_first(h->count);
        goat_status status = history_replay(h, gt_bytes_of(NULL, 0), all, 0, NULL, false, &out, &diag);
        replayed += status == GOAT_OK ? 1 : 0;
        refused += status == GOAT_INVALID ? 1 : 0;
        if (status == GOAT_INVALID) {
            assert_true(diag.position < h->count);
            gt_bytes delta = h->steps[diag.position].delta;
            assert_int_equal(gt_merge_check_delta(h->fields->schema, delta, NULL), GOAT_INVALID);
        }
        if (all_good(h)) {
            assert_int_equal(status, GOAT_OK);
            assert_is_state(gt_buf_bytes(&out));
            good++;
        }
    }
    print_message("%d replayed, of these %d without fault, %d refused\n", replayed, good, refused);
    assert_int_equal(replayed + refused, 20000);
    assert_true(replayed > 1000 && refused > 1000 && good > 1000);
    gt_buf_free(&out);
}

/* A state that was made under another version of the schema may hold anything in a field. */
static void write_other_state(const history *h, test_random *random, gt_buf *out) {
    static const char *const values[] = {"'a'",     "[1]",
                                         "7",       "set[1, 'z']",
                                         "{a: 1}",  "1.5",
                                         "null",    "[{insert: 'a'}]",
                                         "date(1)", "{object: [1], set: {}}"};
    size_t count = gt_schema_field_count(h->fields->schema);
    gt_buf_clear(out);
    if (test_random_below(random, 20) == 0) {
        test_value_write(out, values[test_random_below(random, 10)]);
        return;
    }
    gt_write_map_head(out, count);
    for (size_t i = 0; i < count; i++) {
        gt_write_text(out, gt_schema_field_at(h->fields->schema, i)->name);
        test_value_write(out, values[test_random_below(random, 10)]);
    }
}

static void a_base_of_other_types_is_no_danger(void **state) {
    history *h = *state;
    test_random random;
    gt_buf base, out;
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&out, &gt_alloc_system);
    test_random_init(&random, __func__);
    for (int i = 0; i < 5000; i++) {
        write_other_state(h, &random, &base);
        make(h, &random, 8);
        uint64_t all = history_first(h->count);
        assert_int_equal(history_replay(h, gt_buf_bytes(&base), all, 0, NULL, false, &out, NULL), GOAT_OK);
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), GT_VALUE_EDIT, NULL), GOAT_OK);
    }
    gt_buf_free(&base);
    gt_buf_free(&out);
}

static history_fields fields;

static int set_up(void **state) {
    static history h;
    history_fields_init(&fields, 2);
    history_init(&h, &fields);
    *state = &h;
    return 0;
}

static int tear_down(void **state) {
    history_free(*state);
    history_fields_free(&fields);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_was_decoded_can_be_replayed),
        cmocka_unit_test(a_base_of_other_types_is_no_danger),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
