/* The command's own small files in a database's folder: read whole, and replaced whole. The library knows nothing of
 * them. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum { FILES_PATH_ROOM = 4096 };

/* "DB/NAME" in `path`, which has room for FILES_PATH_ROOM. False: it is too long. */
bool files_path(const char *db, const char *name, char *path);

/* The whole of a file of at most 16 MiB, with a NUL behind it, to be freed; NULL with errno. */
char *files_read(const char *path);

/* Whoever reads it finds all of the old or all of the new. `durable`: also after the machine has crashed. False with
 * errno. */
bool files_replace(const char *path, const char *content, size_t len, bool durable);

#endif
