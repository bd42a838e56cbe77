/* Values of each type of field that hold a number of their own. */
#include "workload.h"

#include "value/build.h"

#include <stdio.h>
#include <string.h>

#define OBJECT(more)                                                                                                   \
    "\"o\": {\"type\": \"object\", \"fields\": {\"s\": {\"type\": \"string\"}, \"x\": {\"type\": \"text\"}, \"e\": "   \
    "{\"type\": \"set\"}" more "}},"

#define FIELDS                                                                                                         \
    "\"s\": {\"type\": \"string\"}, \"n\": {\"type\": \"number\", \"merge\": \"either\"}, \"d\": {\"type\": "          \
    "\"date\"},"                                                                                                       \
    "\"y\": {\"type\": \"bytes\"}, \"r\": {\"type\": \"ref\"}, \"e\": {\"type\": \"set\"},"                            \
    "\"m\": {\"type\": \"map\", \"merge\": \"either\"}, \"l\": {\"type\": \"list\"}, \"c\": {\"type\": \"counter\"},"  \
    "\"x\": {\"type\": \"text\"}, \"w\": {\"type\": \"text\", \"merge\": \"merged\"}, \"h\": {\"type\": "              \
    "\"richtext\"},"                                                                                                   \
    "\"p\": {\"type\": \"orderstamp\"},"

/* What apps edit has the same name in all versions of a note; what is beside it comes and goes. */
const char *const sim_schemas[1 + SIM_VERSIONS] = {
    "{\"ns\": \"strict\", \"version\": 1, \"fields\": {\"s\": {\"type\": \"string\", \"required\": true}, " OBJECT(
        "") "\"n\": {\"type\": \"number\"}, \"b\": {\"type\": \"boolean\"}, \"d\": {\"type\": \"date\"},"
            "\"y\": {\"type\": \"bytes\"}, \"r\": {\"type\": \"ref\"}, \"e\": {\"type\": \"set\", \"max_length\": 3},"
            "\"m\": {\"type\": \"map\"}, \"l\": {\"type\": \"list\"}, \"c\": {\"type\": \"counter\", \"max\": 100},"
            "\"x\": {\"type\": \"text\", \"merge\": \"latest\"}, \"w\": {\"type\": \"text\", \"merge\": \"either\"},"
            "\"h\": {\"type\": \"richtext\", \"max_length\": 60}, \"p\": {\"type\": \"orderstamp\", \"merge\": "
            "\"either\"}}}",
    "{\"ns\": \"note\", \"version\": 1, \"fields\": {" FIELDS OBJECT(
        "") "\"b\": {\"type\": \"boolean\", \"default\": false}}}",
    "{\"ns\": \"note\", \"version\": 2, \"fields\": {" FIELDS OBJECT(
        "") "\"b\": {\"type\": \"boolean\", \"default\": true}, \"u\": {\"type\": \"text\"},"
            "\"extra\": {\"type\": \"string\", \"default\": \"none\"}, \"t\": {\"type\": \"string\"}},"
            "\"upgrade\": [{\"copy\": \"s\", \"to\": \"t\"}, {\"default\": \"extra\", \"value\": \"older\"},"
            "{\"copy\": \"x\", \"to\": \"u\"}]}",
    "{\"ns\": \"note\", \"version\": 3, \"fields\": {" FIELDS OBJECT(
        ", \"u\": {\"type\": \"text\"}") "\"b\": {\"type\": \"boolean\", \"default\": true}, \"f\": {\"type\": "
                                         "\"map\"}, \"z\": {\"type\": \"string\"}},"
                                         "\"upgrade\": [{\"move\": \"extra\", \"to\": [\"f\", \"extra\"]}, "
                                         "{\"rename\": \"t\", \"to\": \"z\"},"
                                         "{\"map\": \"b\", \"values\": [[true, false], [false, true]]}, {\"move\": "
                                         "\"u\", \"to\": [\"o\", \"u\"]}]}",
};

const char *const sim_field_names[SIM_FIELDS] = {"s", "n", "b", "d", "y", "r",   "e",   "m",
                                                 "l", "c", "x", "w", "h", "o.s", "o.x", "p"};

static int64_t number_of(uint64_t marker) { return (int64_t)(marker + (UINT64_C(1) << 40)); }

static void write_element(uint64_t marker, gt_buf *out) { gt_write_int(out, number_of(marker)); }

static void keep(gt_buf *out, size_t from, sim_pending *pending) {
    size_t len = out->len - from;
    if (len > sizeof(pending->value)) return;
    memcpy(pending->value, out->data + from, len);
    pending->len = (uint8_t)len;
}

void sim_write_value(sim_field field, uint64_t marker, gt_buf *out, sim_pending *pending) {
    char text[32];
    uint8_t bytes[8];
    size_t from = out->len;
    pending->len = 0;
    switch (field) {
    case SIM_STRING:
    case SIM_INNER:
        snprintf(text, sizeof(text), "text %llu", (unsigned long long)marker);
        gt_write_text(out, gt_bytes_text(text));
        break;
    case SIM_NUMBER: gt_write_int(out, number_of(marker)); break;
    case SIM_DATE: gt_write_date_ms(out, number_of(marker) * 10 + 1); break;
    case SIM_BYTES:
        gt_put_u64(bytes, marker);
        gt_write_bytes(out, gt_bytes_of(bytes, sizeof(bytes)));
        break;
    case SIM_REF:
        snprintf(text, sizeof(text), "/data/a/%llu", (unsigned long long)marker);
        gt_write_ref(out, gt_bytes_text(text));
        break;
    case SIM_TEXT:
    case SIM_MERGED_TEXT:
    case SIM_RICH:
    case SIM_INNER_TEXT: /* others may be written beside it: what is found is not the whole of a text */
        snprintf(text, sizeof(text), "<%llu>", (unsigned long long)marker);
        gt_buf_append(out, text, strlen(text));
        break;
    case SIM_STAMP:
        snprintf(text, sizeof(text), "%c%013llu", (int)('e' + marker % 18), (unsigned long long)marker);
        gt_write_text(out, gt_bytes_text(text));
        break;
    case SIM_LIST:
        gt_write_array_head(out, 2);
        gt_write_int(out, (int64_t)(marker % 4));
        from = out->len;
        write_element(marker, out);
        break;
    case SIM_SET:
    case SIM_MAP: write_element(marker, out); break; /* an element, or the value of a key */
    case SIM_COUNTER: gt_write_int(out, (int64_t)(marker % 1000)); return;
    default: gt_write_bool(out, marker % 2 == 0); return;
    }
    keep(out, from, pending);
}
