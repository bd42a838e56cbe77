/* A table whose rows are named by their item key, a letter, and what live queries show and tell of it. */
#ifndef QUERY_ROWS_H
#define QUERY_ROWS_H

#include "query/query.h"
#include "support/test_alloc.h"

enum { QUERY_ROWS_ALL = 40 };

/* Of the namespace "t", with fields n, s, d (default 7), m, l. */
typedef struct query_rows {
    gt_schema *schema;
    gt_bytes states[QUERY_ROWS_ALL]; /* data NULL: no row at present */
    char keys[QUERY_ROWS_ALL];
    uint32_t count, looked; /* `looked`: how often queries asked for a row */
    test_alloc memory;
    gt_query_set *set;
} query_rows;

/* For cmocka. */
int query_rows_set_up(void **state);
int query_rows_tear_down(void **state);

gt_query_source query_rows_source(query_rows *f);

/* The row `key` is now so (NULL: not a row), and is touched. */
void query_rows_put(query_rows *f, char key, const char *notation);

/* {n: digit} for each: "c3 a1". */
void query_rows_put_all(query_rows *f, const char *rows);

gt_query *query_rows_open_on(query_rows *f, gt_query *parent, const char *spec);
gt_query *query_rows_open(query_rows *f, const char *spec); /* and builds it */
void query_rows_build(gt_query *query);

/* The keys in the window, in order. */
void query_rows_shows(query_rows *f, gt_query *query, const char *keys);

/* The changes, such as "+a0 -b2 c2>0 a1!", and "reset". */
void query_rows_tells(query_rows *f, gt_query *query, const char *expected);

#endif
