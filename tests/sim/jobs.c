/* What peers wait for, and what they conclude from it. */
#include "check.h"
#include "db/internal.h"
#include "peer.h"
#include "workload.h"

void sim_job_add(sim_peer *peer, goat_job *job, sim_job_kind kind, uint32_t handle, uint8_t repo) {
    if (peer->job_count == SIM_JOBS_MAX) {
        goat_job_free(job);
        return;
    }
    peer->jobs[peer->job_count++] = (sim_job){.job = job, .kind = kind, .handle = (uint8_t)handle, .repo = repo};
}

bool sim_jobs_have(const sim_peer *peer, sim_job_kind kind) {
    for (uint32_t i = 0; i < peer->job_count; i++) {
        if (peer->jobs[i].kind == kind) return true;
    }
    return false;
}

void sim_jobs_drop(sim_peer *peer) {
    while (peer->job_count > 0) goat_job_free(peer->jobs[--peer->job_count].job);
}

/* ---- flushes ---- */

void sim_flush(sim_peer *peer, uint32_t handle, goat_durability level) {
    goat_db *db = peer->handles[handle].db;
    goat_job *job = NULL;
    goat_error *error = NULL;
    goat_status status = goat_db_flush(db, level, &job, &error);
    sim_scan_all(peer, true);
    sim_say(peer->world, peer->index, "flush level %d: %s", level, gt_status_name(status));
    if (status != GOAT_OK) {
        sim_expect_rule(peer, status, error, "flush");
        return;
    }
    uint32_t before = peer->job_count;
    sim_job_add(peer, job, SIM_JOB_FLUSH, handle, 0);
    if (peer->job_count == before) return;
    sim_job *added = &peer->jobs[before];
    added->level = level;
    added->order = peer->world->markers;
    for (int i = 0; i < SIM_REPOS_MAX; i++) {
        added->rows[i] = peer->scans[i].rows;
        added->openings[i] = peer->scans[i].is_open ? peer->scans[i].opening : 0;
    }
}

static void flushed(sim_peer *peer, const sim_job *job, goat_status status) {
    sim_world *world = peer->world;
    if (status != GOAT_OK && status != GOAT_INVALID) return; /* invalid: an item that stays unsaved, all else went */
    peer->flushed++;
    if (status == GOAT_OK) sim_pendings_expect_none(peer, job->handle, 0, job->order);
    if (job->level < GOAT_DURABLE_DISK) return;
    for (uint8_t repo = 0; repo < SIM_REPOS_MAX; repo++) {
        if (job->openings[repo] == 0 || job->openings[repo] != peer->scans[repo].opening) continue;
        sim_promise(peer, peer, repo, job->rows[repo]);
        sim_peer *server = &world->peers[0];
        bool is_same = peer->server_life == server->disk_life;
        if (job->level == GOAT_DURABLE_SERVER && is_same) sim_promise(peer, server, repo, job->rows[repo]);
    }
}

/* ---- all of them ---- */

static void repo_opened(sim_peer *peer, const sim_job *job, goat_status status) {
    sim_handle *handle = &peer->handles[job->handle];
    if (status == GOAT_OK) return;
    if (status == GOAT_CORRUPT) peer->condemned |= 1u << job->repo;
    goat_repo_free(handle->repos[job->repo]);
    handle->repos[job->repo] = NULL;
}

static void done(sim_peer *peer, const sim_job *job, const gt_job_info *info) {
    static const char *const names[] = {
        [SIM_JOB_OPEN_REPO] = "opening a repository",
        [SIM_JOB_CLOSE_REPO] = "closing a repository",
        [SIM_JOB_FLUSH] = "flushing",
        [SIM_JOB_CLOSE] = "closing",
        [SIM_JOB_DIGEST] = "a digest",
        [SIM_JOB_VERIFY] = "verifying",
        [SIM_JOB_REVERT] = "reverting",
    };
    sim_note(peer->world, peer->index, (uint64_t)job->kind, (uint64_t)info->status);
    sim_say(peer->world, peer->index, "%s %s: %s %s", names[job->kind], sim_repo_paths[job->repo],
            gt_status_name(info->status), info->status == GOAT_OK ? "" : info->diag->message);
    /* Up to the server it may fail for the server's trouble, and for what an enemy made him refuse. */
    bool is_elsewhere = job->kind == SIM_JOB_FLUSH && job->level == GOAT_DURABLE_SERVER;
    if (!is_elsewhere) sim_expect_diag(peer, info->status, info->diag, names[job->kind]);
    switch (job->kind) {
    case SIM_JOB_OPEN_REPO: repo_opened(peer, job, info->status); break;
    case SIM_JOB_FLUSH: flushed(peer, job, info->status); break;
    case SIM_JOB_DIGEST: sim_check_digest(peer, job->repo, info->status, info->result); break;
    case SIM_JOB_VERIFY: sim_check_verified(peer, info->status, info->result); break;
    default: break;
    }
}

void sim_jobs_look(sim_peer *peer) {
    for (uint32_t i = 0; i < peer->job_count;) {
        sim_job job = peer->jobs[i];
        gt_job_info info;
        gt_job_info_of(job.job, &info);
        if (!info.done) {
            i++;
            continue;
        }
        peer->jobs[i] = peer->jobs[--peer->job_count];
        done(peer, &job, &info);
        goat_job_free(job.job);
    }
}
