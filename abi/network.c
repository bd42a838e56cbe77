/* Connections to servers: one for a database, kept as long as any handle that asked for it is open. And asking strangers
 * who they are.
 *
 * What there is lies in a list of the process's. Its lock is never held while a database's is taken, nor while a loop is
 * waited for. A connection that was replaced or left ends behind, and is freed by the next call that finds it done. */
#include "network.h"

#include "net/link_carrier.h"
#include "net/net.h"
#include "value/build.h"

typedef struct holder {
    struct holder *next;
    const goat_db *db;
    uint32_t flags;
} holder;

typedef struct upstream {
    struct upstream *next;
    goat_db *db; /* the database's own handle: the connection is no handle's */
    uint64_t number;
    char *url, *ca_file; /* the latter may be NULL */
    uint32_t flags;      /* of all who ever asked for it */
    gt_link_origin origin;
    gt_client *client;
    holder *holders;     /* handles that ask for it; none: it ends */
    const goat_db *last; /* the handle that ended it */
} upstream;

static struct {
    gt_mutex mutex;
    upstream *first;
    uint64_t count; /* connections, ever */
} network = {.mutex = GT_MUTEX_INIT};

static atomic_uint_least32_t owner; /* the process that the list belongs to */

static void lock_list(void) {
    if (gt_port_was_inherited(&owner)) { /* a forked child has no connections */
        network.mutex = (gt_mutex)GT_MUTEX_INIT;
        network.first = NULL;
    }
    gt_mutex_lock(&network.mutex);
}

static void unlock_list(void) { gt_mutex_unlock(&network.mutex); }

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
    gt_client_free(self->client);
    while (self->holders != NULL) {
        holder *next = self->holders->next;
        gt_free(&gt_alloc_system, self->holders);
        self->holders = next;
    }
    gt_free(&gt_alloc_system, self->url);
    gt_free(&gt_alloc_system, self->ca_file);
    gt_db_release_database(self->db);
    gt_free(&gt_alloc_system, self);
}

/* On the thread of the client. */
static void on_state(void *context, bool online, const gt_diag *why) {
    upstream *self = (upstream *)(void *)((char *)context - offsetof(upstream, origin));
    gt_db_lock(self->db);
    gt_db_set_upstream(self->db, self->number, gt_bytes_text(self->url), online, why);
    gt_db_unlock(self->db);
    gt_service_wake();
}

/* With the list's lock. */
static goat_status make_upstream(goat_db *db, gt_bytes url, const char *ca_file, uint32_t flags, upstream **out,
                                 gt_diag *diag) {
    upstream *self = gt_new(&gt_alloc_system, 1, sizeof(*self));
    if (self == NULL) return gt_no_memory(diag);
    self->db = gt_db_hold_database(db);
    self->number = ++network.count;
    self->flags = flags;
    self->url = gt_copy(&gt_alloc_system, url.data, url.len);
    self->ca_file = ca_file == NULL ? NULL : gt_copy(&gt_alloc_system, ca_file, strlen(ca_file));
    self->origin = (gt_link_origin){
        .db = self->db,
        .role = GT_SYNC_CLIENT,
        .all = (flags & GOAT_SYNC_ALL) != 0,
        .stored = (flags & GOAT_SYNC_STORED) != 0,
    };
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

/* ---- who asks for it ---- */

static holder *find_holder(const upstream *one, const goat_db *db) {
    holder *found = one->holders;
    while (found != NULL && found->db != db) found = found->next;
    return found;
}

static bool has_others(const upstream *one, const goat_db *db) {
    return one->holders->next != NULL || one->holders->db != db;
}

/* The last one ends it. */
static void drop_holder(upstream *one, const goat_db *db) {
    holder **at = &one->holders;
    while (*at != NULL && (*at)->db != db) at = &(*at)->next;
    if (*at == NULL) return;
    holder *dropped = *at;
    *at = dropped->next;
    gt_free(&gt_alloc_system, dropped);
    if (one->holders != NULL) return;
    one->last = db;
    gt_client_end(one->client);
}

/* ---- the list ---- */

/* With the list's lock. The connection of a database, whoever asked for it; NULL. */
static upstream *find(const goat_db *db) {
    upstream *one = network.first;
    while (one != NULL && (one->holders == NULL || gt_db_database(one->db) != gt_db_database(db))) one = one->next;
    return one;
}

/* Takes those off the list that have ended, and with `last` those that this handle ended, whether they are done or not. */
static upstream *take(const goat_db *last) {
    upstream *taken = NULL;
    for (upstream **at = &network.first; *at != NULL;) {
        upstream *one = *at;
        if (one->holders == NULL && ((last != NULL && one->last == last) || gt_client_has_ended(one->client))) {
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

/* The number of the connection that `db` was the last to leave; 0: of none. */
static uint64_t leave(const goat_db *db) {
    upstream *one = find(db);
    if (one == NULL) return 0;
    drop_holder(one, db);
    return one->holders == NULL ? one->number : 0;
}

static void say_ended(goat_db *db, uint64_t number) {
    if (number == 0) return;
    gt_db_lock(db);
    gt_db_end_upstream(db, number);
    gt_db_unlock(db);
}

void gt_network_leave(goat_db *db, bool wait) {
    lock_list();
    uint64_t number = leave(db);
    upstream *taken = take(wait ? db : NULL);
    unlock_list();
    say_ended(db, number);
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

static bool is_same(const upstream *one, gt_bytes url, const char *ca_file) {
    bool same_ca =
        one->ca_file == NULL || ca_file == NULL ? one->ca_file == ca_file : strcmp(one->ca_file, ca_file) == 0;
    return same_ca && gt_bytes_equal(gt_bytes_text(one->url), url);
}

/* What all who ask for it want, when `db` wants `flags`. */
static uint32_t join_flags(const upstream *one, const goat_db *db, uint32_t flags) {
    for (const holder *other = one->holders; other != NULL; other = other->next) {
        if (other->db != db) flags |= other->flags;
    }
    return flags;
}

/* With the list's lock. `*made` is the connection when it is a new one. */
static goat_status join(goat_db *db, gt_bytes url, const goat_net_config *config, upstream **made, gt_diag *diag) {
    upstream *before = find(db);
    uint32_t flags = config->flags;
    bool same = before != NULL && is_same(before, url, config->ca_file);
    if (before != NULL && !same && has_others(before, db)) {
        return gt_fail(diag, GOAT_CONFLICT, "another handle of the database keeps it connected to %s", before->url);
    }
    holder *own = before == NULL ? NULL : find_holder(before, db);
    holder *added = own == NULL ? gt_new(&gt_alloc_system, 1, sizeof(*added)) : NULL;
    if (own == NULL && added == NULL) return gt_no_memory(diag);
    if (same) flags = join_flags(before, db, flags);
    goat_status status = GOAT_OK;
    if (!same || flags != before->flags) status = make_upstream(db, url, config->ca_file, flags, made, diag);
    if (status != GOAT_OK) {
        gt_free(&gt_alloc_system, added);
        return status;
    }
    upstream *one = *made == NULL ? before : *made;
    if (own == NULL) own = added;
    if (*made != NULL) {
        (*made)->next = network.first;
        network.first = *made;
    }
    if (*made != NULL && before != NULL) {
        one->holders = before->holders;
        before->holders = NULL;
        before->last = db;
        gt_client_end(before->client);
    }
    own->db = db;
    own->flags = config->flags;
    if (own == added) {
        own->next = one->holders;
        one->holders = own;
    }
    if (*made == NULL) gt_client_retry(one->client);
    return GOAT_OK;
}

goat_status goat_db_connect(goat_db *db, const char *url, size_t url_len, const goat_net_config *config,
                            goat_error **error) {
    goat_net_config own;
    upstream *made = NULL;
    gt_diag diag;
    GT_REQUIRE(db);
    GT_REQUIRE(url);
    gt_diag_init(&diag);
    goat_status status = read_config(config, &own, error);
    if (status == GOAT_OK) status = check(db, error);
    if (status != GOAT_OK) return status;
    lock_list();
    status = join(db, gt_bytes_of(url, url_len), &own, &made, &diag);
    uint64_t number = made == NULL ? 0 : made->number;
    upstream *taken = take(NULL);
    unlock_list();
    free_all(taken);
    if (number != 0) {
        gt_db_lock(db);
        gt_db_begin_upstream(db, number, gt_bytes_of(url, url_len));
        gt_db_unlock(db);
    }
    return gt_result(error, status, &diag);
}

goat_status goat_db_disconnect(goat_db *db, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    lock_list();
    uint64_t number = leave(db);
    unlock_list();
    say_ended(db, number);
    gt_enter(&call, db, error);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK) status = gt_db_part(db, number != 0, &made, call.diag);
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
