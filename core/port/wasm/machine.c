/* The page's clocks and randomness, and locks for one thread. */
#include "port/wasm/host.h"

static uint64_t monotonic_us(void *context) {
    (void)context;
    return (uint64_t)gt_wasm_monotonic_us();
}

static int64_t wall_ms(void *context) {
    (void)context;
    return (int64_t)gt_wasm_wall_ms();
}

static bool fill_random(void *context, uint8_t *bytes, size_t len) {
    (void)context;
    return gt_wasm_random(bytes, (uint32_t)len) != 0;
}

goat_status gt_port_default_host(const char *path, size_t path_len, uint32_t flags, goat_host *host, gt_diag *diag) {
    if (flags != 0) {
        return gt_fail(diag, GOAT_MISUSE, "no flags are known here");
    }
    gt_alloc alloc = host->allocator.resize != NULL ? host->allocator : gt_alloc_system;
    if (host->storage.submit == NULL) {
        goat_status status = gt_wasm_storage_new(&alloc, path, path_len, &host->storage, diag);
        if (status != GOAT_OK) {
            return status;
        }
    }
    host->struct_size = sizeof *host;
    host->allocator = alloc;
    if (host->clock.monotonic_us == NULL) {
        host->clock = (goat_clock){sizeof host->clock, NULL, monotonic_us, wall_ms};
    }
    if (host->random.fill == NULL) {
        host->random = (goat_random){sizeof host->random, NULL, fill_random};
    }
    return GOAT_OK;
}

/* ---- One thread ------------------------------------------------------------------------------ */

goat_status gt_mutex_init(gt_mutex *mutex, gt_diag *diag) {
    (void)mutex;
    (void)diag;
    return GOAT_OK;
}

void gt_mutex_destroy(gt_mutex *mutex) { (void)mutex; }
void gt_mutex_lock(gt_mutex *mutex) { (void)mutex; }
void gt_mutex_unlock(gt_mutex *mutex) { (void)mutex; }

goat_status gt_condition_init(gt_condition *condition, gt_diag *diag) {
    (void)condition;
    (void)diag;
    return GOAT_OK;
}

void gt_condition_destroy(gt_condition *condition) { (void)condition; }
void gt_condition_wake_one(gt_condition *condition) { (void)condition; }
void gt_condition_wake_all(gt_condition *condition) { (void)condition; }

bool gt_condition_wait(gt_condition *condition, gt_mutex *mutex, uint64_t timeout_us) {
    (void)condition;
    (void)mutex;
    (void)timeout_us;
    return false; /* nobody could wake us */
}

goat_status gt_thread_start(gt_thread *thread, void (*run)(void *argument), void *argument, gt_diag *diag) {
    (void)thread;
    (void)run;
    (void)argument;
    return gt_fail(diag, GOAT_WOULD_BLOCK, "there are no threads here");
}

uint32_t gt_port_process_id(void) { return 1; }

void gt_thread_join(gt_thread *thread) { (void)thread; }
