/* A log on a storage, driven to rest after each step; payloads that can be told apart; and what a walk must
 * find, compared record by record. */
#ifndef TEST_LOG_H
#define TEST_LOG_H

#include "log/log.h"

enum { TEST_LOG_RECORDS_MAX = 4096 };

#define TEST_LOG_NAME "repos/data/goats.log"
#define TEST_LOG_REPOSITORY "/data/goats"

/* One database's worth of what a log needs, around a storage that counts its requests. */
typedef struct test_log_machine {
    const gt_alloc *alloc;
    goat_storage storage;                   /* inside; closed with `io` */
    uint32_t submitted[GOAT_IO_UNLOCK + 1]; /* by kind */
    uint32_t requests;                      /* of all kinds */
    uint32_t refuse_at; /* the request, counted from 1, that is refused with GOAT_NO_MEMORY; 0: none */
    bool shuffle;       /* results of one poll come in any order */
    gt_io *io;
    gt_hasher *hasher;
    uint64_t random; /* state of a generator */
} test_log_machine;

/* Takes the storage (closed in any case) and locks its folder. GOAT_NO_MEMORY: nothing is left over. */
goat_status test_log_begin(test_log_machine *machine, const gt_alloc *alloc, const goat_storage *storage);
void test_log_end(test_log_machine *machine); /* all requests have ended */

/* Polls and delivers until nothing is under way. */
void test_log_settle(test_log_machine *machine);

enum { TEST_LOG_CREATE = 1, TEST_LOG_READ_ONLY = 2 };

gt_log_config test_log_config(test_log_machine *machine, int flags);
/* Opens and settles; NULL if memory ran out before it began. */
gt_log *test_log_open(test_log_machine *machine, int flags);
/* As open, walks without looking, and gt_log_ready; asserts that it is READY. */
gt_log *test_log_open_ready(test_log_machine *machine, int flags);
void test_log_close(test_log_machine *machine, gt_log *log); /* and settles */

/* ---- records that are expected ---- */

typedef struct test_log_record {
    uint64_t offset; /* of the payload */
    uint64_t seed;   /* what its bytes are made from */
    uint32_t len;
} test_log_record;

typedef struct test_log_model {
    test_log_record records[TEST_LOG_RECORDS_MAX];
    size_t count;
} test_log_model;

/* Fills in the payload that belongs to `seed`; the type of the record, 1 or 77, goes by it too. */
void test_log_payload(uint64_t seed, uint8_t *bytes, size_t len);
gt_record_type test_log_type(uint64_t seed);
bool test_log_payload_is(uint64_t seed, gt_bytes payload);

/* Appends a record of `len` bytes and adds it to the model, if it was taken. */
goat_status test_log_append(gt_log *log, test_log_model *model, uint64_t seed, size_t len);

/* Walks to the end and asserts that each record is one of the model, byte for byte and at its place, and that
 * what lies between two of them is noted as damage, no more and no less. `found[i]` (may be NULL) says which of
 * the model were there. The end of the walk is returned. */
uint64_t test_log_walk(gt_log *log, const test_log_model *model, bool verify_chain, bool *found);

/* As walk; all of the model must be there, without damage. */
uint64_t test_log_walk_all(gt_log *log, const test_log_model *model);

#endif
