/* Reading messages (PROTOCOL.md section 2) with the cursor that also reads frames. Counts are believed only as far as
 * there are bytes for them. */
#include "base/utf8.h"
#include "commit/read.h"
#include "sync/message.h"
#include "value/path.h"

enum { ELEMENTS_MAX = 10 };

static bool read_u64(gt_reader *reader, uint64_t max, uint64_t *value, const char *words) {
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, value, words)) return false;
    return *value <= max || gt_refuse_large(reader, at, words);
}

static bool read_u32(gt_reader *reader, uint32_t max, uint32_t *value, const char *words) {
    uint64_t wide = 0;
    bool good = read_u64(reader, max, &wide, words);
    *value = (uint32_t)wide;
    return good;
}

static bool is_null(gt_reader *reader) {
    if (reader->next == reader->end || *reader->next != GT_CBOR_NULL) return false;
    reader->next++;
    return true;
}

static bool read_bytes_or_null(gt_reader *reader, size_t len, const uint8_t **bytes, const char *words) {
    *bytes = NULL;
    return is_null(reader) || gt_read_bytes(reader, len, bytes, words);
}

static bool read_bool(gt_reader *reader, bool *value, const char *words) {
    if (reader->next == reader->end || (*reader->next != GT_CBOR_TRUE && *reader->next != GT_CBOR_FALSE)) {
        return gt_refuse(reader, reader->next, words);
    }
    *value = *reader->next++ == GT_CBOR_TRUE;
    return true;
}

static bool read_text(gt_reader *reader, size_t max, gt_bytes *text, const char *words) {
    const uint8_t *at = reader->next;
    size_t wrong;
    if (!gt_read_string(reader, GT_CBOR_TEXT, text, words)) return false;
    if (text->len > max) return gt_refuse_large(reader, at, words);
    return gt_utf8_valid(text->data, text->len, &wrong) || gt_refuse(reader, text->data + wrong, "a text is not UTF-8");
}

static bool read_path(gt_reader *reader, gt_bytes *path) {
    const uint8_t *at = reader->next;
    gt_path parsed;
    if (!gt_read_string(reader, GT_CBOR_TEXT, path, "a repository's path is a text")) return false;
    return gt_path_parse_repo(*path, &parsed, NULL) == GOAT_OK || gt_refuse(reader, at, "the path is no repository's");
}

/* A goat_status that says why something went wrong; 0 where nothing did. */
static bool read_why(gt_reader *reader, goat_status *status, gt_bytes *text) {
    uint32_t number = 0;
    bool good = read_u32(reader, 999, &number, "a status is a number of this library's") &&
                read_text(reader, GT_SYNC_TEXT_MAX, text, "a reason is a text of at most 512 bytes");
    *status = (goat_status)number;
    return good;
}

/* Ids in any order. */
static bool read_ids(gt_reader *reader, uint32_t max, gt_ids *ids, const char *words) {
    const uint8_t *at = reader->next;
    uint64_t count;
    const uint8_t *id;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, words)) return false;
    if (count == 0) return gt_refuse(reader, at, words);
    if (count > max) return gt_refuse_large(reader, at, words);
    *ids = (gt_ids){.data = reader->next, .count = (uint32_t)count};
    for (uint64_t i = 0; i < count; i++) {
        if (!gt_read_bytes(reader, GT_ID_SIZE, &id, words)) return false;
    }
    return true;
}

/* ---- one function a kind ---- */

static bool read_hello(gt_reader *reader, gt_hello *hello) {
    const uint8_t *network;
    if (!read_u64(reader, UINT32_MAX, &hello->version, "a version is a small number")) return false;
    if (!read_u32(reader, 1, &hello->role, "a role is 0 or 1")) return false;
    if (!read_bytes_or_null(reader, GT_ID_SIZE, &network, "a network is 32 bytes or null")) return false;
    hello->network = (const gt_id *)(const void *)network;
    if (!read_bytes_or_null(reader, GT_PUBLIC_KEY_SIZE, &hello->root_key, "a root is 32 bytes or null") ||
        !gt_read_bytes(reader, GT_PUBLIC_KEY_SIZE, &hello->public_key, "a key is 32 bytes") ||
        !gt_read_bytes(reader, GT_SYNC_NONCE_SIZE, &hello->nonce, "a nonce is 32 bytes") ||
        !read_u64(reader, INT64_MAX, &hello->wall_ms, "a time is milliseconds since 1970")) {
        return false;
    }
    const uint8_t *at = reader->next;
    if (!read_u64(reader, GT_SYNC_WINDOW_MAX, &hello->window, "a window is 64 KiB to 256 MiB")) return false;
    if (hello->window < GT_SYNC_WINDOW_MIN) return gt_refuse(reader, at, "a window is 64 KiB to 256 MiB");
    hello->certificate = (gt_bytes){0};
    return is_null(reader) ||
           gt_read_string(reader, GT_CBOR_BYTES, &hello->certificate, "a certificate is bytes or null");
}

static bool read_point(gt_reader *reader, gt_bytes *point) {
    const uint8_t *bytes;
    if (!gt_read_bytes(reader, GT_SYNC_POINT_SIZE, &bytes, "a point is 24 bytes")) return false;
    *point = gt_bytes_of(bytes, GT_SYNC_POINT_SIZE);
    return true;
}

static bool read_open(gt_reader *reader, gt_message *message) {
    message->as.open.point = (gt_bytes){0};
    return read_path(reader, &message->as.open.path) &&
           read_u32(reader, GT_OPEN_CREATE | GT_OPEN_COMPARE, &message->as.open.flags, "OPEN has flags up to 3") &&
           read_u64(reader, INT64_MAX, &message->as.open.count, "a count is a number") &&
           (is_null(reader) || read_point(reader, &message->as.open.point));
}

static bool read_opened(gt_reader *reader, gt_message *message) {
    return read_u32(reader, GT_HOW_COMPARE, &message->as.opened.how, "OPENED says 0, 1 or 2") &&
           read_u64(reader, INT64_MAX, &message->as.opened.bytes, "a number of bytes") &&
           read_u64(reader, INT64_MAX, &message->as.opened.count, "a count is a number");
}

static bool read_record(gt_reader *reader, gt_data_record *record) {
    uint64_t count = 0;
    unsigned type = reader->next == reader->end ? GT_CBOR_SIMPLE : *reader->next >> 5;
    if (type != GT_CBOR_ARRAY)
        return gt_read_string(reader, GT_CBOR_BYTES, &record->bytes, "a record is bytes or an array");
    const uint8_t *at = reader->next;
    record->is_receipt = true;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "a receipt is [128, bytes]")) return false;
    if (count != 2 || !gt_read_of(reader, GT_CBOR_UINT, &count, "a receipt is [128, bytes]")) {
        return reader->status != GOAT_OK ? false : gt_refuse(reader, at, "a receipt is [128, bytes]");
    }
    if (count != 128) return gt_refuse(reader, at, "a receipt is [128, bytes]");
    return gt_read_string(reader, GT_CBOR_BYTES, &record->bytes, "a receipt is [128, bytes]");
}

static bool read_data(gt_reader *reader, gt_arena *arena, gt_message *message) {
    enum { FLAGS = GT_DATA_ACK | GT_DATA_ANSWER | GT_DATA_WANTED | GT_DATA_END };
    uint64_t count;
    if (!read_u32(reader, FLAGS, &message->as.data.flags, "DATA has flags up to 15")) return false;
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "records are an array")) return false;
    if (count > GT_SYNC_RECORDS_MAX) return gt_refuse_large(reader, at, "more records than a DATA may have");
    message->as.data.count = (uint32_t)count;
    message->as.data.records = gt_arena_new(arena, (size_t)count + 1, sizeof(gt_data_record));
    if (message->as.data.records == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_record(reader, &message->as.data.records[i])) return false;
    }
    return true;
}

static bool read_filter(gt_reader *reader, gt_bloom_part *filter) {
    const uint8_t *at = reader->next;
    uint64_t count;
    *filter = (gt_bloom_part){0};
    if (is_null(reader)) return true;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "a filter is an array of four, or null")) return false;
    if (count != 4) return gt_refuse(reader, at, "a filter is an array of four, or null");
    if (!gt_read_bytes(reader, GT_SYNC_SALT_SIZE, &filter->salt, "a salt is 16 bytes")) return false;
    at = reader->next;
    if (!read_u64(reader, UINT64_C(8) * GT_SYNC_FILTER_MAX, &filter->bits, "a filter is at most 8 MiB")) return false;
    if (filter->bits == 0 || filter->bits % 64 != 0) return gt_refuse(reader, at, "a filter has a multiple of 64 bits");
    at = reader->next;
    if (!read_u32(reader, GT_SYNC_HASHES_MAX, &filter->hashes, "a filter has 1 to 32 hashes")) return false;
    if (filter->hashes == 0) return gt_refuse(reader, at, "a filter has 1 to 32 hashes");
    at = reader->next;
    if (!gt_read_string(reader, GT_CBOR_BYTES, &filter->bytes, "a filter's bits are bytes")) return false;
    return filter->bytes.len == filter->bits / 8 || gt_refuse(reader, at, "a filter has as many bits as it says");
}

static bool read_compare(gt_reader *reader, gt_message *message) {
    return read_u32(reader, INT32_MAX, &message->as.compare.run, "a run is a number") &&
           read_u32(reader, GT_STEP_OVER, &message->as.compare.step, "a step is 0 to 3") &&
           read_u64(reader, INT64_MAX, &message->as.compare.count, "a count is a number") &&
           gt_read_bytes(reader, GT_HASH_SIZE, &message->as.compare.digest, "a digest is 32 bytes") &&
           read_filter(reader, &message->as.compare.filter);
}

static bool read_ack(gt_reader *reader, gt_message *message) {
    uint32_t level = 0;
    bool good = read_u32(reader, GOAT_DURABLE_SERVER, &level, "a level is 0 to 3") &&
                read_ids(reader, GT_SYNC_ACK_MAX, &message->as.ack.ids, "ACK names 1 to 1,024 batches");
    message->as.ack.level = (goat_durability)level;
    return good;
}

static bool read_repos(gt_reader *reader, gt_arena *arena, gt_message *message) {
    const uint8_t *at = reader->next;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "paths are an array")) return false;
    if (count > GT_SYNC_REPOS_MAX) return gt_refuse_large(reader, at, "more paths than a REPOS may have");
    message->as.repos.count = (uint32_t)count;
    message->as.repos.paths = gt_arena_new(arena, (size_t)count + 1, sizeof(gt_bytes));
    if (message->as.repos.paths == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_path(reader, &message->as.repos.paths[i])) return false;
    }
    return read_bool(reader, &message->as.repos.more, "whether there are more is true or false");
}

static bool read_refuse(gt_reader *reader, gt_message *message) {
    const uint8_t *batch = NULL;
    bool good = gt_read_bytes(reader, GT_ID_SIZE, &batch, "a batch id is 32 bytes") &&
                read_why(reader, &message->as.refuse.status, &message->as.refuse.text);
    message->as.refuse.batch = (const gt_id *)(const void *)batch;
    return good;
}

/* ---- the message ---- */

/* How many elements a kind has behind its number, and whether the first is a channel (of which REFUSE alone may name 0). */
static const struct {
    uint8_t elements;
    bool on_channel;
} forms[] = {
    [GT_MESSAGE_HELLO] = {9, false}, [GT_MESSAGE_PROOF] = {1, false},   [GT_MESSAGE_OPEN] = {5, true},
    [GT_MESSAGE_OPENED] = {4, true}, [GT_MESSAGE_CLOSE] = {3, true},    [GT_MESSAGE_DATA] = {3, true},
    [GT_MESSAGE_ACK] = {3, true},    [GT_MESSAGE_POINT] = {3, true},    [GT_MESSAGE_COMPARE] = {6, true},
    [GT_MESSAGE_WANT] = {2, true},   [GT_MESSAGE_CREDIT] = {1, false},  [GT_MESSAGE_LIST] = {0, false},
    [GT_MESSAGE_REPOS] = {2, false}, [GT_MESSAGE_CERTIFY] = {0, false}, [GT_MESSAGE_AGAIN] = {1, true},
    [GT_MESSAGE_BYE] = {2, false},   [GT_MESSAGE_REFUSE] = {4, true},   [GT_MESSAGE_LOST] = {2, true},
};
enum { KINDS = sizeof(forms) / sizeof(forms[0]) };

static bool read_contents(gt_reader *reader, gt_arena *arena, gt_message *message) {
    switch (message->kind) {
    case GT_MESSAGE_HELLO: return read_hello(reader, &message->as.hello);
    case GT_MESSAGE_PROOF:
        return gt_read_bytes(reader, GT_SIGNATURE_SIZE, &message->as.proof.signature, "a signature is 64 bytes");
    case GT_MESSAGE_OPEN: return read_open(reader, message);
    case GT_MESSAGE_OPENED: return read_opened(reader, message);
    case GT_MESSAGE_DATA: return read_data(reader, arena, message);
    case GT_MESSAGE_ACK: return read_ack(reader, message);
    case GT_MESSAGE_POINT:
        return read_u64(reader, INT64_MAX, &message->as.point.behind, "a number of records") &&
               read_point(reader, &message->as.point.point);
    case GT_MESSAGE_COMPARE: return read_compare(reader, message);
    case GT_MESSAGE_WANT: return read_ids(reader, GT_SYNC_WANT_MAX, &message->as.want.ids, "WANT names 1 to 256 ids");
    case GT_MESSAGE_LOST: return read_ids(reader, GT_SYNC_WANT_MAX, &message->as.lost.ids, "LOST names 1 to 256 ids");
    case GT_MESSAGE_CREDIT:
        return read_u64(reader, GT_SYNC_WINDOW_MAX, &message->as.credit.bytes, "credit is at most 256 MiB");
    case GT_MESSAGE_REPOS: return read_repos(reader, arena, message);
    case GT_MESSAGE_CLOSE:
    case GT_MESSAGE_BYE: return read_why(reader, &message->as.close.status, &message->as.close.text);
    case GT_MESSAGE_REFUSE: return read_refuse(reader, message);
    default: return true; /* LIST, CERTIFY, AGAIN */
    }
}

/* A kind of a later version: its elements are passed over. */
static bool skip(gt_reader *reader, uint64_t elements) {
    bool plain = true; /* not asked for */
    for (uint64_t i = 1; i < elements; i++) {
        if (!gt_read_item(reader, GOAT_VALUE_DEPTH_MAX, false, &plain)) return false;
    }
    return true;
}

static bool read_message(gt_reader *reader, gt_arena *arena, gt_message *message, bool *skipped) {
    uint64_t elements, kind;
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &elements, "a message is an array")) return false;
    if (elements == 0) return gt_refuse(reader, at, "a message begins with its kind");
    at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &kind, "a message begins with its kind")) return false;
    *skipped = kind >= GT_MESSAGE_SKIP_FROM;
    if (*skipped) return skip(reader, elements);
    if (kind >= KINDS) return gt_refuse(reader, at, "a message of an unknown kind");
    message->kind = (gt_message_kind)kind;
    if (elements != 1u + forms[kind].elements)
        return gt_refuse(reader, at, "a message with the wrong number of elements");
    if (forms[kind].on_channel) {
        at = reader->next;
        if (!read_u32(reader, GT_SYNC_CHANNELS_MAX, &message->channel, "a channel is 1 to 1,024")) return false;
        if (message->channel == 0 && kind != GT_MESSAGE_REFUSE) return gt_refuse(reader, at, "a channel is 1 to 1,024");
    }
    return read_contents(reader, arena, message);
}

goat_status gt_message_read(gt_bytes *packet, gt_arena *arena, gt_message *message, gt_diag *diag) {
    gt_reader reader = {
        .begin = packet->data, .next = packet->data, .end = gt_bytes_end(*packet), .what = "a message", .diag = diag};
    bool skipped = false;
    *message = (gt_message){0};
    if (!read_message(&reader, arena, message, &skipped)) return reader.status;
    message->bytes = gt_bytes_of(packet->data, (size_t)(reader.next - packet->data));
    *packet = gt_bytes_of(reader.next, gt_reader_left(&reader));
    return skipped ? GOAT_NOT_FOUND : GOAT_OK;
}
