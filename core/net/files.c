/* Opening static files. The kernel resolves the path below the folder (openat2, RESOLVE_BENEATH), so that neither a
 * link nor a race leads out of it; where there is no openat2, part by part and without following links. */
#define _GNU_SOURCE
#include "net/files.h"

#include "net/request.h"
#include "net/words.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY }; /* a pipe in the folder must not stop the loop */

goat_status gt_files_open(gt_files *files, const char *folder, gt_diag *diag) {
    char words[GT_WORDS_MAX];
    files->folder = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (files->folder >= 0) return GOAT_OK;
    goat_status status = errno == ENOENT || errno == ENOTDIR ? GOAT_NOT_FOUND
                         : errno == EACCES                   ? GOAT_FORBIDDEN
                                                             : GOAT_IO;
    return gt_fail(diag, status, "the folder of static files cannot be opened: %s", gt_net_words(errno, words));
}

void gt_files_close(gt_files *files) {
    if (files->folder >= 0) close(files->folder);
    files->folder = -1;
}

/* `name` is changed and restored. */
static int open_by_parts(int folder, char *name) {
    int at = folder;
    for (char *part = name;;) {
        char *end = strchr(part, '/');
        if (end != NULL) *end = 0;
        int next = openat(at, part, OPEN_FLAGS | O_NOFOLLOW);
        if (end != NULL) *end = '/';
        if (at != folder) close(at);
        if (next < 0 || end == NULL || end[1] == 0) return next;
        at = next;
        part = end + 1;
    }
}

static int open_below(int folder, char *name) {
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long opened = syscall(SYS_openat2, folder, name, &how, sizeof(how));
    if (opened < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) return open_by_parts(folder, name);
    return (int)opened;
}

goat_status gt_files_find(const gt_files *files, gt_bytes path, gt_file *file) {
    static const char index[] = "index.html";
    char name[GT_REQUEST_PATH_MAX + sizeof(index)];
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
    int opened = open_below(files->folder, name);
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
