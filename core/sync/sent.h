/* What was sent and is to be acknowledged: batches in the order of sending, found by their ids.
 *
 * The order is that of our log, but for what a run of compare sends again (start GT_LOG_HEADER_SIZE: before everything).
 * One that is acknowledged out of order stays where it is, marked, until those before it are gone, or until half
 * of all are such: so an acknowledgement costs what it acknowledges, however many are on their way. */
#ifndef GT_SYNC_SENT_H
#define GT_SYNC_SENT_H

#include "base/index.h"
#include "commit/batch.h"
#include "sync/queue.h"

typedef struct gt_sent {
    gt_id batch;
    uint64_t start; /* of its record in our log */
    uint32_t run;   /* a later one that ends equal shows that the peer has it */
    bool gone;
} gt_sent;

typedef struct gt_sent_list {
    gt_queue items; /* gt_sent; the first is not gone */
    gt_index index; /* by the batch, of those that are not gone; rows count from `first` */
    uint32_t first; /* row of the first item */
    size_t count;   /* that are not gone */
    size_t again;   /* of these, sent outside of the walk */
} gt_sent_list;

void gt_sent_init(gt_sent_list *list, const gt_alloc *alloc);
void gt_sent_free(gt_sent_list *list); /* and ready for use again */

/* False when there is no memory; nothing is changed then. */
bool gt_sent_add(gt_sent_list *list, const gt_id *batch, uint64_t start, uint32_t run);
/* It is safe, however often it was sent. */
void gt_sent_acknowledge(gt_sent_list *list, const gt_id *batch);
/* Takes those away that were sent before run `run` and that `stays` (may be NULL) does not name; whether there were any. */
bool gt_sent_forget(gt_sent_list *list, uint32_t run, bool (*stays)(const void *context, const gt_id *batch),
                    const void *context);
/* The least start of all, or `end` if that is less. */
uint64_t gt_sent_first(const gt_sent_list *list, uint64_t end);

#endif
