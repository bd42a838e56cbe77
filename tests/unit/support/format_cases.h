/* Commits and frames spelled out in hexadecimal, on both sides of every rule of core/commit/FORMAT.md that
 * can be judged without hashing. The unit tests decode them, and the invalid ones become golden vectors. */
#ifndef FORMAT_CASES_H
#define FORMAT_CASES_H

#include "base/status.h"

typedef enum format_kind { FORMAT_COMMIT, FORMAT_HEADER, FORMAT_FRAME } format_kind;

typedef struct format_case {
    const char *name;
    format_kind kind;
    goat_status status;
    const char *hex;
    const char *words; /* what the message has in it; NULL where it is GOAT_OK */
} format_case;

extern const format_case commit_cases[];
extern const size_t commit_case_count;
extern const format_case frame_cases[];
extern const size_t frame_case_count;

#endif
