/* Which commits undo and redo are about. Rows are gone through from the latest admitted to the first: a commit is admitted
 * behind those that it reverts, so whatever undoes it was met before. */
#include "base/arena.h"
#include "repo/revert.h"
#include "repo/tables.h"

typedef enum kind { NOT_KNOWN, AN_EDIT, AN_UNDO, A_REDO, KINDS } kind;

typedef struct search {
    gt_repo *repo;
    uint32_t session; /* row */
    uint32_t item;    /* GT_NONE: any */
    gt_buf undone;    /* rows that are flagged as undone */
    uint8_t *kinds;   /* by row */
    gt_buf stack;     /* rows whose kinds are being found */
} search;

static bool is_own(const search *s, const gt_commit_row *row) {
    return gt_batch_at(s->repo, row->batch)->session == s->session;
}

/* What a revert names is of its item, and earlier (FORMAT.md 2.4). */
static bool names(const gt_repo *repo, uint32_t number, uint32_t other) {
    const gt_commit_row *row = gt_commit_at(repo, number), *named = gt_commit_at(repo, other);
    return named->item == row->item && gt_commit_order(named, row) < 0;
}

static goat_status flag_undone(search *s, uint32_t number, gt_diag *diag) {
    gt_commit commit;
    goat_status status = gt_commit_read(s->repo, number, &commit, diag);
    for (uint32_t i = 0; status == GOAT_OK && i < commit.reverts.count; i++) {
        uint32_t other = gt_find_commit(s->repo, gt_ids_at(commit.reverts, i));
        if (other == GT_NONE || !names(s->repo, number, other)) continue;
        if ((gt_commit_at(s->repo, other)->flags & GT_COMMIT_AWAITED) != 0) continue;
        gt_buf_append(&s->undone, &other, sizeof(other));
        if (gt_buf_failed(&s->undone)) return gt_no_memory(diag);
        gt_commit_at(s->repo, other)->flags |= GT_COMMIT_AWAITED;
    }
    return status;
}

static void clear_flags(search *s) {
    for (size_t at = 0; at < s->undone.len; at += sizeof(uint32_t)) {
        uint32_t number;
        memcpy(&number, s->undone.data + at, sizeof(number));
        gt_commit_at(s->repo, number)->flags &= (uint16_t)~GT_COMMIT_AWAITED;
    }
    gt_buf_free(&s->undone);
    gt_buf_free(&s->stack);
    gt_free(s->repo->alloc, s->kinds);
}

/* Puts those of the session's commits that one names, and whose kind is not known, on the stack. `*only_own`: there are no
 * others; `found`: whether there are edits, undos and redos among those that are known. */
static void look_at_named(search *s, uint32_t number, gt_ids reverts, bool *only_own, bool found[]) {
    *only_own = true;
    for (uint32_t i = 0; i < reverts.count; i++) {
        uint32_t other = gt_find_commit(s->repo, gt_ids_at(reverts, i));
        if (other == GT_NONE || !is_own(s, gt_commit_at(s->repo, other))) {
            *only_own = false;
        } else if (names(s->repo, number, other)) {
            found[s->kinds[other]] = true;
            if (s->kinds[other] == NOT_KNOWN) gt_buf_append(&s->stack, &other, sizeof(other));
        }
    }
}

/* The kind of the row on top of the stack, which is taken off it, if those that it names are known; or these go on top. */
static goat_status find_kind_of_top(search *s, gt_diag *diag) {
    uint32_t number;
    gt_commit commit = {0};
    bool only_own, found[KINDS] = {false};
    size_t top = s->stack.len - sizeof(number);
    memcpy(&number, s->stack.data + top, sizeof(number));
    goat_status status = GOAT_OK;
    if (s->kinds[number] == NOT_KNOWN && (gt_commit_at(s->repo, number)->flags & GT_COMMIT_REVERTS) != 0) {
        status = gt_commit_read(s->repo, number, &commit, diag);
    }
    if (status != GOAT_OK) return status;
    look_at_named(s, number, commit.reverts, &only_own, found);
    if (gt_buf_failed(&s->stack)) return gt_no_memory(diag);
    if (only_own && found[NOT_KNOWN]) return GOAT_OK;
    s->stack.len = top;
    if (s->kinds[number] != NOT_KNOWN) return GOAT_OK;
    bool undoes = found[AN_EDIT] || found[A_REDO], redoes = found[AN_UNDO];
    s->kinds[number] = !only_own || undoes == redoes ? AN_EDIT : undoes ? AN_UNDO : A_REDO;
    return GOAT_OK;
}

/* What names nothing but own edits is an undo, what names nothing but own undos a redo; a revert of others' commits is an
 * edit. Each commit is asked once, however many name it: what is named is earlier, so there is an end. */
static goat_status find_kind(search *s, uint32_t number, kind *found, gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_buf_append(&s->stack, &number, sizeof(number));
    if (gt_buf_failed(&s->stack)) return gt_no_memory(diag);
    while (status == GOAT_OK && s->stack.len > 0) status = find_kind_of_top(s, diag);
    *found = (kind)s->kinds[number];
    return status;
}

/* `*target`: the commit that an undo, or a redo, is about; GT_NONE. */
static goat_status find_target(search *s, bool redo, uint32_t *target, gt_diag *diag) {
    gt_repo *repo = s->repo;
    *target = GT_NONE;
    for (uint32_t number = repo->commits.count; number-- > 0;) {
        const gt_commit_row *row = gt_commit_at(repo, number);
        if (!gt_is_shown(row) || (s->item != GT_NONE && row->item != s->item)) continue;
        bool undone = (row->flags & GT_COMMIT_AWAITED) != 0;
        goat_status status = GOAT_OK;
        if (!undone && (row->flags & GT_COMMIT_REVERTS) != 0) status = flag_undone(s, number, diag);
        kind is = AN_EDIT;
        if (status == GOAT_OK && is_own(s, row)) {
            status = find_kind(s, number, &is, diag);
            if (status == GOAT_OK && redo && is == AN_EDIT) return GOAT_OK; /* what was undone before is past */
            if (status == GOAT_OK && !undone && is == (redo ? AN_UNDO : AN_EDIT)) {
                *target = number;
                return GOAT_OK;
            }
        }
        if (status != GOAT_OK) return status;
    }
    return GOAT_OK;
}

static goat_status view_batch(gt_repo *repo, const gt_commit_row *row, gt_arena *arena, gt_batch *batch,
                              gt_diag *diag) {
    gt_held held;
    uint32_t record = gt_record_of(repo, row->batch, row->offset);
    if (record == GT_NONE) return gt_fail(diag, GOAT_CORRUPT, "the tables of the repository are wrong");
    gt_repo_held(repo, record, &held);
    if (held.frame.data == NULL) return gt_fail(diag, GOAT_CORRUPT, "a batch of this session is damaged");
    return gt_batch_view(held.frame, arena, batch, diag);
}

/* The target, or what is like it in its transaction. */
static goat_status add_transaction(search *s, uint32_t target, gt_buf *rows, gt_diag *diag) {
    gt_repo *repo = s->repo;
    const gt_commit_row *row = gt_commit_at(repo, target);
    gt_arena arena;
    gt_batch batch;
    kind wanted, is;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = view_batch(repo, row, &arena, &batch, diag);
    if (status == GOAT_OK) status = find_kind(s, target, &wanted, diag);
    uint16_t group = 0;
    if (status == GOAT_OK && batch.leaf_groups != NULL) group = batch.leaf_groups[row->leaf];
    if (status == GOAT_OK && group == 0) gt_buf_append(rows, &target, sizeof(target));
    for (uint32_t i = 0; status == GOAT_OK && group != 0 && i < repo->commits.count; i++) {
        const gt_commit_row *other = gt_commit_at(repo, i);
        if (other->batch != row->batch || batch.leaf_groups[other->leaf] != group) continue;
        if (!gt_is_shown(other) || (other->flags & GT_COMMIT_AWAITED) != 0) continue;
        status = find_kind(s, i, &is, diag);
        if (status == GOAT_OK && is == wanted) gt_buf_append(rows, &i, sizeof(i));
    }
    gt_arena_free(&arena);
    return status == GOAT_OK && gt_buf_failed(rows) ? gt_no_memory(diag) : status;
}

goat_status gt_undo_find(gt_repo *repo, const gt_id *session, uint32_t item, bool redo, gt_buf *rows, gt_diag *diag) {
    search s = {.repo = repo, .session = gt_find_session(repo, session), .item = item};
    uint32_t target;
    if (s.session == GT_NONE) return GOAT_OK;
    gt_buf_init(&s.undone, repo->alloc);
    gt_buf_init(&s.stack, repo->alloc);
    s.kinds = gt_new(repo->alloc, repo->commits.count + (size_t)1, 1);
    target = GT_NONE;
    goat_status status = s.kinds == NULL ? gt_no_memory(diag) : find_target(&s, redo, &target, diag);
    if (status == GOAT_OK && target != GT_NONE) {
        if (item == GT_NONE) {
            status = add_transaction(&s, target, rows, diag);
        } else {
            gt_buf_append(rows, &target, sizeof(target));
            if (gt_buf_failed(rows)) status = gt_no_memory(diag);
        }
    }
    clear_flags(&s);
    return status;
}
