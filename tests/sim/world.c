/* The order of events is the order of the queue; steps are taken between them. */
#include "world.h"

#include "check.h"
#include "faults.h"
#include "network.h"
#include "peer.h"

#include <stdarg.h>
#include <stdio.h>

void sim_world_make(sim_world *world, const sim_plan *plan, bool prints) {
    *world = (sim_world){.plan = plan, .prints = prints};
    sim_ledger_init(&world->ledger);
    if (gt_crypto_init(NULL) != GOAT_OK || gt_hasher_new(&gt_alloc_system, &world->hasher, NULL) != GOAT_OK) {
        sim_fail(world, "simulator", "cryptography does not begin");
        return;
    }
    world->peers = sim_new(plan->peers, sizeof(sim_peer));
    for (uint32_t i = 0; i < plan->peers; i++) sim_peer_make(world, i);
}

void sim_world_free(sim_world *world) {
    for (uint32_t i = 0; world->peers != NULL && i < world->plan->peers; i++) sim_peer_free(&world->peers[i]);
    sim_network_free(world);
    sim_queue_free(&world->queue);
    sim_ledger_free(&world->ledger);
    gt_hasher_free(world->hasher);
    sim_free(world->peers);
}

/* ---- what happened ---- */

void sim_fail(sim_world *world, const char *rule, const char *format, ...) {
    va_list arguments;
    if (world->failed) return;
    world->failed = true;
    world->rule = rule;
    va_start(arguments, format);
    vsnprintf(world->words, sizeof(world->words), format, arguments);
    va_end(arguments);
    sim_say(world, 0, "FAILS: %s: %s", rule, world->words);
}

void sim_note(sim_world *world, uint32_t peer, uint64_t what, uint64_t number) {
    uint64_t mix = world->trace ^ world->now_us ^ (uint64_t)peer << 56;
    mix = (mix ^ what) * UINT64_C(0x9e3779b97f4a7c15);
    mix = (mix ^ mix >> 29 ^ number) * UINT64_C(0xbf58476d1ce4e5b9);
    world->trace = mix ^ mix >> 32;
}

void sim_print(const sim_world *world, uint32_t peer, const char *format, ...) {
    va_list arguments;
    printf("%10.6f %2u  ", (double)world->now_us / 1e6, peer);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

sim_peer *sim_next_peer(const sim_world *world, uint32_t *index) {
    while (*index < world->plan->peers && !sim_peer_is_there(world, *index)) ++*index;
    return *index < world->plan->peers ? &world->peers[(*index)++] : NULL;
}

/* ---- time ---- */

static void happen(sim_world *world, const sim_event *event) {
    sim_peer *peer = &world->peers[event->peer];
    switch (event->kind) {
    case SIM_EVENT_PUMP:
        if (peer->wake_us == event->number) sim_peer_pump(peer);
        break;
    case SIM_EVENT_START:
        if (peer->start_us == event->at_us) sim_peer_start(peer);
        break;
    case SIM_EVENT_FREE: sim_disk_is_free(peer); break;
    case SIM_EVENT_CONNECT:
        if (peer->connect_us == event->at_us) sim_network_connect(peer);
        break;
    case SIM_EVENT_ARRIVE: sim_network_arrive(event->of, (uint32_t)event->number); break;
    case SIM_EVENT_BREAK: sim_network_break(event->of, (uint32_t)event->number); break;
    }
}

void sim_world_pass(sim_world *world, uint64_t until_us) {
    while (!world->failed && sim_queue_next(&world->queue) <= until_us) {
        sim_event event = sim_queue_take(&world->queue);
        world->now_us = event.at_us > world->now_us ? event.at_us : world->now_us;
        happen(world, &event);
    }
    if (!world->failed && world->now_us < until_us) world->now_us = until_us;
}

void sim_world_run(sim_world *world) {
    const sim_plan *plan = world->plan;
    uint32_t index = 0;
    if (world->failed) return;
    for (sim_peer *peer = sim_next_peer(world, &index); peer != NULL; peer = sim_next_peer(world, &index)) {
        sim_peer_start(peer);
    }
    sim_world_pass(world, 1000000);
    for (uint32_t i = 0; i < plan->step_count && !world->failed; i++) {
        sim_world_pass(world, world->now_us + plan->steps[i].pause_us);
        if (sim_plan_has(plan, i) && !world->failed) sim_step_take(world, &plan->steps[i]);
    }
    if (!world->failed) sim_quiet(world);
}
