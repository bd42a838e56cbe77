/* The lives of queries, and what a row shows of itself. */
#include "base/assert.h"
#include "query/live.h"
#include "value/build.h"

gt_query_set *gt_query_set_new(const gt_alloc *alloc, const gt_query_source *source) {
    gt_query_set *set = gt_new(alloc, 1, sizeof(*set));
    if (set == NULL) return NULL;
    set->alloc = alloc;
    set->source = *source;
    gt_buf_init(&set->key, alloc);
    return set;
}

void gt_query_set_free(gt_query_set *set) {
    if (set == NULL) return;
    GOAT_ASSERT(set->first == NULL);
    gt_buf_free(&set->key);
    gt_free(set->alloc, set);
}

gt_query *gt_query_set_next(const gt_query_set *set, const gt_query *query) {
    return query == NULL ? set->first : query->next;
}

static void end_query(gt_query *query) {
    const gt_alloc *alloc = query->set->alloc;
    gt_query_begin_anew(query);
    gt_rows_free(&query->entries);
    gt_index_free(&query->by_row);
    gt_spec_free(&query->spec);
    gt_free(alloc, query->changes);
    gt_free(alloc, query->crossed.rows);
    gt_free(alloc, query);
}

static int compare(const void *context, const gt_entry *a, const gt_entry *b) {
    const gt_query *query = context;
    if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
    return gt_sort_key_compare(&query->spec, gt_bytes_of(a->key, a->len), gt_bytes_of(b->key, b->len));
}

goat_status gt_query_new(gt_query_set *set, const gt_query_config *config, gt_query **out, gt_diag *diag) {
    *out = NULL;
    gt_query *parent = config->parent;
    if (parent != NULL && parent->depth + 1 >= GT_QUERY_CHAIN_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "more than %d queries one on the other", GT_QUERY_CHAIN_MAX);
    }
    gt_query *query = gt_new(set->alloc, 1, sizeof(*query));
    if (query == NULL) return gt_no_memory(diag);
    query->set = set;
    query->id = config->id;
    query->changes_max = config->changes_max == 0 ? GT_QUERY_CHANGES_DEFAULT : config->changes_max;
    query->order = (gt_order){NULL, compare, query};
    gt_pool_init(&query->pool, set->alloc);
    gt_rows_init(&query->entries, set->alloc, sizeof(gt_entry *));
    gt_index_init(&query->by_row, set->alloc);
    goat_status status = gt_spec_parse(set->alloc, config->spec, &query->spec, diag);
    if (status != GOAT_OK) {
        end_query(query);
        return status;
    }
    if (parent != NULL) {
        query->parent = parent;
        query->depth = parent->depth + 1;
        query->next_child = parent->children;
        parent->children = query;
    }
    if (set->last == NULL) {
        set->first = query;
    } else {
        set->last->next = query;
    }
    set->last = query;
    *out = query;
    return GOAT_OK;
}

static void unlink_query(gt_query *query) {
    gt_query_set *set = query->set;
    gt_query *before = NULL;
    for (gt_query *at = set->first; at != query; at = at->next) before = at;
    if (before == NULL) {
        set->first = query->next;
    } else {
        before->next = query->next;
    }
    if (set->last == query) set->last = before;
    if (query->parent == NULL) return;
    gt_query **child = &query->parent->children;
    while (*child != query) child = &(*child)->next_child;
    *child = query->next_child;
}

void gt_query_free(gt_query *query) {
    if (query == NULL) return;
    query->freed = true;
    query->id = 0;
    while (query != NULL && query->freed && query->children == NULL) {
        gt_query *parent = query->parent;
        unlink_query(query);
        end_query(query);
        query = parent;
    }
}

uint32_t gt_query_id(const gt_query *query) { return query->id; }

void gt_query_project(const gt_query *query, const gt_query_row *row, gt_buf *out) {
    const gt_spec *spec = &query->spec;
    if (spec->fields == NULL) {
        gt_schema_read(row->schema, row->state, out);
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        count += gt_field_value(row->state, row->schema, spec->fields[i]).data != NULL;
    }
    gt_write_map_head(out, count);
    for (size_t i = 0; i < spec->field_count; i++) {
        gt_bytes value = gt_field_value(row->state, row->schema, spec->fields[i]);
        if (value.data == NULL) continue;
        const gt_field *field = row->schema == NULL ? NULL : gt_schema_field(row->schema, spec->fields[i]);
        gt_write_text(out, spec->fields[i]);
        if (field != NULL) {
            gt_field_read(field, value, out);
        } else {
            gt_buf_append(out, value.data, value.len);
        }
    }
}
