/* Steps: what the plan lets happen to a peer. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "world.h"

/* Carries a step out. One that makes no sense now (the machine is down) does nothing. */
void sim_step_take(sim_world *world, const sim_step *step);

/* Puts an end to what the machines suffer from: disks have room and work, nobody is slow. */
void sim_faults_end(sim_world *world);
void sim_disk_is_free(sim_peer *peer);

#endif
