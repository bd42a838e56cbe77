/* Reads what the library hands out as CBOR: results, changes, commits.
 *
 * A cbor is a run of bytes that begins with a value. Every step checks its bounds; what is not there, or
 * not of the kind asked for, reads as empty, 0 or false, so that a reader asks for what it wants and needs
 * no path of its own for a malformed answer. */
#ifndef CLI_CBOR_H
#define CLI_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goat.h"

typedef struct cbor {
    const uint8_t *data;
    size_t len;
} cbor;

static inline cbor cbor_of(const goat_buf *buf) { return (cbor){buf->data, buf->size}; }
static inline bool cbor_is_empty(cbor item) { return item.len == 0; }

/* What is in an array or a map, as a run of values; `*count` (may be NULL) is the number of elements, or of
 * pairs. */
cbor cbor_array(cbor item, uint64_t *count);
cbor cbor_map(cbor item, uint64_t *count);

/* Takes the first value off a run; empty when there is none. */
cbor cbor_take(cbor *run);

/* The value under a text key of a map; empty when there is none. */
cbor cbor_member(cbor map, const char *name);

uint64_t cbor_uint(cbor item);
bool cbor_bool(cbor item);
bool cbor_is_text(cbor item, const char *text);

/* The bytes of a text or byte string. */
cbor cbor_content(cbor item);

/* Milliseconds since 1970 of a date. */
bool cbor_date(cbor item, int64_t *ms);

/* Prints a value as JSON: byte strings as hexadecimal, dates as RFC 3339, sets as arrays. */
void cbor_print(cbor item);

/* The same date, "2026-01-31T12:00:00.000Z"; `text` has room for CBOR_TIME_SIZE. */
enum { CBOR_TIME_SIZE = 40 };
void cbor_time_text(int64_t ms, char *text);

#endif
