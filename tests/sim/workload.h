/* What apps do: edits of all kinds, with values that occur once in a run, so that each can be found again in the
 * commit that it came to be in. */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "world.h"

/* ---- values.c ---- */

typedef enum sim_field {
    SIM_STRING,
    SIM_NUMBER,
    SIM_BOOLEAN,
    SIM_DATE,
    SIM_BYTES,
    SIM_REF,
    SIM_SET,
    SIM_MAP,
    SIM_LIST,
    SIM_COUNTER,
    SIM_TEXT,
    SIM_MERGED_TEXT,
    SIM_RICH,
    SIM_INNER, /* in an object */
    SIM_INNER_TEXT,
    SIM_STAMP,
    SIM_FIELDS
} sim_field;

enum { SIM_VERSIONS = 3 };
extern const char *const sim_schemas[1 + SIM_VERSIONS]; /* strict 1, then note 1, 2, 3 */
extern const char *const sim_field_names[SIM_FIELDS];
/* Whether some of them have such a rule for the field that values of apps do not keep by themselves. */
bool sim_has_rule(const char *field, const char *rule);

/* Appends a value of the field's type that holds `marker`; its own bytes, by which it can be found again, are in
 * `value` (len 0: it cannot). Of what has places it is
 * text to be inserted. */
void sim_write_value(sim_field field, uint64_t marker, gt_buf *out, sim_pending *pending);

/* ---- workload.c ---- */

/* Registers what this app knows of the schemas. */
void sim_register_schemas(sim_peer *peer, uint32_t handle);

/* The app is of the next version; of a server the newest version is retired, or taken back. */
void sim_do_schema(sim_peer *peer, gt_sim_random *random);

/* Steps; each draws from its own seed. */
void sim_do_edits(sim_peer *peer, gt_sim_random *random, uint32_t count);
void sim_do_transaction(sim_peer *peer, gt_sim_random *random);
void sim_do_apply(sim_peer *peer, gt_sim_random *random);
void sim_do_revert(sim_peer *peer, gt_sim_random *random); /* also undo and redo; reverts.c */
void sim_do_look(sim_peer *peer, gt_sim_random *random);   /* reads, history, queries, status */
void sim_advance(sim_peer *peer, uint32_t handle);

/* ---- edits of one item ---- */

typedef struct sim_place {
    sim_peer *peer;
    sim_pendings *pendings;
    uint8_t repo;
    char path[40]; /* of the item */
} sim_place;

/* One of the keys that everybody shares, and the namespace of its item. */
const char *sim_choose_key(const sim_peer *peer, gt_sim_random *random, char key[8]);
void sim_note_pending(const sim_place *at, sim_pending *pending, sim_field field, uint8_t part);

/* How many elements a field has; 0 where it is not there. */
uint32_t sim_length_of(goat_item *item, sim_field field);

/* places.c: what has places is inserted, and pieces of it moved, removed and changed. */
goat_status sim_insert(goat_item *item, const sim_place *at, sim_field field, gt_bytes text, gt_sim_random *random,
                       goat_error **error);
void sim_edit_places(goat_item *item, const sim_place *at, gt_sim_random *random);

/* ---- applied.c: edits for apply ---- */

enum { SIM_APPLIED_MAX = 6 };

/* What is known beforehand of one edit of a call. */
typedef struct sim_applied {
    char path[40];
    const char *ns;           /* NULL: it does not say */
    bool is_told, is_deleted; /* whether it says what the item is then: deleted, or there */
} sim_applied;

/* Appends the edits as JSON, and adds what they write to `pendings`; how many edits. */
uint32_t sim_write_edits(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random, gt_buf *json,
                         sim_pendings *pendings, sim_applied edits[SIM_APPLIED_MAX]);

/* ---- history.c: the commits of an item, page by page ---- */

/* Reads the next page of what a handle is in the middle of, or begins with an item of a repository (SIM_REPOS_MAX: none). */
void sim_read_page(sim_peer *peer, sim_handle *handle, uint8_t repo, gt_sim_random *random);
void sim_paging_end(sim_paging *paging);

/* ---- pending.c: values that are on their way into a commit ---- */

/* Written into an item: it takes the place of what was written there before. */
void sim_pendings_add(sim_pendings *pendings, const sim_pending *pending);
/* What was written there does not count any more. `part` 255: any. */
void sim_pendings_remove(sim_pendings *pendings, const char *path, uint8_t field, uint8_t part);
void sim_pendings_clear(sim_pendings *pendings);
/* A commit of the peer's own: its values are not pending any more. */
void sim_pendings_settle(sim_peer *peer, gt_repo *repo, uint8_t number, uint32_t row);
void sim_pendings_forget_repo(sim_pendings *pendings, uint8_t repo); /* it was closed */
/* Everything whose order is above `after` and up to `upto` is said to be committed: it must be. */
void sim_pendings_expect_none(sim_peer *peer, uint32_t handle, uint64_t after, uint64_t upto);

#endif
