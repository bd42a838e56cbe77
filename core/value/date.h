/* Dates as text: RFC 3339, to the millisecond, in the years 1 to 9999. */
#ifndef GT_VALUE_DATE_H
#define GT_VALUE_DATE_H

#include "base/bytes.h"

enum { GT_DATE_TEXT_MAX = 24 }; /* "2026-01-31T12:00:00.123Z" */

/* Writes the one form that we write: "2026-01-31T12:00:00Z", milliseconds only where they are not
 * zero. `date_ms` is within GT_DATE_MIN_MS … GT_DATE_MAX_MS. Gives the length; no NUL is added. */
size_t gt_date_write(char out[GT_DATE_TEXT_MAX], int64_t date_ms);

/* Reads any RFC 3339 date-time. What is wrong with it, as words for a message; NULL if nothing. */
const char *gt_date_fault(gt_bytes text, int64_t *date_ms);

#endif
