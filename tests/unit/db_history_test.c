/* core/db: the history of an item as a handle sees it. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_link.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

/* A page in short: of each commit its first field (of a damaged one its kind), "*" behind it for a head, "-" for one that is
 * hidden. `last` becomes the id of its last commit. */
static void page(goat_item *item, const gt_id *before, uint32_t limit, const char *expected, gt_id *last) {
    gt_buf out, line;
    gt_bytes commit, text;
    bool flag;
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_init(&line, &gt_alloc_system);
    gt_bytes id = before == NULL ? (gt_bytes){0} : gt_bytes_of(before->bytes, GT_ID_SIZE);
    assert_int_equal(gt_item_commits(item, id, limit, &out, NULL), GOAT_OK);
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
    gt_iter iter = gt_array_iter(gt_buf_bytes(&out));
    while (gt_array_next(&iter, &commit)) {
        gt_bytes names = gt_map_find(commit, gt_bytes_text("fields"));
        gt_iter fields = gt_array_iter(gt_array_or_empty(names));
        assert_true(names.data == NULL || gt_array_next(&fields, &text));
        if (names.data == NULL) text = gt_map_find(commit, gt_bytes_text("kind"));
        assert_true(gt_value_as_text(text, &text));
        if (line.len > 0) gt_buf_append_byte(&line, ' ');
        gt_buf_append(&line, text.data, text.len);
        assert_true(gt_value_as_bool(gt_map_find(commit, gt_bytes_text("head")), &flag));
        if (flag) gt_buf_append_byte(&line, '*');
        gt_bytes hidden = gt_map_find(commit, gt_bytes_text("hidden"));
        if (hidden.data != NULL) gt_buf_append_byte(&line, '-');
        assert_true(gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &text));
        if (last != NULL) memcpy(last->bytes, text.data, GT_ID_SIZE);
    }
    gt_buf_append_byte(&line, '\0');
    assert_string_equal((const char *)line.data, expected);
    gt_buf_free(&out);
    gt_buf_free(&line);
}

static void history_is(test_handle *handle, const char *key, const char *expected) {
    goat_item *item;
    assert_int_equal(test_handle_item(handle, NULL, key, &item), GOAT_OK);
    page(item, NULL, UINT32_MAX, expected, NULL);
    test_handle_drop(item);
}

static void edit(test_handle *handle, const char *key, const char *field, const char *value) {
    assert_int_equal(test_handle_set(handle, key, field, value), GOAT_OK);
    test_handle_pass(handle, 400); /* it is captured */
}

static void others_commits_are_met_once_they_are_seen(void **state) {
    test_handles *f = *state;
    goat_item *item;
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a'}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_advance(&f->b);
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &item), GOAT_OK);
    page(item, NULL, 9, "text*", NULL);
    edit(&f->a, "x", "votes", "1");
    edit(&f->a, "x", "size", "2");
    page(item, NULL, 9, "text*", NULL); /* on a handle that has looked before, and on a fresh one */
    history_is(&f->b, "x", "text*");
    history_is(&f->a, "x", "size* votes text");
    edit(&f->b, "x", "list", "[1]"); /* an own edit on what is seen */
    page(item, NULL, 9, "list* text", NULL);
    history_is(&f->b, "x", "list* text");
    history_is(&f->a, "x", "size* votes text");
    test_handle_advance(&f->b);
    page(item, NULL, 9, "list* size* votes text", NULL);
    history_is(&f->b, "x", "list* size* votes text");
    test_handle_drop(item);
    test_handle_advance(&f->a);
    history_is(&f->a, "x", "list* size* votes text");
    edit(&f->a, "x", "raw", "bytes(01)");
    history_is(&f->a, "x", "raw* list size votes text");
}

static void a_page_goes_on_over_an_advance(void **state) {
    test_handles *f = *state;
    goat_item *item;
    gt_id last;
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a'}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    edit(&f->a, "x", "votes", "1");
    test_handle_advance(&f->b);
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &item), GOAT_OK);
    edit(&f->a, "x", "size", "2");
    page(item, NULL, 1, "votes*", &last);
    test_handle_advance(&f->b);
    page(item, &last, 1, "text", &last);
    page(item, &last, 1, "", NULL);
    page(item, NULL, 2, "size* votes", &last);
    edit(&f->b, "x", "list", "[1]");
    page(item, &last, 9, "text", NULL);
    page(item, NULL, 1, "list*", NULL);
    test_handle_drop(item);
}

static void of_a_key_that_both_create_each_sees_his_own(void **state) {
    test_handles *f = *state;
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a'}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_create(&f->b, "x", "{votes: 1}"), GOAT_OK);
    goat_item *item;
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &item), GOAT_OK);
    page(item, NULL, 9, "", NULL); /* it is not captured yet */
    test_handle_pass(&f->a, 400);
    page(item, NULL, 9, "votes*", NULL);
    history_is(&f->a, "x", "text*");
    test_handle_advance(&f->b);
    page(item, NULL, 9, "votes* text*", NULL);
    test_handle_drop(item);
}

static void unsaved_edits_stand_on_the_heads_that_are_said(void **state) {
    test_handles *f = *state;
    goat_item *item;
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a'}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_advance(&f->b);
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &item), GOAT_OK);
    assert_int_equal(test_item_set(&f->b, item, "list", "[1]"), GOAT_OK);
    page(item, NULL, 9, "text*", NULL);
    test_handle_drop(item);
}

static void meet(test_trio *f) {
    test_world_pass(&f->world, 400); /* what is edited is captured */
    test_world_meet(&f->world);
    if (f->one.db != NULL) test_handle_advance(&f->one);
    test_handle_advance(&f->two);
}

static void what_an_old_program_cannot_read_is_hidden_and_no_head(void **state) {
    test_trio *f = *state;
    test_trio_begin(f);
    assert_int_equal(test_handle_schema(&f->server, test_goat_2), GOAT_OK);
    test_trio_join(f, &f->one);
    test_trio_join(f, &f->two);
    assert_int_equal(test_handle_schema(&f->two, test_goat_2), GOAT_OK);
    test_world_meet(&f->world);
    assert_int_equal(test_handle_create(&f->one, "x", "{text: 'a'}"), GOAT_OK);
    meet(f);
    assert_int_equal(test_handle_set(&f->two, "x", "extra", "'new'"), GOAT_OK);
    meet(f);
    history_is(&f->one, "x", "extra- text*");
    history_is(&f->two, "x", "extra* text");
    assert_int_equal(test_handle_set(&f->one, "x", "size", "3"), GOAT_OK);
    meet(f);
    history_is(&f->one, "x", "size* extra- text");
    history_is(&f->two, "x", "size* extra* text");
    assert_int_equal(test_handle_set(&f->two, "x", "votes", "1"), GOAT_OK); /* on both heads */
    test_world_pass(&f->world, 400);
    test_world_meet(&f->world);
    history_is(&f->one, "x", "size* extra- text"); /* it waits for the advance like any other */
    test_handle_advance(&f->one);
    history_is(&f->one, "x", "votes- size* extra- text");
    history_is(&f->two, "x", "votes* size extra text");
    test_trio_end(f);
}

/* ---- damage ---- */

#define LOG "repos/data/goats.log"
#define CHECKPOINT "repos/data/goats.checkpoint"

/* An item with five commits below a checkpoint, so that nobody knows before he looks; damaged in the one that holds `mark`. */
static void begin_damaged(test_machine *machine, test_handle *handle, const char *mark) {
    static char text[1200];
    test_machine_init(machine, 11);
    test_handle_open(handle, machine, TEST_THERE | GOAT_OPEN_CREATE);
    assert_int_equal(test_handle_create(handle, "x", "{text: 'abcdefghij'}"), GOAT_OK);
    test_handle_pass(handle, 400);
    edit(handle, "x", "votes", "1");
    edit(handle, "x", "raw", "bytes(6b6c6d6e6f7071727374)");
    edit(handle, "x", "list", "[1]");
    edit(handle, "x", "size", "2");
    memset(text, 'x', sizeof text);
    memcpy(text, "{text: '", 8);
    memcpy(text + sizeof text - 3, "'}", 3);
    for (int i = 0; i < 81; i++) {
        char key[8];
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(test_handle_create(handle, key, text), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
    assert_int_equal(test_handle_end(handle), GOAT_OK);
    assert_non_null(gt_sim_file(machine->disk, CHECKPOINT).data);
    gt_bytes log = gt_sim_file(machine->disk, LOG);
    size_t at = 0;
    while (memcmp(log.data + at, mark, 10) != 0) at++;
    gt_sim_flip_bit(machine->disk, LOG, 8 * at);
    test_handle_open(handle, machine, TEST_THERE);
}

static void a_damaged_commit_is_told_and_what_is_before_it(void **state) {
    test_machine machine;
    test_handle handle;
    goat_item *item;
    gt_id last;
    (void)state;
    begin_damaged(&machine, &handle, "klmnopqrst");
    assert_int_equal(test_handle_item(&handle, NULL, "x", &item), GOAT_OK);
    page(item, NULL, 9, "size* list damaged votes text", NULL);
    page(item, NULL, 3, "size* list damaged", &last);
    page(item, &last, 9, "votes text", NULL);
    test_handle_drop(item);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_machine_free(&machine);
}

static int trio_set_up(void **state) {
    static test_trio trio;
    *state = &trio;
    return 0;
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, test_handles_set_up, test_handles_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(others_commits_are_met_once_they_are_seen),
        CASE(a_page_goes_on_over_an_advance),
        CASE(of_a_key_that_both_create_each_sees_his_own),
        CASE(unsaved_edits_stand_on_the_heads_that_are_said),
        cmocka_unit_test(a_damaged_commit_is_told_and_what_is_before_it),
        cmocka_unit_test_setup(what_an_old_program_cannot_read_is_hidden_and_no_head, trio_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
