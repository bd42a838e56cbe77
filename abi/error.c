/* Errors: what a diagnostic says, in memory of its own that the caller may keep. */
#include "abi.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

struct goat_error {
    goat_status status;
    double position;
    const char *message, *path, *field, *rule; /* in `text` */
    char text[];
};

/* For when there is no memory for any other. It is nobody's, so it is not counted and not freed. */
static const goat_error no_memory = {
    .status = GOAT_NO_MEMORY, .position = -1, .message = "out of memory", .path = "", .field = "", .rule = ""};

static goat_error *the_static_one(void) { return (goat_error *)(uintptr_t)&no_memory; /* nobody writes to it */ }

static const char *keep(char **to, const char *text) {
    const char *kept = *to;
    size_t size = strlen(text) + 1;
    memcpy(*to, text, size);
    *to += size;
    return kept;
}

goat_status gt_error_set(goat_error **error, goat_status status, const gt_diag *diag) {
    if (error == NULL) return status;
    gt_diag bare;
    if (!gt_diag_is_set(diag)) { /* a lower layer had nothing to add to the number */
        gt_diag_init(&bare);
        gt_fail(&bare, status, "%s", status == GOAT_NO_MEMORY ? "out of memory" : gt_status_name(status));
        diag = &bare;
    }
    size_t size = strlen(diag->message) + strlen(diag->path) + strlen(diag->field) + strlen(diag->rule) + 4;
    goat_error *made = gt_new(&gt_alloc_system, 1, sizeof(*made) + size);
    if (made == NULL) {
        *error = the_static_one();
        return GOAT_NO_MEMORY;
    }
    char *end = made->text;
    made->status = status;
    made->position = diag->position == GT_NO_POSITION ? -1 : (double)diag->position;
    made->message = keep(&end, diag->message);
    made->path = keep(&end, diag->path);
    made->field = keep(&end, diag->field);
    made->rule = keep(&end, diag->rule);
    gt_live_more();
    *error = made;
    return status;
}

goat_status gt_misuse(goat_error **error, const char *format, ...) {
    if (error == NULL) return GOAT_MISUSE;
    gt_diag diag;
    char words[GT_DIAG_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    gt_diag_init(&diag);
    return gt_error_set(error, gt_fail(&diag, GOAT_MISUSE, "%s", words), &diag);
}

void goat_error_free(goat_error *error) {
    if (error == NULL || error == the_static_one()) return;
    gt_free(&gt_alloc_system, error);
    gt_live_less();
}

goat_status goat_error_status(const goat_error *error) { return error == NULL ? GOAT_OK : error->status; }

const char *goat_error_message(const goat_error *error) { return error == NULL ? "" : error->message; }

const char *goat_error_detail(const goat_error *error, int32_t detail) {
    if (error == NULL) return "";
    switch (detail) {
    case GOAT_DETAIL_PATH: return error->path;
    case GOAT_DETAIL_FIELD: return error->field;
    case GOAT_DETAIL_RULE: return error->rule;
    default: return "";
    }
}

double goat_error_position(const goat_error *error) { return error == NULL ? -1 : error->position; }

bool goat_error_is_retryable(const goat_error *error) {
    goat_status status = goat_error_status(error);
    return status == GOAT_LOADING || (status >= GOAT_NO_MEMORY && status <= GOAT_CANCELLED);
}

bool goat_error_is_corruption(const goat_error *error) {
    goat_status status = goat_error_status(error);
    return status == GOAT_CORRUPT || status == GOAT_UNTRUSTED;
}

/* ---- what arguments are held to ---- */

gt_bytes gt_given(const void *bytes, size_t len) { return gt_bytes_of(bytes == NULL ? "" : bytes, len); }

goat_status gt_check_utf8(gt_bytes text, const char *what, gt_diag *diag) {
    size_t position = 0;
    if (gt_utf8_valid(text.data, text.len, &position)) return GOAT_OK;
    return gt_fail_at(diag, GOAT_INVALID, position, "%s is not UTF-8", what);
}
