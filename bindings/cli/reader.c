#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 18 }; /* bytes read at a time */

bool reader_open(reader *r, const char *path) {
    *r = (reader){.file = STDIN_FILENO};
    if (!waiter_open(&r->waiter, false)) {
        return false;
    }
    r->buffer = malloc(PIECE);
    r->capacity = r->buffer != NULL ? PIECE : 0;
    if (path != NULL && strcmp(path, "-") != 0) {
        r->file = open(path, O_RDONLY | O_CLOEXEC);
    }
    struct stat about = {0};
    if (r->buffer == NULL || r->file < 0 || fstat(r->file, &about) != 0) {
        int error = errno;
        reader_close(r);
        errno = error;
        return false;
    }
    r->is_regular = S_ISREG(about.st_mode);
    r->bytes_total = r->is_regular ? (uint64_t)about.st_size : 0;
    return true;
}

void reader_close(reader *r) {
    if (r->file >= 0 && r->file != STDIN_FILENO) {
        close(r->file);
    }
    free(r->buffer);
    r->buffer = NULL;
    waiter_close(&r->waiter);
}

void reader_wake(reader *r) { waiter_wake(&r->waiter); }

/* READER_LINE: the file has something, or its end. A signal goes before all else. */
static reader_answer wait_for(reader *r, bool for_file, int timeout_ms) {
    switch (waiter_wait(&r->waiter, for_file ? r->file : -1, timeout_ms)) {
    case WAITER_READY: return READER_LINE;
    case WAITER_WOKEN: return READER_WOKEN;
    case WAITER_SIGNAL: r->signal = r->waiter.signal; return READER_INTERRUPTED;
    case WAITER_FAILED: r->error = errno; return READER_FAILED;
    default: return READER_NOTHING;
    }
}

reader_answer reader_pause(reader *r, int timeout_ms) { return wait_for(r, false, timeout_ms); }

/* Room for another piece behind what is there. */
static bool make_room(reader *r) {
    if (r->begin > 0) {
        memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->capacity - r->end >= PIECE) {
        return true;
    }
    char *larger = realloc(r->buffer, 2 * r->capacity + PIECE);
    if (larger == NULL) {
        return false;
    }
    r->buffer = larger;
    r->capacity = 2 * r->capacity + PIECE;
    return true;
}

/* Reads one more piece; READER_LINE when there was one, also an empty one at the end. */
static reader_answer fill(reader *r, int timeout_ms) {
    reader_answer answer = wait_for(r, true, timeout_ms);
    if (answer != READER_LINE) {
        return answer;
    }
    if (!make_room(r)) {
        r->error = ENOMEM;
        return READER_FAILED;
    }
    ssize_t got;
    do {
        got = read(r->file, r->buffer + r->end, PIECE);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) {
        return READER_LINE;
    }
    if (got < 0) {
        r->error = errno;
        return READER_FAILED;
    }
    r->at_end = got == 0;
    r->end += (size_t)got;
    return READER_LINE;
}

/* Gives out the `len` bytes at the front and goes behind them and the newline, if it is there. */
static reader_answer give(reader *r, size_t len, const char **line, size_t *line_len) {
    *line = r->buffer + r->begin;
    *line_len = len;
    bool has_newline = r->begin + len < r->end;
    r->begin += len + has_newline;
    r->bytes += len + has_newline;
    r->looked = 0;
    r->line++;
    return READER_LINE;
}

/* Leaves out the rest of a line that is too long. */
static reader_answer skip_line(reader *r) {
    for (;;) {
        char *newline = memchr(r->buffer + r->begin, '\n', r->end - r->begin);
        size_t len = newline != NULL ? (size_t)(newline - r->buffer) + 1 - r->begin : r->end - r->begin;
        r->begin += len;
        r->bytes += len;
        r->looked = 0;
        if (newline != NULL || r->at_end) {
            r->line++;
            return READER_TOO_LONG;
        }
        reader_answer answer = fill(r, -1);
        if (answer != READER_LINE && answer != READER_WOKEN) {
            return answer;
        }
    }
}

reader_answer reader_next(reader *r, int timeout_ms, const char **line, size_t *len) {
    for (;;) {
        char *from = r->buffer + r->begin + r->looked;
        char *newline = memchr(from, '\n', r->end - r->begin - r->looked);
        size_t have = newline != NULL ? (size_t)(newline - r->buffer) - r->begin : r->end - r->begin;
        if (have > READER_LINE_MAX) {
            return skip_line(r);
        }
        if (newline != NULL || (r->at_end && have > 0)) {
            return give(r, have, line, len);
        }
        if (r->at_end) {
            return READER_END;
        }
        r->looked = have;
        reader_answer answer = fill(r, timeout_ms);
        if (answer != READER_LINE) {
            return answer;
        }
    }
}
