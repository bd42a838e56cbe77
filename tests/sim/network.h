/* Connections between clients and the server.
 *
 * While it lives a connection is what PROTOCOL.md 1.1 wants of a transport: packets arrive whole, in order, after a
 * while. It may be cut at any time; what is under way is lost then, and the two ends learn of it at different
 * times. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "world.h"

typedef enum sim_leave {
    SIM_LEAVE_GOODBYE, /* what is to be said is sent, BYE last */
    SIM_LEAVE_RESET,   /* the other end hears at once that the process is gone */
    SIM_LEAVE_SILENT,  /* the other end hears nothing, and finds out by its pings */
} sim_leave;

/* The peer is up: a client goes looking for the server. */
void sim_network_join(sim_peer *peer);
/* Its links end. */
void sim_network_leave(sim_peer *peer, sim_leave how);
/* Sends what the peer's links have to say; when they want to be asked again at the latest. */
uint64_t sim_network_send(sim_peer *peer);

/* Events. */
void sim_network_connect(sim_peer *client);
void sim_network_arrive(sim_connection *connection, uint32_t direction);
void sim_network_break(sim_connection *connection, uint32_t end);
void sim_network_heal(sim_peer *client);

/* Packets under way are lost, and each end is told after up to `told_us`. */
void sim_network_cut(sim_connection *connection, uint64_t told_us);
/* Nothing passes between the client and the server for a while; longer than pings allow ends the connection. */
void sim_network_part(sim_peer *client, uint64_t for_us);
/* Puts a packet behind those that are under way. */
void sim_network_put(sim_connection *connection, uint32_t direction, gt_bytes packet);
/* A connection of somebody who is no peer; NULL when the server is not there. */
sim_connection *sim_network_intrude(sim_world *world);
/* Whether packets are under way, or somebody has not been told yet. */
bool sim_network_is_quiet(const sim_world *world);
void sim_network_free(sim_world *world);

/* ---- describe.c ---- */

/* What is in a packet, in words; cut where it does not fit. */
void sim_packet_describe(gt_bytes packet, char *out, size_t size);

#endif
