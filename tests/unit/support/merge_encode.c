#include "support/merge_encode.h"

#include "support/test.h"
#include "support/test_value.h"

#include <stdio.h>
#include <string.h>

static const char *const elements[MODEL_ELEMENTS] = {"1", "'a'", "'bb'", "[1]", "-7"};
static const char *const keys[MODEL_KEYS] = {"k", "m", "kk", ""};

const char *model_key(size_t index) { return keys[index]; }

void model_write_text(gt_buf *out, int value) {
    char text[16];
    snprintf(text, sizeof text, "t%d", value);
    gt_write_text(out, gt_bytes_text(text));
}

void model_write_list(gt_buf *out, int value) {
    gt_write_array_head(out, 1);
    gt_write_int(out, value);
}

void model_write_set(gt_buf *out, unsigned members) {
    gt_buf notation;
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, "set[");
    for (size_t i = 0; i < MODEL_ELEMENTS; i++) {
        if ((members >> i & 1) != 0) {
            test_text(&notation, "%s%s", notation.len == 4 ? "" : ", ", elements[i]);
        }
    }
    test_text(&notation, "]");
    test_value_write(out, (const char *)notation.data);
    gt_buf_free(&notation);
}

void model_map_begin(model_map *made) {
    made->count = 0;
    gt_buf_init(&made->values, &gt_alloc_system);
    assert_non_null(gt_buf_reserve(&made->values, 4096));
}

void model_map_add(model_map *made, const char *key, size_t begin) {
    made->pairs[made->count++] =
        (gt_pair){gt_bytes_text(key), gt_bytes_of(made->values.data + begin, made->values.len - begin)};
}

void model_map_end(model_map *made, int tombstone, gt_buf *out) {
    gt_buf map;
    gt_buf_init(&map, &gt_alloc_system);
    assert_true(gt_write_map(&map, made->pairs, made->count));
    if (tombstone >= 0) { /* an integer key stands before all others; the counts stay below 24 */
        gt_write_map_head(out, made->count + 1);
        gt_write_int(out, 0);
        gt_write_bool(out, tombstone == 1);
        gt_buf_append(out, map.data + 1, map.len - 1);
    } else {
        gt_buf_append(out, map.data, map.len);
    }
    gt_buf_free(&map);
    gt_buf_free(&made->values);
}

int model_compare_steps(const model_step *a, const model_step *b) {
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }
    return memcmp(a->id, b->id, sizeof a->id);
}
