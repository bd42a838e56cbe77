/* Writing one commit. The caller keeps the rules of FORMAT.md section 2 (a capture does, by construction);
 * here are the order of keys and the heads. The length is known beforehand, because a leaf stands behind
 * a head that tells it. */
#include "commit/commit_write.h"

#include "base/assert.h"
#include "commit/read.h"

static size_t string_len(gt_bytes string) { return gt_head_len(string.len) + string.len; }

static size_t ids_len(uint32_t count) {
    return count == 0 ? 0 : 1 + gt_head_len(count) + (size_t)count * (2 + GT_ID_SIZE);
}

static size_t header_len(const gt_commit_draft *draft) {
    size_t schema = 1 + string_len(draft->ns) + gt_head_len(draft->version) + 1 + GT_SCHEMA_HASH_SIZE;
    return 1 + 1 + string_len(draft->key) + ids_len(draft->parent_count) + 1 + gt_head_len(draft->time) + 1 + schema +
           ids_len(draft->revert_count);
}

static size_t payload_len(const gt_commit_draft *draft) {
    if (draft->sealed.data != NULL) {
        return 1 + 1 + draft->sealed.len;
    }
    size_t len = 1 + 1 + draft->delta.len;
    len += draft->full.data != NULL ? 1 + draft->full.len : 0;
    len += draft->message.data != NULL ? 1 + string_len(draft->message) : 0;
    return len;
}

void gt_commit_lens(const gt_commit_draft *draft, size_t *header, size_t *payload) {
    *header = header_len(draft);
    *payload = payload_len(draft);
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t len) {
    if (len > 0) {
        memcpy(p, bytes, len);
    }
    return p + len;
}

static uint8_t *put_head(uint8_t *p, unsigned major, uint64_t argument) { return p + gt_put_head(p, major, argument); }

static uint8_t *put_text(uint8_t *p, gt_bytes text) {
    return put(put_head(p, GT_CBOR_TEXT, text.len), text.data, text.len);
}

/* Key and array; nothing where there are none. */
static uint8_t *put_ids(uint8_t *p, uint64_t key, const gt_id *ids, uint32_t count) {
    if (count == 0) {
        return p;
    }
    p = put_head(p, GT_CBOR_UINT, key);
    p = put_head(p, GT_CBOR_ARRAY, count);
    for (uint32_t i = 0; i < count; i++) {
        GOAT_ASSERT(i == 0 || gt_id_compare(&ids[i - 1], &ids[i]) < 0);
        p = put(put_head(p, GT_CBOR_BYTES, GT_ID_SIZE), ids[i].bytes, GT_ID_SIZE);
    }
    return p;
}

static uint8_t *put_header(uint8_t *p, const gt_commit_draft *draft) {
    p = put_head(p, GT_CBOR_MAP, 3u + (draft->parent_count > 0) + (draft->revert_count > 0));
    p = put_text(put_head(p, GT_CBOR_UINT, 0), draft->key);
    p = put_ids(p, 1, draft->parents, draft->parent_count);
    p = put_head(put_head(p, GT_CBOR_UINT, 2), GT_CBOR_UINT, draft->time);
    p = put_head(put_head(p, GT_CBOR_UINT, 3), GT_CBOR_ARRAY, 3);
    p = put_text(p, draft->ns);
    p = put_head(p, GT_CBOR_UINT, draft->version);
    p = put(put_head(p, GT_CBOR_BYTES, GT_SCHEMA_HASH_SIZE), draft->schema_hash, GT_SCHEMA_HASH_SIZE);
    return put_ids(p, 4, draft->reverts, draft->revert_count);
}

static uint8_t *put_payload(uint8_t *p, const gt_commit_draft *draft) {
    if (draft->sealed.data != NULL) {
        p = put_head(put_head(p, GT_CBOR_MAP, 1), GT_CBOR_UINT, 3);
        return put(p, draft->sealed.data, draft->sealed.len);
    }
    p = put_head(p, GT_CBOR_MAP, 1u + (draft->full.data != NULL) + (draft->message.data != NULL));
    p = put(put_head(p, GT_CBOR_UINT, 0), draft->delta.data, draft->delta.len);
    if (draft->full.data != NULL) {
        p = put(put_head(p, GT_CBOR_UINT, 1), draft->full.data, draft->full.len);
    }
    return draft->message.data != NULL ? put_text(put_head(p, GT_CBOR_UINT, 2), draft->message) : p;
}

void gt_commit_put(uint8_t *p, const gt_commit_draft *draft) {
    const uint8_t *begin = p;
    p = put_header(p, draft);
    GOAT_ASSERT((size_t)(p - begin) == header_len(draft));
    begin = p;
    p = put_payload(p, draft);
    GOAT_ASSERT((size_t)(p - begin) == payload_len(draft));
}

void gt_commit_encode(gt_buf *out, const gt_commit_draft *draft) {
    size_t len = header_len(draft) + payload_len(draft);
    uint8_t *p = gt_buf_reserve(out, len);
    if (p != NULL) {
        gt_commit_put(p, draft);
        out->len += len;
    }
}
