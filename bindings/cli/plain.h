/* Values of fields as `goat get` prints them, so that `goat set` takes them again. */
#ifndef CLI_PLAIN_H
#define CLI_PLAIN_H

#include "cbor.h"

/* As JSON, whole: bytes as base64, dates as RFC 3339 text, sets as arrays. What is in a list or a map stands in the
 * wrapped forms of goat_value_to_json(), which are read everywhere. */
void plain_print(cbor value);

/* "before -> after", with "(unset)" where there is none. On a terminal, behind `column` others, it stays a line: what
 * is too long is cut, and what both begin with is left out. */
void plain_print_change(cbor before, cbor after, size_t column);

#endif
