/* Static files of one folder, read-only. Nothing outside of it is ever opened, whatever a path or a link says, nor
 * anything that belongs to the database. */
#ifndef GT_NET_FILES_H
#define GT_NET_FILES_H

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/status.h"

#include <sys/types.h>

enum { GT_FILE_TAG_MAX = 64, GT_FILE_PART_MAX = 255 };

typedef struct gt_files {
    int folder; /* -1: there are none */
    bool has_private;
    dev_t device; /* of the private folder */
    ino_t inode;
} gt_files;

typedef struct gt_file {
    int descriptor; /* to be closed by whoever got it */
    uint64_t size;
    const char *type;          /* of its content */
    char tag[GT_FILE_TAG_MAX]; /* with its quotes: another one when the file was changed */
} gt_file;

/* `private_folder` (NULL: none) is the database's: what lies in it is not there, and `folder` must not. GOAT_OK,
 * GOAT_NOT_FOUND, GOAT_FORBIDDEN, GOAT_IO. */
goat_status gt_files_open(gt_files *files, const char *folder, const char *private_folder, gt_diag *diag);
void gt_files_close(gt_files *files);

/* The file that a decoded path names; of a folder its index.html. GOAT_OK; GOAT_NOT_FOUND for whatever there is
 * not or may not be had; GOAT_EXISTS: it is a folder and the path lacks its '/' at the end. */
goat_status gt_files_find(const gt_files *files, gt_bytes path, gt_file *file);

#endif
