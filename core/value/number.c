/* Numbers as JSON text, whatever the locale of the host's thread. */
#include "value/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t gt_int_write(char out[GT_NUMBER_TEXT_MAX], int64_t number) {
    char digits[20];
    size_t count = 0, len = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        out[len++] = '-';
    }
    while (count > 0) {
        out[len++] = digits[--count];
    }
    return len;
}

size_t gt_double_write_text(char out[GT_NUMBER_TEXT_MAX], double number) {
    char text[64];
    size_t len = 0;
    bool real = false;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("0123456789+-e", *p) != NULL) {
            real = real || *p == 'e';
            out[len++] = *p;
        } else if (!real) { /* the decimal point of the locale, in one byte or several */
            real = true;
            out[len++] = '.';
        }
    }
    if (!real) {
        out[len++] = '.';
        out[len++] = '0';
    }
    return len;
}
