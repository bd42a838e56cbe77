/* He works on packets that are under way; where there are none he waits for the next. */
#include "enemy.h"

#include "network.h"
#include "peer.h"

enum { GARBAGE_MAX = 300, OVERSIZE = 70 * 1024 /* more than is taken before the handshake is over */ };

/* ---- packets under way ---- */

static void flip_some(sim_packet *packet, gt_sim_random *random) {
    for (uint64_t i = sim_between(random, 1, 4); i > 0 && packet->len > 0; i--) {
        uint64_t bit = gt_sim_random_below(random, (uint64_t)packet->len * 8);
        packet->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static sim_packet *copy_of(const sim_packet *packet) {
    sim_packet *made = sim_new(1, sizeof(*made) + packet->len);
    memcpy(made->bytes, packet->bytes, packet->len);
    made->len = packet->len;
    made->at_us = packet->at_us;
    return made;
}

static void put_behind(sim_direction *out, sim_packet *before, sim_packet *packet) {
    packet->next = before->next;
    packet->at_us = before->at_us;
    before->next = packet;
    if (out->last == before) out->last = packet;
    out->bytes += packet->len;
}

static void swap_first_two(sim_direction *out) {
    sim_packet *first = out->first, *second = first->next;
    uint64_t at = first->at_us;
    first->next = second->next;
    second->next = first;
    out->first = second;
    if (out->last == second) out->last = first;
    first->at_us = second->at_us;
    second->at_us = at;
}

static bool needs_two(sim_plot plot) { return plot == SIM_PLOT_AGAIN_LATER || plot == SIM_PLOT_SWAP; }

void sim_enemy_touch(sim_connection *connection, uint32_t direction) {
    sim_end *end = &connection->ends[direction];
    sim_direction *out = &end->out;
    sim_plot plot = (sim_plot)end->plot;
    if (out->first == NULL || (needs_two(plot) && out->first->next == NULL)) return;
    end->plot = SIM_PLOT_NONE;
    switch (plot) {
    case SIM_PLOT_FLIP: flip_some(out->first, &connection->random); break;
    case SIM_PLOT_CUT_SHORT: {
        size_t len = (size_t)gt_sim_random_below(&connection->random, (uint64_t)out->first->len + 1);
        out->bytes -= out->first->len - len;
        out->first->len = len;
        break;
    }
    case SIM_PLOT_TWICE: put_behind(out, out->first, copy_of(out->first)); break;
    case SIM_PLOT_AGAIN_LATER: put_behind(out, out->first->next, copy_of(out->first)); break;
    default: swap_first_two(out); break;
    }
}

/* A connection that the peer has; NULL. */
static sim_connection *choose(const sim_peer *peer, gt_sim_random *random) {
    uint64_t count = 0;
    sim_connection *chosen = NULL;
    for (sim_connection *at = peer->world->live; at != NULL; at = at->next_live) {
        if (at->is_cut || at->ends[0].link == NULL || at->ends[1].link == NULL) continue;
        if (at->ends[0].peer != peer && at->ends[1].peer != peer) continue;
        if (gt_sim_random_below(random, ++count) == 0) chosen = at;
    }
    return chosen;
}

static void tamper(sim_peer *peer, gt_sim_random *random) {
    sim_connection *connection = choose(peer, random);
    uint32_t direction = (uint32_t)gt_sim_random_below(random, 2);
    uint32_t plot = (uint32_t)sim_between(random, 1, SIM_PLOTS - 1);
    if (connection == NULL) return;
    sim_say(peer->world, peer->index, "somebody plots %u against connection %u, direction %u", plot, connection->number,
            direction);
    connection->is_tampered = true;
    connection->ends[direction].plot = plot;
    sim_enemy_touch(connection, direction);
}

/* ---- packets of his own ---- */

/* A whole conversation of a client, once more. */
static void replay(sim_peer *peer, gt_sim_random *random) {
    sim_world *world = peer->world;
    const sim_connection *old = NULL;
    uint64_t count = 0;
    for (const sim_connection *at = world->connections; at != NULL; at = at->next) {
        if (at->script_len > 0 && gt_sim_random_below(random, ++count) == 0) old = at;
    }
    sim_connection *connection = old == NULL ? NULL : sim_network_intrude(world);
    if (connection == NULL) return;
    sim_say(world, 0, "somebody replays connection %u as %u", old->number, connection->number);
    for (size_t at = 0; at < old->script_len;) {
        size_t len = gt_get_u32(old->script + at);
        sim_network_put(connection, 0, gt_bytes_of(old->script + at + 4, len));
        at += len + 4;
    }
}

static void send_garbage(sim_peer *peer, gt_sim_random *random) {
    sim_world *world = peer->world;
    bool intrudes = sim_once_in(random, 2);
    sim_connection *connection = intrudes ? sim_network_intrude(world) : choose(peer, random);
    size_t len = sim_once_in(random, 8) ? OVERSIZE : (size_t)gt_sim_random_below(random, GARBAGE_MAX);
    uint32_t direction = intrudes ? 0 : (uint32_t)gt_sim_random_below(random, 2);
    if (connection == NULL) return;
    uint8_t *bytes = sim_new(len + 1, 1);
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)gt_sim_random_u64(random);
    if (len > 2 && sim_once_in(random, 2)) { /* something like a message */
        bytes[0] = (uint8_t)(0x80 + gt_sim_random_below(random, 11));
        bytes[1] = (uint8_t)gt_sim_random_below(random, 17);
    }
    sim_say(world, peer->index, "somebody sends %zu bytes of garbage on connection %u", len, connection->number);
    connection->is_tampered = true;
    sim_network_put(connection, direction, gt_bytes_of(bytes, len));
    sim_free(bytes);
}

void sim_enemy_act(sim_peer *peer, sim_step_kind kind, gt_sim_random *random) {
    sim_connection *connection;
    switch (kind) {
    case SIM_TAMPER: tamper(peer, random); break;
    case SIM_REPLAY: replay(peer, random); break;
    case SIM_GARBAGE: send_garbage(peer, random); break;
    default:
        connection = choose(peer, random);
        if (connection != NULL) sim_forge(connection, random);
        break;
    }
}
