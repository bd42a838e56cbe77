/* What a revert tells, as goat.h has it. */
#include "db/revert.h"

#include "db/internal.h"

static void write_name(gt_buf *out, const char *name) { gt_write_text(out, gt_bytes_text(name)); }

static void write_ids(gt_buf *out, const gt_buf *ids) {
    gt_write_array_head(out, ids->len / GT_ID_SIZE);
    for (size_t at = 0; at < ids->len; at += GT_ID_SIZE) gt_write_bytes(out, gt_bytes_of(ids->data + at, GT_ID_SIZE));
}

static bool differ(gt_bytes a, gt_bytes b) {
    return a.data == NULL || b.data == NULL ? a.data != b.data : !gt_bytes_equal(a, b);
}

static void write_fields(gt_buf *out, const gt_revert_plan *one) {
    const gt_schema *schema = one->revert.schema;
    gt_bytes before = gt_buf_bytes(&one->revert.view), after = gt_buf_bytes(&one->after);
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) gt_write_map_head(out, count);
        for (size_t i = 0; i < gt_schema_field_count(schema); i++) {
            gt_bytes name = gt_schema_field_at(schema, i)->name;
            gt_bytes was = gt_map_find(before, name), is = gt_map_find(after, name);
            if (!differ(was, is)) continue;
            count++;
            if (pass == 0) continue;
            gt_write_text(out, name);
            gt_write_map_head(out, (was.data != NULL) + (size_t)(is.data != NULL));
            if (is.data != NULL) write_name(out, "after");
            gt_buf_append(out, is.data, is.len);
            if (was.data != NULL) write_name(out, "before");
            gt_buf_append(out, was.data, was.len);
        }
    }
}

static void write_plan(const gt_revert_result *r, const gt_revert_plan *one, gt_buf *out) {
    gt_repo *repo = r->repo;
    bool was = gt_map_find_int(gt_buf_bytes(&one->revert.view), 0).data != NULL;
    bool is = gt_map_find_int(gt_buf_bytes(&one->after), 0).data != NULL;
    gt_write_map_head(out, 3 + (size_t)!r->spec->dry_run + (was != is)); /* keys by length, then bytes */
    write_name(out, "path");
    gt_write_path(out, gt_repo_path(repo), gt_repo_key(repo, one->item));
    if (!r->spec->dry_run) {
        write_name(out, "commit");
        gt_write_bytes(out, gt_bytes_of(one->id.bytes, GT_ID_SIZE));
    }
    write_name(out, "fields");
    write_fields(out, one);
    if (was != is) {
        write_name(out, "deleted");
        gt_write_bool(out, is);
    }
    write_name(out, "reverts");
    write_ids(out, &one->revert.names);
}

static void write_skipped(const gt_revert_result *r, size_t count, gt_buf *out) {
    if (count == 0) return;
    write_name(out, "skipped");
    gt_write_array_head(out, count);
    for (size_t i = 0; i < r->plan_count; i++) {
        if (r->plans[i].skipped == GOAT_OK) continue;
        gt_write_map_head(out, 2);
        write_name(out, "path");
        gt_write_path(out, gt_repo_path(r->repo), gt_repo_key(r->repo, r->plans[i].item));
        write_name(out, "reason");
        write_name(out, gt_status_name(r->plans[i].skipped));
    }
}

static bool is_in_result(const gt_revert_result *r, const gt_revert_plan *one) {
    return r->is_done ? one->is_done : one->revert.names.len > 0;
}

goat_status gt_revert_write_result(const gt_revert_result *r, gt_buf *out, gt_diag *diag) {
    size_t items = 0, found = 0, skipped = 0;
    for (size_t i = 0; i < r->plan_count; i++) {
        items += is_in_result(r, &r->plans[i]);
        skipped += r->plans[i].skipped != GOAT_OK;
    }
    for (size_t i = 0; i < r->spec->commit_count; i++) found += r->spec->commits[i].row != GT_NONE;
    gt_write_map_head(out, 2 + (size_t)(skipped > 0));
    write_name(out, "found");
    gt_write_array_head(out, found);
    for (size_t i = 0; i < r->spec->commit_count; i++) {
        if (r->spec->commits[i].row == GT_NONE) continue;
        gt_commit_key key = gt_repo_commit_key(r->repo, r->spec->commits[i].row);
        gt_write_bytes(out, gt_bytes_of(key.id.bytes, GT_ID_SIZE));
    }
    write_name(out, "items");
    gt_write_array_head(out, items);
    for (size_t i = 0; i < r->plan_count; i++) {
        if (is_in_result(r, &r->plans[i])) write_plan(r, &r->plans[i], out);
    }
    write_skipped(r, skipped, out);
    return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
}
