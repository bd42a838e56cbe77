/* Values of each type of field that hold a number of their own. */
#include "workload.h"

#include "value/build.h"

#include <stdio.h>
#include <string.h>

#define FIELD(name, type) "\"" name "\": {\"type\": \"" type "\"}, "
#define FIELD_WITH(name, type, rule, value) "\"" name "\": {\"type\": \"" type "\", \"" rule "\": " value "}, "
#define MERGED(name, type, strategy) FIELD_WITH(name, type, "merge", "\"" strategy "\"")
#define OBJECT(name, fields, last)                                                                                     \
    "\"" name "\": {\"type\": \"object\", \"fields\": {" fields "\"" last "\": {\"type\": \"text\"}}}, "
#define SCHEMA(ns, version, fields, more)                                                                              \
    "{\"ns\": \"" ns "\", \"version\": " version ", \"fields\": {" fields "\"b\": {\"type\": \"boolean\"" more "}"
#define ALL                                                                                                            \
    FIELD("s", "string")                                                                                               \
    MERGED("n", "number", "either")                                                                                    \
    FIELD("d", "date")                                                                                                 \
    FIELD("y", "bytes")                                                                                                \
    FIELD("r", "ref")                                                                                                  \
    FIELD("e", "set")                                                                                                  \
    MERGED("m", "map", "either")                                                                                       \
    FIELD("l", "list")                                                                                                 \
    FIELD("c", "counter")                                                                                              \
    FIELD("x", "text")                                                                                                 \
    MERGED("w", "text", "merged")                                                                                      \
    FIELD("h", "richtext")                                                                                             \
    FIELD("p", "orderstamp")                                                                                           \
    OBJECT("o", FIELD("s", "string") FIELD("e", "set"), "x")

#define STRICT                                                                                                         \
    FIELD_WITH("s", "string", "required", "true")                                                                      \
    FIELD("n", "number")                                                                                               \
    FIELD("d", "date")                                                                                                 \
    FIELD("y", "bytes")                                                                                                \
    FIELD("r", "ref")                                                                                                  \
    FIELD_WITH("e", "set", "max_length", "3")                                                                          \
    FIELD("m", "map")                                                                                                  \
    MERGED("l", "list", "either")                                                                                      \
    FIELD_WITH("c", "counter", "max", "100")                                                                           \
    MERGED("x", "text", "latest")                                                                                      \
    MERGED("w", "text", "either")                                                                                      \
    FIELD_WITH("h", "richtext", "max_length", "60, \"merge\": \"latest\"")                                             \
    MERGED("p", "orderstamp", "either")                                                                                \
    OBJECT("o", FIELD("s", "string") FIELD("e", "set"), "x")

#define VERSION_2 ALL FIELD("t", "string") FIELD("u", "text") FIELD_WITH("extra", "string", "default", "\"none\"")
#define TO_VERSION_2                                                                                                   \
    "\"upgrade\": [{\"copy\": \"s\", \"to\": \"t\"}, {\"copy\": \"x\", \"to\": \"u\"},"                                \
    "{\"default\": \"extra\", \"value\": \"older\"}]"

#define VERSION_3 ALL FIELD("f", "map") FIELD("z", "string") OBJECT("q", "", "u")
#define TO_VERSION_3                                                                                                   \
    "\"upgrade\": [{\"move\": \"extra\", \"to\": [\"f\", \"extra\"]}, {\"rename\": \"t\", \"to\": \"z\"},"             \
    "{\"map\": \"b\", \"values\": [[true, false], [false, true]]}, {\"move\": \"u\", \"to\": [\"q\", \"u\"]}]"

/* What apps edit has the same name in all versions of a note; what is beside it comes and goes. */
const char *const sim_schemas[1 + SIM_VERSIONS] = {
    SCHEMA("strict", "1", STRICT, "") "}}",
    SCHEMA("note", "1", ALL, ", \"default\": false") "}}",
    SCHEMA("note", "2", VERSION_2, ", \"default\": true") "}, " TO_VERSION_2 "}",
    SCHEMA("note", "3", VERSION_3, ", \"default\": true") "}, " TO_VERSION_3 "}",
};

const char *const sim_field_names[SIM_FIELDS] = {"s", "n", "b", "d", "y", "r",   "e",   "m",
                                                 "l", "c", "x", "w", "h", "o.s", "o.x", "p"};

bool sim_has_rule(const char *field, const char *rule) {
    static const char *const rules[][2] = {
        {"s", "required"}, {"e", "max_length"}, {"c", "max"}, {"h", "max_length"}}; /* of STRICT */
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(field, rules[i][0]) == 0 && strcmp(rule, rules[i][1]) == 0) return true;
    }
    return false;
}

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
