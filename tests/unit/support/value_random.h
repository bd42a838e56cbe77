/* Random values, and a value written anew from what its readers say, for properties of core/value. */
#ifndef VALUE_RANDOM_H
#define VALUE_RANDOM_H

#include "base/buf.h"
#include "support/test_random.h"

enum {
    VALUE_RANDOM_EDITS = 1,   /* also `undefined` and integer keys */
    VALUE_RANDOM_DOLLARS = 2, /* most keys look like "$date", "$$set" and their like */
};

/* Appends one value at most `depth` deep. Texts hold what JSON has to escape, keys are short and often prefixes
 * of each other, numbers lie around the borders of their forms. */
void value_random(test_random *random, uint32_t depth, int flags, gt_buf *out);

/* Appends the value, taken apart by value.h and put together by build.h. */
void value_rewrite(gt_bytes value, gt_buf *out);

#endif
