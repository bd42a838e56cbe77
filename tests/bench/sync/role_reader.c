/* A replica that looks at every change as it becomes visible: reader FOLDER REPOSITORY URL ROOT. */
#define _GNU_SOURCE
#include "roles.h"
#include "sealed.h"

#include "value/value.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void wake(void *file) {
    const uint64_t one = 1;
    (void)!write(*(int *)file, &one, sizeof(one));
}

/* What a load does to the items "W-K" (sealed.h), so that edits which were overtaken before they could be seen count
 * too: they were as late as the one that overtook them, and more. */
typedef struct load_plan {
    uint64_t begin_us, writers, rate;
    uint64_t *last; /* when the last edit of each item was due that was seen, or one interval before the first */
} load_plan;

static uint64_t interval_us(const load_plan *plan) { return SEALED_ITEMS * plan->writers * 1000000 / plan->rate; }

static void make_plan(load_plan *plan, const char *line) {
    unsigned long long begin, writers, rate;
    if (sscanf(line, "plan %llu %llu %llu", &begin, &writers, &rate) != 3) lab_fail("\"%s\" is no plan", line);
    *plan = (load_plan){begin, writers, rate, calloc(writers * SEALED_ITEMS, sizeof(uint64_t))};
    if (plan->last == NULL) lab_fail("no memory for a plan");
    for (uint64_t i = 0; i < writers * SEALED_ITEMS; i++) {
        uint64_t writer = i / SEALED_ITEMS, item = i % SEALED_ITEMS;
        uint64_t first = (item + SEALED_ITEMS - 1) % SEALED_ITEMS * writers + writer; /* its first edit, of all */
        plan->last[i] = begin + first * 1000000 / rate - interval_us(plan);
    }
}

static void note_edit(const load_plan *plan, gt_bytes path, uint64_t at, uint64_t now, samples *seen) {
    unsigned writer, item;
    const char *key = memrchr(path.data, '/', path.len);
    if (plan->last == NULL) {
        samples_add(seen, (double)now - (double)at);
        return;
    }
    if (key == NULL || sscanf(key, "/%u-%u", &writer, &item) != 2 || writer >= plan->writers || item >= SEALED_ITEMS) {
        lab_fail("an item that is not planned");
    }
    uint64_t *last = &plan->last[writer * SEALED_ITEMS + item], step = interval_us(plan);
    for (; *last + step / 2 < at; *last += step) samples_add(seen, (double)now - (double)(*last + step));
}

static void note_item(const replica *r, gt_bytes path, uint64_t now, const load_plan *plan, samples *seen) {
    goat_error *error = NULL;
    goat_item *item = NULL;
    double at;
    check(goat_item_open(r->db, NULL, (const char *)path.data, path.len, &item, &error), error, "open item");
    goat_status status = goat_item_get_number(item, "at", 2, &at, &error);
    goat_item_free(item);
    if (status == GOAT_OK) note_edit(plan, path, (uint64_t)at, now, seen);
    goat_error_free(error);
}

static void take_changes(const replica *r, const load_plan *plan, samples *seen) {
    goat_error *error = NULL;
    goat_buf changes = {0};
    check(goat_db_advance(r->db, &changes, &error), error, "advance");
    uint64_t now = now_us();
    gt_bytes change;
    gt_iter iter = gt_array_iter(gt_bytes_of(changes.data, changes.size));
    while (gt_array_next(&iter, &change)) {
        gt_bytes element, path;
        int64_t kind;
        gt_iter parts = gt_array_iter(change);
        if (!gt_array_next(&parts, &element) || !gt_value_as_int64(element, &kind)) lab_fail("a change without kind");
        if (kind == GOAT_CHANGE_RESET) lab_fail("a reader has fallen behind");
        if (kind != GOAT_CHANGE_ITEM) continue;
        if (!gt_array_next(&parts, &element) || !gt_value_as_text(element, &path)) lab_fail("a change without path");
        note_item(r, path, now, plan, seen);
    }
    goat_buf_free(&changes);
}

/* "count": "seen N". "plan BEGIN WRITERS RATE": a load begins. Anything else is a file for the samples: "written".
 * False: the input has ended. */
static bool obey(load_plan *plan, const samples *seen) {
    char line[CHILD_LINE_MAX];
    if (fgets(line, sizeof(line), stdin) == NULL) return false;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "count") == 0) {
        printf("seen %zu\n", seen->count);
        fflush(stdout);
    } else if (strncmp(line, "plan ", 5) == 0) {
        make_plan(plan, line);
    } else {
        samples_write(seen, line);
        role_say("written");
    }
    return true;
}

int role_reader(char **words) {
    replica r;
    goat_error *error = NULL;
    uint8_t root_key[32];
    samples seen = {0};
    load_plan plan = {0};
    static int woken;
    role_read_root(words[3], root_key);
    replica_open(&r, words[0], words[1], root_key);
    replica_connect(&r, words[2]);
    replica_become_even(&r, words[1]);
    check(goat_db_advance(r.db, NULL, &error), error, "advance");
    woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    check(goat_db_on_wake(r.db, wake, &woken, NULL, &error), error, "wake");
    setvbuf(stdin, NULL, _IONBF, 0); /* or poll does not see what lies in the buffer */
    role_say("even");
    for (;;) {
        struct pollfd files[2] = {{.fd = woken, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
        uint64_t times;
        if (poll(files, 2, -1) < 0 && errno != EINTR) lab_fail("poll: %s", strerror(errno));
        if ((files[0].revents & POLLIN) != 0 && read(woken, &times, sizeof(times)) > 0) take_changes(&r, &plan, &seen);
        if ((files[1].revents & (POLLIN | POLLHUP)) != 0 && !obey(&plan, &seen)) break;
    }
    samples_free(&seen);
    free(plan.last);
    replica_close(&r);
    return 0;
}
