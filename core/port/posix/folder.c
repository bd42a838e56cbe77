/* Folders: making them durable, walking through them, and the temporary files in them.
 *
 * Every path is resolved from the descriptor of the database's folder, so that renaming the folder or
 * changing the working directory of the process leads nowhere else. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FOLDER_MODE = 0777, /* less what the umask takes; keys have a mode of their own */
    FOLDER_OPEN = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
};

static const char temporary_prefix[] = "~goat-";
enum { TEMPORARY_RANDOM = 8, TEMPORARY_PREFIX = sizeof temporary_prefix - 1 };
_Static_assert(TEMPORARY_PREFIX + 2 * TEMPORARY_RANDOM < GT_POSIX_TEMPORARY_MAX, "temporary names fit");

int gt_posix_temporary_name(char name[GT_POSIX_TEMPORARY_MAX]) {
    uint8_t random[TEMPORARY_RANDOM];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return EIO;
    }
    memcpy(name, temporary_prefix, TEMPORARY_PREFIX);
    gt_hex(name + TEMPORARY_PREFIX, random, sizeof random);
    return 0;
}

/* Only names that were made above: a database may lie in a folder with other people's files. */
static bool is_temporary(const char *name) {
    uint8_t random[TEMPORARY_RANDOM];
    return strncmp(name, temporary_prefix, TEMPORARY_PREFIX) == 0 &&
           gt_unhex(random, sizeof random, name + TEMPORARY_PREFIX, strlen(name + TEMPORARY_PREFIX));
}

int gt_posix_sync_folder(int descriptor) {
    /* Some file systems cannot sync a folder and say EINVAL; their entries are durable without. */
    return fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
}

/* Makes one folder and its entry durable; that it is there already is fine. */
static int make_folder(int parent, const char *name) {
    if (mkdirat(parent, name, FOLDER_MODE) == 0) {
        return gt_posix_sync_folder(parent);
    }
    return errno == EEXIST ? 0 : errno;
}

int gt_posix_open_parent(gt_posix_storage *storage, const char *name, bool make, int *parent, const char **base) {
    int at = openat(storage->folder, ".", FOLDER_OPEN);
    int error = at < 0 ? errno : 0;
    for (const char *slash = strchr(name, '/'); error == 0 && slash != NULL; slash = strchr(name, '/')) {
        char part[GT_PORT_NAME_MAX + 1];
        memcpy(part, name, (size_t)(slash - name));
        part[slash - name] = 0;
        int next = openat(at, part, FOLDER_OPEN);
        if (next < 0 && errno == ENOENT && make) {
            error = make_folder(at, part);
            next = error == 0 ? openat(at, part, FOLDER_OPEN) : -1;
        }
        if (next < 0 && error == 0) {
            error = errno;
        }
        close(at);
        at = next;
        name = slash + 1;
    }
    *parent = at;
    *base = name;
    return error;
}

int gt_posix_open_folder(const gt_alloc *alloc, const char *path, bool create, int *folder) {
    *folder = open(path, FOLDER_OPEN);
    if (*folder >= 0 || errno != ENOENT || !create) {
        return *folder >= 0 ? 0 : errno;
    }
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    char *above = gt_copy(alloc, path, len);
    if (above == NULL) {
        return ENOMEM;
    }
    char *slash = strrchr(above, '/');
    const char *name = slash == NULL ? above : slash + 1;
    int parent = -1, error = 0;
    if (slash == above) {
        error = gt_posix_open_folder(alloc, "/", false, &parent);
    } else if (slash == NULL) {
        error = gt_posix_open_folder(alloc, ".", false, &parent);
    } else {
        *slash = 0;
        error = gt_posix_open_folder(alloc, above, true, &parent);
    }
    if (error == 0) {
        error = make_folder(parent, name);
        *folder = error == 0 ? openat(parent, name, FOLDER_OPEN) : -1;
        error = error == 0 && *folder < 0 ? errno : error;
        close(parent);
    }
    gt_free(alloc, above);
    return error;
}

/* ---- Walking --------------------------------------------------------------------------------- */

typedef struct walk {
    /* Called for each regular file; not 0 ends the walk with that errno. */
    int (*file)(struct walk *walk, int parent, const char *base);
    gt_arena names;
    const char **list;
    size_t count, capacity;
    char name[GT_PORT_NAME_MAX + 1]; /* from the database's folder */
} walk;

static unsigned char type_of(int parent, const struct dirent *entry) {
    struct stat info;
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type;
    }
    if (fstatat(parent, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return DT_UNKNOWN;
    }
    return S_ISREG(info.st_mode) ? DT_REG : S_ISDIR(info.st_mode) ? DT_DIR : DT_UNKNOWN;
}

static int walk_folder(walk *w, int folder, size_t name_len, int depth);

/* Names that are too long or too deep for us are not ours. */
static int walk_entry(walk *w, int parent, const struct dirent *entry, size_t name_len, int depth) {
    const char *base = entry->d_name;
    if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
        return 0;
    }
    size_t room = sizeof w->name - name_len;
    int len = snprintf(w->name + name_len, room, "%s%s", name_len == 0 ? "" : "/", base);
    if (len < 0 || (size_t)len >= room) {
        return 0;
    }
    unsigned char type = type_of(parent, entry);
    if (type == DT_REG) {
        return w->file(w, parent, base);
    }
    if (type != DT_DIR || depth == GT_PORT_NAME_DEPTH_MAX || base[0] == '~') {
        return 0;
    }
    int folder = openat(parent, base, FOLDER_OPEN | O_NOFOLLOW);
    return folder < 0 ? errno : walk_folder(w, folder, name_len + (size_t)len, depth + 1);
}

/* Takes the descriptor `folder`. */
static int walk_folder(walk *w, int folder, size_t name_len, int depth) {
    DIR *directory = fdopendir(folder);
    if (directory == NULL) {
        int error = errno;
        close(folder);
        return error;
    }
    int error = 0;
    while (error == 0) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            error = errno;
            break;
        }
        error = walk_entry(w, folder, entry, name_len, depth);
    }
    closedir(directory);
    return error;
}

static int remove_temporary(walk *w, int parent, const char *base) {
    (void)w;
    if (is_temporary(base)) {
        unlinkat(parent, base, 0);
    }
    return 0;
}

void gt_posix_remove_temporaries(gt_posix_storage *storage) {
    walk w = {.file = remove_temporary};
    int folder = openat(storage->folder, ".", FOLDER_OPEN);
    if (folder >= 0) {
        walk_folder(&w, folder, 0, 1);
    }
}

static int list_file(walk *w, int parent, const char *base) {
    (void)parent;
    (void)base;
    if (!gt_port_name_valid(w->name)) {
        return 0;
    }
    if (!gt_reserve(w->names.alloc, (void **)&w->list, w->count, &w->capacity, sizeof *w->list)) {
        return ENOMEM;
    }
    const char *name = gt_arena_copy(&w->names, w->name, strlen(w->name) + 1);
    if (name == NULL) {
        return ENOMEM;
    }
    w->list[w->count++] = name;
    return 0;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int join_names(walk *w, gt_posix_operation *operation) {
    gt_buf joined;
    gt_buf_init(&joined, w->names.alloc);
    qsort(w->list, w->count, sizeof *w->list, compare_names);
    for (size_t i = 0; i < w->count; i++) {
        gt_buf_append(&joined, w->list[i], strlen(w->list[i]) + 1);
    }
    if (gt_buf_failed(&joined)) {
        gt_buf_free(&joined);
        return ENOMEM;
    }
    operation->given = joined.data;
    operation->result.data = joined.data;
    operation->result.data_len = joined.len;
    operation->result.length = joined.len;
    return 0;
}

goat_status gt_posix_list_files(gt_posix_storage *storage, gt_posix_operation *operation) {
    const char *name = operation->name;
    int folder = openat(storage->folder, name[0] == 0 ? "." : name, FOLDER_OPEN);
    if (folder < 0) {
        return errno == ENOENT ? GOAT_OK : gt_posix_fail(&operation->result, errno, "list", name);
    }
    walk w = {.file = list_file};
    gt_arena_init(&w.names, &storage->alloc);
    memcpy(w.name, name, strlen(name) + 1);
    int depth = 1;
    for (const char *at = name; *at != 0; at++) {
        depth += *at == '/';
    }
    int error = walk_folder(&w, folder, strlen(name), depth + (name[0] != 0));
    if (error == 0 && w.count != 0) {
        error = join_names(&w, operation);
    }
    gt_free(&storage->alloc, w.list);
    gt_arena_free(&w.names);
    return error == 0 ? GOAT_OK : gt_posix_fail(&operation->result, error, "list", name[0] == 0 ? "the folder" : name);
}
