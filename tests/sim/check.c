/* Each peer goes through stages of a check by itself: it opens what it has stored and flushes; a client then waits until
 * its link is even and flushes to the server. A peer that has to be started anew begins again. */
#include "check.h"

#include "db/internal.h"
#include "faults.h"
#include "network.h"
#include "peer.h"
#include "workload.h"

#include <stdio.h>

enum { /* stages */
       STAGE_NONE,
       STAGE_FLUSHES, /* to its disk */
       STAGE_EVEN,    /* a client's link, then all that is under way */
       STAGE_REACHES, /* flushes to the server */
       STAGE_DONE,
};

enum {
    SLICE_US_MIN = 20000,
    SLICE_US_MAX = 1000000,
    SETTLE_US_MAX = 400000000, /* back-off, pings, a handshake and an answer that never comes, twice */
    REPORT_US_MAX = 60000000,
    ROUNDS_PER_RUN_MAX = 16,
    VERIFIED_MAX = 3,
};

/* ---- stages ---- */

/* Repositories that the peer has on its disk or wants. */
static uint32_t stored(const sim_peer *peer) {
    uint32_t repos = 3;
    for (uint32_t repo = 2; repo < 2 + peer->world->plan->profile.repos; repo++) {
        char name[64];
        snprintf(name, sizeof(name), "repos%s.log", sim_repo_paths[repo]);
        bool is_wanted = peer->is_server || peer->habits.syncs_all || (peer->habits.wanted >> repo & 1) != 0;
        if (is_wanted || gt_sim_file(peer->disk, name).data != NULL) repos |= 1u << repo;
    }
    return repos;
}

static void begin(sim_peer *peer) {
    uint32_t repos = stored(peer);
    if (peer->is_server) {
        for (uint32_t i = 0; i < peer->world->plan->peers; i++) {
            if (peer->world->peers[i].schema > peer->schema) peer->schema = peer->world->peers[i].schema;
        }
        sim_register_schemas(peer, 0);
    }
    for (uint8_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        if ((repos >> repo & 1) != 0) sim_handle_open(peer, 0, repo);
    }
    for (uint32_t i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db == NULL) continue;
        sim_advance(peer, i);
        sim_flush(peer, i, GOAT_DURABLE_DISK);
    }
    peer->stage = STAGE_FLUSHES;
    sim_peer_wake(peer, peer->world->now_us);
}

static bool is_even(const sim_peer *peer) {
    if (peer->is_server) return true;
    if (peer->upstream == NULL || peer->upstream->is_cut) return false;
    const goat_db *db = peer->handles[0].db;
    gt_db_lock(db);
    bool even = gt_link_is_even(peer->upstream->ends[0].link);
    gt_db_unlock(peer->handles[0].db);
    return even;
}

/* Brings a peer one stage further if it can go; true once it is at the last. */
static bool go_on(sim_peer *peer) {
    if (peer->phase != SIM_UP) return false;
    if (sim_peer_has_failed(peer) || peer->condemned != 0) {
        sim_peer_end(peer, true);
        return false;
    }
    switch (peer->stage) {
    case STAGE_NONE: begin(peer); break;
    case STAGE_FLUSHES:
        if (sim_peer_is_at_rest(peer)) peer->stage = STAGE_EVEN;
        break;
    case STAGE_EVEN:
        if (!is_even(peer)) break;
        peer->flushed = 0;
        if (!peer->is_server) sim_flush(peer, 0, GOAT_DURABLE_SERVER);
        peer->stage = STAGE_REACHES;
        sim_peer_wake(peer, peer->world->now_us);
        break;
    case STAGE_REACHES:
        if (peer->job_count > 0) break;
        peer->stage = peer->is_server || peer->flushed > 0 ? STAGE_DONE : STAGE_EVEN;
        break;
    default: return sim_peer_is_at_rest(peer) && is_even(peer);
    }
    return false;
}

/* ---- sets ---- */

static bool has_same(const sim_peer *peer, const sim_peer *server, uint32_t repo) {
    const sim_scan *own = &peer->scans[repo], *other = &server->scans[repo];
    if ((stored(peer) >> repo & 1) == 0) return true;
    return own->is_open && other->is_open && own->rows == other->rows && own->sum == other->sum;
}

/* A peer that does not hold what the server holds; NULL. */
static sim_peer *odd_one(sim_world *world, uint32_t *repo) {
    uint32_t index = 1;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        for (*repo = 0; *repo < SIM_REPOS_MAX; ++*repo) {
            if (!has_same(peer, &world->peers[0], *repo)) return peer;
        }
    }
    return NULL;
}

static void print_channels(const sim_peer *peer) {
    gt_channel_info info;
    if (peer->upstream == NULL || peer->phase != SIM_UP) return;
    const gt_sync *sync = gt_link_sync(peer->upstream->ends[0].link);
    const gt_channel *channel = sync == NULL ? NULL : gt_sync_next_channel(sync, NULL);
    for (; channel != NULL && gt_sync_channel_info(sync, channel, &info);
         channel = gt_sync_next_channel(sync, channel)) {
        sim_print(peer->world, peer->index,
                  "channel of %.*s: %s%s%s, %llu bytes behind, %llu unacknowledged, %llu of %llu came",
                  (int)info.path.len, (const char *)info.path.data, info.open ? "open" : "not open",
                  info.even ? ", even" : "", info.unequal ? ", unequal" : "", (unsigned long long)info.behind_bytes,
                  (unsigned long long)info.unacknowledged, (unsigned long long)info.came_bytes,
                  (unsigned long long)info.coming_bytes);
    }
}

static void report_unsettled(sim_world *world) {
    uint32_t index = 0, repo;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        sim_say(world, peer->index, "phase %d, stage %u, %u jobs, failed %d, rest %d, even %d", peer->phase,
                peer->stage, peer->job_count, sim_peer_has_failed(peer), sim_peer_is_at_rest(peer),
                peer->phase == SIM_UP && is_even(peer));
        for (repo = 0; repo < SIM_REPOS_MAX; repo++) {
            sim_say(world, peer->index, "%s: %u commits", sim_repo_paths[repo], peer->scans[repo].rows);
        }
        if (world->prints) print_channels(peer);
    }
    index = 0;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        if (go_on(peer)) continue;
        sim_fail(world, "converge", "peer %u does not come to rest: phase %d, stage %u, %u jobs", peer->index,
                 peer->phase, peer->stage, peer->job_count);
        return;
    }
    sim_peer *odd = odd_one(world, &repo);
    if (odd != NULL) {
        sim_fail(world, "converge", "peer %u has %u commits of %s, the server %u", odd->index, odd->scans[repo].rows,
                 sim_repo_paths[repo], world->peers[0].scans[repo].rows);
    } else {
        sim_fail(world, "converge", "packets go on for ever");
    }
}

static void settle(sim_world *world) {
    uint64_t until = world->now_us + SETTLE_US_MAX, slice = SLICE_US_MIN;
    uint32_t index = 0, repo;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        peer->stage = STAGE_NONE;
    }
    for (bool settled = false; !settled && !world->failed;) {
        if (world->now_us >= until) {
            report_unsettled(world);
            return;
        }
        sim_world_pass(world, world->now_us + slice);
        slice = slice * 5 / 4 < SLICE_US_MAX ? slice * 5 / 4 : SLICE_US_MAX;
        settled = true;
        index = 0;
        for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
            settled = go_on(peer) && settled;
        }
        settled = settled && sim_network_is_quiet(world) && odd_one(world, &repo) == NULL;
    }
}

/* ---- digests ---- */

static void copy_field(gt_bytes digest, const char *name, uint8_t *out) {
    gt_bytes field = gt_map_find(digest, gt_bytes_text(name)), bytes;
    if (field.data != NULL && gt_value_as_bytes(field, &bytes) && bytes.len == GT_HASH_SIZE)
        memcpy(out, bytes.data, GT_HASH_SIZE);
}

void sim_check_digest(sim_peer *peer, uint8_t repo, goat_status status, gt_bytes digest) {
    int64_t entries = 0;
    if (status != GOAT_OK) return;
    copy_field(digest, "views", peer->digests[repo]);
    copy_field(digest, "fingerprint", peer->digests[repo] + GT_HASH_SIZE);
    if (gt_value_as_int64(gt_map_find(digest, gt_bytes_text("entries")), &entries)) {
        peer->entries[repo] = (uint64_t)entries;
    }
    peer->digested |= 1u << repo;
}

static void ask_digests(sim_peer *peer) {
    peer->digested = 0;
    for (uint32_t i = 0; i < SIM_HANDLES_MAX; i++) {
        if (peer->handles[i].db != NULL) sim_advance(peer, i);
    }
    for (uint8_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        goat_job *job = NULL;
        if (peer->handles[0].repos[repo] == NULL) continue;
        goat_status status = goat_repo_digest(peer->handles[0].repos[repo], NULL, &job, NULL);
        sim_expect(peer, status, "asking for a digest");
        if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_DIGEST, 0, repo);
    }
    sim_peer_wake(peer, peer->world->now_us);
}

static void compare_digests(sim_peer *peer) {
    sim_world *world = peer->world;
    const sim_peer *server = &world->peers[0];
    for (uint32_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        if (peer->handles[0].repos[repo] == NULL) continue;
        if (((peer->digested & server->digested) >> repo & 1) == 0) {
            sim_fail(world, "views", "there is no digest of %s by peer %u, or by the server", sim_repo_paths[repo],
                     peer->index);
            return;
        }
        const uint8_t *own = peer->digests[repo], *other = server->digests[repo];
        if (peer->entries[repo] != server->entries[repo] ||
            memcmp(own + GT_HASH_SIZE, other + GT_HASH_SIZE, GT_HASH_SIZE) != 0) {
            sim_fail(world, "fingerprint",
                     "peer %u and the server hold the same commits of %s and say that they do not", peer->index,
                     sim_repo_paths[repo]);
        } else if (memcmp(own, other, GT_HASH_SIZE) != 0) {
            sim_fail(world, "views", "peer %u and the server hold the same commits of %s and show others", peer->index,
                     sim_repo_paths[repo]);
        }
    }
}

/* ---- verifying ---- */

static bool begins_with(gt_bytes text, const char *words) {
    size_t len = strlen(words);
    return text.len >= len && memcmp(text.data, words, len) == 0;
}

/* A tail that was cut when the log was opened is named, as it should be, and nothing that was promised was in it. One
 * copy of a header is not written again: the other one serves. */
static bool is_harmless(gt_bytes message) {
    return begins_with(message, "the end of the log is torn") ||
           begins_with(message, "a copy of the header is damaged");
}

static uint32_t repo_of(gt_bytes path) {
    uint32_t repo = 0;
    while (repo < SIM_REPOS_MAX && !begins_with(path, sim_repo_paths[repo])) repo++;
    return repo;
}

/* Damage may stay where it took what nobody else had; and of somebody whose certificate nobody has any more, because the disk
 * of the one failed and that of the other was wiped, batches are still there. */
static bool may_stay(const sim_peer *peer, uint32_t repo, gt_bytes kind) {
    const sim_ledger *ledger = &peer->world->ledger;
    if (begins_with(kind, "certificate") && sim_ledger_has_lost(ledger, 0)) return true;
    return (peer->damaged >> repo & 1) != 0 && sim_ledger_has_lost(ledger, repo);
}

void sim_check_verified(sim_peer *peer, goat_status status, gt_bytes report) {
    if (status != GOAT_OK) return;
    gt_iter iter = gt_array_iter(gt_map_find(report, gt_bytes_text("faults")));
    gt_bytes fault;
    uint32_t faulty = 0;
    while (gt_array_next(&iter, &fault)) {
        gt_bytes path = {0}, kind = {0}, message = {0};
        gt_value_as_text(gt_map_find(fault, gt_bytes_text("path")), &path);
        gt_value_as_text(gt_map_find(fault, gt_bytes_text("kind")), &kind);
        gt_value_as_text(gt_map_find(fault, gt_bytes_text("message")), &message);
        if (is_harmless(message)) continue;
        faulty |= 1u << repo_of(path);
        if (may_stay(peer, repo_of(path), kind)) continue;
        sim_fail(peer->world, "verify", "peer %u: %.*s at %.*s: %.*s", peer->index, (int)kind.len,
                 (const char *)kind.data, (int)path.len, (const char *)path.data, (int)message.len,
                 (const char *)message.data);
    }
    for (uint32_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        bool was_read_since = peer->scans[repo].opening > peer->damaged_at[repo];
        if (!was_read_since || (faulty >> repo & 1) != 0) continue;
        peer->damaged &= ~(1u << repo);
        peer->flipped &= ~(1u << repo);
    }
    peer->verified = true;
}

static void ask_verify(sim_peer *peer) {
    goat_job *job = NULL;
    peer->verified = false;
    goat_status status = goat_db_verify(peer->handles[0].db, NULL, 0, NULL, &job, NULL);
    sim_expect(peer, status, "asking to verify");
    if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_VERIFY, 0, 0);
    sim_peer_wake(peer, peer->world->now_us);
}

/* The server, whoever has damage that should have healed, and a few others: signatures are what takes time. */
static void verify_some(sim_world *world) {
    uint32_t index = 0, others = 0;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        bool chosen = peer->is_server || peer->damaged != 0 || (others < VERIFIED_MAX && others++ < VERIFIED_MAX);
        if (chosen) ask_verify(peer);
    }
}

static void wait_for_jobs(sim_world *world) {
    uint64_t until = world->now_us + REPORT_US_MAX, slice = SLICE_US_MIN;
    for (bool busy = true; busy && !world->failed;) {
        uint32_t index = 0;
        sim_world_pass(world, world->now_us + slice);
        busy = false;
        for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
            busy = busy || peer->job_count > 0;
        }
        if (busy && world->now_us >= until) sim_fail(world, "converge", "digests or verifying do not end");
    }
}

/* ---- promises and memory ---- */

static void look_for_promised(sim_world *world) {
    const sim_ledger *ledger = &world->ledger;
    for (uint32_t i = 0; i < ledger->count; i++) {
        const sim_commit *commit = &ledger->commits[i];
        if (commit->promised == 0 || (commit->held & 1) != 0) continue;
        sim_fail(world, "durable", "a commit of %s by peer %u that was promised to be on a disk is gone",
                 sim_repo_paths[commit->repo], commit->author);
        return;
    }
}

/* What a peer may have: for each repository a page of each table and a chunk of its log, its files a few times, and
 * what each link costs. */
static void look_at_memory(sim_peer *peer) {
    uint64_t links = 0, most = SIM_REPOS_MAX * 3 * (uint64_t)512 * 1024 + 6 * gt_sim_used(peer->disk);
    for (const sim_connection *at = peer->world->live; at != NULL; at = at->next_live) {
        links += at->ends[peer->is_server].peer == peer;
    }
    most += links * 128 * 1024;
    if (peer->memory.live > most) {
        sim_fail(peer->world, "memory", "peer %u has %zu bytes of memory for %llu on its disk and %llu links",
                 peer->index, peer->memory.live, (unsigned long long)gt_sim_used(peer->disk),
                 (unsigned long long)links);
    }
    sim_say(peer->world, peer->index, "has %zu bytes of memory, %llu on disk, %llu links", peer->memory.live,
            (unsigned long long)gt_sim_used(peer->disk), (unsigned long long)links);
}

/* ---- all of it ---- */

void sim_quiet(sim_world *world) {
    uint32_t index = 0;
    world->is_calm = true;
    world->counts.quiets++;
    sim_faults_end(world);
    settle(world);
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL && !world->failed;
         peer = sim_next_peer(world, &index)) {
        ask_digests(peer);
    }
    if (!world->failed) wait_for_jobs(world);
    index = 1;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL && !world->failed;
         peer = sim_next_peer(world, &index)) {
        compare_digests(peer);
    }
    if (!world->failed) look_for_promised(world);
    if (!world->failed) verify_some(world);
    if (!world->failed) wait_for_jobs(world);
    index = 0;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL && !world->failed;
         peer = sim_next_peer(world, &index)) {
        look_at_memory(peer);
    }
    world->is_calm = false;
}
