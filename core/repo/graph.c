/* Adding commits to the graph: rows, heads, and the item's state where it follows at once.
 *
 * An edit on all the heads there are is applied to the state right away; that is every edit of a single
 * author, and the merge edits of several. Of a line of commits that come together only the last one's state
 * is made, by a replay of them all (gt_line_end). Anything else leaves the state unknown until somebody
 * asks (view.c). */
#include "merge/merge.h"
#include "repo/cuts.h"
#include "repo/versions.h"

static void drop_parents(gt_repo *repo, const gt_commit_row *row) {
    while (row->parent_count > 1 && repo->parents.count > row->parents) gt_rows_pop(&repo->parents);
}

/* Makes room in the table of parents for several and writes their rows. They are all known, unless a checkpoint was
 * written by somebody who meant harm. */
static goat_status add_parents(gt_repo *repo, gt_ids ids, gt_commit_row *row, gt_diag *diag) {
    row->parent_count = (uint16_t)ids.count;
    row->parents = ids.count > 1 ? repo->parents.count : GT_NONE;
    for (uint32_t i = 0; i < ids.count; i++) {
        uint32_t parent = gt_find_commit(repo, gt_ids_at(ids, i));
        uint32_t *slot = parent == GT_NONE ? NULL : ids.count == 1 ? &row->parents : gt_rows_push(&repo->parents);
        if (slot == NULL) {
            drop_parents(repo, row);
            return parent == GT_NONE ? gt_fail(diag, GOAT_CORRUPT, "the tables of the repository are wrong")
                                     : gt_no_memory(diag);
        }
        *slot = parent;
    }
    return GOAT_OK;
}

static uint32_t add_item(gt_repo *repo, const gt_commit *commit, uint64_t offset, const uint8_t *begin,
                         uint32_t number) {
    gt_item_row *item = gt_rows_push(&repo->items);
    if (item == NULL) return GT_NONE;
    if (!gt_index_insert(&repo->item_index, gt_key_hash(repo, commit->key), repo->items.count - 1)) {
        gt_rows_pop(&repo->items);
        return GT_NONE;
    }
    item->key_offset = offset + (uint64_t)(commit->key.data - begin);
    item->key_len = (uint16_t)commit->key.len;
    item->newest = item->head = GT_NONE;
    item->first = number;
    return repo->items.count - 1;
}

static void drop_last_item(gt_repo *repo, gt_bytes key) {
    gt_index_remove(&repo->item_index, gt_key_hash(repo, key), repo->items.count - 1);
    gt_rows_pop(&repo->items);
}

/* The parents are no heads any more; the new commit is one. True if it follows from all heads there were. */
static bool move_heads(gt_repo *repo, gt_item_row *item, uint32_t number) {
    gt_commit_row *commit = gt_commit_at(repo, number);
    uint32_t before = item->head_count, covered = 0;
    for (uint32_t i = 0; i < commit->parent_count; i++) {
        gt_commit_row *parent = gt_commit_at(repo, gt_parent_at(repo, commit, i));
        covered += (parent->flags & GT_COMMIT_HEAD) != 0;
        parent->flags &= (uint16_t)~GT_COMMIT_HEAD;
    }
    commit->flags |= GT_COMMIT_HEAD;
    item->head_count = before - covered + 1;
    item->head = number;
    if (item->head_count > 1) item->head = GT_NONE;
    return covered == before && covered == commit->parent_count;
}

/* Of several first commits the earliest gives the item its namespace, whatever order they came in. True when that is
 * another than before. */
static bool choose_schema(gt_repo *repo, gt_item_row *item, uint32_t number) {
    if (gt_commit_order(gt_commit_at(repo, item->first), gt_commit_at(repo, number)) < 0) return false;
    uint32_t before = gt_item_schema(repo, item);
    item->first = number;
    return !gt_same_namespace(repo, before, gt_item_schema(repo, item));
}

/* The state after a commit on all heads that are seen; leaves it unknown where that does not follow at once. */
static void follow(gt_repo *repo, uint32_t item_number, uint32_t number, const gt_commit *commit, bool first,
                   gt_bytes old, gt_origin origin) {
    gt_item_row *item = gt_item_at(repo, item_number);
    const gt_commit_row *row = gt_commit_at(repo, number);
    const gt_schema *reader = gt_reader_of(repo, row->schema), *writer = gt_writer_of(repo, row->schema);
    bool same = writer == reader;
    if (reader == NULL || commit->delta.data == NULL ||
        !gt_same_namespace(repo, row->schema, gt_item_schema(repo, item)) || (first && !same)) {
        return;
    }
    if (same && origin == GT_FROM_PEER && !gt_commit_fits(repo, number, reader, commit->delta)) return;
    if (first && commit->delta_is_state) {
        item->state = GT_STATE_IN_LOG | (row->offset + (uint64_t)(commit->delta.data - commit->header.data));
        item->state_len = (uint32_t)commit->delta.len;
        return;
    }
    if (!first && (old.data == NULL || !gt_state_is_whole(old))) return;
    gt_buf state;
    gt_arena arena;
    gt_buf_init(&state, repo->alloc);
    gt_arena_init(&arena, repo->alloc);
    gt_step step = {.id = row->id.bytes, .time = row->time, .delta = commit->delta};
    if ((same || gt_carry(repo, number, writer, reader, &step.delta, &arena, NULL) == GOAT_OK) &&
        gt_merge_replay(repo->alloc, reader, first ? (gt_bytes){0} : old, &step, 1, &state, &repo->work, NULL) ==
            GOAT_OK) {
        gt_item_set_state(repo, item, gt_buf_bytes(&state)); /* without memory it stays unknown, which is right too */
    }
    gt_arena_free(&arena);
    gt_buf_free(&state);
}

/* Validity is looked at when the item is; own edits were validated before they were captured. */
static void update_flags(gt_item_row *item, gt_origin origin) {
    item->flags &= (uint16_t) ~(GT_ITEM_INVALID | GT_ITEM_UNCHECKED);
    if (origin != GT_FROM_SELF) item->flags |= GT_ITEM_UNCHECKED;
}

/* Whether a commit's parents are just these heads. */
static bool follows_all(const gt_repo *repo, const gt_commit_row *commit, const gt_buf *heads) {
    bool all = heads->len == commit->parent_count * sizeof(uint32_t);
    for (size_t at = 0; all && at < heads->len; at += sizeof(uint32_t)) {
        uint32_t head;
        bool found = false;
        memcpy(&head, heads->data + at, sizeof(head));
        for (uint32_t i = 0; i < commit->parent_count && !found; i++) found = gt_parent_at(repo, commit, i) == head;
        all = found;
    }
    return all;
}

/* How much a reader has to go through since the last base; see `full` in FORMAT.md 2.2. */
static void count_since_base(gt_item_row *item, const gt_commit *commit, bool first, bool has_full) {
    uint64_t since = first ? 0 : (uint64_t)(has_full ? 0 : item->since_base) + commit->delta.len;
    item->since_base = since > UINT32_MAX ? UINT32_MAX : (uint32_t)since;
}

goat_status gt_graph_add(gt_repo *repo, uint32_t batch, uint32_t leaf, const gt_id *id, const gt_commit *commit,
                         uint64_t offset, uint32_t len, unsigned what, gt_origin origin, gt_diag *diag) {
    uint32_t schema = gt_add_schema(repo, commit);
    gt_commit_row *row = schema == GT_NONE ? NULL : gt_rows_push(&repo->commits);
    if (row == NULL) return gt_no_memory(diag);
    uint32_t number = repo->commits.count - 1;
    goat_status status = add_parents(repo, commit->parents, row, diag);
    if (status != GOAT_OK) {
        gt_rows_pop(&repo->commits);
        return status;
    }
    uint32_t item_number = gt_repo_find(repo, commit->key);
    bool is_new = item_number == GT_NONE;
    if (is_new) item_number = add_item(repo, commit, offset, commit->header.data, number);
    if (item_number == GT_NONE || !gt_index_insert(&repo->commit_index, gt_id_hash(repo, id), number)) {
        if (item_number != GT_NONE && is_new) drop_last_item(repo, commit->key);
        drop_parents(repo, row);
        gt_rows_pop(&repo->commits);
        return gt_no_memory(diag);
    }
    /* Nothing fails from here on. */
    gt_item_row *item = gt_item_at(repo, item_number);
    bool has_full = commit->full.data != NULL && (what & GT_LEAF_NO_FULL) == 0;
    if (has_full && origin == GT_FROM_PEER && (what & GT_LEAF_FULL) == 0) {
        has_full = gt_full_check(repo, commit, NULL) == GOAT_OK;
    }
    const gt_repo_hooks *hooks = &repo->config.hooks;
    if (hooks->before_change != NULL) hooks->before_change(hooks->context, repo, item_number);
    row->id = *id;
    row->time = commit->time;
    row->offset = offset;
    row->len = len;
    row->item = item_number;
    row->batch = batch;
    row->leaf = leaf;
    row->schema = schema;
    if (has_full) row->flags |= GT_COMMIT_FULL;
    if (commit->delta_is_state) row->flags |= GT_COMMIT_PLAIN;
    if (commit->reverts.count > 0) row->flags |= GT_COMMIT_REVERTS;
    if (commit->delta.data == NULL) row->flags |= GT_COMMIT_SEALED;
    row->older = item->newest;
    if ((what & GT_LEAF_FITS) != 0) gt_commit_note_fits(repo, number);

    gt_view old = {0}; /* kept while the item moves on */
    gt_buf heads;
    gt_buf_init(&heads, repo->alloc);
    if (!is_new) old = gt_item_share(repo, item);
    if (gt_is_to_hide(repo, row)) row->flags |= GT_COMMIT_HIDDEN;
    bool hidden = !gt_is_shown(row);
    /* Looking for the heads that are seen takes a walk over the item: only while somebody works on it, and not for what he
     * does not see. */
    bool unshown = (item->flags & GT_ITEM_UNSHOWN) != 0, looks = !unshown || (repo->phase == GT_REPO_OPEN && !hidden);
    if (old.bytes.data != NULL && looks && gt_item_heads(repo, item_number, &heads, NULL) != GOAT_OK) looks = false;
    item->newest = number;
    bool on_all_heads = move_heads(repo, item, number);
    if (unshown) on_all_heads = old.bytes.data != NULL && looks && follows_all(repo, row, &heads);
    if (!is_new && commit->parents.count == 0 && choose_schema(repo, item, number)) {
        gt_view_drop(repo->alloc, &old);
        gt_item_reconsider(repo, item_number);
        hidden = !gt_is_shown(row);
    }
    /* Nobody asks before the next one is there. */
    bool waits = (what & GT_LEAF_FOLLOWED) != 0 && on_all_heads && !is_new && !unshown && !hidden;
    bool forks = !on_all_heads || waits || (item->flags & GT_ITEM_FORKED) != 0;
    if (old.bytes.data != NULL && forks && !hidden && looks) {
        gt_cut_keep(repo, item_number, (const uint32_t *)(const void *)heads.data,
                    (uint32_t)(heads.len / sizeof(uint32_t)), old.bytes);
    }
    count_since_base(item, commit, is_new, has_full);
    if (hidden) {
        item->flags |= GT_ITEM_UNSHOWN; /* what is seen stays as it is */
    } else {
        gt_item_forget_state(repo, item);
        update_flags(item, origin);
        if (on_all_heads && !waits) follow(repo, item_number, number, commit, is_new, old.bytes, origin);
    }
    item->revision++;
    gt_buf_free(&heads);
    gt_view_drop(repo->alloc, &old);
    if (commit->time > repo->time_seen) repo->time_seen = commit->time;
    gt_parked_arrived(repo, id);
    if (hooks->after_change != NULL) hooks->after_change(hooks->context, repo, item_number, origin);
    return GOAT_OK;
}

gt_line gt_line_begin(const gt_repo *repo, gt_bytes key) {
    uint32_t number = gt_repo_find(repo, key);
    if (number == GT_NONE) return (gt_line){.was_known = true};
    const gt_item_row *item = gt_item_at(repo, number);
    return (gt_line){.was_known = (item->state & GT_STATE_MASK) != GT_STATE_UNKNOWN,
                     .was_forked = (item->flags & GT_ITEM_FORKED) != 0};
}

void gt_line_end(gt_repo *repo, gt_bytes key, gt_line line) {
    uint32_t item = gt_repo_find(repo, key);
    gt_seen seen;
    /* with other heads beside its end nothing was put off: nobody had asked for that state */
    if (!line.was_known || gt_item_at(repo, item)->head_count != 1) return;
    if (gt_repo_view(repo, item, &seen, NULL) == GOAT_OK) gt_view_drop(repo->alloc, &seen.view);
    if (!line.was_forked) gt_cuts_forget(repo, item); /* the one that the replay began at */
}
