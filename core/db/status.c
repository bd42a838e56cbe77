/* What a database says of its connections. */
#include "db/internal.h"

#include "db/links.h"

enum { COUNTED_MAX = 65536 }; /* records that are looked at for what is unsent */

static void write_name(gt_buf *out, const char *name) { gt_write_text(out, gt_bytes_text(name)); }

static void write_number(gt_buf *out, const char *name, uint64_t number) {
    write_name(out, name);
    gt_write_int(out, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void write_truth(gt_buf *out, const char *name, bool truth) {
    write_name(out, name);
    gt_write_bool(out, truth);
}

/* ---- peers ---- */

static bool is_shown(const gt_link *link) { return link->sync != NULL && link->greeted && !link->ended; }

static void write_peer(gt_buf *out, const gt_link *link) {
    const gt_sync_counters *counters = gt_sync_get_counters(link->sync);
    gt_channel_info info;
    uint32_t open = 0;
    const gt_channel *channel = NULL;
    while ((channel = gt_sync_next_channel(link->sync, channel)) != NULL) {
        open += gt_sync_channel_info(link->sync, channel, &info) && info.open;
    }
    gt_write_map_head(out, 7); /* keys by length, then bytes */
    write_number(out, "in", counters->bytes_in);
    write_number(out, "out", counters->bytes_out);
    write_name(out, "role");
    write_name(out, gt_link_is_client(link) ? "server" : "client");
    write_name(out, "session");
    gt_write_bytes(out, gt_bytes_of(gt_sync_get_peer(link->sync)->session.bytes, GT_ID_SIZE));
    write_number(out, "batches_in", counters->batches_in);
    write_number(out, "batches_out", counters->batches_out);
    write_number(out, "repositories", open);
}

static void write_peers(gt_buf *out, const gt_database *database) {
    size_t count = 0;
    for (const gt_link *link = database->links; link != NULL; link = link->next) count += is_shown(link);
    gt_write_array_head(out, count);
    for (const gt_link *link = database->links; link != NULL; link = link->next) {
        if (is_shown(link)) write_peer(out, link);
    }
}

/* ---- repositories ---- */

static bool begins_with(gt_bytes frame, gt_bytes head) {
    return frame.len > head.len && memcmp(frame.data, head.data, head.len) == 0;
}

/* Commits of our own in the log from `offset` on. A frame begins with the head of its array, the number of its format,
 * and the session, each in one form only. */
static uint64_t count_own(const gt_mount *mount, uint64_t offset) {
    uint8_t head[4 + GT_ID_SIZE] = {0x8b, 0x01, 0x58, GT_ID_SIZE};
    gt_record record;
    uint64_t count = 0;
    memcpy(head + 4, mount->database->own.session.bytes, GT_ID_SIZE);
    for (int i = 0; i < COUNTED_MAX; i++) {
        if (gt_log_next(gt_repo_log(mount->repo), &offset, false, &record) != GOAT_OK) break;
        if (record.type != GT_RECORD_BATCH || !begins_with(record.payload, gt_bytes_of(head, sizeof(head)))) continue;
        count += gt_batch_peek_size(record.payload);
    }
    return count;
}

static const gt_link *upstream_of(const gt_database *database) {
    const gt_link *link = database->links;
    while (link != NULL && !(gt_link_is_client(link) && link->sync != NULL)) link = link->next;
    return link;
}

static bool find_info(const gt_link *link, const gt_mount *mount, gt_channel_info *info) {
    const gt_channel *channel = link == NULL ? NULL : gt_sync_channel_of(link->sync, &mount->shared);
    return channel != NULL && gt_sync_channel_info(link->sync, channel, info);
}

/* From where on the server may not have our log. */
static uint64_t safe_length(const gt_link *link, const gt_mount *mount) {
    uint64_t safe = link == NULL ? 0 : gt_sync_safe_length(link->sync, &mount->shared);
    gt_remembered remembered;
    if (safe == 0 && gt_peer_recall(mount, &mount->database->network, &remembered)) safe = remembered.ours;
    return safe < GT_LOG_HEADER_SIZE ? GT_LOG_HEADER_SIZE : safe;
}

uint64_t gt_mount_count_unsent(const gt_mount *mount) {
    return count_own(mount, safe_length(upstream_of(mount->database), mount));
}

/* Whether the next connection begins where this one is: the server has given a point that covers all of our log. */
static bool is_noted(const gt_mount *mount) {
    gt_remembered remembered;
    return gt_peer_recall(mount, &mount->database->network, &remembered) &&
           remembered.ours >= gt_log_length(gt_repo_log(mount->repo));
}

static bool is_synced(const gt_link *link, const gt_mount *mount) {
    return gt_repo_get_phase(mount->repo) == GT_REPO_OPEN && (link != NULL || !mount->database->has_root);
}

static void write_repository(gt_buf *out, const gt_link *link, const gt_mount *mount) {
    gt_channel_info info = {0};
    bool has_channel = find_info(link, mount, &info);
    uint64_t safe = safe_length(link, mount);
    gt_write_map_head(out, 9); /* keys by length, then bytes */
    write_number(out, "came", info.came_bytes);
    write_truth(out, "even", has_channel && info.even && !info.unequal);
    write_truth(out, "open", has_channel && info.open);
    write_name(out, "path");
    gt_write_text(out, gt_repo_path(mount->repo));
    write_truth(out, "noted", is_noted(mount));
    write_number(out, "coming", info.coming_bytes);
    write_number(out, "unsent", count_own(mount, safe));
    write_number(out, "entries", gt_repo_entry_count(mount->repo));
    write_number(out, "to_send", gt_log_length(gt_repo_log(mount->repo)) - safe);
}

static void write_repositories(gt_buf *out, const gt_database *database) {
    const gt_link *link = upstream_of(database);
    size_t count = 0;
    for (const gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) count += is_synced(link, mount);
    gt_write_array_head(out, count);
    for (const gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        if (is_synced(link, mount)) write_repository(out, link, mount);
    }
}

void gt_db_status(goat_db *db, gt_buf *out) {
    const gt_database *database = db->database;
    const gt_upstream *upstream = &database->upstream;
    gt_write_map_head(out, 6); /* keys by length, then bytes */
    write_name(out, "error");
    gt_write_text(out, gt_bytes_text(upstream->why.message));
    write_name(out, "peers");
    write_peers(out, database);
    write_truth(out, "online", gt_is_online(database));
    write_name(out, "server");
    gt_write_text(out, gt_bytes_text(upstream->url == NULL ? "" : upstream->url));
    write_name(out, "clock_ms");
    gt_write_int(out, database->clock_shift_ms);
    write_name(out, "repositories");
    write_repositories(out, database);
}
