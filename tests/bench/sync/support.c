#define _GNU_SOURCE
#include "lab.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

uint64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void sleep_us(uint64_t us) {
    struct timespec time = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

_Noreturn void lab_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    exit(3);
}

void lab_say(const lab_plan *lab, const char *format, ...) {
    va_list arguments;
    if (lab->quiet) return;
    va_start(arguments, format);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
}

void lab_raise_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static double folder_bytes; /* nftw takes no context */

static int add_entry(const char *path, const struct stat *status, int type) {
    (void)path;
    if (type == FTW_F) folder_bytes += (double)status->st_size;
    return 0;
}

double lab_folder_bytes(const char *folder) {
    folder_bytes = 0;
    ftw(folder, add_entry, 16);
    return folder_bytes;
}
