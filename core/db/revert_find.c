/* Which commits are meant: looked for in steps, so many comparisons each. */
#include "db/revert.h"

#include <stdlib.h>

enum { COMPARISONS_A_STEP = 8192, LOOKUP_COST = 4, PREFIX_BYTES = GT_PREFIX_DIGITS_MIN / 2, WHOLE = 2 * GT_ID_SIZE };

/* A beginning of an id that is looked for, by its first digits, which all have. */
typedef struct prefix {
    uint32_t first, at; /* in the spec's commits */
} prefix;

static uint32_t first_of(const gt_id *id) {
    uint32_t first = 0;
    for (size_t i = 0; i < PREFIX_BYTES; i++) first = first << 8 | id->bytes[i];
    return first;
}

static int by_first(const void *a, const void *b) {
    const prefix *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

void gt_revert_search_init(gt_revert_search *s, gt_repo *repo, gt_revert_spec *spec) {
    *s = (gt_revert_search){.repo = repo, .spec = spec, .item = GT_NONE};
    gt_buf_init(&s->prefixes, spec->alloc);
    gt_buf_init(&s->rows, spec->alloc);
}

void gt_revert_search_free(gt_revert_search *s) {
    gt_undo_free(s->undo);
    gt_buf_free(&s->prefixes);
    gt_buf_free(&s->rows);
}

goat_status gt_revert_search_begin(gt_revert_search *s, const gt_id *session, uint32_t item, gt_diag *diag) {
    s->item = item;
    if (s->spec->kind >= GT_REVERT_UNDO) {
        return gt_undo_begin(s->repo, session, item, s->spec->kind == GT_REVERT_REDO, &s->undo, diag);
    }
    for (size_t i = 0; i < s->spec->commit_count; i++) {
        const gt_wanted_id *wanted = &s->spec->commits[i];
        prefix one = {first_of(&wanted->id), (uint32_t)i};
        if (wanted->digits < WHOLE) gt_buf_append(&s->prefixes, &one, sizeof(one));
    }
    if (gt_buf_failed(&s->prefixes)) return gt_no_memory(diag);
    if (s->prefixes.len > 0) qsort(s->prefixes.data, s->prefixes.len / sizeof(prefix), sizeof(prefix), by_first);
    return GOAT_OK;
}

static goat_status add_row(gt_revert_search *s, uint32_t row, gt_diag *diag) {
    gt_buf_append(&s->rows, &row, sizeof(row));
    return gt_buf_failed(&s->rows) ? gt_no_memory(diag) : GOAT_OK;
}

static bool is_of_item(const gt_revert_search *s, uint32_t item) { return s->item == GT_NONE || item == s->item; }

/* A whole id, through the index. */
static goat_status look_up(gt_revert_search *s, gt_wanted_id *wanted, gt_diag *diag) {
    s->spent += LOOKUP_COST;
    if (wanted->digits < WHOLE) return GOAT_OK;
    uint32_t row = gt_repo_find_commit(s->repo, &wanted->id);
    if (row == GT_NONE || !is_of_item(s, gt_repo_commit_key(s->repo, row).item)) return GOAT_OK;
    wanted->row = row;
    return add_row(s, row, diag);
}

/* Those of the sorted prefixes that begin like it. */
static goat_status compare_prefixes(gt_revert_search *s, uint32_t row, const gt_id *id, gt_diag *diag) {
    const prefix *all = (const prefix *)(const void *)s->prefixes.data;
    size_t count = s->prefixes.len / sizeof(*all), from = 0;
    uint32_t first = first_of(id);
    bool is_meant = false;
    for (size_t left = count; left > 0; s->spent++) {
        size_t half = left / 2;
        bool is_before = all[from + half].first < first;
        from += is_before ? half + 1 : 0;
        left = is_before ? left - half - 1 : half;
    }
    for (; from < count && all[from].first == first; from++, s->spent++) {
        gt_wanted_id *wanted = &s->spec->commits[all[from].at];
        if (!gt_wanted_is(wanted, id)) continue;
        if (wanted->row != GT_NONE) return gt_fail(diag, GOAT_INVALID, "several commits have ids that begin so");
        wanted->row = row;
        is_meant = true;
    }
    return is_meant ? add_row(s, row, diag) : GOAT_OK;
}

static goat_status look_at(gt_revert_search *s, uint32_t row, gt_diag *diag) {
    gt_revert_spec *spec = s->spec;
    gt_commit_key key = gt_repo_commit_key(s->repo, row);
    s->spent++;
    if (!is_of_item(s, key.item)) return GOAT_OK;
    if (spec->kind == GT_REVERT_COMMITS) return compare_prefixes(s, row, &key.id, diag);
    if (key.time < spec->since || key.time > spec->until) return GOAT_OK;
    if (spec->has_session && !gt_wanted_is(&spec->session, &key.session)) return GOAT_OK;
    if (spec->has_session && spec->session.row == GT_NONE) {
        spec->session.row = row;
        spec->session.id = key.session;
    } else if (spec->has_session && gt_id_compare(&spec->session.id, &key.session) != 0) {
        return gt_fail(diag, GOAT_INVALID, "several sessions have ids that begin so");
    }
    return add_row(s, row, diag);
}

static goat_status finish(const gt_revert_search *s, gt_diag *diag) {
    for (size_t i = 0; i < s->spec->commit_count; i++) {
        if (s->spec->commits[i].row != GT_NONE || s->spec->lacks_some) continue;
        return gt_fail(diag, GOAT_NOT_FOUND, "no such commit");
    }
    return GOAT_OK;
}

static goat_status find_undo(gt_revert_search *s, bool *done, gt_diag *diag) {
    goat_status status = gt_undo_step(s->undo, COMPARISONS_A_STEP, done, diag);
    if (status != GOAT_OK || !*done) return status;
    const gt_buf *rows = gt_undo_rows(s->undo);
    if (rows->len == 0) {
        const char *what = s->spec->kind == GT_REVERT_REDO ? "redo" : "undo";
        return gt_fail(diag, GOAT_NOT_FOUND, "there is nothing to %s", what);
    }
    gt_buf_append(&s->rows, rows->data, rows->len);
    return gt_buf_failed(&s->rows) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_revert_search_step(gt_revert_search *s, bool *done, gt_diag *diag) {
    gt_revert_spec *spec = s->spec;
    goat_status status = GOAT_OK;
    *done = false;
    if (s->undo != NULL) return find_undo(s, done, diag);
    bool by_row = spec->kind == GT_REVERT_RANGE || s->prefixes.len > 0;
    for (s->spent = 0; status == GOAT_OK && !*done && s->spent < COMPARISONS_A_STEP;) {
        if (s->next_id < spec->commit_count) {
            status = look_up(s, &spec->commits[s->next_id++], diag);
        } else if (by_row && s->next < gt_repo_commit_count(s->repo)) {
            status = look_at(s, s->next++, diag);
        } else {
            *done = true;
        }
    }
    return status == GOAT_OK && *done ? finish(s, diag) : status;
}
