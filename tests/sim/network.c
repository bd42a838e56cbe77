/* A direction is a queue of packets with one event, for the first of them. An end that has ended, or was told that the
 * other has, lets its link go; what it sent before still arrives. */
#include "network.h"

#include "enemy.h"
#include "peer.h"

enum {
    MONOTONIC_US = 1000000, /* as in peer.c */
    WINDOW = 256 * 1024,    /* bytes under way until a sender has to wait */
    PING_US = 15000000,     /* a line on which nothing passes for so long is dead */
    BACKOFF_MIN_US = 100000,
    BACKOFF_MAX_US = 30000000,
    SCRIPT_MAX = 128 * 1024,
};

static uint64_t jitter(sim_connection *connection, uint64_t most) {
    return gt_sim_random_below(&connection->random, most + 1);
}

/* ---- ends ---- */

static void on_ready(void *context) {
    sim_end *end = context;
    end->ready = true;
    if (end->peer != NULL) sim_peer_wake(end->peer, end->peer->world->now_us);
}

static void connect_later(sim_peer *client, uint64_t in_us) {
    sim_world *world = client->world;
    client->connect_us = world->now_us + in_us;
    sim_queue_put(&world->queue,
                  (sim_event){.at_us = client->connect_us, .kind = SIM_EVENT_CONNECT, .peer = client->index});
}

static void back_off(sim_peer *client) {
    uint64_t most = BACKOFF_MIN_US;
    for (uint32_t i = 0; i < client->attempts && most < BACKOFF_MAX_US; i++) most *= 2;
    if (most > BACKOFF_MAX_US) most = BACKOFF_MAX_US;
    client->attempts++;
    connect_later(client, most / 2 + gt_sim_random_below(&client->random, most / 2 + 1));
}

static void drop_link(sim_end *end) {
    sim_connection *connection = end->connection;
    if (end->link == NULL) return;
    sim_world *world = end->peer->world;
    goat_db *db = sim_peer_db(end->peer);
    gt_db_lock(db);
    const gt_sync_counters *counters = gt_sync_get_counters(gt_link_sync(end->link));
    world->counts.messages += counters->messages_in;
    world->counts.rounds += counters->rounds;
    gt_db_unlock(db);
    gt_link_free(end->link);
    end->link = NULL;
    if (end->peer->upstream == connection) {
        end->peer->upstream = NULL;
        if (end->peer->phase == SIM_UP) back_off(end->peer);
    }
    sim_end *other = &connection->ends[end == &connection->ends[0]];
    if (other->link != NULL) return;
    sim_connection **at = &world->live;
    while (*at != connection) at = &(*at)->next_live;
    *at = connection->next_live;
}

/* `number` of the event: the end. */
static void tell(sim_connection *connection, uint32_t end, uint64_t in_us) {
    sim_end *at = &connection->ends[end];
    if (at->link == NULL || at->told) return;
    sim_world *world = at->peer->world;
    at->told = true;
    sim_queue_put(
        &world->queue,
        (sim_event){.at_us = world->now_us + in_us, .kind = SIM_EVENT_BREAK, .number = end, .of = connection});
}

void sim_network_break(sim_connection *connection, uint32_t end) {
    sim_end *at = &connection->ends[end];
    if (at->link == NULL) return;
    sim_note(at->peer->world, at->peer->index, 3, connection->number);
    sim_say(at->peer->world, at->peer->index, "connection %u is gone", connection->number);
    drop_link(at);
}

/* ---- packets ---- */

static void await(sim_connection *connection, uint32_t direction, uint64_t at_us, sim_world *world) {
    connection->ends[direction].out.waits = true;
    sim_queue_put(&world->queue,
                  (sim_event){.at_us = at_us, .kind = SIM_EVENT_ARRIVE, .number = direction, .of = connection});
}

static sim_world *world_of(const sim_connection *connection) { return connection->ends[1].peer->world; }

static void record(sim_connection *connection, gt_bytes packet) {
    if (connection->script_len + packet.len + 4 > SCRIPT_MAX) return;
    for (size_t i = 0; i < packet.len + 4; i++) {
        connection->script =
            sim_reserve(connection->script, connection->script_len + i, &connection->script_capacity, 1);
    }
    uint8_t *at = connection->script + connection->script_len;
    gt_put_u32(at, (uint32_t)packet.len);
    memcpy(at + 4, packet.data, packet.len);
    connection->script_len += packet.len + 4;
}

void sim_network_put(sim_connection *connection, uint32_t direction, gt_bytes packet) {
    sim_world *world = world_of(connection);
    sim_direction *out = &connection->ends[direction].out;
    if (connection->is_cut) return;
    sim_packet *made = sim_new(1, sizeof(*made) + packet.len);
    if (packet.len > 0) memcpy(made->bytes, packet.data, packet.len);
    made->len = packet.len;
    made->at_us = world->now_us + out->latency_us + jitter(connection, out->jitter_us);
    if (made->at_us < out->last_us) made->at_us = out->last_us;
    out->last_us = made->at_us;
    out->bytes += packet.len;
    if (out->last == NULL) {
        out->first = made;
    } else {
        out->last->next = made;
    }
    out->last = made;
    if (connection->ends[direction].plot != SIM_PLOT_NONE) sim_enemy_touch(connection, direction);
    if (!out->waits && out->first != NULL) await(connection, direction, out->first->at_us, world);
}

static void drop_packets(sim_direction *out) {
    while (out->first != NULL) {
        sim_packet *packet = out->first;
        out->first = packet->next;
        sim_free(packet);
    }
    out->last = NULL;
    out->bytes = 0;
}

static sim_packet *take(sim_direction *out) {
    sim_packet *packet = out->first;
    out->first = packet->next;
    if (out->first == NULL) out->last = NULL;
    out->bytes -= packet->len;
    return packet;
}

static void print_packet(const sim_end *to, const sim_packet *packet) {
    char words[1024];
    sim_packet_describe(gt_bytes_of(packet->bytes, packet->len), words, sizeof(words));
    sim_print(to->peer->world, to->peer->index, "takes on %u: %zu bytes: %s", to->connection->number, packet->len,
              words);
}

static void receive(sim_end *to, const sim_packet *packet) {
    sim_peer *peer = to->peer;
    sim_world *world = peer->world;
    static const uint8_t key[GT_SIPHASH_KEY_SIZE] = {1};
    gt_diag diag;
    gt_diag_init(&diag);
    world->counts.packets++;
    world->counts.bytes += packet->len;
    sim_note(world, peer->index, to->connection->number, gt_siphash(key, gt_bytes_of(packet->bytes, packet->len)));
    if (world->prints) print_packet(to, packet);
    goat_status status = gt_link_receive(to->link, gt_bytes_of(packet->bytes, packet->len), world->hasher, &diag);
    if (status != GOAT_OK) {
        sim_say(world, peer->index, "… and ends connection %u: %s, %s", to->connection->number, gt_status_name(status),
                diag.message);
    }
    to->ready = true;
    if (status != GOAT_OK) {
        world->counts.refused_packets++;
        if (!to->connection->is_tampered) {
            sim_fail(world, "honest", "peer %u ends an honest connection: %s, %s", peer->index, gt_status_name(status),
                     diag.message);
        }
    } else if (peer->upstream == to->connection) {
        peer->attempts = 0;
    }
    sim_scan_all(peer, false);
    sim_peer_wake(peer, world->now_us + gt_sim_random_below(&peer->random, 50));
}

void sim_network_arrive(sim_connection *connection, uint32_t direction) {
    sim_world *world = world_of(connection);
    sim_end *from = &connection->ends[direction], *to = &connection->ends[1 - direction];
    sim_direction *out = &from->out;
    out->waits = false;
    if (out->first == NULL) return; /* a partition that healed has let it through already */
    if (connection->is_cut || to->link == NULL) {
        drop_packets(out);
        if (!connection->is_cut) tell(connection, direction, 0);
        return;
    }
    const sim_peer *client = connection->ends[0].peer;
    uint64_t until = client == NULL ? 0 : client->cut_off_until_us;
    if (until > world->now_us) {
        await(connection, direction, until, world);
        return;
    }
    sim_packet *packet = take(out);
    receive(to, packet);
    sim_free(packet);
    if (from->link != NULL && from->ready) sim_peer_wake(from->peer, world->now_us);
    if (out->first != NULL) {
        uint64_t next = world->now_us + to->peer->slow_us;
        await(connection, direction, out->first->at_us > next ? out->first->at_us : next, world);
    } else if (from->link == NULL && from->peer != NULL) {
        tell(connection, 1 - direction, 0);
    }
}

/* ---- sending ---- */

/* True when the link has said all that it ever will. */
static bool send_from(sim_end *end, gt_buf *packet) {
    uint32_t direction = end == &end->connection->ends[1];
    end->ready = false;
    while (end->out.bytes < WINDOW) {
        gt_buf_clear(packet);
        if (!gt_link_send(end->link, packet)) break;
        if (direction == 0) record(end->connection, gt_buf_bytes(packet));
        sim_network_put(end->connection, direction, gt_buf_bytes(packet));
    }
    if (end->out.bytes >= WINDOW) {
        end->ready = true;
        end->deadline_us = UINT64_MAX; /* it is asked again when packets have arrived */
        return false;
    }
    uint64_t deadline = gt_link_deadline(end->link);
    end->deadline_us = deadline == UINT64_MAX ? UINT64_MAX : deadline < MONOTONIC_US ? 0 : deadline - MONOTONIC_US;
    return gt_link_has_ended(end->link);
}

static void send_or_end(sim_end *end, gt_buf *packet) {
    sim_connection *connection = end->connection;
    if (!send_from(end, packet)) return;
    uint32_t own = end == &connection->ends[1];
    sim_say(end->peer->world, end->peer->index, "ends connection %u", connection->number);
    drop_link(end);
    if (end->out.first == NULL) tell(connection, 1 - own, 0);
}

uint64_t sim_network_send(sim_peer *peer) {
    sim_world *world = peer->world;
    uint64_t deadline = UINT64_MAX;
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    for (sim_connection *at = world->live, *next; at != NULL && !world->failed; at = next) {
        next = at->next_live;
        sim_end *end = &at->ends[peer->is_server];
        if (end->peer != peer || end->link == NULL) continue;
        if (end->ready ? end->out.bytes < WINDOW : end->deadline_us <= world->now_us) send_or_end(end, &packet);
        if (end->link != NULL && end->deadline_us < deadline) deadline = end->deadline_us;
    }
    gt_buf_free(&packet);
    sim_scan_all(peer, true);
    return deadline;
}

/* ---- connecting ---- */

static void make_direction(sim_connection *connection, sim_direction *out, const sim_profile *profile) {
    out->latency_us = 1 + (uint32_t)jitter(connection, profile->latency_us_max);
    out->jitter_us = (uint32_t)jitter(connection, out->latency_us);
}

/* Points in the middle of a walk, walks that take turns, filters in many steps, credit that runs out. */
static const gt_sync_sizes small_pieces = {
    .window = GT_SYNC_WINDOW_MIN, .packet = 512, .data = 1024, .point_every = 2048, .slice = 16};

static goat_status make_link(sim_end *end, gt_sync_role role) {
    sim_peer *peer = end->peer;
    goat_db *db = peer->handles[0].db;
    gt_link_config config = {.role = role, .ready = on_ready, .context = end};
    config.all = role == GT_SYNC_CLIENT && peer->habits.syncs_all;
    config.stored = role == GT_SYNC_CLIENT && peer->habits.syncs_stored;
    end->ready = true;
    end->deadline_us = UINT64_MAX;
    gt_db_lock(db);
    if (peer->world->plan->profile.small_pieces) gt_db_set_sync_sizes(db, &small_pieces);
    goat_status status = gt_link_new(db, &config, &end->link, NULL);
    gt_db_unlock(db);
    return status;
}

static sim_connection *make_connection(sim_world *world, sim_peer *client) {
    sim_connection *made = sim_new(1, sizeof(*made));
    enum { PART_CONNECTION = 200 };
    made->number = world->connection_count++;
    gt_sim_random_init(&made->random, sim_seed(world->plan->seed, PART_CONNECTION + made->number,
                                               client == NULL ? SIM_PEERS_MAX : client->index));
    for (int i = 0; i < 2; i++) {
        made->ends[i].connection = made;
        make_direction(made, &made->ends[i].out, &world->plan->profile);
    }
    made->ends[0].peer = client;
    made->ends[1].peer = &world->peers[0];
    made->next = world->connections;
    world->connections = made;
    made->next_live = world->live;
    world->live = made;
    world->counts.connections++;
    return made;
}

sim_connection *sim_network_intrude(sim_world *world) {
    sim_peer *server = &world->peers[0];
    if (server->phase != SIM_UP) return NULL;
    sim_connection *made = make_connection(world, NULL);
    made->is_tampered = true;
    if (make_link(&made->ends[1], GT_SYNC_SERVER) != GOAT_OK) sim_fail(world, "simulator", "no link");
    sim_peer_wake(server, world->now_us);
    return made;
}

void sim_network_connect(sim_peer *client) {
    sim_world *world = client->world;
    sim_peer *server = &world->peers[0];
    if (client->phase != SIM_UP || client->upstream != NULL || client->connect_us > world->now_us) return;
    client->connect_us = UINT64_MAX;
    if (server->phase != SIM_UP || client->cut_off_until_us > world->now_us) {
        back_off(client);
        return;
    }
    sim_connection *made = make_connection(world, client);
    client->server_life = server->disk_life;
    client->upstream = made;
    sim_say(world, client->index, "connects, connection %u", made->number);
    sim_note(world, client->index, 4, made->number);
    if (make_link(&made->ends[0], GT_SYNC_CLIENT) != GOAT_OK || make_link(&made->ends[1], GT_SYNC_SERVER) != GOAT_OK) {
        sim_fail(world, "simulator", "no link");
    }
    sim_peer_wake(client, world->now_us);
    sim_peer_wake(server, world->now_us);
}

void sim_network_join(sim_peer *peer) {
    if (peer->is_server) {
        gt_db_lock(peer->handles[0].db);
        gt_db_serve_begin(peer->handles[0].db);
        gt_db_unlock(peer->handles[0].db);
    } else {
        peer->attempts = 0;
        connect_later(peer, gt_sim_random_below(&peer->random, BACKOFF_MIN_US));
    }
}

/* ---- trouble ---- */

void sim_network_leave(sim_peer *peer, sim_leave how) {
    sim_world *world = peer->world;
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    for (sim_connection *at = world->live, *next; at != NULL; at = next) {
        next = at->next_live;
        sim_end *end = &at->ends[peer->is_server];
        if (end->peer != peer || end->link == NULL) continue;
        uint32_t other = peer->is_server ? 0 : 1;
        if (how == SIM_LEAVE_GOODBYE) {
            gt_link_end(end->link);
            send_from(end, &packet);
            if (end->out.first == NULL) tell(at, other, 0);
        } else {
            at->is_cut = true;
            tell(at, other, how == SIM_LEAVE_RESET ? jitter(at, 1000) : PING_US / 2 + jitter(at, PING_US));
        }
        drop_link(end);
    }
    gt_buf_free(&packet);
    if (peer->is_server && how == SIM_LEAVE_GOODBYE && peer->phase == SIM_UP) {
        gt_db_lock(peer->handles[0].db);
        gt_db_serve_end(peer->handles[0].db);
        gt_db_unlock(peer->handles[0].db);
    }
    peer->upstream = NULL;
    peer->connect_us = UINT64_MAX;
}

void sim_network_cut(sim_connection *connection, uint64_t told_us) {
    connection->is_cut = true;
    for (uint32_t i = 0; i < 2; i++) tell(connection, i, jitter(connection, told_us));
}

void sim_network_part(sim_peer *client, uint64_t for_us) {
    sim_world *world = client->world;
    client->cut_off_until_us = world->now_us + for_us;
    if (for_us < PING_US) return;
    for (sim_connection *at = world->live; at != NULL; at = at->next_live) {
        if (at->ends[0].peer == client) sim_network_cut(at, PING_US);
    }
}

void sim_network_heal(sim_peer *client) {
    sim_world *world = client->world;
    if (client->cut_off_until_us <= world->now_us) return;
    client->cut_off_until_us = world->now_us;
    for (sim_connection *at = world->live; at != NULL; at = at->next_live) {
        if (at->ends[0].peer != client) continue;
        for (uint32_t i = 0; i < 2; i++) {
            if (at->ends[i].out.first != NULL) await(at, i, world->now_us, world);
        }
    }
}

bool sim_network_is_quiet(const sim_world *world) {
    for (const sim_connection *at = world->live; at != NULL; at = at->next_live) {
        for (int i = 0; i < 2; i++) {
            if (at->ends[i].out.first != NULL || at->ends[i].told || at->ends[i].link == NULL) return false;
        }
    }
    return true;
}

void sim_network_free(sim_world *world) {
    while (world->connections != NULL) {
        sim_connection *connection = world->connections;
        world->connections = connection->next;
        for (int i = 0; i < 2; i++) drop_packets(&connection->ends[i].out);
        sim_free(connection->script);
        sim_free(connection);
    }
}
