/* Views: the value of an item that follows from its commits.
 *
 * A state is kept where it is cheapest: in the log itself (a first commit's delta is the value), in the
 * mapped checkpoint, or in memory. What is not known is computed when somebody asks, by a replay of
 * the commits after the nearest base (walk.c, core/merge). */
#include "base/arena.h"
#include "base/assert.h"
#include "merge/merge.h"
#include "repo/walk.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>

/* ---- where a state lies ---- */

gt_view gt_view_share(gt_view view) {
    if (view.owner != NULL) view.owner->refs++;
    return view;
}

void gt_view_drop(const gt_alloc *alloc, gt_view *view) {
    if (view->owner != NULL && --view->owner->refs == 0) gt_free(alloc, view->owner);
    *view = (gt_view){0};
}

static gt_state *state_in_memory(const gt_item_row *item) {
    return (gt_state *)(uintptr_t)(item->state & ~GT_STATE_MASK);
}

gt_bytes gt_item_state(const gt_repo *repo, const gt_item_row *item) {
    uint64_t place = item->state & ~GT_STATE_MASK;
    switch (item->state & GT_STATE_MASK) {
    case GT_STATE_IN_LOG:
        return gt_log_at(repo->log, place, item->state_len);
    case GT_STATE_IN_CHECKPOINT:
        return gt_bytes_of(repo->states + place, item->state_len);
    case GT_STATE_IN_MEMORY:
        return gt_bytes_of(state_in_memory(item)->bytes, item->state_len);
    default:
        return (gt_bytes){0};
    }
}

gt_view gt_item_share(gt_repo *repo, const gt_item_row *item) {
    gt_view view = {.bytes = gt_item_state(repo, item)};
    if ((item->state & GT_STATE_MASK) == GT_STATE_IN_MEMORY) view.owner = state_in_memory(item);
    return gt_view_share(view);
}

void gt_item_forget_state(gt_repo *repo, gt_item_row *item) {
    if ((item->state & GT_STATE_MASK) == GT_STATE_IN_MEMORY) {
        gt_view view = {.owner = state_in_memory(item)};
        gt_view_drop(repo->alloc, &view);
    }
    item->state = GT_STATE_UNKNOWN;
    item->state_len = 0;
}

goat_status gt_item_set_state(gt_repo *repo, gt_item_row *item, gt_bytes state) {
    gt_state *kept = gt_new(repo->alloc, 1, sizeof(*kept) + state.len);
    if (kept == NULL) return GOAT_NO_MEMORY;
    gt_item_forget_state(repo, item);
    kept->refs = 1;
    kept->len = (uint32_t)state.len;
    memcpy(kept->bytes, state.data, state.len);
    GOAT_ASSERT(((uint64_t)(uintptr_t)kept & GT_STATE_MASK) == 0);
    item->state = GT_STATE_IN_MEMORY | (uint64_t)(uintptr_t)kept;
    item->state_len = kept->len;
    return GOAT_OK;
}

/* ---- heads ---- */

static void append_row(gt_buf *rows, uint32_t row) { gt_buf_append(rows, &row, sizeof(row)); }

static bool is_shown(const gt_repo *repo, const gt_commit_row *row) {
    return (row->flags & GT_COMMIT_SEALED) == 0 && gt_reader_of(repo, row->schema) != NULL;
}

void gt_item_head_rows(const gt_repo *repo, const gt_item_row *item, gt_buf *rows) {
    if (item->head != GT_NONE) {
        append_row(rows, item->head);
        return;
    }
    uint32_t left = item->head_count;
    for (uint32_t c = item->newest; c != GT_NONE && left > 0; c = gt_commit_at(repo, c)->older) {
        if ((gt_commit_at(repo, c)->flags & GT_COMMIT_HEAD) == 0) continue;
        append_row(rows, c);
        left--;
    }
}

/* Where some commits cannot be shown, the heads are those of the others. */
static void shown_heads(const gt_repo *repo, const gt_item_row *item, gt_buf *rows) {
    for (uint32_t c = item->newest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        const gt_commit_row *row = gt_commit_at(repo, c);
        for (uint32_t i = 0; is_shown(repo, row) && i < row->parent_count; i++) {
            gt_commit_at(repo, gt_parent_at(repo, row, i))->flags |= GT_COMMIT_MARK;
        }
    }
    for (uint32_t c = item->newest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        gt_commit_row *row = gt_commit_at(repo, c);
        if (is_shown(repo, row) && (row->flags & GT_COMMIT_MARK) == 0) append_row(rows, c);
        row->flags &= (uint16_t)~GT_COMMIT_MARK;
    }
}

goat_status gt_item_heads(gt_repo *repo, uint32_t item, gt_buf *rows, gt_diag *diag) {
    const gt_item_row *row = gt_item_at(repo, item);
    if ((row->flags & GT_ITEM_UNSHOWN) != 0) {
        shown_heads(repo, row, rows);
    } else {
        gt_item_head_rows(repo, row, rows);
    }
    return gt_buf_failed(rows) ? gt_no_memory(diag) : GOAT_OK;
}

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

goat_status gt_repo_heads(gt_repo *repo, uint32_t item, gt_buf *ids, gt_diag *diag) {
    gt_buf rows;
    gt_buf_init(&rows, repo->alloc);
    goat_status status = gt_item_heads(repo, item, &rows, diag);
    size_t begin = ids->len;
    for (size_t at = 0; status == GOAT_OK && at < rows.len; at += sizeof(uint32_t)) {
        uint32_t row;
        memcpy(&row, rows.data + at, sizeof(row));
        gt_buf_append(ids, gt_commit_at(repo, row)->id.bytes, GT_ID_SIZE);
    }
    gt_buf_free(&rows);
    if (status == GOAT_OK && gt_buf_failed(ids)) status = gt_no_memory(diag);
    if (status == GOAT_OK) qsort(ids->data + begin, (ids->len - begin) / GT_ID_SIZE, GT_ID_SIZE, order_ids);
    return status;
}

/* ---- replay ---- */

goat_status gt_carry_over(const gt_schema *from, const gt_schema *to, gt_bytes delta, gt_buf *out, gt_diag *diag) {
    if (from == to) {
        gt_buf_append(out, delta.data, delta.len);
        return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
    }
    gt_iter iter = gt_map_iter(delta);
    gt_bytes key, value;
    size_t kept = 0;
    gt_buf pairs;
    gt_buf_init(&pairs, out->alloc);
    while (gt_map_next_pair(&iter, &key, &value)) {
        gt_bytes name;
        if (gt_value_as_text(key, &name)) {
            const gt_field *old = gt_schema_field(from, name), *new = gt_schema_field(to, name);
            if (old == NULL || new == NULL || old->type != new->type) continue;
        }
        kept++;
        gt_buf_append(&pairs, key.data, key.len);
        gt_buf_append(&pairs, value.data, value.len);
    }
    gt_write_map_head(out, kept);
    gt_buf_append(out, pairs.data, pairs.len);
    bool failed = gt_buf_failed(&pairs) || gt_buf_failed(out);
    gt_buf_free(&pairs);
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

/* The same, into an arena. */
static goat_status carry(gt_repo *repo, const gt_schema *from, const gt_schema *to, gt_bytes *delta, gt_arena *arena,
                         gt_diag *diag) {
    if (from == to) return GOAT_OK;
    gt_buf out;
    gt_buf_init(&out, repo->alloc);
    goat_status status = gt_carry_over(from, to, *delta, &out, diag);
    if (status == GOAT_OK) {
        uint8_t *copy = gt_arena_copy(arena, out.data, out.len);
        *delta = gt_bytes_of(copy, out.len);
        if (copy == NULL) status = gt_no_memory(diag);
    }
    gt_buf_free(&out);
    return status;
}

/* The place of a commit among the steps (earliest first); GT_NONE when it lies at or below the base. */
static uint32_t find_step(const gt_walk *walk, uint32_t number) {
    const gt_commit_row *row = gt_commit_at(walk->repo, number);
    uint32_t low = 0, high = walk->count; /* walk->commits is latest first */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = gt_commit_order(gt_commit_at(walk->repo, walk->commits[middle]), row);
        if (order == 0) return walk->count - 1 - middle;
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return GT_NONE;
}

static bool same_namespace(const gt_schema *reader, const gt_schema_row *row) {
    return gt_bytes_equal(gt_schema_ns(reader), gt_bytes_of(row->ns, row->ns_len));
}

static goat_status make_step(const gt_walk *walk, uint32_t number, const gt_schema *reader, gt_arena *arena,
                             gt_step *step, gt_diag *diag) {
    gt_repo *repo = walk->repo;
    const gt_commit_row *row = gt_commit_at(repo, number);
    step->id = row->id.bytes;
    step->time = row->time;
    uint32_t *parents = gt_arena_new(arena, row->parent_count + 1u, sizeof(*parents));
    if (parents == NULL) return gt_no_memory(diag);
    step->parents = parents;
    for (uint32_t i = 0; i < row->parent_count; i++) {
        uint32_t at = find_step(walk, gt_parent_at(repo, row, i));
        if (at != GT_NONE) parents[step->parent_count++] = at;
    }
    if (!same_namespace(reader, gt_schema_at(repo, row->schema))) return GOAT_OK; /* changes nothing */
    const gt_schema *writer = gt_writer_of(repo, row->schema);
    if (writer == NULL || !is_shown(repo, row)) {
        return gt_fail(diag, GOAT_NO_SCHEMA, "a commit of this item cannot be read here");
    }
    gt_bytes bytes;
    goat_status status = gt_commit_bytes(repo, number, &bytes, diag);
    if (status != GOAT_OK) return status;
    gt_commit commit;
    gt_commit_view(bytes, &commit);
    step->delta = commit.delta;
    return carry(repo, writer, reader, &step->delta, arena, diag);
}

goat_status gt_view_compute(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_buf *state,
                            gt_diag *diag) {
    const gt_schema *reader = gt_reader_of(repo, gt_item_at(repo, item)->schema);
    if (reader == NULL || head_count == 0) return gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here");
    gt_walk walk;
    gt_arena arena;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_walk_back(&walk, repo, item, heads, head_count, diag);
    gt_step *steps = NULL;
    if (status == GOAT_OK) {
        steps = gt_arena_new(&arena, walk.count + 1u, sizeof(*steps));
        if (steps == NULL) status = gt_no_memory(diag);
    }
    for (uint32_t i = 0; status == GOAT_OK && i < walk.count; i++) {
        status = make_step(&walk, walk.commits[walk.count - 1 - i], reader, &arena, &steps[i], diag);
    }
    if (status == GOAT_OK && walk.base.data != NULL && !walk.base_is_read) {
        const gt_schema *writer = gt_writer_of(repo, walk.base_schema);
        status = writer == NULL ? gt_fail(diag, GOAT_NO_SCHEMA, "a commit of this item cannot be read here")
                                : carry(repo, writer, reader, &walk.base, &arena, diag);
    }
    if (status == GOAT_OK) {
        status = gt_merge_replay(repo->alloc, reader, walk.base, steps, walk.count, state, &repo->work, diag);
    }
    gt_walk_free(&walk);
    gt_arena_free(&arena);
    return status;
}

/* ---- what is seen ---- */

static goat_status compute_present(gt_repo *repo, uint32_t number, gt_diag *diag) {
    gt_buf heads, state;
    gt_buf_init(&heads, repo->alloc);
    gt_buf_init(&state, repo->alloc);
    gt_item_row *item = gt_item_at(repo, number);
    goat_status status = gt_item_heads(repo, number, &heads, diag);
    if (status == GOAT_OK) {
        status = gt_view_compute(repo, number, (const uint32_t *)(const void *)heads.data,
                                 (uint32_t)(heads.len / sizeof(uint32_t)), &state, diag);
    }
    if (status == GOAT_OK && gt_item_set_state(repo, item, gt_buf_bytes(&state)) != GOAT_OK) {
        status = gt_no_memory(diag);
    }
    if (status == GOAT_OK) item->flags |= GT_ITEM_UNCHECKED;
    gt_buf_free(&heads);
    gt_buf_free(&state);
    return status;
}

goat_status gt_repo_view(gt_repo *repo, uint32_t number, gt_seen *seen, gt_diag *diag) {
    gt_item_row *item = gt_item_at(repo, number);
    *seen = (gt_seen){.schema = gt_reader_of(repo, item->schema), .revision = item->revision};
    goat_status status = seen->schema == NULL ? gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here")
                                              : GOAT_OK;
    if (status == GOAT_OK && (item->state & GT_STATE_MASK) == GT_STATE_UNKNOWN) {
        status = compute_present(repo, number, diag);
    } else if (status == GOAT_OK && (item->state & GT_STATE_MASK) == GT_STATE_IN_LOG) {
        gt_bytes ignored; /* the record is checked on its first touch */
        status = gt_commit_bytes(repo, item->newest, &ignored, diag);
    }
    if (status != GOAT_OK) {
        gt_bytes key = gt_repo_key(repo, number);
        gt_diag_item(diag, repo->path, key);
        seen->flags = status == GOAT_NO_SCHEMA ? GT_ITEM_NO_SCHEMA : 0;
        return status;
    }
    seen->view = gt_item_share(repo, item);
    if ((item->flags & GT_ITEM_UNCHECKED) != 0) {
        item->flags &= (uint16_t) ~(GT_ITEM_UNCHECKED | GT_ITEM_INVALID);
        if (gt_schema_check_state(seen->schema, seen->view.bytes, NULL) != GOAT_OK) item->flags |= GT_ITEM_INVALID;
    }
    seen->flags = item->flags & GT_ITEM_INVALID;
    if (gt_map_find_int(seen->view.bytes, 0).data != NULL) seen->flags |= GT_ITEM_DELETED;
    return GOAT_OK;
}

goat_status gt_repo_view_at(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, gt_buf *state,
                            gt_diag *diag) {
    gt_buf rows;
    gt_buf_init(&rows, repo->alloc);
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; i < head_count && status == GOAT_OK; i++) {
        uint32_t row = gt_find_commit(repo, &heads[i]);
        if (row == GT_NONE || gt_commit_at(repo, row)->item != item) {
            status = gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
        } else {
            append_row(&rows, row);
        }
    }
    if (status == GOAT_OK && gt_buf_failed(&rows)) status = gt_no_memory(diag);
    if (status == GOAT_OK) {
        status = gt_view_compute(repo, item, (const uint32_t *)(const void *)rows.data, head_count, state, diag);
    }
    gt_buf_free(&rows);
    return status;
}

void gt_repo_schemas_changed(gt_repo *repo) {
    if (!gt_schemas_resolve(repo)) return;
    const gt_repo_hooks *hooks = &repo->config.hooks;
    for (uint32_t i = 0; i < repo->items.count; i++) {
        if (hooks->before_change != NULL) hooks->before_change(hooks->context, repo, i);
        gt_item_row *item = gt_item_at(repo, i);
        gt_item_forget_state(repo, item);
        gt_cuts_forget(repo, i);
        item->revision++;
        if (hooks->after_change != NULL) hooks->after_change(hooks->context, repo, i, GT_FROM_PEER);
    }
}
