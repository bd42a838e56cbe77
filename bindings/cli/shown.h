/* Names, keys and messages of the data, as people are shown them: control characters, line ends too, as JSON escapes
 * them. They may come from any peer: none steers a terminal, also behind a pipe, and none forges a line. */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include <stddef.h>

struct text;

void text_add_shown(struct text *t, const char *bytes, size_t len);
void out_shown(const void *bytes, size_t len);

#endif
