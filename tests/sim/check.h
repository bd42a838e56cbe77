/* Quiet points: everything heals, everybody runs until nothing is under way, and what must always hold is looked at.
 *
 * Safety is watched all the time (scan.c); that everybody comes to the same is only asked for when nothing stands in
 * the way any more. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "world.h"

void sim_quiet(sim_world *world);

/* Jobs of a check are done. */
void sim_check_digest(sim_peer *peer, uint8_t repo, goat_status status, gt_bytes digest);
void sim_check_verified(sim_peer *peer, goat_status status, gt_bytes report);

#endif
