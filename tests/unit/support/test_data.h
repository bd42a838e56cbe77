/* Files of $GOAT_DATA, which lies outside the project; without the variable it is looked for beside the
 * project. Tests that want one are skipped, and say so, where it is absent. */
#ifndef TEST_DATA_H
#define TEST_DATA_H

#include <stddef.h>

/* A whole file of that folder with a NUL behind it, end with free(); prints why and gives NULL if it
 * cannot be read. */
char *test_data_read(const char *name, size_t *len);

#endif
