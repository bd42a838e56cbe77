/* When a checkpoint of a mount is worth its cost, and its way to the disk.
 *
 * It is made in steps, from tables that do not change meanwhile; what was made whole may be overtaken by the log and is
 * good all the same. It names what is on the disk only, so it waits for that before it is written. It is a cache: when
 * something fails, there is none. */
#include "db/internal.h"

enum {
    UNCOVERED_AT_CLOSE = 64 * 1024,       /* bytes of log worth a checkpoint when nobody uses it any more */
    UNCOVERED_RUNNING = 16 * 1024 * 1024, /* … and while it is in use */
    STEP = 256 * 1024,                    /* bytes made a round: a few hundred microseconds */
    TRIES_MAX = 12                        /* the steps of such a try are as large as any checkpoint */
};

static void end(gt_mount *mount, bool failed) {
    gt_making_free(mount->checkpoint);
    mount->checkpoint = NULL;
    mount->checkpoint_is_whole = mount->writing_checkpoint = false;
    mount->checkpoint_failed = failed; /* it is not tried again and again: the log says it all */
}

static void written(void *owner, const goat_io_result *result) {
    gt_mount *mount = owner;
    uint64_t covered;
    gt_making_file(mount->checkpoint, &covered);
    if (result->status == GOAT_OK) gt_repo_checkpoint_written(mount->repo, covered);
    end(mount, result->status != GOAT_OK);
    gt_condition_wake_all(&mount->database->condition);
}

/* Writes what is whole, once the log is on the disk as far as it names; false while it has to wait. */
static bool store(gt_mount *mount) {
    gt_log *log = gt_repo_log(mount->repo);
    uint64_t covered;
    gt_bytes file = gt_making_file(mount->checkpoint, &covered);
    if (gt_log_get_state(log) == GT_LOG_READY && gt_log_length_durable(log) < covered) {
        if (gt_log_sync(log, NULL) == GOAT_OK) return false;
    }
    goat_io_request request = {
        .kind = GOAT_IO_REPLACE, .name = gt_repo_checkpoint_name(mount->repo), .data = file.data, .data_len = file.len};
    mount->writing_checkpoint =
        gt_log_length_durable(log) >= covered && gt_io_submit(mount->database->io, &request, written, mount) == GOAT_OK;
    if (!mount->writing_checkpoint) end(mount, true);
    return true;
}

/* One that changes have overtaken is begun anew, in steps of twice the size: where they come all the time it gets done at
 * last, and all tries together cost no more than twice the last one. */
static void make(gt_mount *mount) {
    size_t bytes = (size_t)STEP << mount->checkpoint_tries;
    goat_status status = gt_making_step(mount->checkpoint, bytes, &mount->checkpoint_is_whole, NULL);
    if (status != GOAT_OK) {
        end(mount, status != GOAT_CONFLICT);
        if (mount->checkpoint_tries < TRIES_MAX) mount->checkpoint_tries++;
    } else if (mount->checkpoint_is_whole) {
        mount->checkpoint_tries = 0;
    }
}

static bool begin(gt_mount *mount, uint64_t uncovered_min) {
    const gt_database *database = mount->database;
    if (mount->checkpoint != NULL) return true;
    if (gt_repo_get_phase(mount->repo) != GT_REPO_OPEN || mount->checkpoint_failed ||
        (database->flags & (GOAT_OPEN_READ_ONLY | GOAT_OPEN_NO_CHECKPOINT)) != 0) {
        return false;
    }
    const gt_log *log = gt_repo_log(mount->repo);
    uint64_t uncovered = gt_repo_uncovered(mount->repo);
    if (uncovered < uncovered_min || uncovered < gt_log_length(log) / 4 || gt_log_get_state(log) != GT_LOG_READY) {
        return false;
    }
    mount->checkpoint_failed = gt_making_new(mount->repo, &mount->checkpoint, NULL) != GOAT_OK;
    return mount->checkpoint != NULL;
}

bool gt_checkpoint_at_close(gt_mount *mount) { return begin(mount, UNCOVERED_AT_CLOSE); }

bool gt_checkpoint_step(gt_mount *mount) {
    if (!begin(mount, UNCOVERED_RUNNING) || mount->writing_checkpoint) return false;
    if (mount->checkpoint_is_whole) return store(mount);
    make(mount);
    return true;
}

bool gt_checkpoints_in_the_making(const gt_database *database) {
    const gt_mount *mount = database->mounts;
    while (mount != NULL && (mount->checkpoint == NULL || mount->checkpoint_is_whole)) mount = mount->next;
    return mount != NULL;
}
