/* A merge of at most five lists: the smallest next key is looked for in all of them. */
#include "merge/zip.h"

static void advance(gt_zip *zip, unsigned i) {
    gt_iter *iter = &zip->lists[i].iter;
    bool more;
    if (zip->is_map) {
        more = gt_map_next_pair(iter, &zip->lists[i].key, &zip->lists[i].value);
    } else {
        more = gt_array_next(iter, &zip->lists[i].key);
        zip->lists[i].value = zip->lists[i].key;
    }
    if (!more) {
        zip->lists[i].key = gt_bytes_of(NULL, 0);
    }
}

gt_zip gt_zip_begin(bool is_map, const gt_bytes *lists, unsigned count) {
    gt_zip zip;
    zip.count = count;
    zip.is_map = is_map;
    for (unsigned i = 0; i < count; i++) {
        zip.lists[i].iter = (gt_iter){NULL, NULL, 0};
        if (lists[i].data != NULL) {
            zip.lists[i].iter = is_map ? gt_map_iter(lists[i]) : gt_array_iter(lists[i]);
        }
        advance(&zip, i);
    }
    return zip;
}

bool gt_zip_next(gt_zip *zip, gt_zip_item *item) {
    gt_bytes least = {NULL, 0};
    unsigned in = 0;
    for (unsigned i = 0; i < zip->count; i++) {
        gt_bytes key = zip->lists[i].key;
        if (key.data == NULL) {
            continue;
        }
        int order = least.data == NULL ? -1 : gt_bytes_compare(key, least);
        if (order < 0) {
            least = key;
            in = 0;
        }
        in |= order <= 0 ? 1u << i : 0;
    }
    if (in == 0) {
        return false;
    }
    item->in = in;
    item->key = least;
    for (unsigned i = 0; i < zip->count; i++) {
        if ((in >> i & 1) != 0) {
            item->values[i] = zip->lists[i].value;
            advance(zip, i);
        }
    }
    return true;
}
