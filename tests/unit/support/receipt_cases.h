/* Receipts spelled out in hexadecimal, on both sides of every rule of core/commit/FORMAT.md section 9 that can be judged
 * without hashing. The unit tests decode them, and the invalid ones become golden vectors. */
#ifndef RECEIPT_CASES_H
#define RECEIPT_CASES_H

#include "base/status.h"

typedef struct receipt_case {
    const char *name;
    goat_status status;
    const char *hex;
    const char *words; /* what the message has in it; NULL where it is GOAT_OK */
} receipt_case;

extern const receipt_case receipt_cases[];
extern const size_t receipt_case_count;

#endif
