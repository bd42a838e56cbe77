/* The handshake (PROTOCOL.md section 3): both sides prove their keys over both nonces, in one round trip.
 *
 * Nothing but HELLO, PROOF and BYE is taken before it is over; a server answers a stranger once and then waits. */
#include "sync/internal.h"
#include "value/value.h"

static goat_status send_hello(gt_sync *sync, gt_bytes certificate, gt_diag *diag) {
    const gt_sync_host *host = &sync->host;
    if (!host->random.fill(host->random.context, sync->nonce, sizeof(sync->nonce))) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    int64_t wall = host->wall_ms(host->context);
    gt_message message = {.kind = GT_MESSAGE_HELLO};
    message.as.hello = (gt_hello){
        .version = GT_SYNC_VERSION,
        .role = (uint32_t)sync->role,
        .network = sync->has_network ? &sync->network : NULL,
        .root_key = sync->role == GT_SYNC_SERVER ? host->root_key : NULL,
        .public_key = host->identity->public_key,
        .nonce = sync->nonce,
        .wall_ms = wall < 0 ? 0 : (uint64_t)wall,
        .window = host->sizes.window,
        .certificate = certificate,
    };
    gt_message_write(&sync->hello, &message);
    gt_buf_append(&sync->out, sync->hello.data, sync->hello.len);
    return gt_buf_failed(&sync->hello) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_handshake_begin(gt_sync *sync, gt_diag *diag) { return send_hello(sync, (gt_bytes){0}, diag); }

/* Writes PROOF with our key; notes what the peer's must sign. `theirs` is the peer's HELLO. */
static goat_status make_proofs(gt_sync *sync, gt_bytes theirs, gt_buf *proof, gt_diag *diag) {
    bool server = sync->role == GT_SYNC_SERVER;
    gt_bytes ours = gt_buf_bytes(&sync->hello);
    gt_bytes client = server ? theirs : ours, answer = server ? ours : theirs;
    uint8_t signature[GT_SIGNATURE_SIZE];
    gt_buf bytes;
    gt_buf_init(&bytes, sync->host.alloc);
    gt_hello_signed_bytes(sync->host.hasher, &sync->network, (uint32_t)sync->role, client, answer, &bytes);
    gt_hello_signed_bytes(sync->host.hasher, &sync->network, server ? 0 : 1, client, answer, &sync->expected);
    bool failed = gt_buf_failed(&bytes) || gt_buf_failed(&sync->expected);
    if (!failed) {
        gt_sign(&sync->host.identity->secret, bytes.data, bytes.len, signature);
        gt_message message = {.kind = GT_MESSAGE_PROOF, .as.proof.signature = signature};
        gt_message_write(proof, &message);
    }
    gt_buf_free(&bytes);
    gt_buf_free(&sync->hello);
    return failed || gt_buf_failed(proof) ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- the server's certificate ---- */

static bool names_server(const gt_sync *sync, const gt_commit *commit) {
    char key[2 * GT_ID_SIZE + 1];
    gt_bytes role, public_key;
    gt_certificate_key(&sync->peer.session, key);
    if (!gt_bytes_equal(commit->key, gt_bytes_text(key)) || commit->delta.data == NULL) return false;
    gt_bytes role_value = gt_map_find(commit->delta, gt_bytes_text("role"));
    gt_bytes key_value = gt_map_find(commit->delta, gt_bytes_text("public_key"));
    if (role_value.data == NULL || !gt_value_as_text(role_value, &role)) return false;
    if (key_value.data == NULL || !gt_value_as_bytes(key_value, &public_key)) return false;
    bool serves = gt_bytes_equal(role, gt_bytes_text("server")) || gt_bytes_equal(role, gt_bytes_text("root"));
    bool holds = gt_certificate_expires_ms(commit->delta) >= sync->host.wall_ms(sync->host.context);
    return serves && holds && gt_bytes_equal(public_key, gt_bytes_of(sync->peer.public_key, GT_PUBLIC_KEY_SIZE));
}

/* Whether the root says, in a batch that it signed, that the peer's key is a server's. */
static goat_status check_certificate(gt_sync *sync, gt_bytes frame, gt_diag *diag) {
    gt_arena arena;
    gt_batch batch;
    bool named = false;
    gt_place place = {.network = sync->network, .repository = gt_bytes_text(GT_SESSIONS_PATH)};
    gt_arena_init(&arena, sync->host.alloc);
    goat_status status = gt_batch_decode(frame, &arena, &batch, diag);
    if (status == GOAT_OK) status = gt_batch_hash(sync->host.hasher, &place, &batch, diag);
    if (status == GOAT_OK && gt_id_compare(&batch.session, &sync->network) != 0) {
        status = gt_fail(diag, GOAT_UNTRUSTED, "the server's certificate is not signed by the root");
    }
    if (status == GOAT_OK) status = gt_batch_verify(&place, &batch, sync->peer.root_key, sync->host.alloc, diag);
    for (uint32_t i = 0; status == GOAT_OK && i < batch.node_count; i++) {
        named = named || (batch.nodes[i].kind == GT_NODE_LEAF && names_server(sync, &batch.nodes[i].commit));
    }
    if (status == GOAT_OK && !named) {
        status =
            gt_fail(diag, GOAT_UNTRUSTED, "the server's certificate is not of the key that it proves, or has ended");
    }
    gt_arena_free(&arena);
    return status;
}

/* A certificate that is shown may be an old one: what this replica knows of the session is in force. */
static goat_status check_role(const gt_sync *sync, gt_diag *diag) {
    const gt_keyring *keyring = sync->host.keyring;
    const gt_id *session = &sync->peer.session;
    if (gt_keyring_find(keyring, session) == NULL) return GOAT_OK;
    gt_role role = gt_keyring_role(keyring, session);
    if (role != GT_ROLE_ROOT && role != GT_ROLE_SERVER) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the server's key is no server's any more");
    }
    if (gt_keyring_expires_ms(keyring, session) >= sync->host.wall_ms(sync->host.context)) return GOAT_OK;
    return gt_fail(diag, GOAT_UNTRUSTED, "the server's certificate has ended");
}

static goat_status check_server(gt_sync *sync, const gt_hello *hello, gt_diag *diag) {
    gt_id root;
    if (hello->network == NULL || hello->root_key == NULL) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the server does not say which network it serves");
    }
    if (sync->has_network && gt_id_compare(&sync->network, hello->network) != 0) {
        return gt_fail(diag, GOAT_UNTRUSTED,
                       "the server is of another network: its root key is not the one known here");
    }
    gt_hash(sync->host.hasher, hello->root_key, GT_PUBLIC_KEY_SIZE, root.bytes);
    if (gt_id_compare(&root, hello->network) != 0) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the server's root key is not that of its network");
    }
    sync->network = sync->peer.network = *hello->network;
    sync->has_network = true;
    memcpy(sync->peer.root_key, hello->root_key, GT_PUBLIC_KEY_SIZE);
    if (gt_id_compare(&sync->peer.session, &sync->network) == 0) return GOAT_OK; /* the root itself */
    if (hello->certificate.data == NULL) return gt_fail(diag, GOAT_UNTRUSTED, "the server shows no certificate");
    goat_status status = check_certificate(sync, hello->certificate, diag);
    return status == GOAT_OK ? check_role(sync, diag) : status;
}

/* ---- what comes ---- */

/* 3.4: half of the time that the answer took has passed since the peer looked at its clock. */
static int64_t clock_difference(const gt_sync *sync, const gt_hello *hello) {
    int64_t wall = sync->host.wall_ms(sync->host.context);
    int64_t theirs = hello->wall_ms > (uint64_t)INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)hello->wall_ms;
    uint64_t passed_us = sync->role == GT_SYNC_CLIENT ? sync->now_us - sync->hello_us : 0;
    return theirs + (int64_t)(passed_us / 2000) - wall;
}

static goat_status answer_client(gt_sync *sync, const gt_message *message, gt_diag *diag) {
    const gt_hello *hello = &message->as.hello;
    if (hello->network != NULL && gt_id_compare(hello->network, &sync->network) != 0) {
        return gt_fail(diag, GOAT_UNTRUSTED,
                       "this server is of another network: its root key is not the one known there");
    }
    goat_status status = send_hello(sync, sync->host.certificate(sync->host.context), diag);
    return status == GOAT_OK ? make_proofs(sync, message->bytes, &sync->out, diag) : status;
}

goat_status gt_handshake_hello(gt_sync *sync, const gt_message *message, gt_diag *diag) {
    const gt_hello *hello = &message->as.hello;
    if (sync->phase != GT_PHASE_HELLO) return gt_fail(diag, GOAT_INVALID, "a second HELLO");
    if (hello->version != GT_SYNC_VERSION) {
        return gt_fail(diag, GOAT_NEWER_FORMAT, "the peer speaks version %llu of the sync protocol, this one speaks %d",
                       (unsigned long long)hello->version, GT_SYNC_VERSION);
    }
    if (hello->role == (uint32_t)sync->role) return gt_fail(diag, GOAT_INVALID, "both sides have the same role");
    memcpy(sync->peer.public_key, hello->public_key, GT_PUBLIC_KEY_SIZE);
    gt_hash(sync->host.hasher, hello->public_key, GT_PUBLIC_KEY_SIZE, sync->peer.session.bytes);
    sync->peer.clock_ms = clock_difference(sync, hello);
    sync->credit = (int64_t)hello->window;
    sync->phase = GT_PHASE_PROOF;
    if (sync->role == GT_SYNC_SERVER) return answer_client(sync, message, diag);
    goat_status status = check_server(sync, hello, diag);
    /* Our own proof goes out behind the check of the server's; it is made now, while its HELLO is here. */
    return status == GOAT_OK ? make_proofs(sync, message->bytes, &sync->proof, diag) : status;
}

static void greet_server(gt_sync *sync) {
    int64_t shift = sync->peer.clock_ms;
    gt_buf_append(&sync->out, sync->proof.data, sync->proof.len);
    if (shift > GT_SYNC_CLOCK_SHIFT_MAX_MS) shift = GT_SYNC_CLOCK_SHIFT_MAX_MS;
    if (shift < -GT_SYNC_CLOCK_SHIFT_MAX_MS) shift = -GT_SYNC_CLOCK_SHIFT_MAX_MS;
    if (shift > -GT_SYNC_CLOCK_SHIFT_MIN_MS && shift < GT_SYNC_CLOCK_SHIFT_MIN_MS) shift = 0;
    if (sync->host.shift_clock != NULL) sync->host.shift_clock(sync->host.context, shift);
}

goat_status gt_handshake_proof(gt_sync *sync, const gt_message *message, gt_diag *diag) {
    if (sync->phase != GT_PHASE_PROOF) return gt_fail(diag, GOAT_INVALID, "a PROOF out of place");
    if (!gt_verify(sync->peer.public_key, sync->expected.data, sync->expected.len, message->as.proof.signature)) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the peer does not hold the key that it names");
    }
    sync->phase = GT_PHASE_GREETED;
    sync->peer.greeted = true;
    if (sync->role == GT_SYNC_CLIENT) greet_server(sync);
    gt_buf_free(&sync->proof);
    gt_buf_free(&sync->expected);
    gt_sync_event_of(sync, GT_SYNC_GREETED, NULL, NULL);
    gt_sync_due(sync);
    return GOAT_OK;
}
