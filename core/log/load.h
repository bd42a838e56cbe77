/* One whole file brought into one run of memory: opened, loaded in as many pieces as the storage likes, put
 * together. Logs and checkpoints begin so. It never waits; the owner is told once, from gt_io_deliver. */
#ifndef GT_LOG_LOAD_H
#define GT_LOG_LOAD_H

#include "log/io.h"

enum { GT_LOAD_ALIGNMENT = 8 }; /* of `data`: rows of a checkpoint are used in place */

typedef struct gt_load gt_load;

/* The end: `load->diag.status` says how it went. It may already begin other requests or end the load. */
typedef void (*gt_load_done)(void *owner, gt_load *load);

struct gt_load {
    /* Results, good from `done` to gt_load_end. After a failure: no data. */
    uint8_t *data;
    size_t len;
    uint32_t file; /* the open file, 0 if there is none */
    gt_diag diag;  /* GOAT_NOT_FOUND if there is no such file; the storage's words otherwise */
    bool busy;     /* a request is under way: not to be ended */

    /* Private. */
    gt_io *io;
    const gt_alloc *alloc;
    uint32_t flags;
    uint8_t *memory; /* of its own, when the file came in pieces */
    size_t loaded;
    gt_load_done done;
    void *owner;
};

/* Begins. `flags` are GOAT_IO_READ_ONLY and GOAT_IO_PRIVATE (the memory may be written to); `name` is needed
 * during the call only. GOAT_NO_MEMORY: nothing was begun and `done` is not called. `load` does not move until
 * it is ended. */
goat_status gt_load_begin(gt_load *load, gt_io *io, const gt_alloc *alloc, const char *name, uint32_t flags,
                          gt_load_done done, void *owner, gt_diag *diag);

/* Closes the file (a last request, whose result nobody awaits) and lets go of its bytes. Not while busy.
 * A load that is all zero is accepted. */
void gt_load_end(gt_load *load);

#endif
