/* Sites are driven to rest after each call, so a test reads like calls. */
#include "support/test_repo.h"

#include "repo/history.h"
#include "repo/tables.h"

#include "support/test.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 10000000 };

const char test_goat_1[] = "{\"ns\": \"goat\", \"version\": 1, \"fields\": {"
                           "\"text\": {\"type\": \"string\"}, \"size\": {\"type\": \"number\"},"
                           "\"list\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"},"
                           "\"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
                           "\"raw\": {\"type\": \"bytes\"}}}";
const char test_goat_2[] = "{\"ns\": \"goat\", \"version\": 2, \"fields\": {"
                           "\"text\": {\"type\": \"string\"}, \"size\": {\"type\": \"string\"},"
                           "\"list\": {\"type\": \"list\"}, \"tags\": {\"type\": \"set\"},"
                           "\"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
                           "\"extra\": {\"type\": \"string\"}}}";
const char test_sheep_1[] = "{\"ns\": \"sheep\", \"version\": 1, \"fields\": {"
                            "\"text\": {\"type\": \"string\"}, \"wool\": {\"type\": \"string\"}}}";

void test_network_init(test_network *network) {
    memset(network, 0, sizeof *network);
    assert_int_equal(gt_crypto_init(NULL), GOAT_OK);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &network->hasher, NULL), GOAT_OK);
    for (uint8_t i = 0; i < TEST_AUTHORS; i++) {
        uint8_t seed[GT_SEED_SIZE];
        memset(seed, 0x40 + i, sizeof seed);
        gt_identity_from_seed(network->hasher, seed, &network->authors[i]);
    }
    network->place.repository = gt_bytes_text(TEST_REPO_PATH);
    memset(network->place.network.bytes, 0x77, GT_ID_SIZE);
}

void test_network_free(test_network *network) { gt_hasher_free(network->hasher); }

/* ---- machines ---- */

static goat_status find_key(void *context, const gt_batch *batch, uint8_t public_key[32], gt_diag *diag) {
    const test_site *site = context;
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) {
        const gt_identity *author = &site->network->authors[i];
        if (gt_id_compare(&author->session, &batch->session) != 0 || (site->strangers >> i & 1) != 0) continue;
        if (site->wrong_keys) author = &site->network->authors[(i + 1) % TEST_AUTHORS];
        memcpy(public_key, author->public_key, GT_PUBLIC_KEY_SIZE);
        return GOAT_OK;
    }
    return gt_fail(diag, GOAT_UNTRUSTED, "nobody knows this session");
}

static bool knows_session(void *context, const gt_id *session) {
    const gt_batch batch = {.session = *session};
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    return find_key(context, &batch, public_key, NULL) == GOAT_OK;
}

/* The first author is a server. */
static goat_status find_server_key(void *context, const gt_id *session, uint8_t public_key[32], gt_diag *diag) {
    const test_site *site = context;
    const gt_identity *server = &site->network->authors[0];
    if (gt_id_compare(&server->session, session) != 0) return gt_fail(diag, GOAT_UNTRUSTED, "that is no server");
    memcpy(public_key, server->public_key, GT_PUBLIC_KEY_SIZE);
    return GOAT_OK;
}

static bool knows_server(void *context, const gt_id *session) {
    const test_site *site = context;
    return (site->strangers & 1) == 0 && gt_id_compare(&site->network->authors[0].session, session) == 0;
}

static gt_time latest_time(void *context, const gt_batch *batch) {
    const test_site *site = context;
    (void)batch;
    return site->latest == 0 ? GT_TIME_MAX : site->latest;
}

static void before_change(void *context, gt_repo *repo, uint32_t item) {
    test_site *site = context;
    (void)repo;
    (void)item;
    site->before++;
}

static void after_change(void *context, gt_repo *repo, uint32_t item, gt_origin origin) {
    test_site *site = context;
    (void)repo;
    (void)item;
    site->after++;
    site->last_origin = origin;
}

static void logged(void *context, gt_repo *repo) {
    test_site *site = context;
    (void)repo;
    site->logged++;
}

static void note_status(void *owner, const goat_io_result *result) {
    goat_status *status = owner;
    *status = result->status;
}

/* A storage on the disk, locked, and what sends requests to it. */
static void plug_in(test_site *site) {
    goat_storage storage;
    goat_status status = GOAT_LOADING;
    assert_int_equal(gt_sim_storage(site->disk, &storage, NULL), GOAT_OK);
    site->io = gt_io_new(site->alloc, &storage);
    goat_io_request lock = {.kind = GOAT_IO_LOCK, .flags = GOAT_IO_CREATE};
    assert_int_equal(gt_io_submit(site->io, &lock, note_status, &status), GOAT_OK);
    test_site_settle(site);
    assert_int_equal(status, GOAT_OK);
}

void test_site_init(test_site *site, const test_network *network, uint32_t author, uint64_t seed, int flags) {
    memset(site, 0, sizeof *site);
    test_alloc_init(&site->memory, TEST_ALLOC_NEVER);
    site->alloc = (flags & TEST_SITE_FAST) != 0 ? &gt_alloc_system : &site->memory.alloc;
    site->network = network;
    site->own = &network->authors[author];
    site->disk = gt_sim_disk_new(site->alloc, seed);
    gt_sim_clock_init(&site->clock);
    gt_sim_random_init(&site->random, seed + 1);
    assert_int_equal(gt_hasher_new(site->alloc, &site->hasher, NULL), GOAT_OK);
    site->schemas = gt_registry_new(site->alloc);
    plug_in(site);
}

static void unplug(test_site *site) {
    gt_io_free(site->io);
    site->io = NULL;
}

void test_site_free(test_site *site) {
    if (site->repo != NULL) test_site_close(site);
    unplug(site);
    gt_registry_free(site->schemas);
    gt_hasher_free(site->hasher);
    gt_sim_disk_free(site->disk);
    test_alloc_assert_empty(&site->memory);
}

void test_site_settle(test_site *site) {
    int rounds = 0;
    while (gt_io_pending(site->io) > 0) {
        gt_io_poll(site->io, false);
        gt_io_deliver(site->io);
        assert_true(++rounds < ROUNDS_MAX);
    }
}

void test_site_learn(test_site *site, const char *json) {
    gt_schema *schema = NULL;
    gt_diag diag;
    assert_int_equal(test_schema_parse(site->alloc, json, &schema, &diag), GOAT_OK);
    assert_int_equal(gt_registry_add(site->schemas, schema, NULL), GOAT_OK);
    if (site->repo != NULL) gt_repo_schemas_changed(site->repo);
}

/* ---- opening and closing ---- */

goat_status test_site_try_open(test_site *site, int flags, gt_diag *diag) {
    gt_repo_config config = {
        .alloc = site->alloc,
        .io = site->io,
        .hasher = site->hasher,
        .random = gt_sim_random_source(&site->random),
        .clock = gt_sim_clock_source(&site->clock),
        .schemas = site->schemas,
        .hooks = {.context = site,
                  .find_key = find_key,
                  .knows_session = knows_session,
                  .find_server_key = find_server_key,
                  .knows_server = knows_server,
                  .latest_time = latest_time,
                  .before_change = before_change,
                  .after_change = after_change,
                  .logged = logged},
        .network = site->network->place.network,
        .path = site->network->place.repository,
        .create = true,
        .read_only = (flags & TEST_SITE_READ_ONLY) != 0,
        .use_checkpoint = (flags & TEST_SITE_NO_CHECKPOINT) == 0,
    };
    assert_null(site->repo);
    site->steps = 0;
    goat_status status = gt_repo_open(&config, &site->repo, diag);
    if (status != GOAT_OK) return status;
    site->repo->replay_steps_min = 2; /* what is kept is to be seen in histories that are short */
    for (int rounds = 0; gt_repo_get_phase(site->repo) == GT_REPO_OPENING; rounds++) {
        site->steps += gt_repo_step(site->repo);
        gt_io_poll(site->io, false);
        gt_io_deliver(site->io);
        assert_true(rounds < ROUNDS_MAX);
    }
    if (gt_repo_get_phase(site->repo) == GT_REPO_OPEN) return GOAT_OK;
    if (diag != NULL) *diag = *gt_repo_failure(site->repo);
    status = gt_repo_failure(site->repo)->status;
    test_site_close(site);
    return status;
}

void test_site_open(test_site *site, int flags) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (test_site_try_open(site, flags, &diag) != GOAT_OK) fail_msg("the repository does not open: %s", diag.message);
    if (site->frame_offset == 0) site->frame_offset = GT_LOG_HEADER_SIZE;
}

void test_site_close(test_site *site) {
    test_site_settle(site);
    gt_repo_free(site->repo);
    site->repo = NULL;
    test_site_settle(site);
}

void test_site_sync(test_site *site) {
    assert_int_equal(gt_log_sync(gt_repo_log(site->repo), NULL), GOAT_OK);
    test_site_settle(site);
    assert_int_equal(gt_log_length_durable(gt_repo_log(site->repo)), gt_log_length(gt_repo_log(site->repo)));
}

void test_site_store_checkpoint(test_site *site, gt_bytes file, uint64_t covered) {
    goat_status status = GOAT_LOADING;
    goat_io_request request = {
        .kind = GOAT_IO_REPLACE, .name = gt_repo_checkpoint_name(site->repo), .data = file.data, .data_len = file.len};
    assert_int_equal(gt_io_submit(site->io, &request, note_status, &status), GOAT_OK);
    test_site_settle(site);
    assert_int_equal(status, GOAT_OK);
    gt_repo_checkpoint_written(site->repo, covered);
}

void test_site_checkpoint(test_site *site) {
    gt_making *making;
    uint64_t covered;
    bool done = false;
    test_site_sync(site);
    assert_int_equal(gt_making_new(site->repo, &making, NULL), GOAT_OK);
    while (!done) assert_int_equal(gt_making_step(making, 1000, &done, NULL), GOAT_OK);
    gt_bytes file = gt_making_file(making, &covered);
    test_site_store_checkpoint(site, file, covered);
    gt_making_free(making);
}

void test_site_crash(test_site *site) {
    gt_sim_crash(site->disk);
    test_site_close(site);
    unplug(site);
    plug_in(site);
}

/* ---- edits ---- */

const gt_schema *test_site_schema(const test_site *site, const char *ns, uint32_t version) {
    const gt_schema *schema = gt_registry_find(site->schemas, gt_bytes_text(ns), version);
    assert_non_null(schema);
    return schema;
}

gt_id test_site_edit_on(test_site *site, const char *key, const gt_schema *schema, const gt_id *parents,
                        uint32_t parent_count, gt_bytes delta) {
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_leaf leaf = {
        .key = gt_bytes_text(key), .parents = parents, .parent_count = parent_count, .schema = schema, .delta = delta};
    gt_id id;
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    return id;
}

gt_id test_site_edit(test_site *site, const char *key, const char *ns, uint32_t version, const char *notation) {
    gt_buf heads;
    gt_buf_init(&heads, &gt_alloc_system);
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    if (item != GT_NONE) {
        gt_seen seen; /* as an app does, which looks before it edits */
        if (gt_repo_view(site->repo, item, &seen, NULL) == GOAT_OK) gt_view_drop(site->alloc, &seen.view);
        assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    }
    gt_bytes delta = test_value(notation);
    gt_id id = test_site_edit_on(site, key, test_site_schema(site, ns, version),
                                 (const gt_id *)(const void *)heads.data, (uint32_t)(heads.len / GT_ID_SIZE), delta);
    test_value_free(delta);
    gt_buf_free(&heads);
    return id;
}

gt_bytes test_site_next_frame(test_site *site) {
    gt_record record;
    while (gt_log_next(gt_repo_log(site->repo), &site->frame_offset, false, &record) == GOAT_OK) {
        if (record.type == GT_RECORD_BATCH) return record.payload;
    }
    return gt_bytes_of(NULL, 0);
}

goat_status test_site_admit(test_site *site, gt_bytes frame, gt_admission *outcome, gt_diag *diag) {
    gt_id batch;
    goat_status status = gt_repo_admit(site->repo, frame, outcome, &batch, diag);
    while (gt_repo_step(site->repo)) {
    }
    return status;
}

void test_site_admits(test_site *site, gt_bytes frame, gt_admission expected) {
    gt_admission outcome;
    gt_diag diag;
    gt_diag_init(&diag);
    if (test_site_admit(site, frame, &outcome, &diag) != GOAT_OK) fail_msg("a frame is refused: %s", diag.message);
    assert_int_equal(outcome, expected);
}

void test_site_refuses(test_site *site, gt_bytes frame, goat_status expected, const char *words) {
    gt_admission outcome;
    gt_diag diag;
    gt_diag_init(&diag);
    uint64_t length = gt_log_length(gt_repo_log(site->repo)), entries = gt_repo_entry_count(site->repo);
    assert_int_equal(test_site_admit(site, frame, &outcome, &diag), expected);
    if (strstr(diag.message, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", diag.message, words);
    assert_int_equal(gt_log_length(gt_repo_log(site->repo)), length);
    assert_int_equal(gt_repo_entry_count(site->repo), entries);
}

void test_site_send_new(test_site *from, test_site *to) {
    gt_bytes frame;
    while ((frame = test_site_next_frame(from)).data != NULL) {
        gt_admission outcome;
        gt_diag diag;
        gt_diag_init(&diag);
        if (test_site_admit(to, frame, &outcome, &diag) != GOAT_OK) fail_msg("a frame is refused: %s", diag.message);
    }
}

/* ---- looking ---- */

void test_site_shows(test_site *site, const char *key, const char *notation) {
    gt_seen seen;
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    assert_int_not_equal(item, GT_NONE);
    goat_status status = gt_repo_view(site->repo, item, &seen, NULL);
    assert_int_equal(status, notation == NULL ? GOAT_NO_SCHEMA : GOAT_OK);
    if (notation == NULL) return;
    assert_value(seen.view.bytes, notation);
    gt_view_drop(site->alloc, &seen.view);
}

uint32_t test_site_head_count(test_site *site, const char *key) {
    gt_buf heads;
    gt_buf_init(&heads, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(site->repo, gt_repo_find(site->repo, gt_bytes_text(key)), &heads, NULL), GOAT_OK);
    uint32_t count = (uint32_t)(heads.len / GT_ID_SIZE);
    gt_buf_free(&heads);
    return count;
}

void test_site_commits(test_site *site, uint32_t item, gt_buf *rows) {
    gt_history history = {0};
    gt_history_part all = {.item = item, .end = gt_repo_commit_count(site->repo)};
    uint32_t row;
    assert_int_equal(gt_history_seek(site->repo, &history, &all, GT_NONE, NULL), GOAT_OK);
    while (gt_history_next(site->repo, &history, &row, NULL) == GOAT_OK && row != GT_NONE) {
        gt_buf_append(rows, &row, sizeof row);
    }
    assert_false(gt_buf_failed(rows));
    gt_history_free(site->alloc, &history);
}

void test_site_digest(test_site *site, uint8_t digest[GT_HASH_SIZE]) {
    gt_key_order *order;
    gt_buf all;
    uint32_t count;
    gt_buf_init(&all, &gt_alloc_system);
    assert_int_equal(gt_key_order_new(site->repo, &order, NULL), GOAT_OK);
    while (!gt_key_order_step(order, 1000)) {
    }
    const uint32_t *items = gt_key_order_rows(order, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item = items[i];
        gt_seen seen;
        goat_status status = gt_repo_view(site->repo, item, &seen, NULL);
        if (status != GOAT_OK) assert_int_equal(status, GOAT_NO_SCHEMA);
        gt_write_array_head(&all, 3);
        gt_write_text(&all, gt_repo_key(site->repo, item));
        if (status != GOAT_OK) {
            gt_write_null(&all);
            gt_write_null(&all);
            continue;
        }
        gt_write_text(&all, gt_schema_ns(seen.schema));
        gt_buf_append(&all, seen.view.bytes.data, seen.view.bytes.len);
        gt_view_drop(site->alloc, &seen.view);
    }
    while (!gt_repo_fingerprint_step(site->repo, 1000)) {
    }
    gt_repo_fingerprint(site->repo, digest);
    gt_buf_append(&all, digest, GT_HASH_SIZE);
    gt_hash(site->hasher, all.data, all.len, digest);
    gt_key_order_free(order);
    gt_buf_free(&all);
}

typedef struct faults {
    uint32_t count;
    gt_buf *kinds;
} faults;

static void count_fault(void *context, const gt_fault *fault) {
    faults *found = context;
    found->count++;
    if (found->kinds == NULL) return;
    gt_buf_append(found->kinds, fault->kind, strlen(fault->kind));
    gt_buf_append(found->kinds, " ", 1);
}

uint32_t test_site_audit(test_site *site, gt_buf *kinds) {
    faults found = {.kinds = kinds};
    gt_audit audit = {.repo = site->repo, .offset = GT_LOG_HEADER_SIZE, .context = &found, .fault = count_fault};
    while (!audit.done) assert_int_equal(gt_audit_step(&audit, NULL), GOAT_OK);
    if (kinds != NULL) gt_buf_append_byte(kinds, 0);
    return found.count;
}

/* ---- kept frames ---- */

void test_frames_add(test_frames *frames, gt_bytes frame) {
    if (frames->count == frames->capacity) {
        frames->capacity = frames->capacity == 0 ? 16 : 2 * frames->capacity;
        frames->frames = realloc((void *)frames->frames, frames->capacity * sizeof *frames->frames);
        frames->lens = realloc(frames->lens, frames->capacity * sizeof *frames->lens);
        assert_true(frames->frames != NULL && frames->lens != NULL);
    }
    uint8_t *copy = malloc(frame.len + 1);
    assert_non_null(copy);
    memcpy(copy, frame.data, frame.len);
    frames->frames[frames->count] = copy;
    frames->lens[frames->count++] = frame.len;
}

gt_bytes test_frames_at(const test_frames *frames, size_t index) {
    return gt_bytes_of(frames->frames[index], frames->lens[index]);
}

void test_frames_free(test_frames *frames) {
    for (size_t i = 0; i < frames->count; i++) free(frames->frames[i]);
    free((void *)frames->frames);
    free(frames->lens);
    memset(frames, 0, sizeof *frames);
}
