/* Reading what a peer's repositories hold into the ledger.
 *
 * A commit is good when it is in the ledger. It gets there by being signed with the peer's own key at a time when the
 * peer was not taking in a packet: an engine signs what its app did and, with the root's key, certificates. */
#include "peer.h"

#include "db/internal.h"
#include "repo/tables.h"
#include "workload.h"

static bool is_own(const sim_peer *peer, const gt_database *database, const gt_mount *mount, const gt_id *session) {
    (void)peer;
    if (gt_id_compare(session, &database->own.session) == 0) return true;
    return mount->is_sessions && database->has_root && gt_id_compare(session, &database->root.session) == 0;
}

static void report_forged(sim_peer *peer, uint8_t repo, const gt_id *id) {
    sim_fail(peer->world, "forged", "peer %u has admitted a commit to %s that nobody made: %02x%02x%02x%02x",
             peer->index, sim_repo_paths[repo], id->bytes[0], id->bytes[1], id->bytes[2], id->bytes[3]);
}

/* A commit that the peer did not know; SIM_NOBODY when it is none. */
static uint32_t enter(sim_peer *peer, gt_mount *mount, uint8_t repo, uint32_t row, bool made) {
    sim_world *world = peer->world;
    const gt_commit_row *commit = gt_commit_at(mount->repo, row);
    const gt_batch_row *batch = gt_batch_at(mount->repo, commit->batch);
    const gt_id *session = &gt_session_at(mount->repo, batch->session)->id;
    gt_database *database = mount->database;
    bool certifies = mount->is_sessions && database->has_root;
    if (!is_own(peer, database, mount, session) || !(made || certifies)) {
        report_forged(peer, repo, &commit->id);
        return SIM_NOBODY;
    }
    world->counts.commits++;
    sim_pendings_settle(peer, mount->repo, repo, row);
    return sim_ledger_add(&world->ledger, repo, &commit->id, peer->index);
}

static void scan_rows(sim_peer *peer, gt_mount *mount, uint8_t repo, bool made) {
    sim_scan *scan = &peer->scans[repo];
    sim_ledger *ledger = &peer->world->ledger;
    uint32_t count = (uint32_t)gt_repo_entry_count(mount->repo);
    while (scan->rows < count && !peer->world->failed) {
        const gt_id *id = &gt_commit_at(mount->repo, scan->rows)->id;
        uint32_t found = sim_ledger_find(ledger, repo, id);
        if (found == SIM_NOBODY) found = enter(peer, mount, repo, scan->rows, made);
        if (found == SIM_NOBODY) return;
        ledger->commits[found].held |= UINT64_C(1) << peer->index;
        scan->commits = sim_reserve(scan->commits, scan->rows, &scan->capacity, sizeof(uint32_t));
        scan->commits[scan->rows++] = found;
        scan->sum += gt_get_u64(id->bytes);
        sim_note(peer->world, peer->index, repo, gt_get_u64(id->bytes));
    }
}

/* A repository is another one when the one before was freed: at the same address as it may be. */
static void begin(sim_peer *peer, const gt_repo *repo, uint8_t index) {
    sim_scan *scan = &peer->scans[index];
    if (scan->rows > 0) sim_ledger_forget_held(&peer->world->ledger, peer->index, index);
    *scan = (sim_scan){.opening = scan->opening + 1, .commits = scan->commits, .capacity = scan->capacity};
    peer->memory.watched[index] = repo;
}

/* What was promised is there when the log has been read, before anybody could have sent it again. Where certificates are
 * damaged nobody can say whose batches are good, and those have to wait. */
static void look_for_promised(sim_peer *peer, uint8_t repo) {
    sim_world *world = peer->world;
    if ((peer->flipped & 1) != 0) return;
    uint32_t broken = sim_ledger_broken(&world->ledger, peer->index, repo);
    peer->scans[repo].is_checked = true;
    if (broken == SIM_NOBODY) return;
    const sim_commit *commit = &world->ledger.commits[broken];
    sim_fail(world, "durable",
             "peer %u has lost a commit of %s by peer %u that was promised to be on its disk: %02x%02x%02x%02x",
             peer->index, sim_repo_paths[repo], commit->author, commit->id.bytes[0], commit->id.bytes[1],
             commit->id.bytes[2], commit->id.bytes[3]);
}

static uint8_t number_of(gt_bytes path) {
    uint8_t repo = 0;
    while (repo < SIM_REPOS_MAX && !gt_bytes_equal(path, gt_bytes_text(sim_repo_paths[repo]))) repo++;
    return repo;
}

void sim_scan_all(sim_peer *peer, bool made) {
    goat_db *db = sim_peer_db(peer);
    if (db == NULL) return;
    for (int i = 0; i < SIM_REPOS_MAX; i++) peer->scans[i].is_open = false;
    for (gt_mount *mount = gt_db_database(db)->mounts; mount != NULL; mount = mount->next) {
        uint8_t repo = number_of(gt_repo_path(mount->repo));
        if (repo == SIM_REPOS_MAX || gt_repo_get_phase(mount->repo) != GT_REPO_OPEN) continue;
        sim_scan *scan = &peer->scans[repo];
        if (peer->memory.watched[repo] != mount->repo) begin(peer, mount->repo, repo);
        scan->is_open = true;
        scan_rows(peer, mount, repo, made);
        if (!scan->is_checked && !peer->world->failed) look_for_promised(peer, repo);
    }
}

void sim_scan_forget(sim_peer *peer) {
    for (int i = 0; i < SIM_REPOS_MAX; i++) begin(peer, NULL, (uint8_t)i);
    sim_ledger_forget_held(&peer->world->ledger, peer->index, SIM_REPOS_MAX);
}

void sim_promise(sim_peer *to, sim_peer *holder, uint8_t repo, uint32_t rows) {
    sim_scan *scan = &to->scans[repo];
    bool is_self = to == holder;
    /* A commit may lack its parent as soon as the log is read that had bits flipped while it was open. */
    bool is_damaged = (holder->damaged >> repo & 1) != 0;
    if (is_damaged && holder->scans[repo].opening <= holder->damaged_at[repo]) return;
    for (uint32_t i = is_self ? scan->promised : 0; i < rows && i < scan->rows; i++) {
        sim_commit *commit = &to->world->ledger.commits[scan->commits[i]];
        bool is_held = (commit->held >> holder->index & 1) != 0;
        if (is_damaged && !is_held) continue; /* what it had acknowledged before it was damaged */
        if (is_self || commit->author == to->index) commit->promised |= UINT64_C(1) << holder->index;
    }
    if (is_self && rows > scan->promised) scan->promised = rows;
}
