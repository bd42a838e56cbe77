/* abi/: queries that keep their result. */
#include "support/test.h"

#include "support/test_db.h"

#include <stdio.h>
#include <string.h>

#define with_tasks(test) cmocka_unit_test_setup_teardown(test, setup, test_db_teardown)

/* Five tasks, "a" to "e" with sizes 5 to 1. */
static int setup(void **state) {
    if (test_db_setup(state) != 0) return -1;
    test_db *f = *state;
    static const char edits[] = "[{\"key\": \"a\", \"schema\": \"task\", \"set\": {\"title\": \"A\", \"size\": 5}},"
                                "{\"key\": \"b\", \"schema\": \"task\", \"set\": {\"title\": \"B\", \"size\": 4}},"
                                "{\"key\": \"c\", \"schema\": \"task\", \"set\": {\"title\": \"C\", \"size\": 3}},"
                                "{\"key\": \"d\", \"schema\": \"task\", \"set\": {\"title\": \"D\", \"size\": 2}},"
                                "{\"key\": \"e\", \"schema\": \"task\", \"set\": {\"title\": \"E\", \"size\": 1}}]";
    assert_ok(goat_repo_apply_json(f->repo, TEXT(edits), 0, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    return 0;
}

static goat_query *open_query(test_db *f, goat_query *source, const char *spec) {
    goat_query *query = NULL;
    assert_ok(goat_query_open(f->repo, source, spec, strlen(spec), &query, NULL, &error));
    assert_int_not_equal(goat_query_id(query), 0);
    return query;
}

static uint32_t count_of(goat_query *query) {
    uint32_t count = 99;
    assert_ok(goat_query_count(query, &count, &error));
    return count;
}

static void assert_rows(goat_query *query, const char *json) {
    goat_buf rows = {0};
    assert_ok(goat_query_rows_json(query, 0, UINT32_MAX, &rows, &error));
    assert_string_equal(rows.data, json);
    goat_buf_free(&rows);
}

static void rows_are_filtered_sorted_and_projected(void **state) {
    test_db *f = *state;
    goat_buf rows = {0};
    goat_query *query =
        open_query(f, NULL,
                   "{\"where\": {\"size\": {\"$gte\": 2}}, \"sort\": [\"size\"], \"offset\": 1, \"limit\": 2,"
                   " \"fields\": [\"title\", \"done\"]}");
    assert_int_equal(count_of(query), 2);
    assert_rows(query,
                "{\"key\":\"c\",\"done\":false,\"title\":\"C\"}\n{\"key\":\"b\",\"done\":false,\"title\":\"B\"}\n");
    assert_ok(goat_query_rows(query, 1, 1, &rows, &error));
    const char *json = test_db_json(&rows);
    assert_int_equal(strncmp(json, "[[\"b\",", 6), 0);
    assert_non_null(strstr(json, ",{\"done\":false,\"title\":\"B\"}]]"));
    assert_ok(goat_query_rows(query, 2, UINT32_MAX, &rows, &error));
    assert_string_equal(test_db_json(&rows), "[]");
    assert_ok(goat_query_rows(query, UINT32_MAX, UINT32_MAX, &rows, &error));
    assert_string_equal(test_db_json(&rows), "[]");
    goat_buf_free(&rows);
    goat_query_free(query);
}

static void a_query_sees_own_edits_at_once_and_tells_them_at_the_advance(void **state) {
    test_db *f = *state;
    goat_buf changes = {0};
    char wanted[128];
    goat_query *query = open_query(f, NULL,
                                   "{\"where\": {\"size\": {\"$lt\": 3}}, \"sort\": [\"size\"],"
                                   " \"fields\": [\"size\"]}");
    assert_ok(goat_db_advance(f->db, NULL, &error));
    goat_item *item = test_db_item(f->db, "/data/tasks/a");
    test_db_set(item, "size", "0");
    assert_rows(query, "{\"key\":\"a\",\"size\":0}\n{\"key\":\"e\",\"size\":1}\n{\"key\":\"d\",\"size\":2}\n");
    goat_item *made = test_db_create(f, "/data/tasks/new", "new"); /* without size: not among them */
    assert_int_equal(count_of(query), 3);
    test_db_set(made, "size", "1.5");
    assert_rows(query, "{\"key\":\"a\",\"size\":0}\n{\"key\":\"e\",\"size\":1}\n{\"key\":\"new\",\"size\":1.5}\n"
                       "{\"key\":\"d\",\"size\":2}\n");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_int_equal(count_of(query), 4); /* captured, and still the same rows */
    assert_ok(goat_db_advance(f->db, &changes, &error));
    const char *json = test_db_json(&changes);
    snprintf(wanted, sizeof wanted, "[2,%u,0,0,", goat_query_id(query));
    assert_non_null(strstr(json, wanted));
    snprintf(wanted, sizeof wanted, "[2,%u,0,2,", goat_query_id(query));
    assert_non_null(strstr(json, wanted));
    assert_non_null(strstr(json, "\"/data/tasks/new\"]"));
    assert_ok(goat_item_delete(made, true, &error));
    assert_int_equal(count_of(query), 3);
    goat_buf_free(&changes);
    goat_item_free(item);
    goat_item_free(made);
    goat_query_free(query);
}

static void looking_up_goes_by_the_first_sort_field(void **state) {
    test_db *f = *state;
    uint32_t position = 9, count = 9;
    goat_buf three = test_db_value("3"), half = test_db_value("2.5");
    goat_query *query = open_query(f, NULL, "{\"sort\": [\"-size\"]}");
    assert_ok(goat_query_find(query, three.data, three.size, &position, &count, &error));
    assert_int_equal(position, 2);
    assert_int_equal(count, 1);
    assert_ok(goat_query_find(query, half.data, half.size, &position, NULL, &error));
    assert_int_equal(position, 3);
    assert_fails(GOAT_INVALID, goat_query_find(query, (const uint8_t *)"\x18\x01", 2, &position, &count, &error));
    goat_query_free(query);
    query = open_query(f, NULL, "{}");
    assert_fails(GOAT_MISUSE, goat_query_find(query, three.data, three.size, &position, &count, &error));
    assert_int_equal(position, 0);
    goat_query_free(query);
    goat_buf_free(&three);
    goat_buf_free(&half);
}

static void a_query_looks_through_another(void **state) {
    test_db *f = *state;
    goat_query *small = open_query(f, NULL, "{\"where\": {\"size\": {\"$lt\": 4}}}");
    goat_query *named = open_query(f, small, "{\"where\": {\"title\": {\"$gte\": \"D\"}}, \"fields\": [\"title\"]}");
    assert_rows(named, "{\"key\":\"d\",\"title\":\"D\"}\n{\"key\":\"e\",\"title\":\"E\"}\n");
    goat_item *item = test_db_item(f->db, "/data/tasks/e");
    test_db_set(item, "size", "50");
    assert_rows(named, "{\"key\":\"d\",\"title\":\"D\"}\n");
    goat_query_free(small); /* the other goes on */
    test_db_set(item, "size", "0");
    assert_int_equal(count_of(named), 2);
    goat_item_free(item);
    goat_query_free(named);
}

static void a_source_is_of_the_same_handle_and_repository(void **state) {
    test_db *f = *state;
    goat_repo *other = NULL;
    goat_query *query = NULL;
    goat_query *source = open_query(f, NULL, "{}");
    assert_ok(goat_repo_open(f->db, TEXT("/data/other"), 0, &other, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_query_open(other, source, TEXT("{}"), &query, NULL, &error));
    assert_null(query);
    goat_repo_free(other);
    goat_query_free(source);
}

static void a_spec_that_is_wrong_says_what(void **state) {
    test_db *f = *state;
    goat_query *query = NULL;
    goat_error *why = NULL;
    assert_fails(GOAT_INVALID, goat_query_open(f->repo, NULL, TEXT("{"), &query, NULL, &error));
    assert_fails(GOAT_INVALID, goat_query_open(f->repo, NULL, TEXT("[]"), &query, NULL, &error));
    assert_fails(GOAT_INVALID, goat_query_open(f->repo, NULL, TEXT("{\"limit\": -1}"), &query, NULL, &error));
    static const char spec[] = "{\"where\": {\"size\": {\"$near\": 3}}}";
    assert_int_equal(goat_query_open(f->repo, NULL, spec, sizeof spec - 1, &query, NULL, &why), GOAT_INVALID);
    assert_non_null(strstr(goat_error_detail(why, GOAT_DETAIL_FIELD), "$near"));
    goat_error_free(why);
    assert_null(query);
}

static void the_first_result_may_be_a_job(void **state) {
    test_db *f = *state;
    goat_query *query = NULL;
    goat_job *job = NULL;
    uint32_t count = 9;
    goat_buf rows = {0};
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{}"), &query, &job, &error));
    assert_fails(GOAT_LOADING, goat_query_count(query, &count, &error));
    assert_int_equal(count, 0);
    assert_fails(GOAT_LOADING, goat_query_rows(query, 0, 1, &rows, &error));
    while (goat_job_wait(job, 0, NULL) == GOAT_TIMEOUT) assert_ok(goat_db_run(f->db, -1, 0, NULL, &error));
    assert_ok(goat_job_wait(job, 0, &error));
    assert_int_equal(count_of(query), 5);
    goat_job_free(job);
    goat_query_free(query);
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{}"), &query, &job, &error));
    goat_query_free(query); /* before it is done */
    while (goat_job_wait(job, 0, NULL) == GOAT_TIMEOUT) assert_ok(goat_db_run(f->db, -1, 0, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_job_wait(job, 0, &error));
    goat_job_free(job);
    goat_buf_free(&rows);
}

static void a_transaction_is_in_no_query_before_it_is_committed(void **state) {
    test_db *f = *state;
    goat_tx *tx = NULL;
    goat_item *item = NULL;
    goat_query *query = open_query(f, NULL, "{\"where\": {\"size\": 1}}");
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_item_open(f->db, tx, TEXT("/data/tasks/a"), &item, &error));
    test_db_set(item, "size", "1");
    assert_int_equal(count_of(query), 1);
    assert_ok(goat_tx_commit(tx, NULL, 0, NULL, &error));
    assert_int_equal(count_of(query), 2);
    goat_item_free(item);
    goat_tx_free(tx);
    goat_query_free(query);
}

/* ---- order stamps ---- */

static const char in_the_list[] =
    "{\"where\": {\"place\": {\"$exists\": true}}, \"sort\": [\"place\"], \"fields\": [\"title\"]}";

static void a_list_is_kept_in_order_by_its_stamps(void **state) {
    test_db *f = *state;
    goat_query *query = open_query(f, NULL, in_the_list);
    goat_item *a = test_db_item(f->db, "/data/tasks/a"), *b = test_db_item(f->db, "/data/tasks/b");
    goat_item *c = test_db_item(f->db, "/data/tasks/c"), *d = test_db_item(f->db, "/data/tasks/d");
    test_db_place(f->db, c, NULL, NULL);
    test_db_place(f->db, d, NULL, c);
    test_db_place(f->db, a, c, NULL);
    test_db_place(f->db, b, d, c);
    assert_rows(query, "{\"key\":\"d\",\"title\":\"D\"}\n{\"key\":\"b\",\"title\":\"B\"}\n"
                       "{\"key\":\"c\",\"title\":\"C\"}\n{\"key\":\"a\",\"title\":\"A\"}\n");
    test_db_place(f->db, d, c, a); /* moved: one write */
    assert_rows(query, "{\"key\":\"b\",\"title\":\"B\"}\n{\"key\":\"c\",\"title\":\"C\"}\n"
                       "{\"key\":\"d\",\"title\":\"D\"}\n{\"key\":\"a\",\"title\":\"A\"}\n");
    goat_item_free(a);
    goat_item_free(b);
    goat_item_free(c);
    goat_item_free(d);
    goat_query_free(query);
}

static void items_with_one_stamp_stand_in_order_of_their_keys(void **state) {
    test_db *f = *state;
    static const char edits[] = "[{\"key\": \"e\", \"set\": {\"place\": \"n3w5e11264sgsf\"}},"
                                "{\"key\": \"c\", \"set\": {\"place\": \"n3w5e11264sgsf\"}},"
                                "{\"key\": \"d\", \"set\": {\"place\": \"n3w5e11264sgse\"}}]";
    goat_query *query = open_query(f, NULL, in_the_list);
    assert_ok(goat_repo_apply_json(f->repo, TEXT(edits), 0, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_rows(query,
                "{\"key\":\"d\",\"title\":\"D\"}\n{\"key\":\"c\",\"title\":\"C\"}\n{\"key\":\"e\",\"title\":\"E\"}\n");
    goat_query_free(query);
}

static void many_stamps_come_as_an_array_of_texts(void **state) {
    test_db *f = *state;
    goat_buf stamps = {0};
    assert_ok(goat_orderstamp_between(f->db, NULL, 0, NULL, 0, 0, &stamps, &error));
    assert_string_equal(test_db_json(&stamps), "[]");
    assert_ok(goat_orderstamp_between(f->db, TEXT("e0000000000000"), TEXT("v0000000000000"), 2, &stamps, &error));
    const char *json = test_db_json(&stamps);
    assert_int_equal(strlen(json), 2 + 2 * 16 + 1);
    assert_true(json[2] == 'j' && json[19] == 'p'); /* a third and two thirds of the way */
    assert_ok(goat_orderstamp_between(f->db, NULL, 0, NULL, 0, 65536, &stamps, &error));
    assert_int_equal(stamps.data[0], 0x9a);
    assert_fails(GOAT_TOO_LARGE, goat_orderstamp_between(f->db, NULL, 0, NULL, 0, 65537, &stamps, &error));
    goat_buf_free(&stamps);
}

static void what_is_no_stamp_is_refused(void **state) {
    test_db *f = *state;
    goat_buf stamps = {0};
    goat_error *why = NULL;
    goat_item *item = test_db_item(f->db, "/data/tasks/a");
#define BETWEEN(low, high, error)                                                                                      \
    goat_orderstamp_between(f->db, low, strlen(low), high, strlen(high), 1, &stamps, error)
    assert_int_equal(BETWEEN("n0000-00000000", "", &why), GOAT_INVALID);
    assert_string_equal(goat_error_message(why), "the stamp before is none: it has another character than 0-9 and a-z");
    assert_int_equal((int)goat_error_position(why), 5);
    goat_error_free(why);
    assert_fails(GOAT_INVALID, BETWEEN("", "first", &error));
    assert_fails(GOAT_INVALID, BETWEEN("n3w5e11264sgsf", "n3w5e11264sgsf", &error));
    assert_fails(GOAT_INVALID, BETWEEN("o3w5e11264sgsf", "n3w5e11264sgsf", &error));
#undef BETWEEN
    assert_int_equal(goat_item_set_text(item, TEXT("place"), TEXT("first"), &why), GOAT_INVALID);
    assert_string_equal(goat_error_message(why), "\"place\" is no order stamp: it ends too early");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "type");
    goat_error_free(why);
    test_db_assert_field(item, "place", NULL);
    goat_item_free(item);
    goat_buf_free(&stamps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_tasks(rows_are_filtered_sorted_and_projected),
        with_tasks(a_query_sees_own_edits_at_once_and_tells_them_at_the_advance),
        with_tasks(looking_up_goes_by_the_first_sort_field),
        with_tasks(a_query_looks_through_another),
        with_tasks(a_source_is_of_the_same_handle_and_repository),
        with_tasks(a_spec_that_is_wrong_says_what),
        with_tasks(the_first_result_may_be_a_job),
        with_tasks(a_transaction_is_in_no_query_before_it_is_committed),
        with_tasks(a_list_is_kept_in_order_by_its_stamps),
        with_tasks(items_with_one_stamp_stand_in_order_of_their_keys),
        with_tasks(many_stamps_come_as_an_array_of_texts),
        with_tasks(what_is_no_stamp_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
