/* Visible points: what a handle sees while others' changes wait for its advance.
 *
 * The repository has one present. Before it moves, each handle that did not cause the move keeps what it
 * sees of the item (freezes it); what was there at the last advance is kept for the description of
 * changes. A handle alone on its database keeps only which items it has changed since it last advanced. */
#include "db/history.h"

static uint64_t hash_of(uint32_t item) { return (uint64_t)item * UINT64_C(0x9e3779b97f4a7c15); }

gt_trace *gt_trace_find(const gt_space *space, uint32_t item) {
    gt_index_cursor cursor;
    if (space->trace_count == 0) return NULL;
    uint32_t at = gt_index_first(&space->trace_index, hash_of(item), &cursor);
    while (at != GT_INDEX_NONE && space->traces[at]->item != item) at = gt_index_next(&space->trace_index, &cursor);
    return at == GT_INDEX_NONE ? NULL : space->traces[at];
}

static void free_trace(gt_space *space, gt_trace *trace) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_view_drop(alloc, &trace->was);
    gt_view_drop(alloc, &trace->seen.view);
    gt_buf_free(&trace->heads);
    gt_free(alloc, trace);
}

void gt_traces_clear(gt_space *space) {
    const gt_alloc *alloc = space->db->database->alloc;
    for (size_t i = 0; i < space->trace_count; i++) free_trace(space, space->traces[i]);
    space->trace_count = 0;
    gt_index_free(&space->trace_index);
    gt_index_init(&space->trace_index, alloc);
    space->stamp++;
}

static gt_trace *add_trace(gt_space *space, uint32_t item) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_trace *trace = gt_new(alloc, 1, sizeof(*trace));
    bool added = trace != NULL && gt_reserve(alloc, (void **)(void *)&space->traces, space->trace_count,
                                             &space->trace_capacity, sizeof(*space->traces));
    if (!added || !gt_index_insert(&space->trace_index, hash_of(item), (uint32_t)space->trace_count)) {
        gt_free(alloc, trace);
        return NULL;
    }
    trace->item = item;
    gt_buf_init(&trace->heads, alloc);
    space->traces[space->trace_count++] = trace;
    return trace;
}

static bool is_new(const gt_space *space, uint32_t item) { return !gt_repo_has_commits(space->mount->repo, item); }

/* Without memory to keep what is seen, the handle sees the change at once and is told to read again. */
static void lose(gt_space *space) {
    space->db->reset = true;
    gt_live_restart(space);
}

static void freeze(gt_space *space, gt_trace *trace) {
    gt_repo *repo = space->mount->repo;
    trace->frozen = true;
    trace->commits = is_new(space, trace->item) ? 0 : gt_repo_newest(repo, trace->item) + 1;
    if (trace->commits == 0) return;
    if (gt_repo_view(repo, trace->item, &trace->seen, NULL) == GOAT_NO_MEMORY ||
        gt_repo_heads(repo, trace->item, &trace->heads, NULL) == GOAT_NO_MEMORY) {
        trace->frozen = false;
        lose(space);
    }
}

static bool is_own(const gt_space *space) {
    const gt_database *database = space->db->database;
    return database->acting == space || database->learning == space->db;
}

void gt_trace_before(gt_space *space, uint32_t item) {
    gt_repo *repo = space->mount->repo;
    bool own = is_own(space);
    if (gt_repo_get_phase(repo) != GT_REPO_OPEN || (own && space->db->reset)) return;
    gt_trace *trace = gt_trace_find(space, item);
    if (trace == NULL) {
        bool full = space->trace_count >= space->db->changes_max;
        if (full) space->db->reset = true;
        trace = own && full ? NULL : add_trace(space, item);
        if (trace == NULL) {
            if (!own) lose(space);
            space->db->reset = true;
            return;
        }
        gt_seen seen;
        trace->existed = !is_new(space, item) && !full && gt_repo_view(repo, item, &seen, NULL) == GOAT_OK;
        if (trace->existed) trace->was = seen.view;
    }
    if (!own && !trace->frozen) freeze(space, trace);
}

/* An own edit on what was seen: it is seen at once, still without the others' changes that wait. Where that cannot be had,
 * as when one of these has retired the version that it was made at, the handle reads again. */
static void follow_own(gt_space *space, gt_trace *trace) {
    gt_repo *repo = space->mount->repo;
    const gt_alloc *alloc = space->db->database->alloc;
    gt_commit_info info;
    gt_buf state;
    gt_buf_init(&state, alloc);
    bool good = gt_repo_commit_info(repo, gt_repo_newest(repo, trace->item), &info, NULL) == GOAT_OK &&
                gt_repo_view_at(repo, trace->item, &info.id, 1, &state, NULL) == GOAT_OK;
    gt_state *kept = good ? gt_new(alloc, 1, sizeof(*kept) + state.len) : NULL;
    if (kept == NULL) {
        trace->frozen = false;
        gt_view_drop(alloc, &trace->seen.view);
        gt_buf_clear(&trace->heads);
        lose(space);
    } else {
        kept->refs = 1;
        kept->len = (uint32_t)state.len;
        memcpy(kept->bytes, state.data, state.len);
        gt_view_drop(alloc, &trace->seen.view);
        trace->seen.view = (gt_view){gt_bytes_of(kept->bytes, kept->len), kept};
        trace->seen.schema = gt_repo_schema(repo, trace->item);
        trace->seen.flags = gt_map_find_int(trace->seen.view.bytes, 0).data != NULL ? GT_ITEM_DELETED : 0;
        trace->seen.revision = ++space->edits | UINT32_C(1) << 31;
        gt_buf_clear(&trace->heads);
        gt_buf_append(&trace->heads, info.id.bytes, GT_ID_SIZE);
    }
    gt_buf_free(&state);
}

void gt_trace_after(gt_space *space, uint32_t item, gt_origin origin) {
    if (gt_repo_get_phase(space->mount->repo) != GT_REPO_OPEN) return;
    bool own = is_own(space);
    gt_trace *trace = gt_trace_find(space, item);
    if (trace != NULL) {
        trace->origin = origin == GT_FROM_REVERT ? GOAT_ORIGIN_REVERTED : own ? GOAT_ORIGIN_OWN : GOAT_ORIGIN_REMOTE;
        if (space->db->database->acting == space && trace->frozen) follow_own(space, trace);
    }
    if (own) {
        space->stamp++;
        gt_live_own_commit(space, item);
    }
    gt_wake_handle(space->db);
}

goat_status gt_space_see(gt_space *space, uint32_t item, gt_seen *seen, gt_diag *diag) {
    gt_trace *trace = gt_trace_find(space, item);
    if (trace == NULL || !trace->frozen) return gt_repo_view(space->mount->repo, item, seen, diag);
    *seen = trace->seen;
    if (seen->view.bytes.data == NULL) return gt_fail(diag, GOAT_NOT_FOUND, "there is no such item");
    gt_view_share(seen->view);
    return GOAT_OK;
}

goat_status gt_space_heads(gt_space *space, uint32_t item, gt_buf *ids, gt_diag *diag) {
    gt_trace *trace = gt_trace_find(space, item);
    if (trace == NULL || !trace->frozen) return gt_repo_heads(space->mount->repo, item, ids, diag);
    gt_buf_append(ids, trace->heads.data, trace->heads.len);
    return gt_buf_failed(ids) ? gt_no_memory(diag) : GOAT_OK;
}

uint32_t gt_space_commits(const gt_space *space, uint32_t item) {
    const gt_trace *trace = gt_trace_find(space, item);
    return trace == NULL || !trace->frozen ? gt_repo_commit_count(space->mount->repo) : trace->commits;
}
