/* Certificates: the root signs them into /sys/sessions, and a server shows its own. */
#include "db/internal.h"

#include "db/links.h"

bool gt_is_server(const gt_database *database) {
    gt_role role = gt_keyring_role(database->keyring, &database->own.session);
    return role == GT_ROLE_SERVER || role == GT_ROLE_ROOT;
}

/* ---- signing them ---- */

goat_status gt_add_certificate(gt_database *database, gt_capture *capture, const gt_signer *root, const gt_id *session,
                               const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const char *role, gt_diag *diag) {
    char key[2 * GT_ID_SIZE + 1];
    gt_buf delta;
    gt_buf_init(&delta, database->alloc);
    gt_certificate_key(session, key);
    gt_certificate_write(public_key, role, &delta);
    gt_leaf leaf = {
        .key = gt_bytes_text(key),
        .schema = gt_registry_find(database->schemas, gt_bytes_text(GT_SESSION_NS), 1),
        .delta = gt_buf_bytes(&delta),
    };
    goat_status status = gt_buf_failed(&delta) ? gt_no_memory(diag) : gt_capture_add(capture, root, &leaf, NULL, diag);
    gt_buf_free(&delta);
    return status;
}

goat_status gt_certify_anonymous(gt_database *database, const uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag) {
    gt_capture *capture = NULL;
    gt_id session;
    gt_hash(database->hasher, public_key, GT_PUBLIC_KEY_SIZE, session.bytes);
    if (gt_keyring_find(database->keyring, &session) != NULL) return GOAT_OK;
    if (!database->has_root) return gt_fail(diag, GOAT_FORBIDDEN, "this server does not hold the root key");
    if ((database->flags & GOAT_OPEN_READ_ONLY) != 0) {
        return gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    }
    uint64_t now_us = gt_database_now_us(database);
    if (!gt_allowance_take(&database->certifying, GT_CERTIFIED_AT_ONCE_MAX, GT_CERTIFIED_EACH_US, now_us)) {
        return gt_fail(diag, GOAT_BUSY, "too many ask to be certified at once");
    }
    const gt_signer root = {database->root.session, &database->root.secret};
    goat_status status = gt_capture_begin(database->sessions->mount->repo, &capture, diag);
    if (status != GOAT_OK) return status;
    status = gt_add_certificate(database, capture, &root, &session, public_key, "anonymous", diag);
    if (status == GOAT_OK) return gt_capture_finish(capture, &root, GT_FROM_SELF, diag);
    gt_capture_drop(capture);
    return status;
}

/* ---- our own ---- */

/* The same batch with all leaves left out but one. */
static goat_status elide_others(gt_database *database, gt_batch *batch, uint32_t leaf, gt_buf *frame) {
    uint8_t *reasons = gt_new(database->alloc, batch->size, 1);
    if (reasons == NULL) return GOAT_NO_MEMORY;
    memset(reasons, GT_NODE_UNASKED, batch->size);
    reasons[leaf] = GT_NODE_LEAF;
    goat_status status = gt_batch_elide(database->hasher, batch, reasons, frame, NULL);
    gt_free(database->alloc, reasons);
    return status;
}

static bool has_leaf(const gt_batch *batch, uint32_t leaf) {
    for (uint32_t i = 0; i < batch->node_count; i++) {
        if (batch->nodes[i].kind == GT_NODE_LEAF && batch->nodes[i].first == leaf) return true;
    }
    return false;
}

static bool write_certificate(gt_database *database, gt_bytes frame, uint32_t leaf) {
    const gt_place place = {.network = database->network, .repository = gt_bytes_text(GT_SESSIONS_PATH)};
    gt_arena arena;
    gt_batch batch;
    gt_arena_init(&arena, database->alloc);
    bool good = gt_batch_view(frame, &arena, &batch, NULL) == GOAT_OK && has_leaf(&batch, leaf) &&
                gt_batch_hash(database->hasher, &place, &batch, NULL) == GOAT_OK &&
                elide_others(database, &batch, leaf, &database->certificate) == GOAT_OK;
    gt_arena_free(&arena);
    if (good && !gt_buf_failed(&database->certificate)) return true;
    gt_buf_free(&database->certificate);
    return false;
}

gt_bytes gt_own_certificate(gt_database *database) {
    char key[2 * GT_ID_SIZE + 1];
    gt_commit_info info;
    gt_mount *mount = database->sessions->mount;
    if (database->certificate.len > 0) return gt_buf_bytes(&database->certificate);
    gt_certificate_key(&database->own.session, key);
    uint32_t item = gt_repo_find(mount->repo, gt_bytes_text(key));
    if (item == GT_NONE || gt_find_in_force(mount, item, &info, NULL) != GOAT_OK || info.commit.delta.data == NULL) {
        return (gt_bytes){0};
    }
    uint32_t record = gt_repo_find_record(mount->repo, &info.batch);
    for (; record != GT_NONE; record = gt_repo_next_record(mount->repo, record)) {
        gt_held held;
        gt_repo_held(mount->repo, record, &held);
        if (held.frame.data != NULL && write_certificate(database, held.frame, info.leaf)) {
            return gt_buf_bytes(&database->certificate);
        }
    }
    return (gt_bytes){0};
}
