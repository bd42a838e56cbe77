/* What the files about comparing share: a run, and the set that it is about. */
#ifndef GT_SYNC_COMPARE_H
#define GT_SYNC_COMPARE_H

#include "base/index.h"
#include "sync/internal.h"

enum { GT_FINGERPRINT_SLICE = 256 }; /* entries hashed in one step: about a millisecond */

typedef enum gt_compare_stage {
    GT_STAGE_FREEZE, /* our fingerprint is being computed */
    GT_STAGE_JUDGE,  /* the peer's message is to be looked at */
    GT_STAGE_ANSWER, /* what its filter lacks is being sent */
    GT_STAGE_BUILD,  /* our filter is being made */
    GT_STAGE_WAIT,   /* for the peer */
} gt_compare_stage;

struct gt_comparison {
    uint32_t rounds;
    uint32_t records;
    gt_frozen frozen; /* what was there */
    gt_compare_stage stage;
    uint32_t step;   /* of the COMPARE that we send next */
    bool ready;      /* `frozen` is complete */
    size_t left_out; /* of what the peer refuses: so many batches are out of it */
    gt_lthash extra; /* of what answers have brought: rows behind the frozen ones, up to the scanned ones */
    uint64_t extra_count;
    uint32_t scanned_commits, scanned_receipts;
    uint8_t key[GT_SIPHASH_KEY_SIZE];
    gt_buf answered; /* gt_id: batches and receipts that came as answers */
    gt_index answered_index;
    /* the peer's last COMPARE */
    bool was_answered;
    bool has_message;
    uint32_t their_step;
    uint64_t their_count;
    uint8_t their_digest[GT_HASH_SIZE];
    gt_bloom_part their_filter; /* a copy */
    /* what is under way */
    uint32_t next_record, next_receipt;
    gt_bloom filter;
    bool building;
    size_t own_size; /* bytes of it */
};

/* ---- compare_set.c ---- */

/* Whether a batch or receipt came as an answer. */
bool gt_run_is_answered(const gt_comparison *run, const gt_id *id);
/* Brings the set of the frozen rows further; true when it is complete. */
bool gt_run_freeze(gt_channel *channel);
/* Takes out what the peer refuses, in small pieces as well; true when all of it is. */
bool gt_run_leave_out(gt_channel *channel);
/* Adds what answers have brought, up to `most` of it; true when all of it is counted. */
bool gt_run_scan(gt_channel *channel, uint64_t most);
/* The set as it is now: what was frozen, and what answers have brought. */
void gt_run_summarize(gt_channel *channel, uint64_t *count, uint8_t digest[GT_HASH_SIZE]);

#endif
