/* The index of a rich text that is being edited, against the same Deltas made one by one on the whole document. */
#include "support/test.h"

#include "merge/rich_index.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema_json[] = "{\"ns\": \"t\", \"version\": 1, \"fields\": {\"r\": {\"type\": \"richtext\"}, "
                                  "\"few\": {\"type\": \"richtext\", \"min_length\": 2, \"max_length\": 4}}}";

typedef struct fixture {
    gt_schema *schema;
    const gt_field *field;
} fixture;

static int set_up(void **state) {
    static fixture f;
    f.schema = test_schema(schema_json);
    f.field = gt_schema_field(f.schema, gt_bytes_text("r"));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    gt_schema_free(((fixture *)*state)->schema);
    return 0;
}

/* ---- the model: edit and value, made anew by each Delta ---- */

typedef struct model {
    const gt_field *field;
    gt_bytes base;
    gt_buf edit, value; /* empty: none */
} model;

static gt_bytes or_none(const gt_buf *buf) { return buf->len == 0 ? (gt_bytes){0} : gt_buf_bytes(buf); }

static void copy(gt_buf *to, gt_bytes from) {
    gt_buf_clear(to);
    gt_buf_append(to, from.data, from.len);
}

static void model_init(model *m, const gt_field *field, gt_bytes base) {
    *m = (model){.field = field, .base = base};
    gt_buf_init(&m->edit, &gt_alloc_system);
    gt_buf_init(&m->value, &gt_alloc_system);
    copy(&m->value, base);
}

static void model_free(model *m) {
    gt_buf_free(&m->edit);
    gt_buf_free(&m->value);
}

static goat_status model_delta(model *m, gt_bytes delta, gt_diag *diag) {
    gt_buf single, both, value;
    gt_buf_init(&single, &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = gt_edit_delta(m->field, or_none(&m->value), delta, &single, diag);
    bool any = status == GOAT_OK && single.len > 0;
    if (any) status = gt_edit_compose(m->field, m->base, or_none(&m->edit), gt_buf_bytes(&single), &both, diag);
    if (any && status == GOAT_OK) {
        copy(&value, m->base);
        if (both.len > 0) {
            gt_buf_clear(&value);
            gt_edit_apply(m->field, m->base, gt_buf_bytes(&both), &value, NULL);
        }
        copy(&m->edit, gt_buf_bytes(&both));
        copy(&m->value, gt_buf_bytes(&value));
    }
    gt_buf_free(&single);
    gt_buf_free(&both);
    gt_buf_free(&value);
    return status;
}

static void assert_same(const model *m, const gt_rich_index *index) {
    gt_buf edit, value;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    gt_rich_index_edit(index, &edit);
    gt_rich_index_value(index, &value);
    assert_int_equal(value.len, m->value.len);
    if (value.len > 0) assert_memory_equal(value.data, m->value.data, value.len);
    assert_int_equal(edit.len, m->edit.len);
    if (edit.len > 0) assert_memory_equal(edit.data, m->edit.data, edit.len);
    assert_int_equal(gt_rich_index_is_edit(index), edit.len > 0);
    assert_int_equal(gt_rich_index_count(index), gt_rich_count(or_none(&value)));
    gt_buf_free(&edit);
    gt_buf_free(&value);
}

/* Of a field that nobody has edited yet. */
static gt_rich_index *index_of(const model *m) {
    gt_rich_index *index;
    assert_int_equal(gt_rich_index_new(&gt_alloc_system, m->field, m->base, (gt_bytes){0}, m->base, &index, NULL),
                     GOAT_OK);
    assert_non_null(index);
    return index;
}

/* ---- random documents and Deltas ---- */

static uint32_t below(test_random *random, uint32_t n) { return test_random_below(random, n); }

static void random_text(test_random *random, uint32_t points, gt_buf *out) {
    static const char *const letters[] = {"a", "b", "\n", " ", "\xc3\xa9", "\xd7\x90", "\xf0\x9f\x90\x90"};
    for (uint32_t i = 0; i < points; i++) {
        const char *letter = letters[below(random, below(random, 4) == 0 ? 7 : 4)];
        gt_buf_append(out, letter, strlen(letter));
    }
}

/* Sometimes as large as an image. */
static void random_embed(test_random *random, gt_buf *out) {
    static const char much[3000] = "u";
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("image"));
    gt_write_text(out, gt_bytes_of(much, below(random, 8) == 0 ? sizeof(much) : 1));
}

/* Sometimes large. */
static void random_attributes(test_random *random, bool nulls, gt_buf *out) {
    static const char much[700] = "x";
    uint32_t both = 1 + below(random, 3);
    gt_write_map_head(out, both == 3 ? 2 : 1);
    for (uint32_t i = 1; i < 3; i++) {
        if ((both & i) == 0) continue;
        gt_write_text(out, gt_bytes_text(i == 1 ? "b" : "color"));
        if (nulls && below(random, 3) == 0) {
            gt_write_null(out);
        } else if (below(random, 20) == 0) {
            gt_write_text(out, gt_bytes_of(much, sizeof(much)));
        } else {
            gt_write_int(out, below(random, 2));
        }
    }
}

static void random_insert(test_random *random, uint32_t points, bool nulls, gt_buf *out) {
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    bool attributes = below(random, 3) == 0;
    gt_write_map_head(out, attributes ? 2 : 1);
    gt_write_text(out, gt_bytes_text("insert"));
    if (below(random, 8) == 0) {
        random_embed(random, out);
    } else {
        random_text(random, points, &text);
        gt_write_text(out, gt_buf_bytes(&text));
    }
    if (attributes) gt_write_text(out, gt_bytes_text("attributes"));
    if (attributes) random_attributes(random, nulls, out);
    gt_buf_free(&text);
}

static void random_document(test_random *random, uint32_t pieces, uint32_t points, gt_buf *out) {
    gt_rich_writer writer;
    gt_buf one;
    gt_rich_piece piece;
    gt_buf_init(&one, &gt_alloc_system);
    gt_rich_writer_init(&writer, out);
    for (uint32_t i = 0; i < pieces; i++) {
        gt_buf_clear(&one);
        gt_write_array_head(&one, 1);
        random_insert(random, 1 + below(random, points), false, &one);
        gt_iter iter = gt_rich_iter(gt_buf_bytes(&one));
        while (gt_rich_next(&iter, &piece)) gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
    gt_buf_free(&one);
}

static uint64_t units_of(gt_bytes document) {
    gt_rich_piece piece;
    uint64_t units = 0;
    for (gt_iter iter = gt_rich_iter(document); gt_rich_next(&iter, &piece);) {
        units += piece.count;
        for (size_t i = 0; !piece.is_embed && i < piece.content.len; i++) units += piece.content.data[i] >= 0xf0;
    }
    return units;
}

static void write_count(const char *word, uint64_t count, gt_buf *out) {
    gt_write_text(out, gt_bytes_text(word));
    gt_write_int(out, (int64_t)count);
}

/* Mostly where the last one was, as people type; sometimes anywhere, sometimes beyond the end or into a code point. */
static void random_delta(test_random *random, uint64_t units, uint64_t *last, gt_buf *out) {
    gt_buf ops;
    size_t count = 0;
    gt_buf_init(&ops, &gt_alloc_system);
    uint64_t at = below(random, 3) > 0 && *last <= units ? *last : below(random, (uint32_t)units + 1);
    if (at > 0) {
        gt_write_map_head(&ops, 1);
        write_count("retain", at, &ops);
        count++;
    }
    for (uint32_t more = 1 + (below(random, 5) == 0 ? below(random, 4) : 0); more > 0; more--, count++) {
        uint32_t kind = below(random, 20), left = at < units ? (uint32_t)(units - at) : 0;
        uint64_t some = 1 + below(random, below(random, 6) == 0 ? left + 2 : 4);
        if (some > left && left > 0 && below(random, 4) > 0) some = left;
        if (kind < 10 || left == 0) {
            random_insert(random, kind == 0 ? below(random, 900) : below(random, 4), true, &ops);
            continue;
        }
        gt_write_map_head(&ops, kind < 15 ? 1 : 2);
        write_count(kind < 15 ? "delete" : "retain", some, &ops);
        if (kind >= 15) gt_write_text(&ops, gt_bytes_text("attributes"));
        if (kind >= 15) random_attributes(random, true, &ops);
        at += some;
    }
    *last = at;
    gt_buf_clear(out);
    gt_write_array_head(out, count);
    gt_buf_append(out, ops.data, ops.len);
    gt_buf_free(&ops);
}

static void random_session(test_random *random, model *m, int deltas) {
    gt_buf delta;
    gt_rich_index *index = index_of(m);
    uint64_t last = 0;
    gt_buf_init(&delta, &gt_alloc_system);
    assert_same(m, index);
    for (int i = 0; i < deltas; i++) {
        gt_diag wanted, got;
        bool made;
        gt_diag_init(&wanted);
        gt_diag_init(&got);
        random_delta(random, units_of(or_none(&m->value)), &last, &delta);
        goat_status status = model_delta(m, gt_buf_bytes(&delta), &wanted);
        assert_int_equal(gt_rich_index_delta(index, gt_buf_bytes(&delta), &made, &got), status);
        assert_int_equal(made, status == GOAT_OK);
        if (status != GOAT_OK) assert_string_equal(got.message, wanted.message);
        if (status != GOAT_OK) assert_int_equal(got.position, wanted.position);
        assert_same(m, index);
    }
    gt_rich_index_free(index);
    gt_buf_free(&delta);
}

static void session_on(const fixture *f, test_random *random, uint32_t pieces, uint32_t points, int deltas) {
    gt_buf base;
    model m;
    gt_buf_init(&base, &gt_alloc_system);
    random_document(random, pieces, points, &base);
    model_init(&m, f->field, gt_buf_bytes(&base));
    random_session(random, &m, deltas);
    model_free(&m);
    gt_buf_free(&base);
}

static void deltas_come_to_what_they_do_one_by_one(void **state) {
    const fixture *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    for (int i = 0; i < 150; i++) session_on(f, &random, below(&random, 6), 8, 50);
    for (int i = 0; i < 15; i++) session_on(f, &random, 300, 30, 80);
    for (int i = 0; i < 15; i++) session_on(f, &random, 4, 3000, 80);
    for (int i = 0; i < 60; i++) {
        model m; /* the field is unset */
        model_init(&m, f->field, (gt_bytes){0});
        random_session(&random, &m, 30);
        model_free(&m);
    }
}

/* What was edited before may be runs, a whole document, or that it was unset. */
static void an_index_goes_on_with_what_was_edited(void **state) {
    const fixture *f = *state;
    test_random random;
    test_random_init(&random, __func__);
    for (int i = 0; i < 200; i++) {
        gt_buf base, edit, value, delta;
        model m;
        uint64_t last = 0;
        gt_buf_init(&base, &gt_alloc_system);
        gt_buf_init(&delta, &gt_alloc_system);
        random_document(&random, below(&random, 100), 20, &base);
        model_init(&m, f->field, gt_buf_bytes(&base));
        if (i % 4 == 0) {
            gt_write_undefined(&m.edit);
            gt_buf_clear(&m.value);
        }
        for (int before = 0; i % 8 > 0 && before < 20; before++) {
            random_delta(&random, units_of(or_none(&m.value)), &last, &delta);
            model_delta(&m, gt_buf_bytes(&delta), NULL);
        }
        gt_buf_init(&edit, &gt_alloc_system); /* the index lies on them, and the model makes new ones */
        gt_buf_init(&value, &gt_alloc_system);
        copy(&edit, gt_buf_bytes(&m.edit));
        copy(&value, gt_buf_bytes(&m.value));
        gt_rich_index *index;
        assert_int_equal(
            gt_rich_index_new(&gt_alloc_system, f->field, m.base, or_none(&edit), or_none(&value), &index, NULL),
            GOAT_OK);
        for (int after = 0; after < 10; after++) {
            bool made;
            random_delta(&random, units_of(or_none(&m.value)), &last, &delta);
            assert_int_equal(gt_rich_index_delta(index, gt_buf_bytes(&delta), &made, NULL),
                             model_delta(&m, gt_buf_bytes(&delta), NULL));
            if (m.edit.len == 0) break; /* an edit that is none any more ends, and so does its index */
            assert_same(&m, index);
        }
        gt_rich_index_free(index);
        gt_buf_free(&base);
        gt_buf_free(&edit);
        gt_buf_free(&value);
        gt_buf_free(&delta);
        model_free(&m);
    }
}

static void a_delta_without_memory_changes_nothing(void **state) {
    const fixture *f = *state;
    gt_buf base;
    test_random random;
    bool failed = true;
    test_random_init(&random, __func__);
    gt_buf_init(&base, &gt_alloc_system);
    random_document(&random, 60, 30, &base);
    const test_random first = random;
    for (uint64_t at = 0; failed; at++) {
        test_alloc memory;
        gt_rich_index *index;
        gt_buf delta;
        model m;
        uint64_t last = 0;
        gt_buf_init(&delta, &gt_alloc_system);
        test_alloc_init(&memory, at);
        random = first; /* the same Deltas each time */
        model_init(&m, f->field, gt_buf_bytes(&base));
        goat_status status = gt_rich_index_new(&memory.alloc, f->field, m.base, (gt_bytes){0}, m.base, &index, NULL);
        failed = status != GOAT_OK;
        for (uint32_t i = 0; index != NULL && i < 8; i++) {
            bool made;
            random_delta(&random, 400, &last, &delta);
            status = gt_rich_index_delta(index, gt_buf_bytes(&delta), &made, NULL);
            failed = failed || status == GOAT_NO_MEMORY;
            if (status == GOAT_OK) assert_int_equal(model_delta(&m, gt_buf_bytes(&delta), NULL), GOAT_OK);
            assert_same(&m, index);
        }
        failed = failed || memory.failed;
        gt_rich_index_free(index);
        test_alloc_assert_empty(&memory);
        model_free(&m);
        gt_buf_free(&delta);
    }
    gt_buf_free(&base);
}

static void delta_makes(gt_rich_index *index, const char *notation, bool expected) {
    gt_bytes delta = test_value(notation);
    uint64_t before = gt_rich_index_count(index);
    bool made;
    assert_int_equal(gt_rich_index_delta(index, delta, &made, NULL), GOAT_OK);
    assert_int_equal(made, expected);
    if (!made) assert_int_equal(gt_rich_index_count(index), before);
    test_value_free(delta);
}

/* Lengths are elements, as the schema counts. */
static void what_breaks_a_rule_of_length_is_not_made(void **state) {
    const fixture *f = *state;
    const gt_field *few = gt_schema_field(f->schema, gt_bytes_text("few"));
    gt_bytes base = test_value("[{insert: 'a'}, {insert: {image: 'u'}}]");
    gt_rich_index *index;
    assert_int_equal(gt_rich_index_new(&gt_alloc_system, few, base, (gt_bytes){0}, base, &index, NULL), GOAT_OK);
    delta_makes(index, "[{delete: 1}]", false);
    delta_makes(index, "[{insert: 'xyz'}]", false);
    delta_makes(index, "[{insert: '\xf0\x9f\x90\x90y'}]", true);
    delta_makes(index, "[{insert: 'z'}]", false);
    delta_makes(index, "[{insert: 'z'}, {delete: 2}]", true);
    delta_makes(index, "[{retain: 1, attributes: {b: 1}}]", true);
    gt_rich_index_free(index);
    test_value_free(base);
}

static void give(char name, gt_buf *delta) {
    char letters[3001], notation[3100];
    memset(letters, 'x', 3000);
    letters[3000] = 0;
    snprintf(notation, sizeof notation, "[{retain: 3, attributes: {%c: '%s'}}]", name, letters);
    gt_bytes value = test_value(notation);
    copy(delta, value);
    test_value_free(value);
}

/* Each may give 3,000 bytes of attributes; both together would be an edit that nobody takes. */
static void attributes_that_are_too_many_together_are_not_made(void **state) {
    const fixture *f = *state;
    gt_bytes base = test_value("[{insert: 'goats'}]"), bold = test_value("[{retain: 3, attributes: {c: 1}}]");
    gt_buf first, second;
    gt_diag diag;
    model m;
    bool made;
    gt_buf_init(&first, &gt_alloc_system);
    gt_buf_init(&second, &gt_alloc_system);
    give('a', &first);
    give('b', &second);
    model_init(&m, f->field, base);
    gt_rich_index *index = index_of(&m);
    assert_int_equal(model_delta(&m, gt_buf_bytes(&first), NULL), GOAT_OK);
    assert_int_equal(gt_rich_index_delta(index, gt_buf_bytes(&first), &made, NULL), GOAT_OK);
    gt_diag_init(&diag);
    assert_int_equal(model_delta(&m, gt_buf_bytes(&second), NULL), GOAT_TOO_LARGE);
    assert_int_equal(gt_rich_index_delta(index, gt_buf_bytes(&second), &made, &diag), GOAT_TOO_LARGE);
    assert_string_equal(diag.field, "r");
    assert_false(made);
    assert_same(&m, index);
    assert_int_equal(model_delta(&m, bold, NULL), GOAT_OK);
    assert_int_equal(gt_rich_index_delta(index, bold, &made, NULL), GOAT_OK);
    assert_true(made);
    assert_same(&m, index);
    gt_rich_index_free(index);
    model_free(&m);
    gt_buf_free(&first);
    gt_buf_free(&second);
    test_value_free(base);
    test_value_free(bold);
}

/* One run of `count` characters with so many bytes of attributes. */
static void write_run(uint32_t count, size_t attributes, gt_buf *out) {
    char *letters = malloc(count + attributes);
    memset(letters, 'x', count + attributes);
    gt_write_array_head(out, 1);
    gt_write_map_head(out, 2);
    gt_write_text(out, gt_bytes_text("insert"));
    gt_write_text(out, gt_bytes_of(letters, count));
    gt_write_text(out, gt_bytes_text("attributes"));
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("b"));
    gt_write_text(out, gt_bytes_of(letters, attributes));
    free(letters);
}

/* Attributes are written in each part that has some of a run: there must not be a part for each character. */
static void a_run_with_large_attributes_is_in_few_parts(void **state) {
    const fixture *f = *state;
    enum { COUNT = 20000, KEYS = 3000 };
    for (size_t attributes = 10; attributes < 4096; attributes += 1330) {
        gt_buf base;
        test_alloc memory;
        gt_rich_index *index;
        bool made;
        gt_buf_init(&base, &gt_alloc_system);
        write_run(COUNT, attributes, &base);
        test_alloc_init(&memory, TEST_ALLOC_NEVER);
        gt_bytes document = gt_buf_bytes(&base), delta = test_value("[{retain: 5000}, {insert: 'x'}]");
        assert_int_equal(gt_rich_index_new(&memory.alloc, f->field, document, (gt_bytes){0}, document, &index, NULL),
                         GOAT_OK);
        assert_non_null(index);
        assert_true(memory.most_bytes < 100000); /* the values are where they were */
        for (int i = 0; i < KEYS; i++) {
            assert_int_equal(gt_rich_index_delta(index, delta, &made, NULL), GOAT_OK);
            assert_true(made);
        }
        assert_true(memory.live_bytes < 500000);
        assert_true(memory.bytes / KEYS < 100000); /* the document has 20 kB, as one part for each character 80 MB */
                                                   /* the document would be 20 kB, and all parts 80 of them */
        assert_int_equal(gt_rich_index_count(index), COUNT + KEYS);
        gt_rich_index_free(index);
        test_alloc_assert_empty(&memory);
        test_value_free(delta);
        gt_buf_free(&base);
    }
}

/* Another version of a schema, or what is older than the rule, may have left such attributes. */
static void a_document_in_another_form_has_no_index(void **state) {
    const fixture *f = *state;
    gt_bytes base = test_value("[{insert: 'a'}, {insert: 'b', attributes: {b: null}}]");
    gt_rich_index *index;
    assert_int_equal(gt_rich_index_new(&gt_alloc_system, f->field, base, (gt_bytes){0}, base, &index, NULL), GOAT_OK);
    assert_null(index);
    test_value_free(base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deltas_come_to_what_they_do_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_index_goes_on_with_what_was_edited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_delta_without_memory_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_breaks_a_rule_of_length_is_not_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(attributes_that_are_too_many_together_are_not_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_with_large_attributes_is_in_few_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_in_another_form_has_no_index, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
