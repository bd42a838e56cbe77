/* What holds of the edits of one author to a field, whatever its type: what is made from two values leads from one to the
 * other, two edits put together do what both did, and all of them are in the one form that a schema's check takes. */
#ifndef EDIT_LAWS_H
#define EDIT_LAWS_H

#include "merge/merge.h"
#include "support/merge_fixture.h"
#include "support/test_random.h"

/* A field of a schema. */
typedef struct edit_place {
    const gt_schema *schema;
    const gt_field *field;
} edit_place;

edit_place edit_place_of(const gt_schema *schema, const char *field);

/* Whether the field may be edited so: GOAT_OK, or why not. */
goat_status edit_check(edit_place at, gt_bytes edit, gt_diag *diag);

/* The edit is in its one form, and leads from one value to another. */
void edit_leads(edit_place at, gt_bytes from, gt_bytes edit, gt_bytes to);

/* `edit` becomes what leads from one value to another, nothing where they are equal. */
void edit_made(edit_place at, gt_bytes from, gt_bytes to, gt_buf *edit);
/* The same in notation (NULL: unset, or no edit), and it is the one expected. */
void edit_made_is(edit_place at, const char *from, const char *to, const char *expected);

/* `both` becomes what two edits are together (`first` of no data: the second alone), which lead from `base` to `to`. False:
 * nothing is left of them. */
bool edit_composed(edit_place at, gt_bytes base, gt_bytes first, gt_bytes second, gt_bytes to, gt_buf *both);

/* Random values of a type: appends one; another one with much in common with it (NULL: any). */
typedef struct edit_model {
    void (*make)(test_random *random, gt_buf *value);
    void (*vary)(test_random *random, gt_bytes from, gt_buf *value);
} edit_model;

/* So many times: from one value to a second, to a third, and the two edits together. Gives how many of these there were. */
uint32_t edit_laws_hold(edit_place at, const edit_model *model, uint32_t rounds, const char *test_name);

/* Of a field of the fixture, in notation: each allocation fails in turn while `base` becomes `other`, `one` and `two` are put
 * together, and both are replayed. `two` may be made on `base`, and on what `one` makes of it. */
void edit_laws_hold_without_memory(merge_fixture *f, const char *field, const char *base, const char *other,
                                   const char *one, const char *two);

#endif
