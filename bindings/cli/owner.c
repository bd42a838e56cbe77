#include "owner.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "output.h"
#include "progress.h"

static const char file_name[] = "owner.json";
static const double LOOK = 1, REFRESH = 10; /* seconds */
enum {
    COST_SHARE = 100, /* looking takes one part of so many of the time, however many are connected */
    WORDS_ROOM = 1024,
    URL_ROOM = 512,
};

/* ---- telling ---- */

void owner_begin(owner *o, cli *run, const char *db, remote *r, const char *serving, double delay) {
    *o = (owner){.run = run, .db = db, .remote = r, .serving = serving, .next = progress_now() + delay};
}

static void note_in_remote(const owner *o, cbor status, int64_t now_ms) {
    cbor error = cbor_content(cbor_member(status, "error"));
    if (facts_are_even(status)) {
        o->remote->even_ms = now_ms;
        remote_set(&o->remote->trouble, NULL);
    } else if (error.len > 0) {
        char words[WORDS_ROOM];
        snprintf(words, sizeof words, "%.*s", error.len < WORDS_ROOM ? (int)error.len : WORDS_ROOM,
                 (const char *)error.data);
        remote_set(&o->remote->trouble, words);
    }
}

static bool has_changed(const owner *o, const text *made, size_t times) {
    size_t len = made->len - times;
    return o->last.len - o->last_times != len || memcmp(o->last.data + o->last_times, made->data + times, len) != 0;
}

/* A file that cannot be written is no reason to stop: whoever asks is told what is known without it. */
static void tell(owner *o, cbor status) {
    char path[FILES_PATH_ROOM];
    facts f = {.command = o->run->command->name,
               .serving = o->serving,
               .remote = o->remote,
               .status = status,
               .now_ms = facts_now()};
    text made = {0};
    note_in_remote(o, status, f.now_ms);
    size_t times = facts_add(&f, &made);
    bool due = o->last.data == NULL || progress_now() >= o->written + REFRESH || has_changed(o, &made, times);
    if (due && files_path(o->db, file_name, path) && files_replace(path, made.data, made.len, false)) {
        text_free(&o->last);
        o->last = made;
        o->last_times = times;
        o->written = progress_now();
    } else {
        text_free(&made);
    }
}

void owner_tell(owner *o) {
    double begun = progress_now();
    if (o->run == NULL || o->run->db == NULL || begun < o->next) {
        return;
    }
    goat_buf status = {0};
    if (goat_db_status(o->run->db, &status, NULL) == GOAT_OK) {
        tell(o, cbor_of(&status));
    }
    goat_buf_free(&status);
    double now = progress_now(), cost = now - begun;
    o->next = now + (cost * COST_SHARE > LOOK ? cost * COST_SHARE : LOOK);
}

int owner_wait_ms(const owner *o) {
    double left = (o->next - progress_now()) * 1000 + 1;
    return left < 1 ? 1 : left > INT_MAX ? INT_MAX : (int)left;
}

void owner_end(owner *o) {
    char path[FILES_PATH_ROOM];
    if (o->last.data != NULL && files_path(o->db, file_name, path)) {
        unlink(path);
    }
    text_free(&o->last);
    *o = (owner){0};
}

/* ---- being told ---- */

/* The process that has the database: 0 if it is not known. */
static uint64_t owner_process(const goat_error *busy) {
    static const char words[] = "owned by process ";
    const char *at = strstr(goat_error_message(busy), words);
    return at != NULL ? strtoull(at + strlen(words), NULL, 10) : 0;
}

/* It was written since the database was taken: the number of a process comes back, in a container always the same. */
static bool is_of_this_owner(const char *db, const char *path) {
    char lock[FILES_PATH_ROOM];
    struct stat told, taken;
    return files_path(db, "lock", lock) && stat(lock, &taken) == 0 && stat(path, &told) == 0 &&
           (told.st_mtim.tv_sec > taken.st_mtim.tv_sec ||
            (told.st_mtim.tv_sec == taken.st_mtim.tv_sec && told.st_mtim.tv_nsec >= taken.st_mtim.tv_nsec));
}

bool owner_read(const char *db, const goat_error *busy, goat_buf *value) {
    char path[FILES_PATH_ROOM];
    uint64_t process = owner_process(busy);
    if (process == 0 || !files_path(db, file_name, path) || !is_of_this_owner(db, path)) {
        return false;
    }
    char *content = files_read(path);
    bool good = content != NULL && goat_value_from_json(content, strlen(content), value, NULL) == GOAT_OK;
    free(content);
    return good && cbor_uint(cbor_member(cbor_member(cbor_of(value), "owner"), "pid")) == process;
}

int owner_say_busy(const cli *run, const char *db, goat_error *busy) {
    char why[WORDS_ROOM];
    goat_buf value = {0};
    bool told = owner_read(db, busy, &value);
    cbor serving = cbor_content(cbor_member(cbor_of(&value), "serving"));
    cli_describe(busy, db, why, sizeof why);
    if (told && serving.len > 0 && serving.len < URL_ROOM) {
        cli_error(run, "%s, which serves it: edit a replica (goat clone %.*s COPY makes one), or stop the server", why,
                  (int)serving.len, (const char *)serving.data);
    } else if (told) {
        cbor command = cbor_content(cbor_member(cbor_member(cbor_of(&value), "owner"), "command"));
        cli_error(run, "%s: edit another replica (see goat clone), or end goat %.*s there", why,
                  command.len < URL_ROOM ? (int)command.len : 0, (const char *)command.data);
    } else {
        cli_error(run, "%s; try again when it has ended", why);
    }
    goat_buf_free(&value);
    goat_error_free(busy);
    return CLI_TROUBLE;
}
