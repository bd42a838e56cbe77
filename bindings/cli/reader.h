/* Lines from a file or standard input, and whatever else may end or interrupt the reading of them.
 *
 * SIGINT and SIGTERM are held back while a reader is open and are only asked for between two lines: work
 * on a line is never cut in two. A reader must be opened before the database, so that the library's own
 * thread holds them back as well. */
#ifndef CLI_READER_H
#define CLI_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waiter.h"

enum { READER_LINE_MAX = 16 << 20 }; /* bytes of a line, as GOAT_VALUE_MAX of a value */

typedef enum reader_answer {
    READER_LINE,
    READER_END,
    READER_TOO_LONG,    /* the line was skipped */
    READER_NOTHING,     /* not within the time given */
    READER_WOKEN,       /* reader_wake() was called */
    READER_INTERRUPTED, /* by `signal` */
    READER_FAILED       /* with `error`, an errno */
} reader_answer;

typedef struct reader {
    waiter waiter;
    int file;        /* a descriptor */
    bool is_regular; /* a file that never makes us wait */
    bool at_end;
    char *buffer;
    size_t begin, end, capacity, looked; /* looked: bytes from begin on that hold no newline */
    uint64_t line;                       /* number of the line given last, from 1 */
    uint64_t bytes, bytes_total;         /* given out so far, and in the file (0: not known) */
    int signal, error;
} reader;

/* `path` NULL or "-" is standard input. False with errno. */
bool reader_open(reader *r, const char *path);
void reader_close(reader *r);

/* The next line without its newline, good until the next call. Waits for at most `timeout_ms`; negative: for
 * as long as it takes. */
reader_answer reader_next(reader *r, int timeout_ms, const char **line, size_t *len);

/* Waits without reading, for as long as READER_NOTHING says, or a signal or a wake-up comes. */
reader_answer reader_pause(reader *r, int timeout_ms);

/* Makes a wait end. From any thread. */
void reader_wake(reader *r);

#endif
