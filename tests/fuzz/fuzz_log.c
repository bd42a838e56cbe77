/* The log reader: any bytes as a log file. It is walked to its end, cut, appended to, and opened again: whatever was
 * read or appended before is read again, each at its place, and nothing between two records goes unnamed.
 *
 * The first byte says how the rest is meant: as a whole file, or (checksums being hard to guess) as a recipe for
 * what comes behind a sound header. */
#include "base/assert.h"
#include "base/crc32c.h"
#include "log/log.h"
#include "port/sim/sim.h"

#include <string.h>

enum {
    FLAG_WHOLE_FILE = 1, /* else a recipe */
    FLAG_VERIFY_CHAIN = 2,
    FLAG_PIECES = 4, /* LOAD gives little at a time */
    FLAG_DELAYS = 8,
    FLAG_READ_ONLY_FIRST = 16,
    RECORDS_MAX = 1 << 16,
    FILE_MAX = 1 << 20,
};

#define NAME "repos/data/goats.log"
#define PATH "/data/goats"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- The file ------------------------------------------------------------------------------ */

static void append_header(gt_buf *file) {
    uint8_t block[512] = "GOATLOG\0\1\0\x0b";
    memset(block + 48, 0x22, 16);
    memcpy(block + 64, "\xf0MARKER", 8);
    memcpy(block + 80, PATH, sizeof PATH - 1);
    gt_put_u32(block + 508, gt_crc32c(0, block, 508));
    gt_buf_append(file, block, 512);
    gt_buf_append(file, block, 512);
}

static void append_head(gt_buf *file, uint8_t type, uint32_t len) {
    uint8_t head[20] = "\xf0MARKER";
    head[8] = type;
    gt_put_u32(head + 12, len);
    gt_put_u32(head + 16, gt_crc32c(0, head, 16));
    gt_buf_append(file, head, sizeof head);
}

static void append_body(gt_buf *file, const uint8_t *payload, size_t len, uint32_t spoil) {
    static const uint8_t chain[GT_CHAIN_SIZE];
    uint8_t crc[4];
    gt_put_u32(crc, gt_crc32c(gt_crc32c(0, payload, len), chain, sizeof chain) ^ spoil);
    gt_buf_append(file, payload, len);
    gt_buf_append(file, chain, sizeof chain);
    gt_buf_append(file, crc, sizeof crc);
}

/* One byte for each step: what it is in the upper two bits, how many bytes of the input go into it below. */
static void follow_recipe(gt_buf *file, const uint8_t *data, size_t size) {
    while (size != 0 && file->len < FILE_MAX) {
        uint8_t step = *data++;
        size--;
        size_t len = step & 63;
        len = len < size ? len : size;
        switch (step >> 6) {
        case 0: gt_buf_append(file, data, len); break;
        case 1: /* a sound record; those of some lengths set something aside */
            append_head(file, len % 8 == 3 ? GT_RECORD_SET_ASIDE : (uint8_t)len, (uint32_t)len);
            append_body(file, data, len, 0);
            break;
        case 2: /* a sound head that claims more or less than follows */
            append_head(file, 1, len >= 2 ? gt_get_u16(data) : (uint32_t)len);
            gt_buf_append(file, data, len);
            break;
        default: /* a record that is damaged in its body */
            append_head(file, 1, (uint32_t)len);
            append_body(file, data, len, 1);
        }
        data += len;
        size -= len;
    }
}

/* ---- The log ------------------------------------------------------------------------------- */

typedef struct machine {
    gt_sim_disk *disk;
    gt_io *io;
    gt_hasher *hasher;
} machine;

typedef struct found {
    uint64_t offset;
    size_t len;
    uint32_t crc;
} found;

typedef struct found_list {
    found records[RECORDS_MAX];
    size_t count;
} found_list;

static void settle(gt_io *io) {
    while (gt_io_pending(io) != 0) {
        gt_io_poll(io, false);
        gt_io_deliver(io);
    }
}

static void machine_begin(machine *m, gt_sim_disk *disk) {
    goat_storage storage;
    m->disk = disk;
    GOAT_ASSERT(gt_sim_storage(disk, &storage, NULL) == GOAT_OK);
    m->io = gt_io_new(&gt_alloc_system, &storage);
    GOAT_ASSERT(m->io != NULL && gt_hasher_new(&gt_alloc_system, &m->hasher, NULL) == GOAT_OK);
    goat_io_request lock = {.kind = GOAT_IO_LOCK, .flags = GOAT_IO_CREATE};
    GOAT_ASSERT(gt_io_submit(m->io, &lock, NULL, NULL) == GOAT_OK);
    settle(m->io);
}

static void machine_end(machine *m) {
    gt_io_free(m->io);
    gt_hasher_free(m->hasher);
}

static gt_log *open_log(machine *m, bool read_only) {
    gt_log_config config = {.alloc = &gt_alloc_system,
                            .io = m->io,
                            .hasher = m->hasher,
                            .name = NAME,
                            .repository = gt_bytes_text(PATH),
                            .read_only = read_only};
    gt_log *log;
    GOAT_ASSERT(gt_log_open(&config, &log, NULL) == GOAT_OK);
    settle(m->io);
    return log;
}

static void close_log(machine *m, gt_log *log) {
    gt_log_close(log);
    settle(m->io);
}

static bool is_named(const gt_log *log, uint64_t from, uint64_t to) {
    size_t count;
    const gt_damage *damage = gt_log_damage(log, &count);
    for (size_t i = 0; i < count; i++) {
        bool right_kind = damage[i].kind == GT_DAMAGE_MIDDLE || damage[i].kind == GT_DAMAGE_TORN;
        if (right_kind && damage[i].offset == from && damage[i].offset + damage[i].length == to) {
            return true;
        }
    }
    return false;
}

static uint64_t walk(gt_log *log, bool verify_chain, found_list *list) {
    uint64_t offset = GT_LOG_HEADER_SIZE, end = offset, length = gt_log_length(log);
    gt_record record;
    goat_status status;
    list->count = 0;
    while ((status = gt_log_next(log, &offset, verify_chain, &record)) == GOAT_OK) {
        GOAT_ASSERT(record.offset >= end + 20 && offset == record.offset + record.payload.len + 20);
        GOAT_ASSERT(offset <= length && list->count < RECORDS_MAX);
        GOAT_ASSERT(record.offset == end + 20 || is_named(log, end, record.offset - 20));
        GOAT_ASSERT(gt_log_check(log, record.offset, NULL) == GOAT_OK);
        GOAT_ASSERT(gt_log_at(log, record.offset, record.payload.len).data == record.payload.data);
        GOAT_ASSERT(gt_log_has_chain(log, offset, record.payload.data + record.payload.len));
        uint32_t crc = gt_crc32c((uint32_t)record.type, record.payload.data, record.payload.len);
        list->records[list->count++] = (found){record.offset, record.payload.len, crc};
        end = offset;
    }
    GOAT_ASSERT(status == GOAT_NOT_FOUND);
    GOAT_ASSERT(end == length || is_named(log, end, length));
    return end;
}

static void assert_same(const found_list *a, const found_list *b) {
    GOAT_ASSERT(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        GOAT_ASSERT(a->records[i].offset == b->records[i].offset && a->records[i].len == b->records[i].len);
        GOAT_ASSERT(a->records[i].crc == b->records[i].crc);
    }
}

/* The chain is known only where a record ends, and not behind damage. */
static void ask_for_chains(const gt_log *log, const found_list *list) {
    uint8_t chain[GT_CHAIN_SIZE];
    size_t next = 0;
    for (uint64_t length = 0; length <= gt_log_length(log) + 1; length++) {
        while (next < list->count && list->records[next].offset + list->records[next].len + 20 < length) next++;
        bool ends = next < list->count && list->records[next].offset + list->records[next].len + 20 == length;
        bool inside = next < list->count && length >= list->records[next].offset; /* who knows the marker makes heads */
        if (!gt_log_chain_at(log, length, chain) || (inside && !ends)) continue;
        GOAT_ASSERT(ends || length == GT_LOG_HEADER_SIZE);
        GOAT_ASSERT(gt_log_has_chain(log, length, chain));
    }
}

/* Sets the first damage in the middle aside; gives whether there was some. */
static bool set_aside(gt_log *log) {
    size_t count;
    const gt_damage *damage = gt_log_damage(log, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = damage[i].offset, length = damage[i].length;
        if (damage[i].kind != GT_DAMAGE_MIDDLE || damage[i].aside) continue;
        GOAT_ASSERT(gt_log_set_aside(log, offset, length, NULL) == GOAT_OK);
        GOAT_ASSERT(gt_log_is_aside(log, offset, length) && gt_log_damage(log, &count)[i].aside);
        return true;
    }
    return false;
}

static void append(gt_log *log, found_list *list, size_t len) {
    uint8_t payload[256];
    gt_record record;
    memset(payload, (int)len, len);
    GOAT_ASSERT(gt_log_append(log, GT_RECORD_BATCH, gt_bytes_of(payload, len), &record, NULL) == GOAT_OK);
    list->records[list->count++] = (found){record.offset, len, gt_crc32c(GT_RECORD_BATCH, payload, len)};
}

static void use(machine *m, uint8_t flags, found_list *before, found_list *after) {
    bool verify_chain = (flags & FLAG_VERIFY_CHAIN) != 0;
    gt_log *log = open_log(m, false);
    if (gt_log_get_state(log) == GT_LOG_FAILED) {
        GOAT_ASSERT(gt_log_failure(log)->status != GOAT_OK);
        close_log(m, log);
        return;
    }
    uint64_t end = walk(log, verify_chain, before);
    GOAT_ASSERT(gt_log_ready(log, end, NULL) == GOAT_OK);
    settle(m->io);
    GOAT_ASSERT(gt_log_get_state(log) == GT_LOG_READY && gt_log_length(log) == end);
    append(log, before, 0);
    append(log, before, flags);
    append(log, before, 17);
    GOAT_ASSERT(gt_log_sync(log, NULL) == GOAT_OK);
    settle(m->io);
    GOAT_ASSERT(gt_log_length_durable(log) == gt_log_length(log));
    GOAT_ASSERT(gt_sim_file(m->disk, NAME).len == gt_log_length(log));
    walk(log, verify_chain, after);
    assert_same(before, after);
    ask_for_chains(log, after);
    if (set_aside(log)) walk(log, verify_chain, before);
    settle(m->io);
    close_log(m, log);

    log = open_log(m, true);
    GOAT_ASSERT(gt_log_get_state(log) == GT_LOG_LOADED);
    walk(log, verify_chain, after);
    assert_same(before, after);
    close_log(m, log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    uint8_t flags = data[0];
    gt_buf file;
    gt_buf_init(&file, &gt_alloc_system);
    if ((flags & FLAG_WHOLE_FILE) != 0) {
        gt_buf_append(&file, data + 1, size - 1);
    } else {
        append_header(&file);
        follow_recipe(&file, data + 1, size - 1);
    }
    gt_sim_disk *disk = gt_sim_disk_new(&gt_alloc_system, flags);
    GOAT_ASSERT(disk != NULL && !gt_buf_failed(&file) && gt_sim_put_file(disk, NAME, gt_buf_bytes(&file)));
    gt_sim_options_of(disk)->chunk_max = (flags & FLAG_PIECES) != 0 ? 2000 : 0;
    gt_sim_options_of(disk)->delay_polls_max = (flags & FLAG_DELAYS) != 0 ? 3 : 0;

    machine m;
    static found_list before, after;
    machine_begin(&m, disk);
    if ((flags & FLAG_READ_ONLY_FIRST) != 0) {
        gt_log *log = open_log(&m, true);
        if (gt_log_get_state(log) == GT_LOG_LOADED) {
            walk(log, false, &before);
        }
        close_log(&m, log);
        GOAT_ASSERT(gt_bytes_equal(gt_sim_file(disk, NAME), gt_buf_bytes(&file)));
    }
    use(&m, flags, &before, &after);
    machine_end(&m);
    gt_sim_disk_free(disk);
    gt_buf_free(&file);
    return 0;
}
