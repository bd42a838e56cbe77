/* Filters and specs: any bytes as the text of a filter, as a filter in CBOR, as the spec of a query. What compiles is
 * run on a few documents, and must give the same answer twice, its opposite under $nor, and the same whether it was
 * read from JSON or from CBOR.
 *
 * The first byte says what the rest is: an even one JSON of a filter, 1 of 4 CBOR, 3 of 4 JSON of a spec. */
#include "base/assert.h"
#include "query/query.h"
#include "query/spec.h"
#include "value/build.h"
#include "value/json.h"

#include <string.h>

enum { DOCUMENTS = 6, INPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const documents[DOCUMENTS] = {
    "{}",
    "{\"a\":1,\"b\":\"goat\",\"c\":[1,2,\"x\",null]}",
    "{\"a\":{\"b\":[{\"c\":1},{\"c\":[2,3]},5]},\"b\":{\"$set\":[1,2,\"x\"]}}",
    "{\"a\":[[1,[2]],{\"b\":{\"c\":\"goats\"}},{\"0\":7}],\"b\":null,\"c\":{}}",
    "{\"a\":9007199254740993,\"b\":{\"$date\":\"2020-01-01T00:00:00Z\"},\"c\":{\"$bytes\":\"AAEC\"}}",
    "{\"a\":\"line\\nline\",\"b\":1.5,\"c\":true,\"\":{\"\":[]},\"d\":{\"$ref\":\"/a/b/c\"}}",
};

typedef struct table {
    gt_buf states[DOCUMENTS];
} table;

static uint32_t row_count(void *context) {
    (void)context;
    return DOCUMENTS;
}

static goat_status give_row(void *context, uint32_t row, gt_query_row *out) {
    static const char keys[] = "fedcba";
    table *t = context;
    *out = (gt_query_row){gt_bytes_of(keys + row, 1), gt_buf_bytes(&t->states[row]), NULL, 1};
    return GOAT_OK;
}

static void make_table(table *t) {
    for (size_t i = 0; i < DOCUMENTS; i++) {
        gt_buf_init(&t->states[i], &gt_alloc_system);
        goat_status status = gt_value_from_json_text(gt_bytes_text(documents[i]), &t->states[i], NULL);
        GOAT_ASSERT(status == GOAT_OK);
    }
}

static void free_table(table *t) {
    for (size_t i = 0; i < DOCUMENTS; i++) gt_buf_free(&t->states[i]);
}

static bool match(const gt_filter *filter, gt_bytes state) {
    bool first = false, second = true;
    goat_status status = gt_filter_match(filter, state, NULL, &first);
    GOAT_ASSERT(status == GOAT_OK);
    gt_filter_match(filter, state, NULL, &second);
    GOAT_ASSERT(first == second);
    return first;
}

/* {"$nor": [document]}; NULL if it is beyond a limit now. */
static gt_filter *opposite(gt_bytes document) {
    gt_buf out;
    gt_filter *filter = NULL;
    gt_buf_init(&out, &gt_alloc_system);
    gt_write_map_head(&out, 1);
    gt_write_text(&out, gt_bytes_text("$nor"));
    gt_write_array_head(&out, 1);
    gt_buf_append(&out, document.data, document.len);
    if (gt_value_check(gt_buf_bytes(&out), 0, NULL) == GOAT_OK) {
        goat_status status = gt_filter_compile(&gt_alloc_system, gt_buf_bytes(&out), &filter, NULL);
        GOAT_ASSERT(status == GOAT_OK || status == GOAT_TOO_LARGE);
    }
    gt_buf_free(&out);
    return filter;
}

static void check_fault(goat_status status, const void *made, const gt_diag *diag) {
    GOAT_ASSERT(status == GOAT_OK || status == GOAT_INVALID || status == GOAT_TOO_LARGE);
    GOAT_ASSERT((status == GOAT_OK) == (made != NULL));
    GOAT_ASSERT(status == GOAT_OK || diag->message[0] != '\0');
}

static void try_filter(const table *t, gt_bytes document) {
    gt_filter *filter;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_filter_compile(&gt_alloc_system, document, &filter, &diag);
    check_fault(status, filter, &diag);
    if (status != GOAT_OK) return;
    gt_filter *other = opposite(document);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        bool matches = match(filter, gt_buf_bytes(&t->states[i]));
        GOAT_ASSERT(other == NULL || match(other, gt_buf_bytes(&t->states[i])) != matches);
    }
    gt_filter_drop(other);
    gt_filter_drop(filter);
}

static void try_json(const table *t, gt_bytes text) {
    gt_filter *filter;
    gt_diag diag;
    gt_buf value;
    gt_diag_init(&diag);
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = gt_filter_compile_json(&gt_alloc_system, text, &filter, &diag);
    check_fault(status, filter, &diag);
    gt_filter_drop(filter);
    if (gt_value_from_json_text(text, &value, NULL) == GOAT_OK) {
        try_filter(t, gt_buf_bytes(&value));
    } else {
        GOAT_ASSERT(status != GOAT_OK);
    }
    gt_buf_free(&value);
}

/* The same row order however the rows came in. */
static void try_spec(table *t, gt_bytes text) {
    gt_query_source source = {t, row_count, give_row};
    gt_query_set *set = gt_query_set_new(&gt_alloc_system, &source);
    gt_query_config config = {.spec = text};
    gt_query *query, *child;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_query_new(set, &config, &query, &diag);
    check_fault(status, query, &diag);
    if (status == GOAT_OK) {
        config.parent = query;
        status = gt_query_new(set, &config, &child, NULL);
        GOAT_ASSERT(status == GOAT_OK);
        while (!gt_query_ready(child)) gt_query_build(child, 1, NULL);
        uint32_t before[DOCUMENTS], count = gt_query_count(query);
        for (uint32_t i = 0; i < count; i++) before[i] = gt_query_row_at(query, i);
        for (uint32_t row = DOCUMENTS; row-- > 0;) gt_query_set_touch(set, row);
        gt_query_set_restart(set);
        while (!gt_query_ready(child)) gt_query_build(child, 4, NULL);
        GOAT_ASSERT(gt_query_count(query) == count && gt_query_count(child) <= count);
        for (uint32_t i = 0; i < count; i++) GOAT_ASSERT(gt_query_row_at(query, i) == before[i]);
        gt_query_free(query);
        gt_query_free(child);
    }
    gt_query_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    table t;
    if (size == 0 || size > INPUT_MAX) return 0;
    make_table(&t);
    gt_bytes rest = {data + 1, size - 1};
    if (data[0] % 2 == 0) {
        try_json(&t, rest);
    } else if (data[0] % 4 == 3) {
        try_spec(&t, rest);
    } else if (gt_value_check(rest, 0, NULL) == GOAT_OK) {
        try_filter(&t, rest);
    }
    free_table(&t);
    return 0;
}
