/* Queries over one table of rows: building the first result, and keeping it current.
 *
 * A row is brought up to date in one way only (update_row): by the first scan, by a touch, and when the
 * parent's window lets it in or out. So a row that is touched while the scan goes on is no special
 * case. An entry owns the key it was ordered by, which is how its old place is found. */
#include "query/query.h"

#include "base/assert.h"
#include "query/live.h"

/* ---- entries ---- */

static uint64_t hash_of(uint32_t row) { return (uint64_t)row * UINT64_C(0x9e3779b97f4a7c15); }

static gt_entry *entry_at(const gt_query *query, uint32_t slot) {
    return *(gt_entry **)gt_rows_at(&query->entries, slot);
}

static uint32_t find_slot(const gt_query *query, uint32_t row) {
    gt_index_cursor cursor;
    uint32_t slot = gt_index_first(&query->by_row, hash_of(row), &cursor);
    while (slot != GT_INDEX_NONE && entry_at(query, slot)->row != row) slot = gt_index_next(&query->by_row, &cursor);
    return slot;
}

static gt_entry *find_entry(const gt_query *query, uint32_t row) {
    uint32_t slot = find_slot(query, row);
    return slot == GT_INDEX_NONE ? NULL : entry_at(query, slot);
}

static gt_entry *make_entry(gt_query *query, uint32_t row, gt_bytes key) {
    gt_entry *entry = gt_pool_take(&query->pool, sizeof(*entry) + key.len);
    if (entry == NULL) return NULL;
    *entry = (gt_entry){.row = row, .len = (uint32_t)key.len, .prefix = gt_sort_key_prefix(&query->spec, key)};
    memcpy(entry->key, key.data, key.len);
    return entry;
}

static void free_entry(gt_query *query, gt_entry *entry) {
    gt_pool_give(&query->pool, entry, sizeof(*entry) + entry->len);
}

static bool add_entry(gt_query *query, gt_entry *entry) {
    gt_entry **slot = gt_rows_push(&query->entries);
    if (slot == NULL) return false;
    *slot = entry;
    if (!gt_index_insert(&query->by_row, hash_of(entry->row), query->entries.count - 1)) {
        gt_rows_pop(&query->entries);
        return false;
    }
    gt_order_insert(&query->order, entry);
    return true;
}

static void drop_entry(gt_query *query, gt_entry *entry) {
    uint32_t slot = find_slot(query, entry->row), last = query->entries.count - 1;
    gt_order_remove(&query->order, entry);
    gt_index_remove(&query->by_row, hash_of(entry->row), slot);
    if (slot != last) { /* the last one takes its slot */
        gt_entry *moved = entry_at(query, last);
        gt_index_remove(&query->by_row, hash_of(moved->row), last);
        bool inserted = gt_index_insert(&query->by_row, hash_of(moved->row), slot);
        GOAT_ASSERT(inserted); /* two were just taken out */
        *(gt_entry **)gt_rows_at(&query->entries, slot) = moved;
    }
    gt_rows_pop(&query->entries);
    free_entry(query, entry);
}

static void forget_result(gt_query *query) {
    const gt_alloc *alloc = query->set->alloc;
    gt_pool_free(&query->pool);
    gt_rows_free(&query->entries);
    gt_rows_init(&query->entries, alloc, sizeof(gt_entry *));
    gt_index_free(&query->by_row);
    gt_index_init(&query->by_row, alloc);
    query->order.root = NULL;
    query->ready = false;
    query->scanned = 0;
    query->change_count = 0;
    query->reset = true;
}

/* ---- changes ---- */

static void add_change(gt_query *query, gt_query_change_kind kind, uint32_t position, uint32_t old, uint32_t row) {
    if (!query->ready || query->reset) return;
    if (query->change_count >= query->changes_max ||
        !gt_reserve(query->set->alloc, (void **)(void *)&query->changes, query->change_count, &query->change_capacity,
                    sizeof(*query->changes))) {
        query->reset = true;
        query->change_count = 0;
        return;
    }
    query->changes[query->change_count++] = (gt_query_change){kind, position, old, row};
}

/* The end of the window in the whole order. */
static uint64_t window_end(const gt_query *query) {
    return query->spec.limit == UINT32_MAX ? UINT64_MAX : (uint64_t)query->spec.offset + query->spec.limit;
}

/* A row has come to or gone from the window: for the list of changes, and for the queries that look through it. */
static void crossed(gt_query *query, gt_query_change_kind kind, uint64_t position, uint32_t row) {
    uint32_t inside = (uint32_t)(position - query->spec.offset);
    add_change(query, kind, inside, inside, row);
    if (query->children != NULL && !gt_row_list_add(&query->crossed, query->set->alloc, row)) query->lost_track = true;
}

/* The order has lost the entry that stood at `position`; what this does to the window. Called after the removal. */
static void removed_at(gt_query *query, uint32_t position, uint32_t row) {
    uint64_t begin = query->spec.offset, end = window_end(query);
    uint32_t count = gt_order_count(&query->order);
    if (position >= end) return;
    if (position >= begin) {
        crossed(query, GT_QUERY_REMOVED, position, row);
    } else if (begin < (uint64_t)count + 1 && begin < end) { /* the first of the window slides out */
        crossed(query, GT_QUERY_REMOVED, begin, gt_order_at(&query->order, (uint32_t)begin - 1)->row);
    } else {
        return;
    }
    if (end - 1 < count)
        crossed(query, GT_QUERY_INSERTED, end - 1, gt_order_at(&query->order, (uint32_t)(end - 1))->row);
}

/* The order has got an entry at `position`. Called after the insertion. */
static void inserted_at(gt_query *query, uint32_t position, uint32_t row) {
    uint64_t begin = query->spec.offset, end = window_end(query);
    uint32_t count = gt_order_count(&query->order);
    if (position >= end || begin >= count || begin >= end) return;
    if (end < count) crossed(query, GT_QUERY_REMOVED, end - 1, gt_order_at(&query->order, (uint32_t)end)->row);
    if (position >= begin) {
        crossed(query, GT_QUERY_INSERTED, position, row);
    } else { /* the one before the window slides in */
        crossed(query, GT_QUERY_INSERTED, begin, gt_order_at(&query->order, (uint32_t)begin)->row);
    }
}

static void moved_from_to(gt_query *query, uint32_t old, uint32_t new, uint32_t row) {
    uint64_t begin = query->spec.offset, end = window_end(query);
    bool was_inside = old >= begin && old < end, is_inside = new >= begin &&new < end;
    if (was_inside && is_inside) {
        gt_query_change_kind kind = old == new ? GT_QUERY_UPDATED : GT_QUERY_MOVED;
        add_change(query, kind, new - query->spec.offset, old - query->spec.offset, row);
    } else if (was_inside || is_inside || (old < begin) != (new < begin)) {
        query->moving = true; /* seen as a removal and an insertion */
    }
}

/* ---- one row ---- */

static bool in_parent(const gt_query *query, uint32_t row) {
    uint32_t position;
    return query->parent == NULL || gt_query_position_of(query->parent, row, &position);
}

static goat_status wants(gt_query *query, uint32_t number, gt_query_row *row, bool *matches) {
    const gt_query_source *source = &query->set->source;
    goat_status status = in_parent(query, number) ? source->row(source->context, number, row) : GOAT_NOT_FOUND;
    if (status == GOAT_NO_MEMORY) return status;
    *matches = status == GOAT_OK;
    if (*matches && query->spec.ns.data != NULL) {
        *matches = row->schema != NULL && gt_bytes_equal(gt_schema_ns(row->schema), query->spec.ns);
    }
    if (!*matches || query->spec.filter == NULL) return GOAT_OK;
    return gt_filter_match(query->spec.filter, row->state, row->schema, matches);
}

static void remove_row(gt_query *query, gt_entry *entry) {
    uint32_t position = gt_order_position(&query->order, entry), row = entry->row;
    drop_entry(query, entry);
    removed_at(query, position, row);
}

static goat_status insert_row(gt_query *query, uint32_t row, gt_bytes key) {
    gt_entry *entry = make_entry(query, row, key);
    if (entry == NULL || !add_entry(query, entry)) {
        if (entry != NULL) free_entry(query, entry);
        return GOAT_NO_MEMORY;
    }
    if (query->ready) inserted_at(query, gt_order_position(&query->order, entry), row);
    return GOAT_OK;
}

/* A row that is in the result and stays: it may have moved. */
static goat_status move_row(gt_query *query, gt_entry *entry, gt_bytes key) {
    if (gt_bytes_equal(gt_bytes_of(entry->key, entry->len), key)) {
        uint32_t position = query->ready ? gt_order_position(&query->order, entry) : 0;
        if (query->ready) moved_from_to(query, position, position, entry->row);
        return GOAT_OK;
    }
    gt_entry *fresh = make_entry(query, entry->row, key);
    if (fresh == NULL) return GOAT_NO_MEMORY;
    uint32_t slot = find_slot(query, entry->row), old = gt_order_position(&query->order, entry);
    gt_order_remove(&query->order, entry);
    *(gt_entry **)gt_rows_at(&query->entries, slot) = fresh;
    gt_order_insert(&query->order, fresh);
    free_entry(query, entry);
    uint32_t new = gt_order_position(&query->order, fresh);
    if (!query->ready) return GOAT_OK;
    query->moving = false;
    moved_from_to(query, old, new, fresh->row);
    if (query->moving) { /* across an edge of the window: told as it happens, one step at a time */
        gt_order_remove(&query->order, fresh);
        removed_at(query, old, fresh->row);
        gt_order_insert(&query->order, fresh);
        inserted_at(query, new, fresh->row);
    }
    return GOAT_OK;
}

/* `is_new`: the row cannot be in the result yet. */
static goat_status update_row(gt_query *query, uint32_t number, bool is_new) {
    gt_query_row row;
    bool matches;
    goat_status status = wants(query, number, &row, &matches);
    if (status != GOAT_OK) return status;
    gt_entry *entry = is_new ? NULL : find_entry(query, number);
    if (!matches) {
        if (entry != NULL) remove_row(query, entry);
        return GOAT_OK;
    }
    gt_buf_clear(&query->set->key);
    status = gt_sort_key_write(&query->spec, &row, &query->set->key, NULL);
    if (status != GOAT_OK) return status;
    gt_bytes key = gt_buf_bytes(&query->set->key);
    return entry == NULL ? insert_row(query, number, key) : move_row(query, entry, key);
}

/* ---- touching ---- */

static void touch(gt_query *query, uint32_t row) {
    if (!query->ready && row >= query->scanned) return; /* the scan will come to it */
    query->crossed.count = 0;
    query->lost_track = false;
    if (update_row(query, row, false) != GOAT_OK) forget_result(query);
    bool anew = !query->ready || query->lost_track;
    gt_row_list rows = query->crossed; /* a child's touch does not come back here */
    query->crossed = (gt_row_list){0};
    for (gt_query *child = query->children; child != NULL; child = child->next_child) {
        if (anew) {
            gt_query_begin_anew(child);
            continue;
        }
        touch(child, row);
        for (size_t i = 0; i < rows.count; i++) {
            if (rows.rows[i] != row) touch(child, rows.rows[i]);
        }
    }
    gt_free(query->set->alloc, rows.rows);
}

void gt_query_begin_anew(gt_query *query) {
    forget_result(query);
    for (gt_query *child = query->children; child != NULL; child = child->next_child) gt_query_begin_anew(child);
}

void gt_query_set_touch(gt_query_set *set, uint32_t row) {
    for (gt_query *query = set->first; query != NULL; query = query->next) {
        if (query->parent == NULL) touch(query, row);
    }
}

void gt_query_set_restart(gt_query_set *set) {
    for (gt_query *query = set->first; query != NULL; query = query->next) {
        if (query->parent == NULL) gt_query_begin_anew(query);
    }
}

/* ---- building ---- */

goat_status gt_query_build(gt_query *query, uint32_t rows, gt_diag *diag) {
    if (query->ready) return GOAT_OK;
    if (query->parent != NULL && !query->parent->ready) {
        goat_status status = gt_query_build(query->parent, rows, diag);
        if (status != GOAT_OK || !query->parent->ready) return status;
    }
    const gt_query_source *source = &query->set->source;
    uint32_t count = source->row_count(source->context);
    for (; rows > 0 && query->scanned < count; rows--) {
        goat_status status = update_row(query, query->scanned++, true);
        if (status != GOAT_OK) {
            forget_result(query);
            return gt_no_memory(diag);
        }
    }
    query->ready = query->scanned >= count;
    if (query->ready && !query->was_ready) {
        query->was_ready = true; /* from here on there are changes to tell */
        query->reset = false;
    }
    return GOAT_OK;
}

/* ---- asking ---- */

bool gt_query_ready(const gt_query *query) { return query->ready; }

uint32_t gt_query_count(const gt_query *query) {
    GOAT_ASSERT(query->ready);
    uint32_t count = gt_order_count(&query->order);
    uint32_t behind = count > query->spec.offset ? count - query->spec.offset : 0;
    return behind < query->spec.limit ? behind : query->spec.limit;
}

uint32_t gt_query_row_at(const gt_query *query, uint32_t position) {
    GOAT_ASSERT(position < gt_query_count(query));
    return gt_order_at(&query->order, query->spec.offset + position)->row;
}

bool gt_query_position_of(const gt_query *query, uint32_t row, uint32_t *position) {
    const gt_entry *entry = query->ready ? find_entry(query, row) : NULL;
    if (entry == NULL) return false;
    uint32_t at = gt_order_position(&query->order, entry);
    if (at < query->spec.offset || at >= window_end(query)) return false;
    *position = at - query->spec.offset;
    return true;
}

typedef struct lookup {
    const gt_query *query;
    gt_bytes value;
    bool after; /* the first entry behind those that are equal */
} lookup;

static bool is_before(const void *context, const gt_entry *entry) {
    const lookup *look = context;
    const uint8_t *end = gt_value_skip(entry->key, entry->key + entry->len);
    int order = gt_value_compare(gt_bytes_of(entry->key, (size_t)(end - entry->key)), look->value);
    if (look->query->spec.sort[0].descending) order = -order;
    return look->after ? order <= 0 : order < 0;
}

goat_status gt_query_find(gt_query *query, gt_bytes value, uint32_t *position, uint32_t *count, gt_diag *diag) {
    GOAT_ASSERT(query->ready);
    if (query->spec.sort_count == 0) return gt_fail(diag, GOAT_MISUSE, "the query is not sorted by a field");
    lookup look = {query, gt_sort_value(value, query->spec.sort[0].descending), false};
    uint32_t first = gt_order_lower_bound(&query->order, is_before, &look);
    look.after = true;
    uint32_t behind = gt_order_lower_bound(&query->order, is_before, &look);
    uint32_t offset = query->spec.offset, shown = gt_query_count(query);
    first = first < offset ? 0 : first - offset;
    behind = behind < offset ? 0 : behind - offset;
    *position = first < shown ? first : shown;
    if (count != NULL) *count = (behind < shown ? behind : shown) - *position;
    return GOAT_OK;
}

void gt_query_drain(gt_query *query, const gt_query_change **changes, uint32_t *count, bool *reset) {
    *changes = query->changes;
    *count = query->ready ? (uint32_t)query->change_count : 0;
    *reset = query->ready && query->reset;
    if (!query->ready) return;
    query->change_count = 0;
    query->reset = false;
}

bool gt_query_has_changes(const gt_query *query) { return query->ready && (query->change_count > 0 || query->reset); }
