/* Repositories that were closed before a server had all that was committed to them.
 *
 * A link that is up goes on with one until it is even. Where none is, nobody sends it until it is opened again, and a
 * flush to the server may not say that everything is there. The places in the list are made when a handle opens the
 * repository, so that noting one cannot fail. */
#include "db/unsent.h"

#include <string.h>

typedef struct gt_unsent gt_unsent;

struct gt_unsent {
    gt_unsent *next;
    size_t path_len;
    char path[];
};

static gt_unsent **find(gt_database *database, gt_bytes path) {
    gt_unsent **at = &database->unsent;
    while (*at != NULL && !gt_bytes_equal(gt_bytes_of((*at)->path, (*at)->path_len), path)) at = &(*at)->next;
    return at;
}

/* Takes it from the list; NULL: it is not there. */
static gt_unsent *take(gt_database *database, gt_bytes path) {
    gt_unsent **at = find(database, path), *taken = *at;
    if (taken != NULL) *at = taken->next;
    return taken;
}

goat_status gt_unsent_prepare(gt_mount *mount, gt_diag *diag) {
    gt_database *database = mount->database;
    gt_bytes path = gt_repo_path(mount->repo);
    if (database->has_root || mount->unsent != NULL) return GOAT_OK; /* what a server commits is at a server */
    mount->unsent = take(database, path);
    mount->was_unsent = mount->was_unsent || mount->unsent != NULL;
    if (mount->unsent != NULL) return GOAT_OK;
    mount->unsent = gt_new(database->alloc, 1, sizeof(*mount->unsent) + path.len);
    if (mount->unsent == NULL) return gt_no_memory(diag);
    mount->unsent->path_len = path.len;
    memcpy(mount->unsent->path, path.data, path.len);
    return GOAT_OK;
}

void gt_unsent_note(gt_mount *mount) {
    gt_database *database = mount->database;
    if (mount->unsent == NULL || gt_repo_get_phase(mount->repo) != GT_REPO_OPEN) return;
    bool has_grown = gt_log_length(gt_repo_log(mount->repo)) > mount->length_opened;
    if ((!has_grown && !mount->was_unsent) || gt_mount_count_unsent(mount) == 0) return;
    mount->unsent->next = database->unsent;
    database->unsent = mount->unsent;
    mount->unsent = NULL;
}

void gt_unsent_forget(gt_database *database, gt_bytes path) { gt_free(database->alloc, take(database, path)); }

bool gt_unsent_has(gt_database *database, gt_bytes path) { return *find(database, path) != NULL; }

bool gt_unsent_check(gt_database *database, gt_diag *diag) {
    const gt_unsent *one = database->unsent;
    while (one != NULL && gt_mount_find(database, gt_bytes_of(one->path, one->path_len)) != NULL) one = one->next;
    if (one != NULL) gt_unsent_fail(gt_bytes_of(one->path, one->path_len), diag);
    return one == NULL;
}

void gt_unsent_fail(gt_bytes path, gt_diag *diag) {
    gt_fail(diag, GOAT_CLOSED, "the repository was closed before a server had all of it; open it again");
    gt_diag_path(diag, (const char *)path.data, path.len);
}

void gt_unsent_free_all(gt_database *database) {
    for (gt_unsent *one = database->unsent, *next; one != NULL; one = next) {
        next = one->next;
        gt_free(database->alloc, one);
    }
    database->unsent = NULL;
}
