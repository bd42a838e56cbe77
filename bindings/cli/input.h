/* Whole inputs: a schema file, a document, a filter. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "options.h"
#include "text.h"

enum { INPUT_MAX = 64 << 20 }; /* bytes; four times GOAT_VALUE_MAX, as JSON is longer than CBOR */

/* Reads a file, or standard input for "-". Says what went wrong; the exit code. */
int input_read(const cli *run, const char *name, text *into);

#endif
