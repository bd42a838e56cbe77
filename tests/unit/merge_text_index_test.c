/* The index of a text that is being edited, against the same splices made one by one on the whole text. */
#include "support/test.h"

#include "base/utf8.h"
#include "merge/changes.h"
#include "merge/text_index.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "value/build.h"
#include "value/value.h"

static const char schema_json[] = "{\"ns\": \"t\", \"version\": 1, \"fields\": {\"t\": {\"type\": \"text\"}, "
                                  "\"few\": {\"type\": \"text\", \"min_length\": 2, \"max_length\": 4}}}";

typedef struct fixture {
    gt_schema *schema;
    const gt_field *field;
} fixture;

static int set_up(void **state) {
    static fixture f;
    f.schema = test_schema(schema_json);
    f.field = gt_schema_field(f.schema, gt_bytes_text("t"));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    gt_schema_free(((fixture *)*state)->schema);
    return 0;
}

/* The field has no rules, so what does not fail is made. */
static goat_status index_splice(gt_text_index *index, const gt_splice *splice, gt_diag *diag) {
    bool made;
    goat_status status = gt_text_index_splice(index, splice, &made, diag);
    assert_int_equal(made, status == GOAT_OK);
    return status;
}

/* ---- the model: edit and value, made anew by each splice ---- */

typedef struct model {
    const gt_field *field;
    gt_bytes base;
    gt_buf edit, value; /* empty: none */
} model;

static gt_bytes or_none(const gt_buf *buf) { return buf->len == 0 ? (gt_bytes){0} : gt_buf_bytes(buf); }

static void model_init(model *m, const gt_field *field, gt_bytes base) {
    *m = (model){.field = field, .base = base};
    gt_buf_init(&m->edit, &gt_alloc_system);
    gt_buf_init(&m->value, &gt_alloc_system);
    gt_buf_append(&m->value, base.data, base.len);
}

static void model_free(model *m) {
    gt_buf_free(&m->edit);
    gt_buf_free(&m->value);
}

static goat_status model_splice(model *m, const gt_splice *splice, gt_diag *diag) {
    gt_buf single, both, value;
    gt_buf_init(&single, &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = gt_edit_splice(m->field, or_none(&m->value), splice, &single, diag);
    if (status == GOAT_OK && single.len > 0) {
        status = gt_edit_compose(m->field, m->base, or_none(&m->edit), gt_buf_bytes(&single), &both, diag);
        gt_buf_clear(&m->edit);
        gt_buf_append(&m->edit, both.data, both.len);
        gt_buf_clear(&m->value);
        if (both.len == 0) gt_buf_append(&value, m->base.data, m->base.len);
        if (both.len > 0) gt_edit_apply(m->field, m->base, gt_buf_bytes(&both), &value, diag);
        gt_buf_append(&m->value, value.data, value.len);
    }
    gt_buf_free(&single);
    gt_buf_free(&both);
    gt_buf_free(&value);
    return status;
}

static void assert_same(const model *m, const gt_text_index *index) {
    gt_buf edit, value;
    gt_bytes text = {0};
    gt_buf_init(&edit, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    gt_text_index_edit(index, &edit);
    gt_text_index_value(index, &value);
    assert_int_equal(value.len, m->value.len);
    if (value.len > 0) assert_memory_equal(value.data, m->value.data, value.len);
    assert_int_equal(edit.len, m->edit.len);
    if (edit.len > 0) assert_memory_equal(edit.data, m->edit.data, edit.len);
    assert_int_equal(gt_text_index_is_edit(index), edit.len > 0);
    if (value.len > 0) gt_value_as_text(gt_buf_bytes(&value), &text);
    assert_int_equal(gt_text_index_count(index), gt_utf8_count(text.data, text.len));
    gt_buf_free(&edit);
    gt_buf_free(&value);
}

/* ---- random texts and splices ---- */

static void random_text(test_random *random, uint32_t points, gt_buf *out) {
    static const char *const letters[] = {
        "a", "b", "\n", " ", "\xc3\xa9", "e\xcc\x81", "\xe4\xb8\xad", "\xf0\x9f\x90\x90", "\xd7\x90"};
    for (uint32_t i = 0; i < points; i++) {
        const char *letter = letters[test_random_below(random, test_random_below(random, 4) == 0 ? 9 : 4)];
        gt_buf_append(out, letter, strlen(letter));
    }
}

static uint64_t units_of(gt_bytes text, goat_unit unit) {
    uint64_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool first = (text.data[i] & 0xc0) != 0x80;
        units += unit == GOAT_UNIT_BYTE || first;
        units += unit == GOAT_UNIT_UTF16 && text.data[i] >= 0xf0;
    }
    return units;
}

/* Mostly where the last one was, as people type; sometimes anywhere, sometimes nowhere. */
static gt_splice random_splice(test_random *random, gt_bytes text, goat_unit unit, uint64_t last, gt_buf *typed) {
    uint64_t units = units_of(text, unit);
    gt_splice splice = {.unit = unit};
    gt_buf_clear(typed);
    splice.position =
        test_random_below(random, 3) > 0 && last <= units ? last : test_random_below(random, (uint32_t)units + 2);
    uint64_t left = splice.position < units ? units - splice.position : 0;
    uint32_t kind = test_random_below(random, 20);
    if (kind < 7) {
        splice.count = test_random_below(random, 4);
    } else if (kind == 7) {
        splice.count = test_random_below(random, (uint32_t)left + 2);
    }
    if (splice.count > left && test_random_below(random, 4) > 0) splice.count = left;
    if (kind > 3)
        random_text(random, kind == 19 ? test_random_below(random, 1500) : test_random_below(random, 4), typed);
    splice.text = gt_bytes_of(typed->data, typed->len);
    return splice;
}

static void random_session(const fixture *f, test_random *random, bool has_base, uint32_t base_points, int splices) {
    gt_buf base, text, typed;
    gt_text_index *index;
    model m;
    uint64_t last = 0;
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    gt_buf_init(&typed, &gt_alloc_system);
    random_text(random, base_points, &text);
    if (has_base) gt_write_text(&base, gt_buf_bytes(&text));
    model_init(&m, f->field, or_none(&base));
    assert_int_equal(gt_text_index_new(&gt_alloc_system, f->field, m.base, (gt_bytes){0}, m.base, &index, NULL),
                     GOAT_OK);
    assert_same(&m, index);
    for (int i = 0; i < splices; i++) {
        gt_bytes now = {0};
        gt_diag wanted, got;
        gt_diag_init(&wanted);
        gt_diag_init(&got);
        if (m.value.len > 0) gt_value_as_text(gt_buf_bytes(&m.value), &now);
        gt_splice splice = random_splice(random, now, (goat_unit)test_random_below(random, 3), last, &typed);
        goat_status status = model_splice(&m, &splice, &wanted);
        assert_int_equal(index_splice(index, &splice, &got), status);
        if (status != GOAT_OK) assert_string_equal(got.message, wanted.message);
        if (status == GOAT_OK) last = splice.position + units_of(splice.text, splice.unit);
        assert_same(&m, index);
    }
    gt_text_index_free(index);
    model_free(&m);
    gt_buf_free(&base);
    gt_buf_free(&text);
    gt_buf_free(&typed);
}

static void splices_come_to_what_they_do_one_by_one(void **state) {
    const fixture *f = *state;
    test_random random;
    test_random_init(&random, "splices_come_to_what_they_do_one_by_one");
    for (int i = 0; i < 150; i++) random_session(f, &random, true, test_random_below(&random, 12), 60);
    for (int i = 0; i < 20; i++) random_session(f, &random, true, 2000 + test_random_below(&random, 3000), 100);
    for (int i = 0; i < 40; i++) random_session(f, &random, false, 0, 40);
}

/* What was edited before may be runs, a whole text, or nothing left at all. */
static void an_index_goes_on_with_what_was_edited(void **state) {
    const fixture *f = *state;
    test_random random;
    test_random_init(&random, "an_index_goes_on_with_what_was_edited");
    for (int i = 0; i < 600; i++) {
        gt_buf base, text, typed;
        gt_text_index *index;
        model m;
        gt_buf_init(&base, &gt_alloc_system);
        gt_buf_init(&text, &gt_alloc_system);
        gt_buf_init(&typed, &gt_alloc_system);
        random_text(&random, test_random_below(&random, 30), &text);
        if (i % 3 > 0) gt_write_text(&base, gt_buf_bytes(&text));
        model_init(&m, f->field, or_none(&base));
        if (i % 3 == 2 && i % 2 == 0) { /* it was unset, and maybe set again */
            gt_write_undefined(&m.edit);
            gt_buf_clear(&m.value);
        }
        for (int before = 0; before < 20; before++) {
            gt_bytes now = {0};
            if (before == 10) {
                assert_int_equal(gt_text_index_new(&gt_alloc_system, f->field, m.base, or_none(&m.edit),
                                                   or_none(&m.value), &index, NULL),
                                 GOAT_OK);
                assert_same(&m, index);
                gt_text_index_free(index);
            }
            if (m.value.len > 0) gt_value_as_text(gt_buf_bytes(&m.value), &now);
            gt_splice splice = random_splice(&random, now, GOAT_UNIT_CODE_POINT, 0, &typed);
            model_splice(&m, &splice, NULL);
        }
        gt_buf edit, value; /* the index lies on them, and the model makes new ones */
        gt_buf_init(&edit, &gt_alloc_system);
        gt_buf_init(&value, &gt_alloc_system);
        gt_buf_append(&edit, m.edit.data, m.edit.len);
        gt_buf_append(&value, m.value.data, m.value.len);
        assert_int_equal(
            gt_text_index_new(&gt_alloc_system, f->field, m.base, or_none(&edit), or_none(&value), &index, NULL),
            GOAT_OK);
        for (int after = 0; after < 10; after++) {
            gt_bytes now = {0};
            if (m.value.len > 0) gt_value_as_text(gt_buf_bytes(&m.value), &now);
            gt_splice splice = random_splice(&random, now, GOAT_UNIT_UTF16, 0, &typed);
            assert_int_equal(index_splice(index, &splice, NULL), model_splice(&m, &splice, NULL));
            if (m.edit.len == 0) break; /* an edit that is none any more ends, and so does its index */
            assert_same(&m, index);
        }
        gt_text_index_free(index);
        gt_buf_free(&edit);
        gt_buf_free(&value);
        model_free(&m);
        gt_buf_free(&base);
        gt_buf_free(&text);
        gt_buf_free(&typed);
    }
}

static void a_splice_without_memory_changes_nothing(void **state) {
    const fixture *f = *state;
    gt_buf base, long_text;
    bool failed = true;
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&long_text, &gt_alloc_system);
    for (int i = 0; i < 3000; i++) gt_buf_append(&long_text, "goats ", 6);
    gt_write_text(&base, gt_buf_bytes(&long_text));
    for (uint64_t at = 0; failed; at++) {
        test_alloc memory;
        gt_text_index *index;
        model m;
        test_alloc_init(&memory, at);
        model_init(&m, f->field, gt_buf_bytes(&base));
        goat_status status = gt_text_index_new(&memory.alloc, f->field, m.base, (gt_bytes){0}, m.base, &index, NULL);
        failed = status != GOAT_OK;
        for (uint32_t i = 0; index != NULL && i < 30; i++) {
            gt_splice splice = {.position = 600 * i, .count = i == 20 ? 5000 : 3, .text = gt_bytes_text("kid")};
            if (i == 10) splice.text = gt_bytes_of(long_text.data, long_text.len / 4);
            status = index_splice(index, &splice, NULL);
            if (status == GOAT_OK) assert_int_equal(model_splice(&m, &splice, NULL), GOAT_OK);
            if (status != GOAT_OK) assert_int_equal(status, GOAT_NO_MEMORY);
            failed = failed || status != GOAT_OK;
            assert_same(&m, index);
        }
        gt_text_index_free(index);
        test_alloc_assert_empty(&memory);
        model_free(&m);
    }
    gt_buf_free(&base);
    gt_buf_free(&long_text);
}

static void what_is_typed_and_taken_back_is_no_edit(void **state) {
    const fixture *f = *state;
    gt_buf base;
    gt_text_index *index;
    gt_buf_init(&base, &gt_alloc_system);
    gt_write_text(&base, gt_bytes_text("goat"));
    assert_int_equal(gt_text_index_new(&gt_alloc_system, f->field, gt_buf_bytes(&base), (gt_bytes){0},
                                       gt_buf_bytes(&base), &index, NULL),
                     GOAT_OK);
    gt_splice type = {.position = 2, .text = gt_bytes_text("xyz")}, take_back = {.position = 2, .count = 3};
    assert_int_equal(index_splice(index, &type, NULL), GOAT_OK);
    assert_true(gt_text_index_is_edit(index));
    assert_int_equal(index_splice(index, &take_back, NULL), GOAT_OK);
    assert_false(gt_text_index_is_edit(index));
    gt_text_index_free(index);
    gt_buf_free(&base);
}

/* Lengths are code points, as the schema counts. */
static void what_breaks_a_rule_of_length_is_not_made(void **state) {
    const fixture *f = *state;
    gt_buf base;
    gt_text_index *index;
    bool made;
    gt_buf_init(&base, &gt_alloc_system);
    gt_write_text(&base, gt_bytes_text("\xf0\x9f\x90\x90\xd7\x90"));
    const gt_field *few = gt_schema_field(f->schema, gt_bytes_text("few"));
    assert_int_equal(
        gt_text_index_new(&gt_alloc_system, few, gt_buf_bytes(&base), (gt_bytes){0}, gt_buf_bytes(&base), &index, NULL),
        GOAT_OK);
    static const struct {
        uint64_t position, count;
        const char *text;
        bool made;
    } rows[] = {{0, 1, "", false},      {2, 0, "abc", false}, {2, 0, "\xd7\x91\xf0\x9f\x90\x90", true},
                {4, 0, "d", false},     {1, 2, "ef", true},   {0, 3, "", false},
                {0, 4, "ghijk", false}, {0, 4, "gh", true},   {1, 1, "\xd7\x90", true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gt_splice splice = {GOAT_UNIT_CODE_POINT, rows[i].position, rows[i].count, gt_bytes_text(rows[i].text)};
        uint64_t before = gt_text_index_count(index);
        assert_int_equal(gt_text_index_splice(index, &splice, &made, NULL), GOAT_OK);
        assert_int_equal(made, rows[i].made);
        if (!made) assert_int_equal(gt_text_index_count(index), before);
    }
    gt_text_index_free(index);
    gt_buf_free(&base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(splices_come_to_what_they_do_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_index_goes_on_with_what_was_edited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_splice_without_memory_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_typed_and_taken_back_is_no_edit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_breaks_a_rule_of_length_is_not_made, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
