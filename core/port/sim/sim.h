/* A simulated machine for tests: a disk, a clock and randomness that do what a real one may do on its worst
 * day, and the same again for the same seed.
 *
 * A gt_sim_disk outlives the storages that are opened on it. It keeps apart what was written and what
 * would survive a loss of power: gt_sim_crash() pulls the plug, and whoever opens the disk next sees only
 * what the contract of goat_port.h promises, and of the rest whatever the seed decides. One thread only. */
#ifndef GT_PORT_SIM_H
#define GT_PORT_SIM_H

#include "base/bytes.h"
#include "port/port.h"

/* ---- Randomness ------------------------------------------------------------------------------ */

typedef struct gt_sim_random {
    uint64_t state;
} gt_sim_random;

void gt_sim_random_init(gt_sim_random *random, uint64_t seed);
uint64_t gt_sim_random_u64(gt_sim_random *random);
uint64_t gt_sim_random_below(gt_sim_random *random, uint64_t limit); /* limit > 0 */

/* A goat_random that draws from `random`, which stays where it is. Not for keys that matter. */
goat_random gt_sim_random_source(gt_sim_random *random);

/* ---- Clock ----------------------------------------------------------------------------------- */

typedef struct gt_sim_clock {
    uint64_t monotonic_us;
    int64_t wall_ms;
} gt_sim_clock;

/* Time stands still but for these; the wall clock may also be set, as people do. */
void gt_sim_clock_init(gt_sim_clock *clock);
void gt_sim_advance_ms(gt_sim_clock *clock, uint64_t ms);
void gt_sim_set_wall_ms(gt_sim_clock *clock, int64_t wall_ms);

/* A goat_clock that shows `clock`, which stays where it is. */
goat_clock gt_sim_clock_source(gt_sim_clock *clock);

/* ---- Disk ------------------------------------------------------------------------------------ */

typedef struct gt_sim_disk gt_sim_disk;

/* How a disk behaves; zero for each is the kind one: at once, whole, without fail. */
typedef struct gt_sim_options {
    uint32_t delay_polls_max; /* a request is done after up to so many calls of poll */
    uint32_t chunk_max;       /* LOAD gives up to so many bytes at a time; 0: all that is asked for */
    uint64_t capacity;        /* bytes of all files together, then GOAT_FULL; 0: without end */
    uint64_t fail_operation;  /* the request that fails with GOAT_IO, counted from 1 over the life of the
                                * disk as gt_sim_operations() does; 0: none. CLOSE and UNLOCK never fail */
    bool fail_from_there_on;  /* and all later ones */
    bool read_only;           /* writing is GOAT_FORBIDDEN */
    bool damage_unsynced;     /* a crash may also spoil sectors of what was not synced, not only cut it */
    bool forget_syncs;        /* SYNC says that it was done and does nothing: a disk that lies */
} gt_sim_options;

/* NULL when there is no memory. The same seed and the same calls give the same bytes. */
gt_sim_disk *gt_sim_disk_new(const gt_alloc *alloc, uint64_t seed);

/* All storages on it must be closed. NULL is accepted. */
void gt_sim_disk_free(gt_sim_disk *disk);

/* To be read and written at any time. */
gt_sim_options *gt_sim_options_of(gt_sim_disk *disk);

/* A storage on this disk, ended by its close(). Several may be open; one at a time can hold the lock. */
goat_status gt_sim_storage(gt_sim_disk *disk, goat_storage *storage, gt_diag *diag);

/* Pulls the plug. Requests under way are done, in part done or not done, as a real machine would have it;
 * what was appended and not synced is kept, cut anywhere, or damaged. Storages that are open are dead from
 * then on: every request, those under way included, ends with GOAT_IO. Files are durable as they then are. */
void gt_sim_crash(gt_sim_disk *disk);

/* Ends the processes that use the disk, not the machine: requests under way as above, but what was handed to
 * the system stays, and is as little synced as before. */
void gt_sim_kill(gt_sim_disk *disk);

/* Requests carried out so far. */
uint64_t gt_sim_operations(const gt_sim_disk *disk);

/* ---- Looking at the disk, and spoiling it ------------------------------------------------------ */

/* The bytes of a file as a reader would get them now; data is NULL if there is none. Good until the
 * next call for this disk. */
gt_bytes gt_sim_file(const gt_sim_disk *disk, const char *name);

/* How many of them would survive a crash for sure. */
uint64_t gt_sim_durable_length(const gt_sim_disk *disk, const char *name);

/* Makes `name` hold `bytes`, durably and readable by others, so that it is no good as a key. False when
 * there is no memory. */
bool gt_sim_put_file(gt_sim_disk *disk, const char *name, gt_bytes bytes);

/* The names of all files, in order: 0, 1, …; NULL behind the last. Good until the next call for this disk. */
const char *gt_sim_name_at(const gt_sim_disk *disk, size_t index);

/* Bytes of all files together: what the capacity is compared with. */
uint64_t gt_sim_used(const gt_sim_disk *disk);

/* Takes a file away, durably; false if there is none. */
bool gt_sim_remove_file(gt_sim_disk *disk, const char *name);

/* Makes the files of `disk` those of `from` as they would be read now, durably: a backup, and its return. Nobody has
 * `disk` open. False when there is no memory. */
bool gt_sim_copy_files(gt_sim_disk *disk, const gt_sim_disk *from);

/* Flips one bit of a file, counted from its beginning, or cuts the file. The file must be there and so long. */
void gt_sim_flip_bit(gt_sim_disk *disk, const char *name, uint64_t bit);
void gt_sim_cut_file(gt_sim_disk *disk, const char *name, uint64_t length);

#endif
