/* What a replica remembers of its server: the file DB/remote, a line for each fact, replaced as a whole.
 *
 *     goat remote 1
 *     url ws://server:8080
 *     ca /etc/goats.pem
 *     repository /data/cats        for each that is wanted; none: all
 *     even 1790000000000           when both were the same last, in milliseconds since 1970
 *     trouble the server is gone   what went wrong since
 *
 * It is the command's own: the library knows nothing of it, and a replica without it needs --url. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "options.h"

typedef struct remote {
    char *url, *ca; /* NULL: none */
    char **repos;
    size_t repo_count;
    int64_t even_ms; /* 0: never */
    char *trouble;   /* NULL: none */
} remote;

/* CLI_DONE, also when there is no such file: nothing is known then. Trouble is said. */
int remote_read(cli *run, const char *db, remote *r);
int remote_write(cli *run, const char *db, const remote *r);
void remote_free(remote *r);

/* The copy takes the place of what was there; NULL: nothing does. */
void remote_set(char **where, const char *value);
void remote_add_repo(remote *r, const char *path);

#endif
