/* Measurements in processes of their own, and what they report. */
#define _GNU_SOURCE
#include "trace.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct trace_report {
    json_t *list;
    double memory_before; /* bytes */
    bool is_wrong;
};

enum { CODE_WRONG = 4 }; /* of a child that reports all the same */

static bool any_wrong;

_Noreturn void trace_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("goat_bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    exit(3);
}

void figure(trace_report *report, const char *work, const char *unit, double target, double value) {
    json_array_append_new(report->list, json_pack("[s, s, f, f]", work, unit, target, value));
}

void remark(trace_report *report, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    json_array_append_new(report->list, json_string(text));
}

void mark_wrong(trace_report *report) { report->is_wrong = true; }

bool is_wrong(void) { return any_wrong; }

/* ---- memory ---- */

static double status_bytes(const char *name) {
    char line[200];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) kib = strtod(line + strlen(name), NULL);
    }
    if (file != NULL) fclose(file);
    return kib * 1024;
}

void figure_memory_begin(trace_report *report) {
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "w"); /* 5: the peak begins anew */
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0)
        trace_fail("/proc/self/clear_refs cannot be written");
    report->memory_before = status_bytes("VmRSS:");
}

void figure_memory(trace_report *report, const char *work) {
    figure(report, work, "MB", 0, (status_bytes("VmHWM:") - report->memory_before) / 1e6);
}

/* ---- apart ---- */

void take_report(const trace *t, peer who, bool quiet, const json_t *report) {
    size_t i;
    json_t *one;
    json_array_foreach(report, i, one) {
        const char *work = json_string_value(json_array_get(one, 0));
        if (json_is_string(one) && !quiet) printf("  %s\n", json_string_value(one));
        if (work == NULL) continue;
        char *name = NULL; /* rows keep it */
        if (asprintf(&name, "%s: %s", t->name, work) < 0) trace_fail("no memory for a row");
        row_begin(name, strdup(json_string_value(json_array_get(one, 1))), json_number_value(json_array_get(one, 2)),
                  false);
        row_add(who, json_number_value(json_array_get(one, 3)));
    }
    fflush(stdout);
}

void measure_apart(trace_measure measure, const trace *t, peer who, bool quiet, const char *folder) {
    int ends[2], status;
    char own[256];
    join(own, sizeof(own), folder, "run");
    if (pipe(ends) != 0 || mkdir(own, 0755) != 0) trace_fail("%s cannot be made", own);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) trace_fail("no process can be made");
    if (child == 0) {
        close(ends[0]);
        trace_report report = {.list = json_array()};
        measure(t, own, &report);
        FILE *out = fdopen(ends[1], "w");
        if (out == NULL || json_dumpf(report.list, out, 0) != 0 || fclose(out) != 0) _exit(3);
        _exit(report.is_wrong ? CODE_WRONG : 0);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    json_t *list = in == NULL ? NULL : json_loadf(in, 0, NULL);
    if (in != NULL) fclose(in);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || list == NULL) trace_fail("%s has failed", t->name);
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != CODE_WRONG) trace_fail("%s has failed", t->name);
    any_wrong = any_wrong || WEXITSTATUS(status) == CODE_WRONG;
    take_report(t, who, quiet, list);
    json_decref(list);
    remove_folder(own);
}
