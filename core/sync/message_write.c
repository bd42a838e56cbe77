/* Writing messages (PROTOCOL.md section 2), in the only form that reading takes. */
#include "sync/message.h"
#include "value/build.h"

static void write_uint(gt_buf *out, uint64_t value) { gt_write_int(out, (int64_t)value); }

static void write_fixed(gt_buf *out, const void *bytes, size_t len) { gt_write_bytes(out, gt_bytes_of(bytes, len)); }

static void write_fixed_or_null(gt_buf *out, const void *bytes, size_t len) {
    if (bytes == NULL) {
        gt_write_null(out);
    } else {
        write_fixed(out, bytes, len);
    }
}

static void head(gt_buf *out, const gt_message *message, size_t elements) {
    gt_write_array_head(out, elements);
    write_uint(out, (uint64_t)message->kind);
}

static void head_on_channel(gt_buf *out, gt_message_kind kind, uint32_t channel, size_t elements) {
    gt_write_array_head(out, elements);
    write_uint(out, (uint64_t)kind);
    write_uint(out, channel);
}

static void write_why(gt_buf *out, goat_status status, gt_bytes text) {
    gt_write_int(out, status);
    gt_write_text(out, text);
}

static void write_ids(gt_buf *out, gt_ids ids) {
    gt_write_array_head(out, ids.count);
    for (uint32_t i = 0; i < ids.count; i++) write_fixed(out, gt_ids_at(ids, i)->bytes, GT_ID_SIZE);
}

static void write_hello(gt_buf *out, const gt_hello *hello) {
    write_uint(out, hello->version);
    write_uint(out, hello->role);
    write_fixed_or_null(out, hello->network, GT_ID_SIZE);
    write_fixed_or_null(out, hello->root_key, GT_PUBLIC_KEY_SIZE);
    write_fixed(out, hello->public_key, GT_PUBLIC_KEY_SIZE);
    write_fixed(out, hello->nonce, GT_SYNC_NONCE_SIZE);
    write_uint(out, hello->wall_ms);
    write_uint(out, hello->window);
    write_fixed_or_null(out, hello->certificate.data, hello->certificate.len);
}

static void write_filter(gt_buf *out, const gt_bloom_part *filter) {
    if (filter->bytes.data == NULL) {
        gt_write_null(out);
        return;
    }
    gt_write_array_head(out, 4);
    write_fixed(out, filter->salt, GT_SYNC_SALT_SIZE);
    write_uint(out, filter->bits);
    write_uint(out, filter->hashes);
    gt_write_bytes(out, filter->bytes);
}

static void write_compare(gt_buf *out, const gt_message *message) {
    write_uint(out, message->as.compare.run);
    write_uint(out, message->as.compare.step);
    write_uint(out, message->as.compare.count);
    write_fixed(out, message->as.compare.digest, GT_HASH_SIZE);
    write_filter(out, &message->as.compare.filter);
}

static void write_data(gt_buf *out, const gt_message *message) {
    gt_message_data_head(out, message->channel, message->as.data.flags, message->as.data.count);
    for (uint32_t i = 0; i < message->as.data.count; i++) {
        const gt_data_record *record = &message->as.data.records[i];
        if (record->is_receipt) {
            gt_message_write_receipt(out, record->bytes);
        } else {
            gt_write_bytes(out, record->bytes);
        }
    }
}

static void write_repos(gt_buf *out, const gt_message *message) {
    gt_write_array_head(out, message->as.repos.count);
    for (uint32_t i = 0; i < message->as.repos.count; i++) gt_write_text(out, message->as.repos.paths[i]);
    gt_write_bool(out, message->as.repos.more);
}

void gt_message_write(gt_buf *out, const gt_message *message) {
    uint32_t channel = message->channel;
    switch (message->kind) {
    case GT_MESSAGE_HELLO:
        head(out, message, 10);
        write_hello(out, &message->as.hello);
        break;
    case GT_MESSAGE_PROOF:
        head(out, message, 2);
        write_fixed(out, message->as.proof.signature, GT_SIGNATURE_SIZE);
        break;
    case GT_MESSAGE_OPEN:
        head_on_channel(out, message->kind, channel, 6);
        gt_write_text(out, message->as.open.path);
        write_uint(out, message->as.open.flags);
        write_uint(out, message->as.open.count);
        write_fixed_or_null(out, message->as.open.point.data, message->as.open.point.len);
        break;
    case GT_MESSAGE_OPENED:
        head_on_channel(out, message->kind, channel, 5);
        write_uint(out, message->as.opened.how);
        write_uint(out, message->as.opened.bytes);
        write_uint(out, message->as.opened.count);
        break;
    case GT_MESSAGE_CLOSE:
        head_on_channel(out, message->kind, channel, 4);
        write_why(out, message->as.close.status, message->as.close.text);
        break;
    case GT_MESSAGE_DATA: write_data(out, message); break;
    case GT_MESSAGE_ACK:
        head_on_channel(out, message->kind, channel, 4);
        gt_write_int(out, message->as.ack.level);
        write_ids(out, message->as.ack.ids);
        break;
    case GT_MESSAGE_POINT:
        head_on_channel(out, message->kind, channel, 4);
        write_uint(out, message->as.point.behind);
        gt_write_bytes(out, message->as.point.point);
        break;
    case GT_MESSAGE_COMPARE:
        head_on_channel(out, message->kind, channel, 7);
        write_compare(out, message);
        break;
    case GT_MESSAGE_WANT:
        head_on_channel(out, message->kind, channel, 3);
        write_ids(out, message->as.want.ids);
        break;
    case GT_MESSAGE_LOST:
        head_on_channel(out, message->kind, channel, 3);
        write_ids(out, message->as.lost.ids);
        break;
    case GT_MESSAGE_CREDIT:
        head(out, message, 2);
        write_uint(out, message->as.credit.bytes);
        break;
    case GT_MESSAGE_REPOS:
        head(out, message, 3);
        write_repos(out, message);
        break;
    case GT_MESSAGE_AGAIN: head_on_channel(out, message->kind, channel, 2); break;
    case GT_MESSAGE_BYE:
        head(out, message, 3);
        write_why(out, message->as.close.status, message->as.close.text);
        break;
    case GT_MESSAGE_REFUSE:
        head_on_channel(out, message->kind, channel, 5);
        write_fixed(out, message->as.refuse.batch->bytes, GT_ID_SIZE);
        write_why(out, message->as.refuse.status, message->as.refuse.text);
        break;
    default: head(out, message, 1); break; /* LIST, CERTIFY */
    }
}

void gt_message_data_head(gt_buf *out, uint32_t channel, uint32_t flags, uint32_t count) {
    head_on_channel(out, GT_MESSAGE_DATA, channel, 4);
    write_uint(out, flags);
    gt_write_array_head(out, count);
}

void gt_message_write_receipt(gt_buf *out, gt_bytes receipt) {
    gt_write_array_head(out, 2);
    write_uint(out, 128);
    gt_write_bytes(out, receipt);
}

void gt_message_ack_head(gt_buf *out, uint32_t channel, goat_durability level, uint32_t count) {
    head_on_channel(out, GT_MESSAGE_ACK, channel, 4);
    gt_write_int(out, level);
    gt_write_array_head(out, count);
}

void gt_message_want_head(gt_buf *out, uint32_t channel, uint32_t count) {
    head_on_channel(out, GT_MESSAGE_WANT, channel, 3);
    gt_write_array_head(out, count);
}

void gt_hello_signed_bytes(gt_hasher *hasher, const gt_id *network, uint32_t role, gt_bytes client_hello,
                           gt_bytes server_hello, gt_buf *out) {
    uint8_t client[GT_HASH_SIZE], server[GT_HASH_SIZE];
    gt_hash(hasher, client_hello.data, client_hello.len, client);
    gt_hash(hasher, server_hello.data, server_hello.len, server);
    gt_write_array_head(out, 6);
    gt_write_text(out, gt_bytes_text("goat.hello.1"));
    write_fixed(out, network->bytes, GT_ID_SIZE);
    gt_write_text(out, gt_bytes_text(""));
    write_uint(out, role);
    write_fixed(out, client, sizeof(client));
    write_fixed(out, server, sizeof(server));
}
