#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MAX = CHILD_WORDS_MAX + 4 };

void child_start_program(child *c, const char *role, const char *const *command) {
    int to[2], from[2];
    const pid_t parent = getpid();
    if (pipe(to) != 0 || pipe(from) != 0) lab_fail("pipe: %s", strerror(errno));
    fflush(NULL);
    *c = (child){.role = role, .pid = fork()};
    if (c->pid < 0) lab_fail("fork: %s", strerror(errno));
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close_range(3, ~0U, 0);
        execvp(command[0], (char *const *)(uintptr_t)command);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    c->to = fdopen(to[1], "w");
    c->from = fdopen(from[0], "r");
    if (c->to == NULL || c->from == NULL) lab_fail("%s: %s", role, strerror(errno));
}

void child_start(const lab_plan *lab, child *c, const char *role, const char *const *words) {
    const char *command[COMMAND_MAX] = {lab->program, "--child", role};
    size_t count = 3;
    for (; *words != NULL; words++) {
        if (count + 1 == COMMAND_MAX) abort();
        command[count++] = *words;
    }
    command[count] = NULL;
    child_start_program(c, role, command);
}

void child_say(const child *c, const char *line) {
    if (fprintf(c->to, "%s\n", line) < 0 || fflush(c->to) != 0) lab_fail("the %s does not listen", c->role);
}

bool child_hear(const child *c, char line[CHILD_LINE_MAX]) {
    if (fgets(line, CHILD_LINE_MAX, c->from) == NULL) return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

bool child_says(const child *c, uint64_t wait_us) {
    struct pollfd file = {.fd = fileno(c->from), .events = POLLIN};
    return poll(&file, 1, (int)(wait_us / 1000)) > 0;
}

const char *child_expect(const child *c, const char *word, char line[CHILD_LINE_MAX]) {
    size_t len = strlen(word);
    if (!child_hear(c, line)) lab_fail("the %s has ended without \"%s\"", c->role, word);
    if (strncmp(line, word, len) != 0 || (line[len] != ' ' && line[len] != '\0')) {
        lab_fail("the %s says \"%s\" in place of \"%s\"", c->role, line, word);
    }
    return line[len] == ' ' ? line + len + 1 : line + len;
}

bool child_end(child *c) {
    int status = 0;
    fclose(c->to);
    fclose(c->from);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what it uses ---- */

static FILE *open_proc(const child *c, const char *name, const char *mode) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)c->pid, name);
    FILE *file = fopen(path, mode);
    if (file == NULL) lab_fail("%s: %s", path, strerror(errno));
    return file;
}

/* A line of /proc/PID/status, in kB there, in bytes here. */
static double status_of(const child *c, const char *name) {
    char line[256];
    double value = 0;
    FILE *file = open_proc(c, "status", "r");
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) value = strtod(line + strlen(name), NULL) * 1024;
    }
    fclose(file);
    return value;
}

child_use child_measure(const child *c) {
    char text[1024];
    FILE *file = open_proc(c, "stat", "r");
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    /* Behind the name in brackets: state is field 3, utime field 14, stime field 15. */
    char *next = strrchr(text, ')');
    double ticks = 0;
    for (int field = 3; next != NULL && field <= 15; field++) {
        next = strchr(next + 1, ' ');
        if (next != NULL && field >= 14) ticks += strtod(next, NULL);
    }
    return (child_use){
        .resident = status_of(c, "VmRSS:"),
        .anonymous = status_of(c, "RssAnon:"),
        .processor_s = ticks / (double)sysconf(_SC_CLK_TCK),
    };
}
