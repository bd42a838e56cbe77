/* Locks, conditions and threads by POSIX threads. Waiting goes by the monotonic clock, so that setting
 * the machine's time neither cuts a wait short nor makes it last. */
#define _GNU_SOURCE
#include "port/port.h"

#include "base/assert.h"
#include "port/posix/storage.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static goat_status no_object(const char *what, int error, gt_diag *diag) {
    if (error == ENOMEM) {
        return gt_no_memory(diag);
    }
    char words[GT_POSIX_WORDS_MAX];
    return gt_fail(diag, GOAT_IO, "cannot make a %s: %s", what, gt_posix_words(error, words));
}

goat_status gt_mutex_init(gt_mutex *mutex, gt_diag *diag) {
    int error = pthread_mutex_init(&mutex->mutex, NULL);
    return error == 0 ? GOAT_OK : no_object("lock", error, diag);
}

void gt_mutex_destroy(gt_mutex *mutex) {
    int error = pthread_mutex_destroy(&mutex->mutex);
    GOAT_ASSERT(error == 0);
}

void gt_mutex_lock(gt_mutex *mutex) {
    int error = pthread_mutex_lock(&mutex->mutex);
    GOAT_ASSERT(error == 0);
}

void gt_mutex_unlock(gt_mutex *mutex) {
    int error = pthread_mutex_unlock(&mutex->mutex);
    GOAT_ASSERT(error == 0);
}

goat_status gt_condition_init(gt_condition *condition, gt_diag *diag) {
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error == 0) {
        error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (error == 0) {
            error = pthread_cond_init(&condition->condition, &attributes);
        }
        pthread_condattr_destroy(&attributes);
    }
    return error == 0 ? GOAT_OK : no_object("condition", error, diag);
}

void gt_condition_destroy(gt_condition *condition) {
    int error = pthread_cond_destroy(&condition->condition);
    GOAT_ASSERT(error == 0);
}

void gt_condition_wake_one(gt_condition *condition) { pthread_cond_signal(&condition->condition); }
void gt_condition_wake_all(gt_condition *condition) { pthread_cond_broadcast(&condition->condition); }

bool gt_condition_wait(gt_condition *condition, gt_mutex *mutex, uint64_t timeout_us) {
    enum { US_PER_S = 1000000, NS_PER_US = 1000, NS_PER_S = 1000000000 };
    if (timeout_us > GT_WAIT_US_MAX) {
        timeout_us = GT_WAIT_US_MAX;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_us / US_PER_S);
    until.tv_nsec += (long)(timeout_us % US_PER_S) * NS_PER_US;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_nsec -= NS_PER_S;
        until.tv_sec++;
    }
    int error = pthread_cond_timedwait(&condition->condition, &mutex->mutex, &until);
    GOAT_ASSERT(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

static void *run_thread(void *argument) {
    gt_thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

goat_status gt_thread_start(gt_thread *thread, void (*run)(void *argument), void *argument, gt_diag *diag) {
    thread->run = run;
    thread->argument = argument;
    /* The new thread inherits the mask of this one, so all signals are held back while it is made: the
     * host's handlers run on the host's threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? GOAT_OK : no_object("thread", error, diag);
}

uint32_t gt_port_process_id(void) { return (uint32_t)getpid(); }

void gt_thread_join(gt_thread *thread) {
    int error = pthread_join(thread->thread, NULL);
    GOAT_ASSERT(error == 0);
}
