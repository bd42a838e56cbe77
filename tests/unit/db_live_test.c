/* core/db: queries look at unsaved edits when somebody asks, and then at all of them. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_random.h"

#include <stdio.h>
#include <string.h>

static const char schema[] = "{\"ns\": \"goat\", \"version\": 9, \"fields\": {\"body\": {\"type\": \"text\"}, "
                             "\"name\": {\"type\": \"string\"}}}";

static int set_up(void **state) {
    test_handles_set_up(state);
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, schema), GOAT_OK);
    return 0;
}

static goat_query *open_query(test_handle *handle) {
    goat_query *query = NULL;
    goat_job *job = NULL;
    assert_int_equal(
        gt_live_open(handle->space, NULL, gt_bytes_text("{\"sort\": [\"body\"]}"), &query, &job, &handle->diag),
        GOAT_OK);
    assert_int_equal(test_handle_wait(handle, job, NULL), GOAT_OK);
    return query;
}

static void drop_query(test_handle *handle, goat_query *query) {
    gt_live_free(query);
    gt_db_unlock(handle->db);
    gt_db_release(handle->db); /* the query's reference */
    gt_db_lock(handle->db);
}

static void rows_of(goat_query *query, gt_buf *rows) {
    gt_buf_init(rows, &gt_alloc_system);
    assert_int_equal(gt_live_check(query, NULL), GOAT_OK);
    assert_int_equal(gt_live_rows(query, 0, UINT32_MAX, false, rows, NULL), GOAT_OK);
}

static goat_status splice(goat_item *item, uint64_t position, uint64_t count, const char *text) {
    gt_edit edit = {.operation = GT_SPLICE, .splice = {GOAT_UNIT_BYTE, position, count, gt_bytes_text(text)}};
    return gt_item_edit(item, gt_bytes_text("body"), &edit, NULL);
}

static goat_item *item_of(test_handles *f, const char *key) {
    goat_item *item;
    if (test_handle_item(&f->a, NULL, key, &item) == GOAT_OK) return item;
    assert_int_equal(test_handle_create(&f->a, key, "{}"), GOAT_OK);
    assert_int_equal(test_handle_item(&f->a, NULL, key, &item), GOAT_OK);
    return item;
}

/* Without a question between them 20,000 splices of up to 80 kB would otherwise copy 800 MB. */
static void edits_wait_until_somebody_asks(void **state) {
    test_handles *f = *state;
    enum { MANY = 20000 };
    goat_item *item = item_of(f, "x");
    goat_query *query = open_query(&f->a);
    gt_buf rows;
    uint64_t before = f->machine.memory.bytes;
    for (uint32_t i = 0; i < MANY; i++) assert_int_equal(splice(item, 0, 0, "goat"), GOAT_OK);
    assert_true(f->machine.memory.bytes - before < 8u << 20);
    rows_of(query, &rows);
    assert_true(rows.len > 4 * MANY);
    gt_buf_free(&rows);
    test_handle_drop(item);
    drop_query(&f->a, query);
}

/* One allocation fails, of the edit or of the question: whoever asks again sees the row as it is. */
static void without_memory_no_row_is_lost(void **state) {
    test_handles *f = *state;
    goat_item *item = item_of(f, "x");
    goat_query *query = open_query(&f->a);
    uint32_t failures = 0;
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    for (uint64_t k = 0; failures == k; k++) {
        gt_buf rows, anew;
        f->machine.memory.failed = false;
        f->machine.memory.once = true;
        f->machine.memory.left = k;
        goat_status status = splice(item, 0, 0, "y");
        assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY);
        status = gt_live_check(query, NULL);
        assert_true(status == GOAT_NO_MEMORY || (status == GOAT_OK && gt_live_count(query) == 1));
        failures += f->machine.memory.failed;
        f->machine.memory.left = TEST_ALLOC_NEVER;
        goat_query *other = open_query(&f->a);
        rows_of(query, &rows);
        rows_of(other, &anew);
        assert_true(gt_bytes_equal(gt_buf_bytes(&rows), gt_buf_bytes(&anew)));
        drop_query(&f->a, other);
        gt_buf_free(&rows);
        gt_buf_free(&anew);
    }
    assert_true(failures > 5);
    test_handle_drop(item);
    drop_query(&f->a, query);
}

/* [kind, query, what happened to the row, …] */
static uint32_t row_changes(test_handles *f, int64_t kinds[4]) {
    gt_buf changes;
    gt_bytes change, part;
    uint32_t count = 0;
    gt_buf_init(&changes, &gt_alloc_system);
    assert_int_equal(gt_db_advance(f->a.db, &changes, NULL), GOAT_OK);
    for (gt_iter iter = gt_array_iter(gt_buf_bytes(&changes)); gt_array_next(&iter, &change);) {
        int64_t parts[3] = {-1, -1, -1};
        gt_iter inner = gt_array_iter(change);
        for (int i = 0; i < 3 && gt_array_next(&inner, &part); i++) gt_value_as_int64(part, &parts[i]);
        if (parts[0] != GOAT_CHANGE_ROW) continue;
        assert_true(count < 4);
        kinds[count++] = parts[2];
    }
    gt_buf_free(&changes);
    return count;
}

static void an_advance_tells_of_what_nobody_asked_for(void **state) {
    test_handles *f = *state;
    int64_t kinds[4];
    goat_item *item = item_of(f, "x"), *other = item_of(f, "y");
    assert_int_equal(splice(item, 0, 0, "a"), GOAT_OK);
    goat_query *query = open_query(&f->a);
    assert_int_equal(row_changes(f, kinds), 0);
    for (int i = 0; i < 10; i++) assert_int_equal(splice(item, 1, 0, "b"), GOAT_OK);
    assert_int_equal(row_changes(f, kinds), 1); /* once, however often it was edited */
    assert_int_equal(kinds[0], GOAT_ROW_UPDATED);
    assert_int_equal(row_changes(f, kinds), 0);
    assert_int_equal(splice(other, 0, 0, "c"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK); /* saved before anybody asked */
    assert_int_equal(row_changes(f, kinds) > 0, true);
    assert_int_equal(kinds[0], GOAT_ROW_MOVED);
    test_handle_drop(item);
    test_handle_drop(other);
    drop_query(&f->a, query);
}

static void random_change(test_handles *f, test_random *random) {
    static const char *const texts[] = {"", "a", "m", "goat"};
    char key[8];
    snprintf(key, sizeof key, "k%u", (unsigned)test_random_below(random, 6));
    goat_item *item = item_of(f, key);
    switch (test_random_below(random, 8)) {
    case 0: assert_int_equal(gt_item_delete(item, test_random_below(random, 2) == 0, NULL), GOAT_OK); break;
    case 1: { /* typed and taken back: a work of which nothing is left */
        assert_int_equal(splice(item, 0, 0, "x"), GOAT_OK);
        assert_int_equal(splice(item, 0, 1, ""), GOAT_OK);
        break;
    }
    case 2: {
        gt_edit edit = {.operation = GT_UNSET};
        assert_int_equal(gt_item_edit(item, gt_bytes_text("body"), &edit, NULL), GOAT_OK);
        break;
    }
    default:
        splice(item, test_random_below(random, 4), test_random_below(random, 3), texts[test_random_below(random, 4)]);
    }
    test_handle_drop(item);
}

/* Whenever it is asked an old query has the rows of one that is made only now. */
static void whenever_it_is_asked_a_query_is_up_to_date(void **state) {
    test_handles *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    goat_query *query = open_query(&f->a);
    for (int i = 0; i < 3000; i++) {
        uint32_t what = test_random_below(&random, 30);
        if (what == 0) assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
        if (what == 1) assert_int_equal(gt_db_advance(f->a.db, NULL, NULL), GOAT_OK);
        if (what != 2) {
            random_change(f, &random);
            continue;
        }
        gt_buf rows, wanted;
        goat_query *fresh = open_query(&f->a);
        rows_of(query, &rows);
        rows_of(fresh, &wanted);
        assert_int_equal(rows.len, wanted.len);
        assert_memory_equal(rows.data, wanted.data, rows.len);
        gt_buf_free(&rows);
        gt_buf_free(&wanted);
        drop_query(&f->a, fresh);
    }
    drop_query(&f->a, query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_memory_no_row_is_lost, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(edits_wait_until_somebody_asks, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(an_advance_tells_of_what_nobody_asked_for, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(whenever_it_is_asked_a_query_is_up_to_date, set_up, test_handles_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
