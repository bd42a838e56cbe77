/* Decoding a receipt (FORMAT.md section 9): structure, limits, and every rule that needs no hash. */
#include "commit/read.h"
#include "commit/receipt.h"
#include "commit/tree.h"

enum { RECEIPT_FORMAT = 1, RECEIPT_PARTS = 8, LEAF_PARTS = 3, ELIDED_PARTS = 2, REFUSED_PARTS = 3 };

/* A subtree that is left out is the shortest node: so few nodes fit, and so large an array is made for them before
 * they are looked at. */
enum { NODE_SIZE_MIN = 1 + 1 + 2 + GT_ID_SIZE };

_Static_assert((int)GT_RECEIPT_LEAVES_MAX <= (int)GOAT_BATCH_MAX, "gt_tree takes so many");

static bool read_format(gt_reader *reader) {
    const uint8_t *at = reader->next;
    uint64_t parts, format;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &parts, "it is not an array") ||
        !gt_read_of(reader, GT_CBOR_UINT, &format, "it does not begin with a number")) {
        return false;
    }
    if (format > RECEIPT_FORMAT) {
        reader->status = gt_fail_at(reader->diag, GOAT_NEWER_FORMAT, 0,
                                    "a receipt of format %llu is newer than this library", (unsigned long long)format);
        return false;
    }
    if (format != RECEIPT_FORMAT || parts != RECEIPT_PARTS) {
        return gt_refuse(reader, at, "it is not an array of 8 that begins with 1");
    }
    return true;
}

static bool read_number(gt_reader *reader, uint64_t *number, const char *words) {
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, number, words)) return false;
    return *number <= INT64_MAX || gt_refuse(reader, at, words);
}

static bool read_previous(gt_reader *reader, const gt_id **previous) {
    const uint8_t *bytes = NULL;
    if (gt_reader_left(reader) > 0 && *reader->next == GT_CBOR_NULL) {
        reader->next++;
    } else if (!gt_read_bytes(reader, GT_ID_SIZE, &bytes, "the receipt before it is neither an id nor null")) {
        return false;
    }
    *previous = (const gt_id *)(const void *)bytes;
    return true;
}

/* ---- leaves ---- */

/* Runs of leaf indexes, ascending and not touching each other. */
static bool read_runs(gt_reader *reader, gt_receipt_node *node) {
    const uint8_t *begin = reader->next;
    uint64_t numbers, first, count, end = 0;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &numbers, "what was admitted is neither true nor an array")) return false;
    if (numbers % 2 != 0) return gt_refuse(reader, begin, "what was admitted is not pairs of numbers");
    for (uint64_t i = 0; i < numbers; i += 2) {
        const uint8_t *at = reader->next;
        if (!gt_read_of(reader, GT_CBOR_UINT, &first, "what was admitted is not numbers") ||
            !gt_read_of(reader, GT_CBOR_UINT, &count, "what was admitted is not numbers")) {
            return false;
        }
        if (count == 0 || first >= GOAT_BATCH_MAX || count > GOAT_BATCH_MAX - first) {
            return gt_refuse(reader, at, "it names leaves that no batch has");
        }
        if (i > 0 && first <= end) return gt_refuse(reader, at, "runs are not ascending or touch each other");
        end = first + count;
        node->entries += (uint32_t)count;
    }
    node->admitted = gt_bytes_of(begin, (size_t)(reader->next - begin));
    return true;
}

/* Leaves that were refused, ascending; none of them was admitted too. */
static bool read_refused(gt_reader *reader, gt_receipt_node *node) {
    const uint8_t *begin = reader->next;
    const uint8_t *id;
    uint64_t count, parts, index, reason, next = 0;
    size_t at_run = 0;
    gt_run run = {0};
    bool has_run = !node->admits_all && gt_receipt_run(node, &at_run, &run);
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "what was refused is not an array")) return false;
    if (node->admits_all && count > 0) return gt_refuse(reader, begin, "all was admitted, and something refused");
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = reader->next;
        if (!gt_read_of(reader, GT_CBOR_ARRAY, &parts, "a refused leaf is not an array") ||
            !gt_read_of(reader, GT_CBOR_UINT, &index, "a refused leaf does not begin with a number") ||
            !gt_read_bytes(reader, GT_ID_SIZE, &id, "a refused commit is not named by its id") ||
            !gt_read_of(reader, GT_CBOR_UINT, &reason, "the reason of a refusal is not a number")) {
            return false;
        }
        if (parts != REFUSED_PARTS) return gt_refuse(reader, at, "a refused leaf does not have three parts");
        if (index < next || index >= GOAT_BATCH_MAX) return gt_refuse(reader, at, "refused leaves are not ascending");
        if (reason > INT32_MAX) return gt_refuse(reader, at, "the reason of a refusal is too large");
        while (has_run && run.first + run.count <= index) has_run = gt_receipt_run(node, &at_run, &run);
        if (has_run && index >= run.first) return gt_refuse(reader, at, "a leaf was admitted and refused");
        next = index + 1;
    }
    node->refused = gt_bytes_of(begin, (size_t)(reader->next - begin));
    return true;
}

static bool read_leaf(gt_reader *reader, const uint8_t *at, gt_receipt_node *node) {
    const uint8_t *id;
    if (!gt_read_bytes(reader, GT_ID_SIZE, &id, "a leaf does not begin with the id of a batch")) return false;
    node->batch = (const gt_id *)(const void *)id;
    node->count = 1;
    if (gt_reader_left(reader) > 0 && *reader->next == GT_CBOR_TRUE) {
        node->admits_all = true;
        reader->next++;
    } else if (!read_runs(reader, node)) {
        return false;
    }
    if (!read_refused(reader, node)) return false;
    node->bytes = gt_bytes_of(at, (size_t)(reader->next - at));
    return true;
}

static bool read_elided(gt_reader *reader, gt_receipt_node *node) {
    const uint8_t *at = reader->next;
    const uint8_t *hash;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_UINT, &count, "the size of a subtree is not a number")) return false;
    if (count == 0) return gt_refuse(reader, at, "a subtree without leaves");
    if (count > GT_RECEIPT_LEAVES_MAX) return gt_refuse_large(reader, at, "more than 4096 leaves");
    if (!gt_read_bytes(reader, GT_ID_SIZE, &hash, "the hash of a subtree is not 32 bytes")) return false;
    node->count = (uint32_t)count;
    memcpy(node->hash.bytes, hash, GT_ID_SIZE);
    return true;
}

static bool read_node(gt_reader *reader, gt_receipt_node *node) {
    const uint8_t *at = reader->next;
    uint64_t parts;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &parts, "a leaf is not an array")) return false;
    if (parts == LEAF_PARTS) return read_leaf(reader, at, node);
    if (parts == ELIDED_PARTS) return read_elided(reader, node);
    return gt_refuse(reader, at, "a leaf has neither two parts nor three");
}

/* ---- the whole ---- */

/* How many leaves there are is known only behind the last, and with it which nodes the tree has. */
static bool place_nodes(gt_reader *reader, const uint8_t *at, const gt_receipt *receipt) {
    for (uint32_t i = 0; i < receipt->node_count; i++) {
        const gt_receipt_node *node = &receipt->nodes[i], *last = node - 1;
        if (!gt_tree_has(receipt->size, node->first, node->count)) {
            return gt_refuse(reader, at, "a subtree that is none of the tree's");
        }
        bool both = i > 0 && last->bytes.data == NULL && node->bytes.data == NULL;
        if (both && gt_tree_siblings(receipt->size, last->first, last->count, node->count)) {
            return gt_refuse(reader, at, "two siblings are left out and not as one");
        }
    }
    return true;
}

static bool read_nodes(gt_reader *reader, gt_arena *arena, gt_receipt *receipt) {
    const uint8_t *begin = reader->next;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "leaves are not an array")) return false;
    if (count == 0) return gt_refuse(reader, begin, "it has no leaves");
    if (count > GT_RECEIPT_LEAVES_MAX) return gt_refuse_large(reader, begin, "more than 4096 leaves");
    if (count > gt_reader_left(reader) / NODE_SIZE_MIN) return gt_refuse(reader, begin, "it is cut short");
    receipt->node_count = (uint32_t)count;
    receipt->nodes = gt_arena_new(arena, receipt->node_count, sizeof(*receipt->nodes));
    if (receipt->nodes == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    for (uint32_t i = 0; i < receipt->node_count; i++) {
        gt_receipt_node *node = &receipt->nodes[i];
        node->first = receipt->size;
        if (!read_node(reader, node)) return false;
        receipt->size += node->count;
        if (receipt->size > GT_RECEIPT_LEAVES_MAX) return gt_refuse_large(reader, begin, "more than 4096 leaves");
    }
    return place_nodes(reader, begin, receipt);
}

static bool read_receipt(gt_reader *reader, gt_arena *arena, gt_receipt *receipt) {
    const uint8_t *session, *log_id;
    if (!read_format(reader) || !gt_read_bytes(reader, GT_ID_SIZE, &session, "the session is not 32 bytes") ||
        !gt_read_bytes(reader, GT_LOG_ID_SIZE, &log_id, "the log's identity is not 16 bytes")) {
        return false;
    }
    memcpy(receipt->session.bytes, session, GT_ID_SIZE);
    memcpy(receipt->log_id, log_id, GT_LOG_ID_SIZE);
    if (!read_previous(reader, &receipt->previous) ||
        !read_number(reader, &receipt->time_ms, "the time is not a number below 2^63") ||
        !read_number(reader, &receipt->first, "the first entry is not a number below 2^63") ||
        !gt_read_bytes(reader, GT_SIGNATURE_SIZE, &receipt->signature, "the signature is not 64 bytes") ||
        !read_nodes(reader, arena, receipt)) {
        return false;
    }
    return reader->next == reader->end || gt_refuse(reader, reader->next, "more bytes follow it");
}

goat_status gt_receipt_decode(gt_bytes bytes, gt_arena *arena, gt_receipt *receipt, gt_diag *diag) {
    gt_reader reader = {
        .begin = bytes.data, .next = bytes.data, .end = gt_bytes_end(bytes), .what = "a receipt", .diag = diag};
    memset(receipt, 0, sizeof(*receipt));
    receipt->bytes = bytes;
    if (bytes.len > GT_RECEIPT_MAX) {
        return gt_fail_at(diag, GOAT_TOO_LARGE, GT_RECEIPT_MAX, "a receipt of more than 16 MiB");
    }
    read_receipt(&reader, arena, receipt);
    return reader.status;
}

/* The runs have been read once, so reading them does not fail. */
bool gt_receipt_run(const gt_receipt_node *leaf, size_t *at, gt_run *run) {
    gt_bytes runs = leaf->admitted;
    if (runs.data == NULL) return false;
    gt_reader reader = {.begin = runs.data, .next = runs.data + *at, .end = gt_bytes_end(runs), .what = "a receipt"};
    uint64_t numbers, first, count;
    if (*at == 0 && !gt_read_of(&reader, GT_CBOR_ARRAY, &numbers, "")) return false;
    if (reader.next == reader.end || !gt_read_of(&reader, GT_CBOR_UINT, &first, "") ||
        !gt_read_of(&reader, GT_CBOR_UINT, &count, "")) {
        return false;
    }
    *run = (gt_run){(uint32_t)first, (uint32_t)count};
    *at = (size_t)(reader.next - runs.data);
    return true;
}
