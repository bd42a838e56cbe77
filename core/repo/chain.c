/* The chain of each session's batches: seq, prev and skip (core/commit/FORMAT.md section 6.1).
 *
 * The skips make a Fenwick-like ladder: from seq n the next rung is n without its lowest set bit, so
 * whether one batch reaches another is shown with O(log n) headers. A batch that only a successor
 * names (its record is damaged, or has not come yet) is kept as a stub: its id is enough to go on. */
#include "repo/tables.h"

#include <stdlib.h>

/* Of several predecessors the one with the largest seq leads, ties by the smaller id. */
static bool leads(const gt_batch_row *a, const gt_batch_row *b) {
    return a->seq != b->seq ? a->seq > b->seq : gt_id_compare(&a->id, &b->id) < 0;
}

/* The seq that a batch's skip stands at; 0: it has none (an odd one would repeat prev). */
static uint64_t rung_of(uint64_t seq) { return (seq & 1) != 0 ? 0 : seq & (seq - 1); }

/* The row at `target` on the way down from `row`; GT_NONE where the way is broken. */
static uint32_t descend(const gt_repo *repo, uint32_t row, uint64_t target) {
    while (row != GT_NONE) {
        const gt_batch_row *batch = gt_batch_at(repo, row);
        if (batch->seq <= target) return batch->seq == target ? row : GT_NONE;
        bool by_skip = batch->skip != GT_NONE && gt_batch_at(repo, batch->skip)->seq >= target;
        row = by_skip ? batch->skip : batch->prev;
    }
    return GT_NONE;
}

/* Where that way comes to a stub, whose number is a guess and from which nothing leads on; GT_NONE: it does not. */
static uint32_t find_gap(const gt_repo *repo, uint32_t row, uint64_t target) {
    while (row != GT_NONE) {
        const gt_batch_row *batch = gt_batch_at(repo, row);
        if ((batch->flags & GT_BATCH_STUB) != 0) return row;
        if (batch->seq <= target) return GT_NONE;
        bool by_skip = batch->skip != GT_NONE && gt_batch_at(repo, batch->skip)->seq >= target;
        row = by_skip ? batch->skip : batch->prev;
    }
    return GT_NONE;
}

/* Where damage has broken the way, the session's own list still knows the rung. */
static uint32_t find_by_seq(const gt_repo *repo, uint32_t session, uint64_t seq) {
    for (uint32_t row = gt_session_at(repo, session)->newest; row != GT_NONE; row = gt_batch_at(repo, row)->older) {
        if (gt_batch_at(repo, row)->seq == seq) return row;
    }
    return GT_NONE;
}

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

goat_status gt_chain_next(gt_repo *repo, const gt_id *session, gt_id *prev, gt_id *skip, gt_chain_place *place,
                          gt_diag *diag) {
    *place = (gt_chain_place){.seq = 1, .prev = prev};
    uint32_t row = gt_find_session(repo, session);
    if (row == GT_NONE) return GOAT_OK;
    uint32_t lead = GT_NONE, left = gt_session_at(repo, row)->tips;
    for (uint32_t b = gt_session_at(repo, row)->newest; b != GT_NONE && left > 0 && place->prev_count < GT_PREV_MAX;
         b = gt_batch_at(repo, b)->older) {
        const gt_batch_row *batch = gt_batch_at(repo, b);
        if ((batch->flags & GT_BATCH_TIP) == 0) continue;
        left--;
        prev[place->prev_count++] = batch->id;
        if (lead == GT_NONE || leads(batch, gt_batch_at(repo, lead))) lead = b;
    }
    if (lead == GT_NONE) return GOAT_OK;
    qsort(prev, place->prev_count, sizeof(*prev), order_ids);
    place->seq = gt_batch_at(repo, lead)->seq + 1;
    uint64_t target = rung_of(place->seq);
    if (target == 0) return GOAT_OK;
    uint32_t rung = descend(repo, lead, target);
    if (rung == GT_NONE) rung = find_by_seq(repo, row, target);
    if (rung == GT_NONE) {
        return gt_fail(diag, GOAT_CORRUPT, "this session's chain of batches is broken; sign with a new session key");
    }
    *skip = gt_batch_at(repo, rung)->id;
    place->skip = skip;
    return GOAT_OK;
}

/* Behind a gap the way to the rung cannot be gone; then it has to be enough that the batch named is one of the
 * session's and stands at that number. */
static bool may_be_rung(const gt_repo *repo, const gt_batch *batch, uint64_t target) {
    uint32_t row = batch->skip == NULL ? GT_NONE : gt_find_batch(repo, batch->skip);
    if (row == GT_NONE) return false;
    const gt_batch_row *rung = gt_batch_at(repo, row);
    return rung->seq == target && gt_id_compare(&gt_session_at(repo, rung->session)->id, &batch->session) == 0;
}

static bool is_unknown(const gt_repo *repo, const gt_id *id) {
    uint32_t row = id == NULL ? GT_NONE : gt_find_batch(repo, id);
    return id != NULL && (row == GT_NONE || (gt_batch_at(repo, row)->flags & GT_BATCH_STUB) != 0);
}

/* The predecessor that leads. A stub's number is a guess, so whoever follows one cannot be judged before it comes, or
 * before somebody says that it never will: then `*gap`. */
static goat_status find_lead(const gt_repo *repo, const gt_batch *batch, uint32_t *lead, bool *gap, gt_id *missing,
                             gt_diag *diag) {
    *lead = GT_NONE;
    *gap = false;
    for (uint32_t i = 0; i < batch->prev.count; i++) {
        uint32_t row = gt_find_batch(repo, gt_ids_at(batch->prev, i));
        const gt_batch_row *before = row == GT_NONE ? NULL : gt_batch_at(repo, row);
        if (before == NULL || (before->flags & GT_BATCH_STUB) != 0) {
            *gap = true;
            if (gt_is_gone(repo, gt_ids_at(batch->prev, i))) continue;
            *missing = *gt_ids_at(batch->prev, i);
            return gt_fail(diag, GOAT_NOT_FOUND, "a batch before this one is not known");
        }
        if (gt_id_compare(&gt_session_at(repo, before->session)->id, &batch->session) != 0) {
            return gt_fail(diag, GOAT_UNTRUSTED, "the batch follows one of another session");
        }
        if (*lead == GT_NONE || leads(before, gt_batch_at(repo, *lead))) *lead = row;
    }
    return GOAT_OK;
}

/* Whether the skip of a batch whose predecessors are known is what it should be. Where the way to it leads over what is
 * not known, and it is not known itself, that is to be seen when this has come. */
static goat_status check_skip(const gt_repo *repo, const gt_batch *batch, uint32_t lead, uint64_t target,
                              gt_id *missing, gt_diag *diag) {
    uint32_t rung = descend(repo, lead, target), gap = find_gap(repo, lead, target);
    bool is_rung =
        rung != GT_NONE && batch->skip != NULL && gt_id_compare(&gt_batch_at(repo, rung)->id, batch->skip) == 0;
    if (is_rung || ((rung == GT_NONE || gap != GT_NONE) && may_be_rung(repo, batch, target))) return GOAT_OK;
    if (gap == GT_NONE || !is_unknown(repo, batch->skip)) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the batch's skip is not the batch it should be");
    }
    *missing = gt_batch_at(repo, gap)->id;
    return gt_is_gone(repo, missing) ? GOAT_OK : gt_fail(diag, GOAT_NOT_FOUND, "a batch before this one is not known");
}

goat_status gt_chain_check(const gt_repo *repo, const gt_batch *batch, gt_id *missing, gt_diag *diag) {
    uint32_t lead;
    bool gap;
    goat_status status = find_lead(repo, batch, &lead, &gap, missing, diag);
    if (status != GOAT_OK) return status;
    uint64_t largest = lead == GT_NONE ? 0 : gt_batch_at(repo, lead)->seq;
    if (gap ? batch->seq <= largest : batch->seq != largest + 1) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the batch's seq does not follow its prev");
    }
    uint64_t target = rung_of(batch->seq);
    if (target == 0 || (gap && is_unknown(repo, batch->skip))) return GOAT_OK;
    return check_skip(repo, batch, lead, target, missing, diag);
}

static uint32_t push_batch(gt_repo *repo, const gt_id *id, uint64_t seq, uint32_t session, uint32_t flags) {
    gt_batch_row *row = gt_rows_push(&repo->batches);
    if (row == NULL) return GT_NONE;
    uint32_t number = repo->batches.count - 1;
    if (!gt_index_insert(&repo->batch_index, gt_id_hash(repo, id), number)) {
        gt_rows_pop(&repo->batches);
        return GT_NONE;
    }
    gt_session_row *owner = gt_session_at(repo, session);
    row->id = *id;
    row->seq = seq;
    row->session = session;
    row->offset = GT_NO_POSITION;
    row->older = owner->newest;
    row->prev = row->skip = row->next = GT_NONE;
    row->other = number;
    row->flags = flags;
    owner->newest = number;
    return number;
}

/* The row of a batch that a successor names; a stub is a tip to nobody. */
static uint32_t find_or_stub(gt_repo *repo, const gt_id *id, uint64_t seq, uint32_t session) {
    uint32_t row = gt_find_batch(repo, id);
    if (row != GT_NONE) return row;
    row = push_batch(repo, id, seq, session, GT_BATCH_STUB);
    if (row != GT_NONE) gt_note_lacking(repo, row);
    return row;
}

/* A batch that is known already, in a record that may be new. Most are: they lie behind all others. */
static bool add_record(gt_repo *repo, uint32_t batch, const gt_record *record) {
    const gt_batch_row *last = gt_batch_at(repo, gt_batch_at(repo, batch)->other);
    bool known = record->offset <= last->offset && gt_record_of(repo, batch, record->offset) != GT_NONE;
    return known || gt_part_add(repo, batch, record, 0);
}

uint32_t gt_chain_add(gt_repo *repo, const gt_batch *batch, const gt_record *record) {
    uint32_t known = gt_find_batch(repo, &batch->id);
    bool was_stub = known != GT_NONE && (gt_batch_at(repo, known)->flags & GT_BATCH_STUB) != 0;
    if (known != GT_NONE && !was_stub) return add_record(repo, known, record) ? known : GT_NONE;
    uint32_t session = gt_add_session(repo, &batch->session);
    if (session == GT_NONE) return GT_NONE;
    uint32_t lead = GT_NONE, skip = GT_NONE;
    for (uint32_t i = 0; i < batch->prev.count; i++) {
        uint32_t row = find_or_stub(repo, gt_ids_at(batch->prev, i), batch->seq - 1, session);
        if (row == GT_NONE) return GT_NONE;
        if (lead == GT_NONE || leads(gt_batch_at(repo, row), gt_batch_at(repo, lead))) lead = row;
    }
    if (batch->skip != NULL) {
        skip = find_or_stub(repo, batch->skip, rung_of(batch->seq), session);
        if (skip == GT_NONE) return GT_NONE;
    }
    uint32_t number = known;
    if (was_stub) gt_batch_at(repo, known)->size = batch->size; /* its parts take it over */
    if (was_stub && !gt_part_add(repo, known, record, 0)) return GT_NONE;
    if (!was_stub) number = push_batch(repo, &batch->id, batch->seq, session, 0);
    if (number == GT_NONE) return GT_NONE;
    for (uint32_t i = 0; i < batch->prev.count; i++) { /* nothing can fail from here on */
        gt_batch_row *before = gt_batch_at(repo, gt_find_batch(repo, gt_ids_at(batch->prev, i)));
        if ((before->flags & GT_BATCH_TIP) != 0) gt_session_at(repo, session)->tips--;
        before->flags &= ~(uint32_t)GT_BATCH_TIP;
    }
    gt_batch_row *row = gt_batch_at(repo, number);
    row->seq = batch->seq;
    row->size = batch->size;
    row->prev = lead;
    row->skip = skip;
    row->flags = was_stub ? 0 : GT_BATCH_TIP; /* a stub has a successor */
    if (!was_stub) {
        row->offset = record->offset;
        row->len = (uint32_t)record->payload.len;
        gt_session_at(repo, session)->tips++;
    }
    gt_parked_arrived(repo, &batch->id);
    return number;
}
