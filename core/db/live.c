/* Live queries of one handle on one repository: the table of rows that core/query looks at.
 *
 * A row is an item as this handle sees it, unsaved edits included. An item that is created and not yet
 * captured has a row of its own already; when it is captured, the row moves over to the item.
 *
 * Rows that were touched wait until somebody asks a query, so that an edit costs none of them anything; a row that is touched
 * again meanwhile waits once. */
#include "db/internal.h"
#include "schema/schema_json.h"

enum {
    COVER_ITEMS = 4096, /* a step of making rows: some 100 microseconds */
    BUILD_ROWS = 256,   /* and one of a first result, each of them sorted among all before */
};

#define ROWS_BYTES_MAX ((size_t)1 << 30)

/* ---- the table of rows ---- */

static gt_live_row *live_row(const gt_space *space, uint32_t row) { return gt_rows_at(&space->live_rows, row); }

static uint32_t row_count(void *context) { return ((gt_space *)context)->live_rows.count; }

static goat_status row_of_work(gt_space *space, gt_work *work, gt_query_row *out) {
    bool deleted = work->sets_deleted ? work->deleted : work->base_deleted && work->edit_count == 0;
    gt_buf_clear(&space->scratch);
    if (deleted) return GOAT_NOT_FOUND;
    goat_status status = gt_work_state(work, &space->scratch, NULL);
    if (status != GOAT_OK) return status;
    *out = (gt_query_row){gt_bytes_of(work->key, work->key_len), gt_buf_bytes(&space->scratch), work->schema,
                          work->revision};
    return GOAT_OK;
}

static goat_status row_of_item(gt_space *space, uint32_t item, gt_query_row *out) {
    gt_bytes key = gt_repo_key(space->mount->repo, item);
    gt_work *work = gt_works_find(&space->works, space->db->database, key);
    if (work != NULL && !work->ended) return row_of_work(space, work, out);
    gt_seen seen;
    goat_status status = gt_space_see(space, item, &seen, NULL);
    if (status != GOAT_OK) return status;
    *out = (gt_query_row){key, seen.view.bytes, seen.schema, seen.revision};
    gt_view_drop(space->db->database->alloc, &seen.view); /* the repository or the trace holds it too */
    return (seen.flags & GT_ITEM_DELETED) == 0 ? GOAT_OK : GOAT_NOT_FOUND;
}

static goat_status get_row(void *context, uint32_t number, gt_query_row *out) {
    gt_space *space = context;
    const gt_live_row *row = live_row(space, number);
    if (row->item != GT_NONE) return row_of_item(space, row->item, out);
    return row->work != NULL ? row_of_work(space, row->work, out) : GOAT_NOT_FOUND;
}

static uint32_t push_row(gt_space *space, uint32_t item, gt_work *work) {
    gt_live_row *row = gt_rows_push(&space->live_rows);
    if (row == NULL) return GT_NONE;
    *row = (gt_live_row){.item = item, .work = work};
    return space->live_rows.count - 1;
}

/* The work that creates an item which has no row yet, and has one itself; NULL. */
static gt_work *creating_work(gt_space *space, uint32_t item) {
    if (space->works.count == 0) return NULL;
    gt_work *work = gt_works_find(&space->works, space->db->database, gt_repo_key(space->mount->repo, item));
    bool has_row = work != NULL && work->live_row != GT_NONE && live_row(space, work->live_row)->item == GT_NONE;
    return has_row ? work : NULL;
}

/* Rows for up to `most` items below `count` that have none yet; false without memory. */
static bool cover_items(gt_space *space, uint32_t count, uint32_t most) {
    for (; most > 0 && space->row_of_item.count < count; most--) {
        uint32_t item = space->row_of_item.count;
        const gt_work *work = creating_work(space, item);
        uint32_t *slot = gt_rows_push(&space->row_of_item);
        if (slot == NULL) return false;
        *slot = work != NULL ? work->live_row : push_row(space, item, NULL);
        if (*slot == GT_NONE) {
            gt_rows_pop(&space->row_of_item);
            return false;
        }
        if (work != NULL) {
            gt_live_row *row = live_row(space, work->live_row);
            row->item = item;
            row->work = NULL;
        }
    }
    return true;
}

static bool has_row(const gt_space *space, uint32_t item) { return item < space->row_of_item.count; }

/* Once all items have rows a new one gets its own at once. Before, no query is ready, and the scans come to the rows that
 * are still to be made; so it is after memory ran out, and the queries begin anew. */
static bool cover_up_to(gt_space *space, uint32_t item) {
    if (has_row(space, item)) return true;
    if (!space->is_covered) return false;
    if (cover_items(space, item + 1, UINT32_MAX)) return true;
    gt_live_restart(space);
    return false;
}

/* ---- what was touched ---- */

/* The queries look at a row that cannot wait for want of memory. */
static void touch(gt_space *space, uint32_t row) {
    gt_live_row *touched = live_row(space, row);
    if (touched->waits) return;
    uint32_t *slot = gt_rows_push(&space->touched_rows);
    if (slot == NULL) {
        gt_query_set_touch(space->queries, row);
    } else {
        *slot = row;
        touched->waits = true;
    }
}

static void catch_up(gt_space *space) {
    for (uint32_t i = 0; i < space->touched_rows.count; i++) {
        uint32_t row = *(uint32_t *)gt_rows_at(&space->touched_rows, i);
        live_row(space, row)->waits = false;
        gt_query_set_touch(space->queries, row);
    }
    while (space->touched_rows.count > 0) gt_rows_pop(&space->touched_rows);
}

void gt_live_restart(gt_space *space) {
    if (space->queries == NULL) return;
    space->is_covered = false;
    gt_query_set_restart(space->queries);
}

void gt_live_touch_item(gt_space *space, uint32_t item) {
    if (space->queries == NULL || !cover_up_to(space, item)) return;
    touch(space, *(uint32_t *)gt_rows_at(&space->row_of_item, item));
}

/* A commit of this handle. While its work is still there, the row follows when the work has ended. Where the item has no
 * row yet, that of the work ends: the work does not live until there is one. */
void gt_live_own_commit(gt_space *space, uint32_t item) {
    if (space->queries == NULL) return;
    if (cover_up_to(space, item)) {
        gt_bytes key = gt_repo_key(space->mount->repo, item);
        if (gt_works_find(&space->works, space->db->database, key) == NULL) gt_live_touch_item(space, item);
        return;
    }
    gt_work *work = creating_work(space, item);
    if (work == NULL) return;
    live_row(space, work->live_row)->work = NULL;
    touch(space, work->live_row);
    work->live_row = GT_NONE;
}

/* Another handle may have made an item of that key, which is not visible here: both have one row. */
static uint32_t row_for(gt_space *space, gt_work *work) {
    uint32_t item = gt_repo_find(space->mount->repo, gt_bytes_of(work->key, work->key_len));
    if (item == GT_NONE || !has_row(space, item)) return push_row(space, GT_NONE, work);
    return *(uint32_t *)gt_rows_at(&space->row_of_item, item);
}

void gt_live_touch_work(gt_space *space, gt_work *work) {
    if (space->queries == NULL || work->tx != NULL) return;
    if (work->item != GT_NONE) {
        gt_live_touch_item(space, work->item);
        return;
    }
    if (work->live_row == GT_NONE) work->live_row = row_for(space, work);
    if (work->live_row == GT_NONE) {
        gt_query_set_restart(space->queries);
    } else {
        touch(space, work->live_row);
    }
}

void gt_live_work_captured(gt_space *space, uint32_t item) {
    if (item != GT_NONE) gt_live_touch_item(space, item);
}

void gt_live_work_dropped(gt_space *space, gt_work *work) {
    if (space->queries == NULL || work->live_row == GT_NONE) return;
    gt_live_row *row = live_row(space, work->live_row);
    work->ended = true; /* the row is looked at without it */
    if (row->work == work) row->work = NULL;
    touch(space, work->live_row);
}

static goat_status begin_rows(gt_space *space, gt_diag *diag) {
    if (space->queries != NULL) return GOAT_OK;
    gt_query_source source = {space, row_count, get_row};
    gt_buf_init(&space->scratch, space->db->database->alloc);
    space->queries = gt_query_set_new(space->db->database->alloc, &source);
    return space->queries == NULL ? gt_no_memory(diag) : GOAT_OK;
}

/* Rows for up to `most` items more, and at the end for what is being created. */
static goat_status make_rows(gt_space *space, uint32_t most, gt_diag *diag) {
    uint32_t count = gt_repo_item_count(space->mount->repo);
    if (space->is_covered) return GOAT_OK;
    if (!cover_items(space, count, most)) return gt_no_memory(diag);
    if (space->row_of_item.count < count) return GOAT_OK;
    space->is_covered = true;
    for (size_t i = 0; i < space->works.count; i++) {
        gt_work *work = space->works.list[i];
        if (work->item == GT_NONE && work->live_row == GT_NONE) gt_live_touch_work(space, work);
    }
    return GOAT_OK;
}

void gt_live_end(gt_space *space) {
    for (goat_query *query = space->live; query != NULL; query = query->next) {
        gt_query_free(query->query);
        query->query = NULL;
    }
    if (space->queries != NULL) {
        gt_query_set_free(space->queries);
        gt_buf_free(&space->scratch);
    }
    space->queries = NULL;
}

/* ---- queries ---- */

static gt_step_result building(goat_job *job) {
    goat_query *query = job->state;
    if (query->query == NULL) {
        gt_fail(&job->diag, GOAT_CLOSED, "the query was closed");
        gt_job_end(job, GOAT_CLOSED);
        return GT_STEP_DONE;
    }
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = make_rows(query->space, COVER_ITEMS, &diag);
    if (status == GOAT_OK && !query->space->is_covered) return GT_STEP_MORE;
    catch_up(query->space);
    if (status == GOAT_OK) status = gt_query_build(query->query, BUILD_ROWS, &diag);
    if (status != GOAT_OK) {
        gt_job_fail(job, status, &diag);
        return GT_STEP_DONE;
    }
    query->was_ready = gt_query_ready(query->query); /* whatever becomes of the result, it is made anew when asked */
    return query->was_ready ? GT_STEP_DONE : GT_STEP_MORE;
}

static void unref_query(goat_query *query) {
    if (--query->refs == 0) gt_free(query->db->database->alloc, query);
}

static void end_building(goat_job *job) { unref_query(job->state); }

static const gt_job_kind build_kind = {building, end_building, true};

goat_status gt_live_open(gt_space *space, goat_query *parent, gt_bytes spec, goat_query **out, goat_job **job,
                         gt_diag *diag) {
    *out = NULL;
    goat_status status = gt_space_check(space, diag);
    if (status == GOAT_OK && parent != NULL && (parent->space != space || parent->query == NULL)) {
        status = gt_fail(diag, GOAT_MISUSE, "the source is a query of another repository, or closed");
    }
    if (status == GOAT_OK) status = begin_rows(space, diag);
    if (status != GOAT_OK) return status;
    gt_database *database = space->db->database;
    goat_query *query = gt_new(database->alloc, 1, sizeof(*query));
    if (query == NULL) return gt_no_memory(diag);
    query->db = space->db;
    query->space = space;
    query->id = gt_next_id(database);
    query->refs = 1;
    gt_query_config config = {spec, parent == NULL ? NULL : parent->query, query->id, space->db->changes_max};
    status = gt_query_new(space->queries, &config, &query->query, diag);
    if (status == GOAT_OK) {
        query->refs++;
        status = gt_job_new(space->db, &build_kind, query, job, diag);
        if (status != GOAT_OK) {
            query->refs--;
            gt_query_free(query->query);
        }
    }
    if (status != GOAT_OK) {
        gt_free(database->alloc, query);
        return status;
    }
    query->next = space->live;
    space->live = query;
    gt_db_retain(space->db);
    *out = query;
    return GOAT_OK;
}

goat_db *gt_live_db(const goat_query *query) { return query->db; }

uint32_t gt_live_id(const goat_query *query) { return query->id; }

void gt_live_free(goat_query *query) {
    goat_query **at = &query->space->live;
    while (*at != query) at = &(*at)->next;
    *at = query->next;
    gt_query_free(query->query);
    query->query = NULL;
    unref_query(query);
}

goat_status gt_live_check(goat_query *query, gt_diag *diag) {
    goat_status status = gt_space_check(query->space, diag);
    if (status == GOAT_OK && query->query == NULL) status = gt_fail(diag, GOAT_CLOSED, "the repository was closed");
    if (status != GOAT_OK) return status;
    catch_up(query->space);
    if (gt_query_ready(query->query)) {
        query->was_ready = true;
        return GOAT_OK;
    }
    if (!query->was_ready) return gt_fail(diag, GOAT_LOADING, "the query's first result is not there yet");
    status = make_rows(query->space, UINT32_MAX, diag); /* it was begun anew: a schema came, or memory had run out */
    while (status == GOAT_OK && !gt_query_ready(query->query)) {
        status = gt_query_build(query->query, BUILD_ROWS, diag);
    }
    return status;
}

uint32_t gt_live_count(goat_query *query) { return gt_query_count(query->query); }

static goat_status write_row(goat_query *query, uint32_t row, bool json, gt_buf *out, gt_diag *diag) {
    gt_query_row found;
    goat_status status = get_row(query->space, row, &found);
    if (status == GOAT_NO_MEMORY) return gt_no_memory(diag);
    if (status != GOAT_OK) {
        return gt_fail(diag, GOAT_CORRUPT, "a row of the query cannot be read any more");
    }
    if (!json) {
        gt_write_array_head(out, 3);
        gt_write_text(out, found.key);
        gt_write_int(out, found.revision);
        gt_query_project(query->query, &found, out);
        return GOAT_OK;
    }
    gt_buf fields;
    gt_buf_init(&fields, out->alloc);
    gt_query_project(query->query, &found, &fields);
    bool own_key = gt_map_find(gt_buf_bytes(&fields), gt_bytes_text("key")).data != NULL;
    bool empty = gt_value_count(gt_buf_bytes(&fields)) == 0;
    gt_buf_append_byte(out, '{');
    if (!own_key) {
        gt_buf_append(out, "\"key\":", 6);
        gt_json_write_string(out, found.key);
        if (!empty) gt_buf_append_byte(out, ',');
    }
    status = gt_buf_failed(&fields) ? gt_no_memory(diag)
                                    : gt_schema_members_to_json_text(found.schema, gt_buf_bytes(&fields), out, diag);
    gt_buf_append(out, "}\n", 2);
    gt_buf_free(&fields);
    return status;
}

goat_status gt_live_rows(goat_query *query, uint32_t position, uint32_t limit, bool json, gt_buf *out, gt_diag *diag) {
    uint32_t total = gt_query_count(query->query);
    uint32_t from = position < total ? position : total, count = total - from < limit ? total - from : limit;
    goat_status status = GOAT_OK;
    if (!json) gt_write_array_head(out, count);
    for (uint32_t i = 0; i < count && status == GOAT_OK; i++) {
        status = write_row(query, gt_query_row_at(query->query, from + i), json, out, diag);
        if (out->len > ROWS_BYTES_MAX) status = gt_fail(diag, GOAT_TOO_LARGE, "the rows are more than 1 GiB");
    }
    return status == GOAT_OK && gt_buf_failed(out) ? gt_no_memory(diag) : status;
}

goat_status gt_live_find(goat_query *query, gt_bytes value, uint32_t *position, uint32_t *count, gt_diag *diag) {
    return gt_query_find(query->query, value, position, count, diag);
}

/* ---- changes ---- */

uint32_t gt_live_changes(gt_space *space, gt_buf *out, bool *reset) {
    uint32_t written = 0;
    if (space->queries != NULL) catch_up(space);
    for (goat_query *query = space->live; query != NULL; query = query->next) {
        const gt_query_change *changes;
        uint32_t count;
        bool lost;
        if (query->query == NULL || gt_live_check(query, NULL) != GOAT_OK) continue;
        gt_query_drain(query->query, &changes, &count, &lost);
        *reset = *reset || lost;
        for (uint32_t i = 0; i < count; i++) {
            const gt_live_row *row = live_row(space, changes[i].row);
            gt_bytes repository = gt_repo_path(space->mount->repo), key = {0};
            if (row->item != GT_NONE) {
                key = gt_repo_key(space->mount->repo, row->item);
            } else if (row->work != NULL) {
                key = gt_bytes_of(row->work->key, row->work->key_len);
            }
            gt_write_array_head(out, 6);
            gt_write_int(out, GOAT_CHANGE_ROW);
            gt_write_int(out, query->id);
            gt_write_int(out, (int64_t)changes[i].kind);
            gt_write_int(out, changes[i].position);
            gt_write_int(out, changes[i].old_position);
            gt_write_path(out, repository, key);
            written++;
        }
    }
    return written;
}
