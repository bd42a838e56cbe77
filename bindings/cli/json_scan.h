/* The scanner behind json.h. Only for json.c and json_members.c. */
#ifndef CLI_JSON_SCAN_H
#define CLI_JSON_SCAN_H

#include "json.h"

typedef struct json_scan {
    const char *at, *end, *begin;
    json_fault *fault;
} json_scan;

json_scan json_scan_of(json_slice text, json_fault *fault);

/* Notes the fault at the present place. Gives false. */
bool json_wrong(json_scan *s, const char *text);

void json_skip_space(json_scan *s);

/* Goes behind a name and the colon that follows; `name` (may be NULL) is the name in its quotes. */
bool json_take_name(json_scan *s, json_slice *name);

/* Goes behind one value; `value` is it without the white space around it. */
bool json_take_value(json_scan *s, json_slice *value);

/* Whether nothing but white space follows. */
bool json_at_end(json_scan *s);

/* The value of a hexadecimal digit, or -1. */
int json_hex(char c);

#endif
