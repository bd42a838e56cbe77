/* What a database does as a server: it syncs what it was given without being asked, so that it can be acknowledged, and
 * ends each group commit with a receipt (core/sync/PROTOCOL.md 5.6). */
#include "db/internal.h"

#include "db/links.h"

enum { TROUBLE_PAUSE_US = 1000 * 1000 }; /* until a receipt is tried again that could not be made */

static bool can_write(const gt_mount *mount) {
    return (mount->database->flags & GOAT_OPEN_READ_ONLY) == 0 && gt_repo_get_phase(mount->repo) == GT_REPO_OPEN &&
           gt_log_get_state(gt_repo_log(mount->repo)) == GT_LOG_READY;
}

/* From here on what is logged gets a receipt; asked again where the database was not a certified server before. */
static void begin_receipts(gt_mount *mount) {
    if (mount->makes_receipts || !can_write(mount) || !gt_is_server(mount->database)) return;
    mount->makes_receipts = true;
    gt_repo_receipts_begin(mount->repo);
}

void gt_serve_begin(gt_database *database) {
    database->serving++;
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) begin_receipts(mount);
    gt_want_pump(database);
}

void gt_serve_end(gt_database *database) {
    GOAT_ASSERT(database->serving > 0);
    database->serving--;
}

void gt_db_serve_begin(goat_db *db) { gt_serve_begin(db->database); }

void gt_db_serve_end(goat_db *db) { gt_serve_end(db->database); }

/* What was logged while the last sync was under way is named together. */
static void write_receipts(gt_mount *mount, uint64_t now_us) {
    gt_database *database = mount->database;
    const gt_signer signer = {database->own.session, &database->own.secret};
    while (gt_repo_wants_receipt(mount->repo)) {
        if (gt_repo_write_receipt(mount->repo, &signer, NULL) == GOAT_OK) continue;
        mount->serve_after_us = now_us + TROUBLE_PAUSE_US;
        return;
    }
}

bool gt_serve_step(gt_mount *mount, uint64_t now_us, uint64_t *deadline_us) {
    if (mount->database->serving == 0 || !can_write(mount)) return false;
    gt_log *log = gt_repo_log(mount->repo);
    if (mount->sync_asked > gt_log_length_durable(log)) return false; /* group commit: one is under way */
    begin_receipts(mount);
    if (mount->makes_receipts && now_us >= mount->serve_after_us) {
        write_receipts(mount, now_us);
    }
    if (mount->serve_after_us > now_us && mount->serve_after_us < *deadline_us) *deadline_us = mount->serve_after_us;
    if (gt_log_length_durable(log) == gt_log_length(log)) return false;
    mount->sync_asked = gt_log_length(log);
    gt_log_sync(log, NULL); /* a failure shows in the state */
    return true;
}
