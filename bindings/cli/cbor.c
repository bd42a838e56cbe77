#include "cbor.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"

enum { MAJOR_UINT, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { TAG_DATE = 1, SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, WIDTH_FLOAT64 = 27 };

/* ---- Heads ----------------------------------------------------------------------------------- */

typedef struct head {
    int major;      /* -1: there is no whole head */
    unsigned width; /* the low five bits */
    uint64_t number;
} head;

/* Takes the head off the front of `run`. */
static head take_head(cbor *run) {
    head none = {.major = -1};
    if (run->len == 0) {
        return none;
    }
    head h = {.major = run->data[0] >> 5, .width = run->data[0] & 31u};
    size_t more = h.width < 24 ? 0 : h.width <= 27 ? (size_t)1 << (h.width - 24) : SIZE_MAX;
    if (more == SIZE_MAX || run->len - 1 < more) {
        return none;
    }
    h.number = more == 0 ? h.width : 0;
    for (size_t i = 0; i < more; i++) {
        h.number = h.number << 8 | run->data[1 + i];
    }
    run->data += 1 + more;
    run->len -= 1 + more;
    return h;
}

cbor cbor_take(cbor *run) {
    const uint8_t *begin = run->data;
    uint64_t left = 1; /* values still to go over; a bound of the bytes, as each takes one at least */
    cbor at = *run;
    while (left > 0) {
        head h = take_head(&at);
        left--;
        if (h.major < 0 || (h.major >= MAJOR_BYTES && h.major <= MAJOR_MAP && h.number > at.len)) {
            run->len = 0;
            return (cbor){NULL, 0};
        }
        if (h.major == MAJOR_BYTES || h.major == MAJOR_TEXT) {
            at.data += h.number;
            at.len -= (size_t)h.number;
        } else if (h.major == MAJOR_ARRAY) {
            left += h.number;
        } else if (h.major == MAJOR_MAP) {
            left += 2 * h.number;
        } else if (h.major == MAJOR_TAG) {
            left++;
        }
    }
    *run = at;
    return (cbor){begin, (size_t)(at.data - begin)};
}

static cbor inside(cbor item, int major, uint64_t *count) {
    head h = take_head(&item);
    if (count != NULL) {
        *count = h.major == major ? h.number : 0;
    }
    return h.major == major ? item : (cbor){NULL, 0};
}

cbor cbor_array(cbor item, uint64_t *count) { return inside(item, MAJOR_ARRAY, count); }

cbor cbor_map(cbor item, uint64_t *count) { return inside(item, MAJOR_MAP, count); }

cbor cbor_content(cbor item) {
    head h = take_head(&item);
    bool fits = (h.major == MAJOR_BYTES || h.major == MAJOR_TEXT) && h.number <= item.len;
    return fits ? (cbor){item.data, (size_t)h.number} : (cbor){NULL, 0};
}

bool cbor_is_text(cbor item, const char *text) {
    cbor content = cbor_content(item);
    size_t len = strlen(text);
    return content.data != NULL && content.len == len && memcmp(content.data, text, len) == 0;
}

cbor cbor_member(cbor map, const char *name) {
    uint64_t count;
    cbor run = cbor_map(map, &count);
    for (uint64_t i = 0; i < count && run.len > 0; i++) {
        cbor key = cbor_take(&run), value = cbor_take(&run);
        if (cbor_is_text(key, name)) {
            return value;
        }
    }
    return (cbor){NULL, 0};
}

uint64_t cbor_uint(cbor item) {
    head h = take_head(&item);
    return h.major == MAJOR_UINT ? h.number : 0;
}

bool cbor_bool(cbor item) {
    head h = take_head(&item);
    return h.major == MAJOR_SIMPLE && h.width == SIMPLE_TRUE;
}

/* ---- Numbers and dates ----------------------------------------------------------------------- */

static double half_float(uint64_t bits) {
    double fraction = (double)(bits & 0x3ff);
    int exponent = (int)(bits >> 10 & 31);
    double value = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -value : value;
}

static bool number_of(head h, double *number) {
    if (h.major == MAJOR_UINT) {
        *number = (double)h.number;
    } else if (h.major == MAJOR_NEGATIVE) {
        *number = -1.0 - (double)h.number;
    } else if (h.major == MAJOR_SIMPLE && h.width == WIDTH_FLOAT64) {
        memcpy(number, &h.number, sizeof *number);
    } else if (h.major == MAJOR_SIMPLE && h.width == WIDTH_FLOAT64 - 1) {
        uint32_t bits = (uint32_t)h.number;
        float single;
        memcpy(&single, &bits, sizeof single);
        *number = (double)single;
    } else if (h.major == MAJOR_SIMPLE && h.width == WIDTH_FLOAT64 - 2) {
        *number = half_float(h.number);
    } else {
        return false;
    }
    return true;
}

bool cbor_date(cbor item, int64_t *ms) {
    head tag = take_head(&item);
    double seconds;
    if (tag.major != MAJOR_TAG || tag.number != TAG_DATE || !number_of(take_head(&item), &seconds)) {
        return false;
    }
    *ms = (int64_t)llround(seconds * 1000.0);
    return true;
}

void cbor_time_text(int64_t ms, char *text) {
    int64_t part = (ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm tm;
    char date[24];
    if (gmtime_r(&seconds, &tm) == NULL || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        snprintf(text, CBOR_TIME_SIZE, "%" PRId64, ms);
        return;
    }
    snprintf(text, CBOR_TIME_SIZE, "%s.%03dZ", date, (int)part);
}

/* ---- As JSON --------------------------------------------------------------------------------- */

/* The shortest that reads back as the same. */
static void print_double(double number) {
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    out_text(text);
}

static void print_number(head h) {
    double number = 0;
    if (h.major == MAJOR_UINT) {
        out_print("%" PRIu64, h.number);
    } else if (h.major == MAJOR_NEGATIVE && h.number < INT64_MAX) {
        out_print("%" PRId64, -1 - (int64_t)h.number);
    } else if (number_of(h, &number)) {
        print_double(number);
    }
}

static void print_run(cbor run, uint64_t count, bool is_map) {
    out_text(is_map ? "{" : "[");
    for (uint64_t i = 0; i < count && run.len > 0; i++) {
        out_text(i > 0 ? "," : "");
        cbor_print(cbor_take(&run));
        if (is_map) {
            out_text(":");
            cbor_print(cbor_take(&run));
        }
    }
    out_text(is_map ? "}" : "]");
}

/* The library's answers are nested as deeply as values at most: GOAT_VALUE_DEPTH_MAX. */
void cbor_print(cbor item) {
    cbor rest = item;
    head h = take_head(&rest);
    cbor content = cbor_content(item);
    int64_t ms;
    switch (h.major) {
    case MAJOR_BYTES:
        out_text("\"");
        out_hex(content.data, content.len);
        out_text("\"");
        break;
    case MAJOR_TEXT: out_json_string((const char *)content.data, content.len); break;
    case MAJOR_ARRAY:
    case MAJOR_MAP: print_run(rest, h.number, h.major == MAJOR_MAP); break;
    case MAJOR_TAG:
        if (cbor_date(item, &ms)) {
            char text[CBOR_TIME_SIZE];
            cbor_time_text(ms, text);
            out_print("\"%s\"", text);
        } else {
            cbor_print(rest);
        }
        break;
    case MAJOR_SIMPLE:
        if (h.width < WIDTH_FLOAT64 - 2) {
            out_text(h.width == SIMPLE_TRUE ? "true" : h.width == SIMPLE_FALSE ? "false" : "null");
            break;
        }
        print_number(h);
        break;
    case MAJOR_UINT:
    case MAJOR_NEGATIVE: print_number(h); break;
    default: out_text("null"); break;
    }
}
