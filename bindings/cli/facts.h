/* How a database stands with its server and with whoever is connected: one JSON object, made of what the library knows
 * (goat_db_status) and what the command remembers. Whoever owns the database leaves it in the folder, and `goat status`
 * prints it, whether it comes from there or was made just now.
 *
 *     owner         {"command", "pid", "time"}, null while nobody owns it
 *     serving       the URL where it is served, or null
 *     url, online   its server, and whether that is connected
 *     even, is_even when both were last the same, and whether they are now
 *     trouble       what went wrong since, or null
 *     peer_count, peers   who is connected: {"session", "role", "repositories", "in", "out", "batches_in",
 *                   "batches_out"}, FACTS_PEERS_MAX of them at most
 *     repositories  {"path", "commits", "pending", "to_send", "coming"} of each, those of /sys left out
 *     pending, to_send, coming   sums of these: commits, and bytes
 *
 * Times are in the library's own form, {"$date": …}. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <string.h>

#include "cbor.h"
#include "remote.h"
#include "text.h"

enum { FACTS_PEERS_MAX = 100 };

typedef struct facts {
    const char *command; /* of the process that owns it, which is this one; NULL: nobody does */
    const char *serving; /* NULL: it is no server */
    const remote *remote;
    cbor status; /* of goat_db_status() */
    int64_t now_ms;
} facts;

/* Milliseconds since 1970. */
int64_t facts_now(void);

/* Both have the same as far as is known here: the server is connected, and nothing waits to come or to go. */
bool facts_are_even(cbor status);

/* Adds the object to `out`. Gives how many bytes at its front are times, which differ although nothing has changed. */
size_t facts_add(const facts *f, text *out);

static inline bool facts_is_system(cbor path) { return path.len >= 5 && memcmp(path.data, "/sys/", 5) == 0; }

#endif
