/* A load that goes on: writers that each send a batch of one edit at fixed times, readers that verify everything
 * (databases, each in its own process) and readers that count what comes (raw.h). Batches are signed beforehand; what
 * is measured is the time from the moment at which an edit was to be made, so a late sender counts against the
 * figure. */
#define _GNU_SOURCE
#include "actor.h"
#include "raw.h"
#include "sealed.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WRITERS_MAX = 50,
    VERIFYING_MAX = 4,
    SLOTS = 256, /* of the table that finds a writer by its session */
    PREPARING_US = 1000 * 1000,
    SIGNING_US = 200, /* for each batch, at the most */
    DRAINING_US = 20 * 1000 * 1000,
};

const char row_flood_verified_99[] = "2,000 edits/s, 4 verifying readers, 99th percentile";
const char row_flood_counted_99[] = "2,000 edits/s, 46 counting readers, 99th percentile";
const char row_flood_safe_99[] = "2,000 edits/s, on the server's disk, 99th percentile";
const char row_flood_processor[] = "2,000 edits/s, processor time of the server";

typedef struct flood {
    const lab_plan *lab;
    uint32_t writer_count, verifying_count, counting_count;
    uint32_t rate, seconds, total;
    actor server, verifying[VERIFYING_MAX];
    sealer sealer;
    sealed_author authors[WRITERS_MAX];
    raw *writers[WRITERS_MAX];
    uint8_t slots[SLOTS]; /* 1 + the writer whose session begins with this byte … */
    raw_pool sending, counting;
    gt_buf frames;
    size_t *ends; /* of each frame */
    uint64_t begin_us;
    uint32_t created, safe;
    uint64_t counted;
    samples counted_us, safe_us, late_us;
} flood;

/* ---- who and when ---- */

static void enter_author(flood *f, uint32_t number) {
    uint8_t slot = f->authors[number].identity.session.bytes[0];
    while (f->slots[slot] != 0) slot++;
    f->slots[slot] = (uint8_t)(number + 1);
}

static uint32_t author_of(const flood *f, const uint8_t *session) {
    uint8_t slot = session[0];
    while (f->slots[slot] != 0) {
        uint32_t number = f->slots[slot] - 1u;
        if (memcmp(f->authors[number].identity.session.bytes, session, GT_ID_SIZE) == 0) return number;
        slot++;
    }
    lab_fail("a batch of a stranger");
}

static uint64_t due_us(const flood *f, uint32_t edit) { return f->begin_us + (uint64_t)edit * 1000000 / f->rate; }

/* ---- what comes ---- */

static void count_batch(void *context, raw *client, uint32_t channel, gt_bytes frame) {
    flood *f = context;
    const uint8_t *session;
    uint64_t seq;
    (void)client;
    if (channel != 1) return;
    sealed_read(frame, &session, &seq);
    if (seq < 2) return;
    uint32_t edit = (uint32_t)(seq - 2) * f->writer_count + author_of(f, session);
    samples_add(&f->counted_us, (double)(int64_t)(now_us() - due_us(f, edit)));
    f->counted++;
}

static void take_acknowledgement(void *context, raw *client, uint32_t channel, const gt_ids *batches) {
    flood *f = context;
    uint64_t now = now_us();
    if (channel != 2) return;
    for (uint32_t i = 0; i < batches->count; i++) {
        /* A writer's batches become safe in order. */
        uint32_t writer = (uint32_t)client->number;
        uint32_t made = (uint32_t)client->acknowledged++;
        if (made == 0) {
            f->created++;
            continue;
        }
        samples_add(&f->safe_us, (double)(int64_t)(now - due_us(f, (made - 1) * f->writer_count + writer)));
        f->safe++;
    }
}

/* ---- preparing ---- */

static void connect_writers(flood *f) {
    gt_buf frame, certify;
    gt_message message = {.kind = GT_MESSAGE_CERTIFY};
    gt_buf_init(&frame, &gt_alloc_system);
    gt_buf_init(&certify, &gt_alloc_system);
    gt_message_write(&certify, &message);
    for (uint32_t i = 0; i < f->writer_count; i++) {
        sealed_author_init(&f->sealer, &f->authors[i], i);
        enter_author(f, i);
        f->writers[i] = raw_add(&f->sending, &f->authors[i].identity);
        f->writers[i]->number = i;
    }
    while (f->sending.ready < f->writer_count) raw_run(&f->sending, 100000);
    for (uint32_t i = 0; i < f->writer_count; i++) {
        gt_buf_clear(&frame);
        sealed_create(&f->sealer, &f->authors[i], now_us(), &frame);
        raw_send(f->writers[i], gt_buf_bytes(&certify));
        raw_send_batch(f->writers[i], 2, gt_buf_bytes(&frame));
    }
    while (f->created < f->writer_count) raw_run(&f->sending, 100000);
    gt_buf_free(&frame);
    gt_buf_free(&certify);
}

static void start_reader(flood *f, uint32_t i) {
    char name[32], folder[256];
    snprintf(name, sizeof(name), "flood-%u", i);
    join(folder, sizeof(folder), f->lab->folder, name);
    actor_read(f->lab, &f->verifying[i], &f->server, folder, actor_repository);
}

static void tell_plan(flood *f) {
    char line[128];
    snprintf(line, sizeof(line), "plan %llu %u %u", (unsigned long long)f->begin_us, f->writer_count, f->rate);
    for (uint32_t i = 0; i < f->verifying_count; i++) child_say(&f->verifying[i].process, line);
}

static void seal_all(flood *f) {
    gt_buf_init(&f->frames, &gt_alloc_system);
    f->ends = calloc(f->total, sizeof(*f->ends));
    if (f->ends == NULL) lab_fail("no memory for batches");
    f->begin_us = now_us() + PREPARING_US + (uint64_t)f->total * SIGNING_US;
    for (uint32_t edit = 0; edit < f->total; edit++) {
        sealed_author *author = &f->authors[edit % f->writer_count];
        sealed_edit(&f->sealer, author, (uint32_t)(author->seq % SEALED_ITEMS), due_us(f, edit), &f->frames);
        f->ends[edit] = f->frames.len;
    }
    if (gt_buf_failed(&f->frames)) lab_fail("no memory for batches");
    if (now_us() > f->begin_us) lab_fail("signing took longer than was planned");
}

/* ---- the load ---- */

static void send_due(flood *f, uint32_t *next) {
    for (; *next < f->total && due_us(f, *next) <= now_us(); ++*next) {
        size_t begin = *next == 0 ? 0 : f->ends[*next - 1];
        raw_send_batch(f->writers[*next % f->writer_count], 2,
                       gt_bytes_of(f->frames.data + begin, f->ends[*next] - begin));
        samples_add(&f->late_us, (double)(now_us() - due_us(f, *next)));
    }
}

static bool all_came(const flood *f) {
    return f->safe == f->total && f->counted == (uint64_t)f->total * f->counting_count;
}

static void run(flood *f) {
    uint32_t next = 0;
    uint64_t deadline = due_us(f, f->total) + DRAINING_US;
    while (!all_came(f)) {
        uint64_t now = now_us();
        uint64_t wait = next == f->total ? 100000 : due_us(f, next) > now ? due_us(f, next) - now : 0;
        raw_run(&f->sending, wait);
        send_due(f, &next);
        if (now > deadline) {
            lab_fail("of %u edits %u are safe, and %llu of %llu have come, long after the last was sent", f->total,
                     f->safe, (unsigned long long)f->counted, (unsigned long long)f->total * f->counting_count);
        }
    }
}

/* ---- all together ---- */

/* Seconds of processor time so far: of the server, of the verifying readers together, and of this process. */
typedef struct usage {
    double server_s, readers_s, own_s;
} usage;

static usage measure(const flood *f) {
    struct timespec own;
    usage u = {.server_s = child_measure(&f->server.process).processor_s};
    for (uint32_t i = 0; i < f->verifying_count; i++)
        u.readers_s += child_measure(&f->verifying[i].process).processor_s;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    u.own_s = (double)own.tv_sec + (double)own.tv_nsec / 1e9;
    return u;
}

static void report(flood *f, const usage *before, const usage *after) {
    samples verified = {0};
    for (uint32_t i = 0; i < f->verifying_count; i++) actor_collect(f->lab, &f->verifying[i], f->total, &verified);
    row_begin(row_flood_verified_99, "", 0, false);
    row_add(GOAT, samples_at(&verified, 99) / 1e3);
    row_begin(row_flood_counted_99, "", 0, false);
    row_add(GOAT, samples_at(&f->counted_us, 99) / 1e3);
    row_begin(row_flood_safe_99, "", 0, false);
    row_add(GOAT, samples_at(&f->safe_us, 99) / 1e3);
    row_begin(row_flood_processor, "", 0, false);
    row_add(GOAT, (after->server_s - before->server_s) / ((double)f->total / f->rate) * 100);
    lab_say(f->lab,
            "  %u edits at %u/s: verified after %.1f, counted after %.1f, safe after %.1f ms (medians); sent late by "
            "%.1f ms at most",
            f->total, f->rate, samples_at(&verified, 50) / 1e3, samples_at(&f->counted_us, 50) / 1e3,
            samples_at(&f->safe_us, 50) / 1e3, samples_at(&f->late_us, 100) / 1e3);
    double edits = (double)f->total / 1e6;
    lab_say(
        f->lab, "  processor time of an edit: %.0f us in the server, %.0f in each verifying reader, %.0f in this load",
        (after->server_s - before->server_s) / edits,
        (after->readers_s - before->readers_s) / edits / f->verifying_count, (after->own_s - before->own_s) / edits);
    samples_free(&verified);
}

static void begin(flood *f) {
    char folder[256];
    join(folder, sizeof(folder), f->lab->folder, "flood");
    actor_make(folder, actor_repository, NULL, 0);
    actor_serve(f->lab, &f->server, folder, actor_repository, false);
    sealer_init(&f->sealer, &f->server.network, actor_repository);
    f->sending = (raw_pool){
        .port = f->server.port,
        .window = GT_SYNC_WINDOW_MIN, /* a writer takes in no more than this, and reads no further */
        .paths = {GT_SESSIONS_PATH, actor_repository},
        .path_count = 2,
        .context = f,
        .acknowledged = take_acknowledgement,
    };
    raw_pool_init(&f->sending);
    f->counting = (raw_pool){
        .port = f->server.port,
        .beside = &f->sending,
        .window = GT_SYNC_WINDOW_MAX,
        .paths = {actor_repository},
        .path_count = 1,
        .context = f,
        .batch = count_batch,
    };
    raw_pool_init(&f->counting);
}

void lab_flood(const lab_plan *lab, const documents *docs) {
    (void)docs;
    flood *f = calloc(1, sizeof(*f));
    if (f == NULL) lab_fail("no memory");
    f->lab = lab;
    f->writer_count = lab->quick ? 5 : WRITERS_MAX;
    f->verifying_count = lab->quick ? 1 : VERIFYING_MAX;
    f->counting_count = lab->quick ? 5 : 46;
    f->rate = lab->quick ? 200 : 2000;
    f->seconds = lab->quick ? 1 : 20;
    f->total = f->rate * f->seconds;
    begin(f);
    connect_writers(f);
    for (uint32_t i = 0; i < f->verifying_count; i++) start_reader(f, i);
    raw_connect(&f->counting, f->counting_count, f->counting_count);
    seal_all(f);
    tell_plan(f);
    while (now_us() + 1000 < f->begin_us) raw_run(&f->sending, f->begin_us - now_us());
    usage before = measure(f);
    run(f);
    usage after = measure(f);
    report(f, &before, &after);

    raw_pool_free(&f->counting);
    raw_pool_free(&f->sending);
    for (uint32_t i = 0; i < f->verifying_count; i++) actor_end(&f->verifying[i]);
    actor_end(&f->server);
    for (uint32_t i = 0; i < f->writer_count; i++) sealed_author_free(&f->authors[i]);
    sealer_free(&f->sealer);
    gt_buf_free(&f->frames);
    free(f->ends);
    samples_free(&f->counted_us);
    samples_free(&f->safe_us);
    samples_free(&f->late_us);
    free(f);
}
