/* The certified public keys of a network, by session id, and the role in which each is certified. */
#include "base/index.h"
#include "base/utf8.h"
#include "trust/trust.h"
#include "value/build.h"
#include "value/value.h"

#include <string.h>

typedef struct entry {
    gt_id session;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_role role;
    int64_t expires_ms; /* INT64_MAX: never */
} entry;

struct gt_keyring {
    const gt_alloc *alloc;
    entry *entries;
    size_t count, capacity;
    gt_index index;   /* session → entry */
    uint32_t learned; /* certificates that said something new */
};

gt_keyring *gt_keyring_new(const gt_alloc *alloc) {
    gt_keyring *keyring = gt_new(alloc, 1, sizeof(*keyring));
    if (keyring == NULL) return NULL;
    keyring->alloc = alloc;
    gt_index_init(&keyring->index, alloc);
    return keyring;
}

void gt_keyring_free(gt_keyring *keyring) {
    if (keyring == NULL) return;
    gt_index_free(&keyring->index);
    gt_free(keyring->alloc, keyring->entries);
    gt_free(keyring->alloc, keyring);
}

/* Ids are hashes already. Whoever wants many that collide has to make keys until they do, and to have each certified. */
static uint64_t hash_of(const gt_id *session) { return gt_get_u64(session->bytes); }

static entry *find(const gt_keyring *keyring, const gt_id *session) {
    gt_index_cursor cursor;
    uint32_t at = gt_index_first(&keyring->index, hash_of(session), &cursor);
    while (at != GT_INDEX_NONE && gt_id_compare(&keyring->entries[at].session, session) != 0) {
        at = gt_index_next(&keyring->index, &cursor);
    }
    return at == GT_INDEX_NONE ? NULL : &keyring->entries[at];
}

const uint8_t *gt_keyring_find(const gt_keyring *keyring, const gt_id *session) {
    const entry *found = find(keyring, session);
    return found != NULL ? found->public_key : NULL;
}

gt_role gt_keyring_role(const gt_keyring *keyring, const gt_id *session) {
    const entry *found = find(keyring, session);
    return found != NULL ? found->role : GT_ROLE_NONE;
}

int64_t gt_keyring_expires_ms(const gt_keyring *keyring, const gt_id *session) {
    const entry *found = find(keyring, session);
    return found != NULL ? found->expires_ms : INT64_MAX;
}

uint32_t gt_keyring_count(const gt_keyring *keyring) { return keyring->learned; }

/* The state's data is NULL where a commit is sealed: then there is no key. */
static gt_bytes public_key_of(gt_bytes state) {
    gt_bytes key = {0}, value = {0};
    if (state.data != NULL) value = gt_map_find(state, gt_bytes_text("public_key"));
    if (value.data != NULL) gt_value_as_bytes(value, &key);
    return key;
}

static gt_role role_of(gt_bytes state) {
    static const struct {
        const char *name;
        gt_role role;
    } roles[] = {
        {"root", GT_ROLE_ROOT}, {"server", GT_ROLE_SERVER}, {"user", GT_ROLE_USER}, {"anonymous", GT_ROLE_ANONYMOUS}};
    gt_bytes text = {0}, value = gt_map_find(state, gt_bytes_text("role"));
    if (value.data == NULL || !gt_value_as_text(value, &text)) return GT_ROLE_NONE;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (gt_bytes_equal(text, gt_bytes_text(roles[i].name))) return roles[i].role;
    }
    return GT_ROLE_NONE;
}

int64_t gt_certificate_expires_ms(gt_bytes state) {
    int64_t ms;
    gt_bytes value = gt_map_find(state, gt_bytes_text("expires"));
    return value.data != NULL && gt_value_as_date_ms(value, &ms) ? ms : INT64_MAX;
}

/* A session id is the hash of the key, so a certificate cannot give a session another key. */
static bool is_key_of(gt_hasher *hasher, gt_bytes public_key, const gt_id *session) {
    gt_id id;
    if (public_key.data == NULL || public_key.len != GT_PUBLIC_KEY_SIZE) return false;
    gt_hash(hasher, public_key.data, public_key.len, id.bytes);
    return gt_id_compare(&id, session) == 0;
}

goat_status gt_keyring_learn(gt_keyring *keyring, gt_hasher *hasher, gt_bytes key, gt_bytes state, gt_diag *diag) {
    gt_id session;
    char name[2 * GT_ID_SIZE + 1];
    gt_bytes public_key = public_key_of(state);
    bool named = gt_unhex(session.bytes, GT_ID_SIZE, (const char *)key.data, key.len);
    if (named) gt_certificate_key(&session, name);
    /* In capital letters it would be a second item for the same session. */
    if (!named || memcmp(name, key.data, key.len) != 0 || !is_key_of(hasher, public_key, &session)) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the certificate is not of the session that it names");
    }
    gt_role role = role_of(state);
    int64_t expires_ms = gt_certificate_expires_ms(state);
    entry *known = find(keyring, &session);
    if (known != NULL) {
        keyring->learned += known->role != role || known->expires_ms != expires_ms;
        known->role = role;
        known->expires_ms = expires_ms;
        return GOAT_OK;
    }
    if (!gt_reserve(keyring->alloc, (void **)(void *)&keyring->entries, keyring->count, &keyring->capacity,
                    sizeof(*keyring->entries)) ||
        !gt_index_insert(&keyring->index, hash_of(&session), (uint32_t)keyring->count)) {
        return gt_no_memory(diag);
    }
    entry *added = &keyring->entries[keyring->count++];
    *added = (entry){.session = session, .role = role, .expires_ms = expires_ms};
    memcpy(added->public_key, public_key.data, GT_PUBLIC_KEY_SIZE);
    keyring->learned++;
    return GOAT_OK;
}

goat_status gt_trust_root_key(const gt_keyring *keyring, gt_hasher *hasher, const gt_id *network, const gt_batch *batch,
                              uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag) {
    if (gt_id_compare(&batch->session, network) != 0) {
        return gt_fail(diag, GOAT_UNTRUSTED, "only the root key signs certificates");
    }
    const uint8_t *known = gt_keyring_find(keyring, network);
    if (known != NULL) {
        memcpy(public_key, known, GT_PUBLIC_KEY_SIZE);
        return GOAT_OK;
    }
    for (uint32_t i = 0; i < batch->node_count; i++) {
        if (batch->nodes[i].kind != GT_NODE_LEAF) continue;
        gt_bytes key = public_key_of(batch->nodes[i].commit.delta);
        if (!is_key_of(hasher, key, network)) continue;
        memcpy(public_key, key.data, GT_PUBLIC_KEY_SIZE);
        return GOAT_OK;
    }
    return gt_fail(diag, GOAT_UNTRUSTED, "the network's root key is not known here");
}

void gt_certificate_write(const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const char *role, gt_buf *delta) {
    gt_write_map_head(delta, 2); /* keys in their order: the shorter first */
    gt_write_text(delta, gt_bytes_text("role"));
    gt_write_text(delta, gt_bytes_text(role));
    gt_write_text(delta, gt_bytes_text("public_key"));
    gt_write_bytes(delta, gt_bytes_of(public_key, GT_PUBLIC_KEY_SIZE));
}

void gt_certificate_key(const gt_id *session, char key[2 * GT_ID_SIZE + 1]) { gt_hex(key, session->bytes, GT_ID_SIZE); }
