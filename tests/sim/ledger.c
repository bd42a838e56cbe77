/* Commits lie in one array in the order in which they were made; ids are hashes, so they are their own. */
#include "ledger.h"

#include "memory.h"

const char *const sim_repo_paths[SIM_REPOS_MAX] = {"/sys/sessions", "/sys/schemas", "/data/a", "/data/b", "/team/c"};

static uint64_t hash_of(const gt_id *id) { return gt_get_u64(id->bytes); }

void sim_ledger_init(sim_ledger *ledger) {
    *ledger = (sim_ledger){0};
    gt_index_init(&ledger->index, &gt_alloc_system);
}

void sim_ledger_free(sim_ledger *ledger) {
    gt_index_free(&ledger->index);
    sim_free(ledger->commits);
}

uint32_t sim_ledger_find(const sim_ledger *ledger, uint8_t repo, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&ledger->index, hash_of(id), &cursor);
    while (row != GT_INDEX_NONE) {
        const sim_commit *commit = &ledger->commits[row];
        if (commit->repo == repo && gt_id_compare(&commit->id, id) == 0) return row;
        row = gt_index_next(&ledger->index, &cursor);
    }
    return SIM_NOBODY;
}

uint32_t sim_ledger_add(sim_ledger *ledger, uint8_t repo, const gt_id *id, uint32_t author) {
    ledger->commits = sim_reserve(ledger->commits, ledger->count, &ledger->capacity, sizeof(sim_commit));
    ledger->commits[ledger->count] = (sim_commit){.id = *id, .author = author, .repo = repo};
    if (!gt_index_insert(&ledger->index, hash_of(id), ledger->count)) return SIM_NOBODY;
    return ledger->count++;
}

static bool is_of(const sim_commit *commit, uint32_t repo) { return repo == SIM_REPOS_MAX || commit->repo == repo; }

void sim_ledger_forget_held(sim_ledger *ledger, uint32_t peer, uint32_t repo) {
    for (uint32_t i = 0; i < ledger->count; i++) {
        if (is_of(&ledger->commits[i], repo)) ledger->commits[i].held &= ~(UINT64_C(1) << peer);
    }
}

void sim_ledger_forget_promised(sim_ledger *ledger, uint32_t peer, uint32_t repo) {
    for (uint32_t i = 0; i < ledger->count; i++) {
        if (is_of(&ledger->commits[i], repo)) ledger->commits[i].promised &= ~(UINT64_C(1) << peer);
    }
}

uint32_t sim_ledger_broken(const sim_ledger *ledger, uint32_t peer, uint32_t repo) {
    for (uint32_t i = 0; i < ledger->count; i++) {
        const sim_commit *commit = &ledger->commits[i];
        if (is_of(commit, repo) && (commit->promised & ~commit->held) >> peer & 1) return i;
    }
    return SIM_NOBODY;
}

bool sim_ledger_is_elsewhere(const sim_ledger *ledger, uint32_t peer, uint32_t repo) {
    for (uint32_t i = 0; i < ledger->count; i++) {
        const sim_commit *commit = &ledger->commits[i];
        uint64_t own = UINT64_C(1) << peer;
        if (is_of(commit, repo) && ((commit->held | commit->promised) & own) != 0 && (commit->promised & ~own) == 0) {
            return false;
        }
    }
    return true;
}

bool sim_ledger_has_lost(const sim_ledger *ledger, uint32_t repo) {
    for (uint32_t i = 0; i < ledger->count; i++) {
        if (is_of(&ledger->commits[i], repo) && ledger->commits[i].held == 0) return true;
    }
    return false;
}
