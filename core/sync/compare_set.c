/* The set that a run of compare is about: what was there when it began, which is hashed in small pieces, and what answers
 * have brought since, which is known by name. */
#include "sync/compare.h"

#include "value/build.h"

#define RECEIPT_LEAF UINT32_MAX /* a receipt counts as the entry of this leaf */

bool gt_run_is_answered(const gt_comparison *run, const gt_id *id) {
    gt_index_cursor cursor;
    uint64_t hash = gt_siphash(run->key, gt_bytes_of(id->bytes, GT_ID_SIZE));
    uint32_t at = gt_index_first(&run->answered_index, hash, &cursor);
    while (at != GT_INDEX_NONE && memcmp(run->answered.data + (size_t)at * GT_ID_SIZE, id->bytes, GT_ID_SIZE) != 0) {
        at = gt_index_next(&run->answered_index, &cursor);
    }
    return at != GT_INDEX_NONE;
}

static void write_entry(uint8_t entry[GT_ENTRY_SIZE], const gt_id *id, uint32_t leaf) {
    memcpy(entry, id->bytes, GT_ID_SIZE);
    gt_put_u32(entry + GT_ID_SIZE, leaf);
}

static void add_entry(gt_channel *channel, gt_lthash *set, uint64_t *count, const gt_id *id, uint32_t leaf) {
    uint8_t entry[GT_ENTRY_SIZE];
    write_entry(entry, id, leaf);
    gt_lthash_add(channel->sync->host.hasher, set, gt_bytes_of(entry, sizeof(entry)));
    ++*count;
}

/* A receipt that was damaged has come again, in its old row: as if it had been sound when the set was frozen. */
static void replace_receipt(gt_channel *channel, const gt_id *id) {
    gt_comparison *run = channel->run;
    uint32_t row = gt_repo_find_receipt(channel->shared->repo, id);
    gt_frozen *frozen = &run->frozen;
    if (frozen->begun && row < frozen->receipts) add_entry(channel, &frozen->set, &frozen->count, id, RECEIPT_LEAF);
}

void gt_run_answered(gt_channel *channel, const gt_id *id, bool known) {
    gt_comparison *run = channel->run;
    if (run == NULL || gt_run_is_answered(run, id)) return;
    uint32_t record = gt_repo_find_record(channel->shared->repo, id);
    bool scanned_before = known && (record == GT_NONE || record >= run->records);
    if (scanned_before) { /* it had come by another way since the run began: what was scanned is looked at again */
        gt_lthash_init(&run->extra);
        run->extra_count = 0;
        run->scanned_commits = run->frozen.commits;
        run->scanned_receipts = run->frozen.receipts;
    }
    if (!known) replace_receipt(channel, id);
    uint32_t number = (uint32_t)(run->answered.len / GT_ID_SIZE);
    gt_buf_append(&run->answered, id->bytes, GT_ID_SIZE);
    /* Without memory it does not count: the run ends unequal, and nothing is wrong by it. */
    if (!gt_buf_failed(&run->answered)) {
        gt_index_insert(&run->answered_index, gt_siphash(run->key, gt_bytes_of(id->bytes, GT_ID_SIZE)), number);
    }
}

bool gt_run_freeze(gt_channel *channel) {
    gt_comparison *run = channel->run;
    if (run->ready) return true;
    if (!gt_repo_freeze_step(channel->shared->repo, &run->frozen, GT_FINGERPRINT_SLICE)) return false;
    run->ready = true;
    return true;
}

/* A batch that the peer refuses is no part of what can become equal. How many hashes that took. */
static uint32_t leave_out(gt_channel *channel, const gt_id *id) {
    gt_comparison *run = channel->run;
    const gt_sync_host *host = &channel->sync->host;
    gt_repo *repo = channel->shared->repo;
    uint32_t record = gt_repo_find_record(repo, id), hashed = 0;
    for (; record != GT_NONE && record < run->records; record = gt_repo_next_record(repo, record)) {
        gt_held held;
        gt_arena arena;
        gt_batch batch;
        gt_repo_held(repo, record, &held);
        gt_arena_init(&arena, host->alloc);
        bool known = held.frame.data != NULL && gt_id_compare(&held.batch, id) == 0 &&
                     gt_batch_view(held.frame, &arena, &batch, NULL) == GOAT_OK;
        for (uint32_t i = 0; known && i < batch.node_count; i++) {
            uint8_t entry[GT_ENTRY_SIZE];
            if (batch.nodes[i].kind != GT_NODE_LEAF) continue;
            write_entry(entry, id, batch.nodes[i].first);
            gt_lthash_remove(host->hasher, &run->frozen.set, gt_bytes_of(entry, sizeof(entry)));
            run->frozen.count--;
            hashed++;
        }
        gt_arena_free(&arena);
    }
    return hashed;
}

bool gt_run_leave_out(gt_channel *channel) {
    gt_comparison *run = channel->run;
    uint32_t hashed = 0;
    while (run->left_out < channel->refused.count && hashed < GT_FINGERPRINT_SLICE) {
        hashed += 1 + leave_out(channel, gt_queue_at(&channel->refused, run->left_out++));
    }
    return run->left_out == channel->refused.count;
}

bool gt_run_scan(gt_channel *channel, uint64_t most) {
    gt_comparison *run = channel->run;
    gt_repo *repo = channel->shared->repo;
    uint64_t end = run->extra_count + most;
    uint32_t commits = gt_repo_commit_count(repo), receipts = gt_repo_receipt_count(repo);
    if (run->answered.len == 0) return true;
    for (; run->scanned_commits < commits && run->extra_count < end; run->scanned_commits++) {
        gt_id batch;
        uint32_t leaf;
        gt_repo_entry(repo, run->scanned_commits, &batch, &leaf);
        if (gt_run_is_answered(run, &batch)) add_entry(channel, &run->extra, &run->extra_count, &batch, leaf);
    }
    for (; run->scanned_receipts < receipts && run->extra_count < end; run->scanned_receipts++) {
        gt_id id;
        gt_bytes bytes;
        gt_repo_receipt_at(repo, run->scanned_receipts, &id, &bytes);
        bool counts = bytes.data != NULL && gt_run_is_answered(run, &id);
        if (counts) add_entry(channel, &run->extra, &run->extra_count, &id, RECEIPT_LEAF);
    }
    return run->scanned_commits == commits && run->scanned_receipts == receipts;
}

/* While the peer waits for us no more answers come, so what is left to scan here is little. */
void gt_run_summarize(gt_channel *channel, uint64_t *count, uint8_t digest[GT_HASH_SIZE]) {
    gt_comparison *run = channel->run;
    gt_run_scan(channel, UINT64_MAX / 2);
    gt_lthash set = run->frozen.set;
    gt_lthash_add_all(&set, &run->extra);
    *count = run->frozen.count + run->extra_count;
    gt_lthash_digest(channel->sync->host.hasher, &set, digest);
}
