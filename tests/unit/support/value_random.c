/* Everything is written by build.h, so what is made here is a value if the writers keep their word. */
#include "support/value_random.h"

#include "support/test.h"
#include "value/build.h"
#include "value/value.h"

#include <float.h>

enum { ITEMS_MAX = 8, BYTES_MAX = 40 };

static bool one_in(test_random *random, uint32_t n) { return test_random_below(random, n) == 0; }

static int64_t random_int(test_random *random) {
    static const int64_t borders[] = {0,          23,          24,        255,       256,       65535,        65536,
                                      UINT32_MAX, 0x100000000, 1LL << 53, INT64_MAX, INT64_MIN, -(1LL << 53), -24};
    if (one_in(random, 2)) {
        int64_t border = borders[test_random_below(random, sizeof borders / sizeof borders[0])];
        int64_t step = (int64_t)test_random_below(random, 3) - 1;
        bool over = (border == INT64_MAX && step > 0) || (border == INT64_MIN && step < 0);
        return over ? border : border + step;
    }
    return (int64_t)(test_random_u64(random) >> test_random_below(random, 64));
}

static double random_double(test_random *random) {
    static const double borders[] = {0.5,      1.5,       -0.0,    0x1p53,       0x1.0000000000001p53,
                                     -0x1p63,  0x1p63,    65504.5, 65536.25,     0x1p-24,
                                     0x1p-25,  FLT_MAX,   DBL_MAX, -DBL_MIN,     0x1p-149,
                                     0x1p-150, 0x1p-1074, 0.1,     (double)0.1f, 1e300,
                                     1e-300};
    double number = 0;
    if (one_in(random, 2)) {
        return borders[test_random_below(random, sizeof borders / sizeof borders[0])];
    }
    if (one_in(random, 2)) {
        return (double)(int64_t)test_random_u64(random) / (double)(1 << test_random_below(random, 20));
    }
    do {
        uint64_t bits = test_random_u64(random);
        memcpy(&number, &bits, sizeof number);
    } while (!(number - number == 0));
    return number;
}

static size_t random_text(test_random *random, uint8_t *text) {
    static const char *const pieces[] = {
        "a",  "b",  "A",    "0",    "$",    "\"",       "\\",           "/",
        "\n", "\t", "\x01", "\x1f", "\x7f", "\xc3\xbc", "\xe6\xb0\xb4", "\xf0\x90\x85\x91",
        "",   " ",  "date"};
    size_t len = 0;
    for (uint32_t left = test_random_below(random, one_in(random, 8) ? 30 : 4); left > 0 && len < BYTES_MAX; left--) {
        const char *piece = pieces[test_random_below(random, sizeof pieces / sizeof pieces[0])];
        size_t piece_len = piece[0] == '\0' ? 1 : strlen(piece); /* U+0000 is a character, too */
        memcpy(text + len, piece, piece_len);
        len += piece_len;
    }
    return len;
}

static size_t random_key(test_random *random, int flags, uint8_t *key) {
    static const char *const words[] = {"date", "bytes", "set", "ref", "dat", "", "refs"};
    if ((flags & VALUE_RANDOM_DOLLARS) == 0 || one_in(random, 8)) {
        return random_text(random, key);
    }
    size_t marks = test_random_below(random, 4);
    const char *word = words[test_random_below(random, sizeof words / sizeof words[0])];
    memset(key, '$', marks);
    memcpy(key + marks, word, strlen(word));
    return marks + strlen(word);
}

static void random_ref(test_random *random, gt_buf *out) {
    static const char *const paths[] = {"/a/b/c", "/data/goats/lilly", "/sys/schemas/task@1", "/A.9/_-/ \xc3\xbc$\\\""};
    gt_write_ref(out, gt_bytes_text(paths[test_random_below(random, sizeof paths / sizeof paths[0])]));
}

static void random_date(test_random *random, gt_buf *out) {
    int64_t range = GT_DATE_MAX_MS - GT_DATE_MIN_MS + 1;
    int64_t date_ms = GT_DATE_MIN_MS + (int64_t)(test_random_u64(random) % (uint64_t)range);
    if (one_in(random, 2)) {
        date_ms -= date_ms % 1000;
    }
    assert_true(gt_write_date_ms(out, date_ms));
}

/* Elements in `items` behind each other; `ends` of each. */
static size_t random_items(test_random *random, uint32_t depth, int flags, gt_buf *items, size_t *ends) {
    size_t count = test_random_below(random, ITEMS_MAX + 1);
    gt_buf_init(items, &gt_alloc_system);
    for (size_t i = 0; i < count; i++) {
        value_random(random, depth, flags, items);
        ends[i] = items->len;
    }
    return count;
}

static gt_bytes item_at(const gt_buf *items, const size_t *ends, size_t i) {
    size_t begin = i == 0 ? 0 : ends[i - 1];
    return gt_bytes_of(items->data + begin, ends[i] - begin);
}

static void random_array(test_random *random, uint32_t depth, int flags, gt_buf *out) {
    gt_buf items;
    size_t ends[ITEMS_MAX];
    size_t count = random_items(random, depth - 1, flags & ~VALUE_RANDOM_EDITS, &items, ends);
    gt_write_array_head(out, count);
    gt_buf_append(out, items.data, items.len);
    gt_buf_free(&items);
}

static void random_set(test_random *random, uint32_t depth, int flags, gt_buf *out) {
    gt_buf items;
    size_t ends[ITEMS_MAX];
    gt_bytes elements[ITEMS_MAX];
    size_t count = random_items(random, depth - 2, flags & ~VALUE_RANDOM_EDITS, &items, ends);
    for (size_t i = 0; i < count; i++) {
        elements[i] = item_at(&items, ends, i);
    }
    gt_write_set(out, elements, count);
    gt_buf_free(&items);
}

static void random_map(test_random *random, uint32_t depth, int flags, gt_buf *out) {
    gt_buf items, map;
    size_t ends[ITEMS_MAX], distinct = 0;
    uint8_t keys[ITEMS_MAX][2 * BYTES_MAX];
    gt_pair pairs[ITEMS_MAX];
    size_t count = random_items(random, depth - 1, flags, &items, ends);
    bool with_integers = (flags & VALUE_RANDOM_EDITS) != 0 && one_in(random, 2);
    for (size_t i = 0; i < count; i++) {
        gt_bytes key = gt_bytes_of(keys[i], random_key(random, flags, keys[i]));
        bool is_new = true;
        for (size_t other = 0; other < distinct; other++) {
            is_new = is_new && !gt_bytes_equal(pairs[other].key, key);
        }
        if (is_new) {
            pairs[distinct++] = (gt_pair){key, item_at(&items, ends, i)};
        }
    }
    gt_buf_init(&map, &gt_alloc_system);
    assert_true(gt_write_map(&map, pairs, distinct));
    if (with_integers) { /* two of them, before all texts; the head of at most 8 pairs is one byte */
        gt_write_map_head(out, distinct + 2);
        gt_write_int(out, 0);
        gt_write_undefined(out);
        gt_write_int(out, 24);
        gt_write_bool(out, true);
        gt_buf_append(out, map.data + 1, map.len - 1);
    } else {
        gt_buf_append(out, map.data, map.len);
    }
    gt_buf_free(&map);
    gt_buf_free(&items);
}

void value_random(test_random *random, uint32_t depth, int flags, gt_buf *out) {
    uint8_t bytes[2 * BYTES_MAX];
    switch (test_random_below(random, 14)) {
    case 0: gt_write_null(out); return;
    case 1: gt_write_bool(out, one_in(random, 2)); return;
    case 2: gt_write_int(out, random_int(random)); return;
    case 3: assert_true(gt_write_double(out, random_double(random))); return;
    case 4: gt_write_text(out, gt_bytes_of(bytes, random_text(random, bytes))); return;
    case 5:
        test_random_fill(random, bytes, BYTES_MAX);
        gt_write_bytes(out, gt_bytes_of(bytes, test_random_below(random, BYTES_MAX + 1)));
        return;
    case 6:
        if (depth >= 1) {
            random_date(random, out);
            return;
        }
        break;
    case 7:
        if (depth >= 1) {
            random_ref(random, out);
            return;
        }
        break;
    case 8:
    case 9:
        if (depth >= 1) {
            random_array(random, depth, flags, out);
            return;
        }
        break;
    case 10:
        if (depth >= 2) {
            random_set(random, depth, flags, out);
            return;
        }
        break;
    default:
        if (depth >= 1) {
            random_map(random, depth, flags, out);
            return;
        }
        break;
    }
    gt_write_int(out, random_int(random));
}

/* ---- written anew ---- */

static void rewrite_map(gt_bytes value, gt_buf *out) {
    gt_bytes key, inner;
    gt_iter iter = gt_map_iter(value);
    gt_write_map_head(out, gt_value_count(value));
    while (gt_map_next_pair(&iter, &key, &inner)) {
        value_rewrite(key, out);
        value_rewrite(inner, out);
    }
}

static void rewrite_elements(gt_bytes value, gt_buf *out) {
    gt_bytes element;
    gt_iter iter = gt_array_iter(value);
    gt_write_array_head(out, gt_value_count(value));
    while (gt_array_next(&iter, &element)) {
        value_rewrite(element, out);
    }
}

void value_rewrite(gt_bytes value, gt_buf *out) {
    bool truth = false;
    int64_t integer = 0;
    double number = 0;
    gt_bytes string = {0};
    switch (gt_value_kind(value)) {
    case GT_KIND_NULL: gt_write_null(out); break;
    case GT_KIND_UNDEFINED: gt_write_undefined(out); break;
    case GT_KIND_BOOL:
        assert_true(gt_value_as_bool(value, &truth));
        gt_write_bool(out, truth);
        break;
    case GT_KIND_INT:
        assert_true(gt_value_as_int64(value, &integer));
        gt_write_int(out, integer);
        break;
    case GT_KIND_DOUBLE:
        assert_true(gt_value_as_double(value, &number));
        assert_true(gt_write_double(out, number));
        break;
    case GT_KIND_TEXT:
        assert_true(gt_value_as_text(value, &string));
        gt_write_text(out, string);
        break;
    case GT_KIND_BYTES:
        assert_true(gt_value_as_bytes(value, &string));
        gt_write_bytes(out, string);
        break;
    case GT_KIND_REF:
        assert_true(gt_value_as_ref(value, &string));
        gt_write_ref(out, string);
        break;
    case GT_KIND_DATE:
        assert_true(gt_value_as_date_ms(value, &integer));
        assert_true(gt_write_date_ms(out, integer));
        break;
    case GT_KIND_SET:
        gt_write_tag(out, GT_TAG_SET);
        rewrite_elements(value, out);
        break;
    case GT_KIND_ARRAY: rewrite_elements(value, out); break;
    default: rewrite_map(value, out); break;
    }
}
