/* What a repository misses: what parked frames wait for, batches that are only named or have lost leaves; and the
 * stretches of its log that could not be read or taken in. */
#include "base/arena.h"
#include "repo/tables.h"

/* ---- batches ---- */

void gt_note_lacking(gt_repo *repo, uint32_t batch) {
    gt_buf_append(&repo->lacking, &batch, sizeof(batch));
    if (gt_buf_failed(&repo->lacking)) repo->lacking_is_known = false; /* looked for again */
}

static uint32_t lacking_at(const gt_repo *repo, size_t index) {
    uint32_t row;
    memcpy(&row, repo->lacking.data + index * sizeof(row), sizeof(row));
    return row;
}

static bool lacks(const gt_repo *repo, uint32_t batch) {
    return (gt_batch_at(repo, batch)->flags & (GT_BATCH_STUB | GT_BATCH_LOST)) != 0;
}

/* Leaves only those in the list that still lack something; makes it where it is not known. */
static void tidy(gt_repo *repo) {
    if (!repo->lacking_is_known) {
        gt_buf_clear(&repo->lacking);
        repo->lacking_is_known = true;
        for (uint32_t row = 0; row < repo->batches.count; row++) {
            if (lacks(repo, row)) gt_note_lacking(repo, row);
        }
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < repo->lacking.len / sizeof(uint32_t); i++) {
        uint32_t row = lacking_at(repo, i);
        if (!lacks(repo, row)) continue;
        memcpy(repo->lacking.data + kept, &row, sizeof(row));
        kept += sizeof(row);
    }
    repo->lacking.len = kept;
}

/* ---- naming them ---- */

/* Places of a cursor: numbers in the list of batches, then buckets of parked frames. */
#define BUCKETS (UINT64_C(1) << 32)

static uint32_t name_batches(const gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0;
    size_t length = repo->lacking.len / sizeof(uint32_t);
    for (; count < max && *cursor < length; ++*cursor) {
        uint32_t row = lacking_at(repo, (size_t)*cursor);
        if (lacks(repo, row)) ids[count++] = gt_batch_at(repo, row)->id;
    }
    if (*cursor >= length) *cursor = BUCKETS;
    return count;
}

static bool was_named(const gt_parked *first, const gt_parked *parked) {
    while (first != parked && gt_id_compare(&first->waits_for, &parked->waits_for) != 0) first = first->next;
    return first != parked;
}

/* The ids that a bucket waits for, each once. Where they are too many for `max` the rest is named another time. */
static uint32_t name_parked(const gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0, bucket = (uint32_t)(*cursor - BUCKETS);
    for (; repo->parked_count > 0 && count < max && bucket < GT_BUCKETS; bucket++) {
        const gt_parked *first = repo->parked[bucket];
        for (const gt_parked *parked = first; parked != NULL && count < max; parked = parked->next) {
            if (!was_named(first, parked)) ids[count++] = parked->waits_for;
        }
    }
    *cursor = BUCKETS + bucket;
    return count;
}

uint32_t gt_repo_missing(gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0;
    if (*cursor == 0) {
        gt_note_holes(repo);
        tidy(repo);
    }
    if (*cursor < BUCKETS) count = name_batches(repo, cursor, ids, max);
    if (count < max && *cursor >= BUCKETS) count += name_parked(repo, cursor, ids + count, max - count);
    return count;
}

bool gt_repo_misses_any(gt_repo *repo) {
    uint64_t cursor = 0;
    gt_id id;
    gt_note_holes(repo);
    tidy(repo);
    return name_batches(repo, &cursor, &id, 1) > 0 || repo->parked_logged.oldest != NULL;
}

/* ---- what nobody has any more ---- */

bool gt_is_gone(const gt_repo *repo, const gt_id *id) {
    for (size_t at = 0; at < repo->gone.len; at += GT_ID_SIZE) {
        if (memcmp(repo->gone.data + at, id->bytes, GT_ID_SIZE) == 0) return true;
    }
    return false;
}

/* Only what is waited for: so nobody fills the list with what never was. */
static bool is_missed(const gt_repo *repo, const gt_id *id) {
    uint32_t row = gt_find_batch(repo, id);
    return row == GT_NONE ? gt_parked_waits_for(repo, id) : (gt_batch_at(repo, row)->flags & GT_BATCH_STUB) != 0;
}

bool gt_repo_note_gone(gt_repo *repo, const gt_id *id) {
    if (gt_repo_check_open(repo, NULL) != GOAT_OK || gt_is_gone(repo, id) || !is_missed(repo, id)) return false;
    if (repo->gone.len >= (size_t)GT_GONE_MAX * GT_ID_SIZE) return false;
    gt_buf_append(&repo->gone, id->bytes, GT_ID_SIZE);
    if (gt_buf_failed(&repo->gone)) gt_buf_free(&repo->gone);
    gt_parked_arrived(repo, id);
    gt_parked_retry(repo);
    return true;
}

/* ---- stretches of the log ---- */

void gt_note_fault(gt_repo *repo, uint64_t offset, uint64_t len) {
    gt_stretch_row row = {GT_RECORD_START(offset), GT_RECORD_LENGTH(len), GT_STRETCH_FAULT, 0};
    gt_buf_append(&repo->faults, &row, sizeof(row));
}

static gt_stretch_row fault_at(const gt_repo *repo, size_t index) {
    gt_stretch_row row;
    memcpy(&row, repo->faults.data + index * sizeof(row), sizeof(row));
    return row;
}

static size_t fault_count(const gt_repo *repo) { return repo->faults.len / sizeof(gt_stretch_row); }

uint64_t gt_repo_faults(const gt_repo *repo) {
    uint64_t count = gt_buf_failed(&repo->faults);
    for (size_t i = 0; i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        count += !gt_log_is_aside(repo->log, row.offset, row.length);
    }
    return count;
}

/* Leaves only those in the list that are not set aside: it is looked at often. */
void gt_tidy_faults(gt_repo *repo) {
    size_t kept = 0;
    for (size_t i = 0; i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        if (gt_log_is_aside(repo->log, row.offset, row.length)) continue;
        memcpy(repo->faults.data + kept, &row, sizeof(row));
        kept += sizeof(row);
    }
    repo->faults.len = kept;
}

static bool has_open_faults(const gt_repo *repo) {
    for (size_t i = 0; i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        if (!gt_log_is_aside(repo->log, row.offset, row.length)) return true;
    }
    return gt_buf_failed(&repo->faults);
}

static bool has_open_holes(const gt_repo *repo) {
    size_t count;
    const gt_damage *damage = gt_log_damage(repo->log, &count);
    for (size_t i = 0; i < count; i++) {
        if (damage[i].kind == GT_DAMAGE_MIDDLE && !damage[i].aside) return true;
    }
    return false;
}

bool gt_repo_has_gaps(const gt_repo *repo) {
    return repo->lost_count > 0 || has_open_faults(repo) || has_open_holes(repo);
}

bool gt_repo_misses_records(const gt_repo *repo) { return repo->lost_count > 0; }

/* Whether a record that begins at `offset` lies in damage of the list, which is in order. */
static bool is_in_hole(const gt_damage *damage, size_t count, uint64_t offset) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (damage[middle].offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low > 0 && damage[low - 1].kind != GT_DAMAGE_MIDDLE; low--) {
    }
    return low > 0 && offset - damage[low - 1].offset < damage[low - 1].length;
}

void gt_note_holes(gt_repo *repo) {
    size_t count;
    const gt_damage *damage = gt_log_damage(repo->log, &count);
    if (count == repo->holes_seen) return;
    for (uint32_t record = 0; record < repo->sound_count; record++) {
        const gt_batch_row *row = gt_batch_at(repo, record);
        if (row->len > 0 && is_in_hole(damage, count, GT_RECORD_START(row->offset)) &&
            !gt_log_holds(repo->log, row->offset, row->len)) {
            gt_record_lost(repo, record);
        }
        damage = gt_log_damage(repo->log, &count);
    }
    repo->holes_seen = count;
}

/* ---- in a checkpoint ---- */

void gt_stretches_save(const gt_repo *repo, gt_buf *out) {
    size_t count;
    const gt_damage *damage = gt_log_damage(repo->log, &count);
    for (size_t i = 0; i < count; i++) {
        gt_stretch_row row = {damage[i].offset, damage[i].length, GT_STRETCH_HOLE, 0};
        if (damage[i].kind == GT_DAMAGE_MIDDLE && !damage[i].aside) gt_buf_append(out, &row, sizeof(row));
    }
    for (size_t i = 0; i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        if (!gt_log_is_aside(repo->log, row.offset, row.length)) gt_buf_append(out, &row, sizeof(row));
    }
    uint64_t end = gt_log_aside_end(repo->log);
    gt_stretch_row row = {GT_LOG_HEADER_SIZE, end - GT_LOG_HEADER_SIZE, GT_STRETCH_ASIDE, 0};
    if (end != 0) gt_buf_append(out, &row, sizeof(row));
}

/* Nothing is noted before all of it was looked at. */
bool gt_stretches_restore(gt_repo *repo, const gt_section *section, uint64_t covered) {
    bool good = true;
    for (int noting = 0; noting < 2; noting++) {
        for (uint64_t at = 0; good && at < section->len; at += sizeof(gt_stretch_row)) {
            gt_stretch_row row;
            memcpy(&row, section->data + at, sizeof(row));
            if (noting == 0) {
                good = row.offset >= GT_LOG_HEADER_SIZE && row.offset <= covered && row.length <= covered - row.offset;
            } else if (row.kind == GT_STRETCH_FAULT) {
                gt_buf_append(&repo->faults, &row, sizeof(row));
            } else if (row.kind == GT_STRETCH_ASIDE) {
                gt_log_note_aside_end(repo->log, row.offset + row.length);
            } else {
                good = gt_log_note_hole(repo->log, row.offset, row.length) == GOAT_OK;
            }
        }
    }
    return good && !gt_buf_failed(&repo->faults);
}

/* ---- trying them again ---- */

/* Whether a record that could not be taken in is a batch whose session nobody vouches for here: its certificate is lost,
 * and may come again. */
static goat_status look_for_key(gt_repo *repo, const gt_record *record) {
    const gt_repo_hooks *hooks = &repo->config.hooks;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_arena arena;
    gt_batch batch;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_batch_decode(record->payload, &arena, &batch, NULL);
    if (status == GOAT_OK) {
        status = hooks->find_key(hooks->context, &batch, public_key, NULL) == GOAT_OK ? GOAT_OK : GOAT_UNTRUSTED;
    }
    gt_arena_free(&arena);
    return status;
}

static bool find_fault(gt_repo *repo, const gt_stretch_row *row, gt_record *record) {
    uint64_t at = row->offset;
    return gt_log_next(repo->log, &at, false, record) == GOAT_OK && GT_RECORD_START(record->offset) == row->offset;
}

/* Whether a fault is to stay what it is until its session is known. */
static bool is_unvouched(gt_repo *repo, const gt_stretch_row *row) {
    gt_record record;
    if (!find_fault(repo, row, &record) || record.type != GT_RECORD_BATCH) return false;
    goat_status status = look_for_key(repo, &record);
    return status == GOAT_UNTRUSTED || status == GOAT_NO_MEMORY;
}

/* One is logged anew, so that everybody hears of it: what was read of the log before had none of it. */
static goat_status regain(gt_repo *repo, const gt_stretch_row *row, gt_diag *diag) {
    gt_record record;
    gt_admission outcome;
    if (gt_log_is_aside(repo->log, row->offset, row->length) || !find_fault(repo, row, &record)) return GOAT_OK;
    if (record.type != GT_RECORD_BATCH || look_for_key(repo, &record) != GOAT_OK) return GOAT_OK;
    goat_status status =
        gt_admit_frame(repo, record.payload, GT_NO_POSITION, false, GT_FROM_PEER, &outcome, NULL, diag);
    if (status == GOAT_OK && outcome != GT_PARKED) return gt_log_set_aside(repo->log, row->offset, row->length, diag);
    return status == GOAT_NO_MEMORY ? status : GOAT_OK;
}

goat_status gt_repo_regain(gt_repo *repo, gt_diag *diag) {
    goat_status status = gt_repo_check_open(repo, diag);
    for (size_t i = 0; status == GOAT_OK && i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        status = regain(repo, &row, diag);
    }
    gt_tidy_faults(repo);
    gt_parked_retry(repo);
    return status;
}

/* ---- setting them aside ---- */

goat_status gt_repo_set_damage_aside(gt_repo *repo, gt_diag *diag) {
    size_t count;
    goat_status status = gt_repo_check_open(repo, diag);
    gt_note_holes(repo);
    if (status != GOAT_OK || repo->lost_count > 0) return status; /* not all of it has come back */
    bool appends = gt_repo_has_gaps(repo);
    for (size_t i = 0; status == GOAT_OK && i < (gt_log_damage(repo->log, &count), count); i++) {
        const gt_damage *damage = &gt_log_damage(repo->log, &count)[i];
        if (damage->kind != GT_DAMAGE_MIDDLE || damage->aside) continue;
        status = gt_log_set_aside(repo->log, damage->offset, damage->length, diag);
    }
    for (size_t i = 0; status == GOAT_OK && i < fault_count(repo); i++) {
        gt_stretch_row row = fault_at(repo, i);
        if (!is_unvouched(repo, &row)) status = gt_log_set_aside(repo->log, row.offset, row.length, diag);
    }
    gt_tidy_faults(repo);
    if (appends) gt_repo_logged(repo);
    return status;
}
