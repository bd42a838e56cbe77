/* Opening static files. A path is walked part by part, each opened in the folder that was opened before it and without
 * following links; a link is replaced by what it says, and the walk begins anew. So neither a link nor a race leads out
 * of the folder, and each folder on the way is known for what it is.
 *
 * What must always hold: nothing that lies in the private folder is opened, nor any key file, under whatever name. */
#define _GNU_SOURCE
#include "net/files.h"

#include "net/request.h"
#include "net/words.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_FLAGS = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, /* a pipe must not stop the loop */
    FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
    NAME_SIZE = 4096, /* with what links say */
    TURNS_MAX = 40,   /* walks begun anew: links in a circle */
};

/* ---- the folder ---- */

static bool is_private(const gt_files *files, const struct stat *about) {
    return files->has_private && about->st_dev == files->device && about->st_ino == files->inode;
}

/* Whether the folder is the private one or lies in it. */
static bool lies_in_private(const gt_files *files) {
    struct stat about, above;
    int at = dup(files->folder);
    bool found = at < 0 || fstat(at, &about) != 0;
    while (!found) {
        found = is_private(files, &about);
        int up = openat(at, "..", O_PATH | O_CLOEXEC | O_DIRECTORY);
        close(at);
        at = up;
        if (found || up < 0 || fstat(up, &above) != 0) break;
        if (above.st_dev == about.st_dev && above.st_ino == about.st_ino) break; /* the root is above itself */
        about = above;
    }
    if (at >= 0) close(at);
    return found;
}

static goat_status fail_to_open(gt_diag *diag) {
    char words[GT_WORDS_MAX];
    goat_status status = errno == ENOENT || errno == ENOTDIR ? GOAT_NOT_FOUND
                         : errno == EACCES                   ? GOAT_FORBIDDEN
                                                             : GOAT_IO;
    return gt_fail(diag, status, "the folder of static files cannot be opened: %s", gt_net_words(errno, words));
}

goat_status gt_files_open(gt_files *files, const char *folder, const char *private_folder, gt_diag *diag) {
    struct stat about;
    files->folder = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (files->folder < 0) return fail_to_open(diag);
    files->has_private = private_folder != NULL && stat(private_folder, &about) == 0;
    if (!files->has_private) return GOAT_OK;
    files->device = about.st_dev;
    files->inode = about.st_ino;
    if (!lies_in_private(files)) return GOAT_OK;
    gt_files_close(files);
    return gt_fail(diag, GOAT_FORBIDDEN, "the folder of static files lies in the database's, which holds its keys");
}

void gt_files_close(gt_files *files) {
    if (files->folder >= 0) close(files->folder);
    files->folder = -1;
}

/* ---- a walk ---- */

typedef enum turn { OPENED, ANEW, REFUSED } turn;

static bool is_key(const char *part, size_t len) { return len >= 4 && strncasecmp(part + len - 4, ".key", 4) == 0; }

/* Puts `with` into the place of `len` bytes at `at` of `name`, whose size is NAME_SIZE. */
static bool replace(char *name, size_t at, size_t len, const char *with) {
    size_t rest = strlen(name + at + len), more = strlen(with);
    if (at + more + rest >= NAME_SIZE) return false;
    memmove(name + at + more, name + at + len, rest + 1);
    memcpy(name + at, with, more);
    return true;
}

/* The part at `at` may be a link in the folder `folder`. */
static turn follow(int folder, const char *part, char *name, size_t at, size_t len) {
    char target[NAME_SIZE];
    ssize_t got = readlinkat(folder, part, target, sizeof(target) - 1);
    if (got <= 0 || target[0] == '/') return REFUSED;
    target[got] = 0;
    return replace(name, at, len, target) ? ANEW : REFUSED;
}

/* ".." at `at` of `name`: all before it are folders and no links, so it takes the one before it away. */
static turn go_up(char *name, size_t at) {
    size_t begin = at;
    if (at == 0) return REFUSED; /* out of the folder */
    for (begin--; begin > 0 && name[begin - 1] != '/'; begin--) {
    }
    return replace(name, begin, at + 2 - begin, "") ? ANEW : REFUSED;
}

/* Takes empty parts and "." away. */
static void tidy(char *name, size_t at) {
    for (;;) {
        if (name[at] == '/') {
            replace(name, at, 1, "");
        } else if (name[at] == '.' && (name[at + 1] == '/' || name[at + 1] == 0)) {
            replace(name, at, 1, "");
        } else {
            return;
        }
    }
}

/* The next part, opened in `folder`; -1, and `how` tells what is to be done. */
static int step(int folder, char *name, size_t at, size_t len, turn *how) {
    char part[GT_FILE_PART_MAX + 1];
    bool is_last = name[at + len] == 0;
    if (len > GT_FILE_PART_MAX || is_key(name + at, len)) return -1;
    memcpy(part, name + at, len);
    part[len] = 0;
    if (strcmp(part, "..") == 0) {
        *how = go_up(name, at);
        return -1;
    }
    int opened = openat(folder, len == 0 ? "." : part, is_last ? FILE_FLAGS : FOLDER_FLAGS);
    if (opened < 0 && (errno == ELOOP || errno == ENOTDIR)) *how = follow(folder, part, name, at, len);
    return opened;
}

/* One walk along `name`, which is changed when it has to begin anew. */
static turn walk(const gt_files *files, char *name, int *opened) {
    turn how = REFUSED;
    int folder = files->folder;
    for (size_t at = 0;; at++) {
        struct stat about;
        tidy(name, at);
        size_t len = strcspn(name + at, "/");
        int next = step(folder, name, at, len, &how);
        if (next < 0) break;
        if (folder != files->folder) close(folder);
        folder = next;
        at += len;
        if (fstat(folder, &about) != 0 || is_private(files, &about)) break;
        if (name[at] != 0) continue;
        *opened = folder;
        return OPENED;
    }
    if (folder != files->folder) close(folder);
    return how;
}

static int open_below(const gt_files *files, char *name) {
    int opened = -1;
    turn how = ANEW;
    for (int turns = 0; how == ANEW && turns < TURNS_MAX; turns++) how = walk(files, name, &opened);
    return opened;
}

/* ---- a file ---- */

goat_status gt_files_find(const gt_files *files, gt_bytes path, gt_file *file) {
    static const char index[] = "index.html";
    char name[NAME_SIZE];
    struct stat about;
    memset(file, 0, sizeof(*file));
    if (files->folder < 0 || !gt_request_path_valid(path)) return GOAT_NOT_FOUND;
    size_t len = path.len - 1;
    memcpy(name, path.data + 1, len);
    bool is_folder = path.data[path.len - 1] == '/';
    if (is_folder) {
        memcpy(name + len, index, sizeof(index) - 1);
        len += sizeof(index) - 1;
    }
    name[len] = 0;
    int opened = open_below(files, name);
    if (opened < 0) return GOAT_NOT_FOUND;
    if (fstat(opened, &about) != 0 || !S_ISREG(about.st_mode)) {
        bool lacks_slash = !is_folder && S_ISDIR(about.st_mode);
        close(opened);
        return lacks_slash ? GOAT_EXISTS : GOAT_NOT_FOUND;
    }
    file->descriptor = opened;
    file->size = (uint64_t)about.st_size;
    file->type = gt_request_content_type(gt_bytes_of(name, len));
    snprintf(file->tag, sizeof(file->tag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", (uint64_t)about.st_mtim.tv_sec,
             (uint64_t)about.st_mtim.tv_nsec, file->size);
    return GOAT_OK;
}
