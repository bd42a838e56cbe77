/* Somebody who is between the peers, or pretends to be one: he may send what he likes, and knows all that ever went
 * over the line, but has no key that is not his. Nothing of his may be admitted; a connection may end for it. */
#ifndef SIM_ENEMY_H
#define SIM_ENEMY_H

#include "world.h"

/* What may be done to packets on their way. */
typedef enum sim_plot {
    SIM_PLOT_NONE,
    SIM_PLOT_FLIP,
    SIM_PLOT_CUT_SHORT,
    SIM_PLOT_TWICE,
    SIM_PLOT_AGAIN_LATER, /* behind the packet after it */
    SIM_PLOT_SWAP,        /* with the packet after it */
    SIM_PLOTS
} sim_plot;

/* `kind`: SIM_TAMPER, SIM_REPLAY, SIM_GARBAGE, SIM_FORGE. The peer is whose line he has got into. */
void sim_enemy_act(sim_peer *peer, sim_step_kind kind, gt_sim_random *random);

/* A packet was sent on a connection where he waits for one. */
void sim_enemy_touch(sim_connection *connection, uint32_t direction);

/* ---- forge.c ---- */

/* Puts a batch that must not be admitted on the line. */
void sim_forge(sim_connection *connection, gt_sim_random *random);

#endif
