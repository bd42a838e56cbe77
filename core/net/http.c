/* Requests and answers. lws has parsed the head of the request and decoded the path; what they mean is decided here.
 *
 * A body goes out in pieces, each when the socket takes it, so a slow reader holds 64 KiB and, of a larger file, a file
 * descriptor; of those there are only so many. */
#define _GNU_SOURCE
#include "net/http.h"

#include "net/request.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    HEAD_MAX = 4096,
    PIECE = 64 * 1024,
    LOCATION_MAX = 3 * GT_REQUEST_PATH_MAX + 2,
    HEADER_MAX = 1024, /* of a request's that is looked at */
};

struct gt_answer {
    unsigned int status;
    const char *type;          /* of the body; NULL: there is none */
    char tag[GT_FILE_TAG_MAX]; /* empty: none */
    const char *allow;         /* NULL */
    gt_buf location;           /* empty: none */
    bool is_cached;            /* may be kept, and asked for again */
    int descriptor;            /* the body is this file; -1 */
    gt_buf text;               /* or this */
    uint64_t at, size;
    bool is_head; /* the body is not sent */
    bool closes;
};

void gt_answer_free(gt_connection *connection) {
    gt_answer *answer = connection->answer;
    if (answer == NULL) return;
    if (answer->descriptor >= 0) {
        close(answer->descriptor);
        connection->loop->open_files--;
    }
    gt_buf_free(&answer->text);
    gt_buf_free(&answer->location);
    gt_free(connection->loop->alloc, answer);
    connection->answer = NULL;
}

static gt_answer *answer_new(gt_connection *connection) {
    gt_answer_free(connection);
    gt_answer *answer = gt_new(connection->loop->alloc, 1, sizeof(*answer));
    if (answer == NULL) return NULL;
    answer->descriptor = -1;
    gt_buf_init(&answer->text, connection->loop->alloc);
    gt_buf_init(&answer->location, connection->loop->alloc);
    connection->answer = answer;
    return answer;
}

static void answer_text(gt_answer *answer, unsigned int status, const char *words) {
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    gt_buf_append(&answer->text, words, strlen(words));
    gt_buf_append_byte(&answer->text, '\n');
    answer->size = answer->text.len;
}

gt_bytes gt_http_header(struct lws *wsi, enum lws_token_indexes token, char *space, size_t size) {
    int len = lws_hdr_total_length(wsi, token);
    if (len <= 0 || (size_t)len >= size) return (gt_bytes){0};
    len = lws_hdr_copy(wsi, space, (int)size, token);
    return len < 0 ? (gt_bytes){0} : gt_bytes_of(space, (size_t)len);
}

/* ---- sending ---- */

typedef struct header {
    struct lws *wsi;
    uint8_t *at, *end;
    bool failed;
} header;

static void add(header *head, const char *name, gt_bytes value) {
    head->failed = head->failed || lws_add_http_header_by_name(head->wsi, (const unsigned char *)name, value.data,
                                                               (int)value.len, &head->at, head->end) != 0;
}

static void add_text(header *head, const char *name, const char *value) { add(head, name, gt_bytes_text(value)); }

static void add_fixed(header *head) {
    add_text(head, "x-content-type-options:", "nosniff");
    add_text(head, "x-frame-options:", "SAMEORIGIN");
    add_text(head, "referrer-policy:", "no-referrer");
    add_text(head, "cross-origin-resource-policy:", "same-origin");
}

static int send_head(gt_connection *connection) {
    gt_answer *answer = connection->answer;
    uint8_t bytes[LWS_PRE + HEAD_MAX + LOCATION_MAX];
    uint8_t *start = bytes + LWS_PRE;
    header head = {.wsi = connection->wsi, .at = start, .end = bytes + sizeof(bytes)};
    head.failed = lws_add_http_header_status(head.wsi, answer->status, &head.at, head.end) != 0;
    if (answer->type != NULL) add_text(&head, "content-type:", answer->type);
    if (answer->allow != NULL) add_text(&head, "allow:", answer->allow);
    if (answer->tag[0] != 0) add_text(&head, "etag:", answer->tag);
    if (answer->location.len > 0) add(&head, "location:", gt_buf_bytes(&answer->location));
    add_text(&head, "cache-control:", answer->is_cached ? "no-cache" : "no-store");
    add_fixed(&head);
    if (answer->closes) add_text(&head, "connection:", "close");
    if (answer->status != HTTP_STATUS_NOT_MODIFIED) {
        head.failed =
            head.failed || lws_add_http_header_content_length(head.wsi, answer->size, &head.at, head.end) != 0;
    }
    if (head.failed || gt_buf_failed(&answer->location) || gt_buf_failed(&answer->text)) return -1;
    return lws_finalize_write_http_header(head.wsi, start, &head.at, head.end) == 0 ? 0 : -1;
}

static int finish(gt_connection *connection) {
    bool closes = connection->answer->closes;
    gt_answer_free(connection);
    gt_connection_moved(connection);
    if (closes) return -1; /* what lws still holds it sends before it closes */
    return lws_http_transaction_completed(connection->wsi) != 0 ? -1 : 0;
}

/* Sends the head and the first piece of the body. */
static int send_answer(gt_connection *connection) {
    gt_answer *answer = connection->answer;
    if (send_head(connection) != 0) return -1;
    if (answer->is_head || answer->size == 0) return finish(connection);
    lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0); /* output that stalls is looked at elsewhere */
    return gt_http_write(connection);
}

int gt_http_write(gt_connection *connection) {
    gt_answer *answer = connection->answer;
    gt_buf *scratch = &connection->loop->scratch;
    gt_connection_moved(connection);
    if (answer == NULL) return 0;
    uint64_t left = answer->size - answer->at;
    size_t len = left < PIECE ? (size_t)left : PIECE;
    gt_buf_clear(scratch);
    uint8_t *bytes = gt_buf_reserve(scratch, LWS_PRE + len);
    if (bytes == NULL) return -1;
    bytes += LWS_PRE;
    if (answer->descriptor >= 0) {
        ssize_t got = pread(answer->descriptor, bytes, len, (off_t)answer->at);
        if (got <= 0) return -1; /* the file became shorter: the length that was said cannot be kept */
        len = (size_t)got;
    } else {
        memcpy(bytes, answer->text.data + answer->at, len);
    }
    answer->at += len;
    bool is_last = answer->at == answer->size;
    if (lws_write(connection->wsi, bytes, len, is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) return -1;
    if (is_last) return finish(connection);
    gt_connection_ask(connection);
    return 0;
}

int gt_http_refuse(gt_connection *connection, unsigned int status, const char *words) {
    gt_answer *answer = answer_new(connection);
    if (answer == NULL) return -1;
    answer_text(answer, status, words);
    answer->closes = true;
    return send_answer(connection);
}

/* ---- what is asked for ---- */

static void serve_health(gt_answer *answer, const gt_http *http) {
    gt_diag why;
    gt_diag_init(&why);
    if (http->health == NULL || http->health(http->context, &why) == GOAT_OK) {
        answer_text(answer, HTTP_STATUS_OK, "ok");
    } else {
        char words[GT_DIAG_PATH_MAX + GT_DIAG_MESSAGE_MAX + 2];
        snprintf(words, sizeof(words), "%s%s%s", why.path, why.path[0] == 0 ? "" : ": ", why.message);
        answer_text(answer, HTTP_STATUS_SERVICE_UNAVAILABLE, words);
    }
}

static void serve_metrics(gt_answer *answer, const gt_http *http) {
    answer->status = HTTP_STATUS_OK;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    http->metrics(http->context, &answer->text);
    answer->size = answer->text.len;
}

static void serve_file(gt_connection *connection, const gt_http *http, gt_bytes path) {
    gt_answer *answer = connection->answer;
    char space[HEADER_MAX];
    gt_file file;
    switch (gt_files_find(http->files, path, &file)) {
    case GOAT_OK: break;
    case GOAT_EXISTS:
        answer_text(answer, HTTP_STATUS_MOVED_PERMANENTLY, "this is a folder");
        gt_request_encode_path(&answer->location, path);
        gt_buf_append_byte(&answer->location, '/');
        return;
    default: answer_text(answer, HTTP_STATUS_NOT_FOUND, "there is nothing here"); return;
    }
    if (file.size > PIECE && connection->loop->open_files >= http->files_max) { /* a smaller one is not kept open */
        close(file.descriptor);
        answer_text(answer, HTTP_STATUS_SERVICE_UNAVAILABLE, "too many files are being read just now");
        return;
    }
    answer->is_cached = true;
    answer->descriptor = file.descriptor;
    connection->loop->open_files++;
    memcpy(answer->tag, file.tag, sizeof(answer->tag));
    gt_bytes known = gt_http_header(connection->wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, space, sizeof(space));
    if (known.data != NULL && gt_request_tag_matches(known, gt_bytes_text(file.tag))) {
        answer->status = HTTP_STATUS_NOT_MODIFIED;
        return;
    }
    answer->status = HTTP_STATUS_OK;
    answer->type = file.type;
    answer->size = file.size;
}

int gt_http_request(gt_connection *connection, const gt_http *http) {
    char *uri = NULL;
    int len = 0;
    int method = lws_http_get_uri_and_method(connection->wsi, &uri, &len);
    gt_answer *answer = answer_new(connection);
    if (method < 0 || uri == NULL || len <= 0 || answer == NULL) return -1;
    connection->loop->metrics.requests++;
    gt_bytes path = gt_bytes_of(uri, (size_t)len);
    bool has_body = lws_hdr_total_length(connection->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 ||
                    lws_hdr_total_length(connection->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    answer->is_head = method == LWSHUMETH_HEAD;
    answer->closes = has_body; /* it is not read, and must not be taken for another request */
    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        answer_text(answer, HTTP_STATUS_METHOD_NOT_ALLOWED, "this can only be read");
        answer->allow = "GET, HEAD";
        answer->closes = true;
    } else if (gt_bytes_equal(path, gt_bytes_text("/healthz"))) {
        serve_health(answer, http);
    } else if (gt_bytes_equal(path, gt_bytes_text("/metrics"))) {
        serve_metrics(answer, http);
    } else {
        serve_file(connection, http, path);
    }
    return send_answer(connection);
}
