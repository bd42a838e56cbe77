/* What a query is asked: {"schema", "where", "sort", "offset", "limit", "fields"}, parsed. */
#ifndef GT_QUERY_SPEC_H
#define GT_QUERY_SPEC_H

#include "query/field.h"
#include "query/filter.h"
#include "query/query.h"

typedef struct gt_sort_field {
    gt_field_path path;
    bool descending;
} gt_sort_field;

typedef struct gt_spec {
    gt_arena arena;    /* holds what the rest points to */
    gt_bytes ns;       /* data NULL: any */
    gt_filter *filter; /* NULL: all */
    gt_sort_field *sort;
    size_t sort_count;
    uint32_t offset, limit; /* UINT32_MAX: no limit */
    gt_bytes *fields;       /* in the order of keys; NULL: all */
    size_t field_count;
} gt_spec;

/* GOAT_OK; GOAT_INVALID, GOAT_TOO_LARGE with what is wrong. End it with gt_spec_free in any case. */
goat_status gt_spec_parse(const gt_alloc *alloc, gt_bytes text, gt_spec *spec, gt_diag *diag);
void gt_spec_free(gt_spec *spec);

/* Appends the sort key of a row: for each sort field the value that it is ordered by (of an array or set
 * the smallest element, descending the largest; null where there is none), then the item key as text. */
goat_status gt_sort_key_write(const gt_spec *spec, const gt_query_row *row, gt_buf *key, gt_diag *diag);

/* Orders two sort keys. */
int gt_sort_key_compare(const gt_spec *spec, gt_bytes a, gt_bytes b);

/* A number that is in the order of sort keys, as far as it goes: equal ones say nothing. */
uint64_t gt_sort_key_prefix(const gt_spec *spec, gt_bytes key);

/* The value that a field holding `value` is ordered by. */
gt_bytes gt_sort_value(gt_bytes value, bool descending);

#endif
