/* Asking a stranger who he is: a handshake without a database, with a key that is thrown away. What the answer proves is
 * the server's key and the root's certificate for it; whether it is the right network is for the caller to say. */
#define _GNU_SOURCE
#include "net/net.h"

#include "net/loop.h"

#include <sys/random.h>
#include <time.h>

typedef struct probe {
    const gt_alloc *alloc;
    gt_mutex mutex; /* of what follows up to the blank line */
    gt_condition condition;
    bool done;
    goat_status status;
    gt_diag diag;
    gt_sync_peer peer;

    gt_hasher *hasher;
    gt_keyring *keyring;
    gt_identity identity;
    gt_connection *connection;
    gt_sync *sync;
} probe;

static void finish(probe *self, goat_status status, const gt_diag *why) {
    gt_mutex_lock(&self->mutex);
    if (!self->done) {
        self->done = true;
        self->status = status;
        if (status == GOAT_OK) {
            self->peer = *gt_sync_get_peer(self->sync);
        } else {
            self->diag = *why;
        }
        gt_condition_wake_all(&self->condition);
    }
    gt_mutex_unlock(&self->mutex);
}

/* ---- what sync asks of a database, of which there is none ---- */

static bool fill_random(void *context, uint8_t *bytes, size_t len) {
    (void)context;
    return getrandom(bytes, len, 0) == (ssize_t)len;
}

static int64_t wall_ms(void *context) {
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static goat_status open_nothing(void *context, gt_bytes path, bool create, gt_shared **shared, gt_diag *diag) {
    (void)context;
    (void)path;
    (void)create;
    *shared = NULL;
    return gt_fail(diag, GOAT_NOT_FOUND, "there is no repository here");
}

static void close_nothing(void *context, gt_shared *shared) {
    (void)context;
    (void)shared;
}

static gt_bytes no_certificate(void *context) {
    (void)context;
    return (gt_bytes){0};
}

static bool recall_nothing(void *context, gt_shared *shared, const gt_id *peer, gt_remembered *remembered) {
    (void)context;
    (void)shared;
    (void)peer;
    (void)remembered;
    return false;
}

static void shift_nothing(void *context, int64_t shift_ms) {
    (void)context;
    (void)shift_ms;
}

static void ready(void *context) { gt_connection_ready(((probe *)context)->connection); }

static void event(void *context, const gt_sync_event *event) {
    probe *self = context;
    if (event->kind == GT_SYNC_GREETED) finish(self, GOAT_OK, NULL);
}

/* ---- the carrier ---- */

static goat_status carrier_begin(void *context, gt_connection *connection, void **carried, gt_diag *diag) {
    probe *self = context;
    gt_sync_host host = {
        .context = self,
        .alloc = self->alloc,
        .hasher = self->hasher,
        .random = {sizeof(goat_random), NULL, fill_random},
        .identity = &self->identity,
        .keyring = self->keyring,
        .wall_ms = wall_ms,
        .open = open_nothing,
        .close = close_nothing,
        .certificate = no_certificate,
        .recall = recall_nothing,
        .shift_clock = shift_nothing,
        .ready = ready,
        .event = event,
    };
    self->connection = connection;
    *carried = self;
    return gt_sync_new(&host, GT_SYNC_CLIENT, gt_net_now_us(), &self->sync, diag);
}

static goat_status carrier_receive(void *carried, gt_bytes packet, gt_hasher *hasher, gt_diag *diag) {
    probe *self = carried;
    gt_arrival *arrival = NULL;
    const gt_arrival_limits limits = gt_sync_limits(self->sync);
    goat_status status = gt_arrival_new(self->alloc, packet, &limits, &arrival, diag);
    if (status != GOAT_OK) return status;
    gt_sync_resolve(self->sync, arrival);
    gt_arrival_check(arrival, hasher);
    status = gt_sync_receive(self->sync, arrival, gt_net_now_us(), diag);
    gt_arrival_free(arrival);
    if (status == GOAT_OK && gt_sync_get_peer(self->sync)->greeted) gt_sync_end(self->sync);
    return status;
}

static bool carrier_send(void *carried, gt_buf *packet) {
    return gt_sync_send(((probe *)carried)->sync, gt_net_now_us(), packet);
}

static uint64_t carrier_wait_us(void *carried) {
    uint64_t deadline = gt_sync_deadline(((probe *)carried)->sync), now = gt_net_now_us();
    return deadline == UINT64_MAX ? UINT64_MAX : deadline > now ? deadline - now : 0;
}

static bool carrier_is_greeted(void *carried) { return gt_sync_get_peer(((probe *)carried)->sync)->greeted; }
static void carrier_end(void *carried) { gt_sync_end(((probe *)carried)->sync); }

static bool carrier_has_ended(void *carried, gt_diag *why) {
    probe *self = carried;
    if (!gt_sync_has_ended(self->sync)) return false;
    *why = *gt_sync_get_failure(self->sync);
    return true;
}

static void carrier_count(void *carried, gt_carried_counts *counts, bool last) {
    (void)carried;
    (void)counts;
    (void)last;
}

static void carrier_free(void *carried) {
    probe *self = carried;
    gt_sync_free(self->sync);
    self->sync = NULL;
}

static const gt_carrier carrier = {
    .begin = carrier_begin,
    .receive = carrier_receive,
    .send = carrier_send,
    .wait_us = carrier_wait_us,
    .is_greeted = carrier_is_greeted,
    .end = carrier_end,
    .has_ended = carrier_has_ended,
    .count = carrier_count,
    .free = carrier_free,
};

/* ---- asking ---- */

static void on_state(void *context, bool online, const gt_diag *why) {
    if (!online) finish(context, why->status == GOAT_OK ? GOAT_OFFLINE : why->status, why);
}

static goat_status make_key(probe *self, gt_diag *diag) {
    uint8_t seed[GT_SEED_SIZE];
    if (!fill_random(NULL, seed, sizeof(seed))) return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    gt_identity_from_seed(self->hasher, seed, &self->identity);
    gt_wipe(seed, sizeof(seed));
    return GOAT_OK;
}

static goat_status wait_for_answer(probe *self, uint64_t timeout_us, gt_diag *diag) {
    uint64_t begin = gt_net_now_us(), passed = 0;
    gt_mutex_lock(&self->mutex);
    while (!self->done && passed < timeout_us) {
        gt_condition_wait(&self->condition, &self->mutex, timeout_us - passed);
        passed = gt_net_now_us() - begin;
    }
    goat_status status = self->done ? self->status : gt_fail(diag, GOAT_TIMEOUT, "there was no answer in time");
    if (self->done && status != GOAT_OK) *diag = self->diag;
    gt_mutex_unlock(&self->mutex);
    return status;
}

static goat_status ask(probe *self, const gt_probe_config *config, gt_diag *diag) {
    gt_client *client = NULL;
    self->keyring = gt_keyring_new(config->alloc);
    if (self->keyring == NULL) return gt_no_memory(diag);
    goat_status status = gt_crypto_init(diag);
    if (status == GOAT_OK) status = gt_hasher_new(config->alloc, &self->hasher, diag);
    if (status == GOAT_OK) status = make_key(self, diag);
    if (status != GOAT_OK) return status;
    gt_client_config client_config = {
        .alloc = config->alloc,
        .url = config->url,
        .ca_file = config->ca_file,
        .carrier = &carrier,
        .context = self,
        .state = on_state,
        .once = true,
    };
    status = gt_client_new(&client_config, &client, diag);
    if (status == GOAT_OK) status = wait_for_answer(self, config->timeout_us, diag);
    gt_client_free(client);
    return status;
}

goat_status gt_probe(const gt_probe_config *config, gt_sync_peer *peer, gt_diag *diag) {
    probe self = {.alloc = config->alloc, .done = false};
    gt_diag own;
    if (diag == NULL) diag = &own;
    gt_diag_init(diag);
    gt_diag_init(&self.diag);
    goat_status status = gt_mutex_init(&self.mutex, diag);
    if (status != GOAT_OK) return status;
    status = gt_condition_init(&self.condition, diag);
    if (status == GOAT_OK) {
        status = ask(&self, config, diag);
        gt_condition_destroy(&self.condition);
    }
    gt_mutex_destroy(&self.mutex);
    gt_hasher_free(self.hasher);
    gt_keyring_free(self.keyring);
    gt_identity_wipe(&self.identity);
    if (status == GOAT_OK) *peer = self.peer;
    return status;
}
