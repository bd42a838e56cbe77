/* Opening what a command works on, and closing it whatever happened. Every function says itself what went
 * wrong and gives an exit code, CLI_DONE when all is well.
 *
 * Commands that only read open the database read-only: they need no right to write, several may run at
 * once, and nothing is changed by looking, not even a damaged log. */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "options.h"

/* How a repository is opened. */
enum {
    CLI_REPO_MUST_EXIST = 0,
    CLI_REPO_CREATE = 1,
    CLI_REPO_LISTED = 2, /* goat_db_repos() has just named it */
};

/* Opens the database that the first operand names; it must be there. */
int cli_open(cli *run, bool read_only);

/* Opens a repository, and says which damage was found in it. */
int cli_open_repo(cli *run, const char *path, int how);

/* Without its schema no item can be right; better said once, and before a repository is made. CLI_NO when no
 * version of it is known. */
int cli_look_for_schema(cli *run, const char *ns);

/* Waits until everything is on the disk. */
int cli_flush(cli *run);

/* Closes what is open. `code` is what the command came to; gives that, or what closing came to. */
int cli_close(cli *run, int code);

/* Takes "/type/repo/item" apart: `repo` has room for CLI_REPO_PATH_SIZE; `*key` points into `path`. */
enum { CLI_REPO_PATH_SIZE = 2 * GOAT_NAME_MAX + 3 };
int cli_split_path(const cli *run, const char *path, char *repo, const char **key);

/* Opens database and repository of the item that the second operand names, and the item if `item` is not
 * NULL. */
int cli_open_item(cli *run, bool read_only, int how, goat_item **item);

/* The id of the item's commit that begins with these digits. */
int cli_find_commit(cli *run, goat_item *item, const char *digits, goat_buf *id);

#endif
