/* Rounds are counted: what never comes to rest fails the test instead of hanging it. */
#include "support/test_link.h"

#include "db/internal.h"
#include "support/test.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 200000, MEET_MS_MAX = 30000 };

/* ---- the world ---- */

void test_world_add(test_world *world, test_handle *handle) {
    size_t i = 0;
    while (world->handles[i] != NULL) i++;
    assert_true(i <= TEST_PIPES);
    world->handles[i] = handle;
}

void test_world_remove(test_world *world, test_handle *handle) {
    for (size_t i = 0; i <= TEST_PIPES; i++) {
        if (world->handles[i] == handle) world->handles[i] = NULL;
    }
}

/* ---- pipes ---- */

static void on_ready(void *context) { ((test_end *)context)->ready = true; }

static goat_status begin_end(test_end *end, test_handle *handle, gt_sync_role role, uint32_t flags) {
    memset(end, 0, sizeof *end);
    end->handle = handle;
    gt_diag_init(&end->diag);
    gt_link_config config = {.role = role,
                             .all = (flags & TEST_ALL) != 0,
                             .stored = (flags & TEST_STORED) != 0,
                             .ready = on_ready,
                             .context = end};
    goat_status status = gt_hasher_new(&gt_alloc_system, &end->hasher, &end->diag);
    if (status == GOAT_OK) status = gt_link_new(handle->db, &config, &end->link, &end->diag);
    return status;
}

static void free_end(test_end *end) {
    gt_hasher_free(end->hasher);
    end->hasher = NULL;
    if (end->link == NULL) return;
    if (end->handle->db != NULL) gt_db_unlock(end->handle->db);
    gt_link_free(end->link);
    if (end->handle->db != NULL) gt_db_lock(end->handle->db);
    end->link = NULL;
}

static void forget(test_world *world, test_pipe *pipe) {
    for (size_t i = 0; i < TEST_PIPES; i++) {
        if (world->pipes[i] == pipe) world->pipes[i] = NULL;
    }
}

goat_status test_pipe_try(test_world *world, test_pipe *pipe, test_handle *client, test_handle *server,
                          uint32_t flags) {
    size_t i = 0;
    memset(pipe, 0, sizeof *pipe);
    while (world->pipes[i] != NULL) i++;
    assert_true(i < TEST_PIPES);
    goat_status status = begin_end(&pipe->client, client, GT_SYNC_CLIENT, flags);
    if (status == GOAT_OK) status = begin_end(&pipe->server, server, GT_SYNC_SERVER, 0);
    if (status == GOAT_OK) {
        world->pipes[i] = pipe;
    } else {
        free_end(&pipe->client);
        free_end(&pipe->server);
    }
    return status;
}

void test_pipe_open(test_world *world, test_pipe *pipe, test_handle *client, test_handle *server, uint32_t flags) {
    if (test_pipe_try(world, pipe, client, server, flags) == GOAT_OK) return;
    fail_msg("no link: %s%s", pipe->client.diag.message, pipe->server.diag.message);
}

void test_pipe_close(test_world *world, test_pipe *pipe) {
    free_end(&pipe->client);
    free_end(&pipe->server);
    forget(world, pipe);
}

/* ---- packets ---- */

static void print_packet(bool from_client, gt_bytes packet) {
    static const char *const names[] = {"HELLO", "PROOF",   "OPEN",    "OPENED", "CLOSE",  "DATA",
                                        "ACK",   "POINT",   "COMPARE", "WANT",   "CREDIT", "LIST",
                                        "REPOS", "CERTIFY", "AGAIN",   "BYE",    "REFUSE", "LOST"};
    gt_arena arena;
    gt_message message;
    gt_arena_init(&arena, &gt_alloc_system);
    printf(from_client ? "C>S" : "S>C");
    while (packet.len > 0 && gt_message_read(&packet, &arena, &message, NULL) == GOAT_OK) {
        printf(" %s/%u", names[message.kind], (unsigned)message.channel);
        if (message.kind == GT_MESSAGE_OPENED) printf(" how %u", (unsigned)message.as.opened.how);
        if (message.kind == GT_MESSAGE_DATA)
            printf(" %u of %u", (unsigned)message.as.data.count, (unsigned)message.as.data.flags);
        if (message.kind == GT_MESSAGE_COMPARE) printf(" step %u", (unsigned)message.as.compare.step);
        if (message.kind == GT_MESSAGE_CLOSE || message.kind == GT_MESSAGE_BYE) printf(" %d", message.as.close.status);
        if (message.kind == GT_MESSAGE_REFUSE) printf(" %d", message.as.refuse.status);
    }
    printf("\n");
    gt_arena_free(&arena);
}

static bool carry(test_pipe *pipe, test_end *from, test_end *to) {
    if (from->link == NULL || to->link == NULL || pipe->broken) return false;
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_db_unlock(from->handle->db);
    bool due = from->ready || gt_link_deadline(from->link) <= gt_db_now_us(from->handle->db);
    from->ready = false;
    bool said = due && gt_link_send(from->link, &packet);
    gt_db_lock(from->handle->db);
    if (said) {
        from->packets++;
        if (getenv("GOAT_TEST_VERBOSE") != NULL) print_packet(from == &pipe->client, gt_buf_bytes(&packet));
        from->bytes += packet.len;
        gt_db_unlock(to->handle->db);
        goat_status status = gt_link_receive(to->link, gt_buf_bytes(&packet), to->hasher, &to->diag);
        gt_db_lock(to->handle->db);
        if (to->received == GOAT_OK) to->received = status;
    }
    gt_buf_free(&packet);
    uint64_t packets = pipe->client.packets + pipe->server.packets;
    pipe->broken = pipe->packets_max > 0 && packets >= pipe->packets_max;
    return due;
}

bool test_pipe_step(test_pipe *pipe) {
    bool did = carry(pipe, &pipe->client, &pipe->server);
    return carry(pipe, &pipe->server, &pipe->client) || did;
}

bool test_world_step(test_world *world) {
    bool did = false;
    for (size_t i = 0; i <= TEST_PIPES; i++) {
        test_handle *handle = world->handles[i];
        if (handle != NULL) did = gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL) || did;
    }
    for (size_t i = 0; i < TEST_PIPES; i++) {
        test_pipe *pipe = world->pipes[i];
        if (pipe == NULL) continue;
        did = test_pipe_step(pipe) || did;
    }
    return did;
}

static void advance_clocks(test_world *world) {
    for (size_t i = 0; i <= TEST_PIPES; i++) {
        bool first = world->handles[i] != NULL;
        for (size_t k = 0; first && k < i; k++) {
            first = world->handles[k] == NULL || world->handles[k]->machine != world->handles[i]->machine;
        }
        if (first) gt_sim_advance_ms(&world->handles[i]->machine->clock, 1);
    }
}

void test_world_rest(test_world *world) {
    int rounds = 0;
    while (test_world_step(world)) {
        if (++rounds > ROUNDS_MAX) fail_msg("it never comes to rest");
    }
}

void test_world_pass(test_world *world, uint32_t ms) {
    test_world_rest(world);
    for (uint32_t i = 0; i < ms; i++) {
        advance_clocks(world);
        test_world_rest(world);
    }
}

bool test_world_is_even(const test_world *world) {
    for (size_t i = 0; i < TEST_PIPES; i++) {
        const test_pipe *pipe = world->pipes[i];
        if (pipe == NULL || pipe->broken) continue;
        if (!gt_link_is_even(pipe->client.link) || !gt_link_is_even(pipe->server.link)) return false;
    }
    return true;
}

void test_print_status(test_handle *handle) {
    gt_buf status, text;
    gt_buf_init(&status, &gt_alloc_system);
    gt_db_status(handle->db, &status);
    test_value_print(gt_buf_bytes(&status), &text);
    print_error("%s\n", (const char *)text.data);
    gt_buf_free(&status);
    gt_buf_free(&text);
}

static void complain(test_world *world) {
    for (size_t i = 0; i < TEST_PIPES; i++) {
        const test_pipe *pipe = world->pipes[i];
        if (pipe == NULL) continue;
        test_print_status(pipe->client.handle);
        test_print_status(pipe->server.handle);
        print_error("%s / %s\n", pipe->client.diag.message, pipe->server.diag.message);
    }
    fail_msg("they do not become even");
}

void test_world_meet(test_world *world) {
    test_world_rest(world);
    for (int ms = 0; !test_world_is_even(world); ms++) {
        if (ms > MEET_MS_MAX) complain(world);
        test_world_pass(world, 1);
    }
    test_world_pass(world, 200); /* points and acknowledgements that wait for their time */
}

/* ---- jobs ---- */

goat_status test_world_wait(test_world *world, test_handle *handle, goat_job *job) {
    gt_job_info info;
    gt_job_info_of(job, &info);
    for (int ms = 0; !info.done; ms++) {
        if (ms > MEET_MS_MAX) fail_msg("a job does not end");
        test_world_pass(world, 1);
        gt_job_info_of(job, &info);
    }
    if (info.status != GOAT_OK) handle->diag = *info.diag;
    goat_status status = info.status;
    gt_job_release(job);
    return status;
}

goat_status test_world_flush(test_world *world, test_handle *handle, goat_durability level) {
    goat_job *job = NULL;
    goat_status status = gt_db_flush(handle->db, level, &job, &handle->diag);
    return status != GOAT_OK ? status : test_world_wait(world, handle, job);
}

goat_status test_world_sync(test_world *world, test_handle *handle, const char *path) {
    goat_job *job = NULL;
    gt_bytes given = path == NULL ? (gt_bytes){0} : gt_bytes_text(path);
    goat_status status = gt_db_sync(handle->db, given, &job, &handle->diag);
    return status != GOAT_OK ? status : test_world_wait(world, handle, job);
}

void test_assert_equal(test_handle *one, test_handle *other) {
    gt_buf digests[2];
    gt_buf_init(&digests[0], &gt_alloc_system);
    gt_buf_init(&digests[1], &gt_alloc_system);
    test_handle_digest(one, &digests[0]);
    test_handle_digest(other, &digests[1]);
    assert_int_equal(digests[0].len, digests[1].len);
    assert_memory_equal(digests[0].data, digests[1].data, digests[0].len);
    gt_buf_free(&digests[0]);
    gt_buf_free(&digests[1]);
}

/* ---- three databases ---- */

void test_trio_begin(test_trio *trio) {
    memset(trio, 0, sizeof *trio);
    test_machine_init(&trio->server_machine, 1);
    test_machine_init(&trio->one_machine, 2);
    test_machine_init(&trio->two_machine, 3);
    test_trio_open(trio, &trio->server);
    memcpy(trio->root_key, gt_db_database(trio->server.db)->root.public_key, sizeof trio->root_key);
    trio->one_machine.root_key = trio->two_machine.root_key = trio->root_key;
}

static test_machine *machine_of(test_trio *trio, const test_handle *handle) {
    if (handle == &trio->server) return &trio->server_machine;
    return handle == &trio->one ? &trio->one_machine : &trio->two_machine;
}

static test_pipe *pipe_of(test_trio *trio, const test_handle *replica) {
    return replica == &trio->one ? &trio->first : &trio->second;
}

void test_trio_open(test_trio *trio, test_handle *handle) {
    test_handle_open(handle, machine_of(trio, handle), TEST_CREATE);
    test_world_add(&trio->world, handle);
}

void test_trio_part(test_trio *trio, test_handle *replica) {
    if (pipe_of(trio, replica)->client.link != NULL) test_pipe_close(&trio->world, pipe_of(trio, replica));
}

static void cut(test_trio *trio, test_handle *handle) {
    if (handle != &trio->two) test_trio_part(trio, &trio->one);
    if (handle != &trio->one) test_trio_part(trio, &trio->two);
}

void test_trio_close(test_trio *trio, test_handle *handle) {
    cut(trio, handle);
    test_world_remove(&trio->world, handle);
    assert_int_equal(test_handle_end(handle), GOAT_OK);
}

void test_trio_crash(test_trio *trio, test_handle *handle) {
    test_machine_crash(machine_of(trio, handle));
    cut(trio, handle);
    test_world_remove(&trio->world, handle);
    (void)test_handle_end(handle);
}

void test_trio_join(test_trio *trio, test_handle *replica) {
    if (replica->db == NULL) test_trio_open(trio, replica);
    test_pipe_open(&trio->world, pipe_of(trio, replica), replica, &trio->server, 0);
}

void test_trio_end(test_trio *trio) {
    test_handle *handles[] = {&trio->one, &trio->two, &trio->server};
    for (int i = 0; i < 3; i++) {
        if (handles[i]->db != NULL) test_trio_close(trio, handles[i]);
    }
    test_machine_free(&trio->server_machine);
    test_machine_free(&trio->one_machine);
    test_machine_free(&trio->two_machine);
}
