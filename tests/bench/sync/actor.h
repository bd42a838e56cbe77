/* The roles that processes of this bench play, through the public ABI, and what whoever started them knows of them. */
#ifndef GOAT_BENCH_ACTOR_H
#define GOAT_BENCH_ACTOR_H

#include "child.h"

#include "commit/commit.h"

extern const char actor_repository[]; /* for loads: /data/load, with the schema of sealed.h */
extern const char actor_documents[];  /* /data/packages */
extern const char actor_notes[];      /* /data/notes, small documents */

typedef struct actor {
    child process;
    uint16_t port;     /* of a server */
    char url[128];     /* of a server */
    char root_key[65]; /* of a server: hexadecimal */
    gt_id network;     /* of a server */
    char folder[256];
} actor;

/* Makes a database that can be a server, with one repository, and closes it: `docs`, or `notes` small documents. */
void actor_make(const char *folder, const char *repository, const documents *docs, uint32_t notes);
/* Serves it on a free port of the loopback. The repository is open before anybody asks for it. */
void actor_serve(const lab_plan *lab, actor *server, const char *folder, const char *repository, bool secure);

typedef struct server_growth {
    double anonymous, resident; /* bytes: the most that was there, beyond what was before */
} server_growth;

/* Clones a repository into a folder that is not there: seconds until all is on the disk. The database is closed and
 * stays. `growth` (may be NULL) is watched meanwhile. */
double actor_clone(const lab_plan *lab, const actor *server, const char *folder, const char *repository, uint32_t items,
                   server_growth *growth);

/* A replica that notes when each edit of a field "at" becomes visible, and how long that took. Even when this
 * returns. */
void actor_read(const lab_plan *lab, actor *reader, const actor *server, const char *folder, const char *repository);
/* What it has seen since it began; ends the bench when that is not `expected` edits (0: any number). */
void actor_collect(const lab_plan *lab, actor *reader, size_t expected, samples *seen_us);

/* A replica that makes `edits` edits, waits each time until that is on the server's disk, and says how long it
 * took. */
void actor_write(const lab_plan *lab, const actor *server, const char *folder, const char *repository, uint32_t edits,
                 samples *safe_us);

void actor_end(actor *a); /* ends the bench when it does not end well */

/* What a child does: `arguments` are those behind --child. */
int actor_main(int count, char **arguments);

#endif
