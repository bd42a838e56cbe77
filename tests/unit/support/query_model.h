/* A small table of rows for live queries, and an evaluator that knows nothing of how core/query works: it goes
 * through all rows and sorts them, every time.
 *
 * A row has a field `a`, which is one of QUERY_VALUES values of all kinds, and `b`, a number whose default is 3. */
#ifndef QUERY_MODEL_H
#define QUERY_MODEL_H

#include "query/query.h"
#include "support/test_random.h"

enum { QUERY_ROWS_MAX = 128, QUERY_VALUES = 16, QUERY_WHERES = 5, QUERY_SORTS = 8, QUERY_NO_PARENT = -1 };

/* A value as notation (NULL: missing), and where it stands when it is sorted by. */
typedef struct query_value {
    const char *notation;
    int rank, rank_descending;
    bool at_least_two; /* matches {"$gte": 2} */
} query_value;

extern const query_value query_values[QUERY_VALUES];

typedef struct query_model_row {
    bool present, of_other_schema;
    uint32_t a; /* of query_values */
    int b;      /* -1: missing */
    char key[8];
    gt_bytes state; /* as the query sees it */
} query_model_row;

typedef struct query_model {
    gt_schema *schema, *other_schema;
    query_model_row rows[QUERY_ROWS_MAX];
    uint32_t count;
    uint64_t looked; /* rows that queries asked for */
} query_model;

/* What a query is asked, as numbers; query_model_spec writes it as JSON. */
typedef struct query_ask {
    uint32_t where, sort; /* 0: all, and by key */
    bool of_schema;
    uint32_t offset, limit; /* UINT32_MAX: none */
    int parent;             /* an index into the asks, QUERY_NO_PARENT */
} query_ask;

void query_model_init(query_model *m);
void query_model_free(query_model *m);
gt_query_source query_model_source(query_model *m);

/* Appends a row, present or not, and gives its number; the others give a row another state. */
uint32_t query_model_add(query_model *m, test_random *random);
void query_model_change(query_model *m, uint32_t row, test_random *random);
void query_model_set(query_model *m, uint32_t row, uint32_t a, int b);
void query_model_remove(query_model *m, uint32_t row);

void query_model_ask(test_random *random, int parent, query_ask *ask);
void query_model_spec(const query_ask *ask, gt_buf *json);

/* The rows that the ask has in its window, in order; gives how many. `asks` is where parents are looked for. */
uint32_t query_model_answer(const query_model *m, const query_ask *asks, const query_ask *ask, uint32_t *rows);

/* Where a row with the value `a` of query_values would stand in the order of the ask's first sort field, among
 * rows: below zero before `row`, zero beside it. Only for asks that are sorted by `a` first. */
int query_model_compare(const query_model *m, const query_ask *ask, uint32_t a, uint32_t row);
bool query_model_sorts_by_a(const query_ask *ask);

#endif
