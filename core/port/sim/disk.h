/* The simulated disk, inside. A file is an object apart from its name, as in a real file system: it may be
 * replaced or removed while it is open, and lives on until it is closed. */
#ifndef GT_PORT_SIM_DISK_H
#define GT_PORT_SIM_DISK_H

#include "port/sim/sim.h"

typedef struct gt_sim_inode {
    uint8_t *data;
    size_t len, capacity;
    size_t durable; /* bytes that survive a crash for sure */
    uint32_t references;
    bool secret; /* only its owner may read it */
} gt_sim_inode;

typedef struct gt_sim_entry {
    char *name;
    gt_sim_inode *inode;
} gt_sim_entry;

typedef struct gt_sim_handle gt_sim_handle;
struct gt_sim_handle {
    gt_sim_handle *next;
    uint32_t id;
    gt_sim_inode *inode;
    char *name;
    bool read_only, closing, sync_failed;
    goat_status append_end; /* not GOAT_OK after a failed append */
    uint8_t **loaded;       /* memory that LOAD gave */
    size_t loaded_count, loaded_capacity;
};

typedef struct gt_sim_operation gt_sim_operation;
struct gt_sim_operation {
    gt_sim_operation *next;
    goat_io_request request; /* its name is `name` */
    goat_io_result result;
    char *name;
    gt_sim_handle *handle;
    uint8_t *given; /* memory of `result.data` that ends at the next poll */
    uint32_t delay; /* polls to wait */
};

typedef struct gt_sim_list {
    gt_sim_operation *first, *last;
} gt_sim_list;

typedef enum gt_sim_lock { GT_SIM_UNLOCKED, GT_SIM_READER, GT_SIM_OWNER } gt_sim_lock;

typedef struct gt_sim_storage_state gt_sim_storage_state;
struct gt_sim_storage_state {
    gt_sim_storage_state *next;
    gt_sim_disk *disk;
    gt_sim_lock lock;
    bool dead; /* the power went while it was open */
    gt_sim_list queue, done, given;
    gt_sim_handle *handles;
    uint32_t last_id;
};

struct gt_sim_disk {
    gt_alloc alloc;
    gt_sim_random random;
    gt_sim_options options;
    gt_sim_entry *entries; /* sorted by name */
    size_t entry_count, entry_capacity;
    gt_sim_storage_state *storages;
    uint64_t operations;
    bool exists; /* the folder has been made */
};

/* ---- disk.c ---------------------------------------------------------------------------------- */

/* An empty file without a name and with one reference, or NULL. */
gt_sim_inode *gt_sim_inode_new(gt_sim_disk *disk);
void gt_sim_inode_release(gt_sim_disk *disk, gt_sim_inode *inode);

/* Appends; nothing is changed and false is returned when there is no memory. */
bool gt_sim_inode_append(gt_sim_disk *disk, gt_sim_inode *inode, const uint8_t *data, size_t len);

gt_sim_inode *gt_sim_find(const gt_sim_disk *disk, const char *name); /* NULL if there is none */

/* Gives `inode` the name, in place of whatever had it, and takes the caller's reference. False, and the
 * reference still the caller's, when there is no memory. */
bool gt_sim_link(gt_sim_disk *disk, const char *name, gt_sim_inode *inode);
void gt_sim_unlink(gt_sim_disk *disk, const char *name);

/* ---- perform.c ------------------------------------------------------------------------------- */

/* Carries a request out and fills in its result. */
void gt_sim_perform(gt_sim_storage_state *storage, gt_sim_operation *operation);

/* What becomes of a request that was under way when the power went. False if it, and so whatever was to
 * come after it for the same file, did not happen in full. */
bool gt_sim_perform_in_crash(gt_sim_storage_state *storage, gt_sim_operation *operation);

void gt_sim_close_handle(gt_sim_storage_state *storage, gt_sim_handle *handle);

/* ---- storage.c ------------------------------------------------------------------------------- */

/* The power is gone: carries out what the seed decides of what was under way, and ends the rest. */
void gt_sim_kill_storage(gt_sim_storage_state *storage);

#endif
