/* The edit between two texts, as a person might have made it. */
#ifndef GT_MERGE_TEXT_DIFF_H
#define GT_MERGE_TEXT_DIFF_H

#include "merge/runs.h"
#include "merge/tokens.h"

/* Appends the edit that makes `after` of `before`, nothing if they are the same. Lines are compared first, then the words of
 * lines that changed, then the ends of a word that changed into another (Myers 1986, "An O(ND) Difference Algorithm and Its
 * Variations", in linear space). Where two texts have little in common what differs is replaced as a whole instead of
 * looking for the shortest edit: at most GT_DIFF_EDITS_MAX per comparison. */
void gt_text_diff(gt_bytes before, gt_bytes after, gt_buf *edit);

/* Whether a byte is of a word: letters and digits of ASCII, and all that is not ASCII. */
bool gt_is_of_word(uint8_t byte);

#endif
