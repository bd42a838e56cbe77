/* The fingerprints over all entries and over all receipts, each brought further a few at a time and never from the
 * beginning, and the set that there was at some moment, which is found from them by taking out what came since. */
#include "repo/tables.h"

#define RECEIPT_LEAF UINT32_MAX /* a receipt counts as the entry of this leaf (core/sync/PROTOCOL.md 7.1) */

uint64_t gt_repo_entry_count(const gt_repo *repo) { return repo->commits.count; }

static gt_bytes write_entry(const gt_id *id, uint32_t leaf, uint8_t entry[GT_ENTRY_SIZE]) {
    memcpy(entry, id->bytes, GT_ID_SIZE);
    gt_put_u32(entry + GT_ID_SIZE, leaf);
    return gt_bytes_of(entry, GT_ENTRY_SIZE);
}

static gt_bytes commit_entry(const gt_repo *repo, uint32_t commit, uint8_t entry[GT_ENTRY_SIZE]) {
    const gt_commit_row *row = gt_commit_at(repo, commit);
    return write_entry(&gt_batch_at(repo, row->batch)->id, row->leaf, entry);
}

static gt_bytes receipt_entry(const gt_repo *repo, uint32_t receipt, uint8_t entry[GT_ENTRY_SIZE]) {
    return write_entry(&gt_receipt_row_at(repo, receipt)->id, RECEIPT_LEAF, entry);
}

bool gt_repo_fingerprint_step(gt_repo *repo, uint32_t entries) {
    uint8_t entry[GT_ENTRY_SIZE];
    for (; entries > 0 && repo->fingerprinted < repo->commits.count; entries--) {
        gt_lthash_add(repo->config.hasher, &repo->fingerprint, commit_entry(repo, repo->fingerprinted++, entry));
    }
    return repo->fingerprinted == repo->commits.count;
}

void gt_repo_fingerprint(const gt_repo *repo, uint8_t digest[32]) {
    gt_lthash_digest(repo->config.hasher, &repo->fingerprint, digest);
}

/* ---- receipts ---- */

static void count_receipts(gt_repo *repo, uint32_t most) {
    uint8_t entry[GT_ENTRY_SIZE];
    for (; most > 0 && repo->receipts_counted < repo->receipts.count; most--) {
        uint32_t receipt = repo->receipts_counted;
        bool sound = gt_receipt_is_sound(repo, receipt); /* one that is found damaged here was not counted yet */
        repo->receipts_counted++;
        if (!sound) continue;
        gt_lthash_add(repo->config.hasher, &repo->receipts_set, receipt_entry(repo, receipt, entry));
        repo->receipts_sound++;
    }
}

void gt_receipt_uncount(gt_repo *repo, uint32_t receipt) {
    uint8_t entry[GT_ENTRY_SIZE];
    if (receipt >= repo->receipts_counted) return;
    gt_lthash_remove(repo->config.hasher, &repo->receipts_set, receipt_entry(repo, receipt, entry));
    repo->receipts_sound--;
}

void gt_receipt_recount(gt_repo *repo, uint32_t receipt) {
    uint8_t entry[GT_ENTRY_SIZE];
    if (receipt >= repo->receipts_counted) return;
    gt_lthash_add(repo->config.hasher, &repo->receipts_set, receipt_entry(repo, receipt, entry));
    repo->receipts_sound++;
}

/* ---- the set of some moment ---- */

/* All that is counted by now, if that is enough; what is more comes out again little by little. */
static bool begin(gt_repo *repo, gt_frozen *frozen, uint32_t elements) {
    if (repo->fingerprinted < frozen->commits || repo->receipts_counted < frozen->receipts) {
        gt_repo_fingerprint_step(repo, elements);
        count_receipts(repo, elements);
        return false;
    }
    frozen->set = repo->fingerprint;
    gt_lthash_add_all(&frozen->set, &repo->receipts_set);
    frozen->count = (uint64_t)repo->fingerprinted + repo->receipts_sound;
    frozen->commits_in = repo->fingerprinted;
    frozen->receipts_in = repo->receipts_counted;
    return frozen->begun = true;
}

bool gt_repo_freeze_step(gt_repo *repo, gt_frozen *frozen, uint32_t elements) {
    uint8_t entry[GT_ENTRY_SIZE];
    if (!frozen->begun && !begin(repo, frozen, elements)) return false;
    for (; elements > 0 && frozen->commits_in > frozen->commits; elements--) {
        gt_lthash_remove(repo->config.hasher, &frozen->set, commit_entry(repo, --frozen->commits_in, entry));
        frozen->count--;
    }
    for (; elements > 0 && frozen->receipts_in > frozen->receipts; elements--) {
        uint32_t receipt = --frozen->receipts_in;
        /* One that turned out damaged since it went in stays in: then the set is nobody's, as if the damage were older. */
        if ((gt_receipt_row_at(repo, receipt)->flags & GT_RECEIPT_DAMAGED) != 0) continue;
        gt_lthash_remove(repo->config.hasher, &frozen->set, receipt_entry(repo, receipt, entry));
        frozen->count--;
    }
    return frozen->commits_in == frozen->commits && frozen->receipts_in == frozen->receipts;
}
