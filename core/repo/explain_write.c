/* The explanation as CBOR, in the shape that abi/goat.h tells of. Keys stand in their order: by length, then bytes. */
#include "repo/explain.h"
#include "value/build.h"
#include "value/value.h"

static void write_name(gt_buf *out, const char *name) { gt_write_text(out, gt_bytes_text(name)); }

static void write_number(gt_buf *out, const char *name, int64_t number) {
    write_name(out, name);
    gt_write_int(out, number);
}

static void write_text(gt_buf *out, const char *name, const char *text) {
    write_name(out, name);
    write_name(out, text);
}

static void write_row_id(const gt_explaining *x, gt_buf *out, uint32_t row) {
    gt_write_bytes(out, gt_bytes_of(gt_commit_at(x->repo, row)->id.bytes, GT_ID_SIZE));
}

static int order_rows(const gt_explaining *x, uint32_t a, uint32_t b) {
    return gt_id_compare(&gt_commit_at(x->repo, a)->id, &gt_commit_at(x->repo, b)->id);
}

/* Ascending by id. There are as many as a version has members, or heads. */
static void write_rows(const gt_explaining *x, gt_buf *out, const char *name, gt_buf *rows) {
    uint32_t *row = (uint32_t *)(void *)rows->data;
    size_t count = rows->len / sizeof(uint32_t);
    for (size_t i = 1; i < count; i++) { /* insertion: few, and nearly always one */
        uint32_t moved = row[i];
        size_t at = i;
        for (; at > 0 && order_rows(x, row[at - 1], moved) > 0; at--) row[at] = row[at - 1];
        row[at] = moved;
    }
    write_name(out, name);
    gt_write_array_head(out, count);
    for (size_t i = 0; i < count; i++) write_row_id(x, out, row[i]);
}

/* ---- what a commit did ---- */

static void write_part(gt_buf *out, const gt_part *part) {
    bool has_key = part->key.data != NULL && part->key.len <= GT_EXPLAIN_KEY_MAX;
    bool has_by = part->by != 0;
    gt_write_map_head(out, 3u + has_key + has_by);
    if (has_by) write_number(out, "by", part->by);
    if (has_key) {
        write_name(out, "key");
        gt_buf_append(out, part->key.data, part->key.len);
    }
    write_text(out, "what", part->what);
    write_number(out, "count", part->count);
    write_number(out, "stands", part->stands);
}

/* The first ones one by one; what is beyond the limit is put together by what it is. */
static void write_parts(gt_buf *out, const gt_part *parts, uint32_t count) {
    gt_part rest[GT_EXPLAIN_PARTS_MAX];
    uint32_t named = count <= GT_EXPLAIN_PARTS_MAX ? count : GT_EXPLAIN_PARTS_MAX / 2, kinds = 0;
    for (uint32_t i = named; i < count; i++) {
        uint32_t kind = 0;
        while (kind < kinds && strcmp(rest[kind].what, parts[i].what) != 0) kind++;
        if (kind == GT_EXPLAIN_PARTS_MAX) break; /* there are not so many words */
        if (kind == kinds) rest[kinds++] = (gt_part){.what = parts[i].what};
        rest[kind].count += parts[i].count;
        rest[kind].stands += parts[i].stands;
    }
    write_name(out, "parts");
    gt_write_array_head(out, named + kinds);
    for (uint32_t i = 0; i < named; i++) write_part(out, &parts[i]);
    for (uint32_t i = 0; i < kinds; i++) write_part(out, &rest[i]);
}

/* `verdict` is NULL for a commit that is not read here. */
static goat_status write_commit(const gt_explaining *x, gt_buf *out, uint32_t row, const gt_verdict *verdict,
                                bool is_settled, gt_diag *diag) {
    gt_commit_info info;
    goat_status status = gt_repo_commit_info(x->repo, row, &info, diag);
    if (status != GOAT_OK) return status;
    bool has_message = info.commit.message.data != NULL;
    uint32_t by_count = verdict == NULL ? 0 : verdict->by_count;
    bool by_more = by_count > 0 && verdict->by_more;
    gt_write_map_head(out, 9u + by_more + has_message);
    write_name(out, "by");
    gt_write_array_head(out, by_count);
    for (uint32_t i = 0; i < by_count; i++) write_row_id(x, out, gt_explaining_row(x, verdict->by[i]));
    write_name(out, "id");
    gt_write_bytes(out, gt_bytes_of(info.id.bytes, GT_ID_SIZE));
    write_name(out, "time");
    gt_write_date_ms(out, GT_TIME_MS(info.commit.time));
    write_parts(out, verdict == NULL ? NULL : verdict->parts, verdict == NULL ? 0 : verdict->part_count);
    write_text(out, "effect", verdict == NULL ? "unread" : gt_effect_name(verdict->effect));
    if (by_more) {
        write_name(out, "others");
        gt_write_bool(out, true);
    }
    write_name(out, "schema");
    gt_write_array_head(out, 2);
    gt_write_text(out, info.commit.ns);
    gt_write_int(out, info.commit.version);
    write_number(out, "logical", (int64_t)(info.commit.time & 0xffff));
    if (has_message) {
        write_name(out, "message");
        gt_write_text(out, info.commit.message);
    }
    write_name(out, "session");
    gt_write_bytes(out, gt_bytes_of(info.session.bytes, GT_ID_SIZE));
    write_name(out, "settled");
    gt_write_bool(out, is_settled);
    return GOAT_OK;
}

/* ---- a field ---- */

/* A commit to be listed. */
typedef struct listed {
    uint32_t row;
    const gt_verdict *verdict;
    bool is_settled;
} listed;

/* All commits with an edit of the field, latest first; with a name of data NULL, of the deletion. */
static goat_status list_commits(const gt_explaining *x, const gt_explanation *explanation, gt_bytes name, gt_buf *list,
                                gt_diag *diag) {
    uint32_t steps = x->descent.walk.count, next = explanation->count;
    for (size_t at = 0; name.data != NULL && at < x->unread.len; at += sizeof(uint32_t)) {
        gt_commit commit;
        listed one = {0};
        memcpy(&one.row, x->unread.data + at, sizeof(one.row));
        goat_status status = gt_commit_read(x->repo, one.row, &commit, diag);
        if (status != GOAT_OK) return status;
        bool edits = commit.delta.data != NULL && gt_map_find(commit.delta, name).data != NULL;
        if (edits) gt_buf_append(list, &one, sizeof(one));
    }
    for (uint32_t step = steps; step-- > 0;) {
        listed one = {gt_explaining_row(x, step), NULL, steps - 1 - step >= x->settled_from};
        if (next > 0 && explanation->verdicts[next - 1].step == step) {
            one.verdict = &explanation->verdicts[--next];
        } else if (name.data == NULL || gt_explaining_unread(x, step, name).data == NULL) {
            continue;
        }
        gt_buf_append(list, &one, sizeof(one));
    }
    return gt_buf_failed(list) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status write_commits(const gt_explaining *x, gt_buf *out, const char *name, const gt_buf *list,
                                 gt_diag *diag) {
    const listed *all = (const listed *)(const void *)list->data;
    size_t count = list->len / sizeof(listed);
    if (count > x->request->limit) count = x->request->limit;
    goat_status status = GOAT_OK;
    write_name(out, name);
    gt_write_array_head(out, count);
    for (size_t i = 0; status == GOAT_OK && i < count; i++) {
        status = write_commit(x, out, all[i].row, all[i].verdict, all[i].is_settled, diag);
    }
    return status;
}

static gt_bytes type_name(const gt_explaining *x, const gt_field *const *path, size_t path_len) {
    gt_bytes name = gt_bytes_text(""), definition = gt_schema_definition(x->reader);
    for (size_t i = 0; i < path_len && definition.data != NULL; i++) {
        gt_bytes fields = gt_map_find(definition, gt_bytes_text("fields"));
        definition = fields.data == NULL ? fields : gt_map_find(fields, path[i]->name);
    }
    gt_bytes type = definition.data == NULL ? definition : gt_map_find(definition, gt_bytes_text("type"));
    if (type.data != NULL) gt_value_as_text(type, &name);
    return name;
}

static bool is_in_view(const gt_explaining *x, const gt_field *const *path, size_t path_len) {
    gt_bytes value = x->request->view;
    for (size_t i = 0; i < path_len && value.data != NULL; i++) {
        value = gt_value_kind(value) == GT_KIND_MAP ? gt_map_find(value, path[i]->name) : gt_bytes_of(NULL, 0);
    }
    return value.data != NULL;
}

static goat_status write_field(gt_explaining *x, gt_buf *out, const gt_field *const *path, size_t path_len,
                               const gt_explanation *explanation, const gt_buf *list, gt_diag *diag) {
    const gt_field *field = path[path_len - 1];
    size_t all = list->len / sizeof(listed);
    bool is_set = is_in_view(x, path, path_len);
    bool has_more = all > x->request->limit, has_earlier = x->from.len > 0 || explanation->base != GT_EFFECT_NONE;
    gt_write_map_head(out, 5u + has_more + has_earlier + explanation->is_limited);
    if (has_more) write_number(out, "more", (int64_t)(all - x->request->limit));
    write_name(out, "name");
    gt_write_text(out, field->path);
    write_text(out, "rule", gt_merge_rule(field));
    write_name(out, "type");
    gt_write_text(out, type_name(x, path, path_len));
    write_text(out, "state", is_set ? "set" : field->default_value.data != NULL ? "default" : "unset");
    goat_status status = write_commits(x, out, "commits", list, diag);
    if (has_earlier) {
        write_name(out, "earlier");
        gt_write_map_head(out, 2);
        write_text(out, "effect", gt_effect_name(explanation->base));
        write_rows(x, out, "commits", &x->from);
    }
    if (explanation->is_limited) {
        write_name(out, "limited");
        gt_write_bool(out, true);
    }
    return status;
}

/* Fields that are not asked for by name are passed over where there is nothing to tell; `*count` is raised for others. */
static goat_status explain_field(gt_explaining *x, const gt_field *const *path, size_t path_len, gt_buf *out,
                                 uint64_t *count, gt_diag *diag) {
    const gt_field *field = path[path_len - 1];
    gt_explanation explanation;
    gt_buf list;
    gt_buf_init(&list, x->repo->alloc);
    goat_status status = gt_merge_explain(x->repo->alloc, path, path_len, x->descent.walk.base, x->steps,
                                          x->descent.walk.count, &explanation, diag);
    x->repo->work += explanation.work;
    if (status == GOAT_OK) status = list_commits(x, &explanation, path[0]->name, &list, diag);
    bool is_told = x->request->field.data != NULL || list.len > 0 || field->default_value.data != NULL ||
                   is_in_view(x, path, path_len);
    if (status == GOAT_OK && is_told) {
        status = write_field(x, out, path, path_len, &explanation, &list, diag);
        ++*count;
    }
    gt_explanation_free(&explanation);
    gt_buf_free(&list);
    return status;
}

static goat_status write_fields(gt_explaining *x, gt_buf *out, gt_diag *diag) {
    gt_buf fields;
    uint64_t count = 0;
    goat_status status = GOAT_OK;
    gt_buf_init(&fields, x->repo->alloc);
    if (x->path_len > 0) status = explain_field(x, x->path, x->path_len, &fields, &count, diag);
    for (size_t i = 0; x->path_len == 0 && status == GOAT_OK && i < gt_schema_field_count(x->reader); i++) {
        const gt_field *field = gt_schema_field_at(x->reader, i);
        status = explain_field(x, &field, 1, &fields, &count, diag);
    }
    if (status == GOAT_OK && gt_buf_failed(&fields)) status = gt_no_memory(diag);
    write_name(out, "fields");
    gt_write_array_head(out, (size_t)count);
    gt_buf_append(out, fields.data, fields.len);
    gt_buf_free(&fields);
    return status;
}

static goat_status write_deletions(gt_explaining *x, gt_buf *out, gt_diag *diag) {
    gt_explanation explanation;
    gt_buf list;
    gt_buf_init(&list, x->repo->alloc);
    goat_status status = gt_merge_explain_deletion(x->repo->alloc, x->descent.walk.base, x->steps,
                                                   x->descent.walk.count, &explanation, diag);
    if (status == GOAT_OK) status = list_commits(x, &explanation, (gt_bytes){0}, &list, diag);
    if (status == GOAT_OK) status = write_commits(x, out, "deletions", &list, diag);
    gt_explanation_free(&explanation);
    gt_buf_free(&list);
    return status;
}

goat_status gt_explaining_write(gt_explaining *x, gt_buf *out, gt_diag *diag) {
    gt_write_map_head(out, 6);
    write_name(out, "at");
    gt_write_array_head(out, x->request->head_count);
    for (uint32_t i = 0; i < x->request->head_count; i++) {
        gt_write_bytes(out, gt_bytes_of(x->request->heads[i].bytes, GT_ID_SIZE));
    }
    write_rows(x, out, "base", &x->base);
    goat_status status = write_fields(x, out, diag);
    write_name(out, "schema");
    gt_write_array_head(out, 2);
    gt_write_text(out, gt_schema_ns(x->reader));
    gt_write_int(out, gt_schema_version(x->reader));
    write_name(out, "deleted");
    gt_write_bool(out, gt_map_find_int(x->request->view, 0).data != NULL);
    return status == GOAT_OK ? write_deletions(x, out, diag) : status;
}
