/* The advance: others' changes become visible, and what changed since the last one is described.
 *
 * Unsaved edits of an item whose change waits are captured first, on what their author saw; so the
 * working copy needs no rebase of its own: the merge that every replica does is the rebase. */
#include "db/internal.h"

void gt_write_path(gt_buf *out, gt_bytes repository, gt_bytes key) {
    char path[GT_PATH_MAX];
    GOAT_ASSERT(repository.len + 1 + key.len <= sizeof(path));
    memcpy(path, repository.data, repository.len);
    path[repository.len] = '/';
    if (key.len > 0) memcpy(path + repository.len + 1, key.data, key.len);
    gt_write_text(out, gt_bytes_of(path, repository.len + 1 + key.len));
}

static void seal(gt_space *space) {
    for (size_t i = 0; i < space->trace_count; i++) { /* captures may add traces at the end */
        gt_trace *trace = space->traces[i];
        if (trace->frozen) gt_capture_item(space, gt_repo_key(space->mount->repo, trace->item), NULL);
    }
}

/* Appends the names of fields that differ between two states (either may be absent); returns how many. */
static uint32_t diff_fields(gt_bytes was, gt_bytes now, gt_buf *names) {
    gt_iter a = gt_map_iter(gt_map_or_empty(was)), b = gt_map_iter(gt_map_or_empty(now));
    gt_bytes key_a, key_b, value_a, value_b;
    bool has_a = gt_map_next(&a, &key_a, &value_a);
    bool has_b = gt_map_next(&b, &key_b, &value_b);
    uint32_t count = 0;
    while (has_a || has_b) {
        int order = !has_a ? 1 : !has_b ? -1 : gt_key_compare(key_a, key_b);
        if (order != 0 || !gt_value_equal(value_a, value_b)) {
            gt_write_text(names, order <= 0 ? key_a : key_b);
            count++;
        }
        if (order <= 0) has_a = gt_map_next(&a, &key_a, &value_a);
        if (order >= 0) has_b = gt_map_next(&b, &key_b, &value_b);
    }
    return count;
}

static bool is_deleted(gt_bytes state) { return state.data != NULL && gt_map_find_int(state, 0).data != NULL; }

static uint32_t describe(gt_space *space, const gt_trace *trace, gt_buf *out) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_repo *repo = space->mount->repo;
    gt_seen seen;
    gt_buf names;
    bool is_seen = gt_repo_view(repo, trace->item, &seen, NULL) == GOAT_OK;
    gt_bytes now = is_seen ? seen.view.bytes : (gt_bytes){0};
    gt_buf_init(&names, alloc);
    uint32_t count = diff_fields(trace->was.bytes, now, &names);
    bool changed = count > 0 || is_deleted(trace->was.bytes) != is_deleted(now) || !trace->existed;
    if (changed && is_seen) {
        gt_write_array_head(out, 5);
        gt_write_int(out, GOAT_CHANGE_ITEM);
        gt_write_path(out, gt_repo_path(repo), gt_repo_key(repo, trace->item));
        gt_write_int(out, trace->origin);
        gt_write_int(out, seen.revision);
        gt_write_array_head(out, count);
        gt_buf_append(out, names.data, names.len);
        out->failed = out->failed || gt_buf_failed(&names);
    }
    gt_buf_free(&names);
    if (is_seen) gt_view_drop(alloc, &seen.view);
    return changed && is_seen;
}

static uint32_t advance_space(gt_space *space, gt_buf *out) {
    uint32_t count = 0;
    seal(space);
    gt_buf moved; /* items whose changes become visible now */
    gt_buf_init(&moved, space->db->database->alloc);
    for (size_t i = 0; i < space->trace_count; i++) {
        const gt_trace *trace = space->traces[i];
        if (!space->db->reset) count += describe(space, trace, out);
        if (trace->frozen) gt_buf_append(&moved, &trace->item, sizeof(trace->item));
    }
    bool lost = gt_buf_failed(&moved);
    gt_traces_clear(space);
    for (size_t at = 0; !lost && at < moved.len; at += sizeof(uint32_t)) {
        uint32_t item;
        memcpy(&item, moved.data + at, sizeof(item));
        gt_live_touch_item(space, item);
    }
    if (lost) gt_live_restart(space);
    gt_buf_free(&moved);
    bool reset = lost;
    count += gt_live_changes(space, out, &reset);
    if (reset) space->db->reset = true;
    return count;
}

goat_status gt_db_advance(goat_db *db, gt_buf *changes, gt_diag *diag) {
    if (db->closed) return gt_fail(diag, GOAT_CLOSED, "the database is closed");
    const gt_alloc *alloc = db->database->alloc;
    gt_buf body;
    gt_buf_init(&body, alloc);
    uint32_t count = 0;
    for (gt_space *space = db->spaces; space != NULL; space = space->next_of_db) {
        if (space->mount != NULL && gt_repo_get_phase(space->mount->repo) == GT_REPO_OPEN) {
            count += advance_space(space, &body);
        }
    }
    bool reset = db->reset || gt_buf_failed(&body);
    if (changes != NULL) {
        gt_write_array_head(changes, (reset ? 1 : count) + db->event_count);
        if (reset) {
            gt_write_array_head(changes, 1);
            gt_write_int(changes, GOAT_CHANGE_RESET);
        } else {
            gt_buf_append(changes, body.data, body.len);
        }
        gt_buf_append(changes, db->events.data, db->events.len);
    }
    gt_buf_free(&body);
    gt_buf_clear(&db->events);
    db->event_count = 0;
    db->reset = false;
    db->advance_asked = false;
    db->wake_due = db->wake_due && (db->run_asked || db->sync_due);
    return changes != NULL && gt_buf_failed(changes) ? gt_no_memory(diag) : GOAT_OK;
}
