/* The message decoder: what it takes is the one encoding of what it says, and within every limit. */
#include "base/assert.h"
#include "sync/bloom.h"
#include "sync/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const gt_message *message) {
    const gt_id id = {{1}};
    switch (message->kind) {
    case GT_MESSAGE_DATA: GOAT_ASSERT(message->as.data.count <= GT_SYNC_RECORDS_MAX); break;
    case GT_MESSAGE_ACK: GOAT_ASSERT(message->as.ack.ids.count <= GT_SYNC_ACK_MAX); break;
    case GT_MESSAGE_WANT: GOAT_ASSERT(message->as.want.ids.count <= GT_SYNC_WANT_MAX); break;
    case GT_MESSAGE_COMPARE:
        if (message->as.compare.filter.bytes.data != NULL) {
            (void)gt_bloom_may_hold(&message->as.compare.filter, &id);
            (void)gt_bloom_may_hold(&message->as.compare.filter,
                                    (const gt_id *)(const void *)message->as.compare.digest);
        }
        break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gt_bytes rest = gt_bytes_of(data, size);
    gt_arena arena;
    gt_buf again;
    gt_arena_init(&arena, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    while (rest.len > 0) {
        gt_message message;
        gt_diag diag;
        gt_diag_init(&diag);
        size_t before = rest.len;
        goat_status status = gt_message_read(&rest, &arena, &message, &diag);
        GOAT_ASSERT(status == GOAT_OK || status == GOAT_NOT_FOUND || diag.status == status);
        if (status == GOAT_NOT_FOUND) continue;
        if (status != GOAT_OK) {
            GOAT_ASSERT(diag.position == GT_NO_POSITION || diag.position <= before);
            break;
        }
        GOAT_ASSERT(message.bytes.len == before - rest.len);
        look_at(&message);
        gt_buf_clear(&again);
        gt_message_write(&again, &message);
        GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&again), message.bytes));
    }
    gt_buf_free(&again);
    gt_arena_free(&arena);
    return 0;
}
