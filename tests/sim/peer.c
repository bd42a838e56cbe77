/* Opening is an app's: the database first, then its schema, then the repositories it wants. Whatever fails is tried
 * again after a while, as an app that is started again would. */
#include "peer.h"

#include "bugs.h"
#include "check.h"
#include "db/internal.h"
#include "network.h"
#include "workload.h"

enum {
    MONOTONIC_US = 1000000, /* what a machine's clock shows when the world begins */
    ROUNDS_MAX = 100000,    /* of one pump, or the engine does not come to rest */
    TRY_AGAIN_US = 1500000,
};
#define WALL_MS INT64_C(1750000000000)
/* Clocks are set by days here, and who edits before his first meeting is to lose nothing by it. */
#define CLOCK_AHEAD_MAX_MS (INT64_C(365) * 86400000)

/* ---- its machine ---- */

static uint64_t monotonic_us(void *context) {
    const sim_peer *peer = context;
    return peer->world->now_us + MONOTONIC_US;
}

static int64_t wall_ms(void *context) {
    const sim_peer *peer = context;
    int64_t now_ms = (int64_t)(peer->world->now_us / 1000);
    return WALL_MS + peer->skew_ms + now_ms + now_ms * peer->drift_ppm / 1000000;
}

static goat_host host_of(sim_peer *peer) {
    goat_host host = {.struct_size = sizeof(host)};
    host.allocator = sim_memory_source(&peer->memory);
    host.clock = (goat_clock){sizeof(goat_clock), peer, monotonic_us, wall_ms};
    host.random = gt_sim_random_source(&peer->engine);
    if (gt_sim_storage(peer->disk, &host.storage, NULL) != GOAT_OK) {
        sim_fail(peer->world, "simulator", "no memory for a storage");
    }
    return host;
}

enum { PART_ENGINE = 100, PART_MACHINE, PART_DISK, PART_HABITS };

static void draw_habits(sim_peer *peer) {
    const sim_plan *plan = peer->world->plan;
    sim_habits *habits = &peer->habits;
    gt_sim_random random;
    gt_sim_random_init(&random, sim_seed(plan->seed, PART_HABITS, peer->index));
    uint32_t repos = plan->profile.repos;
    for (uint32_t i = 0; i < repos; i++) {
        if (!sim_once_in(&random, 4)) habits->wanted |= 1u << (2 + i);
    }
    if (habits->wanted == 0) habits->wanted = 1u << (2 + gt_sim_random_below(&random, repos));
    habits->syncs_all = sim_once_in(&random, 3);
    habits->syncs_stored = sim_once_in(&random, 2);
    habits->registers = peer->is_server || !sim_once_in(&random, 4);
    if (sim_once_in(&random, 3)) habits->interval_ms = (uint32_t)sim_between(&random, 1, 2000);
    if (plan->profile.skew_ms_max != 0) {
        peer->skew_ms = (int64_t)gt_sim_random_below(&random, 2 * (uint64_t)plan->profile.skew_ms_max + 1) -
                        (int64_t)plan->profile.skew_ms_max;
    }
    peer->drift_ppm = (int32_t)gt_sim_random_below(&random, 2001) - 1000;
}

void sim_peer_make(sim_world *world, uint32_t index) {
    sim_peer *peer = &world->peers[index];
    const sim_plan *plan = world->plan;
    peer->world = world;
    peer->index = index;
    peer->is_server = index == 0;
    peer->schema = 1;
    peer->wake_us = peer->start_us = peer->connect_us = UINT64_MAX;
    gt_sim_random_init(&peer->engine, sim_seed(plan->seed, PART_ENGINE, index));
    gt_sim_random_init(&peer->random, sim_seed(plan->seed, PART_MACHINE, index));
    peer->disk = gt_sim_disk_new(&gt_alloc_system, sim_seed(plan->seed, PART_DISK, index));
    gt_sim_options *options = gt_sim_options_of(peer->disk);
    options->delay_polls_max = plan->profile.polls_max;
    options->damage_unsynced = plan->profile.damage_unsynced;
    options->forget_syncs = sim_bug_lying_disk;
    draw_habits(peer);
}

/* ---- starting ---- */

static void start_later(sim_peer *peer, uint64_t in_us) {
    sim_world *world = peer->world;
    peer->phase = SIM_DOWN;
    peer->start_us = world->now_us + in_us;
    sim_queue_put(&world->queue, (sim_event){.at_us = peer->start_us, .kind = SIM_EVENT_START, .peer = peer->index});
}

/* A file that cannot be opened is what its owner deletes, when all he can do is to begin anew. */
static void delete_condemned(sim_peer *peer) {
    for (uint32_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        char name[64];
        if ((peer->condemned >> repo & 1) == 0) continue;
        snprintf(name, sizeof(name), "repos%s.log", sim_repo_paths[repo]);
        gt_sim_remove_file(peer->disk, name);
        snprintf(name, sizeof(name), "repos%s.checkpoint", sim_repo_paths[repo]);
        gt_sim_remove_file(peer->disk, name);
        sim_ledger_forget_promised(&peer->world->ledger, peer->index, repo);
        sim_say(peer->world, peer->index, "deletes %s, which cannot be opened", sim_repo_paths[repo]);
    }
    if (peer->condemned != 0) peer->disk_life++;
    peer->flipped |= peer->condemned & 1; /* without certificates nothing else can be read either */
    peer->damaged |= peer->condemned & 1;
    peer->condemned = 0;
}

void sim_peer_start(sim_peer *peer) {
    sim_world *world = peer->world;
    if (peer->phase != SIM_DOWN || world->failed) return;
    peer->start_us = UINT64_MAX;
    if (!peer->is_server && !world->has_network) {
        start_later(peer, 200000);
        return;
    }
    delete_condemned(peer);
    goat_host host = host_of(peer);
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.capture_interval_ms = peer->habits.interval_ms;
    gt_database *database = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_database_new("sim", 3, config.flags, &host, &database, &diag);
    if (status == GOAT_OK && world->has_network) gt_database_set_root(database, world->root_key);
    if (status == GOAT_OK) status = gt_db_new(database, &config, &peer->handles[0].db, &diag);
    if (status != GOAT_OK) {
        sim_fail(world, "simulator", "peer %u does not begin to open: %s", peer->index, diag.message);
        return;
    }
    peer->life++;
    peer->phase = SIM_OPENING;
    sim_note(world, peer->index, 1, peer->life);
    sim_say(world, peer->index, "starts, life %u", peer->life);
    sim_peer_wake(peer, world->now_us);
}

void sim_handle_open(sim_peer *peer, uint32_t handle, uint8_t repo) {
    sim_handle *at = &peer->handles[handle];
    goat_job *job = NULL;
    if (at->db == NULL || at->repos[repo] != NULL) return;
    const char *path = sim_repo_paths[repo];
    goat_status status = goat_repo_open(at->db, path, strlen(path), 0, &at->repos[repo], &job, NULL);
    sim_expect(peer, status, "opening a repository");
    if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_OPEN_REPO, handle, repo);
}

static void opened(sim_peer *peer) {
    sim_world *world = peer->world;
    goat_db *db = peer->handles[0].db;
    peer->phase = SIM_UP;
    sim_say(world, peer->index, "is up");
    if (peer->is_server) {
        gt_database *database = gt_db_database(db);
        memcpy(world->root_key, database->root.public_key, sizeof(world->root_key));
        database->clock_ahead_max_ms = CLOCK_AHEAD_MAX_MS;
        world->has_network = true;
    }
    if (peer->habits.registers) sim_register_schemas(peer, 0);
    for (uint8_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        if ((peer->habits.wanted >> repo & 1) != 0) sim_handle_open(peer, 0, repo);
    }
    sim_network_join(peer);
    sim_scan_all(peer, true);
    sim_peer_wake(peer, world->now_us);
}

/* ---- ending ---- */

static void free_handle(sim_peer *peer, sim_handle *handle) {
    sim_paging_end(&handle->paging);
    for (int repo = 0; repo < SIM_REPOS_MAX; repo++) {
        goat_repo_free(handle->repos[repo]);
        handle->repos[repo] = NULL;
    }
    sim_pendings_clear(&handle->pendings);
    gt_db_release(handle->db);
    handle->db = NULL;
    (void)peer;
}

static void close_handle(sim_peer *peer, uint32_t handle) {
    goat_job *job = NULL;
    goat_status status = goat_db_close(peer->handles[handle].db, &job, NULL);
    if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_CLOSE, handle, 0);
}

/* Everything is closed: nothing of it may be left. */
static void is_down(sim_peer *peer) {
    sim_jobs_drop(peer);
    for (int i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db != NULL) free_handle(peer, &peer->handles[i]);
    }
    sim_scan_forget(peer);
    peer->phase = SIM_DOWN;
    peer->stage = 0;
    peer->wake_us = UINT64_MAX;
    if (peer->memory.live != 0) {
        sim_fail(peer->world, "leak", "peer %u has closed its database and %zu bytes are left", peer->index,
                 peer->memory.live);
    }
}

void sim_peer_end(sim_peer *peer, bool reopens) {
    if (peer->phase != SIM_UP) return;
    sim_say(peer->world, peer->index, "closes its database");
    sim_network_leave(peer, SIM_LEAVE_GOODBYE);
    for (uint32_t i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db != NULL) close_handle(peer, i);
    }
    sim_scan_all(peer, true);
    peer->phase = SIM_CLOSING;
    peer->opens_again = reopens;
    sim_peer_wake(peer, peer->world->now_us);
}

/* The dead storage answers everything at once, so this ends. */
static void drain(sim_peer *peer) {
    goat_db *db = sim_peer_db(peer);
    for (uint32_t i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db != NULL) close_handle(peer, i);
    }
    gt_db_lock(db);
    for (int rounds = 0; gt_database_is_busy(gt_db_database(db)) && rounds < ROUNDS_MAX; rounds++) {
        gt_db_pump(db, gt_db_now_us(db), NULL);
    }
    bool busy = gt_database_is_busy(gt_db_database(db));
    gt_db_unlock(db);
    if (busy) sim_fail(peer->world, "rest", "peer %u does not end on a dead disk", peer->index);
}

void sim_peer_damage(sim_peer *peer, uint32_t repos) {
    peer->damaged |= repos;
    for (int repo = 0; repo < SIM_REPOS_MAX; repo++) {
        if ((repos >> repo & 1) != 0) peer->damaged_at[repo] = peer->scans[repo].opening;
    }
}

void sim_peer_crash(sim_peer *peer, bool power, uint64_t down_us) {
    sim_world *world = peer->world;
    if (peer->phase == SIM_DOWN) return;
    sim_say(world, peer->index, power ? "loses power for %u ms" : "is killed for %u ms", (unsigned)(down_us / 1000));
    sim_note(world, peer->index, 2, power);
    world->counts.crashes++;
    sim_network_leave(peer, power ? SIM_LEAVE_SILENT : SIM_LEAVE_RESET);
    if (power) {
        gt_sim_crash(peer->disk);
        if (world->plan->profile.damage_unsynced) sim_peer_damage(peer, (1u << SIM_REPOS_MAX) - 1);
    } else {
        gt_sim_kill(peer->disk);
    }
    drain(peer);
    is_down(peer);
    start_later(peer, down_us);
}

void sim_peer_free(sim_peer *peer) {
    if (peer->phase != SIM_DOWN) {
        gt_sim_kill(peer->disk);
        sim_network_leave(peer, SIM_LEAVE_RESET);
        drain(peer);
        is_down(peer);
    }
    for (int i = 0; i < SIM_HANDLES_MAX; i++) sim_free(peer->handles[i].pendings.list);
    for (int i = 0; i < SIM_REPOS_MAX; i++) sim_free(peer->scans[i].commits);
    gt_sim_disk_free(peer->disk);
    gt_sim_disk_free(peer->backup);
}

/* ---- handles ---- */

void sim_handle_join(sim_peer *peer, uint32_t handle) {
    if (peer->phase != SIM_UP || peer->handles[handle].db != NULL) return;
    goat_config config = GOAT_CONFIG_INIT;
    goat_status status = gt_db_join(peer->handles[0].db, &config, &peer->handles[handle].db, NULL);
    sim_expect(peer, status, "joining");
    for (uint8_t repo = 2; status == GOAT_OK && repo < SIM_REPOS_MAX; repo++) {
        if ((peer->habits.wanted >> repo & 1) != 0) sim_handle_open(peer, handle, repo);
    }
}

void sim_handle_leave(sim_peer *peer, uint32_t handle) {
    if (peer->phase != SIM_UP || handle == 0 || peer->handles[handle].db == NULL) return;
    sim_pendings_clear(&peer->handles[handle].pendings);
    close_handle(peer, handle);
    sim_scan_all(peer, true);
    for (uint32_t i = 0; i < peer->job_count; i++) { /* others of its jobs end by themselves */
        sim_job *job = &peer->jobs[i];
        if (job->handle == handle && job->kind == SIM_JOB_OPEN_REPO) job->kind = SIM_JOB_CLOSE_REPO;
    }
    free_handle(peer, &peer->handles[handle]);
}

void sim_handle_close(sim_peer *peer, uint32_t handle, uint8_t repo) {
    sim_handle *at = &peer->handles[handle];
    goat_job *job = NULL;
    if (at->repos[repo] == NULL) return;
    goat_status status = goat_repo_close(at->repos[repo], &job, NULL);
    sim_scan_all(peer, true);
    sim_pendings_forget_repo(&at->pendings, repo);
    sim_expect(peer, status, "closing a repository");
    if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_CLOSE_REPO, handle, repo);
    for (uint32_t i = 0; i < peer->job_count; i++) { /* its handle is no more */
        sim_job *other = &peer->jobs[i];
        if (other->handle == handle && other->repo == repo && other->kind == SIM_JOB_OPEN_REPO) {
            other->kind = SIM_JOB_CLOSE_REPO;
        }
    }
    goat_repo_free(at->repos[repo]);
    at->repos[repo] = NULL;
}

goat_db *sim_peer_db(const sim_peer *peer) {
    for (int i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db != NULL) return peer->handles[i].db;
    }
    return NULL;
}

/* ---- running ---- */

void sim_peer_wake(sim_peer *peer, uint64_t at_us) {
    if (peer->phase == SIM_DOWN || at_us >= peer->wake_us) return;
    peer->wake_us = at_us;
    sim_queue_put(&peer->world->queue,
                  (sim_event){.at_us = at_us, .kind = SIM_EVENT_PUMP, .peer = peer->index, .number = at_us});
}

static void look_at_opening(sim_peer *peer) {
    gt_diag diag;
    gt_diag_init(&diag);
    goat_db *db = peer->handles[0].db;
    gt_db_lock(db);
    goat_status status = gt_db_check(db, &diag);
    gt_db_unlock(db);
    if (status == GOAT_LOADING) return;
    if (status == GOAT_OK) {
        opened(peer);
        return;
    }
    sim_say(peer->world, peer->index, "does not open: %s, %s", gt_status_name(status), diag.message);
    sim_expect(peer, status, "opening");
    if (status == GOAT_CORRUPT || status == GOAT_UNTRUSTED) peer->condemned |= 3;
    close_handle(peer, 0);
    peer->phase = SIM_CLOSING;
    peer->opens_again = true;
    sim_peer_wake(peer, peer->world->now_us);
}

static void look_at_closing(sim_peer *peer, bool busy) {
    if (busy || sim_jobs_have(peer, SIM_JOB_CLOSE)) return;
    is_down(peer);
    if (peer->opens_again) start_later(peer, TRY_AGAIN_US);
}

/* Runs the engine until it rests; when it wants to go on by itself; whether it still has something under way. */
static bool run_engine(sim_peer *peer, uint64_t *deadline_us) {
    goat_db *db = sim_peer_db(peer);
    int rounds = 0;
    gt_db_lock(db);
    gt_database *database = gt_db_database(db);
    while (gt_db_pump(db, gt_db_now_us(db), deadline_us) && ++rounds < ROUNDS_MAX) {
    }
    bool waits_for_disk = gt_io_pending(database->io) > 0;
    bool busy = gt_database_is_busy(database);
    gt_db_unlock(db);
    if (rounds == ROUNDS_MAX) sim_fail(peer->world, "rest", "peer %u does not come to rest", peer->index);
    if (*deadline_us != UINT64_MAX) *deadline_us = *deadline_us < MONOTONIC_US ? 0 : *deadline_us - MONOTONIC_US;
    if (waits_for_disk) {
        uint64_t look = peer->world->now_us + sim_between(&peer->random, 1, peer->world->plan->profile.disk_us_max);
        if (look < *deadline_us) *deadline_us = look;
    }
    return busy;
}

void sim_peer_pump(sim_peer *peer) {
    uint64_t deadline = UINT64_MAX;
    peer->wake_us = UINT64_MAX;
    if (peer->phase == SIM_DOWN) return;
    bool busy = run_engine(peer, &deadline);
    sim_scan_all(peer, true);
    sim_jobs_look(peer);
    switch (peer->phase) {
    case SIM_OPENING: look_at_opening(peer); break;
    case SIM_CLOSING: look_at_closing(peer, busy); break;
    default: break;
    }
    if (peer->phase == SIM_DOWN) return;
    uint64_t links = sim_network_send(peer);
    if (links < deadline) deadline = links;
    if (deadline != UINT64_MAX) {
        uint64_t soon = peer->world->now_us + 1;
        sim_peer_wake(peer, deadline < soon ? soon : deadline);
    }
}

bool sim_peer_has_failed(const sim_peer *peer) {
    const goat_db *db = sim_peer_db(peer);
    if (db == NULL) return false;
    for (gt_mount *mount = gt_db_database(db)->mounts; mount != NULL; mount = mount->next) {
        if (gt_repo_get_phase(mount->repo) == GT_REPO_FAILED ||
            gt_log_get_state(gt_repo_log(mount->repo)) == GT_LOG_FAILED) {
            return true;
        }
    }
    return false;
}

bool sim_peer_is_at_rest(const sim_peer *peer) {
    if (peer->phase != SIM_UP || peer->job_count > 0) return false;
    return !gt_database_is_busy(gt_db_database(peer->handles[0].db)) && !sim_peer_has_failed(peer);
}

/* ---- what calls may come to ---- */

void sim_expect(sim_peer *peer, goat_status status, const char *call) {
    switch (status) {
    case GOAT_OK:
    case GOAT_NOT_FOUND:
    case GOAT_EXISTS:
    case GOAT_LOADING:
    case GOAT_NO_SCHEMA:
    case GOAT_CLOSED:
    case GOAT_OFFLINE: return;
    case GOAT_IO:
    case GOAT_FULL:
        if (peer->disk_failed) return;
        break;
    case GOAT_CORRUPT:
    case GOAT_UNTRUSTED:
        if (peer->damaged != 0) return;
        break;
    default: break;
    }
    sim_fail(peer->world, "status", "peer %u: %s came to %s", peer->index, call, gt_status_name(status));
}

/* An app does what it may, so a refusal is a rule of the schema's, or a fault of ours. */
static void expect(sim_peer *peer, goat_status status, const char *field, const char *rule, const char *message,
                   const char *call) {
    if (status != GOAT_INVALID) {
        sim_expect(peer, status, call);
        return;
    }
    peer->world->counts.invalid++;
    if (sim_has_rule(field, rule)) return;
    sim_fail(peer->world, "invalid", "peer %u: %s was refused for the rule '%s' of the field '%s': %s", peer->index,
             call, rule, field, message);
}

void sim_expect_rule(sim_peer *peer, goat_status status, goat_error *error, const char *call) {
    const char *field = goat_error_detail(error, GOAT_DETAIL_FIELD), *rule = goat_error_detail(error, GOAT_DETAIL_RULE);
    expect(peer, status, field == NULL ? "" : field, rule == NULL ? "" : rule, goat_error_message(error), call);
    goat_error_free(error);
}

void sim_expect_diag(sim_peer *peer, goat_status status, const gt_diag *diag, const char *call) {
    expect(peer, status, diag->field, diag->rule, diag->message, call);
}
