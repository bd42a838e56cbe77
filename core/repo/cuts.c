/* States that an item with several authors came to lately: bases for the next replay.
 *
 * When authors type at once, heads come and go several times a second, and the last common point is
 * only a few commits back. Keeping the states of the last few sets of heads makes each new view a
 * short replay. An item without forks has no entry here. It is a cache: losing it costs time. */
#include "repo/cuts.h"

enum {
    CUTS_PER_ITEM = 4,       /* captures that cross on the way between two or three authors */
    CUT_HEADS_MAX = 8,       /* larger sets are replayed from an older base */
    CUT_BYTES_MAX = 64 << 20 /* beyond, the cache is emptied and fills again */
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

static gt_cut **bucket_of(const gt_repo *repo, uint32_t item) { return &repo->cuts[item & (GT_BUCKETS - 1)]; }

static gt_cut *find(const gt_repo *repo, uint32_t item) {
    if ((gt_item_at(repo, item)->flags & GT_ITEM_FORKED) == 0) return NULL;
    gt_cut *cut = *bucket_of(repo, item);
    while (cut->item != item) cut = cut->next; /* FORKED says that it is there */
    return cut;
}

static void free_first(gt_repo *repo, gt_cut **at) {
    gt_cut *cut = *at;
    *at = cut->next;
    for (int i = 0; i < CUTS_PER_ITEM; i++) {
        repo->cut_bytes -= cut->states[i].len;
        gt_free(repo->alloc, cut->states[i].state);
    }
    repo->cut_bytes -= sizeof(*cut);
    gt_item_at(repo, cut->item)->flags &= (uint16_t)~GT_ITEM_FORKED;
    gt_free(repo->alloc, cut);
}

static void empty(gt_repo *repo) {
    for (uint32_t i = 0; repo->cuts != NULL && i < GT_BUCKETS; i++) {
        while (repo->cuts[i] != NULL) free_first(repo, &repo->cuts[i]);
    }
}

void gt_cuts_free(gt_repo *repo) {
    empty(repo);
    gt_free(repo->alloc, (void *)repo->cuts);
    repo->cuts = NULL;
}

void gt_cuts_forget(gt_repo *repo, uint32_t item) {
    if ((gt_item_at(repo, item)->flags & GT_ITEM_FORKED) == 0) return;
    gt_cut **at = bucket_of(repo, item);
    while ((*at)->item != item) at = &(*at)->next;
    free_first(repo, at);
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

static gt_cut *find_or_add(gt_repo *repo, uint32_t item) {
    gt_cut *cut = find(repo, item);
    if (cut != NULL) return cut;
    if (repo->cuts == NULL) repo->cuts = gt_new(repo->alloc, GT_BUCKETS, sizeof(gt_cut *));
    cut = repo->cuts == NULL ? NULL : gt_new(repo->alloc, 1, sizeof(*cut));
    if (cut == NULL) return NULL;
    gt_cut **bucket = bucket_of(repo, item);
    cut->item = item;
    cut->next = *bucket;
    *bucket = cut;
    repo->cut_bytes += sizeof(*cut);
    gt_item_at(repo, item)->flags |= GT_ITEM_FORKED;
    return cut;
}

void gt_cut_keep(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_bytes state) {
    if (head_count == 0 || head_count > CUT_HEADS_MAX || gt_cut_find(repo, item, heads, head_count).data != NULL) {
        return;
    }
    if (!gt_state_is_whole(state)) return; /* it is no base */
    if (repo->cut_bytes > CUT_BYTES_MAX) empty(repo);
    uint8_t *copy = gt_copy(repo->alloc, state.data, state.len);
    gt_cut *cut = copy == NULL ? NULL : find_or_add(repo, item);
    if (cut == NULL) {
        gt_free(repo->alloc, copy);
        return;
    }
    kept_state *entry = &cut->states[cut->turn++ % CUTS_PER_ITEM];
    repo->cut_bytes += state.len - entry->len;
    gt_free(repo->alloc, entry->state);
    entry->state = copy;
    entry->len = state.len;
    entry->head_count = head_count;
    memcpy(entry->heads, heads, head_count * sizeof(*heads));
}
