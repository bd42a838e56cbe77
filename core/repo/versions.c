/* What becomes of items when schemas come: those that were carried unseen are seen, others are read at a newer version.
 *
 * A state that is kept is always as the version says that its schema row names (gt_schema_row.read_at), in
 * a checkpoint as in memory. */
#include "repo/tables.h"

void gt_item_reconsider(gt_repo *repo, uint32_t number) {
    gt_item_row *item = gt_item_at(repo, number);
    bool all_shown = true;
    for (uint32_t c = item->newest; all_shown && c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        all_shown = gt_is_shown(repo, gt_commit_at(repo, c));
    }
    item->flags &= (uint16_t) ~(GT_ITEM_UNSHOWN | GT_ITEM_INVALID);
    if (!all_shown) item->flags |= GT_ITEM_UNSHOWN;
    gt_item_forget_state(repo, item);
    gt_cuts_forget(repo, number);
}

static bool any_changes(const gt_repo *repo) {
    bool changes = false;
    for (uint32_t i = 0; i < repo->schemas.count && !changes; i++) changes = gt_schema_changes(repo, i);
    return changes;
}

/* What an item looks like depends on the version that it is read at, and on commits that are not shown. */
void gt_repo_schemas_changed(gt_repo *repo) {
    if (!any_changes(repo)) return;
    const gt_repo_hooks *hooks = &repo->config.hooks;
    for (uint32_t i = 0; i < repo->items.count; i++) {
        gt_item_row *item = gt_item_at(repo, i);
        if ((item->flags & GT_ITEM_UNSHOWN) == 0 && !gt_schema_changes(repo, gt_item_schema(repo, item))) continue;
        item->flags |= GT_ITEM_AFFECTED;
        if (hooks->before_change != NULL) hooks->before_change(hooks->context, repo, i);
    }
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
