/* Reading one commit (FORMAT.md section 2). Keys stand in ascending order, each at most once; each is
 * read by a function of its own. A view goes the same way with the costly checks left out, so there is
 * one place that knows where everything lies. */
#include "commit/commit.h"

#include "base/utf8.h"
#include "commit/read.h"
#include "value/path.h"

enum { KEY_ITEM, KEY_PARENTS, KEY_TIME, KEY_SCHEMA, KEY_REVERTS, HEADER_KEYS };
enum { KEY_DELTA, KEY_FULL, KEY_MESSAGE, KEY_SEALED, PAYLOAD_KEYS };

enum { SEALED_KEY_SIZE = 8 }; /* which key it is sealed under */

static bool read_item_key(gt_reader *reader, gt_commit *commit) {
    const uint8_t *at = reader->next;
    size_t wrong = 0;
    if (!gt_read_string(reader, GT_CBOR_TEXT, &commit->key, "the item key is not a text")) {
        return false;
    }
    if (commit->key.len > GOAT_KEY_MAX) {
        return gt_refuse_large(reader, at, "the item's key is longer than 512 bytes");
    }
    const char *fault = reader->viewing ? NULL : gt_key_fault(commit->key, &wrong);
    return fault == NULL || gt_refuse(reader, commit->key.data + wrong, fault);
}

static bool is_namespace(gt_bytes ns) {
    for (size_t i = 0; i < ns.len; i++) {
        uint8_t byte = ns.data[i];
        if (!((byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
              byte == '.' || byte == '_' || byte == '-')) {
            return false;
        }
    }
    return ns.len > 0;
}

static bool read_schema(gt_reader *reader, gt_commit *commit) {
    const uint8_t *at = reader->next;
    const uint8_t *hash;
    uint64_t count, version;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "the schema is not an array")) {
        return false;
    }
    if (count != 3) {
        return gt_refuse(reader, at, "the schema is not namespace, version and hash");
    }
    at = reader->next;
    if (!gt_read_string(reader, GT_CBOR_TEXT, &commit->ns, "a namespace is not a text")) {
        return false;
    }
    if (commit->ns.len > GOAT_NAME_MAX) {
        return gt_refuse_large(reader, at, "a namespace is longer than 64 bytes");
    }
    if (!is_namespace(commit->ns)) {
        return gt_refuse(reader, at, "a namespace consists of A-Z a-z 0-9 . _ -");
    }
    at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &version, "a schema's version is not a number")) {
        return false;
    }
    if (version == 0 || version > UINT32_MAX) {
        return gt_refuse(reader, at, "a schema's version is not 1 to 4294967295");
    }
    commit->version = (uint32_t)version;
    if (!gt_read_bytes(reader, GT_SCHEMA_HASH_SIZE, &hash, "a schema's hash is not 8 bytes")) {
        return false;
    }
    commit->schema_hash = gt_bytes_of(hash, GT_SCHEMA_HASH_SIZE);
    return true;
}

static bool read_time(gt_reader *reader, gt_commit *commit) {
    const uint8_t *at = reader->next;
    if (!gt_read_of(reader, GT_CBOR_UINT, &commit->time, "the time is not a number")) {
        return false;
    }
    return commit->time <= GT_TIME_MAX || gt_refuse(reader, at, "a time of 2^63 or more");
}

static bool read_message(gt_reader *reader, gt_commit *commit) {
    const uint8_t *at = reader->next;
    size_t wrong = 0;
    if (!gt_read_string(reader, GT_CBOR_TEXT, &commit->message, "the message is not a text")) {
        return false;
    }
    if (commit->message.len > GT_MESSAGE_MAX) {
        return gt_refuse_large(reader, at, "a message of more than 4096 bytes");
    }
    return reader->viewing || gt_utf8_valid(commit->message.data, commit->message.len, &wrong) ||
           gt_refuse(reader, commit->message.data + wrong, "the message is not UTF-8");
}

static bool read_sealed(gt_reader *reader, gt_commit *commit) {
    const uint8_t *at = reader->next;
    const uint8_t *key_id;
    gt_bytes ciphertext;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, "what is sealed is not an array")) {
        return false;
    }
    if (count != 2) {
        return gt_refuse(reader, at, "what is sealed is not a key id and bytes");
    }
    if (!gt_read_bytes(reader, SEALED_KEY_SIZE, &key_id, "a key id is not 8 bytes") ||
        !gt_read_string(reader, GT_CBOR_BYTES, &ciphertext, "what is sealed is not bytes")) {
        return false;
    }
    commit->sealed = gt_bytes_of(at, (size_t)(reader->next - at));
    return true;
}

static bool read_header_key(gt_reader *reader, uint64_t key, gt_commit *commit) {
    switch (key) {
    case KEY_ITEM: return read_item_key(reader, commit);
    case KEY_PARENTS: return gt_read_ids(reader, 1, GT_PARENTS_MAX, &commit->parents, "parents are not 1 to 1024 ids");
    case KEY_TIME: return read_time(reader, commit);
    case KEY_SCHEMA: return read_schema(reader, commit);
    default: return gt_read_ids(reader, 1, GT_REVERTS_MAX, &commit->reverts, "reverts are not 1 to 65536 ids");
    }
}

static bool read_payload_key(gt_reader *reader, uint64_t key, gt_commit *commit) {
    bool plain;
    switch (key) {
    case KEY_DELTA: return gt_read_fields(reader, false, &commit->delta, &commit->delta_is_state);
    case KEY_FULL: return gt_read_fields(reader, true, &commit->full, &plain);
    case KEY_MESSAGE: return read_message(reader, commit);
    default: return read_sealed(reader, commit);
    }
}

/* Reads a map whose keys are numbers below `key_count`, each value by `read_key`. `*seen` gets a bit for each key. */
static bool read_map(gt_reader *reader, unsigned key_count, gt_commit *commit, gt_bytes *map, unsigned *seen,
                     bool (*read_key)(gt_reader *, uint64_t, gt_commit *)) {
    const uint8_t *begin = reader->next;
    uint64_t count, key;
    *seen = 0;
    if (!gt_read_of(reader, GT_CBOR_MAP, &count, "its parts are not maps")) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = reader->next;
        if (!gt_read_of(reader, GT_CBOR_UINT, &key, "a key is not a number")) {
            return false;
        }
        if (key >= key_count) {
            return gt_refuse(reader, at, "a key that this version does not know");
        }
        if (*seen >> key != 0) {
            return gt_refuse(reader, at, "keys are not ascending");
        }
        *seen |= 1u << key;
        if (!read_key(reader, key, commit)) {
            return false;
        }
    }
    *map = gt_bytes_of(begin, (size_t)(reader->next - begin));
    return true;
}

static bool read_header(gt_reader *reader, gt_commit *commit) {
    const uint8_t *begin = reader->next;
    const unsigned required = 1u << KEY_ITEM | 1u << KEY_TIME | 1u << KEY_SCHEMA;
    unsigned seen;
    if (!read_map(reader, HEADER_KEYS, commit, &commit->header, &seen, read_header_key)) {
        return false;
    }
    if ((seen & required) != required) {
        return gt_refuse(reader, begin, "item key, time or schema is missing");
    }
    if (commit->reverts.count > 0 && commit->parents.count == 0) { /* what it reverts are its ancestors */
        return gt_refuse(reader, begin, "it reverts without having parents");
    }
    return true;
}

static bool read_payload(gt_reader *reader, gt_commit *commit) {
    const uint8_t *begin = reader->next;
    const unsigned sealed = 1u << KEY_SEALED;
    unsigned seen;
    if (!read_map(reader, PAYLOAD_KEYS, commit, &commit->payload, &seen, read_payload_key)) {
        return false;
    }
    if ((seen & sealed) != 0 && seen != sealed) {
        return gt_refuse(reader, begin, "it is sealed and open at once");
    }
    if (seen != sealed && (seen & 1u << KEY_DELTA) == 0) {
        return gt_refuse(reader, begin, "the delta is missing");
    }
    if (commit->full.data != NULL && commit->parents.count == 0) {
        return gt_refuse(reader, begin, "a full state without parents");
    }
    return true;
}

bool gt_read_commit(gt_reader *reader, bool pruned, gt_commit *commit) {
    memset(commit, 0, sizeof *commit);
    if (!read_header(reader, commit) || (!pruned && !read_payload(reader, commit))) {
        return false;
    }
    return reader->next == reader->end || gt_refuse(reader, reader->next, "more bytes follow it");
}

static gt_reader reader_of(gt_bytes bytes, gt_diag *diag) {
    return (gt_reader){
        .begin = bytes.data, .next = bytes.data, .end = gt_bytes_end(bytes), .what = "a commit", .diag = diag};
}

goat_status gt_commit_decode(gt_bytes bytes, gt_commit *commit, gt_diag *diag) {
    gt_reader reader = reader_of(bytes, diag);
    gt_read_commit(&reader, false, commit);
    return reader.status;
}

goat_status gt_commit_decode_header(gt_bytes header, gt_commit *commit, gt_diag *diag) {
    gt_reader reader = reader_of(header, diag);
    gt_read_commit(&reader, true, commit);
    return reader.status;
}

bool gt_commit_view(gt_bytes bytes, gt_commit *commit) {
    gt_reader reader = reader_of(bytes, NULL);
    reader.viewing = true;
    memset(commit, 0, sizeof *commit);
    bool good = read_header(&reader, commit) && (reader.next == reader.end || read_payload(&reader, commit)) &&
                reader.next == reader.end;
    if (!good) {
        memset(commit, 0, sizeof *commit);
    }
    return good;
}

void gt_commit_inner(gt_hasher *hasher, const uint8_t *salt, gt_bytes payload, gt_id *inner) {
    uint8_t front[1 + GT_SALT_SIZE] = {0x02};
    memcpy(front + 1, salt, GT_SALT_SIZE);
    const gt_bytes pieces[] = {gt_bytes_of(front, sizeof front), payload};
    gt_hash_pieces(hasher, pieces, 2, inner->bytes);
}

void gt_commit_id(gt_hasher *hasher, const gt_id *session, const gt_id *inner, gt_bytes header, gt_id *id) {
    uint8_t front[1 + 2 * GT_ID_SIZE] = {0x00};
    memcpy(front + 1, session->bytes, GT_ID_SIZE);
    memcpy(front + 1 + GT_ID_SIZE, inner->bytes, GT_ID_SIZE);
    const gt_bytes pieces[] = {gt_bytes_of(front, sizeof front), header};
    gt_hash_pieces(hasher, pieces, 2, id->bytes);
}
