/* Reading paths. Every fault is found from left to right, so that the position is where a person would
 * point at. */
#include "value/path.h"

#include "base/utf8.h"

static bool is_name_byte(uint8_t byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
}

static const char *fault_at(size_t *position, size_t at, const char *words) {
    if (position != NULL) {
        *position = at;
    }
    return words;
}

const char *gt_name_fault(gt_bytes name, size_t *position) {
    if (name.len == 0) {
        return fault_at(position, 0, "the name is empty");
    }
    if (name.data[0] == '.') { /* no name may hide as a file, or climb as ".." does */
        return fault_at(position, 0, "a name does not begin with a dot");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.data[i])) {
            return fault_at(position, i, "a name consists of A-Z a-z 0-9 . _ -");
        }
        if (i == GOAT_NAME_MAX) {
            return fault_at(position, i, "the name is longer than 64 bytes");
        }
    }
    return NULL;
}

const char *gt_key_fault(gt_bytes key, size_t *position) {
    size_t at = 0;
    if (key.len == 0) {
        return fault_at(position, 0, "the item's key is empty");
    }
    if (key.data[0] == '.' && (key.len == 1 || (key.len == 2 && key.data[1] == '.'))) {
        return fault_at(position, 0, "an item's key is not '.' or '..'");
    }
    for (size_t i = 0; i < key.len && i <= GOAT_KEY_MAX; i++) {
        if (key.data[i] == '/') {
            return fault_at(position, i, "an item's key holds no '/'");
        }
        if (key.data[i] < 0x20 || key.data[i] == 0x7f) {
            return fault_at(position, i, "an item's key holds no control characters");
        }
    }
    if (key.len > GOAT_KEY_MAX) {
        return fault_at(position, GOAT_KEY_MAX, "the item's key is longer than 512 bytes");
    }
    if (!gt_utf8_valid(key.data, key.len, &at)) {
        return fault_at(position, at, "the item's key is not UTF-8");
    }
    return NULL;
}

/* The part of `text` from `from` up to the next '/' or the end. */
static gt_bytes part_at(gt_bytes text, size_t from) {
    const uint8_t *slash = from < text.len ? memchr(text.data + from, '/', text.len - from) : NULL;
    size_t end = slash != NULL ? (size_t)(slash - text.data) : text.len;
    return gt_bytes_of(text.data + from, end - from);
}

static const char *path_fault(gt_bytes text, gt_path *path, size_t *position) {
    const char *fault;
    size_t at = 0, from = 1;

    if (text.len == 0 || text.data[0] != '/') {
        return fault_at(position, 0, "a path begins with '/'");
    }
    path->type = part_at(text, from);
    if ((fault = gt_name_fault(path->type, &at)) != NULL) {
        return fault_at(position, from + at, fault);
    }
    from += path->type.len;
    if (from == text.len) {
        return fault_at(position, from, "a path has two parts or three");
    }
    path->name = part_at(text, ++from);
    if ((fault = gt_name_fault(path->name, &at)) != NULL) {
        return fault_at(position, from + at, fault);
    }
    from += path->name.len;
    if (from == text.len) {
        path->key = gt_bytes_of(NULL, 0);
        return NULL;
    }
    from++;
    path->key = gt_bytes_behind(text, from);
    if ((fault = gt_key_fault(path->key, &at)) != NULL) {
        return fault_at(position, from + at, fault);
    }
    return NULL;
}

const char *gt_item_path_fault(gt_bytes text, size_t *position) {
    gt_path path;
    const char *fault = path_fault(text, &path, position);
    if (fault == NULL && path.key.data == NULL) {
        return fault_at(position, text.len, "an item's path has three parts");
    }
    return fault;
}

goat_status gt_path_parse(gt_bytes text, gt_path *path, gt_diag *diag) {
    size_t position = 0;
    const char *fault = path_fault(text, path, &position);
    return fault == NULL ? GOAT_OK : gt_fail_at(diag, GOAT_INVALID, position, "not a path: %s", fault);
}

goat_status gt_path_parse_repo(gt_bytes text, gt_path *path, gt_diag *diag) {
    goat_status status = gt_path_parse(text, path, diag);
    if (status == GOAT_OK && path->key.data != NULL) {
        return gt_fail_at(diag, GOAT_INVALID, (uint64_t)(path->key.data - text.data) - 1,
                          "not the path of a repository: it has three parts");
    }
    return status;
}

goat_status gt_path_parse_item(gt_bytes text, gt_path *path, gt_diag *diag) {
    goat_status status = gt_path_parse(text, path, diag);
    if (status == GOAT_OK && path->key.data == NULL) {
        return gt_fail_at(diag, GOAT_INVALID, text.len, "not the path of an item: it has two parts");
    }
    return status;
}
