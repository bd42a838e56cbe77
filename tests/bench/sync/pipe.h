/* Two databases joined by a pipe of bytes in one thread, and what goes through it, message by message. Time passes as
 * on the machine, packets take none: so bytes and round trips are exact, whatever else runs. */
#ifndef GOAT_BENCH_PIPE_H
#define GOAT_BENCH_PIPE_H

#include "lab.h"

#include "sync/message.h"

typedef struct tally {
    uint32_t trips; /* begun by the client after authentication, until the last batch came and the client was even */
    uint64_t bytes; /* of messages, but for HELLO and PROOF, until it is quiet */
    uint64_t batch_bytes; /* of these, frames of batches */
    uint64_t filter_bytes, receipt_bytes;
    uint32_t batches;
} tally;

/* Connects, exchanges until both are even and quiet, and disconnects. */
tally pipe_sync(goat_db *client, goat_db *server);

#endif
