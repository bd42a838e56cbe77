/* What all storages check and say in the same way. */
#include "port/port.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool part_valid(const char *part, size_t len) {
    bool dots = (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.');
    return len != 0 && !dots && part[0] != '~';
}

bool gt_port_name_valid(const char *name) {
    if (strlen(name) > GT_PORT_NAME_MAX || strcmp(name, "lock") == 0) {
        return false;
    }
    for (int depth = 0; depth < GT_PORT_NAME_DEPTH_MAX; depth++) {
        size_t len = strcspn(name, "/");
        if (!part_valid(name, len)) {
            return false;
        }
        if (name[len] == 0) {
            return true;
        }
        name += len + 1;
    }
    return false;
}

bool gt_port_folder_valid(const char *name) { return name[0] == 0 || gt_port_name_valid(name); }

bool gt_port_request_valid(const goat_io_request *request) {
    if (request->data_len != 0 && request->data == NULL) {
        return false;
    }
    switch (request->kind) {
    case GOAT_IO_LOCK:
    case GOAT_IO_UNLOCK: return true;
    case GOAT_IO_LIST: return request->name != NULL && gt_port_folder_valid(request->name);
    case GOAT_IO_READ:
    case GOAT_IO_REPLACE:
    case GOAT_IO_REMOVE:
    case GOAT_IO_OPEN: return request->name != NULL && gt_port_name_valid(request->name);
    case GOAT_IO_LOAD:
    case GOAT_IO_APPEND:
    case GOAT_IO_SYNC:
    case GOAT_IO_TRUNCATE:
    case GOAT_IO_CLOSE: return request->file != 0;
    default: return false;
    }
}

goat_status gt_port_result_fail(goat_io_result *result, goat_status status, const char *format, ...) {
    result->status = status;
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(result->message, sizeof result->message, format, arguments);
    va_end(arguments);
    if (len < 0) {
        result->message[0] = 0;
    } else if ((size_t)len >= sizeof result->message) {
        result->message[gt_utf8_cut(result->message, sizeof result->message - 1)] = 0;
    }
    return status;
}
