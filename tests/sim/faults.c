/* A disk that is damaged, wiped or set back takes its promises with it. Bits are flipped only where all that a repository
 * holds is promised by another disk as well, and that one is not wiped until it has healed: then it can, and must. */
#include "faults.h"

#include "check.h"
#include "enemy.h"
#include "network.h"
#include "peer.h"
#include "workload.h"

#include <stdio.h>
#include <string.h>

enum { DOWN_US_MIN = 5000, DOWN_US_MAX = 20000000, ROOM_MAX = 6000, FULL_US_MAX = 20000000 };

/* ---- machines ---- */

static uint64_t draw_down(gt_sim_random *random) {
    return sim_once_in(random, 2) ? sim_between(random, DOWN_US_MIN, 500000)
                                  : sim_between(random, DOWN_US_MIN, DOWN_US_MAX);
}

static void crash_if_up(sim_peer *peer, gt_sim_random *random) {
    uint64_t down = draw_down(random);
    if (peer->phase != SIM_DOWN) sim_peer_crash(peer, sim_once_in(random, 2), down);
}

static void lose_promises(sim_peer *peer) {
    sim_ledger_forget_promised(&peer->world->ledger, peer->index, SIM_REPOS_MAX);
    peer->disk_life++;
    peer->damaged = peer->flipped = 0;
}

/* A server keeps the root's key: without it there is no such network any more. */
static bool survives_wipe(const sim_peer *peer, const char *name, bool keeps_session) {
    if (!peer->is_server) return false;
    return strcmp(name, "root.key") == 0 || (keeps_session && strcmp(name, "session.key") == 0);
}

/* Whether somebody else has damage that only this peer may be able to heal. */
static bool is_needed(const sim_peer *peer) {
    const sim_world *world = peer->world;
    for (uint32_t i = 0; i < world->plan->peers; i++) {
        if (i != peer->index && world->peers[i].flipped != 0) return true;
    }
    return false;
}

static void wipe(sim_peer *peer, gt_sim_random *random) {
    bool keeps_session = sim_once_in(random, 2);
    if (peer->life == 0 || is_needed(peer)) return;
    crash_if_up(peer, random);
    sim_say(peer->world, peer->index, "is wiped%s", keeps_session && peer->is_server ? " but for its keys" : "");
    size_t kept = 0;
    for (const char *name = gt_sim_name_at(peer->disk, kept); name != NULL; name = gt_sim_name_at(peer->disk, kept)) {
        if (survives_wipe(peer, name, keeps_session)) {
            kept++;
        } else {
            char copy[GT_PORT_NAME_MAX];
            snprintf(copy, sizeof(copy), "%s", name);
            gt_sim_remove_file(peer->disk, copy);
        }
    }
    lose_promises(peer);
}

static void back_up(sim_peer *peer) {
    if (peer->phase != SIM_UP) return;
    if (peer->backup == NULL) peer->backup = gt_sim_disk_new(&gt_alloc_system, 1);
    gt_sim_copy_files(peer->backup, peer->disk);
    peer->backup_damaged = peer->damaged;
    peer->backup_flipped = peer->flipped;
    sim_say(peer->world, peer->index, "is backed up");
}

static void restore(sim_peer *peer, gt_sim_random *random) {
    if (peer->backup == NULL || is_needed(peer)) return;
    crash_if_up(peer, random);
    if (peer->phase != SIM_DOWN) return;
    gt_sim_copy_files(peer->disk, peer->backup);
    lose_promises(peer);
    sim_peer_damage(peer, peer->backup_damaged);
    peer->flipped = peer->backup_flipped;
    sim_say(peer->world, peer->index, "goes back to its backup");
}

/* ---- disks ---- */

static void fill_up(sim_peer *peer, gt_sim_random *random) {
    gt_sim_options *options = gt_sim_options_of(peer->disk);
    sim_world *world = peer->world;
    options->capacity = gt_sim_used(peer->disk) + 1 + gt_sim_random_below(random, ROOM_MAX);
    peer->disk_failed = true;
    sim_say(world, peer->index, "has a full disk");
    uint64_t until = world->now_us + gt_sim_random_below(random, FULL_US_MAX);
    sim_queue_put(&world->queue, (sim_event){.at_us = until, .kind = SIM_EVENT_FREE, .peer = peer->index});
}

void sim_disk_is_free(sim_peer *peer) {
    if (gt_sim_options_of(peer->disk)->capacity == 0) return;
    gt_sim_options_of(peer->disk)->capacity = 0;
    sim_say(peer->world, peer->index, "has room on its disk again");
    if (sim_peer_has_failed(peer)) sim_peer_end(peer, true);
}

static void fail_disk(sim_peer *peer, gt_sim_random *random) {
    gt_sim_options *options = gt_sim_options_of(peer->disk);
    options->fail_operation = gt_sim_operations(peer->disk) + sim_between(random, 1, 20);
    peer->disk_failed = true;
    sim_say(peer->world, peer->index, "is to have a failing request");
}

static void flip(sim_peer *peer, gt_sim_random *random) {
    sim_world *world = peer->world;
    uint32_t repo = (uint32_t)gt_sim_random_below(random, 2 + world->plan->profile.repos);
    bool is_log = !sim_once_in(random, 4);
    char name[64];
    snprintf(name, sizeof(name), "repos%s.%s", sim_repo_paths[repo], is_log ? "log" : "checkpoint");
    gt_bytes file = gt_sim_file(peer->disk, name);
    if (file.len == 0 || !sim_ledger_is_elsewhere(&world->ledger, peer->index, repo) || is_needed(peer)) return;
    for (uint64_t bits = sim_between(random, 1, 3); bits > 0; bits--) {
        uint64_t bit = gt_sim_random_below(random, (uint64_t)file.len * 8);
        gt_sim_flip_bit(peer->disk, name, bit);
        sim_say(world, peer->index, "bit %llu of %s flips", (unsigned long long)bit, name);
    }
    sim_ledger_forget_promised(&world->ledger, peer->index, repo);
    sim_peer_damage(peer, 1u << repo);
    peer->flipped |= 1u << repo;
    if (sim_once_in(random, 2)) crash_if_up(peer, random);
}

static void set_clock(sim_peer *peer, gt_sim_random *random) {
    int64_t most = sim_once_in(random, 3) ? 86400000 : 30000;
    int64_t jump = (int64_t)gt_sim_random_below(random, 2 * (uint64_t)most + 1) - most;
    peer->skew_ms += jump;
    sim_say(peer->world, peer->index, "has its clock set by %lld ms", (long long)jump);
}

/* ---- connections ---- */

static void cut(sim_peer *peer, gt_sim_random *random) {
    uint64_t told = sim_once_in(random, 3) ? sim_between(random, 1000000, 20000000) : sim_between(random, 1, 200000);
    for (sim_connection *at = peer->world->live; at != NULL; at = at->next_live) {
        if (at->ends[0].peer != peer && at->ends[1].peer != peer) continue;
        if (at->is_cut || (peer->is_server && sim_once_in(random, 2))) continue;
        sim_say(peer->world, peer->index, "connection %u is cut", at->number);
        sim_network_cut(at, told);
    }
}

static void part(sim_peer *peer, gt_sim_random *random) {
    sim_world *world = peer->world;
    uint64_t length =
        sim_once_in(random, 3) ? sim_between(random, 15000000, 60000000) : sim_between(random, 50000, 10000000);
    uint32_t index = 1;
    for (sim_peer *client = sim_next_peer(world, &index); client != NULL; client = sim_next_peer(world, &index)) {
        if (client != peer && !(peer->is_server && sim_once_in(random, 2))) continue;
        sim_say(world, client->index, "is cut off for %llu ms", (unsigned long long)length / 1000);
        sim_network_part(client, length);
    }
}

void sim_faults_end(sim_world *world) {
    uint32_t index = 0;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        gt_sim_options *options = gt_sim_options_of(peer->disk);
        options->capacity = 0;
        options->fail_operation = 0;
        peer->slow_us = 0;
        sim_network_heal(peer);
        if (peer->phase == SIM_DOWN) sim_peer_start(peer);
    }
    for (sim_connection *at = world->live; at != NULL; at = at->next_live) {
        if (at->is_tampered && !at->is_cut) sim_network_cut(at, 1000);
    }
}

/* ---- apps ---- */

static void open_or_close(sim_peer *peer, gt_sim_random *random, bool opens) {
    uint32_t handle = (uint32_t)gt_sim_random_below(random, SIM_HANDLES_MAX);
    uint8_t repo = (uint8_t)(2 + gt_sim_random_below(random, peer->world->plan->profile.repos));
    if (peer->handles[handle].db == NULL) handle = 0;
    if (opens) {
        sim_handle_open(peer, handle, repo);
    } else {
        sim_handle_close(peer, handle, repo);
    }
}

static void flush_some(sim_peer *peer, gt_sim_random *random) {
    uint32_t handle = (uint32_t)gt_sim_random_below(random, SIM_HANDLES_MAX);
    goat_durability level = (goat_durability)gt_sim_random_below(random, peer->is_server ? 3 : 4);
    if (peer->handles[handle].db == NULL) handle = 0;
    sim_flush(peer, handle, level);
}

static void take_app_step(sim_peer *peer, sim_step_kind kind, gt_sim_random *random) {
    switch (kind) {
    case SIM_EDIT: sim_do_edits(peer, random, 1); break;
    case SIM_BURST: sim_do_edits(peer, random, (uint32_t)sim_between(random, 2, 15)); break;
    case SIM_TRANSACTION: sim_do_transaction(peer, random); break;
    case SIM_APPLY: sim_do_apply(peer, random); break;
    case SIM_REVERT: sim_do_revert(peer, random); break;
    case SIM_FLUSH: flush_some(peer, random); break;
    case SIM_ADVANCE:
        for (uint32_t i = 0; i < SIM_HANDLES_MAX; i++) {
            if (peer->handles[i].db != NULL) sim_advance(peer, i);
        }
        break;
    case SIM_OPEN_REPO: open_or_close(peer, random, true); break;
    case SIM_CLOSE_REPO: open_or_close(peer, random, false); break;
    case SIM_HANDLE:
        if (peer->handles[1].db == NULL) {
            sim_handle_join(peer, 1);
        } else {
            sim_handle_leave(peer, 1);
        }
        break;
    case SIM_SCHEMA: sim_do_schema(peer, random); break;
    case SIM_LOOK: sim_do_look(peer, random); break;
    default: sim_peer_end(peer, true); break;
    }
    sim_peer_wake(peer, peer->world->now_us);
}

void sim_step_take(sim_world *world, const sim_step *step) {
    sim_peer *peer = &world->peers[step->peer];
    gt_sim_random random;
    gt_sim_random_init(&random, step->seed);
    sim_note(world, peer->index, 7, step->seed);
    sim_say(world, peer->index, "step: %s", sim_step_name(step->kind));
    switch (step->kind) {
    case SIM_KILL: sim_peer_crash(peer, false, draw_down(&random)); break;
    case SIM_POWER: sim_peer_crash(peer, true, draw_down(&random)); break;
    case SIM_WIPE: wipe(peer, &random); break;
    case SIM_BACKUP: back_up(peer); break;
    case SIM_RESTORE: restore(peer, &random); break;
    case SIM_FULL: fill_up(peer, &random); break;
    case SIM_FAIL: fail_disk(peer, &random); break;
    case SIM_FLIP: flip(peer, &random); break;
    case SIM_CLOCK: set_clock(peer, &random); break;
    case SIM_CUT: cut(peer, &random); break;
    case SIM_PARTITION: part(peer, &random); break;
    case SIM_SLOW: peer->slow_us = peer->slow_us != 0 ? 0 : (uint32_t)sim_between(&random, 1000, 500000); break;
    case SIM_TAMPER:
    case SIM_REPLAY:
    case SIM_GARBAGE:
    case SIM_FORGE: sim_enemy_act(peer, step->kind, &random); break;
    case SIM_QUIET: sim_quiet(world); break;
    default:
        if (peer->phase == SIM_UP) take_app_step(peer, step->kind, &random);
        break;
    }
}
