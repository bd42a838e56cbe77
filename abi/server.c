/* Servers of this process's databases, as the host holds them. A server ends with its handle; the host's structure then
 * answers GOAT_CLOSED until it is freed. */
#define _GNU_SOURCE
#include "network.h"

#include "net/link_carrier.h"
#include "net/metrics.h"
#include "net/net.h"
#include "value/build.h"
#include "value/value.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

struct goat_server {
    goat_server *next;
    goat_db *db;
    gt_link_origin origin;
    gt_server *server; /* NULL: it has ended */
    uint32_t process;  /* a child that was forked must not touch it */
};

static struct {
    gt_mutex mutex;
    goat_server *first;
} servers = {.mutex = GT_MUTEX_INIT};

static atomic_uint_least32_t owner; /* the process that the list belongs to */

static void lock_list(void) {
    if (gt_port_was_inherited(&owner)) { /* a forked child has no servers */
        servers.mutex = (gt_mutex)GT_MUTEX_INIT;
        servers.first = NULL;
    }
    gt_mutex_lock(&servers.mutex);
}

/* With the list's lock. */
static bool has_ended(const goat_server *server) {
    return server->process != gt_port_process_id() || server->server == NULL;
}

void goat_server_config_init(goat_server_config *config, size_t struct_size) {
    const goat_server_config defaults = GOAT_SERVER_CONFIG_INIT;
    gt_struct_init(config, struct_size, &defaults, sizeof(defaults));
}

static goat_status read_config(const goat_server_config *given, goat_server_config *config, goat_error **error) {
    enum { PORT_MAX = 65535 };
    *config = (goat_server_config)GOAT_SERVER_CONFIG_INIT;
    if (given != NULL && !gt_struct_copy(config, sizeof(*config), given)) {
        return gt_misuse(error, "config->struct_size is wrong, or a member is set that this version does not know");
    }
    if (config->flags != 0) return gt_misuse(error, "config->flags has unknown bits");
    if (config->port > PORT_MAX) return gt_misuse(error, "config->port is no port");
    if (config->connections_max > GT_NET_CONNECTIONS_MAX)
        return gt_misuse(error, "config->connections_max is too large");
    if ((config->tls_certificate == NULL) != (config->tls_key == NULL)) {
        return gt_misuse(error, "a certificate needs its key, and a key its certificate");
    }
    return GOAT_OK;
}

/* ---- what HTTP asks of the database ---- */

static goat_status health(void *context, gt_diag *why) {
    goat_db *db = ((gt_link_origin *)context)->db;
    gt_db_lock(db);
    goat_status status = gt_db_health(db, why);
    gt_db_unlock(db);
    return status;
}

static void write_metrics(void *context, gt_buf *out) {
    goat_db *db = ((gt_link_origin *)context)->db;
    gt_db_counts counts;
    gt_db_lock(db);
    gt_db_count(db, &counts);
    gt_db_unlock(db);
    gt_metric_write(out, "goat_repositories", GT_GAUGE, "Repositories that are open.", counts.repositories);
    gt_metric_write(out, "goat_commits", GT_GAUGE, "Commits in open repositories.", counts.commits);
    gt_metric_write(out, "goat_log_bytes", GT_GAUGE, "Bytes in logs of open repositories.", counts.log_bytes);
    gt_metric_write(out, "goat_log_unsynced_bytes", GT_GAUGE, "Bytes in logs that are not on the disk yet.",
                    counts.unsynced_bytes);
    gt_metric_write(out, "goat_parked_batches", GT_GAUGE, "Batches that wait for what they follow.", counts.parked);
}

/* ---- making one ---- */

static goat_status begin_to_serve(goat_db *db, gt_diag *diag) {
    gt_db_lock(db);
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK && gt_db_is_read_only(db)) {
        status = gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    }
    if (status == GOAT_OK) status = gt_db_may_serve(db, diag);
    if (status == GOAT_OK) gt_db_serve_begin(db);
    gt_db_unlock(db);
    return status;
}

static void end_serving(goat_db *db) {
    gt_db_lock(db);
    gt_db_serve_end(db);
    gt_db_unlock(db);
    gt_service_wake();
}

/* The folder of the database, new; NULL when the storage is the host's own. */
static goat_status find_folder(const goat_db *db, char **folder, gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_process_lock();
    const gt_opened *opened = gt_process_first();
    while (opened != NULL && opened->db != db) opened = opened->next;
    if (opened != NULL && opened->path != NULL) {
        *folder = gt_copy(&gt_alloc_system, opened->path, strlen(opened->path));
        if (*folder == NULL) status = gt_no_memory(diag);
    }
    gt_process_unlock();
    return status;
}

static goat_status make_server(goat_server *self, const goat_server_config *config, gt_diag *diag) {
    goat_db *db = self->db;
    char *folder = NULL;
    self->origin = (gt_link_origin){.db = db, .role = GT_SYNC_SERVER};
    self->process = gt_port_process_id();
    goat_status status = begin_to_serve(db, diag);
    if (status != GOAT_OK) return status;
    status = find_folder(db, &folder, diag);
    gt_server_config own = {
        .alloc = &gt_alloc_system,
        .host = config->host == NULL ? "127.0.0.1" : config->host,
        .port = (uint16_t)config->port,
        .certificate = config->tls_certificate,
        .key = config->tls_key,
        .static_dir = config->static_dir,
        .private_dir = folder,
        .origins = config->origins,
        .connections_max = config->connections_max,
        .per_address_max = config->per_address_max,
        .carrier = &gt_link_carrier,
        .context = &self->origin,
        .health = health,
        .metrics = write_metrics,
    };
    if (status == GOAT_OK) status = gt_server_new(&own, &self->server, diag);
    gt_free(&gt_alloc_system, folder);
    if (status != GOAT_OK) end_serving(db);
    return status;
}

goat_status goat_server_new(goat_db *db, const goat_server_config *config, goat_server **server, goat_error **error) {
    goat_server_config own;
    gt_diag diag;
    if (server != NULL) *server = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE(server);
    gt_diag_init(&diag);
    goat_status status = read_config(config, &own, error);
    if (status != GOAT_OK) return status;
    goat_server *self = gt_new(&gt_alloc_system, 1, sizeof(*self));
    if (self == NULL) return gt_error_set(error, gt_no_memory(&diag), &diag);
    self->db = db;
    gt_db_hold(db);
    status = make_server(self, &own, &diag);
    if (status != GOAT_OK) {
        gt_db_release(db);
        gt_free(&gt_alloc_system, self);
        return gt_error_set(error, status, &diag);
    }
    lock_list();
    self->next = servers.first;
    servers.first = self;
    gt_mutex_unlock(&servers.mutex);
    gt_live_more();
    *server = self;
    return GOAT_OK;
}

/* ---- while it serves ---- */

static bool is_everywhere(const char *address) { return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0; }

/* With a host that others can use, too: where it listens everywhere, what the machine is called. */
static void write_url(const gt_server_facts *facts, gt_buf *out) {
    char url[512], machine[HOST_NAME_MAX + 1];
    const char *host = facts->host;
    if (is_everywhere(facts->address)) {
        bool is_named = gethostname(machine, sizeof(machine)) == 0 && memchr(machine, 0, sizeof(machine)) != NULL;
        host = is_named && machine[0] != 0 ? machine : "localhost";
    }
    bool six = strchr(host, ':') != NULL;
    int len = snprintf(url, sizeof(url), "%s://%s%s%s:%u", facts->secure ? "wss" : "ws", six ? "[" : "", host,
                       six ? "]" : "", facts->port);
    gt_write_text(out, gt_bytes_of(url, (size_t)len < sizeof(url) ? (size_t)len : sizeof(url) - 1));
}

static void write_number(gt_buf *out, const char *name, uint64_t number) {
    gt_write_text(out, gt_bytes_text(name));
    gt_write_int(out, (int64_t)number);
}

/* A value of goat_db_info(). */
static void write_fact(gt_buf *out, const char *name, gt_bytes info) {
    gt_bytes value = gt_map_find(info, gt_bytes_text(name));
    gt_write_text(out, gt_bytes_text(name));
    gt_buf_append(out, value.data, value.len);
}

static void write_info(const gt_server_facts *facts, gt_bytes info, gt_buf *out) {
    gt_write_map_head(out, 10); /* keys by length, then bytes */
    gt_write_text(out, gt_bytes_text("url"));
    write_url(facts, out);
    gt_write_text(out, gt_bytes_text("host"));
    gt_write_text(out, gt_bytes_text(facts->host));
    write_number(out, "port", facts->port);
    write_fact(out, "root", info);
    gt_write_text(out, gt_bytes_text("secure"));
    gt_write_bool(out, facts->secure);
    write_fact(out, "network", info);
    write_number(out, "refused", facts->refused);
    write_number(out, "accepted", facts->accepted);
    write_number(out, "connections", facts->connections);
    write_number(out, "connections_max", facts->connections_max);
}

static goat_status closed(gt_diag *diag) {
    return gt_fail(diag, GOAT_CLOSED, "the server has ended with its database");
}

goat_status goat_server_info(goat_server *server, goat_buf *info, goat_error **error) {
    gt_server_facts facts;
    gt_diag diag;
    gt_buf own;
    GT_REQUIRE(server);
    GT_REQUIRE(info);
    gt_diag_init(&diag);
    gt_buf_init(&own, &gt_alloc_system);
    gt_buf out = gt_lend(info);
    lock_list(); /* the texts of the facts are the server's */
    goat_status status = has_ended(server) ? closed(&diag) : GOAT_OK;
    if (status == GOAT_OK) {
        gt_server_get_facts(server->server, &facts);
        gt_db_lock(server->db);
        gt_db_info(server->db, &own);
        gt_db_unlock(server->db);
        if (gt_buf_failed(&own)) {
            status = gt_no_memory(&diag);
        } else {
            write_info(&facts, gt_buf_bytes(&own), &out);
        }
    }
    gt_mutex_unlock(&servers.mutex);
    gt_buf_free(&own);
    return gt_result(error, gt_give_back(info, &out, status, &diag), &diag);
}

goat_status goat_server_reload(goat_server *server, goat_error **error) {
    gt_diag diag;
    GT_REQUIRE(server);
    gt_diag_init(&diag);
    lock_list();
    goat_status status = has_ended(server) ? closed(&diag) : gt_server_reload(server->server, &diag);
    gt_mutex_unlock(&servers.mutex);
    return gt_result(error, status, &diag);
}

/* ---- the end ---- */

/* The first server of a handle that has not ended, ended as far as the host is concerned; NULL. */
static gt_server *take(const goat_db *db) {
    gt_server *taken = NULL;
    lock_list();
    for (goat_server *one = servers.first; one != NULL && taken == NULL; one = one->next) {
        if (one->db != db) continue;
        taken = one->server;
        one->server = NULL;
    }
    gt_mutex_unlock(&servers.mutex);
    return taken;
}

void gt_servers_leave(goat_db *db, bool wait) {
    gt_server *server;
    if (wait) {
        while ((server = take(db)) != NULL) {
            gt_server_free(server);
            end_serving(db);
        }
        return;
    }
    lock_list();
    for (goat_server *one = servers.first; one != NULL; one = one->next) {
        if (one->db == db && one->server != NULL) gt_server_end(one->server);
    }
    gt_mutex_unlock(&servers.mutex);
}

void goat_server_free(goat_server *server) {
    if (server == NULL || server->process != gt_port_process_id()) return;
    goat_db *db = server->db;
    lock_list();
    gt_server *own = server->server;
    goat_server **at = &servers.first;
    while (*at != server) at = &(*at)->next;
    *at = server->next;
    gt_mutex_unlock(&servers.mutex);
    if (own != NULL) {
        gt_server_free(own);
        end_serving(db);
        goat_db_flush(db, GOAT_DURABLE_DISK, NULL, NULL);
    }
    gt_free(&gt_alloc_system, server);
    gt_db_release(db);
    gt_live_less();
}
