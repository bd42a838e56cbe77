/* A whole network in one process: its peers, the connections between them, and virtual time. Everything that a run
 * does follows from its plan; nothing looks at a real clock, a real disk, or an address.
 *
 * Peer 0 is the server and the network's authority, all others are its clients. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "db/link.h"
#include "ledger.h"
#include "memory.h"
#include "plan.h"
#include "queue.h"

typedef struct sim_world sim_world;
typedef struct sim_peer sim_peer;
typedef struct sim_connection sim_connection;

/* ---- an app on a peer ---- */

/* A value that an app has written and that must come out in a commit of the item. */
typedef struct sim_pending {
    char path[40];       /* of the item */
    uint8_t field, part; /* which of its fields, and which key or element of it */
    uint8_t repo, len;
    uint8_t value[24]; /* as it stands in a delta */
    uint64_t order;    /* later ones have a greater number */
} sim_pending;

typedef struct sim_pendings {
    sim_pending *list;
    uint32_t count;
    size_t capacity;
} sim_pendings;

/* The history of an item that an app is in the middle of. */
typedef struct sim_paging {
    goat_item *item; /* NULL: none */
    gt_id *first;    /* those that were there when it began */
    gt_id *told;     /* in the order in which they were told */
    uint32_t first_count, told_count;
    size_t first_capacity, told_capacity;
    int64_t time_ms; /* of the last of these */
} sim_paging;

typedef struct sim_handle {
    goat_db *db; /* NULL: none */
    sim_paging paging;
    goat_repo *repos[SIM_REPOS_MAX];
    sim_pendings pendings;
} sim_handle;

enum { SIM_HANDLES_MAX = 2, SIM_JOBS_MAX = 64 };

typedef enum sim_job_kind {
    SIM_JOB_OPEN,
    SIM_JOB_OPEN_REPO,
    SIM_JOB_CLOSE_REPO,
    SIM_JOB_FLUSH,
    SIM_JOB_CLOSE,
    SIM_JOB_DIGEST,
    SIM_JOB_VERIFY,
    SIM_JOB_REVERT,
} sim_job_kind;

typedef struct sim_job {
    goat_job *job;
    sim_job_kind kind;
    uint8_t handle, repo;
    goat_durability level;            /* of a flush */
    uint64_t order;                   /* … which is about what was pending up to here */
    uint32_t rows[SIM_REPOS_MAX];     /* commits that a flush is about, by number of rows */
    uint32_t openings[SIM_REPOS_MAX]; /* … since the repository was opened for the n-th time; 0: none of it */
} sim_job;

/* What was seen of a repository of a peer since it was opened. */
typedef struct sim_scan {
    uint32_t opening; /* counts; 0: it was never open */
    uint32_t rows;
    uint32_t promised; /* of these */
    uint32_t *commits; /* by row: in the ledger */
    size_t capacity;
    uint64_t sum;    /* over the ids of commits held */
    bool is_checked; /* what was promised is there */
    bool is_open;    /* the mount is there: memory.watched says which */
} sim_scan;

/* ---- a peer ---- */

typedef enum sim_phase { SIM_DOWN, SIM_OPENING, SIM_UP, SIM_CLOSING } sim_phase;

/* How the app is set up; drawn once. */
typedef struct sim_habits {
    uint32_t wanted; /* repositories, a bit each, that it opens by itself */
    bool syncs_all, syncs_stored;
    bool registers;       /* the schema, instead of waiting for the server's */
    uint32_t interval_ms; /* of captures; 0: the usual */
} sim_habits;

struct sim_peer {
    sim_world *world;
    uint32_t index;
    bool is_server;
    sim_phase phase;
    sim_habits habits;
    uint32_t life;      /* counts starts */
    uint32_t disk_life; /* counts wipes and restores: what was on the disk is there no more */

    gt_sim_disk *disk, *backup; /* backup NULL: none was made */
    sim_memory memory;
    gt_sim_random engine; /* what the engine draws from */
    gt_sim_random random; /* what its machine does */
    int64_t skew_ms;
    int32_t drift_ppm;
    uint32_t slow_us; /* each packet takes so long to be taken in */

    sim_handle handles[SIM_HANDLES_MAX];
    sim_job jobs[SIM_JOBS_MAX];
    uint32_t job_count;
    sim_scan scans[SIM_REPOS_MAX];
    uint32_t condemned; /* repositories whose files are to be deleted before it starts again: they cannot be opened */
    uint32_t damaged; /* repositories, a bit each, that had bits flipped or sectors spoilt since they were last whole */
    uint32_t flipped; /* … of these, that had bits flipped: also what was synced may be lost */
    uint32_t damaged_at[SIM_REPOS_MAX];      /* … and the opening of it that did not see that yet */
    uint32_t backup_damaged, backup_flipped; /* the same of the backup */
    uint32_t schema;                         /* newest version of the schema that its app registers */
    uint64_t wake_us;                        /* when it is pumped next; UINT64_MAX: when something comes */
    uint64_t start_us;                       /* when its machine comes back; UINT64_MAX: it is up */
    bool disk_failed;                        /* its disk was made to fail, or is full */
    bool opens_again;                        /* after an orderly end */

    sim_connection *upstream; /* of a client; NULL: none */
    uint64_t connect_us;      /* when a client tries next; UINT64_MAX: it does not */
    uint32_t attempts;
    uint32_t server_life; /* disk_life of the server when they were last connected */
    bool serves;
    uint64_t cut_off_until_us; /* a partition */

    /* what a check has found */
    uint32_t stage;                                   /* see check.c */
    uint8_t digests[SIM_REPOS_MAX][2 * GT_HASH_SIZE]; /* views, fingerprint */
    uint64_t entries[SIM_REPOS_MAX];
    uint32_t digested; /* repositories, a bit each */
    uint32_t flushed;  /* flushes of a check that have ended well */
    bool verified;
};

/* ---- connections ---- */

typedef struct sim_packet {
    struct sim_packet *next;
    uint64_t at_us;
    size_t len;
    uint8_t bytes[];
} sim_packet;

typedef struct sim_direction {
    sim_packet *first, *last;
    size_t bytes; /* under way */
    uint64_t last_us;
    uint32_t latency_us, jitter_us;
    bool waits; /* an event for the first packet is in the queue */
} sim_direction;

/* End 0 is the client's, end 1 the server's. */
typedef struct sim_end {
    sim_connection *connection;
    sim_peer *peer;
    gt_link *link; /* NULL: it is gone, or an enemy's */
    bool ready;
    bool told; /* that the other end said good-bye or the line is dead */
    uint64_t deadline_us;
    sim_direction out; /* what it has sent */
    uint32_t plot;     /* a sim_plot that waits for a packet of this direction */
} sim_end;

struct sim_connection {
    sim_connection *next;      /* of all there ever were */
    sim_connection *next_live; /* of those that have a link */
    uint32_t number;
    sim_end ends[2];
    gt_sim_random random;
    bool is_cut;      /* packets arrive no more */
    bool is_tampered; /* an enemy was at it: it is ended before a check */
    uint8_t *script;  /* packets of the client, each behind its length (4): what an enemy may replay */
    size_t script_len, script_capacity;
};

/* ---- the world ---- */

typedef struct sim_counts {
    uint64_t packets, messages, bytes;
    uint64_t commits, crashes, quiets, rounds, connections, refused_packets;
    uint64_t invalid; /* edits that a rule of the schema refused, and items that break one */
} sim_counts;

struct sim_world {
    const sim_plan *plan;
    uint64_t now_us;
    sim_queue queue;
    gt_hasher *hasher;
    sim_ledger ledger;
    sim_peer *peers;
    sim_connection *connections, *live;
    uint32_t connection_count;
    uint8_t root_key[GT_PUBLIC_KEY_SIZE]; /* public, of the network */
    bool has_network;
    bool is_calm; /* a check is under way: nothing goes wrong that is not wrong already */
    uint64_t markers;
    sim_counts counts;

    uint64_t trace; /* a hash of everything that happened */
    bool prints;
    bool failed;
    const char *rule; /* which invariant does not hold */
    char words[600];
};

void sim_world_make(sim_world *world, const sim_plan *plan, bool prints);
/* Carries the plan out; stops at the first failure. */
void sim_world_run(sim_world *world);
void sim_world_free(sim_world *world);

/* Lets time pass until `until_us`, or until a failure. */
void sim_world_pass(sim_world *world, uint64_t until_us);

/* An invariant does not hold. The first failure counts. */
void sim_fail(sim_world *world, const char *rule, const char *format, ...) GT_PRINTF(3, 4);

/* Mixes something that happened into the trace. */
void sim_note(sim_world *world, uint32_t peer, uint64_t what, uint64_t number);
void sim_print(const sim_world *world, uint32_t peer, const char *format, ...) GT_PRINTF(3, 4);
#define sim_say(world, peer, ...)                                                                                      \
    do {                                                                                                               \
        if ((world)->prints) sim_print(world, peer, __VA_ARGS__);                                                      \
    } while (0)

static inline bool sim_peer_is_there(const sim_world *world, uint32_t peer) {
    return (world->plan->absent >> peer & 1) == 0;
}

/* The next peer from `*index` on that is not left out; NULL behind the last. */
sim_peer *sim_next_peer(const sim_world *world, uint32_t *index);

#endif
