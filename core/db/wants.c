/* What a client's link syncs: what handles have open, what it was told to, and what lists name.
 *
 * A repository that no handle has open any more goes only when what was written there is on the server's disk: closing
 * it is no reason for an edit to stay behind. */
#include "db/internal.h"

#include "db/links.h"
#include "db/unsent.h"

static gt_bytes path_of(const gt_want *want) { return gt_bytes_of(want->path, want->path_len); }

gt_want *gt_link_find_want(const gt_link *link, gt_bytes path) {
    gt_want *want = link->wants;
    while (want != NULL && !gt_bytes_equal(path_of(want), path)) want = want->next;
    return want;
}

static goat_status add_want(gt_link *link, gt_bytes path, gt_want **out, gt_diag *diag) {
    GOAT_ASSERT(path.len <= GT_LOG_REPOSITORY_MAX);
    gt_want *want = gt_new(link->db->database->alloc, 1, sizeof(*want));
    if (want == NULL) return gt_no_memory(diag);
    want->path_len = path.len;
    memcpy(want->path, path.data, path.len);
    gt_want **end = &link->wants;
    while (*end != NULL) end = &(*end)->next;
    *end = want;
    *out = want;
    return GOAT_OK;
}

static void remove_want(gt_link *link, gt_want *want) {
    gt_want **at = &link->wants;
    while (*at != want) at = &(*at)->next;
    *at = want->next;
    gt_free(link->db->database->alloc, want);
}

void gt_link_free_wants(gt_link *link) {
    while (link->wants != NULL) remove_want(link, link->wants);
}

goat_status gt_link_want(gt_link *link, gt_bytes path, bool pinned, gt_diag *diag) {
    gt_want *want = gt_link_find_want(link, path);
    if (want != NULL) {
        want->pinned = want->pinned || pinned;
        return GOAT_OK;
    }
    if (link->sync == NULL) return gt_fail(diag, GOAT_CLOSED, "the connection has ended");
    goat_status status = add_want(link, path, &want, diag);
    if (status != GOAT_OK) return status;
    want->pinned = pinned;
    status = gt_sync_open_channel(link->sync, path_of(want), &want->channel, diag);
    if (status != GOAT_OK) remove_want(link, want);
    return status;
}

/* ---- what handles have open ---- */

/* Trouble with one is told in the status; memory is tried for again. */
static void want_or_note(gt_link *link, gt_bytes path) {
    gt_database *database = link->db->database;
    gt_diag why;
    gt_diag_init(&why);
    goat_status status = gt_link_want(link, path, false, &why);
    if (status == GOAT_NO_MEMORY) database->links_look = true;
    if (status != GOAT_OK && status != GOAT_CLOSED) gt_upstream_trouble(database, &why);
}

static bool is_open_in_handle(const gt_database *database, gt_bytes path) {
    const gt_mount *mount = gt_mount_find(database, path);
    return mount != NULL && gt_mount_has_handle(mount);
}

/* Whether what is left does not get to the server on this link. */
static bool is_hopeless(const gt_link *link, const gt_want *want) {
    gt_channel_info info;
    return want->closed != GOAT_OK || !gt_want_info(link, want, &info);
}

static bool is_safe(const gt_link *link, const gt_want *want) {
    gt_channel_info info;
    return gt_want_info(link, want, &info) && info.shared != NULL &&
           gt_sync_safe_length(link->sync, info.shared) >= gt_log_length(gt_repo_log(info.shared->repo));
}

static void open_again(gt_link *link, gt_want *want) {
    if (gt_sync_open_channel(link->sync, path_of(want), &want->channel, NULL) == GOAT_OK) return;
    want->channel = NULL; /* no memory: it is tried again */
    link->db->database->links_look = true;
}

void gt_link_look(gt_link *link) {
    const gt_database *database = link->db->database;
    for (const goat_db *db = database->handles; db != NULL; db = db->next) {
        for (const gt_space *space = db->spaces; space != NULL; space = space->next_of_db) {
            if (space->mount != NULL) want_or_note(link, gt_repo_path(space->mount->repo));
        }
    }
    link->lingers = false;
    for (gt_want *want = link->wants, *next; want != NULL; want = next) {
        next = want->next;
        if (want->channel == NULL) open_again(link, want);
        if (want->pinned || is_open_in_handle(database, path_of(want))) continue;
        bool safe = is_safe(link, want);
        if (safe) gt_unsent_forget(link->db->database, path_of(want));
        if (safe || is_hopeless(link, want)) {
            gt_sync_close_channel(link->sync, path_of(want));
            remove_want(link, want);
        } else {
            link->lingers = true;
        }
    }
}

void gt_links_space_opened(gt_database *database, gt_bytes path) {
    for (gt_link *link = database->links; link != NULL; link = link->next) {
        if (gt_link_is_client(link) && link->sync != NULL) want_or_note(link, path);
    }
}

void gt_links_space_closed(gt_database *database) {
    if (database->links == NULL) return;
    database->links_look = true;
    gt_want_pump(database);
}

/* ---- lists ---- */

void gt_link_note_unlisted(gt_link *link, const gt_diag *why) {
    if (!gt_diag_is_set(&link->unlisted)) link->unlisted = *why;
    gt_upstream_trouble(link->db->database, why);
}

/* Nothing else brings what is not wanted now: whoever waits for all of it is told. */
static void want_listed(gt_link *link, gt_bytes path) {
    gt_diag why;
    gt_diag_init(&why);
    goat_status status = gt_link_want(link, path, true, &why);
    if (status == GOAT_OK || status == GOAT_CLOSED) return;
    gt_diag_path(&why, (const char *)path.data, path.len);
    gt_link_note_unlisted(link, &why);
}

static void want_all(gt_link *link, gt_bytes paths) {
    while (paths.len > 0) {
        size_t len = strlen((const char *)paths.data);
        gt_path parsed;
        gt_bytes path = gt_bytes_of(paths.data, len);
        if (gt_path_parse_repo(path, &parsed, NULL) == GOAT_OK) want_listed(link, path);
        paths = gt_bytes_behind(paths, len + 1);
    }
}

void gt_link_open_listed(gt_link *link) {
    if (gt_buf_failed(&link->listed)) {
        gt_diag why;
        gt_diag_init(&why);
        gt_no_memory(&why);
        gt_link_note_unlisted(link, &why);
    } else {
        want_all(link, gt_buf_bytes(&link->listed));
    }
    gt_buf_free(&link->listed);
}

void gt_link_open_stored(gt_link *link) {
    gt_buf paths = link->listing->paths;
    gt_buf_init(&link->listing->paths, paths.alloc);
    gt_link_end_listing(link);
    link->moves++;
    want_all(link, gt_buf_bytes(&paths));
    gt_buf_free(&paths);
}

/* ---- what has become of them ---- */

bool gt_want_info(const gt_link *link, const gt_want *want, gt_channel_info *info) {
    return link->sync != NULL && want->channel != NULL && gt_sync_channel_info(link->sync, want->channel, info);
}

bool gt_want_is_even(const gt_link *link, const gt_want *want, uint64_t length) {
    gt_channel_info info;
    if (!gt_want_info(link, want, &info)) return false;
    if (!info.open) { /* neither side has it */
        return want->closed == GOAT_NOT_FOUND && info.shared != NULL && gt_repo_entry_count(info.shared->repo) == 0;
    }
    if (!info.even || info.unequal) return false;
    if (length == UINT64_MAX) length = gt_log_length(gt_repo_log(info.shared->repo));
    return gt_sync_safe_length(link->sync, info.shared) >= length;
}

bool gt_want_is_stuck(const gt_link *link, const gt_want *want, gt_diag *why) {
    if (want->closed != GOAT_OK && want->closed != GOAT_NOT_FOUND) {
        gt_fail(why, want->closed, "%s", want->words);
    } else if (want->refused) {
        gt_fail(why, GOAT_FORBIDDEN, "the server refuses an edit: %s", want->words);
    } else if (gt_diag_is_set(&link->refused)) {
        *why = link->refused;
    } else {
        return false;
    }
    gt_diag_path(why, want->path, want->path_len);
    return true;
}

void gt_want_renew(gt_link *link, gt_want *want) {
    gt_sync_close_channel(link->sync, path_of(want));
    open_again(link, want);
}

bool gt_link_is_even(const gt_link *link) {
    if (link->sync == NULL || !gt_sync_get_peer(link->sync)->greeted || link->ended) return false;
    gt_channel_info info;
    if (!gt_link_is_client(link)) {
        const gt_channel *channel = NULL;
        while ((channel = gt_sync_next_channel(link->sync, channel)) != NULL) {
            if (!gt_sync_channel_info(link->sync, channel, &info) || !info.open || info.behind_bytes > 0) return false;
        }
        return true;
    }
    if (link->lists || link->listing != NULL) return false;
    for (const gt_want *want = link->wants; want != NULL; want = want->next) {
        if (!gt_want_is_even(link, want, UINT64_MAX)) return false;
    }
    return true;
}
