/* What strangers write into requests, and users into command lines: URLs of servers, paths of static files, origins,
 * tags. The first byte says what the rest is; some have two parts, divided by a line feed. */
#include "base/assert.h"
#include "net/request.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted can be written into a request as it is, and means the same when it is read again. */
static void try_url(gt_bytes text) {
    gt_url url, again;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_url_parse(text, &url, &diag);
    GOAT_ASSERT(status == GOAT_OK || status == GOAT_INVALID || status == GOAT_TOO_LARGE);
    GOAT_ASSERT(status == GOAT_OK || diag.message[0] != 0);
    if (status != GOAT_OK) return;
    GOAT_ASSERT(url.port != 0 && url.host[0] != 0 && url.path[0] == '/');
    for (const char *p = url.path; *p != 0; p++) GOAT_ASSERT(*p > ' ' && *p < 0x7f);
    for (const char *p = url.authority; *p != 0; p++) GOAT_ASSERT(*p > ' ' && *p < 0x7f);
    char written[GT_URL_MAX];
    snprintf(written, sizeof(written), "%s%s%s", url.secure ? "wss://" : "ws://", url.authority, url.path);
    status = gt_url_parse(gt_bytes_text(written), &again, NULL);
    GOAT_ASSERT(status == GOAT_OK);
    GOAT_ASSERT(memcmp(&url, &again, sizeof(url)) == 0);
}

/* What is accepted leads nowhere but down. */
static void try_path(gt_bytes path) {
    gt_buf out;
    if (!gt_request_path_valid(path)) return;
    GOAT_ASSERT(path.len > 0 && path.data[0] == '/' && memchr(path.data, 0, path.len) == NULL);
    for (size_t i = 0; i + 1 < path.len; i++) {
        GOAT_ASSERT(path.data[i] != '/' || (path.data[i + 1] != '.' && path.data[i + 1] != '/'));
    }
    GOAT_ASSERT(gt_request_content_type(path) != NULL);
    gt_buf_init(&out, &gt_alloc_system);
    gt_request_encode_path(&out, path);
    for (size_t i = 0; i < out.len; i++) GOAT_ASSERT(out.data[i] > ' ' && out.data[i] < 0x7f);
    gt_buf_free(&out);
}

static bool is_short(void *context, const char *name) {
    (void)context;
    GOAT_ASSERT(name[0] != 0 && strlen(name) <= GT_REQUEST_HOST_MAX);
    return strlen(name) < 4;
}

static void try_headers(gt_bytes first, gt_bytes second) {
    char *allowed = gt_copy(&gt_alloc_system, second.data, second.len);
    GOAT_ASSERT(allowed != NULL);
    gt_request_origin_allowed(first, second, "", is_short, NULL);
    gt_request_origin_allowed(first, gt_bytes_text("localhost"), allowed, is_short, NULL);
    gt_request_tag_matches(first, second);
    GOAT_ASSERT(gt_request_list_has(first, "goat.sync.1") || !gt_bytes_equal(first, gt_bytes_text("goat.sync.1")));
    GOAT_ASSERT(!gt_request_origin_allowed(gt_bytes_text("null"), first, "", is_short, NULL));
    gt_free(&gt_alloc_system, allowed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    /* A copy of exactly its size, so that a read behind its end is seen. */
    uint8_t *copy = malloc(size);
    GOAT_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    gt_bytes rest = gt_bytes_of(copy + 1, size - 1);
    const uint8_t *line = memchr(rest.data, '\n', rest.len);
    size_t len = line == NULL ? rest.len : (size_t)(line - rest.data);
    gt_bytes second = line == NULL ? gt_bytes_text("") : gt_bytes_of(line + 1, rest.len - len - 1);
    switch (copy[0] % 3) {
    case 0: try_url(rest); break;
    case 1: try_path(rest); break;
    default: try_headers(gt_bytes_of(rest.data, len), second); break;
    }
    free(copy);
    return 0;
}
