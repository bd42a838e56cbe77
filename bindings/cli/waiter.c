#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool waiter_open(waiter *w, bool hang_up) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (hang_up) {
        sigaddset(&set, SIGHUP);
    }
    *w = (waiter){.signals = -1, .wakes = -1};
    sigprocmask(SIG_BLOCK, &set, &w->before);
    w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    w->wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->signals < 0 || w->wakes < 0) {
        int error = errno;
        waiter_close(w);
        errno = error;
        return false;
    }
    return true;
}

void waiter_close(waiter *w) {
    if (w->signals >= 0) {
        close(w->signals);
    }
    if (w->wakes >= 0) {
        close(w->wakes);
    }
    w->signals = w->wakes = -1;
    sigprocmask(SIG_SETMASK, &w->before, NULL);
}

waiter_answer waiter_wait(waiter *w, int file, int timeout_ms) {
    struct pollfd wanted[] = {
        {.fd = w->signals, .events = POLLIN}, {.fd = w->wakes, .events = POLLIN}, {.fd = file, .events = POLLIN}};
    int count;
    do {
        count = poll(wanted, 3, timeout_ms);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return WAITER_FAILED;
    }
    struct signalfd_siginfo signal;
    if (wanted[0].revents != 0 && read(w->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        w->signal = (int)signal.ssi_signo;
        return WAITER_SIGNAL;
    }
    uint64_t times;
    if (wanted[1].revents != 0 && read(w->wakes, &times, sizeof times) == (ssize_t)sizeof times) {
        return WAITER_WOKEN;
    }
    return wanted[2].revents != 0 ? WAITER_READY : WAITER_NOTHING;
}

void waiter_wake(void *w) {
    uint64_t one = 1;
    (void)!write(((waiter *)w)->wakes, &one, sizeof one);
}
