/* Tokens are numbers of slots in a table. There are always free slots for the places that were set aside, so
 * a log that is in the middle of something never hears that there is no memory for a request.
 *
 * What crosses between the polling side and the lock is one batch of results and one number; `mutex` guards
 * the number. While it is not 0 the batch belongs to gt_io_deliver, otherwise to gt_io_poll: so results are
 * not fetched before those in hand were delivered, and the memory of a READ outlives its delivery. */
#include "log/io.h"

#include "base/assert.h"

enum { RESULTS_MAX = 64 };
#define NO_SLOT UINT32_MAX

typedef enum slot_state { SLOT_FREE, SLOT_SUBMITTED, SLOT_REFUSED } slot_state;

typedef struct slot {
    gt_io_done done;
    void *owner;
    uint32_t next; /* of the free ones, or of the refused ones */
    slot_state state;
    bool loose; /* not one of the places set aside */
    goat_status refusal;
} slot;

struct gt_io {
    const gt_alloc *alloc;
    goat_storage storage;

    /* Under the database's lock. */
    slot *slots;
    uint32_t capacity;
    uint32_t reserved, loose;
    uint32_t pending;
    uint32_t free_first;
    uint32_t refused_first, refused_last;
    bool delivering;

    gt_mutex mutex;
    size_t fetched; /* mutex: results in hand */
    size_t refused; /* mutex: how many wait to be told */
    goat_io_result results[RESULTS_MAX];
};

gt_io *gt_io_new(const gt_alloc *alloc, const goat_storage *storage) {
    gt_io *io = gt_new(alloc, 1, sizeof *io);
    if (io == NULL) {
        return NULL;
    }
    if (gt_mutex_init(&io->mutex, NULL) != GOAT_OK) {
        gt_free(alloc, io);
        return NULL;
    }
    io->alloc = alloc;
    io->storage = *storage;
    io->free_first = io->refused_first = io->refused_last = NO_SLOT;
    return io;
}

void gt_io_free(gt_io *io) {
    if (io == NULL) {
        return;
    }
    GOAT_ASSERT(io->pending == 0);
    io->storage.close(io->storage.context);
    gt_mutex_destroy(&io->mutex);
    gt_free(io->alloc, io->slots);
    gt_free(io->alloc, io);
}

/* ---- Slots --------------------------------------------------------------------------------- */

static void put_free(gt_io *io, uint32_t index) {
    io->slots[index].state = SLOT_FREE;
    io->slots[index].next = io->free_first;
    io->free_first = index;
}

static bool make_room(gt_io *io, uint64_t needed) {
    if (needed <= io->capacity) {
        return true;
    }
    uint64_t capacity = io->capacity == 0 ? 16 : (uint64_t)io->capacity * 2;
    while (capacity < needed) {
        capacity *= 2;
    }
    if (capacity >= NO_SLOT) {
        return false;
    }
    slot *slots = gt_resize(io->alloc, io->slots, (size_t)capacity, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    io->slots = slots;
    for (uint32_t i = (uint32_t)capacity; i-- > io->capacity;) {
        put_free(io, i);
    }
    io->capacity = (uint32_t)capacity;
    return true;
}

bool gt_io_reserve(gt_io *io, uint32_t count) {
    if (!make_room(io, (uint64_t)io->reserved + io->loose + count)) {
        return false;
    }
    io->reserved += count;
    return true;
}

void gt_io_release(gt_io *io, uint32_t count) {
    GOAT_ASSERT(count <= io->reserved);
    io->reserved -= count;
}

/* ---- Submitting ---------------------------------------------------------------------------- */

static void note_refusal(gt_io *io, uint32_t index, goat_status status) {
    slot *refused = &io->slots[index];
    refused->state = SLOT_REFUSED;
    refused->refusal = status;
    refused->next = NO_SLOT;
    if (io->refused_last == NO_SLOT) {
        io->refused_first = index;
    } else {
        io->slots[io->refused_last].next = index;
    }
    io->refused_last = index;
    gt_mutex_lock(&io->mutex);
    io->refused++;
    gt_mutex_unlock(&io->mutex);
}

static void submit(gt_io *io, goat_io_request *request, gt_io_done done, void *owner, bool loose) {
    uint32_t index = io->free_first;
    GOAT_ASSERT(index != NO_SLOT);
    io->free_first = io->slots[index].next;
    io->slots[index] = (slot){.done = done, .owner = owner, .next = NO_SLOT, .state = SLOT_SUBMITTED, .loose = loose};
    io->loose += loose;
    io->pending++;
    request->token = index;
    goat_status status = io->storage.submit(io->storage.context, request);
    if (status != GOAT_OK) {
        note_refusal(io, index, status);
    }
}

goat_status gt_io_submit(gt_io *io, goat_io_request *request, gt_io_done done, void *owner) {
    if (!make_room(io, (uint64_t)io->reserved + io->loose + 1)) {
        return GOAT_NO_MEMORY;
    }
    submit(io, request, done, owner, true);
    return GOAT_OK;
}

void gt_io_submit_reserved(gt_io *io, goat_io_request *request, gt_io_done done, void *owner) {
    GOAT_ASSERT(io->pending - io->loose < io->reserved);
    submit(io, request, done, owner, false);
}

void gt_io_close_file(gt_io *io, uint32_t file) {
    goat_io_request request = {.kind = GOAT_IO_CLOSE, .file = file};
    (void)gt_io_submit(io, &request, NULL, NULL);
}

goat_status gt_io_fail(gt_diag *diag, const goat_io_result *result) {
    GOAT_ASSERT(result->status != GOAT_OK);
    if (result->status == GOAT_NO_MEMORY) {
        return gt_no_memory(diag);
    }
    const char *words = result->message[0] != 0 ? result->message : "the storage refuses without a word";
    return gt_fail(diag, result->status, "%s", words);
}

uint32_t gt_io_pending(const gt_io *io) { return io->pending; }

/* ---- Results ------------------------------------------------------------------------------- */

size_t gt_io_poll(gt_io *io, bool wait) {
    gt_mutex_lock(&io->mutex);
    size_t waiting = io->fetched + io->refused;
    gt_mutex_unlock(&io->mutex);
    if (waiting != 0) {
        return waiting;
    }
    size_t count = io->storage.poll(io->storage.context, io->results, RESULTS_MAX, wait);
    GOAT_ASSERT(count <= RESULTS_MAX);
    gt_mutex_lock(&io->mutex);
    io->fetched = count;
    waiting = count + io->refused;
    gt_mutex_unlock(&io->mutex);
    return waiting;
}

/* The slot is free before its owner is called, because the owner goes on with the next request. */
static void finish(gt_io *io, uint32_t index, const goat_io_result *result) {
    slot finished = io->slots[index];
    io->loose -= finished.loose;
    io->pending--;
    put_free(io, index);
    if (finished.done != NULL) {
        finished.done(finished.owner, result);
    }
}

/* Only those that were refused before; an owner may be refused again meanwhile. */
static void deliver_refused(gt_io *io, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t index = io->refused_first;
        io->refused_first = io->slots[index].next;
        if (io->refused_first == NO_SLOT) {
            io->refused_last = NO_SLOT;
        }
        goat_io_result result = {.token = index, .status = io->slots[index].refusal};
        finish(io, index, &result);
    }
}

size_t gt_io_deliver(gt_io *io) {
    GOAT_ASSERT(!io->delivering);
    io->delivering = true;
    gt_mutex_lock(&io->mutex);
    size_t fetched = io->fetched, refused = io->refused;
    gt_mutex_unlock(&io->mutex);
    for (size_t i = 0; i < fetched; i++) {
        uint32_t index = io->results[i].token;
        /* A storage is the host's program: a result that nobody asked for is dropped. */
        if (index < io->capacity && io->slots[index].state == SLOT_SUBMITTED) {
            finish(io, index, &io->results[i]);
        }
    }
    deliver_refused(io, refused);
    gt_mutex_lock(&io->mutex);
    io->fetched -= fetched;
    io->refused -= refused;
    gt_mutex_unlock(&io->mutex);
    io->delivering = false;
    return fetched + refused;
}
