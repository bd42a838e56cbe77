/* A Node addon written by hand on goat.h: enough to make a schema and items, to query, flush and read. What fails
 * becomes a JavaScript Error with the status's name as its code. Handles are externals, which the script frees. */
#include "goat.h"

#include <node_api.h>

#include <stdlib.h>

enum { ARGUMENTS_MAX = 3 };

/* One JavaScript function each; its arguments are handles and strings. */
typedef enum function {
    OPEN_DB,    /* (path) → db */
    ADD_SCHEMA, /* (db, json) */
    OPEN_REPO,  /* (db, path) → repo */
    CREATE,     /* (db, path, ns) → item */
    OPEN_ITEM,  /* (db, path) → item */
    SET,        /* (item, field, json) */
    READ,       /* (item) → json */
    QUERY,      /* (repo, spec) → rows, one JSON object a line */
    FLUSH,      /* (db) */
    FREE_DB,
    FREE_REPO,
    FREE_ITEM,
    LIVE /* () → how many handles are alive */
} function;

static const char *const names[] = {"openDb", "addSchema", "openRepo", "create",   "openItem", "set", "read",
                                    "query",  "flush",     "freeDb",   "freeRepo", "freeItem", "live"};

typedef struct call {
    void *handle;              /* the first argument, if it is one */
    char *text[ARGUMENTS_MAX]; /* those that are strings */
    size_t len[ARGUMENTS_MAX];
    union {
        goat_db *db;
        goat_repo *repo;
        goat_item *item;
        void *any;
    } made; /* what comes out: a handle, or what is in `buf` */
    goat_buf buf;
    goat_error *error;
} call;

static goat_status perform(function which, call *c) {
    goat_query *query = NULL;
    goat_status status = GOAT_OK;
    switch (which) {
    case OPEN_DB: return goat_db_open(c->text[0], c->len[0], NULL, &c->made.db, NULL, &c->error);
    case ADD_SCHEMA: return goat_db_add_schema(c->handle, c->text[1], c->len[1], &c->error);
    case OPEN_REPO: return goat_repo_open(c->handle, c->text[1], c->len[1], 0, &c->made.repo, NULL, &c->error);
    case CREATE:
        return goat_item_create(c->handle, NULL, c->text[1], c->len[1], c->text[2], c->len[2], NULL, 0, &c->made.item,
                                &c->error);
    case OPEN_ITEM: return goat_item_open(c->handle, NULL, c->text[1], c->len[1], &c->made.item, &c->error);
    case SET: return goat_item_set_json(c->handle, c->text[1], c->len[1], c->text[2], c->len[2], &c->error);
    case READ: return goat_item_read_json(c->handle, &c->buf, NULL, &c->error);
    case QUERY:
        status = goat_query_open(c->handle, NULL, c->text[1], c->len[1], &query, NULL, &c->error);
        if (status == GOAT_OK) status = goat_query_rows_json(query, 0, UINT32_MAX, &c->buf, &c->error);
        goat_query_free(query);
        return status;
    case FLUSH: return goat_db_flush(c->handle, GOAT_DURABLE_DISK, NULL, &c->error);
    case FREE_DB: goat_db_free(c->handle); return GOAT_OK;
    case FREE_REPO: goat_repo_free(c->handle); return GOAT_OK;
    default: goat_item_free(c->handle); return GOAT_OK;
    }
}

static void read_arguments(napi_env env, const napi_value *values, size_t count, call *c) {
    for (size_t i = 0; i < count && i < ARGUMENTS_MAX; i++) {
        napi_valuetype type;
        napi_typeof(env, values[i], &type);
        if (type == napi_external && i == 0) napi_get_value_external(env, values[i], &c->handle);
        if (type != napi_string) continue;
        napi_get_value_string_utf8(env, values[i], NULL, 0, &c->len[i]);
        c->text[i] = malloc(c->len[i] + 1);
        if (c->text[i] != NULL) napi_get_value_string_utf8(env, values[i], c->text[i], c->len[i] + 1, NULL);
    }
}

static napi_value run(napi_env env, napi_callback_info info) {
    napi_value values[ARGUMENTS_MAX], result = NULL;
    size_t count = ARGUMENTS_MAX;
    call c = {0};
    void *data;
    napi_get_cb_info(env, info, &count, values, NULL, &data);
    function which = (function)((const char *const *)data - names);
    read_arguments(env, values, count, &c);
    goat_status status = which == LIVE ? GOAT_OK : perform(which, &c);
    for (size_t i = 0; i < ARGUMENTS_MAX; i++) free(c.text[i]);
    if (status != GOAT_OK) {
        napi_throw_error(env, goat_status_name(status), goat_error_message(c.error));
        goat_error_free(c.error);
    } else if (which == LIVE) {
        napi_create_uint32(env, goat_debug_live_handles(), &result);
    } else if (c.made.any != NULL) {
        napi_create_external(env, c.made.any, NULL, NULL, &result);
    } else if (c.buf.data != NULL) {
        napi_create_string_utf8(env, (const char *)c.buf.data, c.buf.size, &result);
    }
    goat_buf_free(&c.buf);
    return result;
}

NAPI_MODULE_INIT() {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        napi_value made;
        napi_create_function(env, names[i], NAPI_AUTO_LENGTH, run, (void *)(uintptr_t)&names[i], &made);
        napi_set_named_property(env, exports, names[i], made);
    }
    return exports;
}
