/* Databases that are joined by pipes of bytes: links (core/db/link.h) on simulated machines, in one thread.
 *
 * A packet is asked for only when the link has said that it is ready, or its deadline has come, as a transport does
 * it. The databases are locked, as test_handle.h has it, but inside of these helpers. */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include "db/link.h"
#include "support/test_handle.h"

typedef struct test_end {
    test_handle *handle;
    gt_link *link; /* NULL: it was freed */
    gt_hasher *hasher;
    bool ready;
    uint64_t packets, bytes; /* that it has sent */
    goat_status received;    /* what its last packet came to; GOAT_OK in the beginning */
    gt_diag diag;
} test_end;

typedef struct test_pipe {
    test_end client, server;
    uint64_t packets_max; /* it breaks after so many, in both directions together; 0: never */
    bool broken;
} test_pipe;

enum { TEST_PIPES = 4 };

/* Machines whose clocks go together, and the pipes between them. */
typedef struct test_world {
    test_handle *handles[TEST_PIPES + 1];
    test_pipe *pipes[TEST_PIPES];
} test_world;

/* A new handle on a machine is added once, before its pipes. */
void test_world_add(test_world *world, test_handle *handle);
void test_world_remove(test_world *world, test_handle *handle); /* it is about to be ended */

enum { TEST_ALL = 1, TEST_STORED = 2 };
void test_pipe_open(test_world *world, test_pipe *pipe, test_handle *client, test_handle *server, uint32_t flags);
goat_status test_pipe_try(test_world *world, test_pipe *pipe, test_handle *client, test_handle *server, uint32_t flags);
void test_pipe_close(test_world *world, test_pipe *pipe); /* cuts it and frees both ends */
/* Carries what each end has to say, a packet each way at most; true if one was asked. */
bool test_pipe_step(test_pipe *pipe);

/* One round of each database, and a packet each way of each pipe; whether anything was done. */
bool test_world_step(test_world *world);
/* Rounds and packets until nothing is to be done at this time. */
void test_world_rest(test_world *world);
/* Lets time pass, and rests each millisecond. */
void test_world_pass(test_world *world, uint32_t ms);
/* Lets time pass until all pipes are even and nothing moves any more; fails after half a minute. */
void test_world_meet(test_world *world);
void test_print_status(test_handle *handle); /* for a look */
/* Whether they are. */
bool test_world_is_even(const test_world *world);

/* A job of a handle, with the world going on. */
goat_status test_world_wait(test_world *world, test_handle *handle, goat_job *job);
goat_status test_world_flush(test_world *world, test_handle *handle, goat_durability level);
goat_status test_world_sync(test_world *world, test_handle *handle, const char *path);

/* The digests of TEST_REPO are the same. */
void test_assert_equal(test_handle *one, test_handle *other);

/* ---- a server, and two replicas that know its root's key ---- */

typedef struct test_trio {
    test_machine server_machine, one_machine, two_machine;
    test_handle server, one, two; /* db NULL: not open */
    test_world world;
    test_pipe first, second; /* from `one`, from `two` */
    uint8_t root_key[GT_PUBLIC_KEY_SIZE];
} test_trio;

enum { TEST_CREATE = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD, TEST_THERE = GOAT_OPEN_NO_THREAD };

void test_trio_begin(test_trio *trio);                      /* the server is open, and has TEST_REPO */
void test_trio_end(test_trio *trio);                        /* closes what is open */
void test_trio_open(test_trio *trio, test_handle *handle);  /* one of its three */
void test_trio_close(test_trio *trio, test_handle *handle); /* after its pipe */
void test_trio_crash(test_trio *trio, test_handle *handle); /* the power goes, with its pipe */
void test_trio_join(test_trio *trio, test_handle *replica); /* opens it if need be, and its pipe */
void test_trio_part(test_trio *trio, test_handle *replica); /* closes its pipe */

#endif
