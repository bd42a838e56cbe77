/* Which commits undo and redo are about. Rows are gone through from the latest admitted to the first: a commit is admitted
 * behind those that it reverts, so whatever undoes it was met before.
 *
 * It goes in steps, and keeps something only of commits that revert others, and of those that are reverted. What is not
 * shown here counts for nothing. */
#include "base/arena.h"
#include "repo/revert.h"
#include "repo/tables.h"

typedef enum kind { NOT_KNOWN, AN_EDIT, AN_UNDO, A_REDO, KINDS } kind;

/* What was found out about a commit. */
typedef struct fact {
    uint32_t row;
    uint16_t kind; /* of one that reverts others */
    bool undone;
} fact;

/* LOOK: for the target. GATHER: what belongs to it, around it among the rows. LATE: rows that came meanwhile. */
typedef enum stage { LOOK, GATHER, LATE } stage;

struct gt_undo_search {
    gt_repo *repo;
    gt_id id; /* of the session */
    uint32_t session, item;
    bool redo;
    stage stage;
    uint32_t next;            /* LOOK: those from this one on were looked at. LATE: those below were */
    uint32_t at;              /* the row whose kind is being found, GT_NONE */
    uint32_t target;          /* GT_NONE: none was found */
    uint32_t count;           /* rows when it began */
    uint32_t low, high, left; /* GATHER: between these all were looked at, and so many of the batch are elsewhere */
    gt_arena arena;
    const uint16_t *groups; /* of the target's batch, by leaf; NULL: all are on their own */
    gt_index index;         /* row → fact */
    gt_buf facts, stack;    /* rows whose kinds are being found */
    gt_buf rows;
    uint64_t spent, faster;
};

/* ---- what is known ---- */

static uint64_t hash_of(uint32_t row) { return (uint64_t)row * UINT64_C(0x9e3779b97f4a7c15); }

/* Good until one is added; NULL: nothing is known. */
static fact *find_fact(const gt_undo_search *s, uint32_t row) {
    gt_index_cursor cursor;
    fact *facts = (fact *)(void *)s->facts.data;
    uint32_t at = s->index.count == 0 ? GT_INDEX_NONE : gt_index_first(&s->index, hash_of(row), &cursor);
    while (at != GT_INDEX_NONE && facts[at].row != row) at = gt_index_next(&s->index, &cursor);
    return at == GT_INDEX_NONE ? NULL : &facts[at];
}

/* The same, where none is known a new one; NULL: no memory. */
static fact *note_fact(gt_undo_search *s, uint32_t row) {
    fact *known = find_fact(s, row), made = {.row = row};
    size_t count = s->facts.len / sizeof(made);
    if (known != NULL) return known;
    gt_buf_append(&s->facts, &made, sizeof(made));
    if (gt_buf_failed(&s->facts) || !gt_index_insert(&s->index, hash_of(row), (uint32_t)count)) return NULL;
    return (fact *)(void *)s->facts.data + count;
}

static bool is_undone(const gt_undo_search *s, uint32_t row) {
    const fact *known = find_fact(s, row);
    return known != NULL && known->undone;
}

static kind kind_of(const gt_undo_search *s, uint32_t row) {
    if ((gt_commit_at(s->repo, row)->flags & GT_COMMIT_REVERTS) == 0) return AN_EDIT;
    const fact *known = find_fact(s, row);
    return known == NULL ? NOT_KNOWN : (kind)known->kind;
}

static bool is_own(const gt_undo_search *s, const gt_commit_row *row) {
    return gt_batch_at(s->repo, row->batch)->session == s->session;
}

/* What a revert names is of its item, and earlier (FORMAT.md 2.4). */
static bool names(const gt_repo *repo, uint32_t number, uint32_t other) {
    const gt_commit_row *row = gt_commit_at(repo, number), *named = gt_commit_at(repo, other);
    return named->item == row->item && gt_commit_order(named, row) < 0;
}

static goat_status note_undone(gt_undo_search *s, uint32_t number, gt_diag *diag) {
    gt_commit commit;
    goat_status status = gt_commit_read(s->repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    s->spent += commit.reverts.count;
    for (uint32_t i = 0; i < commit.reverts.count; i++) {
        uint32_t other = gt_find_commit(s->repo, gt_ids_at(commit.reverts, i));
        if (other == GT_NONE || !names(s->repo, number, other)) continue;
        fact *known = note_fact(s, other);
        if (known == NULL) return gt_no_memory(diag);
        known->undone = true;
    }
    return GOAT_OK;
}

/* ---- kinds ---- */

/* Puts those of the session's commits that one names, and whose kind is not known, on the stack. `*only_own`: there are no
 * others; `found`: whether there are edits, undos and redos among those that are known. */
static void look_at_named(gt_undo_search *s, uint32_t number, gt_ids reverts, bool *only_own, bool found[]) {
    *only_own = true;
    s->spent += reverts.count;
    for (uint32_t i = 0; i < reverts.count; i++) {
        uint32_t other = gt_find_commit(s->repo, gt_ids_at(reverts, i));
        if (other == GT_NONE || !is_own(s, gt_commit_at(s->repo, other))) {
            *only_own = false;
        } else if (names(s->repo, number, other)) {
            kind is = kind_of(s, other);
            found[is] = true;
            if (is == NOT_KNOWN) gt_buf_append(&s->stack, &other, sizeof(other));
        }
    }
}

/* The kind of the row on top of the stack, which is taken off it, if those that it names are known; or these go on top.
 * What names nothing but own edits is an undo, what names nothing but own undos a redo; a revert of others' commits is an
 * edit. Each commit is asked once, however many name it: what is named is earlier, so there is an end. */
static goat_status find_kind_of_top(gt_undo_search *s, gt_diag *diag) {
    uint32_t number;
    gt_commit commit = {0};
    bool only_own, found[KINDS] = {false};
    size_t top = s->stack.len - sizeof(number);
    memcpy(&number, s->stack.data + top, sizeof(number));
    s->spent++;
    if (kind_of(s, number) == NOT_KNOWN) {
        goat_status status = gt_commit_read(s->repo, number, &commit, diag);
        if (status != GOAT_OK) return status;
        look_at_named(s, number, commit.reverts, &only_own, found);
        if (gt_buf_failed(&s->stack)) return gt_no_memory(diag);
        if (only_own && found[NOT_KNOWN]) return GOAT_OK;
        bool undoes = found[AN_EDIT] || found[A_REDO], redoes = found[AN_UNDO];
        fact *known = note_fact(s, number);
        if (known == NULL) return gt_no_memory(diag);
        known->kind = !only_own || undoes == redoes ? AN_EDIT : undoes ? AN_UNDO : A_REDO;
    }
    s->stack.len = top;
    return GOAT_OK;
}

/* The kind of `row` is to be found; it is judged then. */
static goat_status ask_kind(gt_undo_search *s, uint32_t row, gt_diag *diag) {
    s->at = row;
    gt_buf_append(&s->stack, &row, sizeof(row));
    return gt_buf_failed(&s->stack) ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- the target ---- */

static void end_look(gt_undo_search *s, uint32_t target) {
    s->target = target;
    s->stage = target == GT_NONE ? LATE : GATHER;
    s->next = s->count;
}

static goat_status look(gt_undo_search *s, gt_diag *diag) {
    s->spent++;
    if (s->next == 0) {
        end_look(s, GT_NONE);
        return GOAT_OK;
    }
    uint32_t number = --s->next;
    const gt_commit_row *row = gt_commit_at(s->repo, number);
    if (!gt_is_shown(row) || (s->item != GT_NONE && row->item != s->item)) return GOAT_OK;
    goat_status status = GOAT_OK;
    if ((row->flags & GT_COMMIT_REVERTS) != 0 && !is_undone(s, number)) status = note_undone(s, number, diag);
    return status == GOAT_OK && is_own(s, row) ? ask_kind(s, number, diag) : status;
}

/* ---- its transaction ---- */

static goat_status add_row(gt_undo_search *s, uint32_t row, gt_diag *diag) {
    gt_buf_append(&s->rows, &row, sizeof(row));
    return gt_buf_failed(&s->rows) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status view_batch(gt_undo_search *s, const gt_commit_row *row, gt_diag *diag) {
    gt_held held;
    gt_batch batch;
    uint32_t record = gt_record_of(s->repo, row->batch, row->offset);
    if (record == GT_NONE) return gt_fail(diag, GOAT_CORRUPT, "the tables of the repository are wrong");
    gt_repo_held(s->repo, record, &held);
    if (held.frame.data == NULL) return gt_fail(diag, GOAT_CORRUPT, "a batch of this session is damaged");
    goat_status status = gt_batch_view(held.frame, &s->arena, &batch, diag);
    if (status != GOAT_OK) return status;
    s->spent += batch.size;
    s->groups = batch.leaf_groups;
    return GOAT_OK;
}

static goat_status begin_gathering(gt_undo_search *s, gt_diag *diag) {
    const gt_commit_row *row = gt_commit_at(s->repo, s->target);
    goat_status status = add_row(s, s->target, diag);
    if (status == GOAT_OK && s->item == GT_NONE) status = view_batch(s, row, diag);
    bool is_alone = s->groups == NULL || s->groups[row->leaf] == 0;
    s->low = s->target;
    s->high = s->target + 1;
    s->left = is_alone ? 0 : gt_batch_at(s->repo, row->batch)->held - 1;
    return status;
}

/* Rows of one batch lie side by side, but where some of it came later. */
static goat_status gather(gt_undo_search *s, gt_diag *diag) {
    if (s->rows.len == 0) return begin_gathering(s, diag);
    const gt_commit_row *target = gt_commit_at(s->repo, s->target);
    bool up = s->high < s->count && gt_commit_at(s->repo, s->high)->batch == target->batch;
    bool down = s->low > 0 && gt_commit_at(s->repo, s->low - 1)->batch == target->batch;
    s->spent++;
    if (s->left == 0 || (s->low == 0 && s->high >= s->count)) {
        s->stage = LATE;
        return GOAT_OK;
    }
    uint32_t number = up || (!down && s->low == 0) ? s->high++ : --s->low;
    const gt_commit_row *row = gt_commit_at(s->repo, number);
    if (row->batch != target->batch) return GOAT_OK;
    s->left--;
    if (s->groups[row->leaf] != s->groups[target->leaf] || !gt_is_shown(row) || is_undone(s, number)) return GOAT_OK;
    return ask_kind(s, number, diag);
}

/* The kind of the row `at` is known. */
static goat_status judge(gt_undo_search *s, gt_diag *diag) {
    uint32_t row = s->at;
    kind is = kind_of(s, row);
    s->at = GT_NONE;
    if (s->stage == GATHER) return is == kind_of(s, s->target) ? add_row(s, row, diag) : GOAT_OK;
    if (s->redo && is == AN_EDIT) { /* what was undone before is past */
        end_look(s, GT_NONE);
    } else if (is == (s->redo ? AN_UNDO : AN_EDIT) && !is_undone(s, row)) {
        end_look(s, row);
    }
    return GOAT_OK;
}

/* ---- the search ---- */

static void begin(gt_undo_search *s) {
    const gt_alloc *alloc = s->repo->alloc;
    gt_index_init(&s->index, alloc);
    gt_arena_init(&s->arena, alloc);
    gt_buf_init(&s->facts, alloc);
    gt_buf_init(&s->stack, alloc);
    gt_buf_init(&s->rows, alloc);
    s->session = gt_find_session(s->repo, &s->id);
    s->next = s->count = s->repo->commits.count;
    s->at = s->target = GT_NONE;
    s->groups = NULL;
    s->stage = LOOK;
    if (s->session == GT_NONE) end_look(s, GT_NONE);
}

static void forget(gt_undo_search *s) {
    gt_index_free(&s->index);
    gt_arena_free(&s->arena);
    gt_buf_free(&s->facts);
    gt_buf_free(&s->stack);
    gt_buf_free(&s->rows);
}

/* What was found is right unless the session has edited since, or somebody has reverted. Then it begins anew, and faster:
 * so that it comes to an end wherever somebody edits all the time. */
static void look_at_late(gt_undo_search *s, bool *done) {
    s->spent++;
    *done = s->next == s->repo->commits.count;
    if (*done) return;
    const gt_commit_row *row = gt_commit_at(s->repo, s->next++);
    if (gt_batch_at(s->repo, row->batch)->session != gt_find_session(s->repo, &s->id) &&
        (row->flags & GT_COMMIT_REVERTS) == 0) {
        return;
    }
    forget(s);
    begin(s);
    s->faster *= 2;
}

goat_status gt_undo_begin(gt_repo *repo, const gt_id *session, uint32_t item, bool redo, gt_undo_search **search,
                          gt_diag *diag) {
    gt_undo_search *s = gt_new(repo->alloc, 1, sizeof(*s));
    *search = s;
    if (s == NULL) return gt_no_memory(diag);
    *s = (gt_undo_search){.repo = repo, .id = *session, .item = item, .redo = redo, .faster = 1};
    begin(s);
    return GOAT_OK;
}

goat_status gt_undo_step(gt_undo_search *s, uint32_t budget, bool *done, gt_diag *diag) {
    goat_status status = GOAT_OK;
    *done = false;
    for (s->spent = 0; status == GOAT_OK && !*done && s->spent < budget * s->faster;) {
        if (s->stack.len > 0) {
            status = find_kind_of_top(s, diag);
        } else if (s->at != GT_NONE) {
            status = judge(s, diag);
        } else if (s->stage == LOOK) {
            status = look(s, diag);
        } else if (s->stage == GATHER) {
            status = gather(s, diag);
        } else {
            look_at_late(s, done);
        }
    }
    return status;
}

const gt_buf *gt_undo_rows(const gt_undo_search *s) { return &s->rows; }

void gt_undo_free(gt_undo_search *s) {
    if (s == NULL) return;
    forget(s);
    gt_free(s->repo->alloc, s);
}

goat_status gt_undo_find(gt_repo *repo, const gt_id *session, uint32_t item, bool redo, gt_buf *rows, gt_diag *diag) {
    gt_undo_search *s;
    bool done = false;
    goat_status status = gt_undo_begin(repo, session, item, redo, &s, diag);
    while (status == GOAT_OK && !done) status = gt_undo_step(s, UINT32_MAX, &done, diag);
    if (status == GOAT_OK) gt_buf_append(rows, s->rows.data, s->rows.len);
    if (status == GOAT_OK && gt_buf_failed(rows)) status = gt_no_memory(diag);
    gt_undo_free(s);
    return status;
}
