/* Versions of a schema side by side: what is seen, and how it is carried; see versions.c, carry.c. */
#ifndef GT_REPO_VERSIONS_H
#define GT_REPO_VERSIONS_H

#include "base/arena.h"
#include "repo/tables.h"

/* ---- carry.c ---- */

/* Whether the delta of a commit fits the schema that it was written with. It is looked at once, if it does: a definition never
 * changes. */
bool gt_commit_fits(gt_repo *repo, uint32_t number, const gt_schema *writer, gt_bytes delta);
void gt_commit_note_fits(gt_repo *repo, uint32_t number); /* who admitted it has looked */
/* The delta of a commit as a reader of a later version takes it, in the arena where it is not the same: without edits that do
 * not fit (FORMAT.md 3.4), and upgraded. */
goat_status gt_carry(gt_repo *repo, uint32_t number, const gt_schema *writer, const gt_schema *reader, gt_bytes *delta,
                     gt_arena *arena, gt_diag *diag);
/* A state of a version as a later one has it; appended. */
goat_status gt_carry_state(const gt_repo *repo, const gt_schema *writer, const gt_schema *reader, gt_bytes state,
                           gt_buf *out, gt_diag *diag);
/* Whether a state that commits of a row came to is, upgraded, what a reader has: all upgrades on the way are exact. */
bool gt_is_exact(const gt_repo *repo, uint32_t schema, const gt_schema *reader);

/* ---- versions.c ---- */

/* Whether what a commit says can be read at a version (NULL: where the host reads), its parents aside. */
bool gt_can_read(const gt_repo *repo, const gt_commit_row *commit, const gt_schema *version);
/* Whether a commit that was just added is to be hidden: by its own row, or its parents. */
bool gt_is_to_hide(const gt_repo *repo, const gt_commit_row *commit);

/* Looks anew at which of an item's commits are shown; its state is not known any more. */
void gt_item_reconsider(gt_repo *repo, uint32_t number);
/* The tables come from a checkpoint that may have been written with other schemas at hand. Gives the first item to look
 * at anew; then up to `items` of them a step, until it is true. */
uint32_t gt_schemas_restored_begin(gt_repo *repo);
bool gt_schemas_restored_step(gt_repo *repo, uint32_t *next, size_t items);

#endif
