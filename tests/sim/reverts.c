/* Apps take back what they did, or what anybody did, and do it again. */
#include "workload.h"

#include "peer.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

/* The id of one of the latest commits of some item, in hexadecimal; false: there is none. */
static bool choose_commit(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random, char hex[65]) {
    char path[40];
    goat_item *item = NULL;
    goat_buf commits = {0};
    gt_bytes one = {0}, id;
    snprintf(path, sizeof(path), "%s/n%u", sim_repo_paths[repo],
             (unsigned)gt_sim_random_below(random, peer->world->plan->profile.keys));
    if (goat_item_open(handle->db, NULL, path, strlen(path), &item, NULL) != GOAT_OK) return false;
    uint64_t back = gt_sim_random_below(random, 6);
    goat_status status = goat_item_commits(item, NULL, 0, (uint32_t)back + 1, &commits, NULL);
    sim_expect(peer, status, "reading a history");
    gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
    bool found = status == GOAT_OK && gt_array_next(&iter, &one);
    while (found && back-- > 0) found = gt_array_next(&iter, &one);
    found = found && gt_value_as_bytes(gt_map_find(one, gt_bytes_text("id")), &id);
    for (size_t i = 0; found && i < id.len; i++) snprintf(hex + 2 * i, 3, "%02x", (unsigned)id.data[i]);
    goat_buf_free(&commits);
    goat_item_free(item);
    return found;
}

void sim_do_revert(sim_peer *peer, gt_sim_random *random) {
    sim_handle *handle = &peer->handles[gt_sim_random_below(random, SIM_HANDLES_MAX)];
    if (handle->db == NULL) handle = &peer->handles[0];
    uint8_t repo = (uint8_t)sim_between(random, 2, SIM_REPOS_MAX - 1);
    char spec[160], hex[65];
    goat_job *job = NULL;
    if (handle->repos[repo] == NULL) repo = 2;
    if (handle->repos[repo] == NULL) return;
    uint64_t what = gt_sim_random_below(random, 8);
    snprintf(spec, sizeof(spec), what < 3 ? "{\"undo\": true}" : "{\"redo\": true}");
    if (what == 5) snprintf(spec, sizeof(spec), "{\"undo\": true, \"item\": \"n0\"}");
    if (what > 5) {
        if (!choose_commit(peer, handle, repo, random, hex)) return;
        snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"]}", hex);
    }
    goat_error *error = NULL;
    goat_status status = goat_repo_revert(handle->repos[repo], spec, strlen(spec), NULL, &job, &error);
    sim_scan_all(peer, true);
    sim_expect_rule(peer, status, error, "reverting");
    sim_say(peer->world, peer->index, "revert %s: %s", spec, gt_status_name(status));
    if (status == GOAT_OK) sim_job_add(peer, job, SIM_JOB_REVERT, (uint32_t)(handle - peer->handles), repo);
}
