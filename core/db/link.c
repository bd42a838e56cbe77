/* Links: their lives, packets in and out, and who is told that something can be sent.
 *
 * The state machine is core/sync's; what it needs of the database is link_host.c. `ready` functions are collected while
 * the lock is held and called when it is given up, so that a transport may take locks of its own in them. */
#include "db/link.h"

#include "db/internal.h"
#include "db/links.h"

enum {
    TELL_MAX = 64,              /* links told at a time */
    HOLD_US = 10 * 1000 * 1000, /* a repository that was read for a peer stays so long for it to ask again */
};

void gt_want_pump(gt_database *database) {
    goat_db *db = database->handles;
    database->pump_wanted = true;
    while (db != NULL && db->closed) db = db->next;
    if (db != NULL) gt_db_want_run(db);
}

void gt_db_set_kick(goat_db *db, gt_kick kick) { db->database->kick = kick; }

void gt_db_set_sync_sizes(goat_db *db, const gt_sync_sizes *sizes) { db->database->sync_sizes = *sizes; }

/* ---- who is told ---- */

void gt_link_wake(gt_link *link) {
    gt_database *database = link->db->database;
    if (link->told) return;
    link->told = true;
    if (link->config.ready == NULL) { /* somebody who asks when his handle is woken */
        gt_wake_for_sync(link->db);
        return;
    }
    if (link->queued) return;
    link->queued = true;
    link->next_ready = NULL;
    if (database->ready == NULL) {
        database->ready = link;
    } else {
        database->ready_last->next_ready = link;
    }
    database->ready_last = link;
}

static gt_link *take_ready(gt_database *database) {
    gt_link *link = database->ready;
    if (link == NULL) return NULL;
    database->ready = link->next_ready;
    link->queued = false;
    link->calling++;
    return link;
}

static void unqueue(gt_link *link) {
    gt_database *database = link->db->database;
    if (!link->queued) return;
    gt_link *before = NULL, *at = database->ready;
    while (at != link) {
        before = at;
        at = at->next_ready;
    }
    if (before == NULL) {
        database->ready = link->next_ready;
    } else {
        before->next_ready = link->next_ready;
    }
    if (database->ready_last == link) database->ready_last = before;
    link->queued = false;
}

bool gt_links_tell(gt_database *database) {
    gt_link *links[TELL_MAX];
    size_t count = 0;
    if (database->ready == NULL) return false;
    while (count < TELL_MAX && (links[count] = take_ready(database)) != NULL) count++;
    gt_mutex_unlock(&database->mutex);
    for (size_t i = 0; i < count; i++) links[i]->config.ready(links[i]->config.context);
    gt_mutex_lock(&database->mutex);
    for (size_t i = 0; i < count; i++) links[i]->calling--;
    if (database->links_ending > 0) gt_condition_wake_all(&database->condition);
    return true;
}

void gt_links_repo_made(gt_database *database, gt_bytes path) {
    for (gt_link *link = database->links; link != NULL; link = link->next) {
        if (link->sync != NULL && !gt_link_is_client(link)) gt_sync_repo_made(link->sync, path);
    }
}

void gt_links_sessions_safe(gt_database *database) {
    for (gt_link *link = database->links; link != NULL; link = link->next) {
        if (link->sync != NULL) gt_sync_sessions_safe(link->sync);
    }
}

/* ---- life ---- */

goat_status gt_db_may_serve(const goat_db *db, gt_diag *diag) {
    const gt_database *database = db->database;
    if (gt_is_server(database) && gt_keyring_find(database->keyring, &database->network) != NULL) return GOAT_OK;
    return gt_fail(diag, GOAT_FORBIDDEN, "this database is not certified as a server of its network");
}

static goat_status begin_client(gt_link *link, gt_diag *diag) {
    goat_status status = gt_link_want(link, gt_bytes_text(GT_SESSIONS_PATH), true, diag);
    if (status == GOAT_OK) status = gt_link_want(link, gt_bytes_text(GT_SCHEMAS_PATH), true, diag);
    if (status != GOAT_OK) return status;
    gt_link_look(link);
    if (link->config.all) gt_sync_ask_list(link->sync);
    link->lists = link->config.all;
    return link->config.stored ? gt_link_begin_listing(link, diag) : GOAT_OK;
}

static void add_to_database(gt_link *link) {
    gt_link **end = &link->db->database->links;
    while (*end != NULL) end = &(*end)->next;
    *end = link;
}

static void end_link(gt_link *link) {
    if (link->sync == NULL) return;
    gt_sync_free(link->sync);
    link->sync = NULL;
    link->ended = true;
    gt_link_drop_holds(link, UINT64_MAX);
    gt_link_end_listing(link);
    if (!gt_link_is_client(link)) gt_serve_end(link->db->database);
    gt_upstream_look(link->db->database);
    gt_link_wake(link);
}

/* All but the handle's reference. */
static void remove_link(gt_link *link) {
    gt_database *database = link->db->database;
    end_link(link);
    unqueue(link);
    gt_link **at = &database->links;
    while (*at != link) at = &(*at)->next;
    *at = link->next;
    database->links_ending++;
    while (link->calling > 0) gt_condition_wait(&database->condition, &database->mutex, GT_WAIT_US_MAX);
    database->links_ending--;
    gt_link_free_wants(link);
    gt_buf_free(&link->listed);
    gt_free(database->alloc, link);
}

goat_status gt_link_new(goat_db *db, const gt_link_config *config, gt_link **out, gt_diag *diag) {
    gt_database *database = db->database;
    *out = NULL;
    goat_status status = gt_db_check(db, diag);
    bool serves = config->role == GT_SYNC_SERVER;
    if (status == GOAT_OK && serves) status = gt_db_may_serve(db, diag);
    if (status == GOAT_OK && !serves && (database->flags & GOAT_OPEN_READ_ONLY) != 0) {
        status = gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    }
    if (status != GOAT_OK) return status;
    gt_link *link = gt_new(database->alloc, 1, sizeof(*link));
    if (link == NULL) return gt_no_memory(diag);
    link->db = db;
    link->config = *config;
    link->certificates_seen = gt_keyring_count(database->keyring);
    gt_buf_init(&link->listed, database->alloc);
    gt_diag_init(&link->failure);
    gt_diag_init(&link->refused);
    gt_diag_init(&link->unlisted);
    const uint8_t *root_key = gt_keyring_find(database->keyring, &database->network);
    if (root_key != NULL) memcpy(link->root_key, root_key, GT_PUBLIC_KEY_SIZE);
    add_to_database(link);
    const gt_sync_host host = gt_link_host(link);
    status = gt_sync_new(&host, config->role, gt_database_now_us(database), &link->sync, diag);
    if (status == GOAT_OK && !gt_link_is_client(link)) gt_serve_begin(database);
    if (status == GOAT_OK && gt_link_is_client(link)) status = begin_client(link, diag);
    if (status != GOAT_OK) {
        remove_link(link);
        return status;
    }
    gt_db_retain(db);
    *out = link;
    return GOAT_OK;
}

static void unlock(goat_db *db) {
    gt_database *database = db->database;
    gt_kick kick = gt_database_take_pump_wanted(database) ? database->kick : NULL;
    gt_db_unlock(db);
    if (kick != NULL) kick();
}

void gt_link_free(gt_link *link) {
    if (link == NULL) return;
    goat_db *db = link->db;
    gt_db_lock(db);
    remove_link(link);
    unlock(db);
    gt_db_release(db);
}

/* Those of one handle, or (NULL) of all. */
static void end_all(gt_database *database, const goat_db *db) {
    for (gt_link *link = database->links; link != NULL; link = link->next) {
        if ((db != NULL && link->db != db) || link->sync == NULL) continue;
        if (gt_database_check(database, &link->failure) == GOAT_OK) {
            gt_fail(&link->failure, GOAT_CLOSED, "the database is closed");
        }
        end_link(link);
    }
}

void gt_links_end(goat_db *db, bool all) { end_all(db->database, all ? NULL : db); }

goat_status gt_link_add(gt_link *link, gt_bytes path, gt_diag *diag) {
    gt_path parsed;
    goat_status status = gt_path_parse_repo(path, &parsed, diag);
    return status == GOAT_OK ? gt_link_want(link, path, true, diag) : status;
}

/* ---- packets ---- */

/* Certificates that came since they were last looked at: what was dropped for want of one is asked for again. */
static void look_at_certificates(gt_link *link) {
    uint32_t count = gt_keyring_count(link->db->database->keyring);
    if (count == link->certificates_seen || link->sync == NULL) return;
    link->certificates_seen = count;
    gt_sync_sessions_grew(link->sync);
}

static goat_status has_ended(const gt_link *link, gt_diag *diag) {
    const gt_diag *why = link->sync != NULL ? gt_sync_get_failure(link->sync) : &link->failure;
    if (!gt_diag_is_set(why)) return gt_fail(diag, GOAT_CLOSED, "the connection has ended");
    if (diag != NULL) *diag = *why;
    return why->status;
}

/* A packet that was not taken in would leave a gap in what the peer believes was. */
static goat_status give_up(gt_link *link, gt_diag *diag) {
    goat_db *db = link->db;
    gt_db_lock(db);
    gt_no_memory(&link->failure);
    end_link(link);
    unlock(db);
    return gt_no_memory(diag);
}

/* Something may have become even or safe: jobs that wait for it look again. */
static void moved(gt_link *link) {
    gt_database *database = link->db->database;
    link->moves++;
    if (database->jobs != NULL) gt_want_pump(database);
}

goat_status gt_link_receive(gt_link *link, gt_bytes packet, gt_hasher *hasher, gt_diag *diag) {
    goat_db *db = link->db;
    gt_arrival *arrival = NULL;
    gt_db_lock(db);
    const gt_arrival_limits limits = gt_sync_limits(link->sync);
    gt_db_unlock(db);
    if (gt_arrival_new(db->database->alloc, packet, &limits, &arrival, NULL) != GOAT_OK) return give_up(link, diag);
    gt_db_lock(db);
    if (link->sync != NULL) {
        look_at_certificates(link); /* so that those which come from now on are seen below */
        gt_sync_resolve(link->sync, arrival);
    }
    unlock(db);
    gt_arrival_check(arrival, hasher);
    gt_db_lock(db);
    goat_status status =
        link->sync == NULL ? has_ended(link, diag) : gt_sync_receive(link->sync, arrival, gt_db_now_us(db), diag);
    if (link->sync != NULL) {
        gt_link_open_listed(link);
        look_at_certificates(link);
        moved(link);
        if (gt_sync_is_ready(link->sync, gt_db_now_us(db))) gt_link_wake(link); /* answers, also before the greeting */
    }
    unlock(db);
    gt_arrival_free(arrival);
    return status;
}

bool gt_link_send(gt_link *link, gt_buf *packet) {
    goat_db *db = link->db;
    gt_db_lock(db);
    link->told = false;
    bool said = link->sync != NULL && gt_sync_send(link->sync, gt_db_now_us(db), packet);
    moved(link); /* also with nothing to say: it may have found that out just now */
    if (link->lingers) db->database->links_look = db->database->pump_wanted = true;
    unlock(db);
    return said;
}

uint64_t gt_link_deadline(gt_link *link) {
    gt_db_lock(link->db);
    uint64_t deadline = link->sync == NULL ? UINT64_MAX : gt_sync_deadline(link->sync);
    if (link->told) deadline = 0;
    gt_db_unlock(link->db);
    return deadline;
}

void gt_link_end(gt_link *link) {
    gt_db_lock(link->db);
    if (link->sync != NULL) gt_sync_end(link->sync);
    unlock(link->db);
}

bool gt_link_has_ended(gt_link *link) {
    gt_db_lock(link->db);
    bool ended = link->sync == NULL || gt_sync_has_ended(link->sync);
    gt_db_unlock(link->db);
    return ended;
}

goat_status gt_link_outcome(gt_link *link, gt_diag *diag) {
    gt_db_lock(link->db);
    bool ended = link->sync == NULL || gt_sync_has_ended(link->sync);
    goat_status status = ended ? has_ended(link, diag) : GOAT_OK;
    gt_db_unlock(link->db);
    return status;
}

const gt_sync *gt_link_sync(const gt_link *link) { return link->sync; }

/* ---- rounds ---- */

bool gt_links_step(gt_database *database, uint64_t now_us, uint64_t *deadline_us) {
    uint32_t count = gt_keyring_count(database->keyring);
    bool grew = count != database->certificates_seen, look = database->links_look;
    if (database->links == NULL) return false;
    if (database->phase != GT_DB_OPEN) {
        end_all(database, NULL);
        return false;
    }
    database->certificates_seen = count;
    database->links_look = false;
    for (gt_link *link = database->links; link != NULL; link = link->next) {
        if (link->sync == NULL) continue;
        if (grew) look_at_certificates(link);
        if (look && gt_link_is_client(link)) gt_link_look(link);
        if (link->holds == NULL) continue;
        gt_link_drop_holds(link, now_us < HOLD_US ? 0 : now_us - HOLD_US);
        if (link->holds != NULL && now_us + HOLD_US < *deadline_us) *deadline_us = now_us + HOLD_US;
    }
    return false;
}
