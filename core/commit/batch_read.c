/* Decoding a frame (FORMAT.md section 7): structure, limits, and every rule that needs no hash. A view goes
 * the same way; it leaves out what read.h and fields.c leave out, and the table for gt_batch_hash. */
#include "commit/batch.h"

#include "commit/groups.h"
#include "commit/read.h"
#include "commit/tree.h"
#include "value/value.h"

enum { FRAME_FORMAT = 1, FRAME_PARTS = 11, SIZE_AT = 7, PRUNED_PARTS = 3, ELIDED_PARTS = 3 };

/* The head and salt of a leaf, and two empty maps: so few nodes fit in a frame, and so large an array is
 * made for them before they are looked at. */
enum { NODE_SIZE_MIN = 1 + GT_SALT_SIZE + 2 };

static bool read_format(gt_reader *reader) {
    const uint8_t *at = reader->next;
    uint64_t parts, format;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &parts, "it is not an array") ||
        !gt_read_of(reader, GT_CBOR_UINT, &format, "it does not begin with a number")) {
        return false;
    }
    if (format > FRAME_FORMAT) {
        reader->status = gt_fail_at(reader->diag, GOAT_NEWER_FORMAT, 0, "a batch of format %llu is newer than this library",
                                    (unsigned long long)format);
        return false;
    }
    if (format != FRAME_FORMAT || parts != FRAME_PARTS) {
        return gt_refuse(reader, at, "it is not an array of 11 that begins with 1");
    }
    return true;
}

/* An id or null. */
static bool read_id_or_null(gt_reader *reader, const gt_id **id, const char *words) {
    const uint8_t *bytes = NULL;
    if (gt_reader_left(reader) > 0 && *reader->next == GT_CBOR_NULL) {
        reader->next++;
    } else if (!gt_read_bytes(reader, GT_ID_SIZE, &bytes, words)) {
        return false;
    }
    *id = (const gt_id *)(const void *)bytes;
    return true;
}

/* A chain may be judged in part from one link: only its first batch has no predecessor, and where `skip`
 * stands follows from the number alone. */
static bool read_chain(gt_reader *reader, gt_batch *batch) {
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &batch->seq, "seq is not a number")) {
        return false;
    }
    if (batch->seq == 0 || batch->seq > INT64_MAX) {
        return gt_refuse(reader, at, "seq is not 1 to 2^63 - 1");
    }
    at = reader->next;
    if (!gt_read_ids(reader, 0, GT_PREV_MAX, &batch->prev, "prev is not at most 16 ids")) {
        return false;
    }
    if ((batch->seq == 1) != (batch->prev.count == 0)) {
        return gt_refuse(reader, at, "prev is empty in the first batch of a session, and only there");
    }
    at = reader->next;
    if (!read_id_or_null(reader, &batch->skip, "skip is neither an id nor null")) {
        return false;
    }
    bool odd = (batch->seq & 1) != 0, lands_on_zero = (batch->seq & (batch->seq - 1)) == 0;
    if ((batch->skip == NULL) != (odd || lands_on_zero)) {
        return gt_refuse(reader, at, "skip is null for odd numbers and powers of two, and only there");
    }
    return true;
}

static bool read_shape(gt_reader *reader, gt_batch *batch) {
    const uint8_t *at = reader->next;
    uint64_t size;
    bool plain = true;
    if (!gt_read_item(reader, 2, false, &plain)) {
        return false;
    }
    batch->groups = gt_bytes_of(at, (size_t)(reader->next - at));
    at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &batch->flags, "flags are not a number")) {
        return false;
    }
    if (batch->flags != 0) {
        return gt_refuse(reader, at, "flags that this version does not know");
    }
    at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &size, "size is not a number")) {
        return false;
    }
    if (size == 0) {
        return gt_refuse(reader, at, "it has no leaves");
    }
    if (size > GOAT_BATCH_MAX) {
        return gt_refuse_large(reader, at, "more than 65536 leaves");
    }
    batch->size = (uint32_t)size;
    return true;
}

static bool read_leaf(gt_reader *reader, gt_node *node) {
    const uint8_t *at = reader->next;
    gt_bytes string;
    if (!gt_read_string(reader, GT_CBOR_BYTES, &string, "a leaf is not bytes")) {
        return false;
    }
    if (string.len < GT_SALT_SIZE) {
        return gt_refuse(reader, at, "a leaf is shorter than its salt");
    }
    node->kind = GT_NODE_LEAF;
    node->count = 1;
    node->salt = string.data;
    node->bytes = gt_bytes_behind(string, GT_SALT_SIZE);
    gt_reader inner = *reader;
    inner.next = node->bytes.data;
    inner.end = gt_bytes_end(node->bytes);
    bool good = gt_read_commit(&inner, false, &node->commit);
    reader->status = inner.status;
    return good;
}

/* Behind the 2: the hash of the payload, and the header. */
static bool read_pruned(gt_reader *reader, gt_node *node) {
    const uint8_t *inner_hash;
    gt_bytes header;
    if (!gt_read_bytes(reader, GT_ID_SIZE, &inner_hash, "a pruned leaf's hash is not 32 bytes") ||
        !gt_read_string(reader, GT_CBOR_BYTES, &header, "a pruned leaf's header is not bytes")) {
        return false;
    }
    node->count = 1;
    node->inner = (const gt_id *)(const void *)inner_hash;
    gt_reader inner = *reader;
    inner.next = header.data;
    inner.end = gt_bytes_end(header);
    bool good = gt_read_commit(&inner, true, &node->commit);
    reader->status = inner.status;
    return good;
}

static bool read_elided(gt_reader *reader, gt_node *node) {
    const uint8_t *at = reader->next;
    const uint8_t *hash;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_UINT, &count, "the size of a subtree is not a number")) {
        return false;
    }
    if (count == 0 || count > GOAT_BATCH_MAX) {
        return gt_refuse(reader, at, "a subtree that is no node of the tree");
    }
    if (!gt_read_bytes(reader, GT_ID_SIZE, &hash, "the hash of a subtree is not 32 bytes")) {
        return false;
    }
    node->count = (uint32_t)count;
    memcpy(node->hash.bytes, hash, GT_ID_SIZE);
    return true;
}

static bool read_node(gt_reader *reader, gt_node *node) {
    const uint8_t *at = reader->next;
    uint64_t parts, reason;
    if (gt_reader_left(reader) > 0 && *at >> 5 == GT_CBOR_BYTES) {
        return read_leaf(reader, node);
    }
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &parts, "a node is neither bytes nor an array") ||
        !gt_read_of(reader, GT_CBOR_UINT, &reason, "a node does not begin with a number")) {
        return false;
    }
    if (reason > GT_NODE_REFUSED) {
        return gt_refuse(reader, at, "a reason for leaving out that this version does not know");
    }
    if (parts != (reason == GT_NODE_PRUNED ? PRUNED_PARTS : ELIDED_PARTS)) {
        return gt_refuse(reader, at, "a node does not have three parts");
    }
    node->kind = (gt_node_kind)reason;
    return reason == GT_NODE_PRUNED ? read_pruned(reader, node) : read_elided(reader, node);
}

/* A node that is in its place: a node of the tree, and not the half of an elision that could be whole. */
static bool place_node(gt_reader *reader, const uint8_t *at, const gt_batch *batch, uint32_t index) {
    gt_node *node = &batch->nodes[index];
    const gt_node *last = index > 0 ? node - 1 : NULL;
    node->first = last == NULL ? 0 : last->first + last->count;
    if (!gt_tree_has(batch->size, node->first, node->count)) {
        return gt_refuse(reader, at, "a node that is none of the tree's");
    }
    bool same = last != NULL && last->kind == node->kind && node->kind != GT_NODE_LEAF && node->kind != GT_NODE_PRUNED;
    if (same && gt_tree_siblings(batch->size, last->first, last->count, node->count)) {
        return gt_refuse(reader, at, "two siblings are left out for one reason and not as one");
    }
    return true;
}

static bool read_nodes(gt_reader *reader, gt_arena *arena, gt_batch *batch) {
    const uint8_t *begin = reader->next;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "nodes are not an array")) {
        return false;
    }
    if (count == 0 || count > batch->size || count > gt_reader_left(reader) / NODE_SIZE_MIN) {
        return gt_refuse(reader, begin, "the number of nodes does not fit the size");
    }
    batch->node_count = (uint32_t)count;
    batch->nodes = gt_arena_new(arena, batch->node_count, sizeof *batch->nodes);
    if (batch->nodes == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    bool whole = true;
    for (uint32_t i = 0; i < batch->node_count; i++) {
        const uint8_t *at = reader->next;
        if (!read_node(reader, &batch->nodes[i]) || !place_node(reader, at, batch, i)) {
            return false;
        }
        whole = whole && batch->nodes[i].kind == GT_NODE_LEAF;
    }
    const gt_node *last = &batch->nodes[batch->node_count - 1];
    if (last->first + last->count != batch->size) {
        return gt_refuse(reader, begin, "nodes do not cover all leaves");
    }
    if (whole != (batch->given_root == NULL)) {
        return gt_refuse(reader, begin, "the root is null if every node is a leaf, and only then");
    }
    return true;
}

/* FORMAT.md 7.5: who asks for a leaf of a group gets all of it that there is. */
static bool check_groups(gt_reader *reader, gt_arena *arena, const gt_batch *batch) {
    bool unasked = false;
    for (uint32_t i = 0; i < batch->node_count; i++) {
        unasked = unasked || batch->nodes[i].kind == GT_NODE_UNASKED;
    }
    if (!unasked || batch->leaf_groups == NULL || reader->viewing) {
        return true;
    }
    uint8_t *kinds = gt_arena_new(arena, batch->size, 1);
    if (kinds == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    for (uint32_t i = 0; i < batch->node_count; i++) {
        memset(kinds + batch->nodes[i].first, (int)batch->nodes[i].kind, batch->nodes[i].count);
    }
    return !gt_groups_torn(batch, kinds) || gt_refuse(reader, batch->groups.data, "a group is there in part");
}

static bool make_lookup(gt_reader *reader, gt_arena *arena, gt_batch *batch) {
    if (reader->viewing) {
        return true;
    }
    while ((uint64_t)1 << batch->lookup_bits < 2 * (uint64_t)batch->node_count) {
        batch->lookup_bits++;
    }
    batch->lookup = gt_arena_new(arena, (size_t)1 << batch->lookup_bits, sizeof *batch->lookup);
    if (batch->lookup == NULL) {
        reader->status = gt_no_memory(reader->diag);
        return false;
    }
    return true;
}

static bool read_frame(gt_reader *reader, gt_arena *arena, gt_batch *batch) {
    const uint8_t *session;
    if (!read_format(reader) || !gt_read_bytes(reader, GT_ID_SIZE, &session, "the session is not 32 bytes")) {
        return false;
    }
    memcpy(batch->session.bytes, session, GT_ID_SIZE);
    if (!read_chain(reader, batch) || !read_shape(reader, batch) || !gt_groups_number(reader, arena, batch) ||
        !read_id_or_null(reader, &batch->given_root, "the root is neither 32 bytes nor null") ||
        !gt_read_bytes(reader, GT_SIGNATURE_SIZE, &batch->signature, "the signature is not 64 bytes") ||
        !read_nodes(reader, arena, batch)) {
        return false;
    }
    if (reader->next != reader->end) {
        return gt_refuse(reader, reader->next, "more bytes follow it");
    }
    return check_groups(reader, arena, batch) && make_lookup(reader, arena, batch);
}

static goat_status read_batch(gt_bytes frame, bool viewing, gt_arena *arena, gt_batch *batch, gt_diag *diag) {
    gt_reader reader = {.begin = frame.data,
                        .next = frame.data,
                        .end = gt_bytes_end(frame),
                        .what = "a batch",
                        .viewing = viewing,
                        .diag = diag};
    memset(batch, 0, sizeof *batch);
    batch->frame = frame;
    if (frame.len > GT_FRAME_MAX) {
        return gt_fail_at(diag, GOAT_TOO_LARGE, GT_FRAME_MAX, "a batch of more than 64 MiB");
    }
    read_frame(&reader, arena, batch);
    return reader.status;
}

goat_status gt_batch_decode(gt_bytes frame, gt_arena *arena, gt_batch *batch, gt_diag *diag) {
    return read_batch(frame, false, arena, batch, diag);
}

goat_status gt_batch_view(gt_bytes frame, gt_arena *arena, gt_batch *batch, gt_diag *diag) {
    return read_batch(frame, true, arena, batch, diag);
}

uint32_t gt_batch_peek_size(gt_bytes frame) {
    gt_iter parts = gt_array_iter(frame);
    gt_bytes part = {0};
    int64_t size = 0;
    if (parts.left != FRAME_PARTS) return 0;
    for (int i = 0; i <= SIZE_AT; i++) {
        if (!gt_array_next(&parts, &part)) return 0;
    }
    return gt_value_as_int64(part, &size) && size > 0 && size <= UINT32_MAX ? (uint32_t)size : 0;
}
