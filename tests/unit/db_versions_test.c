/* core/db: programs of two versions of a schema on one network, versions that are retired, and what registering one says. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_link.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdlib.h>

typedef test_trio fixture;

/* The server knows both versions, `one` is an old program, `two` a new one; both are connected. */
static void begin(fixture *f) {
    test_trio_begin(f);
    assert_int_equal(test_handle_schema(&f->server, test_goat_2), GOAT_OK);
    test_trio_join(f, &f->one);
    test_trio_join(f, &f->two);
    assert_int_equal(test_handle_schema(&f->two, test_goat_2), GOAT_OK);
    test_world_meet(&f->world);
}

static void meet(fixture *f) {
    test_world_pass(&f->world, 400); /* what is edited is captured */
    test_world_meet(&f->world);
    test_handle_advance(&f->one);
    test_handle_advance(&f->two);
}

static void old_and_new_programs_edit_the_same_item(void **state) {
    fixture *f = *state;
    begin(f);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 3, raw: bytes(01)}"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a'}");
    assert_int_equal(test_handle_set(&f->two, "x", "extra", "'new'"), GOAT_OK);
    assert_int_equal(test_handle_set(&f->two, "x", "text", "'b'"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->one, "x", "{text: 'a', size: 3, raw: bytes(01)}"); /* it reads at its own version */
    assert_int_equal(test_handle_set(&f->one, "x", "size", "4"), GOAT_OK);
    assert_int_equal(test_handle_set(&f->one, "x", "votes", "7"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->one, "x", "{text: 'a', size: 4, raw: bytes(01), votes: 7}");
    test_handle_shows(&f->two, "x", "{text: 'b', extra: 'new', votes: 7}");
    test_assert_equal(&f->one, &f->two); /* digests are taken at the newest version */
    test_assert_equal(&f->one, &f->server);
    test_trio_end(f);
}

static void an_old_program_finds_its_version_again_after_it_was_closed(void **state) {
    fixture *f = *state;
    begin(f);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 3}"), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_set(&f->two, "x", "extra", "'new'"), GOAT_OK);
    meet(f);
    for (int i = 0; i < 2; i++) {
        test_trio_part(f, &f->one);
        test_trio_close(f, &f->one);
        test_trio_join(f, &f->one);
        test_world_meet(&f->world);
        test_handle_shows(&f->one, "x", "{text: 'a', size: 3}");
    }
    test_trio_end(f);
}

static void a_version_is_retired_and_taken_back(void **state) {
    fixture *f = *state;
    gt_bytes ns = gt_bytes_text("goat");
    begin(f);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 3}"), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_set(&f->two, "x", "extra", "'new'"), GOAT_OK);
    assert_int_equal(test_handle_create(&f->two, "y", "{extra: 'only'}"), GOAT_OK);
    meet(f);
    gt_diag diag;
    gt_diag_init(&diag);
    assert_int_equal(gt_db_retire_schema(f->two.db, ns, 2, true, &diag), GOAT_FORBIDDEN);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 3, true, &diag), GOAT_NO_SCHEMA);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 1, true, &diag), GOAT_INVALID);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 2, true, &diag), GOAT_OK);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 2, true, &diag), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 3}");
    test_assert_equal(&f->one, &f->two);
    assert_int_equal(test_handle_set(&f->two, "x", "size", "5"), GOAT_OK); /* it writes at version 1 now */
    meet(f);
    test_handle_shows(&f->one, "x", "{text: 'a', size: 5}");
    test_trio_part(f, &f->two);
    test_trio_close(f, &f->two);
    test_trio_join(f, &f->two); /* it learns of that before it reads anything */
    assert_int_equal(test_handle_schema(&f->two, test_goat_2), GOAT_OK);
    test_world_meet(&f->world);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 5}");
    gt_buf schemas;
    gt_buf_init(&schemas, &gt_alloc_system);
    gt_db_schemas(f->two.db, &schemas);
    gt_bytes definition = {0};
    bool retired = false;
    for (gt_iter iter = gt_array_iter(gt_buf_bytes(&schemas)); gt_array_next(&iter, &definition);) {
    }
    assert_int_equal(gt_value_check(gt_buf_bytes(&schemas), 0, NULL), GOAT_OK);
    assert_true(gt_value_as_bool(gt_map_find(definition, gt_bytes_text("retired")), &retired) && retired);
    gt_buf_free(&schemas);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 2, false, &diag), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', extra: 'new'}");
    test_handle_shows(&f->two, "y", "{extra: 'only'}");
    test_assert_equal(&f->one, &f->two);
    assert_int_equal(test_handle_verify(&f->server), 0);
    test_trio_end(f);
}

/* What he edits stands on what is not seen any more; he reads again, and nothing of what he saw is kept for ever. */
static void an_edit_at_a_version_that_has_just_been_retired_ends_well(void **state) {
    fixture *f = *state;
    gt_bytes ns = gt_bytes_text("goat");
    begin(f);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 3}"), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_set(&f->two, "x", "extra", "'new'"), GOAT_OK);
    meet(f);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 2, true, NULL), GOAT_OK);
    test_world_meet(&f->world); /* nobody advances: he still sees the version that is retired */
    assert_int_equal(test_handle_set(&f->two, "x", "text", "'b'"), GOAT_OK);
    test_world_pass(&f->world, 400);
    test_world_meet(&f->world);
    assert_int_equal(test_handle_set(&f->one, "x", "size", "4"), GOAT_OK);
    test_world_pass(&f->world, 400);
    test_world_meet(&f->world);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 4}");
    test_assert_equal(&f->one, &f->two);
    test_trio_end(f); /* all memory is given back */
}

static void edits_that_are_not_captured_yet_stay_at_their_version(void **state) {
    fixture *f = *state;
    begin(f);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 3}"), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_set(&f->one, "x", "size", "4"), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->one, test_goat_2), GOAT_OK);
    assert_int_equal(test_handle_set(&f->one, "x", "text", "'b'"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->one, "x", "{text: 'b'}");
    assert_int_equal(test_handle_set(&f->one, "x", "extra", "'new'"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'b', extra: 'new'}");
    test_assert_equal(&f->one, &f->two);
    test_trio_end(f);
}

static void steps_that_do_not_fit_are_not_registered(void **state) {
    fixture *f = *state;
    test_trio_begin(f);
    assert_int_equal(test_handle_schema(&f->server, "{\"ns\": \"goat\", \"version\": 2, \"fields\": {},"
                                                    "\"upgrade\": [{\"drop\": \"horns\"}]}"),
                     GOAT_INVALID);
    assert_string_equal(f->server.diag.rule, "upgrade");
    assert_string_equal(f->server.diag.field, "horns");
    assert_null(gt_registry_find(gt_db_database(f->server.db)->schemas, gt_bytes_text("goat"), 2));
    test_trio_end(f);
}

/* ---- calls of the host ---- */

static const char with_call[] =
    "{\"ns\": \"goat\", \"version\": 2, \"fields\": {\"text\": {\"type\": \"string\"}, \"size\": {\"type\": "
    "\"string\"}},"
    "\"upgrade\": [{\"call\": \"size\", \"with\": \"in words\", \"to\": \"string\", \"else\": \"odd\"}]}";

/* 1 is one, 2 is of another type than it should be, and of what is more nothing is made. */
static goat_status in_words(void *userdata, const uint8_t *value, size_t value_len, goat_buf *out) {
    int64_t size = 0;
    *(int *)userdata += 1;
    gt_value_as_int64(gt_bytes_of(value, value_len), &size);
    if (size > 2) return GOAT_NOT_FOUND;
    return size == 1 ? goat_value_from_json("\"one\"", 5, out, NULL) : goat_value_from_json("2", 1, out, NULL);
}

static void count_free(void *userdata) { *(int *)userdata += 1000; }

static goat_status register_call(test_handle *handle, goat_upgrade_fn call, int *calls) {
    return gt_db_on_upgrade(handle->db, gt_bytes_text("in words"), call, calls, count_free, &handle->diag);
}

static void a_function_of_the_host_carries_values_where_it_is_there(void **state) {
    fixture *f = *state;
    int calls[2] = {0}, later = 0;
    test_trio_begin(f);
    test_trio_join(f, &f->one);
    test_trio_join(f, &f->two);
    test_world_meet(&f->world);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 1}"), GOAT_OK);
    assert_int_equal(test_handle_create(&f->one, "y", "{text: 'a', size: 2}"), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->server, with_call), GOAT_INVALID); /* there is none of that name */
    assert_string_equal(f->server.diag.rule, "upgrade");
    assert_int_equal(register_call(&f->server, in_words, &calls[0]), GOAT_OK);
    assert_int_equal(register_call(&f->two, in_words, &calls[1]), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->server, with_call), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->two, with_call), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 'one'}");
    test_handle_shows(&f->two, "y", "{text: 'a', size: 'odd'}");
    test_handle_shows(&f->one, "x", "{text: 'a', size: 1}");
    assert_int_equal(test_handle_set(&f->one, "y", "size", "1"), GOAT_OK);
    assert_int_equal(test_handle_set(&f->two, "x", "size", "'1.0'"), GOAT_OK);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: '1.0'}");
    test_handle_shows(&f->two, "y", "{text: 'a', size: 'one'}");
    test_handle_shows(&f->one, "x", "{text: 'a', size: 1}"); /* the version is not known: carried, and not shown */
    assert_int_equal(test_handle_create(&f->two, "z", "{size: 'new'}"), GOAT_OK);
    meet(f);
    test_assert_equal(&f->one, &f->two); /* nothing that it made is in a digest */
    assert_int_equal(register_call(&f->one, in_words, &later), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->one, with_call), GOAT_OK);
    test_handle_advance(&f->one);
    test_handle_shows(&f->one, "x", "{text: 'a', size: '1.0'}"); /* and is known when the function comes */
    test_handle_shows(&f->one, "z", "{size: 'new'}");
    assert_int_equal(register_call(&f->one, NULL, &later), GOAT_OK);
    test_handle_advance(&f->one);
    test_handle_shows(&f->one, "x", "{text: 'a', size: 1}");
    assert_true(calls[1] > 0);
    test_trio_end(f);
    assert_int_equal(calls[0] / 1000, 1); /* freed once each */
    assert_int_equal(calls[1] / 1000, 1);
    assert_int_equal(later / 1000, 2);
}

static void a_network_declares_calls_off_and_on_again(void **state) {
    fixture *f = *state;
    int calls[2] = {0};
    gt_bytes ns = gt_bytes_text("sys.calls");
    test_trio_begin(f);
    test_trio_join(f, &f->one);
    test_trio_join(f, &f->two);
    test_world_meet(&f->world);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a', size: 1}"), GOAT_OK);
    assert_int_equal(register_call(&f->server, in_words, &calls[0]), GOAT_OK);
    assert_int_equal(register_call(&f->two, in_words, &calls[1]), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->two, with_call), GOAT_OK); /* known to this process alone */
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 'one'}");
    assert_int_equal(gt_db_retire_schema(f->two.db, ns, 1, true, &f->two.diag), GOAT_FORBIDDEN);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 1, true, &f->server.diag), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->server, with_call), GOAT_FORBIDDEN);
    meet(f);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 1}"); /* back at the version before */
    test_trio_part(f, &f->two);
    test_trio_close(f, &f->two);
    test_trio_join(f, &f->two); /* it is known before anything is read */
    assert_int_equal(register_call(&f->two, in_words, &calls[1]), GOAT_OK);
    assert_int_equal(test_handle_schema(&f->two, with_call), GOAT_FORBIDDEN);
    assert_int_equal(gt_db_retire_schema(f->server.db, ns, 1, false, &f->server.diag), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_schema(&f->two, with_call), GOAT_OK);
    test_handle_shows(&f->two, "x", "{text: 'a', size: 'one'}");
    assert_int_equal(test_handle_verify(&f->server), 0);
    test_trio_end(f);
}

/* ---- what changes ---- */

static void assert_changes(gt_bytes changes, const char *expected) {
    gt_buf all;
    gt_bytes change, text;
    gt_buf_init(&all, &gt_alloc_system);
    for (gt_iter iter = gt_array_iter(changes); gt_array_next(&iter, &change);) {
        static const char *const names[] = {"risk", "what", "field"};
        for (size_t i = 0; i < 3; i++) {
            gt_bytes member = gt_map_find(change, gt_bytes_text(names[i]));
            if (member.data == NULL || !gt_value_as_text(member, &text)) continue;
            gt_buf_append(&all, text.data, text.len);
            gt_buf_append(&all, " ", i < 2 ? 1 : 0);
        }
        assert_non_null(gt_map_find(change, gt_bytes_text("message")).data);
        gt_buf_append(&all, "\n", 1);
    }
    gt_buf_append_byte(&all, 0);
    assert_int_equal(gt_value_check(changes, 0, NULL), GOAT_OK);
    assert_string_equal((const char *)all.data, expected);
    gt_buf_free(&all);
}

static void a_check_names_what_is_lost_and_what_is_refused(void **state) {
    fixture *f = *state;
    gt_buf changes;
    gt_diag diag;
    test_trio_begin(f);
    gt_buf_init(&changes, &gt_alloc_system);
    gt_diag_init(&diag);
    static const char first[] = "{\"ns\": \"cow\", \"version\": 1, \"fields\": {"
                                "\"a\": {\"type\": \"string\"}, \"b\": {\"type\": \"string\", \"max_length\": 5},"
                                "\"c\": {\"type\": \"number\", \"min\": 0}, \"d\": {\"type\": \"set\"},"
                                "\"e\": {\"type\": \"string\", \"enum\": [\"x\", \"y\"]}, \"f\": {\"type\": \"map\"},"
                                "\"g\": {\"type\": \"string\"}, \"h\": {\"type\": \"counter\"}}}";
    static const char second[] =
        "{\"ns\": \"cow\", \"version\": 2, \"fields\": {"
        "\"a\": {\"type\": \"string\", \"required\": true}, \"bb\": {\"type\": \"string\", \"max_length\": 4},"
        "\"c\": {\"type\": \"number\", \"min\": -1}, \"e\": {\"type\": \"string\", \"enum\": [\"X\", \"y\", \"z\"]},"
        "\"f\": {\"type\": \"map\"}, \"g\": {\"type\": \"number\", \"max\": 9}, \"h\": {\"type\": \"number\"},"
        "\"new\": {\"type\": \"string\", \"required\": true}, \"out\": {\"type\": \"date\"}},"
        "\"upgrade\": [{\"rename\": \"b\", \"to\": \"bb\"}, {\"map\": \"e\", \"values\": [[\"x\", \"X\"]]},"
        "{\"convert\": \"g\", \"to\": \"number\"}, {\"move\": [\"f\", \"out\"], \"to\": \"out\"}]}";
    assert_int_equal(gt_db_check_schema(f->server.db, gt_bytes_text(first), &changes, &diag), GOAT_OK);
    assert_changes(gt_buf_bytes(&changes), ""); /* there is none before it */
    assert_int_equal(test_handle_schema(&f->server, first), GOAT_OK);
    gt_buf_clear(&changes);
    assert_int_equal(gt_db_check_schema(f->server.db, gt_bytes_text(second), &changes, &diag), GOAT_OK);
    static const char expected[] = "loses dropped d\nloses dropped h\nrejects rules a\nloses mapped e\n"
                                   "loses converted g\nrejects rules g\nadded h\nrenamed b\nrejects rules bb\n"
                                   "rejects added new\nloses moved out\n";
    assert_changes(gt_buf_bytes(&changes), expected);
    assert_int_equal(test_handle_schema(&f->server, second), GOAT_OK);
    gt_buf_clear(&changes);
    assert_int_equal(gt_db_schema_changes(f->server.db, gt_bytes_text("cow"), 1, 2, &changes, &diag), GOAT_OK);
    assert_changes(gt_buf_bytes(&changes), expected);
    gt_buf_clear(&changes);
    assert_int_equal(gt_db_schema_changes(f->server.db, gt_bytes_text("cow"), 2, 2, &changes, &diag), GOAT_OK);
    assert_changes(gt_buf_bytes(&changes), "");
    assert_int_equal(gt_db_schema_changes(f->server.db, gt_bytes_text("cow"), 2, 1, &changes, &diag), GOAT_INVALID);
    assert_int_equal(gt_db_schema_changes(f->server.db, gt_bytes_text("cow"), 1, 3, &changes, &diag), GOAT_NO_SCHEMA);
    gt_buf_free(&changes);
    test_trio_end(f);
}

static void a_check_looks_into_objects(void **state) {
    fixture *f = *state;
    gt_buf changes;
    gt_diag diag;
    test_trio_begin(f);
    gt_buf_init(&changes, &gt_alloc_system);
    gt_diag_init(&diag);
    static const char first[] =
        "{\"ns\": \"cow\", \"version\": 1, \"fields\": {\"name\": {\"type\": \"string\"}, \"home\": {\"type\": "
        "\"object\","
        "\"fields\": {\"city\": {\"type\": \"string\", \"pattern\": \"^[A-Z]\"}, \"zip\": {\"type\": \"string\"},"
        "\"number\": {\"type\": \"number\"}, \"old\": {\"type\": \"set\"}, \"tel\": {\"type\": \"string\"},"
        "\"geo\": {\"type\": \"object\", \"fields\": {\"lat\": {\"type\": \"number\", \"min\": -90},"
        "\"kind\": {\"type\": \"string\", \"enum\": [\"a\", \"b\"]}}}}}}}";
    static const char second[] =
        "{\"ns\": \"cow\", \"version\": 2, \"fields\": {\"name\": {\"type\": \"string\"},"
        "\"phone\": {\"type\": \"string\", \"max_length\": 20}, \"home\": {\"type\": \"object\","
        "\"fields\": {\"city\": {\"type\": \"string\", \"pattern\": \"^[A-Z]\"},"
        "\"zip\": {\"type\": \"string\", \"required\": true, \"max_length\": 5}, \"number\": {\"type\": \"string\"},"
        "\"new\": {\"type\": \"string\", \"required\": true},"
        "\"geo\": {\"type\": \"object\", \"fields\": {\"lat\": {\"type\": \"number\", \"min\": 0},"
        "\"kind\": {\"type\": \"string\", \"enum\": [\"a\", \"b\", \"c\"], \"merge\": \"either\"}}}}}},"
        "\"upgrade\": [{\"move\": [\"home\", \"tel\"], \"to\": \"phone\"}]}";
    assert_int_equal(test_handle_schema(&f->server, first), GOAT_OK);
    assert_int_equal(gt_db_check_schema(f->server.db, gt_bytes_text(second), &changes, &diag), GOAT_OK);
    assert_changes(gt_buf_bytes(&changes),
                   "loses dropped home.old\nloses dropped home.number\nrejects rules home.geo.lat\n"
                   "merge home.geo.kind\nrejects added home.new\nrejects rules home.zip\nrejects rules home.zip\n"
                   "added home.number\nrejects rules phone\n");
    gt_buf_free(&changes);
    test_trio_end(f);
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(fixture));
    return *state == NULL;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(old_and_new_programs_edit_the_same_item),
        CASE(an_old_program_finds_its_version_again_after_it_was_closed),
        CASE(a_version_is_retired_and_taken_back),
        CASE(an_edit_at_a_version_that_has_just_been_retired_ends_well),
        CASE(edits_that_are_not_captured_yet_stay_at_their_version),
        CASE(steps_that_do_not_fit_are_not_registered),
        CASE(a_function_of_the_host_carries_values_where_it_is_there),
        CASE(a_network_declares_calls_off_and_on_again),
        CASE(a_check_names_what_is_lost_and_what_is_refused),
        CASE(a_check_looks_into_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
