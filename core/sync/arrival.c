/* A received packet on its way in: what can be found out about it without holding the database up.
 *
 * Read, then (with the lock, shortly) told which repository and which key each record is for, then hashed and verified.
 * Nothing here changes anything but the arrival. */
#include "sync/internal.h"

/* ---- reading ---- */

static void set_verdict(gt_arrival *arrival, gt_arrived *record, gt_verdict verdict, const gt_diag *diag) {
    record->verdict = verdict;
    if (diag != NULL && record->diag == NULL) {
        gt_diag *words = gt_arena_new(&arrival->arena, 1, sizeof(*words));
        if (words != NULL) *words = *diag;
        record->diag = words;
    }
}

static goat_status decode_record(gt_arrival *arrival, const gt_data_record *from, gt_arrived *record) {
    gt_diag diag;
    goat_status status;
    gt_diag_init(&diag);
    if (from->is_receipt) {
        record->receipt = gt_arena_new(&arrival->arena, 1, sizeof(*record->receipt));
        status = record->receipt == NULL ? GOAT_NO_MEMORY
                                         : gt_receipt_decode(from->bytes, &arrival->arena, record->receipt, &diag);
    } else {
        record->batch = gt_arena_new(&arrival->arena, 1, sizeof(*record->batch));
        status = record->batch == NULL ? GOAT_NO_MEMORY
                                       : gt_batch_decode(from->bytes, &arrival->arena, record->batch, &diag);
    }
    if (status == GOAT_NO_MEMORY) set_verdict(arrival, record, GT_VERDICT_TROUBLE, NULL);
    if (status == GOAT_OK || status == GOAT_NO_MEMORY) return GOAT_OK;
    arrival->diag = diag;
    return arrival->diag.status = GOAT_UNTRUSTED; /* no honest peer sends this */
}

/* Small messages and records take far more memory than they have bytes: so messages are counted, and what is behind a
 * record that cannot be decoded, or beyond the credit, is not looked at. */
static goat_status read_message(gt_arrival *arrival, gt_bytes *rest, gt_arrived_message ***end) {
    gt_message message;
    if (++arrival->message_count > GT_SYNC_MESSAGES_MAX) {
        return gt_fail(&arrival->diag, GOAT_TOO_LARGE, "a packet of more than %d messages", GT_SYNC_MESSAGES_MAX);
    }
    goat_status status = gt_message_read(rest, &arrival->arena, &message, &arrival->diag);
    if (status == GOAT_NOT_FOUND) {
        gt_diag_init(&arrival->diag);
        return GOAT_OK; /* a kind of a later version, which may be passed over */
    }
    if (status != GOAT_OK) return status;
    gt_arrived_message *arrived = gt_arena_new(&arrival->arena, 1, sizeof(*arrived));
    if (arrived == NULL) return gt_no_memory(&arrival->diag);
    arrived->message = message;
    arrived->arrival = arrival;
    **end = arrived;
    *end = &arrived->next;
    if (arrived->message.kind != GT_MESSAGE_DATA) return GOAT_OK;
    if (arrival->data <= 0) return gt_fail(&arrival->diag, GOAT_INVALID, "data beyond the credit that was given");
    arrival->data -= (int64_t)message.bytes.len;
    uint32_t count = arrived->message.as.data.count;
    arrived->records = gt_arena_new(&arrival->arena, (size_t)count + 1, sizeof(*arrived->records));
    if (arrived->records == NULL) return gt_no_memory(&arrival->diag);
    for (uint32_t i = 0; status == GOAT_OK && i < count; i++) {
        status = decode_record(arrival, &arrived->message.as.data.records[i], &arrived->records[i]);
    }
    return status;
}

gt_arrival_limits gt_sync_limits(const gt_sync *sync) {
    if (sync == NULL || sync->phase == GT_PHASE_ENDED) return (gt_arrival_limits){0, 0};
    if (sync->phase != GT_PHASE_GREETED) return (gt_arrival_limits){GT_SYNC_PACKET_MAX_BEFORE_PROOF, 0};
    return (gt_arrival_limits){GT_SYNC_PACKET_MAX, sync->granted};
}

goat_status gt_arrival_new(const gt_alloc *alloc, gt_bytes packet, const gt_arrival_limits *limits, gt_arrival **out,
                           gt_diag *diag) {
    gt_arrival *arrival = gt_new(alloc, 1, sizeof(*arrival));
    *out = arrival;
    if (arrival == NULL) return gt_no_memory(diag);
    arrival->alloc = alloc;
    arrival->packet = packet;
    gt_arena_init(&arrival->arena, alloc);
    gt_diag_init(&arrival->diag);
    if (packet.len == 0) arrival->status = gt_fail(&arrival->diag, GOAT_INVALID, "an empty packet");
    arrival->data = limits->data;
    if (packet.len > limits->packet) {
        arrival->status = gt_fail(&arrival->diag, GOAT_TOO_LARGE,
                                  "a packet of %zu bytes, and no more than %zu may come", packet.len, limits->packet);
    }
    gt_arrived_message **end = &arrival->first;
    while (arrival->status == GOAT_OK && packet.len > 0) arrival->status = read_message(arrival, &packet, &end);
    return GOAT_OK;
}

void gt_arrival_free(gt_arrival *arrival) {
    if (arrival == NULL) return;
    gt_arena_free(&arrival->arena);
    gt_free(arrival->alloc, arrival);
}

/* ---- whose, and where to ---- */

/* The key of whoever is said to have signed it. A peer's own key is known from the handshake. */
static bool find_key(const gt_sync *sync, const gt_id *session, gt_arrived *record) {
    const uint8_t *key = gt_keyring_find(sync->host.keyring, session);
    if (key == NULL && sync->peer.greeted && gt_id_compare(session, &sync->peer.session) == 0)
        key = sync->peer.public_key;
    if (key == NULL && gt_id_compare(session, &sync->host.identity->session) == 0)
        key = sync->host.identity->public_key;
    if (key == NULL) return false;
    memcpy(record->public_key, key, GT_PUBLIC_KEY_SIZE);
    return true;
}

static void resolve_batch(gt_sync *sync, gt_arrival *arrival, const gt_place *place, gt_arrived *record) {
    gt_diag diag;
    gt_diag_init(&diag);
    const gt_id *session = &record->batch->session;
    bool sessions = gt_bytes_equal(place->repository, gt_bytes_text(GT_SESSIONS_PATH));
    if (sessions) { /* the root's key is known before its certificate: several batches may come in the first packet */
        record->has_key = gt_id_compare(session, &sync->network) == 0;
        if (record->has_key) {
            const uint8_t *key = sync->role == GT_SYNC_CLIENT ? sync->peer.root_key : sync->host.root_key;
            memcpy(record->public_key, key, GT_PUBLIC_KEY_SIZE);
        } else {
            gt_fail(&diag, GOAT_UNTRUSTED, "only the root key signs certificates");
            record->diag = arrival->words;
            set_verdict(arrival, record, GT_VERDICT_MAY_NOT, &diag);
            arrival->words = record->diag;
        }
        return;
    }
    record->has_key = find_key(sync, session, record);
    if (!record->has_key) set_verdict(arrival, record, GT_VERDICT_UNKNOWN, NULL);
}

static void resolve_receipt(gt_sync *sync, gt_arrival *arrival, gt_arrived *record) {
    const gt_id *session = &record->receipt->session;
    gt_role role = gt_keyring_role(sync->host.keyring, session);
    record->has_key = find_key(sync, session, record);
    bool serves = role == GT_ROLE_ROOT || role == GT_ROLE_SERVER;
    if (!record->has_key || role == GT_ROLE_NONE) {
        set_verdict(arrival, record, GT_VERDICT_UNKNOWN, NULL);
    } else if (!serves) {
        set_verdict(arrival, record, GT_VERDICT_MAY_NOT, NULL);
    }
}

void gt_sync_resolve(gt_sync *sync, gt_arrival *arrival) {
    if (sync->phase != GT_PHASE_GREETED || arrival->status != GOAT_OK) return;
    for (gt_arrived_message *arrived = arrival->first; arrived != NULL; arrived = arrived->next) {
        if (arrived->message.kind != GT_MESSAGE_DATA) continue;
        const gt_channel *channel = gt_sync_find_channel(sync, arrived->message.channel);
        /* OPENED may stand before it in this packet. */
        if (channel == NULL || (channel->state != GT_CHANNEL_OPEN && channel->state != GT_CHANNEL_ASKED)) continue;
        uint8_t *path = gt_arena_copy(&arrival->arena, channel->path, channel->path_len);
        arrived->place = (gt_place){.network = sync->network, .repository = gt_bytes_of(path, channel->path_len)};
        for (uint32_t i = 0; i < arrived->message.as.data.count; i++) {
            gt_arrived *record = &arrived->records[i];
            if (path == NULL) set_verdict(arrival, record, GT_VERDICT_TROUBLE, NULL);
            if (record->verdict != GT_VERDICT_NONE) continue;
            if (record->batch != NULL) resolve_batch(sync, arrival, &arrived->place, record);
            if (record->receipt != NULL) resolve_receipt(sync, arrival, record);
        }
    }
}

/* ---- hashes and signatures ---- */

/* False: it is forged, and the connection ends by it. */
static bool check_record(gt_arrival *arrival, const gt_place *place, gt_hasher *hasher, gt_arrived *record) {
    gt_diag diag;
    goat_status status = GOAT_OK;
    gt_diag_init(&diag);
    bool unknown =
        record->verdict == GT_VERDICT_UNKNOWN && record->batch != NULL; /* its id is remembered all the same */
    if (record->verdict != GT_VERDICT_NONE && record->verdict != GT_VERDICT_MAY_NOT && !unknown) return true;
    if (record->batch != NULL) {
        status = gt_batch_hash(hasher, place, record->batch, &diag);
        if (status == GOAT_OK && record->has_key) {
            status = gt_batch_verify(place, record->batch, record->public_key, arrival->alloc, &diag);
        }
    } else {
        gt_receipt_hash(hasher, place, record->receipt);
        if (record->has_key) {
            status = gt_receipt_verify(place, record->receipt, record->public_key, arrival->alloc, &diag);
        }
    }
    if (status == GOAT_NO_MEMORY) {
        set_verdict(arrival, record, GT_VERDICT_TROUBLE, NULL);
    } else if (status != GOAT_OK) {
        record->diag = NULL;
        set_verdict(arrival, record, GT_VERDICT_FORGED, &diag);
    } else if (record->verdict == GT_VERDICT_NONE) {
        record->verdict = GT_VERDICT_GOOD;
    }
    return record->verdict != GT_VERDICT_FORGED;
}

void gt_arrival_check(gt_arrival *arrival, gt_hasher *hasher) {
    if (arrival->status != GOAT_OK) return;
    for (gt_arrived_message *arrived = arrival->first; arrived != NULL; arrived = arrived->next) {
        if (arrived->message.kind != GT_MESSAGE_DATA || arrived->place.repository.data == NULL) continue;
        for (uint32_t i = 0; i < arrived->message.as.data.count; i++) {
            if (!check_record(arrival, &arrived->place, hasher, &arrived->records[i])) return;
        }
    }
}

/* A certificate may stand before it in the same packet. */
void gt_arrived_check_late(gt_sync *sync, const gt_arrived_message *arrived, gt_arrived *record) {
    const gt_id *session = record->batch != NULL ? &record->batch->session : &record->receipt->session;
    if (record->verdict != GT_VERDICT_UNKNOWN || gt_keyring_find(sync->host.keyring, session) == NULL) return;
    record->verdict = GT_VERDICT_NONE;
    if (record->batch != NULL) {
        resolve_batch(sync, arrived->arrival, &arrived->place, record);
    } else {
        resolve_receipt(sync, arrived->arrival, record);
    }
    check_record(arrived->arrival, &arrived->place, sync->host.hasher, record);
}
