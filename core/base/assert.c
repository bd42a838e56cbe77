/* Where a broken invariant ends. It says which one on standard error and aborts, so that a debugger
 * or a core file shows the place. It does not try to save anything: the state is known to be wrong. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void gt_assert_failed(const char *file, int line, const char *condition) {
    fprintf(stderr, "libgoat: %s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}
