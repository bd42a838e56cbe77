/* Repositories on simulated machines, and authors who write frames without having one.
 *
 * A network has a few authors with fixed keys. A site is one machine with one repository of the network; a
 * writer makes frames by hand, right or wrong, to be admitted by sites. */
#ifndef TEST_REPO_H
#define TEST_REPO_H

#include "port/sim/sim.h"
#include "repo/repo.h"
#include "support/test_alloc.h"
#include "trust/trust.h"

enum { TEST_AUTHORS = 6, TEST_WRITER_BATCHES_MAX = 1024, TEST_PARENTS_MAX = 16 };

#define TEST_REPO_PATH "/data/goats"
#define TEST_REPO_LOG "repos/data/goats.log"
#define TEST_REPO_CHECKPOINT "repos/data/goats.checkpoint"

/* {"ns": "goat", "version": 1}: a field of each type; version 2 has "extra" besides and no "raw". */
extern const char test_goat_1[], test_goat_2[];
/* {"ns": "sheep", "version": 1}: "text" and "wool", strings. */
extern const char test_sheep_1[];

typedef struct test_network {
    gt_hasher *hasher;
    gt_identity authors[TEST_AUTHORS];
    gt_place place;
} test_network;

void test_network_init(test_network *network);
void test_network_free(test_network *network);

/* ---- sites ---- */

typedef struct test_site {
    const test_network *network;
    const gt_identity *own;
    test_alloc memory;
    const gt_alloc *alloc; /* memory's, or the system's */
    gt_sim_disk *disk;
    gt_sim_clock clock;
    gt_sim_random random;
    gt_io *io;
    gt_hasher *hasher;
    gt_registry *schemas;
    gt_repo *repo;                  /* NULL: not open */
    uint64_t frame_offset;          /* of the next record that test_site_next_frame looks at */
    uint32_t before, after, logged; /* calls of the hooks */
    uint32_t steps;                 /* of opening it last */
    gt_origin last_origin;
    bool wrong_keys;    /* it takes one author for another from now on */
    uint32_t strangers; /* authors that it does not know, a bit each */
    gt_time latest;     /* how late others' commits may be; 0: no limit */
} test_site;

enum { TEST_SITE_FAST = 1 }; /* without counting memory */

/* A new machine of the author's with an empty disk; it knows no schema and has no repository open. */
void test_site_init(test_site *site, const test_network *network, uint32_t author, uint64_t seed, int flags);
void test_site_free(test_site *site); /* closes the repository first; asserts that nothing is left */

void test_site_learn(test_site *site, const char *schema); /* registers it and tells the repository */

enum { TEST_SITE_NO_CHECKPOINT = 1, TEST_SITE_READ_ONLY = 2 };

/* Opens the repository; the result is GOAT_OK or what it failed with (it is closed again then). */
goat_status test_site_try_open(test_site *site, int flags, gt_diag *diag);
void test_site_open(test_site *site, int flags);
void test_site_close(test_site *site);
void test_site_settle(test_site *site);                                            /* until no request is under way */
void test_site_sync(test_site *site);                                              /* everything is on the disk */
void test_site_checkpoint(test_site *site);                                        /* writes one */
void test_site_store_checkpoint(test_site *site, gt_bytes file, uint64_t covered); /* one that was made */
void test_site_crash(test_site *site); /* the repository is gone, the disk is as a crash leaves it */

/* One commit in a batch of its own, on all heads there are; `delta` in notation. */
gt_id test_site_edit(test_site *site, const char *key, const char *schema, uint32_t version, const char *delta);
/* On the given parents, with the delta as bytes. */
gt_id test_site_edit_on(test_site *site, const char *key, const gt_schema *schema, const gt_id *parents,
                        uint32_t parent_count, gt_bytes delta);
const gt_schema *test_site_schema(const test_site *site, const char *ns, uint32_t version);

/* The frames of a site's log, one after the other; data NULL at the end. */
gt_bytes test_site_next_frame(test_site *site);

/* Admits it, and all that waited for it; GOAT_OK gives the outcome. */
goat_status test_site_admit(test_site *site, gt_bytes frame, gt_admission *outcome, gt_diag *diag);
/* Expects that it is taken so. */
void test_site_admits(test_site *site, gt_bytes frame, gt_admission expected);
/* Expects a refusal whose message has `words` in it. */
void test_site_refuses(test_site *site, gt_bytes frame, goat_status expected, const char *words);
/* Sends what `from` has written since this was last called for it. */
void test_site_send_new(test_site *from, test_site *to);

/* The view of an item in notation; NULL: it has none here (GOAT_NO_SCHEMA). */
void test_site_shows(test_site *site, const char *key, const char *notation);
uint32_t test_site_head_count(test_site *site, const char *key);
/* All commits of an item (its row), the latest first by (time, id), as uint32_t rows. */
void test_site_commits(test_site *site, uint32_t item, gt_buf *rows);
/* SHA-256 over all views in the order of keys, as goat_repo_digest has it, and over the fingerprint. */
void test_site_digest(test_site *site, uint8_t digest[GT_HASH_SIZE]);
/* How many faults an audit names; `kinds` (may be NULL) gets their names, each followed by a blank. */
uint32_t test_site_audit(test_site *site, gt_buf *kinds);

/* ---- writers ---- */

typedef struct test_writer {
    const test_network *network;
    const gt_identity *own;
    gt_batch_draft draft;
    gt_id batches[TEST_WRITER_BATCHES_MAX + 1]; /* by seq */
    uint64_t seq;                               /* of the last one */
    gt_buf frame;                               /* of the last one */
    uint8_t salt;
    uint8_t schema_hash[GT_SCHEMA_HASH_SIZE];
    const char *ns;
    uint32_t version;
} test_writer;

/* It writes under the schema given (its definition as JSON). */
void test_writer_init(test_writer *writer, const test_network *network, uint32_t author, const char *schema);
void test_writer_schema(test_writer *writer, const char *schema); /* from now on */
void test_writer_free(test_writer *writer);

/* Adds a leaf; times count in milliseconds; `full` may be NULL. */
gt_id test_writer_leaf(test_writer *writer, const char *key, uint32_t ms, const gt_id *parents, uint32_t parent_count,
                       const char *delta, const char *full);
/* Signs what was added, as the session's next batch; the frame is good until the next one. */
gt_bytes test_writer_finish(test_writer *writer);
/* One leaf in a batch of its own. */
gt_bytes test_writer_commit(test_writer *writer, const char *key, uint32_t ms, const gt_id *parent, const char *delta,
                            gt_id *id);
/* The frame of the last batch with some leaves left out: `kept` is a string of '1' and '0'. */
void test_writer_elide(test_writer *writer, gt_bytes frame, const char *kept, gt_node_kind reason, gt_buf *out);

/* ---- kept frames ---- */

typedef struct test_frames {
    uint8_t **frames;
    size_t *lens;
    size_t count, capacity;
} test_frames;

void test_frames_add(test_frames *frames, gt_bytes frame);
gt_bytes test_frames_at(const test_frames *frames, size_t index);
void test_frames_free(test_frames *frames);

#endif
