/* Views: the value of an item that follows from its commits.
 *
 * A state is kept where it is cheapest: in the log itself (a first commit's delta is the value), in the
 * mapped checkpoint, or in memory. What is not known is computed when somebody asks, by a replay of
 * the commits after the nearest base (walk.c, core/merge). */
#include "base/arena.h"
#include "base/assert.h"
#include "merge/merge.h"
#include "repo/versions.h"
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
    case GT_STATE_IN_LOG: return gt_log_at(repo->log, place, item->state_len);
    case GT_STATE_IN_CHECKPOINT: return gt_bytes_of(repo->states + place, item->state_len);
    case GT_STATE_IN_MEMORY: return gt_bytes_of(state_in_memory(item)->bytes, item->state_len);
    default: return (gt_bytes){0};
    }
}

/* Whether a state is what follows the head of a payload that holds nothing but a delta, up to the end of the commit:
 * so it is that delta, without a look at what is in it. */
static bool is_whole_delta(const gt_repo *repo, const gt_item_row *item) {
    const gt_commit_row *row = gt_commit_at(repo, item->newest);
    uint64_t place = item->state & ~GT_STATE_MASK;
    if (place < row->offset + 2 || place + item->state_len != row->offset + row->len) return false;
    gt_bytes bytes = gt_log_at(repo->log, place - 2, 3);
    return bytes.data != NULL && bytes.data[0] == 0xa1 && bytes.data[1] == 0x00 && bytes.data[2] >> 5 == 5;
}

/* A state in the log is the delta of the newest commit, which is hashed; one in the checkpoint must be a value. */
static goat_status check_state(gt_repo *repo, gt_item_row *item, gt_diag *diag) {
    gt_commit commit;
    gt_bytes state = gt_item_state(repo, item);
    if ((item->state & GT_STATE_MASK) == GT_STATE_IN_LOG) {
        if (gt_commit_is_sound(repo, item->newest) && is_whole_delta(repo, item)) return GOAT_OK;
        goat_status status = gt_commit_read(repo, item->newest, &commit, diag);
        if (status != GOAT_OK) return status;
        if (commit.delta.data != state.data || commit.delta.len != state.len) gt_item_forget_state(repo, item);
    } else if (gt_value_check(state, GT_VALUE_EDIT, NULL) != GOAT_OK || gt_value_kind(state) != GT_KIND_MAP) {
        gt_item_forget_state(repo, item);
    }
    return GOAT_OK;
}

goat_status gt_item_touch(gt_repo *repo, gt_item_row *item, gt_diag *diag) {
    if ((item->flags & GT_ITEM_UNTOUCHED) == 0) return GOAT_OK;
    goat_status status = check_state(repo, item, diag);
    if (status == GOAT_OK) item->flags &= (uint16_t)~GT_ITEM_UNTOUCHED;
    return status;
}

gt_view gt_item_share(gt_repo *repo, gt_item_row *item) {
    if (gt_item_touch(repo, item, NULL) != GOAT_OK) return (gt_view){0};
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
    item->flags &= (uint16_t)~GT_ITEM_UNTOUCHED;
}

goat_status gt_item_set_state(gt_repo *repo, gt_item_row *item, gt_bytes state) {
    if (state.len > UINT32_MAX) return GOAT_NO_MEMORY;
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
        for (uint32_t i = 0; gt_is_shown(row) && i < row->parent_count; i++) {
            gt_commit_at(repo, gt_parent_at(repo, row, i))->flags |= GT_COMMIT_MARK;
        }
    }
    for (uint32_t c = item->newest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        gt_commit_row *row = gt_commit_at(repo, c);
        if (gt_is_shown(row) && (row->flags & GT_COMMIT_MARK) == 0) append_row(rows, c);
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
    if (status == GOAT_OK && ids->len > begin)
        qsort(ids->data + begin, (ids->len - begin) / GT_ID_SIZE, GT_ID_SIZE, order_ids);
    return status;
}

/* ---- replay ---- */

uint32_t gt_walk_find(const gt_walk *walk, uint32_t number) {
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
    step->author = gt_batch_at(repo, row->batch)->session + 1;
    uint32_t *parents = gt_arena_new(arena, row->parent_count + 1u, sizeof(*parents));
    if (parents == NULL) return gt_no_memory(diag);
    step->parents = parents;
    for (uint32_t i = 0; i < row->parent_count; i++) {
        uint32_t parent = gt_parent_at(repo, row, i), at = gt_walk_find(walk, parent);
        if (at != GT_NONE && walk->meets_kept) at += gt_item_replay_count(walk->kept);
        if (at == GT_NONE && walk->meets_kept) at = gt_item_replay_find(walk->kept, parent);
        if (at != GT_NONE) parents[step->parent_count++] = at;
    }
    step->is_void = !same_namespace(reader, gt_schema_at(repo, row->schema));
    if (step->is_void) return GOAT_OK; /* changes nothing, not even that the item is there */
    const gt_schema *writer = gt_writer_of(repo, row->schema);
    bool readable = writer != NULL && (row->flags & GT_COMMIT_SEALED) == 0 &&
                    gt_schema_version(writer) <= gt_schema_version(reader);
    if (!readable) return gt_fail(diag, GOAT_NO_SCHEMA, "a commit of this item cannot be read here");
    gt_commit commit;
    goat_status status = gt_commit_read(repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    if (commit.delta.data == NULL) return gt_fail(diag, GOAT_CORRUPT, "a commit of this item has lost its content");
    step->delta = commit.delta;
    status = gt_carry(repo, number, writer, reader, &step->delta, arena, diag);
    if (status == GOAT_OK && row->parent_count == 0 && walk->base.data != NULL && gt_value_count(step->delta) == 0) {
        static const uint8_t is_there[] = {0xa1, 0x00, 0xf4}; /* {0: false}: a first commit is an edit in any case */
        step->delta = gt_bytes_of(is_there, sizeof(is_there));
    }
    return status;
}

goat_status gt_walk_steps(const gt_walk *walk, gt_arena *arena, gt_step **out, gt_diag *diag) {
    gt_step *steps = gt_arena_new(arena, walk->count + 1u, sizeof(*steps));
    goat_status status = steps == NULL ? gt_no_memory(diag) : GOAT_OK;
    for (uint32_t i = 0; status == GOAT_OK && i < walk->count; i++) {
        status = make_step(walk, walk->commits[walk->count - 1 - i], walk->reader, arena, &steps[i], diag);
    }
    *out = steps;
    return status;
}

goat_status gt_view_compute(gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                            uint32_t head_count, gt_buf *state, gt_diag *diag) {
    if (reader == NULL || head_count == 0) return gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here");
    gt_walk walk;
    gt_arena arena;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_walk_back(&walk, repo, item, reader, heads, head_count, diag);
    gt_step *steps = NULL;
    if (status == GOAT_OK) status = gt_walk_steps(&walk, &arena, &steps, diag);
    if (status == GOAT_OK) {
        status = gt_merge_replay(repo->alloc, reader, walk.base, steps, walk.count, state, &repo->work, diag);
    }
    gt_walk_free(&walk);
    gt_arena_free(&arena);
    return status;
}

/* ---- snapshots ---- */

/* The rows of a commit's parents; false when not all are known. */
static bool parent_rows(const gt_repo *repo, const gt_commit *commit, gt_buf *rows) {
    for (uint32_t i = 0; i < commit->parents.count; i++) {
        uint32_t row = gt_find_commit(repo, gt_ids_at(commit->parents, i));
        if (row == GT_NONE) return false;
        append_row(rows, row);
    }
    return true;
}

/* Whether some commit of an item is of another version: then what a snapshot comes to depends on the steps between the
 * versions, and its author may have known others. */
static bool has_other_versions(const gt_repo *repo, const gt_item_row *item, const gt_schema *writer) {
    for (uint32_t c = item->newest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        if (gt_schema_at(repo, gt_commit_at(repo, c)->schema)->version != gt_schema_version(writer)) return true;
    }
    return false;
}

static goat_status compare_full(gt_repo *repo, uint32_t number, const gt_commit *commit, const gt_schema *writer,
                                const uint32_t *parents, gt_diag *diag) {
    gt_item_row *item = gt_item_at(repo, number);
    gt_view present = {0};
    gt_buf state;
    gt_buf_init(&state, repo->alloc);
    goat_status status = GOAT_OK;
    bool is_present = item->head == parents[0] && (item->flags & GT_ITEM_UNSHOWN) == 0;
    if (is_present && gt_item_reader(repo, item) == writer) present = gt_item_share(repo, item);
    if (present.bytes.data == NULL) {
        status = gt_view_compute(repo, number, writer, parents, commit->parents.count, &state, diag);
    }
    gt_bytes found = present.bytes.data != NULL ? present.bytes : gt_buf_bytes(&state);
    if (status == GOAT_OK && !gt_bytes_equal(found, commit->full)) {
        goat_status verdict = has_other_versions(repo, item, writer) ? GOAT_NO_SCHEMA : GOAT_INVALID;
        status = gt_fail(diag, verdict, "a snapshot is not what its parents' history comes to");
    }
    gt_view_drop(repo->alloc, &present);
    gt_buf_free(&state);
    return status;
}

/* A snapshot is of the version that it was written at, whoever reads it. */
goat_status gt_full_check(gt_repo *repo, const gt_commit *commit, gt_diag *diag) {
    uint32_t number = gt_repo_find(repo, commit->key);
    const gt_schema *writer = gt_commit_schema(repo, commit);
    uint64_t before = repo->work;
    repo->checks++;
    if (repo->full_work > GT_FULL_WORK_MAX) return gt_fail(diag, GOAT_NO_SCHEMA, "too many snapshots to be checked");
    if (number == GT_NONE || writer == NULL ||
        !same_namespace(writer, gt_schema_at(repo, gt_item_schema(repo, gt_item_at(repo, number))))) {
        return gt_fail(diag, GOAT_NO_SCHEMA, "a snapshot cannot be read here");
    }
    gt_buf parents;
    gt_buf_init(&parents, repo->alloc);
    bool known = parent_rows(repo, commit, &parents);
    goat_status status =
        gt_buf_failed(&parents) ? gt_no_memory(diag)
        : !known || parents.len == 0
            ? gt_fail(diag, GOAT_NO_SCHEMA, "the parents of a snapshot are not known")
            : compare_full(repo, number, commit, writer, (const uint32_t *)(const void *)parents.data, diag);
    repo->full_work += repo->work - before;
    gt_buf_free(&parents);
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
        status = gt_view_present(repo, number, (const uint32_t *)(const void *)heads.data,
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
    *seen = (gt_seen){.schema = gt_item_reader(repo, item), .revision = item->revision};
    goat_status status = seen->schema == NULL ? gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here")
                                              : gt_item_touch(repo, item, diag);
    if (status == GOAT_OK && (item->state & GT_STATE_MASK) == GT_STATE_UNKNOWN) {
        status = compute_present(repo, number, diag);
    }
    if (status != GOAT_OK) {
        gt_diag_item(diag, repo->path, gt_repo_key(repo, number));
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
        status = gt_view_compute(repo, item, gt_item_reader(repo, gt_item_at(repo, item)),
                                 (const uint32_t *)(const void *)rows.data, head_count, state, diag);
    }
    gt_buf_free(&rows);
    return status;
}
