/* Where the fields of a view come from.
 *
 * From the heads the way back is gone to the base, the latest critical version, and further as long as some field's value is
 * not settled, at most GT_EXPLAIN_BELOW_MAX commits; it ends at a critical version too, so what is replayed from there is
 * exact. Above the base all is looked at, or, with more than GT_EXPLAIN_ABOVE_MAX commits there, nothing. The answer is a
 * function of the commits known, not of which states happen to be kept. Each commit is read once for the way and once for its
 * edits; each field is gone through once (core/merge/explain.h). */
#include "repo/explain.h"

#include "repo/versions.h"
#include "value/value.h"

#include <stdlib.h>

/* ---- the way back ---- */

static void settle(gt_explaining *x, const gt_field *field) {
    size_t index = (size_t)(field - gt_schema_field_at(x->reader, 0));
    x->unsettled_count -= x->unsettled[index];
    x->unsettled[index] = 0;
}

static goat_status want_fields(gt_explaining *x, gt_diag *diag) {
    size_t count = gt_schema_field_count(x->reader);
    x->unsettled = gt_arena_new(&x->arena, count, 1);
    if (x->unsettled == NULL) return gt_no_memory(diag);
    for (size_t i = 0; i < count; i++) {
        const gt_field *field = gt_schema_field_at(x->reader, i);
        bool wanted = x->request->field.data == NULL ? gt_map_find(x->request->view, field->name).data != NULL
                                                     : field == x->path[0];
        x->unsettled[i] = wanted;
        x->unsettled_count += wanted;
    }
    return GOAT_OK;
}

/* What the commit that was visited last settles. */
static goat_status look(gt_explaining *x, gt_diag *diag) {
    gt_commit commit;
    gt_bytes name, edit;
    uint32_t number = x->descent.walk.commits[x->descent.walk.count - 1];
    uint32_t schema = gt_commit_at(x->repo, number)->schema;
    goat_status status = gt_commit_read(x->repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    gt_buf_append(&x->raw, &commit.delta, sizeof(commit.delta));
    if (commit.delta.data == NULL || gt_reader_of(x->repo, schema) != x->reader) return GOAT_OK;
    gt_bytes delta = commit.delta;
    const gt_schema *writer = gt_writer_of(x->repo, schema);
    if (x->unsettled_count > 0 && writer != NULL && writer != x->reader) {
        status = gt_carry(x->repo, number, writer, x->reader, &delta, &x->arena, diag);
        if (status != GOAT_OK) return status;
    }
    for (gt_iter iter = gt_map_iter(delta); gt_map_next(&iter, &name, &edit);) {
        const gt_field *field = gt_schema_field(x->reader, name);
        if (field != NULL && gt_merge_settles(field)) settle(x, field);
    }
    return GOAT_OK;
}

static void keep_queue(const gt_explaining *x, gt_buf *rows) {
    gt_buf_clear(rows);
    gt_buf_append(rows, x->descent.walk.queue.rows, x->descent.walk.queue.count * sizeof(uint32_t));
}

static goat_status go_back(gt_explaining *x, gt_diag *diag) {
    const gt_walk *walk = &x->descent.walk;
    goat_status status = GOAT_OK;
    bool has_base = false;
    uint32_t end = 0;
    while (status == GOAT_OK) {
        if (gt_descent_is_critical(&x->descent)) {
            if (!has_base) {
                keep_queue(x, &x->base);
                x->settled_from = walk->count;
                has_base = true;
            }
            keep_queue(x, &x->from);
            end = walk->count;
            if (x->unsettled_count == 0) break;
        }
        if (walk->queue.count == 0 || (has_base && walk->count - x->settled_from >= GT_EXPLAIN_BELOW_MAX)) break;
        if (!has_base && walk->count == GT_EXPLAIN_ABOVE_MAX) {
            status = gt_fail(diag, GOAT_TOO_LARGE, "more than %d commits came since the authors last had the same",
                             GT_EXPLAIN_ABOVE_MAX);
            break;
        }
        if (!gt_descent_step(&x->descent)) return gt_no_memory(diag);
        status = look(x, diag);
    }
    x->repo->work += walk->count;
    gt_descent_unmark(&x->descent);
    x->descent.walk.count = end;
    return status;
}

/* ---- heads ---- */

static goat_status head_rows(gt_explaining *x, gt_buf *rows, gt_diag *diag) {
    for (uint32_t i = 0; i < x->request->head_count; i++) {
        uint32_t row = gt_find_commit(x->repo, &x->request->heads[i]);
        if (row == GT_NONE || gt_commit_at(x->repo, row)->item != x->item) {
            return gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
        }
        if (!gt_is_shown(gt_commit_at(x->repo, row))) {
            return gt_fail(diag, GOAT_NO_SCHEMA, "that commit cannot be read here");
        }
        gt_buf_append(rows, &row, sizeof(row));
    }
    return gt_buf_failed(rows) ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- what is not read ---- */

gt_bytes gt_explaining_unread(const gt_explaining *x, uint32_t step, gt_bytes name) {
    const gt_bytes *raw = (const gt_bytes *)(const void *)x->raw.data + (x->descent.walk.count - 1 - step);
    const gt_schema_row *schema = gt_schema_at(x->repo, gt_commit_at(x->repo, gt_explaining_row(x, step))->schema);
    gt_bytes delta = x->steps[step].delta, none = {0};
    bool is_of_namespace = gt_bytes_equal(gt_schema_ns(x->reader), gt_bytes_of(schema->ns, schema->ns_len));
    if (raw->data == NULL || raw->data == delta.data) return none;
    if (is_of_namespace && schema->version != gt_schema_version(x->reader)) return none; /* may be another field */
    return delta.data != NULL && gt_map_find(delta, name).data != NULL ? none : gt_map_find(*raw, name);
}

static int latest_first(const void *a, const void *b) {
    const gt_commit_row *const *x = a, *const *y = b;
    return -gt_commit_order(*x, *y);
}

/* Commits of versions that are not known here. */
static goat_status find_unread(gt_explaining *x, gt_diag *diag) {
    const gt_item_row *item = gt_item_at(x->repo, x->item);
    const gt_commit_row *found[GT_EXPLAIN_UNREAD_MAX];
    uint32_t rows[GT_EXPLAIN_UNREAD_MAX], count = 0;
    if (!x->request->is_present || (item->flags & GT_ITEM_UNSHOWN) == 0) return GOAT_OK;
    for (uint32_t c = item->newest; c != GT_NONE && count < GT_EXPLAIN_UNREAD_MAX;
         c = gt_commit_at(x->repo, c)->older) {
        const gt_commit_row *row = gt_commit_at(x->repo, c);
        if (!gt_is_shown(row) && (row->flags & GT_COMMIT_SEALED) == 0) found[count++] = row;
    }
    if (count > 0) qsort(found, count, sizeof(found[0]), latest_first);
    for (uint32_t i = 0; i < count; i++) rows[i] = gt_find_commit(x->repo, &found[i]->id);
    gt_buf_append(&x->unread, rows, count * sizeof(uint32_t));
    return gt_buf_failed(&x->unread) ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- all of it ---- */

static goat_status prepare(gt_explaining *x, gt_diag *diag) {
    gt_buf heads;
    gt_buf_init(&heads, x->repo->alloc);
    goat_status status = head_rows(x, &heads, diag);
    if (status == GOAT_OK) status = want_fields(x, diag);
    if (status == GOAT_OK) {
        const uint32_t *rows = (const uint32_t *)(const void *)heads.data;
        if (!gt_descent_begin(&x->descent, rows, x->request->head_count)) status = gt_no_memory(diag);
        if (status == GOAT_OK) status = go_back(x, diag);
        gt_descent_unmark(&x->descent);
    }
    gt_buf_free(&heads);
    if (status == GOAT_OK && (gt_buf_failed(&x->raw) || gt_buf_failed(&x->base) || gt_buf_failed(&x->from))) {
        status = gt_no_memory(diag);
    }
    if (status == GOAT_OK && x->from.len > 0) {
        status = gt_view_compute(x->repo, x->item, x->reader, (const uint32_t *)(const void *)x->from.data,
                                 (uint32_t)(x->from.len / sizeof(uint32_t)), &x->state, diag);
        x->descent.walk.base = gt_buf_bytes(&x->state);
    } else if (status == GOAT_OK) {
        status = gt_walk_take_empty(&x->descent.walk, x->item, diag);
    }
    if (status == GOAT_OK) status = gt_walk_steps(&x->descent.walk, &x->arena, &x->steps, diag);
    return status == GOAT_OK ? find_unread(x, diag) : status;
}

goat_status gt_repo_explain(gt_repo *repo, uint32_t item, const gt_explain_request *request, gt_buf *out,
                            gt_diag *diag) {
    const gt_schema *reader = gt_repo_schema(repo, item);
    if (reader == NULL) return gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here");
    gt_explaining x = {.repo = repo, .item = item, .request = request, .reader = reader};
    if (request->field.data != NULL) x.path_len = gt_schema_path(reader, request->field, x.path);
    if (request->field.data != NULL && x.path_len == 0) {
        gt_fail(diag, GOAT_INVALID, "the schema has no such field");
        gt_diag_field(diag, (const char *)request->field.data, request->field.len);
        gt_diag_rule(diag, "unknown_field");
        return GOAT_INVALID;
    }
    gt_descent_init(&x.descent, repo, reader);
    gt_arena_init(&x.arena, repo->alloc);
    gt_buf *bufs[] = {&x.raw, &x.base, &x.from, &x.state, &x.unread};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) gt_buf_init(bufs[i], repo->alloc);
    goat_status status = prepare(&x, diag);
    size_t begin = out->len;
    if (status == GOAT_OK) status = gt_explaining_write(&x, out, diag);
    if (status == GOAT_OK && gt_buf_failed(out)) status = gt_no_memory(diag);
    if (status != GOAT_OK && !gt_buf_failed(out)) out->len = begin;
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) gt_buf_free(bufs[i]);
    gt_descent_end(&x.descent);
    gt_arena_free(&x.arena);
    return status;
}
