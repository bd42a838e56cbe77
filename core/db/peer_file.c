/* The peer file of a repository (core/sync/PROTOCOL.md section 9): where in the server's log a client was last.
 *
 * It is a hint. What must always hold: it is written only when the log is on the disk up to the length that it names,
 * so that no crash can make the client believe that it holds what it lost. The log is synced for it at most every two
 * seconds, and once when the repository is closed. */
#include "db/internal.h"

#include "base/crc32c.h"

#include <stdio.h>

enum {
    PAUSE_US = 2 * 1000 * 1000, /* between two syncs for it */
    FORMAT_VERSION = 1,
    SIZE_MAX_BYTES = 4096, /* several times what one with a single server takes */
    HEAD_SIZE = 12,        /* magic and checksum */
};

static const char magic[] = "GOATPEER";

static bool make_name(const gt_mount *mount, char name[GT_PORT_NAME_MAX]) {
    gt_bytes path = gt_repo_path(mount->repo);
    int len = snprintf(name, GT_PORT_NAME_MAX, "repos%.*s.peer", (int)path.len, (const char *)path.data);
    return len > 0 && len < GT_PORT_NAME_MAX;
}

/* ---- reading ---- */

static bool take_bytes(gt_iter *iter, size_t size, const uint8_t **bytes) {
    gt_bytes element, run;
    if (!gt_array_next(iter, &element) || !gt_value_as_bytes(element, &run) || run.len != size) return false;
    *bytes = run.data;
    return true;
}

static bool take_length(gt_iter *iter, uint64_t *length) {
    gt_bytes element;
    int64_t number;
    if (!gt_array_next(iter, &element) || !gt_value_as_int64(element, &number) || number < 0) return false;
    *length = (uint64_t)number;
    return true;
}

static bool decode_peer(gt_bytes value, gt_remembered *remembered) {
    const uint8_t *network, *point;
    gt_iter iter = gt_array_iter(value);
    if (gt_value_count(value) != 3 || !take_bytes(&iter, GT_ID_SIZE, &network) ||
        !take_length(&iter, &remembered->ours) || !take_bytes(&iter, GT_SYNC_POINT_SIZE, &point)) {
        return false;
    }
    memcpy(remembered->peer.bytes, network, GT_ID_SIZE);
    memcpy(remembered->point, point, GT_SYNC_POINT_SIZE);
    return true;
}

/* False where it is no such file, or of another log. A database is of one network: the first server is the only one. */
static bool decode(const gt_mount *mount, gt_bytes file, gt_remembered *remembered) {
    const uint8_t *log_id, *chain;
    gt_bytes element;
    int64_t version;
    if (file.len < HEAD_SIZE || memcmp(file.data, magic, 8) != 0) return false;
    gt_bytes value = gt_bytes_behind(file, HEAD_SIZE);
    if (gt_get_u32(file.data + 8) != gt_crc32c(0, value.data, value.len)) return false;
    if (gt_value_check(value, 0, NULL) != GOAT_OK) return false;
    gt_iter iter = gt_array_iter(value), peers;
    if (!gt_array_next(&iter, &element) || !gt_value_as_int64(element, &version) || version != FORMAT_VERSION ||
        !take_bytes(&iter, 16, &log_id) || !take_length(&iter, &remembered->held) ||
        !take_bytes(&iter, GT_CHAIN_SIZE, &chain) || !gt_array_next(&iter, &element)) {
        return false;
    }
    memcpy(remembered->chain, chain, GT_CHAIN_SIZE);
    peers = gt_array_iter(element);
    return memcmp(log_id, gt_log_get_identity(gt_repo_log(mount->repo))->log_id, 16) == 0 &&
           gt_array_next(&peers, &element) && decode_peer(element, remembered);
}

static void read_done(void *owner, const goat_io_result *result) {
    gt_mount *mount = owner;
    gt_peer_file *file = &mount->peer_file;
    file->reading = false;
    file->is_read = true;
    if (result->status != GOAT_OK || file->known) return;
    file->known = decode(mount, gt_bytes_of(result->data, result->data_len), &file->last);
}

void gt_peer_file_read(gt_mount *mount) {
    gt_peer_file *file = &mount->peer_file;
    char name[GT_PORT_NAME_MAX];
    if (file->reading || file->is_read) return;
    goat_io_request request = {.kind = GOAT_IO_READ, .name = name, .length = SIZE_MAX_BYTES};
    file->reading = make_name(mount, name) && gt_io_submit(mount->database->io, &request, read_done, mount) == GOAT_OK;
    file->is_read = !file->reading; /* a hint: it goes without */
}

bool gt_peer_recall(const gt_mount *mount, const gt_id *peer, gt_remembered *remembered) {
    const gt_peer_file *file = &mount->peer_file;
    const gt_log *log = gt_repo_log(mount->repo);
    uint8_t chain[GT_CHAIN_SIZE];
    if (!file->known || gt_id_compare(&file->last.peer, peer) != 0) return false;
    if (file->last.ours > file->last.held || !gt_log_chain_at(log, file->last.ours, chain)) return false;
    if (!gt_log_chain_at(log, file->last.held, chain) || memcmp(chain, file->last.chain, sizeof(chain)) != 0)
        return false;
    *remembered = file->last;
    return true;
}

/* ---- writing ---- */

void gt_peer_remember(gt_mount *mount, const gt_remembered *remembered) {
    mount->peer_file.last = *remembered;
    mount->peer_file.known = mount->peer_file.fresh = true;
    gt_want_pump(mount->database);
}

static void written(void *owner, const goat_io_result *result) {
    gt_mount *mount = owner;
    (void)result; /* a hint: it is written again when there is more to remember */
    mount->peer_file.writing = false;
    gt_buf_free(&mount->peer_file.bytes);
    gt_condition_wake_all(&mount->database->condition);
}

static void encode(const gt_mount *mount, const gt_remembered *remembered, gt_buf *out) {
    uint8_t crc[4] = {0};
    gt_buf_append(out, magic, 8);
    gt_buf_append(out, crc, sizeof(crc));
    gt_write_array_head(out, 5);
    gt_write_int(out, FORMAT_VERSION);
    gt_write_bytes(out, gt_bytes_of(gt_log_get_identity(gt_repo_log(mount->repo))->log_id, 16));
    gt_write_int(out, (int64_t)remembered->held);
    gt_write_bytes(out, gt_bytes_of(remembered->chain, GT_CHAIN_SIZE));
    gt_write_array_head(out, 1);
    gt_write_array_head(out, 3);
    gt_write_bytes(out, gt_bytes_of(remembered->peer.bytes, GT_ID_SIZE));
    gt_write_int(out, (int64_t)remembered->ours);
    gt_write_bytes(out, gt_bytes_of(remembered->point, GT_SYNC_POINT_SIZE));
    if (!gt_buf_failed(out)) gt_put_u32(out->data + 8, gt_crc32c(0, out->data + HEAD_SIZE, out->len - HEAD_SIZE));
}

static void write_file(gt_mount *mount) {
    gt_peer_file *file = &mount->peer_file;
    char name[GT_PORT_NAME_MAX];
    file->waits = false;
    encode(mount, &file->next, &file->bytes);
    goat_io_request request = {
        .kind = GOAT_IO_REPLACE, .name = name, .data = file->bytes.data, .data_len = file->bytes.len};
    file->writing = !gt_buf_failed(&file->bytes) && make_name(mount, name) &&
                    gt_io_submit(mount->database->io, &request, written, mount) == GOAT_OK;
    if (!file->writing) gt_buf_free(&file->bytes);
}

bool gt_peer_file_step(gt_mount *mount, uint64_t now_us, bool last, uint64_t *deadline_us) {
    gt_peer_file *file = &mount->peer_file;
    if (file->reading || file->writing) return true;
    if (!file->fresh && !file->waits) return false;
    gt_log *log = gt_repo_log(mount->repo);
    bool can = gt_repo_get_phase(mount->repo) == GT_REPO_OPEN && gt_log_get_state(log) == GT_LOG_READY &&
               (mount->database->flags & GOAT_OPEN_READ_ONLY) == 0;
    if (!can) {
        file->fresh = file->waits = false;
        return false;
    }
    if (!file->waits) {
        if (!last && now_us < file->after_us) {
            if (file->after_us < *deadline_us) *deadline_us = file->after_us;
            return true;
        }
        file->next = file->last;
        file->fresh = false;
        file->waits = true;
        file->after_us = now_us + PAUSE_US;
        if (gt_log_length_durable(log) < file->next.held) gt_log_sync(log, NULL); /* a failure shows in the state */
    }
    if (gt_log_length_durable(log) >= file->next.held) write_file(mount);
    return true;
}
