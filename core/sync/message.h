/* The messages of PROTOCOL.md section 2: bytes to structures and back. It knows their form and limits, and
 * nothing of what they mean; a message that was read is well formed and within every limit.
 *
 * Structures hold views into the packet (reading) or into the caller's memory (writing). */
#ifndef GT_SYNC_MESSAGE_H
#define GT_SYNC_MESSAGE_H

#include "base/arena.h"
#include "sync/limits.h"

typedef enum gt_message_kind {
    GT_MESSAGE_HELLO = 0,
    GT_MESSAGE_PROOF = 1,
    GT_MESSAGE_OPEN = 2,
    GT_MESSAGE_OPENED = 3,
    GT_MESSAGE_CLOSE = 4,
    GT_MESSAGE_DATA = 5,
    GT_MESSAGE_ACK = 6,
    GT_MESSAGE_POINT = 7,
    GT_MESSAGE_COMPARE = 8,
    GT_MESSAGE_WANT = 9,
    GT_MESSAGE_CREDIT = 10,
    GT_MESSAGE_LIST = 11,
    GT_MESSAGE_REPOS = 12,
    GT_MESSAGE_CERTIFY = 13,
    GT_MESSAGE_AGAIN = 14,
    GT_MESSAGE_BYE = 15,
    GT_MESSAGE_REFUSE = 16,
    GT_MESSAGE_LOST = 17,
    GT_MESSAGE_SKIP_FROM = 64, /* unknown kinds from here on are passed over */
} gt_message_kind;

enum { GT_OPEN_CREATE = 1 << 0, GT_OPEN_COMPARE = 1 << 1 };     /* flags of OPEN */
enum { GT_HOW_RESUME = 0, GT_HOW_ALL = 1, GT_HOW_COMPARE = 2 }; /* how of OPENED */
enum {
    GT_DATA_ACK = 1 << 0,
    GT_DATA_ANSWER = 1 << 1,
    GT_DATA_WANTED = 1 << 2,
    GT_DATA_END = 1 << 3
};                                                                                 /* flags of DATA */
enum { GT_STEP_ASK = 0, GT_STEP_ANSWER = 1, GT_STEP_CLOSE = 2, GT_STEP_OVER = 3 }; /* of COMPARE */

typedef struct gt_hello {
    uint64_t version;
    uint32_t role;           /* 0 client, 1 server */
    const gt_id *network;    /* NULL: not known yet */
    const uint8_t *root_key; /* NULL */
    const uint8_t *public_key;
    const uint8_t *nonce;
    uint64_t wall_ms;
    uint64_t window;
    gt_bytes certificate; /* data NULL: none */
} gt_hello;

typedef struct gt_bloom_part { /* as it is in COMPARE; data NULL: none */
    const uint8_t *salt;
    uint64_t bits;
    uint32_t hashes;
    gt_bytes bytes;
} gt_bloom_part;

typedef struct gt_data_record {
    bool is_receipt;
    gt_bytes bytes;
} gt_data_record;

typedef struct gt_message {
    gt_message_kind kind;
    gt_bytes bytes; /* the message itself */
    uint32_t channel;
    union {
        gt_hello hello;
        struct {
            const uint8_t *signature;
        } proof;
        struct {
            gt_bytes path;
            uint32_t flags;
            uint64_t count;
            gt_bytes point;
        } open;
        struct {
            uint32_t how;
            uint64_t bytes, count;
        } opened;
        struct {
            goat_status status;
            gt_bytes text;
        } close; /* also BYE */
        struct {
            uint32_t flags;
            gt_data_record *records;
            uint32_t count;
        } data; /* in the arena */
        struct {
            goat_durability level;
            gt_ids ids;
        } ack;
        struct {
            uint64_t behind;
            gt_bytes point;
        } point;
        struct {
            uint32_t run, step;
            uint64_t count;
            const uint8_t *digest;
            gt_bloom_part filter;
        } compare;
        struct {
            gt_ids ids;
        } want;
        struct {
            gt_ids ids;
        } lost;
        struct {
            uint64_t bytes;
        } credit;
        struct {
            gt_bytes *paths;
            uint32_t count;
            bool more;
        } repos; /* in the arena */
        struct {
            const gt_id *batch;
            goat_status status;
            gt_bytes text;
        } refuse;
    } as;
} gt_message;

/* Reads the message at the head of `*packet` and moves `*packet` behind it. GOAT_OK; GOAT_NOT_FOUND for an unknown kind
 * that is to be passed over; GOAT_INVALID with a position; GOAT_TOO_LARGE; GOAT_NO_MEMORY. A batch's frame is
 * taken as it is: gt_batch_decode looks at it. */
goat_status gt_message_read(gt_bytes *packet, gt_arena *arena, gt_message *message, gt_diag *diag);

/* Appends the encoding of one message. */
void gt_message_write(gt_buf *out, const gt_message *message);

/* The same for DATA, ACK and WANT in pieces, since their contents come one by one: the head needs their number. Then
 * gt_write_bytes for each batch or id, gt_message_write_receipt for a receipt. */
void gt_message_data_head(gt_buf *out, uint32_t channel, uint32_t flags, uint32_t count);
void gt_message_write_receipt(gt_buf *out, gt_bytes receipt);
void gt_message_ack_head(gt_buf *out, uint32_t channel, goat_durability level, uint32_t count);
void gt_message_want_head(gt_buf *out, uint32_t channel, uint32_t count);

/* What PROOF signs (PROTOCOL.md 3.2). */
void gt_hello_signed_bytes(gt_hasher *hasher, const gt_id *network, uint32_t role, gt_bytes client_hello,
                           gt_bytes server_hello, gt_buf *out);

#endif
