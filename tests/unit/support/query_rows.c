#include "support/query_rows.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdlib.h>
#include <string.h>

static uint32_t row_count(void *context) { return ((query_rows *)context)->count; }

static goat_status give_row(void *context, uint32_t row, gt_query_row *out) {
    query_rows *f = context;
    f->looked++;
    if (f->states[row].data == NULL) return GOAT_NOT_FOUND;
    *out = (gt_query_row){gt_bytes_of(&f->keys[row], 1), f->states[row], f->schema, row};
    return GOAT_OK;
}

gt_query_source query_rows_source(query_rows *f) { return (gt_query_source){f, row_count, give_row}; }

int query_rows_set_up(void **state) {
    query_rows *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->schema = test_schema("{\"ns\": \"t\", \"version\": 1, \"fields\": {\"n\": {\"type\": \"number\"}, \"s\": "
                            "{\"type\": \"string\"}, \"d\": {\"type\": \"number\", \"default\": 7}, \"m\": {\"type\": "
                            "\"map\"}, \"l\": {\"type\": \"list\"}}}");
    test_alloc_init(&f->memory, TEST_ALLOC_NEVER);
    gt_query_source source = query_rows_source(f);
    f->set = gt_query_set_new(&f->memory.alloc, &source);
    assert_non_null(f->set);
    *state = f;
    return 0;
}

int query_rows_tear_down(void **state) {
    query_rows *f = *state;
    assert_null(gt_query_set_next(f->set, NULL));
    gt_query_set_free(f->set);
    gt_query_set_free(NULL);
    test_alloc_assert_empty(&f->memory);
    for (uint32_t i = 0; i < f->count; i++) test_value_free(f->states[i]);
    gt_schema_free(f->schema);
    free(f);
    return 0;
}

static uint32_t find_row(const query_rows *f, char key) {
    uint32_t row = 0;
    while (row < f->count && f->keys[row] != key) row++;
    return row;
}

void query_rows_put(query_rows *f, char key, const char *notation) {
    uint32_t row = find_row(f, key);
    assert_true(row < QUERY_ROWS_ALL);
    if (row == f->count) f->keys[f->count++] = key;
    test_value_free(f->states[row]);
    f->states[row] = test_value(notation);
    gt_query_set_touch(f->set, row);
}

void query_rows_put_all(query_rows *f, const char *rows) {
    char notation[] = "{n: 0}";
    for (; *rows != '\0'; rows += rows[2] == ' ' ? 3 : 2) {
        notation[4] = rows[1];
        query_rows_put(f, rows[0], notation);
    }
}

gt_query *query_rows_open_on(query_rows *f, gt_query *parent, const char *spec) {
    gt_query_config config = {.spec = gt_bytes_text(spec), .parent = parent, .id = 5};
    gt_query *query;
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_query_new(f->set, &config, &query, &diag) != GOAT_OK) fail_msg("%s: %s", spec, diag.message);
    return query;
}

void query_rows_build(gt_query *query) {
    while (!gt_query_ready(query)) assert_int_equal(gt_query_build(query, 3, NULL), GOAT_OK);
}

gt_query *query_rows_open(query_rows *f, const char *spec) {
    gt_query *query = query_rows_open_on(f, NULL, spec);
    query_rows_build(query);
    return query;
}

void query_rows_shows(query_rows *f, gt_query *query, const char *keys) {
    char shown[QUERY_ROWS_ALL + 1] = "";
    for (uint32_t i = 0; i < gt_query_count(query); i++) shown[i] = f->keys[gt_query_row_at(query, i)];
    assert_string_equal(shown, keys);
}

void query_rows_tells(query_rows *f, gt_query *query, const char *expected) {
    const gt_query_change *changes;
    uint32_t count;
    bool reset;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    gt_query_drain(query, &changes, &count, &reset);
    test_text(&text, "%s", reset ? "reset" : "");
    for (uint32_t i = 0; i < count; i++) {
        const gt_query_change *c = &changes[i];
        char key = f->keys[c->row];
        test_text(&text, "%s", i == 0 ? "" : " ");
        switch (c->kind) {
        case GT_QUERY_INSERTED: test_text(&text, "+%c%u", key, (unsigned)c->position); break;
        case GT_QUERY_REMOVED: test_text(&text, "-%c%u", key, (unsigned)c->old_position); break;
        case GT_QUERY_MOVED: test_text(&text, "%c%u>%u", key, (unsigned)c->old_position, (unsigned)c->position); break;
        case GT_QUERY_UPDATED: test_text(&text, "%c%u!", key, (unsigned)c->position); break;
        }
    }
    assert_string_equal((const char *)text.data, expected);
    gt_buf_free(&text);
}
