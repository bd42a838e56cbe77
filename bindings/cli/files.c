#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 24 };

bool files_path(const char *db, const char *name, char *path) {
    int len = snprintf(path, FILES_PATH_ROOM, "%s/%s", db, name);
    return len > 0 && len < FILES_PATH_ROOM;
}

char *files_read(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    char *content = malloc(FILE_MAX + 1);
    size_t len = 0;
    ssize_t got = content != NULL ? 0 : -1;
    while (content != NULL && len < FILE_MAX &&
           ((got = read(file, content + len, FILE_MAX - len)) > 0 || (got < 0 && errno == EINTR))) {
        len += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    close(file);
    if (got < 0) {
        free(content);
        errno = error;
        return NULL;
    }
    content[len] = '\0';
    return content;
}

bool files_replace(const char *path, const char *content, size_t len, bool durable) {
    char made[FILES_PATH_ROOM + 8];
    snprintf(made, sizeof made, "%s.new", path);
    int file = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) {
        return false;
    }
    bool good = true;
    for (size_t done = 0; good && done < len;) {
        ssize_t now = write(file, content + done, len - done);
        good = now >= 0 || errno == EINTR;
        done += now > 0 ? (size_t)now : 0;
    }
    good = good && (!durable || fsync(file) == 0);
    good = close(file) == 0 && good && rename(made, path) == 0;
    if (!good) {
        int error = errno;
        unlink(made);
        errno = error;
    }
    return good;
}
