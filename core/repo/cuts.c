/* States that an item with several authors came to lately: bases for the next replay.
 *
 * When authors type at once, heads come and go several times a second, and the last common point is
 * only a few commits back. Keeping the states of the last few sets of heads makes each new view a
 * short replay. An item without forks has no entry here. It is a cache: losing it costs time. */
#include "repo/tables.h"

enum {
    CUTS_PER_ITEM = 4,   /* captures that cross on the way between two or three authors */
    CUT_HEADS_MAX = 8,   /* larger sets are replayed from an older base */
    CUT_ITEMS_MAX = 4096 /* items kept; beyond, the cache is emptied and fills again */
};

typedef struct kept_state {
    uint32_t head_count; /* 0: free */
    uint32_t heads[CUT_HEADS_MAX];
    uint8_t *state;
    size_t len;
} kept_state;

struct gt_cut {
    gt_cut *next;
    uint32_t item;
    uint32_t turn; /* the entry to be replaced next */
    kept_state states[CUTS_PER_ITEM];
};

static gt_cut *find(const gt_repo *repo, uint32_t item) {
    if ((gt_item_at(repo, item)->flags & GT_ITEM_FORKED) == 0) return NULL;
    gt_cut *cut = repo->cuts;
    while (cut != NULL && cut->item != item) cut = cut->next;
    return cut;
}

static void free_cut(gt_repo *repo, gt_cut *cut) {
    for (int i = 0; i < CUTS_PER_ITEM; i++) gt_free(repo->alloc, cut->states[i].state);
    gt_item_at(repo, cut->item)->flags &= (uint16_t)~GT_ITEM_FORKED;
    gt_free(repo->alloc, cut);
    repo->cut_count--;
}

void gt_cuts_free(gt_repo *repo) {
    while (repo->cuts != NULL) {
        gt_cut *cut = repo->cuts;
        repo->cuts = cut->next;
        free_cut(repo, cut);
    }
}

void gt_cuts_forget(gt_repo *repo, uint32_t item) {
    for (gt_cut **at = &repo->cuts; *at != NULL; at = &(*at)->next) {
        if ((*at)->item != item) continue;
        gt_cut *cut = *at;
        *at = cut->next;
        free_cut(repo, cut);
        return;
    }
}

static bool same_heads(const kept_state *kept, const uint32_t *heads, uint32_t head_count) {
    if (kept->head_count != head_count) return false;
    for (uint32_t i = 0; i < head_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < head_count && !found; j++) found = kept->heads[j] == heads[i];
        if (!found) return false;
    }
    return true;
}

gt_bytes gt_cut_find(const gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count) {
    const gt_cut *cut = find(repo, item);
    for (int i = 0; cut != NULL && i < CUTS_PER_ITEM; i++) {
        if (head_count > 0 && same_heads(&cut->states[i], heads, head_count)) {
            return gt_bytes_of(cut->states[i].state, cut->states[i].len);
        }
    }
    return (gt_bytes){0};
}

bool gt_cut_has(const gt_repo *repo, uint32_t item, uint32_t head_count) {
    const gt_cut *cut = head_count > CUT_HEADS_MAX ? NULL : find(repo, item);
    for (int i = 0; cut != NULL && i < CUTS_PER_ITEM; i++) {
        if (cut->states[i].head_count == head_count) return true;
    }
    return false;
}

/* The item found is moved to the front: those who type now are found first. */
static gt_cut *find_or_add(gt_repo *repo, uint32_t item) {
    for (gt_cut **at = &repo->cuts; *at != NULL; at = &(*at)->next) {
        if ((*at)->item != item) continue;
        gt_cut *cut = *at;
        *at = cut->next;
        cut->next = repo->cuts;
        return repo->cuts = cut;
    }
    if (repo->cut_count >= CUT_ITEMS_MAX) gt_cuts_free(repo);
    gt_cut *cut = gt_new(repo->alloc, 1, sizeof(*cut));
    if (cut == NULL) return NULL;
    cut->item = item;
    cut->next = repo->cuts;
    repo->cut_count++;
    gt_item_at(repo, item)->flags |= GT_ITEM_FORKED;
    return repo->cuts = cut;
}

void gt_cut_keep(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_bytes state) {
    if (head_count == 0 || head_count > CUT_HEADS_MAX || gt_cut_find(repo, item, heads, head_count).data != NULL) {
        return;
    }
    uint8_t *copy = gt_copy(repo->alloc, state.data, state.len);
    gt_cut *cut = copy == NULL ? NULL : find_or_add(repo, item);
    if (cut == NULL) {
        gt_free(repo->alloc, copy);
        return;
    }
    kept_state *entry = &cut->states[cut->turn++ % CUTS_PER_ITEM];
    gt_free(repo->alloc, entry->state);
    entry->state = copy;
    entry->len = state.len;
    entry->head_count = head_count;
    memcpy(entry->heads, heads, head_count * sizeof(*heads));
}
