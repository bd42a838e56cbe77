/* A growing text. Running out of memory ends the program with one line: nothing that is stored is at risk. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

typedef struct text {
    char *data;
    size_t len, capacity;
} text;

void text_add(text *t, const char *bytes, size_t len);
void text_add_c(text *t, const char *string);
void text_add_json(text *t, const char *bytes, size_t len); /* as a JSON string */
void text_free(text *t);

#endif
