/* A peer's life: its machine starts, its app opens the database, runs, ends or is ended. */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "world.h"

void sim_peer_make(sim_world *world, uint32_t index);
void sim_peer_free(sim_peer *peer); /* with what it is in the middle of */

void sim_peer_start(sim_peer *peer);             /* it is down */
void sim_peer_end(sim_peer *peer, bool reopens); /* the app closes its database; nothing happens unless it is up */
/* The process is killed, or the machine loses power; it comes back after a while. */
void sim_peer_crash(sim_peer *peer, bool power, uint64_t down_us);

/* Looks after it at `at_us` at the latest. */
void sim_peer_wake(sim_peer *peer, uint64_t at_us);
/* Runs its engine until it rests, and sends what there is to send. */
void sim_peer_pump(sim_peer *peer);

/* The handle that is surely there while the peer is not down; NULL. */
goat_db *sim_peer_db(const sim_peer *peer);
/* Whether nothing of it is under way, and none of its logs has failed. */
bool sim_peer_is_at_rest(const sim_peer *peer);
/* Whether a log or a repository of it has failed, so that it must be opened anew. */
bool sim_peer_has_failed(const sim_peer *peer);

/* Another handle on its database, or the end of one. */
void sim_handle_join(sim_peer *peer, uint32_t handle);
void sim_handle_leave(sim_peer *peer, uint32_t handle);
void sim_handle_open(sim_peer *peer, uint32_t handle, uint8_t repo);
void sim_handle_close(sim_peer *peer, uint32_t handle, uint8_t repo);

/* Bits of the repositories' files were flipped, sectors spoilt: a bit each. */
void sim_peer_damage(sim_peer *peer, uint32_t repos);

/* The status that a call of the app came to: right now, and right for this peer. */
void sim_expect(sim_peer *peer, goat_status status, const char *call);
/* The same of what may be refused as invalid, if the error names a rule that the schemas have for the field it names. Frees
 * the error. */
void sim_expect_rule(sim_peer *peer, goat_status status, goat_error *error, const char *call);
void sim_expect_diag(sim_peer *peer, goat_status status, const gt_diag *diag, const char *call);

/* ---- jobs.c ---- */

/* Watches a job; frees it when it is done. False: there are too many; the job is left alone. */
void sim_job_add(sim_peer *peer, goat_job *job, sim_job_kind kind, uint32_t handle, uint8_t repo);
void sim_flush(sim_peer *peer, uint32_t handle, goat_durability level);
void sim_jobs_look(sim_peer *peer);
bool sim_jobs_have(const sim_peer *peer, sim_job_kind kind);
void sim_jobs_drop(sim_peer *peer); /* without a look at what they came to */

/* ---- scan.c ---- */

/* Looks at what has come to the peer's repositories since the last look. `made`: it may have made commits itself;
 * otherwise those it does not know from others are forged. */
void sim_scan_all(sim_peer *peer, bool made);
void sim_scan_forget(sim_peer *peer); /* everything is closed */
void sim_promise(sim_peer *to, sim_peer *holder, uint8_t repo, uint32_t rows);

#endif
