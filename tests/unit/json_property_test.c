/* core/value/json.h: what holds for every value and every text. Seeds are printed. */
#include "support/test.h"

#include "support/value_random.h"
#include "value/build.h"
#include "value/json.h"
#include "value/json_text.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3000, DEPTH = 6 };

static gt_buf random_value(test_random *random, int flags) {
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    value_random(random, DEPTH, flags, &value);
    return value;
}

/* To JSON and back gives the same bytes, with whatever kind is wanted. */
static void assert_round_trip(gt_bytes value, gt_kind kind) {
    gt_buf text, again;
    gt_diag diag;
    gt_buf_init(&text, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    gt_diag_init(&diag);
    assert_int_equal(gt_value_to_json_text_as(value, kind, &text, &diag), GOAT_OK);
    if (gt_value_from_json_text_as(gt_buf_bytes(&text), kind, &again, &diag) != GOAT_OK ||
        !gt_bytes_equal(gt_buf_bytes(&again), value)) {
        fail_msg("%.*s: %s", (int)text.len, (const char *)text.data, diag.message);
    }
    gt_buf_free(&text);
    gt_buf_free(&again);
}

/* What reads as itself in the form that is wanted: a text where a date is wanted would be read as one. */
static gt_kind some_kind(test_random *random, gt_bytes value) {
    static const gt_kind kinds[] = {GT_KIND_ANY, GT_KIND_DATE, GT_KIND_BYTES, GT_KIND_SET, GT_KIND_REF};
    gt_kind kind = gt_value_kind(value), want = kinds[test_random_below(random, 5)];
    bool taken_for_it = want == GT_KIND_SET ? kind == GT_KIND_ARRAY : kind == GT_KIND_TEXT;
    return taken_for_it ? GT_KIND_ANY : want;
}

static void values_come_back_from_json(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "values_come_back_from_json");
    for (int i = 0; i < ROUNDS; i++) {
        gt_buf value = random_value(&random, 0);
        assert_round_trip(gt_buf_bytes(&value), some_kind(&random, gt_buf_bytes(&value)));
        gt_buf_free(&value);
    }
}

static void keys_with_dollars_come_back_from_json(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "keys_with_dollars_come_back_from_json");
    for (int i = 0; i < ROUNDS; i++) {
        gt_buf value = random_value(&random, VALUE_RANDOM_DOLLARS);
        assert_round_trip(gt_buf_bytes(&value), GT_KIND_ANY);
        gt_buf_free(&value);
    }
}

static gt_kind any_kind(void *context, gt_bytes name) {
    (void)name;
    return *(const gt_kind *)context;
}

static void documents_come_back_from_json(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "documents_come_back_from_json");
    for (int i = 0; i < ROUNDS; i++) {
        gt_kind kind = GT_KIND_ANY;
        gt_json_shape shape = {any_kind, &kind, NULL};
        gt_buf value = random_value(&random, VALUE_RANDOM_DOLLARS), text, again;
        gt_buf_init(&text, &gt_alloc_system);
        gt_buf_init(&again, &gt_alloc_system);
        if (gt_value_kind(gt_buf_bytes(&value)) == GT_KIND_MAP) {
            assert_int_equal(gt_fields_to_json_text(gt_buf_bytes(&value), &shape, &text, NULL), GOAT_OK);
            assert_int_equal(gt_fields_from_json_text(gt_buf_bytes(&text), &shape, &again, NULL), GOAT_OK);
            assert_true(gt_bytes_equal(gt_buf_bytes(&again), gt_buf_bytes(&value)));
        }
        gt_buf_free(&again);
        gt_buf_free(&text);
        gt_buf_free(&value);
    }
}

static void integers_and_doubles_come_back_from_json(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "integers_and_doubles_come_back_from_json");
    for (int i = 0; i < 20 * ROUNDS; i++) {
        uint64_t bits = test_random_u64(&random);
        gt_buf value;
        double number;
        memcpy(&number, &bits, sizeof number);
        gt_buf_init(&value, &gt_alloc_system);
        if (i % 2 == 0 || !gt_write_double(&value, number)) {
            gt_write_int(&value, (int64_t)bits);
        }
        assert_round_trip(gt_buf_bytes(&value), GT_KIND_ANY);
        gt_buf_free(&value);
    }
}

/* Bytes of a text changed, left out and put in; what is put in means something in JSON. */
static void mutate(test_random *random, gt_buf *text) {
    static const char pieces[] = "{}[]:,\"\\u0019dDeE+-. tfn$\n\x00\x01\x7f\xc3\xbc\xed\xa0";
    for (uint32_t left = 1 + test_random_below(random, 3); left > 0 && text->len > 0; left--) {
        size_t at = test_random_below(random, (uint32_t)text->len);
        switch (test_random_below(random, 4)) {
        case 0: text->data[at] = (uint8_t)pieces[test_random_below(random, sizeof pieces)]; break;
        case 1: text->data[at] = (uint8_t)test_random_u64(random); break;
        case 2:
            memmove(text->data + at, text->data + at + 1, text->len - at - 1);
            text->len--;
            break;
        default:
            gt_buf_append_byte(text, 0);
            memmove(text->data + at + 1, text->data + at, text->len - at - 1);
            break;
        }
    }
}

static void texts_are_taken_exactly_when_they_are_json(void **state) {
    (void)state;
    test_random random;
    uint32_t taken = 0, wrong = 0;
    test_random_init(&random, "texts_are_taken_exactly_when_they_are_json");
    for (int i = 0; i < ROUNDS; i++) {
        gt_buf value = random_value(&random, 0), text;
        gt_buf_init(&text, &gt_alloc_system);
        assert_int_equal(gt_value_to_json_text(gt_buf_bytes(&value), &text, NULL), GOAT_OK);
        for (int j = 0; j < 10; j++) {
            gt_diag diag;
            json_t *json = NULL;
            size_t position = 0;
            mutate(&random, &text);
            gt_bytes bytes = gt_buf_bytes(&text);
            const char *fault = gt_json_fault(bytes, NULL, &position);
            gt_diag_init(&diag);
            goat_status status = gt_json_parse(bytes, &gt_alloc_system, &json, &diag);
            if (status == GOAT_OK) {
                assert_null(fault);
                json_decref(json);
                taken++;
                continue;
            }
            bool number = strstr(diag.message, "beyond") != NULL;
            assert_int_equal(status, GOAT_INVALID);
            assert_true(diag.position <= bytes.len);
            if (!number) {
                assert_non_null(fault);
                assert_int_equal(diag.position, position);
            }
            wrong++;
        }
        gt_buf_free(&text);
        gt_buf_free(&value);
    }
    assert_true(taken > ROUNDS / 10 && wrong > ROUNDS);
}

/* A fault lies at the first byte with which no text goes on: what is before it can be continued, so it is itself
 * wrong at its end, if at all. */
static void a_text_is_right_up_to_its_fault(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "a_text_is_right_up_to_its_fault");
    for (int i = 0; i < ROUNDS; i++) {
        gt_buf value = random_value(&random, 0), text;
        size_t position = 0, before = 0;
        gt_buf_init(&text, &gt_alloc_system);
        assert_int_equal(gt_value_to_json_text(gt_buf_bytes(&value), &text, NULL), GOAT_OK);
        mutate(&random, &text);
        const char *fault = gt_json_fault(gt_buf_bytes(&text), NULL, &position);
        bool names_a_whole = fault != NULL && (strstr(fault, "half") != NULL || strstr(fault, "UTF-8") != NULL);
        if (fault != NULL && !names_a_whole) {
            const char *earlier = gt_json_fault(gt_bytes_of(text.data, position), NULL, &before);
            assert_true(earlier == NULL || before == position);
        }
        gt_buf_free(&text);
        gt_buf_free(&value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_from_json),
        cmocka_unit_test(keys_with_dollars_come_back_from_json),
        cmocka_unit_test(documents_come_back_from_json),
        cmocka_unit_test(integers_and_doubles_come_back_from_json),
        cmocka_unit_test(texts_are_taken_exactly_when_they_are_json),
        cmocka_unit_test(a_text_is_right_up_to_its_fault),
    };
    return cmocka_run_group_tests_name("json_property", tests, NULL, NULL);
}
