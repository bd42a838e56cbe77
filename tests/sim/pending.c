/* An edit that was made must be in a commit after a flush said so: nothing is lost between the app and the log. */
#include "workload.h"

#include "peer.h"

#include <string.h>

static bool is_at(const sim_pending *pending, const char *path, uint8_t field, uint8_t part) {
    return pending->field == field && (part == UINT8_MAX || pending->part == part) && strcmp(pending->path, path) == 0;
}

static void drop(sim_pendings *pendings, uint32_t at) { pendings->list[at] = pendings->list[--pendings->count]; }

void sim_pendings_remove(sim_pendings *pendings, const char *path, uint8_t field, uint8_t part) {
    for (uint32_t i = 0; i < pendings->count;) {
        if (is_at(&pendings->list[i], path, field, part)) {
            drop(pendings, i);
        } else {
            i++;
        }
    }
}

void sim_pendings_add(sim_pendings *pendings, const sim_pending *pending) {
    sim_pendings_remove(pendings, pending->path, pending->field, pending->part);
    if (pending->len == 0) return;
    pendings->list = sim_reserve(pendings->list, pendings->count, &pendings->capacity, sizeof(sim_pending));
    pendings->list[pendings->count++] = *pending;
}

void sim_pendings_clear(sim_pendings *pendings) { pendings->count = 0; }

static bool is_in(const sim_pending *pending, gt_bytes delta) {
    for (size_t i = 0; i + pending->len <= delta.len; i++) {
        if (memcmp(delta.data + i, pending->value, pending->len) == 0) return true;
    }
    return false;
}

void sim_pendings_settle(sim_peer *peer, gt_repo *repo, uint8_t number, uint32_t row) {
    gt_commit_info info;
    uint32_t waiting = 0;
    for (int i = 0; i < SIM_HANDLES_MAX; i++) waiting += peer->handles[i].pendings.count;
    if (waiting == 0 || gt_repo_commit_info(repo, row, &info, NULL) != GOAT_OK) return;
    size_t prefix = strlen(sim_repo_paths[number]) + 1;
    for (int i = 0; i < SIM_HANDLES_MAX; i++) {
        sim_pendings *pendings = &peer->handles[i].pendings;
        for (uint32_t at = 0; at < pendings->count;) {
            const sim_pending *pending = &pendings->list[at];
            bool fits =
                pending->repo == number && gt_bytes_equal(gt_bytes_text(pending->path + prefix), info.commit.key);
            if (fits && is_in(pending, info.commit.delta)) {
                drop(pendings, at);
            } else {
                at++;
            }
        }
    }
}

void sim_pendings_forget_repo(sim_pendings *pendings, uint8_t repo) {
    for (uint32_t i = 0; i < pendings->count;) {
        if (pendings->list[i].repo == repo) {
            drop(pendings, i);
        } else {
            i++;
        }
    }
}

void sim_pendings_expect_none(sim_peer *peer, uint32_t handle, uint64_t after, uint64_t upto) {
    const sim_pendings *pendings = &peer->handles[handle].pendings;
    for (uint32_t i = 0; i < pendings->count; i++) {
        const sim_pending *pending = &pendings->list[i];
        if (pending->order <= after || pending->order > upto) continue;
        sim_fail(peer->world, "captured", "peer %u: an edit of field \"%s\" of %s is in no commit", peer->index,
                 sim_field_names[pending->field], pending->path);
        return;
    }
}
