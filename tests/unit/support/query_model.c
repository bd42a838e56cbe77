#include "support/query_model.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdio.h>
#include <string.h>

/* undefined < null < numbers < text < map < array < bytes < ref < bool < date; an array or set stands for its
 * smallest element, descending for its largest; an empty one for `undefined`. Equal ranks are equal values. */
const query_value query_values[QUERY_VALUES] = {
    {NULL, 1, 1, false},       {"null", 1, 1, false},   {"-3", 2, 2, false},           {"2", 4, 4, true},
    {"2.5", 5, 5, true},       {"7", 6, 6, true},       {"'b'", 9, 9, false},          {"'bb'", 10, 10, false},
    {"{x: 1}", 11, 11, false}, {"[]", 0, 0, false},     {"[1, 9]", 3, 7, true},        {"set[2, 'a']", 4, 8, true},
    {"false", 13, 13, false},  {"true", 14, 14, false}, {"date(5000)", 15, 15, false}, {"[null, [5]]", 1, 12, false},
};

static const char *const wheres[QUERY_WHERES] = {
    NULL,
    "{\"a\": {\"$gte\": 2}}",
    "{\"b\": {\"$lt\": 3}}",
    "{\"$or\": [{\"a\": null}, {\"b\": {\"$in\": [1, 3]}}]}",
    "{\"a\": {\"$not\": {\"$gte\": 2}}, \"b\": {\"$ne\": 2}}",
};

static const char *const sorts[QUERY_SORTS] = {
    NULL, "[\"a\"]", "[\"-a\"]", "[\"b\"]", "[\"b\", \"-a\"]", "[\"-b\", \"a\"]", "[\"-a\", \"b\"]", "[\"a\", \"-b\"]",
};

static bool holds_null(const query_model_row *row) {
    const char *notation = query_values[row->a].notation;
    return notation == NULL || strcmp(notation, "null") == 0 || strcmp(notation, "[null, [5]]") == 0;
}

static int b_of(const query_model_row *row) { return row->b >= 0 ? row->b : row->of_other_schema ? -1 : 3; }

static bool fits(const query_model_row *row, const query_ask *ask) {
    int b = b_of(row);
    if (!row->present || (ask->of_schema && row->of_other_schema)) return false;
    switch (ask->where) {
    case 1: return query_values[row->a].at_least_two;
    case 2: return b >= 0 && b < 3;
    case 3: return holds_null(row) || b == 1 || b == 3;
    case 4: return !query_values[row->a].at_least_two && b != 2;
    default: return true;
    }
}

static int difference(int a, int b, bool descending) { return descending ? b - a : a - b; }

static int by_a(const query_model_row *x, const query_model_row *y, bool descending) {
    const query_value *a = &query_values[x->a], *b = &query_values[y->a];
    return descending ? b->rank_descending - a->rank_descending : a->rank - b->rank;
}

static int compare(const query_ask *ask, const query_model_row *x, const query_model_row *y) {
    int a_up = by_a(x, y, false), a_down = by_a(x, y, true);
    int b_up = difference(b_of(x), b_of(y), false), b_down = -b_up, order = 0;
    switch (ask->sort) {
    case 1: order = a_up; break;
    case 2: order = a_down; break;
    case 3: order = b_up; break;
    case 4: order = b_up != 0 ? b_up : a_down; break;
    case 5: order = b_down != 0 ? b_down : a_up; break;
    case 6: order = a_down != 0 ? a_down : b_up; break;
    case 7: order = a_up != 0 ? a_up : b_down; break;
    default: break;
    }
    return order != 0 ? order : strcmp(x->key, y->key);
}

bool query_model_sorts_by_a(const query_ask *ask) {
    return ask->sort == 1 || ask->sort == 2 || ask->sort == 6 || ask->sort == 7;
}

int query_model_compare(const query_model *m, const query_ask *ask, uint32_t a, uint32_t row) {
    query_model_row probe = {.a = a};
    return by_a(&probe, &m->rows[row], ask->sort == 2 || ask->sort == 6);
}

uint32_t query_model_answer(const query_model *m, const query_ask *asks, const query_ask *ask, uint32_t *rows) {
    bool allowed[QUERY_ROWS_MAX];
    uint32_t count = 0;
    memset(allowed, ask->parent == QUERY_NO_PARENT, sizeof allowed);
    if (ask->parent != QUERY_NO_PARENT) {
        uint32_t above[QUERY_ROWS_MAX];
        uint32_t above_count = query_model_answer(m, asks, &asks[ask->parent], above);
        for (uint32_t i = 0; i < above_count; i++) allowed[above[i]] = true;
    }
    for (uint32_t row = 0; row < m->count; row++) {
        if (!allowed[row] || !fits(&m->rows[row], ask)) continue;
        uint32_t at = count++;
        for (; at > 0 && compare(ask, &m->rows[row], &m->rows[rows[at - 1]]) < 0; at--) rows[at] = rows[at - 1];
        rows[at] = row;
    }
    uint32_t behind = count > ask->offset ? count - ask->offset : 0;
    uint32_t shown = behind < ask->limit ? behind : ask->limit;
    if (shown > 0) memmove(rows, rows + ask->offset, shown * sizeof *rows);
    return shown;
}

/* ---- the table ---- */

void query_model_init(query_model *m) {
    memset(m, 0, sizeof *m);
    m->schema = test_schema("{\"ns\": \"t\", \"version\": 1, \"fields\": {\"a\": {\"type\": \"string\"}, "
                            "\"b\": {\"type\": \"number\", \"default\": 3}}}");
    m->other_schema = test_schema("{\"ns\": \"u\", \"version\": 1, \"fields\": {\"a\": {\"type\": \"string\"}}}");
}

void query_model_free(query_model *m) {
    for (uint32_t i = 0; i < m->count; i++) test_value_free(m->rows[i].state);
    gt_schema_free(m->schema);
    gt_schema_free(m->other_schema);
}

static uint32_t row_count(void *context) { return ((query_model *)context)->count; }

static goat_status give_row(void *context, uint32_t number, gt_query_row *out) {
    query_model *m = context;
    const query_model_row *row = &m->rows[number];
    assert_true(number < m->count);
    m->looked++;
    if (!row->present) return GOAT_NOT_FOUND;
    *out = (gt_query_row){gt_bytes_text(row->key), row->state, row->of_other_schema ? m->other_schema : m->schema, 1};
    return GOAT_OK;
}

gt_query_source query_model_source(query_model *m) { return (gt_query_source){m, row_count, give_row}; }

void query_model_set(query_model *m, uint32_t number, uint32_t a, int b) {
    query_model_row *row = &m->rows[number];
    gt_buf notation;
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, "{c: 1");
    if (query_values[a].notation != NULL) test_text(&notation, ", a: %s", query_values[a].notation);
    if (b >= 0) test_text(&notation, ", b: %d", b);
    test_text(&notation, "}");
    test_value_free(row->state);
    row->state = test_value((const char *)notation.data);
    row->a = a;
    row->b = b;
    row->present = true;
    gt_buf_free(&notation);
}

void query_model_remove(query_model *m, uint32_t row) { m->rows[row].present = false; }

void query_model_change(query_model *m, uint32_t row, test_random *random) {
    if (test_random_below(random, 5) == 0) {
        query_model_remove(m, row);
    } else if (test_random_below(random, 8) == 0) { /* the same again */
        query_model_set(m, row, m->rows[row].a, m->rows[row].b);
    } else {
        query_model_set(m, row, test_random_below(random, QUERY_VALUES), (int)test_random_below(random, 6) - 1);
    }
}

uint32_t query_model_add(query_model *m, test_random *random) {
    assert_true(m->count < QUERY_ROWS_MAX);
    query_model_row *row = &m->rows[m->count];
    *row = (query_model_row){.b = -1, .of_other_schema = test_random_below(random, 4) == 0};
    /* Keys of different lengths and in another order than the rows: 7 and 128 have no common factor. */
    snprintf(row->key, sizeof row->key, "%s%u", m->count % 3 == 0 ? "k" : "key", (unsigned)(m->count * 7 % 128));
    query_model_change(m, m->count, random);
    return m->count++;
}

/* ---- asks ---- */

void query_model_ask(test_random *random, int parent, query_ask *ask) {
    static const uint32_t offsets[] = {0, 0, 0, 1, 2, 5, 40, UINT32_MAX};
    static const uint32_t limits[] = {UINT32_MAX, UINT32_MAX, 0, 1, 2, 5, 20, UINT32_MAX - 1};
    ask->where = test_random_below(random, QUERY_WHERES);
    ask->sort = test_random_below(random, QUERY_SORTS);
    ask->of_schema = test_random_below(random, 3) == 0;
    ask->offset = offsets[test_random_below(random, 8)];
    ask->limit = limits[test_random_below(random, 8)];
    ask->parent = parent;
}

void query_model_spec(const query_ask *ask, gt_buf *json) {
    test_text(json, "{\"offset\": %u", (unsigned)ask->offset);
    if (ask->limit != UINT32_MAX) test_text(json, ", \"limit\": %u", (unsigned)ask->limit);
    if (ask->of_schema) test_text(json, ", \"schema\": \"t\"");
    if (wheres[ask->where] != NULL) test_text(json, ", \"where\": %s", wheres[ask->where]);
    if (sorts[ask->sort] != NULL) test_text(json, ", \"sort\": %s", sorts[ask->sort]);
    test_text(json, "}");
}
