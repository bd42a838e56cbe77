/* The walk here is told what was written and trusts the log with nothing: neither that records come in order
 * nor that damage is noted where it is. */
#include "support/test_log.h"

#include "support/test.h"

#include <string.h>

enum { SETTLE_POLLS_MAX = 1000000 };

/* ---- The machine --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static goat_status count_and_submit(void *context, const goat_io_request *request) {
    test_log_machine *machine = context;
    machine->submitted[request->kind]++;
    if (++machine->requests == machine->refuse_at) {
        return GOAT_NO_MEMORY;
    }
    return machine->storage.submit(machine->storage.context, request);
}

static size_t poll_inside(void *context, goat_io_result *results, size_t results_max, bool wait) {
    test_log_machine *machine = context;
    size_t count = machine->storage.poll(machine->storage.context, results, results_max, wait);
    for (size_t i = count; machine->shuffle && i > 1; i--) {
        size_t other = (size_t)(mix(&machine->random) % i);
        goat_io_result result = results[i - 1];
        results[i - 1] = results[other];
        results[other] = result;
    }
    return count;
}

static void close_inside(void *context) {
    test_log_machine *machine = context;
    machine->storage.close(machine->storage.context);
}

static bool fill(void *context, uint8_t *bytes, size_t len) {
    test_log_machine *machine = context;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)mix(&machine->random);
    }
    return true;
}

static void note_status(void *owner, const goat_io_result *result) {
    goat_status *status = owner;
    *status = result->status;
}

goat_status test_log_begin(test_log_machine *machine, const gt_alloc *alloc, const goat_storage *storage) {
    memset(machine, 0, sizeof *machine);
    machine->alloc = alloc;
    machine->storage = *storage;
    goat_storage counting = {sizeof counting, machine, count_and_submit, poll_inside, close_inside};
    machine->io = gt_io_new(alloc, &counting);
    if (machine->io == NULL) {
        close_inside(machine);
        return GOAT_NO_MEMORY;
    }
    goat_io_request lock = {.kind = GOAT_IO_LOCK, .flags = GOAT_IO_CREATE};
    goat_status locked = GOAT_LOADING;
    goat_status status = gt_hasher_new(alloc, &machine->hasher, NULL);
    if (status == GOAT_OK) {
        status = gt_io_submit(machine->io, &lock, note_status, &locked);
    }
    if (status != GOAT_OK) {
        test_log_end(machine);
        return status;
    }
    test_log_settle(machine);
    if (locked != GOAT_OK) {
        test_log_end(machine);
    }
    return locked;
}

void test_log_end(test_log_machine *machine) {
    gt_io_free(machine->io);
    gt_hasher_free(machine->hasher);
    machine->io = NULL;
    machine->hasher = NULL;
}

void test_log_settle(test_log_machine *machine) {
    for (int i = 0; gt_io_pending(machine->io) != 0; i++) {
        assert_true(i < SETTLE_POLLS_MAX);
        gt_io_poll(machine->io, false);
        gt_io_deliver(machine->io);
    }
}

/* ---- The log ------------------------------------------------------------------------------- */

gt_log_config test_log_config(test_log_machine *machine, int flags) {
    gt_log_config config = {.alloc = machine->alloc,
                            .io = machine->io,
                            .hasher = machine->hasher,
                            .name = TEST_LOG_NAME,
                            .repository = gt_bytes_text(TEST_LOG_REPOSITORY),
                            .create = (flags & TEST_LOG_CREATE) != 0,
                            .read_only = (flags & TEST_LOG_READ_ONLY) != 0,
                            .random = {sizeof(goat_random), machine, fill},
                            .now_ms = 1700000000000};
    memset(config.network.bytes, 0xa7, sizeof config.network.bytes);
    return config;
}

gt_log *test_log_open(test_log_machine *machine, int flags) {
    gt_log_config config = test_log_config(machine, flags);
    gt_log *log;
    gt_diag diag;
    goat_status status = gt_log_open(&config, &log, &diag);
    if (status != GOAT_OK) {
        assert_int_equal(status, GOAT_NO_MEMORY);
        assert_int_equal(diag.status, GOAT_NO_MEMORY);
        assert_null(log);
        return NULL;
    }
    test_log_settle(machine);
    assert_true(gt_log_idle(log));
    assert_int_not_equal(gt_log_get_state(log), GT_LOG_OPENING);
    return log;
}

gt_log *test_log_open_ready(test_log_machine *machine, int flags) {
    gt_log *log = test_log_open(machine, flags);
    assert_non_null(log);
    assert_int_equal(gt_log_get_state(log), GT_LOG_LOADED);
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_record record;
    goat_status status;
    do {
        status = gt_log_next(log, &offset, true, &record);
    } while (status == GOAT_OK);
    assert_int_equal(status, GOAT_NOT_FOUND);
    assert_int_equal(gt_log_ready(log, offset, NULL), GOAT_OK);
    test_log_settle(machine);
    assert_int_equal(gt_log_get_state(log), GT_LOG_READY);
    return log;
}

void test_log_close(test_log_machine *machine, gt_log *log) {
    gt_log_close(log);
    test_log_settle(machine);
}

/* ---- Records ------------------------------------------------------------------------------- */

void test_log_payload(uint64_t seed, uint8_t *bytes, size_t len) {
    uint64_t state = seed;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = mix(&state);
        memcpy(bytes + i, &word, len - i < 8 ? len - i : 8);
    }
}

gt_record_type test_log_type(uint64_t seed) { return seed % 5 == 4 ? (gt_record_type)77 : GT_RECORD_BATCH; }

bool test_log_payload_is(uint64_t seed, gt_bytes payload) {
    uint64_t state = seed;
    for (size_t i = 0; i < payload.len; i += 8) {
        uint64_t word = mix(&state);
        if (memcmp(payload.data + i, &word, payload.len - i < 8 ? payload.len - i : 8) != 0) {
            return false;
        }
    }
    return true;
}

goat_status test_log_append(gt_log *log, test_log_model *model, uint64_t seed, size_t len) {
    gt_buf room;
    goat_status status = gt_log_reserve(log, len, &room, NULL);
    if (status != GOAT_OK) {
        return status;
    }
    test_log_payload(seed, gt_buf_reserve(&room, len), len);
    room.len += len;
    gt_record record;
    status = gt_log_commit_append(log, test_log_type(seed), &room, &record, NULL);
    if (status == GOAT_OK) {
        assert_true(model->count < TEST_LOG_RECORDS_MAX);
        assert_ptr_equal(record.payload.data, room.data);
        assert_int_equal(record.payload.len, len);
        model->records[model->count++] = (test_log_record){record.offset, seed, (uint32_t)len};
    }
    return status;
}

/* ---- Walking ------------------------------------------------------------------------------- */

static size_t find(const test_log_model *model, uint64_t offset) {
    for (size_t i = 0; i < model->count; i++) {
        if (model->records[i].offset == offset) {
            return i;
        }
    }
    fail_msg("a record at %llu that was never written there", (unsigned long long)offset);
    return 0;
}

/* Whether [from, to) is noted as damage, as one stretch. */
static void assert_noted(const gt_log *log, gt_damage_kind kind, uint64_t from, uint64_t to) {
    size_t count;
    const gt_damage *damage = gt_log_damage(log, &count);
    for (size_t i = 0; i < count; i++) {
        if (damage[i].kind == kind && damage[i].offset == from && damage[i].length == to - from) {
            return;
        }
    }
    fail_msg("nobody named the damage from %llu to %llu", (unsigned long long)from, (unsigned long long)to);
}

static size_t count_kinds(const gt_log *log, gt_damage_kind kind) {
    size_t count, sum = 0;
    const gt_damage *damage = gt_log_damage(log, &count);
    for (size_t i = 0; i < count; i++) {
        sum += damage[i].kind == kind;
    }
    return sum;
}

uint64_t test_log_walk(gt_log *log, const test_log_model *model, bool verify_chain, bool *found) {
    uint64_t offset = GT_LOG_HEADER_SIZE, end = offset, length = gt_log_length(log);
    size_t gaps = 0;
    gt_record record;
    goat_status status;
    if (found != NULL) {
        memset(found, 0, model->count * sizeof *found);
    }
    while ((status = gt_log_next(log, &offset, verify_chain, &record)) == GOAT_OK) {
        size_t i = find(model, record.offset);
        assert_int_equal(record.payload.len, model->records[i].len);
        assert_int_equal(record.type, test_log_type(model->records[i].seed));
        assert_true(test_log_payload_is(model->records[i].seed, record.payload));
        assert_ptr_equal(gt_log_at(log, record.offset, record.payload.len).data, record.payload.data);
        assert_int_equal(gt_log_check(log, record.offset, NULL), GOAT_OK);
        if (found != NULL) {
            assert_false(found[i]);
            found[i] = true;
        }
        uint64_t start = record.offset - 20;
        assert_true(start >= end);
        if (start != end) {
            assert_noted(log, GT_DAMAGE_MIDDLE, end, start);
            gaps++;
        }
        end = record.offset + record.payload.len + 20;
        assert_int_equal(offset, end);
    }
    assert_int_equal(status, GOAT_NOT_FOUND);
    bool loaded = gt_log_get_state(log) == GT_LOG_LOADED;
    if (loaded && end != length) {
        assert_noted(log, GT_DAMAGE_TORN, end, length);
        assert_int_equal(offset, end);
    }
    assert_int_equal(count_kinds(log, GT_DAMAGE_MIDDLE), gaps);
    return offset;
}

uint64_t test_log_walk_all(gt_log *log, const test_log_model *model) {
    static bool found[TEST_LOG_RECORDS_MAX];
    uint64_t end = test_log_walk(log, model, true, found);
    for (size_t i = 0; i < model->count; i++) {
        assert_true(found[i]);
    }
    size_t count;
    gt_log_damage(log, &count);
    assert_int_equal(count, 0);
    assert_int_equal(end, gt_log_length(log));
    return end;
}
