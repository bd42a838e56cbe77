/* An app reads the history of an item page by page, now and then, while commits come and go into view. Nothing is told twice, newer
 * ones come first, and what was there when it began is told by the end. */
#include "workload.h"

#include "peer.h"
#include "value/value.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_MAX = 4 };

void sim_paging_end(sim_paging *paging) {
    goat_item_free(paging->item);
    sim_free(paging->first);
    sim_free(paging->told);
    *paging = (sim_paging){0};
}

static bool has(const gt_id *ids, uint32_t count, const gt_id *id) {
    for (uint32_t i = 0; i < count; i++) {
        if (gt_id_compare(&ids[i], id) == 0) return true;
    }
    return false;
}

static bool read_commit(gt_bytes commit, gt_id *id, int64_t *time_ms) {
    gt_bytes bytes;
    if (!gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &bytes) || bytes.len != GT_ID_SIZE) return false;
    memcpy(id->bytes, bytes.data, GT_ID_SIZE);
    return gt_value_as_date_ms(gt_map_find(commit, gt_bytes_text("time")), time_ms);
}

/* Everything that there is now. */
static void begin(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random) {
    sim_paging *paging = &handle->paging;
    char key[8], path[40];
    goat_buf all = {0};
    gt_bytes commit;
    int64_t time_ms;
    sim_choose_key(peer, random, key);
    snprintf(path, sizeof(path), "%s/%s", sim_repo_paths[repo], key);
    sim_expect(peer, goat_item_open(handle->db, NULL, path, strlen(path), &paging->item, NULL), "opening an item");
    if (paging->item == NULL) return;
    sim_expect(peer, goat_item_commits(paging->item, NULL, 0, UINT32_MAX, &all, NULL), "reading a history");
    gt_iter iter = gt_array_iter(gt_bytes_of(all.data, all.size));
    while (all.size > 0 && gt_array_next(&iter, &commit)) {
        paging->first = sim_reserve(paging->first, paging->first_count, &paging->first_capacity, sizeof(gt_id));
        if (read_commit(commit, &paging->first[paging->first_count], &time_ms)) paging->first_count++;
    }
    paging->time_ms = INT64_MAX;
    goat_buf_free(&all);
}

static void take(sim_peer *peer, sim_paging *paging, gt_bytes commit) {
    gt_id id;
    int64_t time_ms;
    if (!read_commit(commit, &id, &time_ms)) {
        sim_fail(peer->world, "pages", "peer %u: a commit of a page is none", peer->index);
    } else if (has(paging->told, paging->told_count, &id)) {
        sim_fail(peer->world, "pages", "peer %u: a history tells a commit twice", peer->index);
    } else if (time_ms > paging->time_ms) {
        sim_fail(peer->world, "pages", "peer %u: a history tells a newer commit behind an older one", peer->index);
    }
    if (peer->world->failed) return;
    paging->told = sim_reserve(paging->told, paging->told_count, &paging->told_capacity, sizeof(gt_id));
    paging->told[paging->told_count++] = id;
    paging->time_ms = time_ms;
}

static void end(sim_peer *peer, sim_paging *paging) {
    for (uint32_t i = 0; i < paging->first_count; i++) {
        if (has(paging->told, paging->told_count, &paging->first[i])) continue;
        sim_fail(peer->world, "pages", "peer %u: a history leaves out a commit that was there when it began",
                 peer->index);
    }
    sim_paging_end(paging);
}

void sim_read_page(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random) {
    sim_paging *paging = &handle->paging;
    goat_buf page = {0};
    gt_bytes commit;
    uint32_t limit = (uint32_t)sim_between(random, 1, PAGE_MAX), count = 0;
    if (paging->item == NULL && repo < SIM_REPOS_MAX) begin(peer, handle, repo, random);
    if (paging->item == NULL) return;
    const gt_id *last = paging->told_count == 0 ? NULL : &paging->told[paging->told_count - 1];
    goat_status status = goat_item_commits(paging->item, last == NULL ? NULL : last->bytes,
                                           last == NULL ? 0 : GT_ID_SIZE, limit, &page, NULL);
    sim_expect(peer, status, "reading a history");
    if (status == GOAT_NOT_FOUND) {
        sim_fail(peer->world, "pages", "peer %u: a history does not go on where it was left", peer->index);
    }
    if (status == GOAT_OK) {
        gt_iter iter = gt_array_iter(gt_bytes_of(page.data, page.size));
        for (; !peer->world->failed && gt_array_next(&iter, &commit); count++) take(peer, paging, commit);
        sim_note(peer->world, peer->index, 9, page.size);
    }
    goat_buf_free(&page);
    if (status != GOAT_OK) {
        sim_paging_end(paging); /* its repository was closed */
    } else if (count < limit && !peer->world->failed) {
        end(peer, paging);
    }
}
