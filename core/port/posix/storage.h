/* The storage of a folder, inside. Who touches what:
 *
 * - `mutex` guards the queue, the finished operations, the table of files and what is marked "mutex".
 * - The submitting side (one thread at a time, under the database's lock) alone appends and cuts.
 * - The polling side (one thread at a time) alone opens, closes, maps and syncs, without the mutex.
 *
 * A file stays in the table until its CLOSE was polled, and after that was submitted no other request for
 * it is taken: so either side may use a file that it found without holding the mutex. */
#ifndef GT_PORT_POSIX_STORAGE_H
#define GT_PORT_POSIX_STORAGE_H

#include "port/port.h"

enum { GT_POSIX_WORDS_MAX = 96 };

typedef struct gt_posix_mapping {
    void *base;
    size_t len;
} gt_posix_mapping;

typedef struct gt_posix_file {
    uint32_t id;
    int descriptor;
    char *name;
    bool read_only;
    bool closing;               /* submitting side */
    uint64_t length;            /* mutex; changed by the submitting side */
    goat_status append_end;     /* submitting side: not GOAT_OK after a failed append */
    bool sync_failed;           /* mutex; set by the polling side */
    gt_posix_mapping *mappings; /* polling side, like the two below */
    size_t mapping_count, mapping_capacity;
} gt_posix_file;

typedef struct gt_posix_operation gt_posix_operation;
struct gt_posix_operation {
    gt_posix_operation *next;
    goat_io_request request; /* its name is `name` */
    goat_io_result result;
    char *name;          /* a copy, or NULL */
    gt_posix_file *file; /* of requests that name one */
    uint8_t *given;      /* memory of `result.data` that ends at the next poll */
};

typedef struct gt_posix_list {
    gt_posix_operation *first, *last;
} gt_posix_list;

typedef struct gt_posix_storage {
    gt_alloc alloc;
    char *path;
    int folder; /* descriptor; -1 before LOCK. Polling side, like the three below */
    int lock;   /* descriptor of the lock file, -1 if there is none */
    bool read_only;
    bool remove_lock; /* this storage made the lock file without being asked for a database */
    gt_mutex mutex;
    gt_condition submitted;
    gt_posix_list queue;   /* mutex */
    gt_posix_list done;    /* mutex */
    gt_posix_list given;   /* polling side: results of the last poll that carry memory */
    gt_posix_list spare;   /* mutex: operations to use again */
    gt_posix_file **files; /* mutex */
    size_t file_count, file_capacity;
    uint32_t last_file_id;
    bool work_is_due; /* polling side: the last poll gave results and did no work */
} gt_posix_storage;

/* ---- error.c --------------------------------------------------------------------------------- */

/* What the system says of `error`, in `words`. */
const char *gt_posix_words(int error, char words[GT_POSIX_WORDS_MAX]);

/* "cannot <what> <name>: <the system's words>", with the status that `error` stands for. */
goat_status gt_posix_fail(goat_io_result *result, int error, const char *what, const char *name);

/* ---- folder.c -------------------------------------------------------------------------------- */

enum { GT_POSIX_TEMPORARY_MAX = 32 };

/* A new name for a temporary file beside others, known again by gt_posix_is_temporary. 0 or an errno. */
int gt_posix_temporary_name(char name[GT_POSIX_TEMPORARY_MAX]);

/* Opens the folder that holds `name`; `*base` becomes the last part of the name. With `make` missing
 * folders are made, and synced. 0 or an errno. */
int gt_posix_open_parent(gt_posix_storage *storage, const char *name, bool make, int *parent, const char **base);

/* Makes the directory's own entries durable. 0 or an errno. */
int gt_posix_sync_folder(int descriptor);

/* Opens the folder of the database, with CREATE making it. 0 or an errno. */
int gt_posix_open_folder(const gt_alloc *alloc, const char *path, bool create, int *folder);

goat_status gt_posix_list_files(gt_posix_storage *storage, gt_posix_operation *operation);

/* Removes the temporary files that a crashed process left. What cannot be removed stays. */
void gt_posix_remove_temporaries(gt_posix_storage *storage);

/* ---- lock.c ---------------------------------------------------------------------------------- */

goat_status gt_posix_lock(gt_posix_storage *storage, gt_posix_operation *operation);
void gt_posix_unlock(gt_posix_storage *storage); /* safe when not locked */

/* ---- small.c --------------------------------------------------------------------------------- */

goat_status gt_posix_read(gt_posix_storage *storage, gt_posix_operation *operation);
goat_status gt_posix_replace(gt_posix_storage *storage, gt_posix_operation *operation);
goat_status gt_posix_remove(gt_posix_storage *storage, gt_posix_operation *operation);

/* Writes all of it, whatever the system takes at a time, at `offset`. 0 or an errno. */
int gt_posix_write_all(int descriptor, const uint8_t *data, size_t len, uint64_t offset);

/* ---- file.c ---------------------------------------------------------------------------------- */

gt_posix_file *gt_posix_find_file(gt_posix_storage *storage, uint32_t id); /* mutex held; NULL if there is none */

/* Submitting side. */
goat_status gt_posix_append(gt_posix_storage *storage, gt_posix_operation *operation);
goat_status gt_posix_cut(gt_posix_storage *storage, gt_posix_operation *operation);

/* Polling side. */
goat_status gt_posix_open(gt_posix_storage *storage, gt_posix_operation *operation);
goat_status gt_posix_load(gt_posix_storage *storage, gt_posix_operation *operation);
goat_status gt_posix_sync(gt_posix_storage *storage, gt_posix_operation *operation);
void gt_posix_close_file(gt_posix_storage *storage, gt_posix_file *file);
void gt_posix_close_files(gt_posix_storage *storage);

/* ---- storage.c ------------------------------------------------------------------------------- */

goat_status gt_posix_storage_new(const gt_alloc *alloc, const char *path, size_t path_len, goat_storage *storage,
                                 gt_diag *diag);

#endif
