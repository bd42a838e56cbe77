/* Frames that cannot be taken in yet. Each waits for one commit or batch that it misses; when that comes, it is
 * tried again and may wait for the next one.
 *
 * So a frame is looked at once for each thing that it misses, however many others wait. They are bounded
 * in bytes, and the oldest go first. They are in memory, and in checkpoints, never in the log (unless they
 * came from it: then what they miss was damaged there). */
#include "repo/tables.h"

static gt_parked **bucket_of(const gt_repo *repo, const gt_id *id) {
    return &repo->parked[gt_id_hash(repo, id) >> 32 & (GT_BUCKETS - 1)];
}

/* Takes one out of its bucket and of the order of age. */
static void unlink_parked(gt_repo *repo, gt_parked *parked) {
    gt_parked **at = bucket_of(repo, &parked->waits_for);
    while (*at != parked) at = &(*at)->next;
    *at = parked->next;
    *(parked->older != NULL ? &parked->older->newer : &repo->parked_oldest) = parked->newer;
    *(parked->newer != NULL ? &parked->newer->older : &repo->parked_newest) = parked->older;
    repo->parked_bytes -= parked->len;
    repo->parked_count--;
}

static bool is_parked(const gt_repo *repo, gt_bytes frame, const gt_id *waits_for) {
    const gt_parked *parked = repo->parked == NULL ? NULL : *bucket_of(repo, waits_for);
    while (parked != NULL && !gt_bytes_equal(gt_bytes_of(parked->frame, parked->len), frame)) parked = parked->next;
    return parked != NULL;
}

goat_status gt_park(gt_repo *repo, gt_bytes frame, const gt_id *waits_for, uint64_t offset, gt_origin origin,
                    gt_diag *diag) {
    if (frame.len > GT_PARKED_BYTES_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "a batch that must wait is too large");
    if (is_parked(repo, frame, waits_for)) return GOAT_OK;
    if (repo->parked == NULL) repo->parked = gt_new(repo->alloc, GT_BUCKETS, sizeof(gt_parked *));
    gt_parked *parked = repo->parked == NULL ? NULL : gt_new(repo->alloc, 1, sizeof(*parked) + frame.len);
    if (parked == NULL) return gt_no_memory(diag);
    parked->waits_for = *waits_for;
    parked->offset = offset;
    parked->origin = origin;
    parked->len = frame.len;
    memcpy(parked->frame, frame.data, frame.len);
    gt_parked **bucket = bucket_of(repo, waits_for);
    parked->next = *bucket;
    *bucket = parked;
    parked->older = repo->parked_newest;
    *(parked->older != NULL ? &parked->older->newer : &repo->parked_oldest) = parked;
    repo->parked_newest = parked;
    repo->parked_bytes += frame.len;
    repo->parked_count++;
    while (repo->parked_bytes > GT_PARKED_BYTES_MAX) {
        gt_parked *oldest = repo->parked_oldest;
        unlink_parked(repo, oldest);
        gt_free(repo->alloc, oldest);
    }
    return GOAT_OK;
}

void gt_parked_arrived(gt_repo *repo, const gt_id *id) {
    if (repo->parked_count == 0) return;
    gt_parked *next;
    for (gt_parked *parked = *bucket_of(repo, id); parked != NULL; parked = next) {
        next = parked->next;
        if (gt_id_compare(&parked->waits_for, id) != 0) continue;
        unlink_parked(repo, parked);
        parked->next = repo->ready;
        repo->ready = parked;
    }
}

/* What is refused now is dropped: it was not in any view, and peers are told nothing of what waits. */
void gt_parked_retry(gt_repo *repo) {
    while (repo->ready != NULL) {
        gt_parked *parked = repo->ready;
        repo->ready = parked->next;
        gt_admission outcome;
        goat_status status = gt_admit_frame(repo, gt_bytes_of(parked->frame, parked->len), parked->offset,
                                            parked->origin, &outcome, NULL, NULL);
        if (status != GOAT_OK && parked->offset != GT_NO_POSITION) repo->faults++;
        gt_free(repo->alloc, parked);
    }
}

uint32_t gt_repo_parked_count(const gt_repo *repo) { return repo->parked_count; }

void gt_parked_free(gt_repo *repo) {
    while (repo->parked_oldest != NULL) {
        gt_parked *oldest = repo->parked_oldest;
        unlink_parked(repo, oldest);
        gt_free(repo->alloc, oldest);
    }
    while (repo->ready != NULL) {
        gt_parked *parked = repo->ready;
        repo->ready = parked->next;
        gt_free(repo->alloc, parked);
    }
    gt_free(repo->alloc, (void *)repo->parked);
    repo->parked = NULL;
}
