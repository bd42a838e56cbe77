/* A strict scanner for JSON text (RFC 8259): whether it is one value, and where the members of an object lie.
 *
 * It builds nothing. The command puts texts that came from outside into larger ones for the library, and so
 * must know that they are one whole value; what is in them (UTF-8, numbers too large, lone surrogates) the
 * library checks. Nesting is followed without recursion. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_DEPTH_MAX = 512 }; /* far beyond GOAT_VALUE_DEPTH_MAX, which the library holds */

typedef struct json_slice {
    const char *data; /* NULL: there is none */
    size_t len;
} json_slice;

typedef struct json_fault {
    size_t position;  /* byte offset */
    const char *text; /* what is wrong there */
} json_fault;

/* Whether `text` is exactly one value with white space around it. `value` (may be NULL) is the value
 * without the white space. */
bool json_is_value(json_slice text, json_slice *value, json_fault *fault);

/* The same for an object, whose top-level members called names[0] … names[count - 1] are put into
 * members[]; of two with the same name the last counts. `other` gets the name, in quotes, of the last member
 * that is none of these, and then two of the same name are refused; NULL: the object is a document of any members. */
bool json_members(json_slice text, const char *const *names, size_t count, json_slice *members, json_slice *other,
                  json_fault *fault);

/* The kind of a value that was scanned, by its first byte. */
static inline bool json_is_string(json_slice value) { return value.len > 0 && value.data[0] == '"'; }
static inline bool json_is_object(json_slice value) { return value.len > 0 && value.data[0] == '{'; }
static inline bool json_is_array(json_slice value) { return value.len > 0 && value.data[0] == '['; }
bool json_is_integer(json_slice value);

/* The text of a string that was scanned, into `text`, which has room for the slice's bytes. Lone surrogates
 * become '?'. Gives its length. */
size_t json_string_text(json_slice string, char *text);

json_slice json_of(const char *text);

#endif
