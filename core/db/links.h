/* What the files about links share: links, what they sync, and what a mount keeps for them.
 *
 * A link is a sync connection of one handle. Everything here is called with the database's lock. */
#ifndef GT_DB_LINKS_H
#define GT_DB_LINKS_H

#include "db/link.h"

/* A repository that a client's link syncs. */
typedef struct gt_want {
    struct gt_want *next;
    bool pinned;               /* also when no handle has it open */
    const gt_channel *channel; /* good as long as the connection goes on; NULL: it is to be opened again */
    size_t path_len;
    char path[GT_LOG_REPOSITORY_MAX + 1];
    goat_status closed; /* why its channel was closed last; GOAT_OK: it was not, or is open again */
    bool refused;       /* the server does not take something of ours: it will never be safe there */
    char words[GT_DIAG_MESSAGE_MAX];
} gt_want;

/* A repository that is being read for a link: somebody must hold it meanwhile. */
typedef struct gt_hold {
    struct gt_hold *next;
    gt_mount *mount;
    uint64_t asked_us;
} gt_hold;

/* The names in the storage, asked for by a link; outlives it while the request is under way. */
typedef struct gt_listing {
    gt_database *database;
    gt_link *link; /* NULL: it has gone */
    bool done;
    gt_diag failure;
    gt_buf paths; /* each with a NUL behind it */
} gt_listing;

struct gt_link {
    gt_link *next;       /* of the database */
    gt_link *next_ready; /* of those whose `ready` is to be called */
    goat_db *db;
    gt_link_config config;
    gt_sync *sync;   /* NULL: it has ended with its handle, or for want of memory */
    gt_diag failure; /* then: why */
    uint8_t root_key[GT_PUBLIC_KEY_SIZE];
    bool greeted, ended;
    gt_diag refused;  /* why the server does not certify us; GOAT_OK: it did not say so */
    bool told;        /* `ready` was called, or is about to be, since the last send */
    bool queued;      /* it is about to be */
    bool lingers;     /* something that no handle has open any more is still on its way */
    bool lists;       /* the server's or the storage's list is awaited */
    gt_diag unlisted; /* why something that is to be synced by a list is not; GOAT_OK: nothing */
    uint32_t calling; /* calls of `ready` under way */
    uint32_t certificates_seen;
    gt_allowance making; /* server: repositories, for this peer */
    uint32_t moves;      /* grows whenever something may have become even */
    gt_want *wants;
    gt_hold *holds;
    gt_buf listed; /* paths that the server named; each with a NUL behind it */
    gt_listing *listing;
};

/* ---- link.c ---- */

static inline bool gt_link_is_client(const gt_link *link) { return link->config.role == GT_SYNC_CLIENT; }
/* A client's that has met its server and goes on. */
static inline bool gt_link_is_online(const gt_link *link) {
    return gt_link_is_client(link) && link->greeted && !link->ended && link->sync != NULL;
}
/* `ready` is to be called, unless it was since the last send. */
void gt_link_wake(gt_link *link);

/* ---- wants.c ---- */

gt_want *gt_link_find_want(const gt_link *link, gt_bytes path);
/* Syncs a repository from now on. */
goat_status gt_link_want(gt_link *link, gt_bytes path, bool pinned, gt_diag *diag);
/* What handles have open is wanted, what none has any more goes as soon as it is safe. */
void gt_link_look(gt_link *link);
void gt_link_open_listed(gt_link *link);
/* A list is not to be had, or something of it cannot be synced. */
void gt_link_note_unlisted(gt_link *link, const gt_diag *why);
void gt_link_open_stored(gt_link *link); /* the listing is there */
void gt_link_free_wants(gt_link *link);
/* What is known of the channel; false: there is none. */
bool gt_want_info(const gt_link *link, const gt_want *want, gt_channel_info *info);
/* Whether the channel is open and even, and our log up to `length` is on the server's disk; or neither side has anything.
 * `length` UINT64_MAX: all of our log. */
bool gt_want_is_even(const gt_link *link, const gt_want *want, uint64_t length);
/* Whether something of ours cannot become safe there, and why: it is refused, or the channel is closed for trouble. */
bool gt_want_is_stuck(const gt_link *link, const gt_want *want, gt_diag *why);
/* Closes the channel and opens it again, upon which the server says anew what it has. */
void gt_want_renew(gt_link *link, gt_want *want);

/* ---- link_host.c ---- */

gt_sync_host gt_link_host(gt_link *link);
void gt_link_drop_holds(gt_link *link, uint64_t before_us); /* those asked for last before that */
/* Begins to read the names in the storage; `listing` is there from then on. */
goat_status gt_link_begin_listing(gt_link *link, gt_diag *diag);
void gt_link_end_listing(gt_link *link);

/* ---- certify.c ---- */

/* The frame of /sys/sessions that certifies our own session; data NULL: there is none. */
gt_bytes gt_own_certificate(gt_database *database);
goat_status gt_certify_anonymous(gt_database *database, const uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag);
bool gt_is_server(const gt_database *database); /* our own session is certified as one, or as the root's */

#endif
