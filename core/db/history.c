/* The history of an item as a handle sees it, in pages, and its commits by the beginnings of their ids.
 *
 * What waits for the next advance is not in it; what is in no view here (of a version that is not read, or after such a
 * one) is, and is said to be hidden. Where a page ended is kept with the item, so the next one costs no more. */
#include "db/history.h"

#include "db/revert.h"
#include "repo/history.h"

#include <stdlib.h>

struct gt_item_history {
    gt_history place;
    gt_buf heads;   /* ids, ascending: of what is seen */
    uint32_t stamp; /* the item's, to which they belong */
    bool has_heads;
};

void gt_item_history_free(const gt_alloc *alloc, gt_item_history *history) {
    if (history == NULL) return;
    gt_history_free(alloc, &history->place);
    gt_buf_free(&history->heads);
    gt_free(alloc, history);
}

/* ---- one commit ---- */

static const char *kind_of(const gt_commit *commit) {
    if (commit->reverts.count > 0) return "revert";
    gt_bytes flag = commit->delta.data == NULL ? (gt_bytes){0} : gt_map_find_int(commit->delta, 0);
    bool deleted = false;
    if (commit->parents.count == 0) return "create";
    if (flag.data == NULL) return "edit";
    gt_value_as_bool(flag, &deleted);
    return deleted ? "delete" : "undelete";
}

static void write_id(gt_buf *out, const char *name, const gt_id *id) {
    gt_write_text(out, gt_bytes_text(name));
    gt_write_bytes(out, gt_bytes_of(id->bytes, GT_ID_SIZE));
}

static void write_fields(gt_buf *out, gt_bytes delta) {
    gt_bytes name, value;
    size_t count = 0;
    delta = gt_map_or_empty(delta); /* a sealed commit shows none */
    gt_iter iter = gt_map_iter(delta);
    while (gt_map_next(&iter, &name, &value)) count++;
    gt_write_array_head(out, count);
    iter = gt_map_iter(delta);
    while (gt_map_next(&iter, &name, &value)) gt_write_text(out, name);
}

/* Keys in the order of deterministic CBOR: by length, then bytes. */
static void write_ids(gt_buf *out, const char *name, gt_ids ids) {
    gt_write_text(out, gt_bytes_text(name));
    gt_write_array_head(out, ids.count);
    for (uint32_t i = 0; i < ids.count; i++) gt_write_bytes(out, gt_bytes_of(gt_ids_at(ids, i)->bytes, GT_ID_SIZE));
}

static void write_hidden(gt_buf *out) {
    gt_write_text(out, gt_bytes_text("hidden"));
    gt_write_bool(out, true);
}

static void write_logical(gt_buf *out, gt_time time) {
    gt_write_text(out, gt_bytes_text("logical"));
    gt_write_int(out, (int64_t)(time & 0xffff));
}

/* What every commit has, and is known of a damaged one too. */
static void write_head(gt_buf *out, const gt_commit_info *info, const char *kind, bool is_head) {
    write_id(out, "id", &info->id);
    gt_write_text(out, gt_bytes_text("head"));
    gt_write_bool(out, is_head);
    gt_write_text(out, gt_bytes_text("kind"));
    gt_write_text(out, gt_bytes_text(kind));
    gt_write_text(out, gt_bytes_text("time"));
    gt_write_date_ms(out, GT_TIME_MS(info->commit.time));
    write_id(out, "batch", &info->batch);
}

static void write_damaged(gt_buf *out, const gt_commit_info *info, bool is_head) {
    gt_write_map_head(out, 7 + (size_t)info->is_hidden);
    write_head(out, info, "damaged", is_head);
    if (info->is_hidden) write_hidden(out);
    write_logical(out, info->commit.time);
    write_id(out, "session", &info->session);
}

static void write_commit(gt_buf *out, const gt_commit_info *info, bool is_head) {
    const gt_commit *commit = &info->commit;
    gt_write_map_head(out, 10 + (size_t)(commit->message.data != NULL) + (commit->reverts.count > 0) + info->is_hidden);
    write_head(out, info, kind_of(commit), is_head);
    gt_write_text(out, gt_bytes_text("fields"));
    write_fields(out, commit->delta);
    if (info->is_hidden) write_hidden(out);
    gt_write_text(out, gt_bytes_text("schema"));
    gt_write_array_head(out, 2);
    gt_write_text(out, commit->ns);
    gt_write_int(out, commit->version);
    write_logical(out, commit->time);
    if (commit->message.data != NULL) {
        gt_write_text(out, gt_bytes_text("message"));
        gt_write_text(out, commit->message);
    }
    write_ids(out, "parents", commit->parents);
    if (commit->reverts.count > 0) write_ids(out, "reverts", commit->reverts);
    write_id(out, "session", &info->session);
}

/* ---- pages ---- */

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

static bool is_head(const gt_item_history *history, const gt_id *id) {
    const gt_buf *heads = &history->heads;
    return heads->len > 0 && bsearch(id, heads->data, heads->len / GT_ID_SIZE, GT_ID_SIZE, order_ids) != NULL;
}

/* The heads of what is seen, looked for anew where that is something else by now. */
static goat_status look(goat_item *item, gt_diag *diag) {
    const gt_alloc *alloc = item->db->database->alloc;
    gt_item_history *history = item->history;
    if (history == NULL) {
        history = item->history = gt_new(alloc, 1, sizeof(*history));
        if (history == NULL) return gt_no_memory(diag);
        gt_buf_init(&history->heads, alloc);
    }
    if (history->has_heads && history->stamp == item->stamp) return GOAT_OK;
    gt_buf_clear(&history->heads);
    goat_status status = gt_item_heads_seen(item, &history->heads, diag);
    history->has_heads = status == GOAT_OK;
    history->stamp = item->stamp;
    return status;
}

/* Goes to what comes before a commit. */
static goat_status seek(goat_item *item, gt_bytes before, gt_diag *diag) {
    gt_repo *repo = item->space->mount->repo;
    gt_item_history *history = item->history;
    gt_history_part part = {.item = item->item,
                            .end = gt_space_commits(item->space, item->item),
                            .heads = (const gt_id *)(const void *)history->heads.data,
                            .head_count = (uint32_t)(history->heads.len / GT_ID_SIZE)};
    uint32_t row = GT_NONE;
    if (before.data != NULL) {
        row = gt_repo_find_commit(repo, (const gt_id *)(const void *)before.data);
        if (row == GT_NONE || gt_repo_commit_key(repo, row).item != item->item) {
            return gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
        }
    }
    return gt_history_seek(repo, &history->place, &part, row, diag);
}

/* A damaged commit is told as far as it is known: what is behind it is read all the same. */
static goat_status write_row(goat_item *item, uint32_t row, gt_buf *out, gt_diag *diag) {
    gt_commit_info info;
    goat_status status = gt_repo_commit_info(item->space->mount->repo, row, &info, diag);
    if (status == GOAT_OK) write_commit(out, &info, is_head(item->history, &info.id));
    if (status != GOAT_CORRUPT) return status;
    write_damaged(out, &info, is_head(item->history, &info.id));
    return GOAT_OK;
}

static goat_status write_page(goat_item *item, uint32_t limit, gt_buf *out, gt_diag *diag) {
    gt_repo *repo = item->space->mount->repo;
    gt_buf commits;
    size_t count = 0;
    goat_status status = GOAT_OK;
    gt_buf_init(&commits, item->db->database->alloc);
    for (; status == GOAT_OK && count < limit; count++) {
        uint32_t row;
        status = gt_history_next(repo, &item->history->place, &row, diag);
        if (status == GOAT_OK && row == GT_NONE) break;
        if (status == GOAT_OK) status = write_row(item, row, &commits, diag);
    }
    gt_write_array_head(out, count);
    gt_buf_append(out, commits.data, commits.len);
    if (status == GOAT_OK && (gt_buf_failed(&commits) || gt_buf_failed(out))) status = gt_no_memory(diag);
    gt_buf_free(&commits);
    return status;
}

/* Whether it has commits; one that was just created has none. */
static bool has_commits(goat_item *item) {
    if (item->item == GT_NONE) {
        item->item = gt_repo_find(item->space->mount->repo, gt_bytes_of(item->key, item->key_len));
    }
    return item->item != GT_NONE;
}

goat_status gt_item_commits(goat_item *item, gt_bytes before, uint32_t limit, gt_buf *out, gt_diag *diag) {
    gt_sight sight;
    goat_status status = gt_item_look(item, &sight, diag);
    if (status != GOAT_OK) return status;
    if (!has_commits(item)) {
        if (before.data != NULL) return gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
        gt_write_array_head(out, 0);
        return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
    }
    status = look(item, diag);
    if (status == GOAT_OK) status = seek(item, before, diag);
    return status == GOAT_OK ? write_page(item, limit, out, diag) : status;
}

/* ---- one by the beginning of its id ---- */

goat_status gt_item_find_commit(goat_item *item, gt_bytes digits, gt_buf *id, gt_diag *diag) {
    gt_sight sight;
    gt_wanted_id wanted;
    goat_status status = gt_item_look(item, &sight, diag);
    if (status != GOAT_OK) return status;
    if (!gt_wanted_read(digits, &wanted)) {
        return gt_fail(diag, GOAT_INVALID, "not an id of a commit: 8 to 64 hexadecimal digits");
    }
    if (!has_commits(item)) return gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
    gt_repo *repo = item->space->mount->repo;
    status = gt_history_find(repo, item->item, &wanted.id, wanted.digits, &wanted.row, diag);
    if (status != GOAT_OK) return status;
    gt_commit_key key = gt_repo_commit_key(repo, wanted.row);
    gt_buf_append(id, key.id.bytes, GT_ID_SIZE);
    return gt_buf_failed(id) ? gt_no_memory(diag) : GOAT_OK;
}
