/* core/db: splices may wait until somebody looks, and come to the same. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/rich.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "{\"ns\": \"goat\", \"version\": 9, \"fields\": {\"body\": {\"type\": \"text\"}, "
    "\"few\": {\"type\": \"text\", \"min_length\": 3, \"max_length\": 12}, "
    "\"born\": {\"type\": \"text\"}, \"many\": {\"type\": \"text\", \"max_length\": 80000}, "
    "\"strict\": {\"type\": \"richtext\", \"pattern\": \"g\"}, "
    "\"doc\": {\"type\": \"richtext\"}, \"short\": {\"type\": \"richtext\", \"max_length\": 6}, "
    "\"page\": {\"type\": \"object\", \"fields\": {\"body\": {\"type\": \"text\"}, "
    "\"doc\": {\"type\": \"richtext\"}, "
    "\"strict\": {\"type\": \"richtext\", \"pattern\": \"g\"}, "
    "\"inner\": {\"type\": \"object\", \"fields\": {\"words\": {\"type\": \"text\"}}}, "
    "\"note\": {\"type\": \"text\", \"min_length\": 2}, \"number\": {\"type\": \"counter\"}, "
    "\"title\": {\"type\": \"string\"}}}}}";

static goat_item *create(test_handles *f, const char *key) {
    goat_item *item;
    assert_int_equal(test_handle_create(&f->a, key, "{}"), GOAT_OK);
    assert_int_equal(test_handle_item(&f->a, NULL, key, &item), GOAT_OK);
    return item;
}

static int set_up(void **state) {
    test_handles_set_up(state);
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, schema), GOAT_OK);
    return 0;
}

static gt_bytes value_of(goat_item *item, const char *name) {
    const gt_field *field;
    gt_bytes value;
    assert_int_equal(gt_item_field(item, gt_bytes_text(name), &field, &value, NULL), GOAT_OK);
    return value;
}

static goat_status splice(goat_item *item, const char *name, uint64_t position, uint64_t count, const char *text) {
    gt_edit edit = {.operation = GT_SPLICE, .splice = {GOAT_UNIT_CODE_POINT, position, count, gt_bytes_text(text)}};
    return gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
}

static void assert_delta(goat_item *item, gt_buf *delta) {
    gt_sight sight;
    gt_buf_init(delta, &gt_alloc_system);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    if (sight.work != NULL) assert_int_equal(gt_work_delta(sight.work, delta, NULL), GOAT_OK);
}

static void copies_little(test_handles *f, const char *key, const char *name) {
    enum { MANY = 20000 };
    goat_item *item = create(f, key);
    assert_int_equal(splice(item, name, 0, 0, ""), GOAT_OK);
    uint64_t before = f->machine.memory.bytes;
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(splice(item, name, (uint64_t)i * 7919 % (4 * i + 1), 0, "goat"), GOAT_OK);
    }
    assert_true(f->machine.memory.bytes - before < 8u << 20); /* 80 kB each time: 800 MB */
    assert_int_equal(value_of(item, name).len, 4 * MANY + 5);
    test_handle_drop(item);
}

static void many_splices_copy_little_each(void **state) {
    copies_little(*state, "x", "body");
    copies_little(*state, "y", "page.body");
    copies_little(*state, "z", "page.inner.words");
    copies_little(*state, "u", "many");
}

/* ---- the model: each operation is made, put to what was edited before, and applied ---- */

enum { FIELDS = 6 };

static const char *const field_names[FIELDS] = {"body", "few", "born", "page", "doc", "short"};

typedef struct model {
    const gt_field *field;
    gt_buf base, edit, value; /* empty: none */
} model;

static gt_bytes or_none(const gt_buf *buf) { return buf->len == 0 ? (gt_bytes){0} : gt_buf_bytes(buf); }

static void copy(gt_buf *to, const gt_buf *from) {
    gt_buf_clear(to);
    gt_buf_append(to, from->data, from->len);
}

static void model_init(model *m) {
    gt_buf_init(&m->base, &gt_alloc_system);
    gt_buf_init(&m->edit, &gt_alloc_system);
    gt_buf_init(&m->value, &gt_alloc_system);
}

static void model_free(model *m) {
    gt_buf_free(&m->base);
    gt_buf_free(&m->edit);
    gt_buf_free(&m->value);
}

static goat_status model_edit(model *m, const gt_edit *edit) {
    gt_buf single, both, value;
    gt_buf_init(&single, &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = gt_operation_make(m->field, or_none(&m->value), edit, &single, NULL);
    if (edit->inside_count == 0 && (edit->operation == GT_SET || edit->operation == GT_UNSET)) {
        gt_edit_diff(m->field, or_none(&m->base), edit->operation == GT_SET ? edit->value : (gt_bytes){0}, &both, NULL);
    } else if (status == GOAT_OK && single.len > 0) {
        gt_edit_compose(m->field, or_none(&m->base), or_none(&m->edit), gt_buf_bytes(&single), &both, NULL);
    } else {
        copy(&both, &m->edit);
    }
    copy(&value, &m->base);
    if (both.len > 0) {
        gt_buf_clear(&value);
        gt_edit_apply(m->field, or_none(&m->base), gt_buf_bytes(&both), &value, NULL);
        if (status == GOAT_OK && value.len > 0) status = gt_operation_check(m->field, gt_buf_bytes(&value), edit, NULL);
    }
    if (status == GOAT_OK) {
        copy(&m->edit, &both);
        copy(&m->value, &value);
    }
    gt_buf_free(&single);
    gt_buf_free(&both);
    gt_buf_free(&value);
    return status;
}

static void assert_bytes(gt_bytes a, gt_bytes b) {
    assert_int_equal(a.len, b.len);
    if (a.len > 0) assert_memory_equal(a.data, b.data, a.len);
}

static void assert_model(goat_item *item, const model *models) {
    gt_buf delta;
    size_t count = 0;
    assert_delta(item, &delta);
    for (int i = 0; i < FIELDS; i++) {
        gt_bytes edit =
            delta.len == 0 ? (gt_bytes){0} : gt_map_find(gt_buf_bytes(&delta), gt_bytes_text(field_names[i]));
        assert_bytes(edit, or_none(&models[i].edit));
        count += edit.data != NULL;
        assert_bytes(value_of(item, field_names[i]), or_none(&models[i].value));
    }
    if (delta.len > 0) assert_int_equal(gt_value_count(gt_buf_bytes(&delta)), count);
    gt_buf_free(&delta);
}

/* ---- random edits ---- */

typedef struct random_edit {
    const char *name;
    int field;
    gt_edit edit;
} random_edit;

static const char *const deltas[] = {"[{insert: 'a'}]",
                                     "[{retain: 1}, {insert: '\xf0\x9f\x90\x90', attributes: {b: 1}}]",
                                     "[{delete: 1}]",
                                     "[{retain: 2, attributes: {b: null}}]",
                                     "[{retain: 1}, {delete: 2}, {insert: 'go'}]",
                                     "[{retain: 1, attributes: {b: 1}}]",
                                     "[{insert: {i: 1}}]",
                                     "[{retain: 1}, {insert: 'x'}, {retain: 3}]"};

enum { DELTAS = sizeof(deltas) / sizeof(deltas[0]) };

static random_edit delta_of(test_random *random, const gt_bytes *values) {
    static const char *const names[] = {"doc", "short", "page.doc"};
    static const int fields[] = {4, 5, 3};
    uint32_t of = test_random_below(random, 3);
    gt_edit edit = {.operation = GT_DELTA, .value = values[test_random_below(random, DELTAS)]};
    if (test_random_below(random, 20) == 0) edit = (gt_edit){.operation = GT_UNSET};
    return (random_edit){names[of], fields[of], edit};
}

static random_edit edit_of(test_random *random) {
    static const char *const names[] = {"body", "few", "born", "page.body", "page.inner.words", "page.note"};
    static const int fields[] = {0, 1, 2, 3, 3, 3};
    static const char *const texts[] = {"", "a", "go", "\xc3\xa9\xf0\x9f\x90\x90"};
    static const uint8_t goat[] = "\x64goat";
    uint32_t what = test_random_below(random, 40), of = test_random_below(random, 6);
    random_edit made = {.name = names[of], .field = fields[of]};
    made.edit = (gt_edit){.operation = GT_SPLICE,
                          .splice = {GOAT_UNIT_UTF16, test_random_below(random, 12), test_random_below(random, 3),
                                     gt_bytes_text(texts[test_random_below(random, 4)])}};
    if (what == 0) made.edit = (gt_edit){.operation = GT_UNSET};
    if (what == 1) made.edit = (gt_edit){.operation = GT_SET, .value = gt_bytes_of(goat, 5)};
    if (what == 2) made.edit.operation = GT_INCREMENT; /* a text is no counter: what was spliced stays */
    if (what == 3) made = (random_edit){"page.number", 3, {.operation = GT_INCREMENT, .by = 1}};
    if (what == 4) made = (random_edit){"page.title", 3, {.operation = GT_SET, .value = gt_bytes_of(goat, 5)}};
    if (what == 5) made = (random_edit){"page.inner", 3, {.operation = GT_UNSET}};
    if (what == 6) made = (random_edit){"page", 3, {.operation = GT_UNSET}};
    return made;
}

static void captured(goat_item *item, model *models) {
    gt_sight sight;
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_null(sight.work);
    for (int i = 0; i < FIELDS; i++) {
        assert_bytes(gt_map_find(sight.base, gt_bytes_text(field_names[i])), or_none(&models[i].value));
        copy(&models[i].base, &models[i].value);
        gt_buf_clear(&models[i].edit);
    }
}

/* One item is looked at after each edit, the other seldom. */
static void whenever_it_is_looked_at_it_is_the_same(void **state) {
    test_handles *f = *state;
    test_random random;
    gt_bytes values[DELTAS];
    for (int i = 0; i < DELTAS; i++) values[i] = test_value(deltas[i]);
    test_random_init(&random, __func__);
    for (int round = 0; round < 60; round++) {
        char key[16];
        model models[FIELDS];
        gt_sight sight;
        snprintf(key, sizeof key, "often%d", round);
        goat_item *often = create(f, key);
        snprintf(key, sizeof key, "seldom%d", round);
        goat_item *seldom = create(f, key);
        assert_int_equal(gt_item_look(often, &sight, NULL), GOAT_OK);
        for (int i = 0; i < FIELDS; i++) {
            model_init(&models[i]);
            models[i].field = gt_schema_field(sight.schema, gt_bytes_text(field_names[i]));
        }
        for (int i = 0; i < 300; i++) {
            random_edit made = test_random_below(&random, 3) == 0 ? delta_of(&random, values) : edit_of(&random);
            gt_bytes name = gt_bytes_text(made.name);
            if (test_random_below(&random, 30) == 0) {
                test_handle_flush(&f->a, GOAT_DURABLE_MEMORY);
                captured(often, models);
                captured(seldom, models);
            }
            const gt_field *path[GT_PATH_FIELDS_MAX];
            gt_edit edit = made.edit;
            edit.inside_count = gt_schema_path(sight.schema, name, path) - 1;
            edit.inside = path + 1;
            goat_status status = model_edit(&models[made.field], &edit);
            assert_int_equal(gt_item_edit(often, name, &made.edit, NULL), status);
            assert_int_equal(gt_item_edit(seldom, name, &made.edit, NULL), status);
            assert_model(often, models);
            if (test_random_below(&random, 20) == 0) assert_model(seldom, models);
        }
        assert_model(seldom, models);
        for (int i = 0; i < FIELDS; i++) model_free(&models[i]);
        test_handle_drop(often);
        test_handle_drop(seldom);
    }
    for (int i = 0; i < DELTAS; i++) test_value_free(values[i]);
}

static void set_text(goat_item *item, const char *name, const char *notation) {
    gt_bytes value = test_value(notation);
    gt_edit edit = {.operation = GT_SET, .value = value};
    assert_int_equal(gt_item_edit(item, gt_bytes_text(name), &edit, NULL), GOAT_OK);
    test_value_free(value);
}

/* The object was unset, so that its text is a whole one; once it is what it was, an edit of it is one again. */
static void a_text_that_is_back_in_an_object_is_edited_anew(void **state) {
    test_handles *f = *state;
    goat_item *item = create(f, "x");
    gt_edit unset = {.operation = GT_UNSET};
    gt_buf delta;
    set_text(item, "page.title", "'t'");
    set_text(item, "page.body", "'abc'");
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(gt_item_edit(item, gt_bytes_text("page"), &unset, NULL), GOAT_OK);
    set_text(item, "page.title", "'u'");
    set_text(item, "page.body", "''");
    assert_int_equal(splice(item, "page.body", 0, 0, "abc"), GOAT_OK);
    assert_int_equal(splice(item, "page.body", 1, 0, "x"), GOAT_OK);
    assert_delta(item, &delta);
    gt_bytes expected = test_value("{page: {body: {0: [1, 'x']}, title: 'u'}}");
    assert_true(gt_bytes_equal(gt_buf_bytes(&delta), expected));
    test_value_free(expected);
    gt_buf_free(&delta);
    test_handle_drop(item);
}

static void what_is_typed_and_taken_back_is_not_unsaved(void **state) {
    test_handles *f = *state;
    gt_sight sight;
    goat_item *item = create(f, "x");
    assert_int_equal(splice(item, "body", 0, 0, "goat"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(splice(item, "body", 4, 0, "s"), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_true(sight.flags & GOAT_ITEM_UNSAVED);
    assert_int_equal(splice(item, "body", 4, 1, ""), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_false(sight.flags & GOAT_ITEM_UNSAVED);
    assert_int_equal(splice(item, "body", 9, 1, ""), GOAT_INVALID);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_false(sight.flags & GOAT_ITEM_UNSAVED);
    test_handle_drop(item);
}

/* Puts letters in front, into a text or a rich text. */
static goat_status put_in_front(goat_item *item, const char *name, bool is_rich, const char *letters) {
    char notation[64];
    if (!is_rich) return splice(item, name, 0, 0, letters);
    snprintf(notation, sizeof notation, "[{insert: '%s'}]", letters);
    gt_edit edit = {.operation = GT_DELTA, .value = test_value(notation)};
    goat_status status = gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
    test_value_free(edit.value);
    return status;
}

static uint32_t letters_of(goat_item *item, const char *name) {
    gt_bytes value = value_of(item, name);
    return (uint32_t)(gt_value_kind(value) == GT_KIND_TEXT ? value.len - 1 : gt_rich_count(value));
}

static void lacks_memory(test_handles *f, const char *name, bool is_rich) {
    enum { COUNT = 9 };
    for (uint64_t k = 0;; k++) {
        char key[40];
        snprintf(key, sizeof key, "%s%u", name, (unsigned)k);
        goat_item *item = create(f, key);
        assert_int_equal(put_in_front(item, name, is_rich, "goats"), GOAT_OK);
        if (k % 2 == 0) assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
        assert_int_equal(letters_of(item, name), 5);
        f->machine.memory.failed = false;
        f->machine.memory.once = true;
        f->machine.memory.left = k / 2;
        uint32_t made = 5;
        for (uint32_t i = 0; i < COUNT; i++) {
            bool before = f->machine.memory.failed;
            goat_status status = put_in_front(item, name, is_rich, "x");
            assert_true(status == GOAT_OK || (status == GOAT_NO_MEMORY && !before));
            made += status == GOAT_OK;
        }
        f->machine.memory.left = TEST_ALLOC_NEVER;
        bool failed = f->machine.memory.failed;
        assert_int_equal(letters_of(item, name), made);
        test_handle_drop(item);
        if (!failed && k % 2 == 1) break;
    }
}

static void a_splice_that_lacks_memory_is_none(void **state) {
    lacks_memory(*state, "body", false);
    lacks_memory(*state, "page.body", false);
    lacks_memory(*state, "doc", true);
    lacks_memory(*state, "page.doc", true);
}

/* No item can be larger, so it could not be captured. */
static void a_text_does_not_outgrow_what_an_item_may_be(void **state) {
    test_handles *f = *state;
    enum { PIECE = GOAT_VALUE_MAX / 4 };
    char *piece = malloc(PIECE + 1);
    assert_non_null(piece);
    memset(piece, 'x', PIECE);
    piece[PIECE] = 0;
    goat_item *item = create(f, "x");
    for (int i = 0; i < 4; i++) assert_int_equal(splice(item, "body", 0, 0, piece), GOAT_OK);
    assert_int_equal(splice(item, "body", 7, 0, "y"), GOAT_TOO_LARGE);
    assert_int_equal(splice(item, "body", 7, 1, "y"), GOAT_OK); /* as long as before */
    assert_int_equal(splice(item, "body", PIECE - 1, PIECE + 2, piece), GOAT_OK);
    assert_int_equal(splice(item, "body", 7, 0, "yyy"), GOAT_TOO_LARGE);
    assert_int_equal(splice(item, "body", 0, 100, ""), GOAT_OK); /* and room for the rest of the item */
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    test_handle_drop(item);
    free(piece);
}

static goat_status unset(goat_item *item, const char *name) {
    gt_edit edit = {.operation = GT_UNSET};
    return gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
}

/* What was unset is written again, which is no edit. That must be known whatever memory is lacking. */
static void comes_back_without_memory(test_handles *f, const char *name, bool is_rich) {
    for (uint64_t k = 0;; k++) {
        char key[40];
        snprintf(key, sizeof key, "%s%u", name, (unsigned)k);
        goat_item *item = create(f, key);
        gt_sight sight;
        gt_buf delta;
        assert_int_equal(put_in_front(item, name, is_rich, "goats"), GOAT_OK);
        assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
        assert_int_equal(unset(item, name), GOAT_OK);
        f->machine.memory.failed = false;
        f->machine.memory.once = true;
        f->machine.memory.left = k;
        goat_status status = put_in_front(item, name, is_rich, "goats");
        f->machine.memory.left = TEST_ALLOC_NEVER;
        bool failed = f->machine.memory.failed;
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        assert_delta(item, &delta);
        if (delta.len > 0) assert_int_equal(gt_value_check(gt_buf_bytes(&delta), GT_VALUE_EDIT, NULL), GOAT_OK);
        gt_buf_free(&delta);
        assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
        assert_int_equal((sight.flags & GOAT_ITEM_UNSAVED) != 0, status != GOAT_OK);
        assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
        const gt_field *field;
        gt_bytes value;
        assert_int_equal(gt_item_field(item, gt_bytes_text(name), &field, &value, NULL), GOAT_OK);
        assert_int_equal(value.data != NULL, status == GOAT_OK);
        test_handle_drop(item);
        if (!failed) break;
    }
}

static void what_comes_back_is_no_edit_whatever_memory_lacks(void **state) {
    comes_back_without_memory(*state, "body", false);
    comes_back_without_memory(*state, "doc", true);
}

static goat_status give(goat_item *item, const char *name, char attribute) {
    char letters[3001], notation[3100];
    memset(letters, 'x', 3000);
    letters[3000] = 0;
    snprintf(notation, sizeof notation, "[{retain: 3, attributes: {%c: '%s'}}]", attribute, letters);
    gt_edit edit = {.operation = GT_DELTA, .value = test_value(notation)};
    goat_status status = gt_item_edit(item, gt_bytes_text(name), &edit, NULL);
    test_value_free(edit.value);
    return status;
}

static void is_refused_until_captured(test_handles *f, const char *name, const char *key) {
    goat_item *item = create(f, key);
    gt_sight sight;
    assert_int_equal(put_in_front(item, name, true, "goats"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(give(item, name, 'a'), GOAT_OK);
    size_t before = value_of(item, name).len;
    assert_int_equal(give(item, name, 'b'), GOAT_TOO_LARGE);
    assert_int_equal(value_of(item, name).len, before);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(give(item, name, 'b'), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_int_equal(sight.flags & GOAT_ITEM_UNSAVED, 0);
    assert_true(value_of(item, name).len > before + 3000);
    test_handle_drop(item);
}

static void attributes_wait_for_a_capture_where_they_would_be_too_many(void **state) {
    is_refused_until_captured(*state, "doc", "x");
    is_refused_until_captured(*state, "page.doc", "y");
    is_refused_until_captured(*state, "strict", "z"); /* has no index: edits are composed */
    is_refused_until_captured(*state, "page.strict", "u");
}

/* There is no way to make one, so it is made by hand. */
static void an_edit_that_may_not_be_is_not_signed(void **state) {
    test_handles *f = *state;
    goat_item *item = create(f, "x");
    gt_sight sight;
    gt_diag diag;
    assert_int_equal(put_in_front(item, "doc", true, "goats"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(put_in_front(item, "doc", true, "x"), GOAT_OK);
    assert_int_equal(value_of(item, "doc").len > 0, 1);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    uint8_t *edit = sight.work->edits[0].bytes; /* {0: ["x"]} */
    assert_int_equal(gt_work_validate(sight.work, NULL), GOAT_OK);
    edit[1] = 0x01; /* {1: ["x"]} */
    gt_diag_init(&diag);
    assert_int_equal(gt_work_validate(sight.work, &diag), GOAT_INVALID);
    assert_string_equal(diag.field, "doc");
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_INVALID);
    edit[1] = 0x00;
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    test_handle_drop(item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_does_not_outgrow_what_an_item_may_be, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(many_splices_copy_little_each, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(whenever_it_is_looked_at_it_is_the_same, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(a_text_that_is_back_in_an_object_is_edited_anew, set_up,
                                        test_handles_tear_down),
        cmocka_unit_test_setup_teardown(what_is_typed_and_taken_back_is_not_unsaved, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(a_splice_that_lacks_memory_is_none, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(what_comes_back_is_no_edit_whatever_memory_lacks, set_up,
                                        test_handles_tear_down),
        cmocka_unit_test_setup_teardown(attributes_wait_for_a_capture_where_they_would_be_too_many, set_up,
                                        test_handles_tear_down),
        cmocka_unit_test_setup_teardown(an_edit_that_may_not_be_is_not_signed, set_up, test_handles_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
