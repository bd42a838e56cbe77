/* Values and edits as a test writes them. JSON with more: 'single quotes' are texts too, names may stand
 * without quotes as keys, and
 *
 *     undefined   set[1, 'a']   date(ms)   bytes(hex)   ref('/t/r/i')   {0: true}
 *
 * Elements of sets and keys of maps may come in any order. A mistake in the notation fails the test. */
#ifndef TEST_VALUE_H
#define TEST_VALUE_H

#include "base/buf.h"
#include "base/status.h"

/* Appends the value; nothing for an empty text. */
void test_value_write(gt_buf *out, const char *notation);

/* A new value, to be ended with test_value_free(); data NULL for NULL. */
gt_bytes test_value(const char *notation);
void test_value_free(gt_bytes value);

/* Fails the test, with both in notation, if the bytes differ. An expectation of NULL is no bytes at all. */
#define assert_value(actual, notation) test_value_assert((actual), (notation), __FILE__, __LINE__)
void test_value_assert(gt_bytes actual, const char *notation, const char *file, int line);

/* Appends formatted text and a NUL that is not counted, for notation and JSON made in loops. */
void test_text(gt_buf *out, const char *format, ...) GT_PRINTF(2, 3);

/* Writes a value or an edit in notation, NUL-terminated; `out` is new, end it with gt_buf_free(). */
void test_value_print(gt_bytes value, gt_buf *out);

#endif
