/* What honest peers have made and what was promised of it, kept outside of the engine.
 *
 * A commit is entered when its author's engine has captured it. `held` says who has it now, `promised` who has told
 * his app, or whose app was told of him, that it is on his disk. A promise ends only with the disk: when it is wiped,
 * goes back to a backup, or has bits flipped in it. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/index.h"
#include "commit/commit.h"

enum { SIM_REPOS_MAX = 5 }; /* /sys/sessions, /sys/schemas, up to three more */
#define SIM_NOBODY UINT32_MAX

extern const char *const sim_repo_paths[SIM_REPOS_MAX];

typedef struct sim_commit {
    gt_id id;
    uint64_t held, promised; /* a bit a peer */
    uint32_t author;
    uint8_t repo;
} sim_commit;

typedef struct sim_ledger {
    sim_commit *commits;
    uint32_t count;
    size_t capacity;
    gt_index index;
} sim_ledger;

void sim_ledger_init(sim_ledger *ledger);
void sim_ledger_free(sim_ledger *ledger);
/* SIM_NOBODY: it was never made. */
uint32_t sim_ledger_find(const sim_ledger *ledger, uint8_t repo, const gt_id *id);
uint32_t sim_ledger_add(sim_ledger *ledger, uint8_t repo, const gt_id *id, uint32_t author);

/* The peer holds nothing of the repository any more (until it is looked at again); SIM_REPOS_MAX: of any. */
void sim_ledger_forget_held(sim_ledger *ledger, uint32_t peer, uint32_t repo);
/* The same for promises. */
void sim_ledger_forget_promised(sim_ledger *ledger, uint32_t peer, uint32_t repo);
/* The first commit of the repository that was promised at the peer, and that it does not hold; SIM_NOBODY. */
uint32_t sim_ledger_broken(const sim_ledger *ledger, uint32_t peer, uint32_t repo);
/* Whether all of the repository that the peer holds is promised at another one. */
bool sim_ledger_is_elsewhere(const sim_ledger *ledger, uint32_t peer, uint32_t repo);
/* Whether there is a commit of the repository that nobody holds. */
bool sim_ledger_has_lost(const sim_ledger *ledger, uint32_t repo);

#endif
