/* Edits as JSON for goat_repo_apply_json(): of one item, and of the lines of `apply`. */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "ingest.h"

/* Applies one edit to the item that the second operand names, waits for the disk, closes, and prints what
 * came of it. `rest` is the edit's JSON without the key: `"unset":["a"]`. With the schema `ns` it may create
 * item and repository; NULL: both must be there. The exit code. */
int edit_one(cli *run, const char *ns, const text *rest);

/* Makes an edit of each operand behind the second, in the item that the second names, all in one commit; waits for the
 * disk, closes and prints. `message` (may be NULL) is kept with the commit. The exit code. */
typedef int edit_field(cli *run, goat_item *item, const char *operand); /* CLI_DONE, or the code of what it said */
int edit_fields(cli *run, edit_field *each, const char *message);

/* The same line of output for a command that made the edit in its own way. `did` is "created" and so on. */
void edit_print(const cli *run, const char *did);

/* What the lines of `apply` are read with. */
typedef struct edit_lines {
    const char *key;    /* the member that names the item */
    const char *schema; /* of created items; NULL: each line says it */
} edit_lines;

/* An ingest_make; its context is an edit_lines. */
bool edit_make(ingest *in, json_slice line, char *why);

/* Adds `"key":…` for the value of a key member. False: it cannot be a key, and `why` says so. */
bool edit_add_key(ingest *in, const char *name, json_slice value, char *why);

#endif
