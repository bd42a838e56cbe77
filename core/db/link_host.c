/* What the sync state machine asks of the database, and tells it. Called with the lock, from inside of core/sync: nothing
 * here may call back into the connection. */
#include "db/internal.h"

#include "db/links.h"

static gt_database *database_of(const gt_link *link) { return link->db->database; }

static gt_mount *mount_of(gt_shared *shared) {
    return (gt_mount *)(void *)((char *)shared - offsetof(gt_mount, shared));
}

static bool is_read_only(const gt_database *database) { return (database->flags & GOAT_OPEN_READ_ONLY) != 0; }

/* ---- repositories ---- */

static gt_hold *find_hold(const gt_link *link, const gt_mount *mount) {
    gt_hold *hold = link->holds;
    while (hold != NULL && hold->mount != mount) hold = hold->next;
    return hold;
}

static void drop_hold(gt_link *link, gt_hold *hold) {
    gt_hold **at = &link->holds;
    while (*at != hold) at = &(*at)->next;
    *at = hold->next;
    hold->mount->users--;
    gt_free(database_of(link)->alloc, hold);
}

void gt_link_drop_holds(gt_link *link, uint64_t before_us) {
    for (gt_hold *hold = link->holds, *next; hold != NULL; hold = next) {
        next = hold->next;
        if (hold->asked_us < before_us) drop_hold(link, hold);
    }
}

/* Somebody has to use the mount while it is being read, or it would end with nobody looking. */
static goat_status keep(gt_link *link, gt_mount *mount, gt_diag *diag) {
    gt_hold *hold = find_hold(link, mount);
    if (hold == NULL) {
        hold = gt_new(database_of(link)->alloc, 1, sizeof(*hold));
        if (hold == NULL) return gt_no_memory(diag);
        hold->mount = mount;
        hold->next = link->holds;
        link->holds = hold;
        mount->users++;
    }
    hold->asked_us = gt_database_now_us(database_of(link));
    gt_want_pump(database_of(link));
    return gt_fail(diag, GOAT_LOADING, "the repository is still being read");
}

/* What the repository, once read, is good for. */
static goat_status check_open(const gt_mount *mount, gt_diag *diag) {
    const gt_diag *failure = NULL;
    const gt_log *log = gt_repo_log(mount->repo);
    if (gt_repo_get_phase(mount->repo) == GT_REPO_FAILED) {
        failure = gt_repo_failure(mount->repo);
    } else if (gt_log_get_state(log) == GT_LOG_FAILED) {
        failure = gt_log_failure(log);
    }
    if (failure == NULL) return GOAT_OK;
    if (diag != NULL) *diag = *failure;
    return failure->status;
}

static goat_status open_mount(gt_link *link, gt_bytes path, bool create, gt_mount **mount, gt_diag *diag) {
    gt_database *database = database_of(link);
    gt_path parsed;
    *mount = NULL;
    goat_status status = gt_database_check(database, diag);
    if (status == GOAT_OK) status = gt_path_parse_repo(path, &parsed, diag);
    if (status != GOAT_OK) return status;
    return gt_mount_open(database, path, create && !is_read_only(database), mount, diag);
}

/* System repositories are the library's: a peer does not make new ones. */
static bool may_make(const gt_link *link, gt_bytes path) {
    static const char sys[] = "/sys/";
    bool is_system = path.len >= sizeof(sys) - 1 && memcmp(path.data, sys, sizeof(sys) - 1) == 0;
    return !gt_link_is_client(link) && !is_system && !is_read_only(database_of(link));
}

/* Makes a repository for a peer. Its file stays, so there are not many of them, and they come slowly. */
static goat_status make_repo(gt_link *link, gt_bytes path, gt_mount **mount, gt_diag *diag) {
    gt_database *database = database_of(link);
    uint64_t now_us = gt_database_now_us(database);
    if (!gt_allowance_take(&link->making, GT_LINK_MADE_AT_ONCE_MAX, GT_LINK_MADE_EACH_US, now_us) ||
        !gt_allowance_take(&database->making, GT_MADE_AT_ONCE_MAX, GT_MADE_EACH_US, now_us)) {
        return gt_fail(diag, GOAT_BUSY, "too many repositories are being made");
    }
    return open_mount(link, path, true, mount, diag);
}

static goat_status host_open(void *context, gt_bytes path, bool create, gt_shared **shared, gt_diag *diag) {
    gt_link *link = context;
    gt_mount *mount;
    *shared = NULL;
    goat_status status = open_mount(link, path, create && gt_link_is_client(link), &mount, diag);
    if (status != GOAT_OK) return status;
    if (gt_link_is_client(link) && gt_repo_get_phase(mount->repo) == GT_REPO_OPEN) gt_peer_file_read(mount);
    if (gt_repo_get_phase(mount->repo) == GT_REPO_OPENING || mount->peer_file.reading) return keep(link, mount, diag);
    status = check_open(mount, diag);
    if (status == GOAT_NOT_FOUND && create && may_make(link, path)) {
        if (diag != NULL) gt_diag_init(diag);
        status = make_repo(link, path, &mount, diag);
        if (status == GOAT_OK) return keep(link, mount, diag);
    }
    if (status == GOAT_OK) {
        mount->users++;
        mount->was_shared = true;
        *shared = &mount->shared;
    }
    gt_hold *hold = find_hold(link, mount);
    if (hold != NULL) drop_hold(link, hold);
    return status;
}

static void host_close(void *context, gt_shared *shared) {
    gt_link *link = context;
    gt_mount *mount = mount_of(shared);
    GOAT_ASSERT(mount->users > 0);
    mount->users--;
    gt_want_pump(database_of(link));
}

static gt_log *host_sessions(void *context) {
    const gt_space *sessions = database_of(context)->sessions;
    return sessions == NULL || sessions->mount == NULL ? NULL : gt_repo_log(sessions->mount->repo);
}

/* ---- lists ---- */

static void add_path(void *context, gt_bytes path) {
    gt_listing *listing = context;
    gt_buf_append(&listing->paths, path.data, path.len);
    gt_buf_append_byte(&listing->paths, 0);
}

static void free_listing(gt_listing *listing) {
    gt_buf_free(&listing->paths);
    gt_free(listing->database->alloc, listing);
}

static void listed(void *owner, const goat_io_result *result) {
    gt_listing *listing = owner;
    gt_link *link = listing->link;
    if (link == NULL) {
        free_listing(listing);
        return;
    }
    if (result->status == GOAT_OK) {
        gt_each_log(result, add_path, listing);
    } else if (result->status != GOAT_NOT_FOUND) {
        gt_fail(&listing->failure, result->status, "%s", result->message);
    }
    listing->done = true;
    gt_link_wake(link);
    if (!gt_link_is_client(link)) return; /* the state machine asks again */
    if (gt_diag_is_set(&listing->failure)) gt_link_note_unlisted(link, &listing->failure);
    gt_link_open_stored(link);
}

goat_status gt_link_begin_listing(gt_link *link, gt_diag *diag) {
    gt_database *database = database_of(link);
    gt_listing *listing = gt_new(database->alloc, 1, sizeof(*listing));
    if (listing == NULL) return gt_no_memory(diag);
    listing->database = database;
    listing->link = link;
    gt_diag_init(&listing->failure);
    gt_buf_init(&listing->paths, database->alloc);
    goat_io_request request = {.kind = GOAT_IO_LIST, .name = "repos"};
    if (gt_io_submit(database->io, &request, listed, listing) != GOAT_OK) {
        free_listing(listing);
        return gt_no_memory(diag);
    }
    link->listing = listing;
    gt_want_pump(database);
    return GOAT_OK;
}

void gt_link_end_listing(gt_link *link) {
    gt_listing *listing = link->listing;
    link->listing = NULL;
    if (listing == NULL) return;
    listing->link = NULL;
    if (listing->done) free_listing(listing);
}

static goat_status host_list(void *context, gt_buf *paths, gt_diag *diag) {
    gt_link *link = context;
    if (link->listing == NULL) {
        goat_status status = gt_link_begin_listing(link, diag);
        if (status != GOAT_OK) return status;
    }
    gt_listing *listing = link->listing;
    if (!listing->done) return gt_fail(diag, GOAT_LOADING, "the repositories are being listed");
    goat_status status = listing->failure.status;
    if (status != GOAT_OK && diag != NULL) *diag = listing->failure;
    if (status == GOAT_OK && gt_buf_failed(&listing->paths)) status = gt_no_memory(diag);
    if (status == GOAT_OK) gt_buf_append(paths, listing->paths.data, listing->paths.len);
    gt_link_end_listing(link);
    return status;
}

/* ---- keys and clocks ---- */

static goat_status host_certify(void *context, const uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag) {
    return gt_certify_anonymous(database_of(context), public_key, diag);
}

static gt_bytes host_certificate(void *context) { return gt_own_certificate(database_of(context)); }

static int64_t host_wall_ms(void *context) {
    const goat_clock *clock = &database_of(context)->host.clock;
    return clock->wall_ms(clock->context);
}

static void host_shift_clock(void *context, int64_t shift_ms) { database_of(context)->clock_shift_ms = shift_ms; }

/* ---- what is remembered ---- */

static bool host_recall(void *context, gt_shared *shared, const gt_id *peer, gt_remembered *remembered) {
    (void)context;
    return gt_peer_recall(mount_of(shared), peer, remembered);
}

static void host_remember(void *context, gt_shared *shared, const gt_remembered *remembered) {
    gt_link *link = context;
    if (!is_read_only(database_of(link))) gt_peer_remember(mount_of(shared), remembered);
}

/* ---- what happens ---- */

static void host_ready(void *context) { gt_link_wake(context); }

static void note_closed(gt_link *link, const gt_sync_event *event) {
    gt_want *want = gt_link_find_want(link, event->path);
    if (event->diag->status != GOAT_NOT_FOUND) gt_upstream_trouble(database_of(link), event->diag);
    if (want == NULL) return;
    want->closed = event->diag->status;
    memcpy(want->words, event->diag->message, sizeof(want->words));
}

static void note_opened(gt_link *link, gt_bytes path) {
    gt_want *want = gt_link_find_want(link, path);
    if (want == NULL) return;
    want->closed = GOAT_OK;
    want->refused = false;
}

/* A batch, or with no path our wish to be certified. */
static void note_refused(gt_link *link, const gt_sync_event *event) {
    gt_want *want = event->path.data == NULL ? NULL : gt_link_find_want(link, event->path);
    gt_bytes path = event->path.data == NULL ? gt_bytes_of("", 0) : event->path;
    gt_upstream_trouble(database_of(link), event->diag);
    gt_add_sync_event(database_of(link), "refused", path, event->diag->message);
    if (event->path.data == NULL) link->refused = *event->diag;
    if (want == NULL) return;
    want->refused = true;
    memcpy(want->words, event->diag->message, sizeof(want->words));
}

static void client_event(gt_link *link, const gt_sync_event *event) {
    gt_database *database = database_of(link);
    switch (event->kind) {
    case GT_SYNC_OPENED: note_opened(link, event->path); break;
    case GT_SYNC_EVEN:
        gt_add_sync_event(database, "even", event->path,
                          event->equal ? "" : "the two sides do not become equal: this repository is not even");
        break;
    case GT_SYNC_CLOSED: note_closed(link, event); break;
    case GT_SYNC_REFUSED: note_refused(link, event); break;
    case GT_SYNC_LISTED:
        if (event->diag != NULL) gt_link_note_unlisted(link, event->diag);
        gt_buf_append(&link->listed, event->paths.data, event->paths.len);
        if (event->equal) link->lists = false;
        break;
    case GT_SYNC_ENDED: gt_upstream_trouble(database, event->diag); break;
    default: break;
    }
    link->moves++;
    if (link->lingers) database->links_look = true;
    gt_upstream_look(database);
    gt_want_pump(database); /* jobs wait for it */
    gt_condition_wake_all(&database->condition);
}

static void host_event(void *context, const gt_sync_event *event) {
    gt_link *link = context;
    if (event->kind == GT_SYNC_GREETED) link->greeted = true;
    if (event->kind == GT_SYNC_ENDED) link->ended = true;
    if (gt_link_is_client(link)) client_event(link, event);
}

gt_sync_host gt_link_host(gt_link *link) {
    gt_database *database = database_of(link);
    return (gt_sync_host){
        .context = link,
        .alloc = database->alloc,
        .hasher = database->hasher,
        .random = database->host.random,
        .network = &database->network,
        .root_key = link->root_key,
        .identity = &database->own,
        .keyring = database->keyring,
        .read_only = is_read_only(database),
        .sizes = database->sync_sizes,
        .filter_bytes = &database->filter_bytes,
        .wall_ms = host_wall_ms,
        .open = host_open,
        .close = host_close,
        .sessions = host_sessions,
        .list = host_list,
        .certify = host_certify,
        .certificate = host_certificate,
        .recall = host_recall,
        .remember = host_remember,
        .shift_clock = host_shift_clock,
        .ready = host_ready,
        .event = host_event,
    };
}
