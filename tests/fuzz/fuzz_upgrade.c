/* Steps from one version of a schema to the next, as JSON in the first line, and behind it an edit of the old version in any
 * bytes. Steps that are taken are described, and carry a state and the edit: to the fields of the new version, and so that
 * applying the edit before is as good as after. */
#include "base/assert.h"
#include "merge/merge.h"
#include "schema/difference.h"
#include "value/build.h"
#include "value/json.h"
#include "value/value.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OBJECT                                                                                                         \
    "{\"type\":\"object\",\"fields\":{\"s\":{\"type\":\"string\"},\"t\":{\"type\":\"text\"},\"e\":{\"type\":\"set\"}}" \
    "}"
#define KEPT                                                                                                           \
    "\"s\":{\"type\":\"string\"},\"n\":{\"type\":\"number\",\"min\":0},\"b\":{\"type\":\"boolean\"},\"d\":{\"type\":"  \
    "\"date\"},\"y\":{\"type\":\"bytes\"},\"r\":{\"type\":\"ref\"},\"e\":{\"type\":\"set\"},\"m\":{\"type\":\"map\"}," \
    "\"l\":{\"type\":\"list\"},\"c\":{\"type\":\"counter\"},\"t\":{\"type\":\"text\"},\"o\":" OBJECT

static gt_schema *parse(gt_hasher *hasher, const char *front, gt_bytes steps, const char *back) {
    gt_buf json, definition;
    gt_schema *schema = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&json, &gt_alloc_system);
    gt_buf_init(&definition, &gt_alloc_system);
    gt_buf_append(&json, front, strlen(front));
    gt_buf_append(&json, steps.data, steps.len);
    gt_buf_append(&json, back, strlen(back));
    if (gt_value_from_json_text(gt_buf_bytes(&json), &definition, &diag) == GOAT_OK) {
        gt_schema_parse(&gt_alloc_system, hasher, gt_buf_bytes(&definition), &schema, &diag);
    }
    GOAT_ASSERT(schema != NULL || diag.message[0] != 0);
    gt_buf_free(&json);
    gt_buf_free(&definition);
    return schema;
}

static void apply(const gt_schema *schema, gt_bytes state, gt_bytes delta, gt_buf *out) {
    static const uint8_t id[32];
    gt_step step = {.id = id, .time = 1, .delta = delta};
    GOAT_ASSERT(gt_merge_replay(&gt_alloc_system, schema, state, &step, 1, out, NULL, NULL) == GOAT_OK);
}

static void carry(const gt_upgrade *upgrade, gt_bytes delta) {
    static const uint8_t empty[] = {0xa0};
    const gt_schema *from = gt_upgrade_from(upgrade), *to = gt_upgrade_to(upgrade);
    gt_buf before, after, up, up_delta, expected, actual, described;
    gt_buf *const all[] = {&before, &after, &up, &up_delta, &expected, &actual, &described};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gt_buf_init(all[i], &gt_alloc_system);
    gt_upgrade_describe(upgrade, &described, &count);
    apply(from, gt_bytes_of(empty, 1), delta, &before);
    apply(from, gt_buf_bytes(&before), delta, &after);
    gt_upgrade_state(upgrade, gt_buf_bytes(&before), &up);
    GOAT_ASSERT(gt_value_check(gt_buf_bytes(&up), GT_VALUE_EDIT, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_merge_upgrade_delta(&gt_alloc_system, upgrade, delta, &up_delta, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_merge_check_delta(to, gt_buf_bytes(&up_delta), NULL) == GOAT_OK);
    gt_upgrade_state(upgrade, gt_buf_bytes(&after), &expected);
    apply(to, gt_buf_bytes(&up), gt_buf_bytes(&up_delta), &actual);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&expected), gt_buf_bytes(&actual)));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gt_buf_free(all[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    size_t steps_len = line == NULL ? size : (size_t)(line - data);
    gt_bytes steps = gt_bytes_of(data, steps_len);
    gt_bytes delta = line == NULL ? gt_bytes_of(NULL, 0) : gt_bytes_of(line + 1, size - steps_len - 1);
    gt_hasher *hasher = NULL;
    gt_upgrade *upgrade = NULL;
    GOAT_ASSERT(gt_hasher_new(&gt_alloc_system, &hasher, NULL) == GOAT_OK);
    gt_schema *from = parse(hasher, "{\"ns\":\"f\",\"version\":1,\"fields\":{" KEPT "}}", gt_bytes_of(NULL, 0), "");
    gt_schema *to =
        parse(hasher,
              "{\"ns\":\"f\",\"version\":2,\"fields\":{" KEPT ",\"ss\":{\"type\":\"string\"},"
              "\"nn\":{\"type\":\"number\"},\"dd\":{\"type\":\"date\"},\"mm\":{\"type\":\"map\"},"
              "\"oo\":" OBJECT
              ",\"ee\":{\"type\":\"set\"},\"tt\":{\"type\":\"text\"},\"ll\":{\"type\":\"list\"}},\"upgrade\":",
              steps, "}");
    if (to != NULL && gt_upgrade_new(&gt_alloc_system, from, to, &upgrade, NULL) == GOAT_OK &&
        gt_value_check(delta, GT_VALUE_EDIT, NULL) == GOAT_OK && gt_merge_check_delta(from, delta, NULL) == GOAT_OK) {
        carry(upgrade, delta);
    }
    gt_upgrade_free(upgrade);
    gt_schema_free(to);
    gt_schema_free(from);
    gt_hasher_free(hasher);
    return 0;
}
