/* Which commits are seen here, and what becomes of items when that changes: schemas come, are retired or taken back, or
 * the host reads at another version.
 *
 * A commit is hidden when its version is newer than the one at which the host reads, not known, retired, or cannot be
 * carried; and when a parent is. One of another namespace than the item's changes nothing, so that its version does not
 * matter: it is hidden when a parent is. So what is seen is closed under ancestry, and the view at a version is
 * that of exactly the commits up to it. Hiding changes no graph. A state that is kept is always as the version says that
 * its schema row names (gt_schema_row.read_at), in a checkpoint as in memory. */
#include "repo/versions.h"

#include "repo/cuts.h"
#include "repo/replays.h"

bool gt_can_read(const gt_repo *repo, const gt_commit_row *commit, const gt_schema *version) {
    const gt_registry *schemas = repo->config.schemas;
    uint32_t way;
    if (!gt_same_namespace(repo, gt_item_schema(repo, gt_item_at(repo, commit->item)), commit->schema)) return true;
    if ((commit->flags & GT_COMMIT_SEALED) != 0) return false;
    if (version == NULL) return gt_reader_of(repo, commit->schema) != NULL;
    const gt_schema *writer = gt_writer_of(repo, commit->schema);
    return writer != NULL && !gt_registry_is_retired(schemas, writer) &&
           gt_registry_way(schemas, writer, version, &way);
}

bool gt_is_to_hide(const gt_repo *repo, const gt_commit_row *commit) {
    bool hide = !gt_can_read(repo, commit, NULL);
    for (uint32_t i = 0; !hide && i < commit->parent_count; i++) {
        const gt_commit_row *parent = gt_commit_at(repo, gt_parent_at(repo, commit, i));
        hide = !gt_is_shown(parent);
    }
    return hide;
}

/* The list of an item's commits, turned round; its new beginning. */
static uint32_t turn(gt_repo *repo, uint32_t commit) {
    uint32_t before = GT_NONE;
    while (commit != GT_NONE) {
        gt_commit_row *row = gt_commit_at(repo, commit);
        uint32_t next = row->older;
        row->older = before;
        before = commit;
        commit = next;
    }
    return before;
}

/* Parents were admitted before their children. What a snapshot was found to be, it was by the steps between versions that
 * were known then, so none is a base any more. */
static bool hide_anew(gt_repo *repo, gt_item_row *item) {
    bool all_shown = true;
    uint32_t oldest = turn(repo, item->newest);
    for (uint32_t c = oldest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        gt_commit_row *row = gt_commit_at(repo, c);
        row->flags &= (uint16_t) ~(GT_COMMIT_HIDDEN | GT_COMMIT_FULL);
        if (!gt_is_to_hide(repo, row)) continue;
        row->flags |= GT_COMMIT_HIDDEN;
        all_shown = false;
    }
    turn(repo, oldest);
    return all_shown;
}

void gt_item_reconsider(gt_repo *repo, uint32_t number) {
    gt_item_row *item = gt_item_at(repo, number);
    item->flags &= (uint16_t) ~(GT_ITEM_UNSHOWN | GT_ITEM_INVALID);
    if (!hide_anew(repo, item)) item->flags |= GT_ITEM_UNSHOWN;
    gt_item_forget_state(repo, item);
    gt_cuts_forget(repo, number);
    gt_replays_forget(repo, number);
}

static bool any_changes(const gt_repo *repo) {
    bool changes = false;
    for (uint32_t i = 0; i < repo->schemas.count && !changes; i++) changes = gt_schema_changes(repo, i);
    return changes;
}

/* Whether some commit of an item is read otherwise; `changed` by schema row, NULL: who knows. */
static bool is_affected(const gt_repo *repo, const gt_item_row *item, const bool *changed) {
    if (changed == NULL) return true;
    bool affected = false;
    for (uint32_t c = item->newest; !affected && c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        affected = changed[gt_commit_at(repo, c)->schema];
    }
    return affected;
}

void gt_repo_schemas_changed(gt_repo *repo) {
    if (!any_changes(repo)) return;
    const gt_repo_hooks *hooks = &repo->config.hooks;
    bool *changed = gt_new(repo->alloc, repo->schemas.count, sizeof(*changed));
    for (uint32_t i = 0; changed != NULL && i < repo->schemas.count; i++) changed[i] = gt_schema_changes(repo, i);
    for (uint32_t i = 0; i < repo->items.count; i++) {
        gt_item_row *item = gt_item_at(repo, i);
        if (!is_affected(repo, item, changed)) continue;
        item->flags |= GT_ITEM_AFFECTED;
        if (hooks->before_change != NULL) hooks->before_change(hooks->context, repo, i);
    }
    gt_free(repo->alloc, changed);
    gt_schemas_resolve(repo);
    for (uint32_t i = 0; i < repo->items.count; i++) {
        gt_item_row *item = gt_item_at(repo, i);
        if ((item->flags & GT_ITEM_AFFECTED) == 0) continue;
        item->flags &= (uint16_t)~GT_ITEM_AFFECTED;
        gt_item_reconsider(repo, i);
        item->revision++;
        if (hooks->after_change != NULL) hooks->after_change(hooks->context, repo, i, GT_FROM_PEER);
    }
}

uint32_t gt_schemas_restored_begin(gt_repo *repo) {
    bool changes = any_changes(repo);
    gt_schemas_resolve(repo);
    return changes ? 0 : repo->items.count;
}

bool gt_schemas_restored_step(gt_repo *repo, uint32_t *next, size_t items) {
    for (; items > 0 && *next < repo->items.count; items--) gt_item_reconsider(repo, (*next)++);
    return *next == repo->items.count;
}
