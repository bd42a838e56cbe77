/* Admission: from a frame of somebody else's, or of the log, to rows of the graph.
 *
 * A leaf is taken when its parents are known, and with it the leaves of its transaction; what is left
 * of the frame is parked in memory (never in the log) until the parents come. So the log holds
 * parents before children, unless it was damaged. */
#include "base/arena.h"
#include "merge/merge.h"
#include "repo/tables.h"

enum {
    TAKE_KNOWN,
    TAKE_NOW,
    TAKE_LATER,
    TAKE_AGAIN /* it is known, and its bytes are lost */
};             /* what becomes of a leaf */

typedef struct admission {
    gt_repo *repo;
    gt_batch *batch;
    bool from_log;
    gt_time latest;  /* that one of its commits may be */
    bool has_lost;   /* the batch is known, and some of its leaves are lost */
    gt_index leaves; /* commit id → node, of the leaves in the batch */
    uint8_t *take;   /* by leaf */
    uint8_t *found;  /* by leaf: GT_LEAF_… */
    /* What the batch waits for: the first parent that is not there. Of two parts of a batch that wait for leaves of each
     * other, the one with the earlier leaf then goes first, because leaves stand behind their parents. */
    gt_id missing;
    bool misses;
    uint32_t now, later, again;
} admission;

static uint32_t find_leaf(const admission *a, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t node = gt_index_first(&a->leaves, gt_id_hash(a->repo, id), &cursor);
    while (node != GT_INDEX_NONE && gt_id_compare(&a->batch->nodes[node].hash, id) != 0) {
        node = gt_index_next(&a->leaves, &cursor);
    }
    return node;
}

/* ---- what becomes of each leaf ---- */

/* Whether a parent is there: known, or an earlier leaf of this batch. */
static goat_status look_for_parent(admission *a, const gt_node *node, const gt_id *id, gt_diag *diag) {
    gt_bytes key, ns;
    gt_time time;
    uint32_t version;
    uint32_t row = gt_find_commit(a->repo, id);
    uint32_t leaf = row != GT_NONE ? GT_INDEX_NONE : find_leaf(a, id);
    if (row != GT_NONE) {
        key = gt_repo_key(a->repo, gt_commit_at(a->repo, row)->item);
        time = gt_commit_at(a->repo, row)->time;
        const gt_schema_row *schema = gt_schema_at(a->repo, gt_commit_at(a->repo, row)->schema);
        ns = gt_bytes_of(schema->ns, schema->ns_len);
        version = schema->version;
    } else if (leaf != GT_INDEX_NONE && a->batch->nodes[leaf].first < node->first) {
        key = a->batch->nodes[leaf].commit.key;
        time = a->batch->nodes[leaf].commit.time;
        ns = a->batch->nodes[leaf].commit.ns;
        version = a->batch->nodes[leaf].commit.version;
    } else {
        a->take[node->first] = TAKE_LATER;
        if (!a->misses) a->missing = *id;
        a->misses = true;
        return GOAT_OK;
    }
    if (!gt_bytes_equal(key, node->commit.key))
        return gt_fail(diag, GOAT_INVALID, "a commit's parent is of another item");
    bool together = leaf != GT_INDEX_NONE ||
                    gt_id_compare(&gt_batch_at(a->repo, gt_commit_at(a->repo, row)->batch)->id, &a->batch->id) == 0;
    if (together && node->commit.full.data != NULL && !a->from_log)
        return gt_fail(diag, GOAT_INVALID, "a snapshot is of what is in the same batch");
    if (time >= node->commit.time) return gt_fail(diag, GOAT_INVALID, "a commit is not later than its parent");
    /* So what is written up to a version stands on nothing newer, and can be read without it. */
    if (version > node->commit.version && gt_bytes_equal(ns, node->commit.ns))
        return gt_fail(diag, GOAT_INVALID, "a commit follows one of a newer version of its schema");
    return GOAT_OK;
}

/* A commit from the future would win over all edits until then. What follows what is known here, a step a commit, is taken
 * though: if our own clock was wrong once, its edits are in the future, and whoever goes on from them is no cheat. */
static gt_time latest_time(const gt_repo *repo, const gt_batch *batch) {
    const gt_repo_hooks *hooks = &repo->config.hooks;
    gt_time latest = hooks->latest_time == NULL ? GT_TIME_MAX : hooks->latest_time(hooks->context, batch);
    return repo->time_seen + batch->size > latest ? repo->time_seen + batch->size : latest;
}

/* Of a snapshot that nobody can check, or that is too much work, nothing is said: it is no base. */
static goat_status check_full(admission *a, const gt_node *node, gt_diag *diag) {
    goat_status status = gt_full_check(a->repo, &node->commit, diag);
    a->found[node->first] |= status == GOAT_OK ? GT_LEAF_FULL : GT_LEAF_NO_FULL;
    return status == GOAT_NO_SCHEMA || status == GOAT_CORRUPT ? GOAT_OK : status;
}

/* What a peer should have looked at before he signed. Of what is in the log already, views leave out what is wrong. */
static goat_status check_content(admission *a, const gt_node *node, gt_diag *diag) {
    const gt_schema *schema = gt_commit_schema(a->repo, &node->commit);
    goat_status status = GOAT_OK;
    if (node->commit.time > a->latest) {
        status = gt_fail(diag, GOAT_INVALID, "a commit is too far ahead of the server's clock");
    } else if (schema != NULL && node->commit.delta.data != NULL) {
        a->repo->checks++;
        status = gt_merge_check_delta(schema, node->commit.delta, diag);
        if (status == GOAT_OK) a->found[node->first] |= GT_LEAF_FITS;
    }
    if (status == GOAT_OK && node->commit.full.data != NULL && a->take[node->first] == TAKE_NOW) {
        status = check_full(a, node, diag);
    }
    if (status == GOAT_INVALID) gt_diag_item(diag, a->repo->path, node->commit.key);
    return status;
}

static goat_status look_at_leaf(admission *a, const gt_node *node, gt_diag *diag) {
    uint32_t known = gt_find_commit(a->repo, &node->hash);
    if (known != GT_NONE) {
        const gt_commit_row *row = gt_commit_at(a->repo, known);
        if (row->leaf != node->first || gt_id_compare(&gt_batch_at(a->repo, row->batch)->id, &a->batch->id) != 0) {
            return gt_fail(diag, GOAT_INVALID, "a commit stands in two places");
        }
        a->take[node->first] = a->has_lost && gt_commit_is_lost(a->repo, known) ? TAKE_AGAIN : TAKE_KNOWN;
        return GOAT_OK;
    }
    a->take[node->first] = TAKE_NOW;
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; status == GOAT_OK && i < node->commit.parents.count; i++) {
        status = look_for_parent(a, node, gt_ids_at(node->commit.parents, i), diag);
    }
    return status == GOAT_OK && !a->from_log ? check_content(a, node, diag) : status;
}

/* What else waits because one leaf does: who follows it, and the rest of its transaction. */
typedef struct spreading {
    admission *a;
    uint32_t *first_child, *first_of_group; /* by leaf; by group. Edges and leaves count from 1 */
    uint32_t *next_of_group;                /* by leaf */
    gt_buf edges;                           /* pairs: child leaf, next edge */
    uint32_t *stack, stacked;
} spreading;

static void put_off(spreading *s, uint32_t leaf) {
    if (s->a->take[leaf] != TAKE_NOW) return;
    s->a->take[leaf] = TAKE_LATER;
    s->stack[s->stacked++] = leaf;
}

static void note_leaf(spreading *s, const gt_node *node) {
    const admission *a = s->a;
    uint32_t group = gt_batch_group_of(a->batch, node->first);
    if (a->take[node->first] == TAKE_LATER) s->stack[s->stacked++] = node->first;
    if (group != UINT32_MAX) {
        s->next_of_group[node->first] = s->first_of_group[group];
        s->first_of_group[group] = node->first + 1;
    }
    for (uint32_t i = 0; a->take[node->first] == TAKE_NOW && i < node->commit.parents.count; i++) {
        uint32_t parent = find_leaf(a, gt_ids_at(node->commit.parents, i));
        if (parent == GT_INDEX_NONE) continue;
        uint32_t leaf = a->batch->nodes[parent].first;
        uint32_t edge[2] = {node->first, s->first_child[leaf]};
        gt_buf_append(&s->edges, edge, sizeof(edge));
        s->first_child[leaf] = (uint32_t)(s->edges.len / sizeof(edge));
    }
}

static void put_off_others(spreading *s, uint32_t leaf) {
    for (uint32_t at = s->first_child[leaf]; at != 0;) {
        uint32_t edge[2];
        memcpy(edge, s->edges.data + (at - 1) * sizeof(edge), sizeof(edge));
        put_off(s, edge[0]);
        at = edge[1];
    }
    uint32_t group = gt_batch_group_of(s->a->batch, leaf);
    if (group == UINT32_MAX) return;
    for (uint32_t at = s->first_of_group[group]; at != 0; at = s->next_of_group[at - 1]) put_off(s, at - 1);
    s->first_of_group[group] = 0;
}

static goat_status spread(admission *a, gt_diag *diag) {
    const gt_alloc *alloc = a->repo->alloc;
    uint32_t size = a->batch->size;
    spreading s = {.a = a, .first_child = gt_new(alloc, 4 * (size_t)size, sizeof(uint32_t))};
    gt_buf_init(&s.edges, alloc);
    if (s.first_child == NULL) return gt_no_memory(diag);
    s.first_of_group = s.first_child + size;
    s.next_of_group = s.first_of_group + size;
    s.stack = s.next_of_group + size;
    for (uint32_t i = 0; i < a->batch->node_count; i++) {
        if (a->batch->nodes[i].kind == GT_NODE_LEAF) note_leaf(&s, &a->batch->nodes[i]);
    }
    bool failed = gt_buf_failed(&s.edges);
    while (!failed && s.stacked > 0) put_off_others(&s, s.stack[--s.stacked]);
    gt_buf_free(&s.edges);
    gt_free(alloc, s.first_child);
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status decide(admission *a, gt_diag *diag) {
    bool waits = false;
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; status == GOAT_OK && i < a->batch->node_count; i++) {
        const gt_node *node = &a->batch->nodes[i];
        if (node->kind != GT_NODE_LEAF) continue;
        status = look_at_leaf(a, node, diag);
        waits = waits || a->take[node->first] == TAKE_LATER;
    }
    if (status == GOAT_OK && waits) status = spread(a, diag);
    for (uint32_t i = 0; i < a->batch->node_count; i++) {
        const gt_node *node = &a->batch->nodes[i];
        if (node->kind != GT_NODE_LEAF) continue;
        a->later += a->take[node->first] == TAKE_LATER;
        a->now += a->take[node->first] == TAKE_NOW;
        a->again += a->take[node->first] == TAKE_AGAIN;
    }
    return status;
}

static goat_status begin_admission(admission *a, gt_repo *repo, gt_batch *batch, bool from_log, gt_diag *diag) {
    *a = (admission){.repo = repo, .batch = batch, .from_log = from_log};
    repo->full_work = 0;
    a->take = gt_new(repo->alloc, 2 * (size_t)batch->size, 1);
    if (a->take != NULL) a->found = a->take + batch->size;
    gt_index_init(&a->leaves, repo->alloc);
    a->latest = latest_time(repo, batch);
    uint32_t known = gt_find_batch(repo, &batch->id);
    a->has_lost = known != GT_NONE && gt_batch_has_lost(repo, known);
    bool failed = a->take == NULL;
    for (uint32_t i = 0; !failed && i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        if (node->kind == GT_NODE_LEAF) failed = !gt_index_insert(&a->leaves, gt_id_hash(repo, &node->hash), i);
    }
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

static void end_admission(admission *a) {
    gt_index_free(&a->leaves);
    gt_free(a->repo->alloc, a->take);
}

/* ---- taking them ---- */

/* Logs the leaves that are taken so: the frame as it is, or with the others elided. */
static goat_status log_frame(admission *a, uint8_t taken, gt_record *record, gt_diag *diag) {
    gt_repo *repo = a->repo;
    bool whole = true;
    for (uint32_t i = 0; i < a->batch->node_count; i++) {
        const gt_node *node = &a->batch->nodes[i];
        if (node->kind == GT_NODE_LEAF && a->take[node->first] != taken) whole = false;
    }
    if (whole) return gt_log_append(repo->log, GT_RECORD_BATCH, a->batch->frame, record, diag);
    gt_buf frame;
    gt_buf_init(&frame, repo->alloc);
    uint8_t *reasons = gt_new(repo->alloc, a->batch->size, 1);
    goat_status status = reasons == NULL ? gt_no_memory(diag) : GOAT_OK;
    for (uint32_t leaf = 0; reasons != NULL && leaf < a->batch->size; leaf++) {
        reasons[leaf] = a->take[leaf] == taken ? GT_NODE_LEAF : GT_NODE_HAD;
    }
    if (status == GOAT_OK) status = gt_batch_elide(repo->config.hasher, a->batch, reasons, &frame, diag);
    if (status == GOAT_OK) status = gt_log_append(repo->log, GT_RECORD_BATCH, gt_buf_bytes(&frame), record, diag);
    gt_free(repo->alloc, reasons);
    gt_buf_free(&frame);
    return status;
}

/* Whether the leaf behind one is taken too, and is an edit on that one alone. */
static bool is_followed(const gt_batch *logged, uint32_t number, const gt_id *id, const uint8_t *take, uint8_t taken) {
    if (number + 1 == logged->node_count) return false;
    const gt_node *next = &logged->nodes[number + 1];
    if (next->kind != GT_NODE_LEAF || (take != NULL && take[next->first] != taken)) return false;
    return next->commit.parents.count == 1 && gt_id_compare(gt_ids_at(next->commit.parents, 0), id) == 0;
}

/* The rows of the leaves taken now, whose bytes lie in `record`. */
goat_status gt_admit_leaves(gt_repo *repo, const gt_batch *batch, const gt_record *record, const uint8_t *take,
                            uint8_t taken, const uint8_t *found, gt_origin origin, gt_diag *diag) {
    gt_arena arena;
    gt_arena_init(&arena, repo->alloc);
    gt_batch logged;
    goat_status status = gt_batch_view(record->payload, &arena, &logged, diag);
    uint32_t row = status == GOAT_OK ? gt_chain_add(repo, batch, record) : GT_NONE;
    if (status == GOAT_OK && row == GT_NONE) status = gt_no_memory(diag);
    uint32_t in = status == GOAT_OK ? gt_record_of(repo, row, record->offset) : GT_NONE;
    uint32_t from = 0; /* both lists of nodes are ordered by leaf */
    bool in_line = false;
    gt_line line = {0};
    for (uint32_t i = 0; status == GOAT_OK && i < logged.node_count; i++) {
        const gt_node *node = &logged.nodes[i];
        if (node->kind != GT_NODE_LEAF || (take != NULL && take[node->first] != taken)) continue;
        while (batch->nodes[from].first != node->first) from++;
        const gt_id *id = &batch->nodes[from].hash;
        uint64_t offset = record->offset + (uint64_t)(node->bytes.data - record->payload.data);
        bool followed = is_followed(&logged, i, id, take, taken);
        unsigned what = found == NULL ? 0 : found[node->first];
        if (followed) what |= GT_LEAF_FOLLOWED;
        if (followed && !in_line) line = gt_line_begin(repo, node->commit.key);
        status = gt_graph_add(repo, row, node->first, id, &node->commit, offset, (uint32_t)node->bytes.len, what,
                              origin, diag);
        if (status != GOAT_OK) break;
        if (in_line && !followed) gt_line_end(repo, node->commit.key, line);
        in_line = followed;
        gt_batch_at(repo, row)->held++;
        gt_batch_at(repo, in)->leaves++;
    }
    gt_arena_free(&arena);
    return status;
}

/* Whether the batch is in its place. A gap in our own log is no barrier; a peer's batch waits for what is missing. */
static goat_status check_place(admission *a, gt_diag *diag) {
    gt_id missing;
    goat_status status = gt_chain_check(a->repo, a->batch, &missing, diag);
    if (status != GOAT_NOT_FOUND) return status;
    if (diag != NULL) gt_diag_init(diag);
    if (a->from_log) return GOAT_OK;
    a->later += a->now;
    a->now = 0;
    a->missing = missing;
    return GOAT_NOT_FOUND;
}

/* Whether only the batch itself is news: all its leaves were left out. Its header keeps the chain whole. */
static bool is_new_header(const admission *a) {
    uint32_t row = gt_find_batch(a->repo, &a->batch->id);
    return a->now + a->later == 0 && (row == GT_NONE || (gt_batch_at(a->repo, row)->flags & GT_BATCH_STUB) != 0);
}

/* Takes in the leaves that are news, or that are lost and came again; logs them if they come from a peer. */
static goat_status take(admission *a, const gt_record *where, bool again, gt_origin origin, gt_diag *diag) {
    gt_repo *repo = a->repo;
    gt_record record;
    uint8_t taken = again ? TAKE_AGAIN : TAKE_NOW;
    if (where != NULL) record = *where;
    goat_status status = where == NULL ? log_frame(a, taken, &record, diag) : GOAT_OK;
    if (status != GOAT_OK) return status;
    status = again ? gt_heal_leaves(repo, a->batch, &record, a->take, taken, diag)
                   : gt_admit_leaves(repo, a->batch, &record, a->take, taken, a->found, origin, diag);
    if (status != GOAT_OK) gt_repo_fail(repo, status, "a batch that is logged could not be taken in");
    if (status == GOAT_OK && where == NULL) gt_repo_logged(repo);
    return status;
}

goat_status gt_admit_batch(gt_repo *repo, gt_batch *batch, const gt_record *where, gt_origin origin,
                           gt_admission *outcome, gt_diag *diag) {
    admission a;
    goat_status status = begin_admission(&a, repo, batch, where != NULL, diag);
    if (status == GOAT_OK) status = decide(&a, diag);
    bool header = status == GOAT_OK && is_new_header(&a), waits = a.later > 0;
    goat_status place = status == GOAT_OK ? check_place(&a, diag) : GOAT_OK;
    waits = place == GOAT_NOT_FOUND ? header || a.later > 0 : waits;
    if (status == GOAT_OK && place != GOAT_NOT_FOUND) status = place;
    bool takes = a.now > 0 || (header && place == GOAT_OK);
    if (status == GOAT_OK && takes) status = take(&a, where, false, origin, diag);
    if (status == GOAT_OK && a.again > 0) status = take(&a, where, true, origin, diag);
    *outcome = takes || a.again > 0 ? GT_ADMITTED : GT_KNOWN;
    if (status == GOAT_OK && waits) {
        uint64_t offset = where != NULL ? where->offset : GT_NO_POSITION;
        status = gt_park(repo, batch->frame, &batch->session, &a.missing, offset, origin, diag);
        *outcome = GT_PARKED;
    }
    end_admission(&a);
    return status;
}

goat_status gt_admit_frame(gt_repo *repo, gt_bytes frame, uint64_t offset, bool verified, gt_origin origin,
                           gt_admission *outcome, gt_id *id, gt_diag *diag) {
    gt_arena arena;
    gt_batch batch;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_batch_decode(frame, &arena, &batch, diag);
    if (status == GOAT_OK) status = gt_batch_hash(repo->config.hasher, &repo->place, &batch, diag);
    if (status == GOAT_OK) {
        status = repo->config.hooks.find_key(repo->config.hooks.context, &batch, public_key, diag);
    }
    if (status == GOAT_OK && !verified) status = gt_batch_verify(&repo->place, &batch, public_key, repo->alloc, diag);
    if (status == GOAT_OK && id != NULL) *id = batch.id;
    gt_record where = {.type = GT_RECORD_BATCH, .offset = offset};
    if (offset != GT_NO_POSITION) where.payload = gt_log_at(repo->log, offset, frame.len);
    if (status == GOAT_OK) {
        status = gt_admit_batch(repo, &batch, offset != GT_NO_POSITION ? &where : NULL, origin, outcome, diag);
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_repo_check_open(const gt_repo *repo, gt_diag *diag) {
    if (repo->phase == GT_REPO_FAILED) {
        if (diag != NULL) *diag = repo->failure;
        return repo->failure.status;
    }
    if (repo->phase != GT_REPO_OPEN) return gt_fail(diag, GOAT_LOADING, "the repository is still opening");
    if (repo->config.read_only) return gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    return GOAT_OK;
}

static goat_status end_of(gt_repo *repo, goat_status status, gt_diag *diag) {
    if (status == GOAT_OK) gt_parked_retry(repo);
    if (status != GOAT_OK) gt_diag_path(diag, repo->path, strlen(repo->path));
    return status;
}

goat_status gt_repo_admit(gt_repo *repo, gt_bytes frame, gt_admission *outcome, gt_id *batch, gt_diag *diag) {
    goat_status status = gt_repo_check_open(repo, diag);
    if (status != GOAT_OK) return status;
    status = gt_admit_frame(repo, frame, GT_NO_POSITION, false, GT_FROM_PEER, outcome, batch, diag);
    return end_of(repo, status, diag);
}

goat_status gt_repo_admit_batch(gt_repo *repo, gt_batch *batch, gt_admission *outcome, gt_diag *diag) {
    goat_status status = gt_repo_check_open(repo, diag);
    if (status != GOAT_OK) return status;
    status = gt_admit_batch(repo, batch, NULL, GT_FROM_PEER, outcome, diag);
    return end_of(repo, status, diag);
}

/* The frame without its leaves, which are said to be refused. */
static goat_status elide_all(gt_repo *repo, const gt_batch *batch, gt_buf *frame, gt_diag *diag) {
    uint8_t *reasons = gt_new(repo->alloc, batch->size, 1);
    if (reasons == NULL) return gt_no_memory(diag);
    memset(reasons, GT_NODE_REFUSED, batch->size);
    goat_status status = gt_batch_elide(repo->config.hasher, batch, reasons, frame, diag);
    gt_free(repo->alloc, reasons);
    return status;
}

goat_status gt_repo_admit_header(gt_repo *repo, const gt_batch *batch, gt_admission *outcome, gt_diag *diag) {
    gt_arena arena;
    gt_buf frame;
    gt_batch header;
    goat_status status = gt_repo_check_open(repo, diag);
    *outcome = GT_KNOWN;
    if (status != GOAT_OK) return status;
    gt_arena_init(&arena, repo->alloc);
    gt_buf_init(&frame, repo->alloc);
    status = elide_all(repo, batch, &frame, diag);
    if (status == GOAT_OK) status = gt_batch_decode(gt_buf_bytes(&frame), &arena, &header, diag);
    if (status == GOAT_OK) status = gt_batch_hash(repo->config.hasher, &repo->place, &header, diag);
    if (status == GOAT_OK) status = gt_admit_batch(repo, &header, NULL, GT_FROM_PEER, outcome, diag);
    status = end_of(repo, status, diag);
    gt_buf_free(&frame);
    gt_arena_free(&arena);
    return status;
}
