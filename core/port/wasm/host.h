/* What the page gives to the WebAssembly build, and what it calls back. All functions are synchronous; numbers
 * above 32 bits cross as doubles, which are exact up to 2^53, so that no BigInt is needed.
 *
 * A storage is named by its address, from gt_wasm_open() to gt_wasm_close(). The page answers each request
 * that it took exactly once through goat_wasm_complete(), at once from inside gt_wasm_submit() or later, then
 * lets the engine go on with goat_db_run(). After gt_wasm_close() it drops what was under way. */
#ifndef GT_PORT_WASM_HOST_H
#define GT_PORT_WASM_HOST_H

#include "port/port.h"

#if defined(__wasm__)
#define GT_WASM_IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define GT_WASM_EXPORT(name) __attribute__((export_name(#name), visibility("default")))
#else /* a test that plays the page */
#define GT_WASM_IMPORT(name)
#define GT_WASM_EXPORT(name)
#endif

/* A storage for the folder `path` begins. Nothing is touched before GOAT_IO_LOCK. Returns a goat_status. */
GT_WASM_IMPORT(gt_wasm_open)
int32_t gt_wasm_open(void *storage, const char *path, uint32_t path_len);

/* One goat_io_request; `name` and `data` are good during the call only, so they are copied. Returns
 * GOAT_OK if it was taken; otherwise there will be no answer. */
GT_WASM_IMPORT(gt_wasm_submit)
int32_t gt_wasm_submit(void *storage, int32_t kind, uint32_t flags, uint32_t token, uint32_t file, const char *name,
                       uint32_t name_len, const uint8_t *data, uint32_t data_len, double offset, double length);

GT_WASM_IMPORT(gt_wasm_close)
void gt_wasm_close(void *storage);

/* performance.now() * 1000, Date.now(), crypto.getRandomValues(); the last returns 0 if there is none. */
GT_WASM_IMPORT(gt_wasm_monotonic_us)
double gt_wasm_monotonic_us(void);
GT_WASM_IMPORT(gt_wasm_wall_ms)
double gt_wasm_wall_ms(void);
GT_WASM_IMPORT(gt_wasm_random)
int32_t gt_wasm_random(uint8_t *bytes, uint32_t len);

/* Called by the page: a request has come to `status`. Returns where to put `len` bytes before anything else
 * is called: with GOAT_OK the data of READ, LIST or LOAD, otherwise the words of the failure in UTF-8 (cut if
 * they are long). NULL when there is nothing to put, also because there is no memory: a request that had
 * data has then failed with GOAT_NO_MEMORY. */
GT_WASM_EXPORT(goat_wasm_complete)
uint8_t *goat_wasm_complete(void *storage, uint32_t token, int32_t status, uint32_t file, double length, uint32_t len);

/* ---- storage.c ------------------------------------------------------------------------------- */

goat_status gt_wasm_storage_new(const gt_alloc *alloc, const char *path, size_t path_len, goat_storage *storage,
                                gt_diag *diag);

#endif
