/* Evaluates filters and queries over documents, for the comparison with another evaluator. Reads lines of JSON from
 * standard input:
 *
 *     {"document": {…}}             one more document; its number counts from 0
 *     {"forget": true}              no documents any more
 *     {"where": …}                  prints the numbers of those that match, as an array
 *     {"where": …, "sort": […], …}  any other spec of a query: prints the numbers in its window, in order
 *
 * A line that is refused prints {"error": message}. */
#include "query/query.h"
#include "query/spec.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MAX = 100000, KEY_SIZE = 8 };

typedef struct table {
    gt_bytes states[DOCUMENTS_MAX];
    char keys[DOCUMENTS_MAX][KEY_SIZE]; /* in the order of numbers, so that equal documents stand in it */
    uint32_t count;
} table;

static uint32_t row_count(void *context) { return ((table *)context)->count; }

static goat_status give_row(void *context, uint32_t row, gt_query_row *out) {
    table *t = context;
    *out = (gt_query_row){gt_bytes_of(t->keys[row], KEY_SIZE - 1), t->states[row], NULL, 1};
    return GOAT_OK;
}

static void forget(table *t) {
    for (uint32_t i = 0; i < t->count; i++) free((void *)(uintptr_t)t->states[i].data);
    t->count = 0;
}

static void add(table *t, gt_bytes document) {
    uint8_t *copy = malloc(document.len);
    if (copy == NULL || t->count == DOCUMENTS_MAX) exit(3);
    memcpy(copy, document.data, document.len);
    snprintf(t->keys[t->count], KEY_SIZE, "k%06u", (unsigned)t->count % 1000000u);
    t->states[t->count++] = gt_bytes_of(copy, document.len);
}

static void print_match(const table *t, const gt_filter *filter) {
    const char *comma = "";
    putchar('[');
    for (uint32_t i = 0; i < t->count; i++) {
        bool matches = false;
        if (gt_filter_match(filter, t->states[i], NULL, &matches) != GOAT_OK) exit(3);
        if (!matches) continue;
        printf("%s%u", comma, (unsigned)i);
        comma = ",";
    }
    puts("]");
}

static goat_status run_filter(const table *t, gt_bytes where, gt_diag *diag) {
    gt_filter *filter;
    goat_status status = gt_filter_compile(&gt_alloc_system, where, &filter, diag);
    if (status == GOAT_OK) print_match(t, filter);
    gt_filter_drop(filter);
    return status;
}

static goat_status run_query(table *t, gt_bytes spec, gt_diag *diag) {
    gt_query_source source = {t, row_count, give_row};
    gt_query_set *set = gt_query_set_new(&gt_alloc_system, &source);
    gt_query_config config = {.spec = spec};
    gt_query *query = NULL;
    if (set == NULL) exit(3);
    goat_status status = gt_query_new(set, &config, &query, diag);
    if (status == GOAT_OK) {
        if (gt_query_build(query, UINT32_MAX, diag) != GOAT_OK) exit(3);
        putchar('[');
        for (uint32_t i = 0; i < gt_query_count(query); i++) {
            printf("%s%u", i == 0 ? "" : ",", (unsigned)gt_query_row_at(query, i));
        }
        puts("]");
    }
    gt_query_free(query);
    gt_query_set_free(set);
    return status;
}

static goat_status run_line(table *t, gt_bytes text, gt_diag *diag) {
    gt_buf value;
    gt_buf_init(&value, &gt_alloc_system);
    goat_status status = gt_value_from_json_text(text, &value, diag);
    if (status == GOAT_OK) {
        gt_bytes line = gt_buf_bytes(&value);
        gt_bytes document = gt_map_find(line, gt_bytes_text("document"));
        gt_bytes where = gt_map_find(line, gt_bytes_text("where"));
        if (document.data != NULL) {
            add(t, document);
        } else if (gt_map_find(line, gt_bytes_text("forget")).data != NULL) {
            forget(t);
        } else if (where.data != NULL && gt_value_count(line) == 1) {
            status = run_filter(t, where, diag);
        } else {
            status = run_query(t, text, diag);
        }
    }
    gt_buf_free(&value);
    return status;
}

static void print_error(const gt_diag *diag) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_json_write_string(&out, gt_bytes_text(diag->message));
    printf("{\"error\":%.*s}\n", (int)out.len, (const char *)out.data);
    gt_buf_free(&out);
}

/* One line of standard input without its end; false behind the last one. */
static bool read_line(gt_buf *line) {
    int c;
    gt_buf_clear(line);
    while ((c = getchar()) != EOF && c != '\n') gt_buf_append_byte(line, (uint8_t)c);
    if (gt_buf_failed(line)) exit(3);
    return c != EOF || line->len > 0;
}

int main(void) {
    table *t = calloc(1, sizeof *t);
    gt_buf line;
    gt_buf_init(&line, &gt_alloc_system);
    if (t == NULL) return 3;
    while (read_line(&line)) {
        gt_diag diag;
        gt_diag_init(&diag);
        if (run_line(t, gt_buf_bytes(&line), &diag) != GOAT_OK) print_error(&diag);
    }
    gt_buf_free(&line);
    forget(t);
    free(t);
    return 0;
}
