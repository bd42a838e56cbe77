/* Connections to servers: one for a database, kept by the handle that asked for it. And asking strangers who they are.
 *
 * What there is lies in a list of the process's. Its lock is never held while a database's is taken, nor while a loop is
 * waited for to end. A connection that was replaced ends behind, and is freed by the next call that finds it done. */
#include "network.h"

#include "net/link_carrier.h"
#include "net/net.h"
#include "value/build.h"

typedef struct upstream {
    struct upstream *next;
    goat_db *db;
    char *url, *ca_file; /* the latter may be NULL */
    uint32_t flags;
    gt_link_origin origin;
    gt_client *client;
    bool ends;
} upstream;

static struct {
    gt_mutex mutex;
    upstream *first;
} network = {.mutex = GT_MUTEX_INIT};

static const uint32_t flags_known = GOAT_SYNC_ALL | GOAT_SYNC_STORED;

void goat_net_config_init(goat_net_config *config, size_t struct_size) {
    const goat_net_config defaults = GOAT_NET_CONFIG_INIT;
    gt_struct_init(config, struct_size, &defaults, sizeof(defaults));
}

static goat_status read_config(const goat_net_config *given, goat_net_config *config, goat_error **error) {
    *config = (goat_net_config)GOAT_NET_CONFIG_INIT;
    if (given != NULL && !gt_struct_copy(config, sizeof(*config), given)) {
        return gt_misuse(error, "config->struct_size is wrong, or a member is set that this version does not know");
    }
    if ((config->flags & ~flags_known) != 0) return gt_misuse(error, "config->flags has unknown bits");
    return GOAT_OK;
}

/* ---- one connection ---- */

static void free_upstream(upstream *self) {
    goat_db *db = self->db;
    gt_client_free(self->client);
    gt_free(&gt_alloc_system, self->url);
    gt_free(&gt_alloc_system, self->ca_file);
    gt_free(&gt_alloc_system, self);
    gt_db_release(db);
}

/* On the thread of the client. */
static void on_state(void *context, bool online, const gt_diag *why) {
    upstream *self = (upstream *)(void *)((char *)context - offsetof(upstream, origin));
    gt_db_lock(self->db);
    gt_db_set_upstream(self->db, self->url, online, why);
    gt_db_unlock(self->db);
    gt_service_wake();
}

static goat_status make_upstream(goat_db *db, gt_bytes url, const goat_net_config *config, upstream **out,
                                 gt_diag *diag) {
    upstream *self = gt_new(&gt_alloc_system, 1, sizeof(*self));
    if (self == NULL) return gt_no_memory(diag);
    const char *ca_file = config->ca_file;
    self->db = db;
    self->flags = config->flags;
    self->url = gt_copy(&gt_alloc_system, url.data, url.len);
    self->ca_file = ca_file == NULL ? NULL : gt_copy(&gt_alloc_system, ca_file, strlen(ca_file));
    self->origin = (gt_link_origin){
        .db = db,
        .role = GT_SYNC_CLIENT,
        .all = (config->flags & GOAT_SYNC_ALL) != 0,
        .stored = (config->flags & GOAT_SYNC_STORED) != 0,
    };
    gt_db_hold(db);
    gt_client_config client = {
        .alloc = &gt_alloc_system,
        .url = url,
        .ca_file = self->ca_file,
        .carrier = &gt_link_carrier,
        .context = &self->origin,
        .state = on_state,
    };
    bool has_memory = self->url != NULL && (ca_file == NULL || self->ca_file != NULL);
    goat_status status = has_memory ? gt_client_new(&client, &self->client, diag) : gt_no_memory(diag);
    if (status == GOAT_OK) {
        *out = self;
    } else {
        free_upstream(self);
    }
    return status;
}

/* ---- the list ---- */

/* With the list's lock. The connection of a database, whoever asked for it; NULL. */
static upstream *find(const goat_db *db) {
    upstream *one = network.first;
    while (one != NULL && (one->ends || gt_db_database(one->db) != gt_db_database(db))) one = one->next;
    return one;
}

/* Takes those off the list that belong to `db` (NULL: to anybody) and are done, or with `all` all of them. */
static upstream *take(const goat_db *db, bool all) {
    upstream *taken = NULL;
    for (upstream **at = &network.first; *at != NULL;) {
        upstream *one = *at;
        if ((db == NULL || one->db == db) && (all || (one->ends && gt_client_has_ended(one->client)))) {
            *at = one->next;
            one->next = taken;
            taken = one;
        } else {
            at = &one->next;
        }
    }
    return taken;
}

static void free_all(upstream *taken) {
    while (taken != NULL) {
        upstream *next = taken->next;
        free_upstream(taken);
        taken = next;
    }
}

static void begin_to_end(upstream *one) {
    one->ends = true;
    gt_client_end(one->client);
}

static void say(goat_db *db, const char *url) {
    gt_db_lock(db);
    gt_db_set_upstream(db, url, false, NULL);
    gt_db_unlock(db);
}

void gt_network_leave(goat_db *db, bool wait) {
    gt_mutex_lock(&network.mutex);
    for (upstream *one = network.first; one != NULL; one = one->next) {
        if (one->db == db && !one->ends) begin_to_end(one);
    }
    upstream *taken = take(db, wait);
    gt_mutex_unlock(&network.mutex);
    free_all(taken);
    gt_servers_leave(db, wait);
}

/* ---- calls ---- */

static goat_status check(goat_db *db, goat_error **error) {
    gt_call call;
    gt_enter(&call, db, error);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK && gt_db_is_read_only(db)) {
        status = gt_fail(call.diag, GOAT_FORBIDDEN, "the database is open for reading only");
    }
    return gt_leave(&call, status);
}

static bool is_same(const upstream *one, gt_bytes url, const goat_net_config *config) {
    const char *a = one->ca_file, *b = config->ca_file;
    bool same_ca = a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
    return same_ca && one->flags == config->flags && gt_bytes_equal(gt_bytes_text(one->url), url);
}

goat_status goat_db_connect(goat_db *db, const char *url, size_t url_len, const goat_net_config *config,
                            goat_error **error) {
    goat_net_config own;
    upstream *made = NULL;
    gt_diag diag;
    GT_REQUIRE(db);
    GT_REQUIRE(url);
    gt_bytes text = gt_bytes_of(url, url_len);
    gt_diag_init(&diag);
    goat_status status = read_config(config, &own, error);
    if (status == GOAT_OK) status = check(db, error);
    if (status != GOAT_OK) return status;
    gt_mutex_lock(&network.mutex);
    upstream *before = find(db);
    if (before != NULL && before->db == db && is_same(before, text, &own)) {
        gt_client_retry(before->client);
    } else {
        status = make_upstream(db, text, &own, &made, &diag);
    }
    if (made != NULL) {
        if (before != NULL) begin_to_end(before);
        made->next = network.first;
        network.first = made;
    }
    upstream *taken = take(NULL, false);
    gt_mutex_unlock(&network.mutex);
    free_all(taken);
    if (made != NULL) say(db, made->url);
    return gt_result(error, status, &diag);
}

goat_status goat_db_disconnect(goat_db *db, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    gt_mutex_lock(&network.mutex);
    upstream *one = find(db);
    if (one != NULL) begin_to_end(one);
    gt_mutex_unlock(&network.mutex);
    gt_enter(&call, db, error);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK && one != NULL) gt_db_set_upstream(db, NULL, false, NULL);
    if (status == GOAT_OK) status = gt_db_part(db, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

/* ---- strangers ---- */

static void write_peer(const gt_sync_peer *peer, gt_buf *out) {
    gt_write_map_head(out, 4); /* keys by length, then bytes */
    gt_write_text(out, gt_bytes_text("root"));
    gt_write_bytes(out, gt_bytes_of(peer->root_key, sizeof(peer->root_key)));
    gt_write_text(out, gt_bytes_text("network"));
    gt_write_bytes(out, gt_bytes_of(peer->network.bytes, GT_ID_SIZE));
    gt_write_text(out, gt_bytes_text("session"));
    gt_write_bytes(out, gt_bytes_of(peer->session.bytes, GT_ID_SIZE));
    gt_write_text(out, gt_bytes_text("clock_ms"));
    gt_write_int(out, peer->clock_ms);
}

goat_status goat_probe(const char *url, size_t url_len, const goat_net_config *config, uint32_t timeout_ms,
                       goat_buf *info, goat_error **error) {
    enum { US_PER_MS = 1000 };
    goat_net_config own;
    gt_sync_peer peer;
    gt_diag diag;
    GT_REQUIRE(url);
    GT_REQUIRE(info);
    gt_diag_init(&diag);
    goat_status status = read_config(config, &own, error);
    if (status != GOAT_OK) return status;
    gt_probe_config probe = {
        .alloc = &gt_alloc_system,
        .url = gt_bytes_of(url, url_len),
        .ca_file = own.ca_file,
        .timeout_us = (uint64_t)timeout_ms * US_PER_MS,
    };
    status = gt_probe(&probe, &peer, &diag);
    if (status != GOAT_OK) return gt_error_set(error, status, &diag);
    gt_buf out = gt_lend(info);
    write_peer(&peer, &out);
    return gt_result(error, gt_give_back(info, &out, GOAT_OK, &diag), &diag);
}
