/* The field types by name, and which kinds of value each may hold. */
#include "schema/parsed.h"

#define KIND(kind) (1u << GT_KIND_##kind)

static const struct {
    const char *name;
    uint32_t kinds;
} types[] = {
    [GT_TYPE_STRING] = {"string", KIND(TEXT)},
    [GT_TYPE_NUMBER] = {"number", KIND(INT) | KIND(DOUBLE)},
    [GT_TYPE_BOOLEAN] = {"boolean", KIND(BOOL)},
    [GT_TYPE_DATE] = {"date", KIND(DATE)},
    [GT_TYPE_BYTES] = {"bytes", KIND(BYTES)},
    [GT_TYPE_REF] = {"ref", KIND(REF)},
    [GT_TYPE_SET] = {"set", KIND(SET)},
    [GT_TYPE_MAP] = {"map", KIND(MAP)},
    [GT_TYPE_COUNTER] = {"counter", KIND(INT)},
    [GT_TYPE_LIST] = {"list", KIND(ARRAY)},
    [GT_TYPE_OBJECT] = {"object", KIND(MAP)},
    [GT_TYPE_TEXT] = {"text", KIND(TEXT)},
    [GT_TYPE_RICHTEXT] = {"richtext", KIND(ARRAY)},
    [GT_TYPE_ORDERSTAMP] = {"orderstamp", KIND(TEXT)},
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

uint32_t gt_type_kinds(gt_type type) { return types[type].kinds; }

const char *gt_type_name(gt_type type) { return types[type].name; }

gt_type gt_type_of_name(gt_bytes name) {
    for (unsigned type = GT_TYPE_STRING; type < TYPE_COUNT; type++) {
        if (gt_bytes_equal(name, gt_bytes_text(types[type].name))) {
            return (gt_type)type;
        }
    }
    return (gt_type)0;
}
