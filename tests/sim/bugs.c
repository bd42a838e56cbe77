/* The engine calls __wrap_NAME where it says NAME; its own function is __real_NAME. Each does as the engine's does until
 * its bug is put in. */
#include "bugs.h"

#include "db/db.h"
#include "log/log.h"
#include "merge/replay.h"
#include "repo/tables.h"
#include "sync/internal.h"
#include "trust/trust.h"

#include <stddef.h>
#include <string.h>

bool sim_bug_lying_disk, sim_bug_no_signatures;

#ifdef SIM_WITH_BUGS

static bool no_chain, early_ack, deaf_filter, flat_fingerprint, fickle_merge, lost_edit, open_system, blind_points;

/* ---- who may write what ---- */

goat_status __real_gt_chain_check(const gt_repo *repo, const gt_batch *batch, gt_id *missing, gt_diag *diag);
goat_status __wrap_gt_chain_check(const gt_repo *repo, const gt_batch *batch, gt_id *missing, gt_diag *diag);
goat_status __wrap_gt_chain_check(const gt_repo *repo, const gt_batch *batch, gt_id *missing, gt_diag *diag) {
    return no_chain ? GOAT_OK : __real_gt_chain_check(repo, batch, missing, diag);
}

goat_status __real_gt_trust_may(const gt_keyring *keyring, gt_access access, gt_bytes repository, const gt_id *session,
                                gt_diag *diag);
goat_status __wrap_gt_trust_may(const gt_keyring *keyring, gt_access access, gt_bytes repository, const gt_id *session,
                                gt_diag *diag);
goat_status __wrap_gt_trust_may(const gt_keyring *keyring, gt_access access, gt_bytes repository, const gt_id *session,
                                gt_diag *diag) {
    return open_system ? GOAT_OK : __real_gt_trust_may(keyring, access, repository, session, diag);
}

/* ---- what is safe ---- */

uint64_t __real_gt_log_length_durable(const gt_log *log);
uint64_t __wrap_gt_log_length_durable(const gt_log *log);
uint64_t __wrap_gt_log_length_durable(const gt_log *log) {
    return early_ack ? gt_log_length(log) : __real_gt_log_length_durable(log);
}

bool __real_gt_work_has_edits(const gt_work *work);
bool __wrap_gt_work_has_edits(const gt_work *work);
bool __wrap_gt_work_has_edits(const gt_work *work) {
    static uint32_t calls;
    return __real_gt_work_has_edits(work) && !(lost_edit && ++calls % 16 == 0);
}

/* ---- who has what ---- */

bool __real_gt_bloom_may_hold(const gt_bloom_part *filter, const gt_id *id);
bool __wrap_gt_bloom_may_hold(const gt_bloom_part *filter, const gt_id *id);
bool __wrap_gt_bloom_may_hold(const gt_bloom_part *filter, const gt_id *id) {
    return deaf_filter || __real_gt_bloom_may_hold(filter, id);
}

void __real_gt_lthash_digest(gt_hasher *hasher, const gt_lthash *state, uint8_t digest[GT_HASH_SIZE]);
void __wrap_gt_lthash_digest(gt_hasher *hasher, const gt_lthash *state, uint8_t digest[GT_HASH_SIZE]);
void __wrap_gt_lthash_digest(gt_hasher *hasher, const gt_lthash *state, uint8_t digest[GT_HASH_SIZE]) {
    __real_gt_lthash_digest(hasher, state, digest);
    if (flat_fingerprint) memset(digest, 0, GT_HASH_SIZE);
}

bool __real_gt_point_holds(gt_channel *channel, const uint8_t *point, uint64_t *length);
bool __wrap_gt_point_holds(gt_channel *channel, const uint8_t *point, uint64_t *length);
bool __wrap_gt_point_holds(gt_channel *channel, const uint8_t *point, uint64_t *length) {
    uint8_t chain[GT_CHAIN_SIZE];
    if (!blind_points) return __real_gt_point_holds(channel, point, length);
    *length = gt_get_u64(point);
    return gt_log_chain_at(gt_channel_log(channel), *length, chain);
}

/* ---- what is shown ---- */

bool __real_gt_step_wins(const gt_replay *replay, const gt_field *field, uint32_t a, uint32_t b);
bool __wrap_gt_step_wins(const gt_replay *replay, const gt_field *field, uint32_t a, uint32_t b);
bool __wrap_gt_step_wins(const gt_replay *replay, const gt_field *field, uint32_t a, uint32_t b) {
    static uint32_t calls;
    bool wins = __real_gt_step_wins(replay, field, a, b);
    return fickle_merge && ++calls % 3 == 0 ? !wins : wins;
}

const sim_bug sim_bugs[] = {
    {"lying-disk", "disks say that they synced, and have not", 300, &sim_bug_lying_disk},
    {"early-ack", "what was written counts as durable", 300, &early_ack},
    {"no-signatures", "signatures are not checked", 300, &sim_bug_no_signatures},
    {"no-chain", "a batch may stand anywhere in its session's chain", 300, &no_chain},
    {"open-system", "anybody may write to /sys", 300, &open_system},
    {"deaf-filter", "a filter that was received seems to hold everything", 300, &deaf_filter},
    {"flat-fingerprint", "any two sets seem to be equal", 300, &flat_fingerprint},
    {"blind-points", "a point is believed if a record ends there", 1000, &blind_points},
    {"fickle-merge", "of two concurrent edits either may win", 300, &fickle_merge},
    {"lost-edit", "a capture overlooks an item now and then", 300, &lost_edit},
};
const uint32_t sim_bug_count = sizeof(sim_bugs) / sizeof(sim_bugs[0]);

#else

const sim_bug sim_bugs[] = {{"none", "", 0, &sim_bug_lying_disk}};
const uint32_t sim_bug_count = 0;

#endif

bool sim_bug_put_in(const char *name) {
    bool found = name == NULL;
    for (uint32_t i = 0; i < sim_bug_count; i++) {
        bool is_it = name != NULL && strcmp(name, sim_bugs[i].name) == 0;
        *sim_bugs[i].is_on = is_it;
        found = found || is_it;
    }
    return found;
}
