/* Regular expressions: PCRE2, the engine of MongoDB's $regex, behind four functions. Schemas use it
 * for the rule "pattern" and queries for $regex, so that both mean the same.
 *
 * Patterns and subjects may be hostile. There is no JIT, and a match gives up at limits that do not
 * depend on the machine: every replica gives the same answer. */
#ifndef GT_SCHEMA_PATTERN_H
#define GT_SCHEMA_PATTERN_H

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/status.h"

enum {
    GT_PATTERN_MAX = 16384,    /* bytes of a pattern */
    GT_PATTERN_NEST_MAX = 100, /* parentheses inside each other; compiling recurses */

    /* Backtracking steps in all, shared out over the places where a match may begin, but at least a
     * few at each, or a long text could not be searched at all. 2 million take about 20 ms. */
    GT_PATTERN_STEPS_MAX = 2000000,
    GT_PATTERN_STEPS_MIN = 64,
    GT_PATTERN_DEPTH_MAX = 100000, /* backtracking points held at once */
    GT_PATTERN_HEAP_MAX_KIB = 8192,

    /* Bytes of a subject for a pattern that may match anywhere: a loop such as [^x]*+y runs to the end
     * from every place, which no count of steps sees, and costs the square of the length. A pattern
     * anchored with ^ takes subjects of any length. */
    GT_PATTERN_SUBJECT_MAX = 262144,
};

typedef struct gt_pattern gt_pattern;

typedef enum gt_match {
    GT_MATCH_NO = 0,
    GT_MATCH_YES = 1,
    GT_MATCH_LIMIT = 2,     /* gave up at a limit: counts as no match */
    GT_MATCH_NO_MEMORY = 3, /* the answer is not known */
} gt_match;

/* Compiles a pattern, UTF-8, that may match anywhere in a text. `options` are letters as in MongoDB: i no
 * difference between cases, m ^ and $ at every line, s the dot takes line breaks too, x white space
 * and comments are left out. GOAT_OK; GOAT_INVALID with the position; GOAT_TOO_LARGE; GOAT_NO_MEMORY. */
goat_status gt_pattern_compile(const gt_alloc *alloc, gt_bytes text, gt_bytes options, gt_pattern **pattern,
                               gt_diag *diag);

/* Where it has its memory from. */
const gt_alloc *gt_pattern_alloc(const gt_pattern *pattern);

/* NULL is accepted. */
void gt_pattern_free(gt_pattern *pattern);

/* Whether `subject`, UTF-8 (a text of a checked value), holds a match. Uses working memory of the pattern:
 * one caller at a time. */
gt_match gt_pattern_find(gt_pattern *pattern, gt_bytes subject);

#endif
