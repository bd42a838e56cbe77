/* A concurrent trace typed again: a database for each agent, and what they sent to each other. */
#ifndef GOAT_BENCH_REPLICAS_H
#define GOAT_BENCH_REPLICAS_H

#include "trace.h"

#include "abi.h"
#include "db/internal.h"

typedef struct frame {
    uint32_t agent;
    uint32_t *after; /* by agent: the frames before this number are what its author knew of him */
    uint8_t *bytes;
    size_t len;
} frame;

typedef struct replica {
    trace_db o;
    char folder[256];
    gt_capture *capture; /* commits that are not in a batch yet; NULL: none */
    uint32_t *pending;   /* the transactions in it */
    uint64_t log_offset; /* of the next frame of its own */
    uint32_t *knows;     /* by agent: his frames before this number */
    uint32_t merges;
    double merge_s;
} replica;

typedef struct replicas {
    const trace *trace;
    replica *list;
    frame *frames;
    uint32_t frame_count;
    gt_id *ids;         /* of commits, by txn */
    uint32_t *frame_of; /* by txn; UINT32_MAX while it is in a capture */
    uint8_t root_key[32];
} replicas;

enum { REPLICA_BATCH = 1000 }; /* commits at most */

/* Opens a database for each agent and lets them know each other. */
void replicas_open(replicas *r, const trace *t, const char *folder);
/* One more, with nothing in it. */
void replica_join(const replicas *r, replica *one, const char *folder);
void replica_leave(replica *one);
/* All transactions, each by its agent, who first receives its parents. At the end every one has what there is. */
void replicas_replay(replicas *r);
void replicas_close(replicas *r);

/* Takes in a frame. GT_PARKED: something that it follows is not there. */
gt_admission replica_admit(replica *one, const frame *f);
/* Makes visible what came, as a host does, and looks at the text. */
void replica_look(replica *one);

#endif
