/* Assertions: a broken invariant stops the program, in release builds too, because a database that
 * goes on with a wrong state writes it to disk. Input is never asserted, it is decoded with limits. */
#ifndef GT_BASE_ASSERT_H
#define GT_BASE_ASSERT_H

#include <stdbool.h>

_Noreturn void gt_assert_failed(const char *file, int line, const char *condition);

#define GOAT_ASSERT(condition) ((condition) ? (void)0 : gt_assert_failed(__FILE__, __LINE__, #condition))

#ifdef GOAT_SLOW_ASSERTIONS
#define GOAT_ASSERT_SLOW(condition) GOAT_ASSERT(condition)
#else
#define GOAT_ASSERT_SLOW(condition) ((void)0)
#endif

#endif
