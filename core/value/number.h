/* Numbers as JSON text. */
#ifndef GT_VALUE_NUMBER_H
#define GT_VALUE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { GT_NUMBER_TEXT_MAX = 32 }; /* "-1.2345678901234567e-308" takes 24 */

/* Both give the length; no NUL is added. */
size_t gt_int_write(char out[GT_NUMBER_TEXT_MAX], int64_t number);

/* The shortest of 15, 16 and 17 digits that reads as the same number, always with a '.' or an 'e', so
 * that it is not taken for an integer. `number` is finite. */
size_t gt_double_write_text(char out[GT_NUMBER_TEXT_MAX], double number);

#endif
