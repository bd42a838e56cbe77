/* core/commit: one commit. Its cases on both sides of every rule are in support/commit_cases.c. */
#include "support/test.h"

#include "commit/commit.h"
#include "value/build.h"
#include "value/value.h"

#include "support/batch_maker.h"
#include "support/commit_check.h"
#include "support/format_cases.h"
#include "support/format_pieces.h"
#include "support/hex_buf.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

static void assert_same_ids(gt_ids ids, const gt_id *expected, uint32_t count) {
    assert_int_equal(ids.count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_memory_equal(gt_ids_at(ids, i), &expected[i], GT_ID_SIZE);
    }
}

/* ---- rules ---- */

static void every_rule_holds_on_both_sides(void **state) {
    (void)state;
    for (size_t i = 0; i < commit_case_count; i++) {
        const format_case *c = &commit_cases[i];
        gt_buf buf = hex_buf(c->hex);
        gt_bytes bytes = exact_bytes(gt_buf_bytes(&buf));
        gt_commit commit;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status status = c->kind == FORMAT_HEADER ? gt_commit_decode_header(bytes, &commit, &diag)
                                                      : gt_commit_decode(bytes, &commit, &diag);
        if (status != c->status || (c->words != NULL && strstr(diag.message, c->words) == NULL)) {
            fail_msg("%s: %s, %s", c->name, gt_status_name(status), diag.message);
        }
        if (status == GOAT_OK && c->kind == FORMAT_COMMIT) {
            assert_canonical(bytes, &commit);
        } else if (status != GOAT_OK) {
            assert_true(diag.position <= bytes.len);
            (void)gt_commit_view(bytes, &commit); /* stays in bounds */
        }
        free((void *)(uintptr_t)bytes.data);
        gt_buf_free(&buf);
    }
}

static goat_status status_of(const gt_commit_draft *draft, uint64_t *position) {
    gt_commit commit;
    gt_diag diag;
    gt_buf buf;
    gt_diag_init(&diag);
    gt_buf_init(&buf, &gt_alloc_system);
    gt_commit_encode(&buf, draft);
    assert_false(gt_buf_failed(&buf));
    goat_status status = gt_commit_decode(gt_buf_bytes(&buf), &commit, &diag);
    *position = diag.position;
    gt_buf_free(&buf);
    return status;
}

#define assert_status(draft, expected)                                                                                 \
    do {                                                                                                               \
        uint64_t position_;                                                                                            \
        assert_int_equal(status_of(&(draft), &position_), expected);                                                   \
    } while (0)

static void counts_and_lengths_end_at_their_limits(void **state) {
    (void)state;
    static char text[GT_MESSAGE_MAX + 2];
    gt_id *ids = calloc(GT_REVERTS_MAX + 1, sizeof *ids);
    uint8_t empty = 0xa0;
    memset(text, 'a', sizeof text - 1);
    for (uint32_t i = 0; i <= GT_REVERTS_MAX; i++) {
        ids[i].bytes[0] = (uint8_t)(i >> 16);
        ids[i].bytes[1] = (uint8_t)(i >> 8);
        ids[i].bytes[2] = (uint8_t)i;
    }
    const gt_commit_draft good = maker_commit("a", gt_bytes_of(&empty, 1), 0);
    gt_commit_draft draft = good;
    draft.key = gt_bytes_of(text, GOAT_KEY_MAX);
    assert_status(draft, GOAT_OK);
    draft.key.len++;
    assert_status(draft, GOAT_TOO_LARGE);
    draft = good;
    draft.ns = gt_bytes_of(text, 64);
    assert_status(draft, GOAT_OK);
    draft.ns.len++;
    assert_status(draft, GOAT_TOO_LARGE);
    draft = good;
    draft.message = gt_bytes_of(text, GT_MESSAGE_MAX);
    assert_status(draft, GOAT_OK);
    draft.message.len++;
    assert_status(draft, GOAT_TOO_LARGE);
    draft = good;
    draft.parents = ids;
    draft.parent_count = GT_PARENTS_MAX;
    assert_status(draft, GOAT_OK);
    draft.parent_count++;
    assert_status(draft, GOAT_TOO_LARGE);
    draft.parent_count = 1;
    draft.reverts = ids;
    draft.revert_count = GT_REVERTS_MAX;
    assert_status(draft, GOAT_OK);
    draft.revert_count++;
    assert_status(draft, GOAT_TOO_LARGE);
    free(ids);
}

static void a_fields_name_has_128_bytes_at_most(void **state) {
    (void)state;
    static char text[GOAT_FIELD_NAME_MAX + 1];
    memset(text, 'a', sizeof text);
    for (size_t len = GOAT_FIELD_NAME_MAX; len <= GOAT_FIELD_NAME_MAX + 1; len++) {
        gt_buf delta;
        gt_buf_init(&delta, &gt_alloc_system);
        gt_write_map_head(&delta, 1);
        gt_write_text(&delta, gt_bytes_of(text, len));
        gt_write_int(&delta, 1);
        gt_commit_draft draft = maker_commit("a", gt_buf_bytes(&delta), 0);
        assert_status(draft, len <= GOAT_FIELD_NAME_MAX ? GOAT_OK : GOAT_TOO_LARGE);
        gt_buf_free(&delta);
    }
}

/* A field named "a" that is `front`, then arrays to a depth of `depth`. */
static gt_buf deep_delta(const char *front, uint32_t depth) {
    gt_buf delta = hex_buf("a16161");
    hex_append(&delta, front);
    for (uint32_t i = 1; i < depth; i++) {
        gt_buf_append_byte(&delta, 0x81);
    }
    gt_buf_append_byte(&delta, 0x80);
    return delta;
}

static void depth_ends_where_that_of_the_item_ends(void **state) {
    (void)state;
    static const struct {
        const char *front;
        uint32_t depth; /* that is left for arrays */
    } cases[] = {
        {"", GOAT_VALUE_DEPTH_MAX - 1},                          /* a value, inside the item */
        {"d9010281", GOAT_VALUE_DEPTH_MAX - 3},                  /* in a set, which counts twice */
        {"a16162", GOAT_VALUE_DEPTH_MAX - 2},                    /* under a key of a map */
        {"a26162f76163", GOAT_VALUE_DEPTH_MAX - 2},              /* the same, as an edit */
        {"a100d9010281", GOAT_VALUE_DEPTH_MAX - 3},              /* added to a set: the edit's map does not count */
        {"a200d901028101 01d9010281", GOAT_VALUE_DEPTH_MAX - 3}, /* removed from it */
        {"a10081", GOAT_VALUE_DEPTH_MAX - 1},                    /* elements of a list: nor do runs */
        {"a10081a102", GOAT_VALUE_DEPTH_MAX - 2},                /* another value of one of them */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t more = 0; more <= 1; more++) {
            gt_buf delta = deep_delta(cases[i].front, cases[i].depth + more);
            gt_commit_draft draft = maker_commit("a", gt_buf_bytes(&delta), 0);
            assert_status(draft, more == 0 ? GOAT_OK : GOAT_TOO_LARGE);
            gt_buf_free(&delta);
        }
    }
}

static void a_delta_and_a_state_have_16_mib_at_most(void **state) {
    (void)state;
    const size_t head = 1 + 2 + 5; /* map, name, head of bytes */
    gt_id parent = {{1}};
    for (size_t more = 0; more <= 1; more++) {
        size_t len = GOAT_VALUE_MAX - head + more;
        uint8_t *bytes = calloc(1, len);
        uint8_t empty = 0xa0;
        gt_buf fields = hex_buf("a16161");
        gt_write_bytes(&fields, gt_bytes_of(bytes, len));
        assert_int_equal(fields.len, GOAT_VALUE_MAX + more);
        gt_commit_draft draft = maker_commit("a", gt_buf_bytes(&fields), 0);
        assert_status(draft, more == 0 ? GOAT_OK : GOAT_TOO_LARGE);
        draft.delta = gt_bytes_of(&empty, 1);
        draft.full = gt_buf_bytes(&fields);
        draft.parents = &parent;
        draft.parent_count = 1;
        assert_status(draft, more == 0 ? GOAT_OK : GOAT_TOO_LARGE);

        gt_buf edit = hex_buf("a26161"); /* and with a form of an edit */
        gt_write_bytes(&edit, gt_bytes_of(bytes, len - 3));
        hex_append(&edit, "6162f7");
        assert_int_equal(edit.len, GOAT_VALUE_MAX + more);
        draft.full = gt_bytes_of(NULL, 0);
        draft.delta = gt_buf_bytes(&edit);
        assert_status(draft, more == 0 ? GOAT_OK : GOAT_TOO_LARGE);
        gt_buf_free(&edit);
        gt_buf_free(&fields);
        free(bytes);
    }
}

static void a_fault_in_a_value_is_named_with_its_place_in_the_commit(void **state) {
    (void)state;
    gt_buf delta = hex_buf("a16161 1801");
    gt_commit_draft draft = maker_commit("a", gt_buf_bytes(&delta), 0);
    gt_commit_draft other = draft;
    uint64_t position, other_position;
    gt_buf bad_set = hex_buf("a16161 d901028202 01");
    other.delta = gt_buf_bytes(&bad_set);
    assert_int_equal(status_of(&draft, &position), GOAT_INVALID);
    assert_int_equal(status_of(&other, &other_position), GOAT_INVALID);
    assert_int_equal(other_position, position + 5); /* behind tag and head of the set, and its first element */
    gt_buf_free(&delta);
    gt_buf_free(&bad_set);
}

/* ---- what is decoded ---- */

static void a_commit_comes_back_as_it_was_made(void **state) {
    (void)state;
    gt_buf delta = hex_buf("a16161 a100 d9010281 02"), full = hex_buf("a16161 d9010281 01"), buf;
    gt_id parents[2] = {{{1}}, {{2}}}, reverts[3] = {{{1}}, {{2}}, {{3}}};
    gt_commit_draft draft = maker_commit("feed-the-goats", gt_buf_bytes(&delta), 5);
    draft.version = 70000;
    draft.full = gt_buf_bytes(&full);
    draft.parents = parents;
    draft.parent_count = 2;
    draft.reverts = reverts;
    draft.revert_count = 3;
    draft.message = gt_bytes_text("because");
    gt_buf_init(&buf, &gt_alloc_system);
    gt_commit_encode(&buf, &draft);
    gt_commit commit;
    assert_int_equal(gt_commit_decode(gt_buf_bytes(&buf), &commit, NULL), GOAT_OK);
    assert_same_bytes(commit.key, draft.key);
    assert_same_ids(commit.parents, parents, 2);
    assert_same_ids(commit.reverts, reverts, 3);
    assert_true(commit.time == draft.time);
    assert_int_equal(GT_TIME_MS(commit.time), INT64_C(1767225600005));
    assert_same_bytes(commit.ns, draft.ns);
    assert_int_equal(commit.version, 70000);
    assert_memory_equal(commit.schema_hash.data, draft.schema_hash, GT_SCHEMA_HASH_SIZE);
    assert_same_bytes(commit.delta, draft.delta);
    assert_false(commit.delta_is_state);
    assert_same_bytes(commit.full, draft.full);
    assert_same_bytes(commit.message, draft.message);
    assert_null(commit.sealed.data);
    assert_int_equal(commit.header.len + commit.payload.len, buf.len);
    assert_canonical(gt_buf_bytes(&buf), &commit);
    gt_commit header;
    assert_int_equal(gt_commit_decode_header(commit.header, &header, NULL), GOAT_OK);
    assert_null(header.payload.data);
    assert_same_bytes(header.key, commit.key);
    assert_int_equal(header.reverts.count, 3);
    assert_true(gt_commit_view(commit.header, &header));
    assert_null(header.payload.data);
    gt_buf_free(&buf);
    gt_buf_free(&full);
    gt_buf_free(&delta);
}

static void only_plain_values_make_a_delta_a_state(void **state) {
    (void)state;
    static const struct {
        const char *delta;
        bool is_state;
    } cases[] = {
        {"a0", true},
        {"a16161 01", true},
        {"a16161 a16162 a16163 01", true},
        {"a16161 d9010281 02", true},
        {"a16161 f7", false},
        {"a16161 a16162 f7", false},
        {"a16161 a100 d9010281 02", false},
        {"a2616101 6162 a101 d9010281 02", false},
        {"a100f5", false},
        {"a100f4", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_buf bytes = hex_buf(HEADER "a100");
        hex_append(&bytes, cases[i].delta);
        gt_commit commit, view;
        assert_int_equal(gt_commit_decode(gt_buf_bytes(&bytes), &commit, NULL), GOAT_OK);
        assert_int_equal(commit.delta_is_state, cases[i].is_state);
        assert_true(gt_commit_view(gt_buf_bytes(&bytes), &view));
        assert_int_equal(view.delta_is_state, cases[i].is_state);
        gt_buf_free(&bytes);
    }
}

static void the_hashes_are_those_of_the_format(void **state) {
    (void)state;
    batch_maker maker;
    batch_maker_init(&maker);
    gt_buf bytes = hex_buf(HEADER PAYLOAD), inner_input = hex_buf("02" X16("aa") PAYLOAD);
    gt_buf id_input = hex_buf("00" X32("55"));
    gt_id session, inner, id, expected;
    gt_commit commit;
    uint8_t salt[GT_SALT_SIZE];
    memset(session.bytes, 0x55, sizeof session.bytes);
    memset(salt, 0xaa, sizeof salt);
    assert_int_equal(gt_commit_decode(gt_buf_bytes(&bytes), &commit, NULL), GOAT_OK);
    gt_commit_inner(maker.hasher, salt, commit.payload, &inner);
    gt_hash(maker.hasher, inner_input.data, inner_input.len, expected.bytes);
    assert_memory_equal(&inner, &expected, sizeof inner);
    gt_commit_id(maker.hasher, &session, &inner, commit.header, &id);
    gt_buf_append(&id_input, inner.bytes, sizeof inner.bytes);
    hex_append(&id_input, HEADER);
    gt_hash(maker.hasher, id_input.data, id_input.len, expected.bytes);
    assert_memory_equal(&id, &expected, sizeof id);
    gt_buf_free(&bytes);
    gt_buf_free(&inner_input);
    gt_buf_free(&id_input);
    batch_maker_free(&maker);
}

/* ---- hostile bytes ---- */

/* Reads everything that is in a value with the functions that check nothing. */
static void touch(gt_bytes value) {
    gt_iter elements = gt_array_iter(value), pairs = gt_map_iter(value);
    gt_bytes key, inner;
    bool truth;
    int64_t number;
    double real;
    (void)gt_value_kind(value);
    (void)gt_value_as_bool(value, &truth);
    (void)gt_value_as_int64(value, &number);
    (void)gt_value_as_double(value, &real);
    (void)gt_value_as_date_ms(value, &number);
    if (gt_value_as_text(value, &inner) || gt_value_as_ref(value, &inner) || gt_value_as_bytes(value, &inner)) {
        assert_true(inner.data >= value.data && inner.data + inner.len <= value.data + value.len);
    }
    (void)gt_value_count(value);
    assert_int_equal(gt_value_compare(value, value), 0);
    while (gt_array_next(&elements, &inner)) {
        touch(inner);
    }
    while (gt_map_next_pair(&pairs, &key, &inner)) {
        touch(key);
        touch(inner);
    }
    (void)gt_map_find(value, gt_bytes_text("a"));
    (void)gt_map_find_int(value, 1);
}

/* Decodes, views, and holds what decodes against what it would be written as. */
static bool try_bytes(gt_bytes bytes) {
    gt_commit commit, view;
    bool good = gt_commit_decode(bytes, &commit, NULL) == GOAT_OK;
    if (good) {
        assert_canonical(bytes, &commit);
    } else if (!gt_commit_view(bytes, &view)) {
        static const gt_commit zero;
        assert_memory_equal(&view, &zero, sizeof view);
    } else if (view.delta.data != NULL) {
        touch(view.delta);
    }
    return good;
}

static void no_part_of_a_commit_is_a_commit(void **state) {
    (void)state;
    for (size_t i = 0; i < commit_case_count; i++) {
        if (commit_cases[i].status != GOAT_OK || commit_cases[i].kind != FORMAT_COMMIT) {
            continue;
        }
        gt_buf buf = hex_buf(commit_cases[i].hex);
        for (size_t len = 0; len < buf.len; len++) {
            gt_bytes part = exact_bytes(gt_bytes_of(buf.data, len));
            assert_false(try_bytes(part));
            free((void *)(uintptr_t)part.data);
        }
        gt_buf_free(&buf);
    }
}

static void whatever_decodes_has_one_encoding(void **state) {
    (void)state;
    uint32_t decoded = 0;
    for (size_t i = 0; i < commit_case_count; i++) {
        gt_buf buf = hex_buf(commit_cases[i].hex);
        gt_bytes bytes = exact_bytes(gt_buf_bytes(&buf));
        uint8_t *at = (uint8_t *)(uintptr_t)bytes.data;
        for (size_t byte = 0; byte < bytes.len; byte++) {
            for (unsigned value = 1; value < 256; value++) {
                at[byte] = (uint8_t)(buf.data[byte] ^ value);
                decoded += try_bytes(bytes);
            }
            at[byte] = buf.data[byte];
        }
        free(at);
        gt_buf_free(&buf);
    }
    assert_true(decoded > 10000); /* salt, hash and number bytes: it is not that everything was refused */
}

static void a_view_refuses_what_readers_of_values_would_trip_over(void **state) {
    (void)state;
    static const char *const deltas[] = {
        "a16161 e0",          /* a simple value that is none */
        "a16161 d90102 01",   /* a set that is no array */
        "a16161 d998a8 41aa", /* a ref that is no text */
        "a16161 c16131",      /* a date that is no number */
        "a16161 c11b00ffffffffffffff",
        "a16161 d90103 80", /* a tag that is none */
        "a16161 a1f501",    /* a key that is no text */
        "a16161 7a00100000",
        "a16161 9a00100000",
        "a1416101",
    };
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        gt_buf bytes = hex_buf(HEADER "a100");
        gt_commit view;
        hex_append(&bytes, deltas[i]);
        assert_false(gt_commit_view(gt_buf_bytes(&bytes), &view));
        gt_buf_free(&bytes);
    }
}

static void random_bytes_stay_in_bounds(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    for (unsigned round = 0; round < 20000; round++) {
        const format_case *c = &commit_cases[test_random_below(&random, (uint32_t)commit_case_count)];
        gt_buf buf = hex_buf(c->hex);
        for (unsigned i = test_random_below(&random, 6); buf.len > 0 && i > 0; i--) {
            buf.data[test_random_below(&random, (uint32_t)buf.len)] = (uint8_t)test_random_u64(&random);
        }
        gt_bytes bytes = exact_bytes(gt_buf_bytes(&buf));
        (void)try_bytes(bytes);
        free((void *)(uintptr_t)bytes.data);
        gt_buf_free(&buf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_holds_on_both_sides),
        cmocka_unit_test(counts_and_lengths_end_at_their_limits),
        cmocka_unit_test(a_fields_name_has_128_bytes_at_most),
        cmocka_unit_test(depth_ends_where_that_of_the_item_ends),
        cmocka_unit_test(a_delta_and_a_state_have_16_mib_at_most),
        cmocka_unit_test(a_fault_in_a_value_is_named_with_its_place_in_the_commit),
        cmocka_unit_test(a_commit_comes_back_as_it_was_made),
        cmocka_unit_test(only_plain_values_make_a_delta_a_state),
        cmocka_unit_test(the_hashes_are_those_of_the_format),
        cmocka_unit_test(no_part_of_a_commit_is_a_commit),
        cmocka_unit_test(whatever_decodes_has_one_encoding),
        cmocka_unit_test(a_view_refuses_what_readers_of_values_would_trip_over),
        cmocka_unit_test(random_bytes_stay_in_bounds),
    };
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
