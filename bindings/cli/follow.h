/* A database and its server: connecting, waiting until both have the same, and what to do when the server is out of
 * reach. What `clone` and `sync` share.
 *
 * Signals are only looked at between steps; whatever ends the wait, what came is kept. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cbor.h"
#include "options.h"
#include "owner.h"
#include "probe.h"
#include "progress.h"
#include "remote.h"
#include "waiter.h"

enum { FOLLOW_KEY_SIZE = PROBE_KEY_SIZE, FOLLOW_TIMEOUT = 10 };

typedef struct follow follow;

struct follow {
    cli *run;
    waiter waiter;
    remote remote;
    owner owner;
    const char *db; /* the operand */
    uint32_t timeout;
    bool forever; /* a server out of reach is waited for without end */
    progress progress;
    double begun;    /* seconds of progress_now() */
    uint64_t before; /* commits that were there */
    uint64_t unsent; /* and those of them that the server did not have */
    bool was_online, told;
    /* What is done with changes while it waits; the exit code. NULL: they are passed over. */
    int (*changed)(follow *f);
    void *context;
};

/* Reads --timeout and --ca, and opens the waiter: before the database is opened. */
int follow_begin(follow *f, cli *run, const char *db);
void follow_end(follow *f);

/* Asks who serves at the URL: its root key. Waits for a server that is out of reach as long as was asked for. */
int follow_ask(follow *f, uint8_t root[FOLLOW_KEY_SIZE]);

/* Counts what is there. All stored repositories are opened for it, and closed again. */
int follow_count(follow *f);

/* Begins to connect; `flags` are GOAT_SYNC_…. */
int follow_connect(follow *f, uint32_t flags);

/* Waits until both sides have the same and all of it is on both disks. */
int follow_until_even(follow *f);

/* Notes where the server is and that all went well; or only what the trouble was, where it is the server that was
 * known before. `code` is what the wait came to. */
int follow_remember(follow *f, int code);

/* One line about it, or an object with --json; `root` may be NULL. */
void follow_summary(follow *f, const uint8_t *root);

/* Notices that the server is gone, or there again, and says so once. */
void follow_notice(follow *f);

/* The exit code of the whole: says what the signal was when there was one, and closes the connection in good order. */
int follow_disconnect(follow *f, int code);

#endif
