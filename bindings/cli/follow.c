#include "follow.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "output.h"
#include "probe.h"

enum {
    STEP_MS = 100,
    OWNER_DELAY = 1, /* seconds: most are over before anybody asks */
    PROBE_MS = 5000,
    PAUSE_MS = 250,
    TIMEOUT_MAX = 1000000,
    TROUBLE_SIZE = 512,
    NOTED_SECONDS = 1,
    NOTED_STEP_MS = 20
};

/* ---- life ---- */

int follow_begin(follow *f, cli *run, const char *db) {
    *f = (follow){.run = run, .db = db, .timeout = FOLLOW_TIMEOUT, .begun = progress_now()};
    if (!cli_number(run, "timeout", 0, TIMEOUT_MAX, &f->timeout)) {
        return CLI_USAGE;
    }
    if (!waiter_open(&f->waiter, false)) {
        cli_error(run, "cannot wait for signals: %s", strerrordesc_np(errno));
        return CLI_TROUBLE;
    }
    int code = remote_read(run, db, &f->remote);
    const char *ca = cli_value(run, "ca");
    if (code == CLI_DONE && ca != NULL) {
        char *whole = realpath(ca, NULL); /* it is remembered, and the next run may be elsewhere */
        if (whole == NULL) {
            cli_error(run, "%s: %s", ca, strerrordesc_np(errno));
            code = CLI_NO;
        }
        remote_set(&f->remote.ca, whole);
        free(whole);
    }
    if (code != CLI_DONE) {
        follow_end(f);
    }
    return code;
}

void follow_end(follow *f) {
    owner_end(&f->owner);
    remote_free(&f->remote);
    waiter_close(&f->waiter);
}

/* Waits a little. CLI_DONE, or the code of the signal that came. */
static int pause_for(follow *f, int ms) {
    waiter_answer answer = waiter_wait(&f->waiter, -1, ms);
    if (answer == WAITER_SIGNAL) {
        return CLI_SIGNAL + f->waiter.signal;
    }
    if (answer == WAITER_FAILED) {
        cli_error(f->run, "cannot wait: %s", strerrordesc_np(errno));
        return CLI_TROUBLE;
    }
    owner_tell(&f->owner);
    if (f->changed != NULL) {
        return f->changed(f);
    }
    if (f->run->db != NULL) {
        goat_db_advance(f->run->db, NULL, NULL); /* until then it does not wake again */
    }
    return CLI_DONE;
}

/* ---- asking who is there ---- */

static goat_net_config config_of(const follow *f, uint32_t flags) {
    goat_net_config config = GOAT_NET_CONFIG_INIT;
    config.flags = flags;
    config.ca_file = f->remote.ca;
    return config;
}

/* Whether another attempt may go better without anybody changing anything. */
static bool is_passing(goat_status status) { return status == GOAT_OFFLINE || status == GOAT_TIMEOUT; }

/* Says why the server does not do, and what would help. */
static int fail(follow *f, goat_error *error) {
    bool unknown =
        goat_error_status(error) == GOAT_UNTRUSTED && strstr(goat_error_message(error), "known here") != NULL;
    if (unknown && f->remote.ca == NULL) {
        cli_error(f->run, "%s: %s (--ca names a file with the authority that signed it)", f->remote.url,
                  goat_error_message(error));
        goat_error_free(error);
        return CLI_TROUBLE;
    }
    return cli_fail(f->run, f->remote.url, error);
}

static double left_of(const follow *f, double since) { return since + f->timeout - progress_now(); }

int follow_ask(follow *f, uint8_t root[FOLLOW_KEY_SIZE]) {
    double since = progress_now();
    for (;;) {
        probe_answer answer = {0};
        double left_ms = left_of(f, since) * 1000;
        uint32_t ms = left_ms > PROBE_MS ? PROBE_MS : left_ms > PAUSE_MS ? (uint32_t)left_ms : PAUSE_MS;
        int code = probe_ask(f->run, &f->waiter, &f->remote, ms, &answer);
        if (code != CLI_DONE) {
            return code;
        }
        goat_status status = answer.status;
        if (status == GOAT_OK) {
            memcpy(root, answer.root, FOLLOW_KEY_SIZE);
            return CLI_DONE;
        }
        if (!is_passing(status) || left_of(f, since) <= 0) {
            fail(f, answer.error);
            return status == GOAT_INVALID || status == GOAT_TOO_LARGE ? CLI_USAGE : CLI_TROUBLE;
        }
        goat_error_free(answer.error);
        code = pause_for(f, PAUSE_MS);
        if (code != CLI_DONE) {
            return code;
        }
    }
}

/* ---- what is there ---- */

static goat_status get_status(const follow *f, goat_buf *status) { return goat_db_status(f->run->db, status, NULL); }

/* The sum of a number over all repositories but those of /sys. */
static uint64_t sum(cbor status, const char *name) {
    uint64_t count, total = 0;
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all), path = cbor_content(cbor_member(one, "path"));
        if (path.len < 5 || memcmp(path.data, "/sys/", 5) != 0) {
            total += cbor_uint(cbor_member(one, name));
        }
    }
    return total;
}

int follow_count(follow *f) {
    goat_buf paths = {0}, status = {0};
    goat_error *error = NULL;
    if (goat_db_repos(f->run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(f->run, f->db, error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&paths), &count);
    goat_repo **repos = calloc(count + 1, sizeof *repos);
    int code = CLI_DONE;
    for (uint64_t i = 0; repos != NULL && code == CLI_DONE && i < count && all.len > 0; i++) {
        cbor path = cbor_content(cbor_take(&all));
        if (goat_repo_open(f->run->db, (const char *)path.data, path.len, 0, &repos[i], NULL, &error) != GOAT_OK) {
            code = cli_fail(f->run, f->db, error);
        }
    }
    if (code == CLI_DONE && get_status(f, &status) == GOAT_OK) {
        f->before = sum(cbor_of(&status), "entries");
        f->unsent = sum(cbor_of(&status), "unsent");
    }
    for (uint64_t i = 0; repos != NULL && i < count; i++) {
        if (repos[i] != NULL) {
            goat_repo_close(repos[i], NULL, NULL);
            goat_repo_free(repos[i]);
        }
    }
    free(repos);
    goat_buf_free(&paths);
    goat_buf_free(&status);
    return code;
}

/* ---- connecting ---- */

int follow_connect(follow *f, uint32_t flags) {
    goat_error *error = NULL;
    goat_net_config config = config_of(f, flags);
    owner_begin(&f->owner, f->run, f->db, &f->remote, NULL, f->forever ? 0 : OWNER_DELAY);
    goat_db_on_wake(f->run->db, waiter_wake, &f->waiter, NULL, NULL);
    goat_status status = goat_db_connect(f->run->db, f->remote.url, strlen(f->remote.url), &config, &error);
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    cli_fail(f->run, f->remote.url, error);
    return status == GOAT_INVALID || status == GOAT_TOO_LARGE ? CLI_USAGE : CLI_TROUBLE;
}

int follow_disconnect(follow *f, int code) {
    owner_end(&f->owner); /* while the database is still owned */
    if (f->run->db != NULL) {
        goat_db_disconnect(f->run->db, NULL, NULL);
        goat_db_on_wake(f->run->db, NULL, NULL, NULL, NULL); /* the waiter goes before the database */
    }
    return code;
}

/* Whether the server is there; `trouble` (TROUBLE_SIZE bytes): the last one, or empty. */
static bool is_online(const follow *f, char *trouble) {
    goat_buf status = {0};
    bool online = false;
    trouble[0] = '\0';
    if (get_status(f, &status) == GOAT_OK) {
        online = cbor_bool(cbor_member(cbor_of(&status), "online"));
        cbor words = cbor_content(cbor_member(cbor_of(&status), "error"));
        snprintf(trouble, TROUBLE_SIZE, "%.*s", (int)(words.len < INT_MAX ? words.len : INT_MAX),
                 (const char *)words.data);
    }
    goat_buf_free(&status);
    return online;
}

void follow_notice(follow *f) {
    char trouble[TROUBLE_SIZE];
    bool online = is_online(f, trouble);
    if (online && f->told) {
        progress_hide(&f->progress);
        cli_note(f->run, "%s: there again", f->remote.url);
        f->told = false;
    } else if (!online && !f->told && trouble[0] != '\0') {
        progress_hide(&f->progress);
        cli_note(f->run, "%s: %s; trying again", f->remote.url, trouble);
        f->told = true;
    }
    f->was_online = f->was_online || online;
}

static int give_up(follow *f, const char *trouble) {
    cli_error(f->run, "%s: %s (tried for %u s)", f->remote.url, trouble[0] != '\0' ? trouble : "it does not answer",
              (unsigned)f->timeout);
    remote_set(&f->remote.trouble, trouble[0] != '\0' ? trouble : "it does not answer");
    return CLI_TROUBLE;
}

/* The network of this database is not that of the server's root key. */
static int check_network(follow *f, const uint8_t root[FOLLOW_KEY_SIZE]) {
    goat_buf info = {0};
    int code = CLI_DONE;
    if (goat_db_info(f->run->db, &info, NULL) == GOAT_OK) {
        cbor own = cbor_content(cbor_member(cbor_of(&info), "root"));
        if (own.len == FOLLOW_KEY_SIZE && memcmp(own.data, root, FOLLOW_KEY_SIZE) != 0) {
            static const char words[] = "the server is of another network: its root key is not the one that is pinned";
            cli_error(f->run, "%s: %s", f->remote.url, words);
            remote_set(&f->remote.trouble, words);
            code = CLI_TROUBLE;
        }
    }
    goat_buf_free(&info);
    return code;
}

/* Trouble that no waiting helps against is found by asking once more, without the database. `*checked`: there was an
 * answer. */
static int check_hope(follow *f, bool *checked) {
    probe_answer answer = {0};
    int code = probe_ask(f->run, &f->waiter, &f->remote, PROBE_MS, &answer);
    if (code != CLI_DONE) {
        return code;
    }
    *checked = !is_passing(answer.status);
    if (answer.status == GOAT_OK) {
        return check_network(f, answer.root);
    }
    if (!*checked) {
        goat_error_free(answer.error);
        return CLI_DONE;
    }
    remote_set(&f->remote.trouble, goat_error_message(answer.error));
    return fail(f, answer.error);
}

static int wait_until_online(follow *f) {
    char trouble[TROUBLE_SIZE];
    double since = progress_now();
    bool checked = false;
    while (!is_online(f, trouble)) {
        int code = CLI_DONE;
        if (trouble[0] != '\0' && !checked) {
            code = check_hope(f, &checked);
        }
        if (code == CLI_DONE && !f->forever && left_of(f, since) <= 0) {
            return give_up(f, trouble);
        }
        if (f->was_online || f->forever || progress_now() > since + 1) {
            follow_notice(f);
        }
        code = code == CLI_DONE ? pause_for(f, STEP_MS) : code;
        if (code != CLI_DONE) {
            return code;
        }
    }
    follow_notice(f);
    return CLI_DONE;
}

/* ---- until even ---- */

static void show_progress(follow *f, const goat_job *job) {
    if (!f->progress.is_on) {
        return;
    }
    double done = 0, total = 0;
    goat_buf status = {0};
    goat_job_progress(job, &done, &total);
    if (get_status(f, &status) == GOAT_OK) {
        uint64_t entries = sum(cbor_of(&status), "entries");
        progress_show(&f->progress, entries > f->before ? entries - f->before : 0, (uint64_t)done, (uint64_t)total);
    }
    goat_buf_free(&status);
}

/* Waits for a job and ends it. CLI_DONE: it is over, with `*status`. */
static int wait_for_job(follow *f, goat_job *job, goat_status *status, goat_error **error) {
    int code = CLI_DONE;
    while (code == CLI_DONE && (*status = goat_job_wait(job, 0, error)) == GOAT_TIMEOUT) {
        goat_error_free(*error);
        *error = NULL;
        show_progress(f, job);
        code = pause_for(f, STEP_MS);
    }
    if (code != CLI_DONE) {
        goat_job_cancel(job);
    }
    goat_job_free(job);
    progress_hide(&f->progress);
    return code;
}

static int meet(follow *f) {
    for (;;) {
        goat_job *job = NULL;
        goat_error *error = NULL;
        int code = wait_until_online(f);
        if (code != CLI_DONE) {
            return code;
        }
        goat_status status = goat_db_sync(f->run->db, NULL, 0, &job, &error);
        if (status == GOAT_OK) {
            code = wait_for_job(f, job, &status, &error);
        }
        if (code != CLI_DONE || status == GOAT_OK) {
            return code;
        }
        if (status != GOAT_OFFLINE) {
            remote_set(&f->remote.trouble, goat_error_message(error));
            return cli_fail(f->run, f->remote.url, error);
        }
        goat_error_free(error);
    }
}

/* The server tells within a moment from where the next connection goes on; without that only a few bytes are sent again. */
static int wait_until_noted(follow *f) {
    int code = CLI_DONE;
    bool noted = false;
    for (double end = progress_now() + NOTED_SECONDS; code == CLI_DONE && !noted && progress_now() < end;) {
        goat_buf status = {0};
        uint64_t count = 0;
        noted = true;
        if (get_status(f, &status) == GOAT_OK) {
            cbor all = cbor_array(cbor_member(cbor_of(&status), "repositories"), &count);
            for (uint64_t i = 0; i < count && all.len > 0; i++) {
                cbor one = cbor_take(&all);
                bool open = cbor_bool(cbor_member(one, "open"));
                noted = noted && (!open || cbor_bool(cbor_member(one, "noted")));
            }
        }
        goat_buf_free(&status);
        code = noted ? CLI_DONE : pause_for(f, NOTED_STEP_MS);
    }
    return code;
}

int follow_until_even(follow *f) {
    int code = meet(f);
    if (code == CLI_DONE && f->changed == NULL) {
        code = wait_until_noted(f);
    }
    if (code == CLI_DONE) {
        code = cli_flush(f->run);
    }
    if (code == CLI_DONE) {
        f->remote.even_ms = facts_now();
        remote_set(&f->remote.trouble, NULL);
    }
    return code;
}

int follow_remember(follow *f, int code) {
    remote known;
    if (code == CLI_DONE) {
        return remote_write(f->run, f->db, &f->remote);
    }
    if (f->remote.trouble == NULL || remote_read(f->run, f->db, &known) != CLI_DONE) {
        return CLI_DONE; /* a signal, or there is nothing to note it in */
    }
    if (known.url != NULL && strcmp(known.url, f->remote.url) == 0) {
        remote_set(&known.trouble, f->remote.trouble);
        code = remote_write(f->run, f->db, &known);
    }
    remote_free(&known);
    return code;
}

/* ---- what is said of it ---- */

static const char *size_text(uint64_t bytes, char *out) {
    if (bytes < 10000) {
        snprintf(out, PROGRESS_NUMBER_SIZE, "%" PRIu64 " bytes", bytes);
    } else if (bytes < 1000000) {
        snprintf(out, PROGRESS_NUMBER_SIZE, "%.0f kB", (double)bytes / 1e3);
    } else {
        snprintf(out, PROGRESS_NUMBER_SIZE, "%.1f MB", (double)bytes / 1e6);
    }
    return out;
}

void follow_summary(follow *f, const uint8_t *root) {
    goat_buf buf = {0};
    if (get_status(f, &buf) != GOAT_OK) {
        return; /* the database is being closed: there is nothing to tell */
    }
    cbor status = cbor_of(&buf), peers = cbor_array(cbor_member(status, "peers"), NULL), peer = cbor_take(&peers);
    uint64_t now = sum(status, "entries"), came = now > f->before ? now - f->before : 0;
    uint64_t in = cbor_uint(cbor_member(peer, "in")), out = cbor_uint(cbor_member(peer, "out"));
    double seconds = progress_now() - f->begun;
    if (cli_has(f->run, "json")) {
        out_text("{\"url\":");
        out_json_text(f->remote.url);
        if (root != NULL) {
            out_text(",\"root\":\"");
            out_hex(root, FOLLOW_KEY_SIZE);
            out_text("\"");
        }
        out_print(",\"even\":true,\"received\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"bytes_in\":%" PRIu64
                  ",\"bytes_out\":%" PRIu64 ",\"seconds\":%.3f}\n",
                  came, f->unsent, in, out, seconds);
    } else {
        char numbers[4][PROGRESS_NUMBER_SIZE];
        out_print("%s: %s commit%s came, %s went (%s in, %s out), even in %.2f s\n", f->remote.url,
                  progress_number(came, numbers[0]), came == 1 ? "" : "s", progress_number(f->unsent, numbers[1]),
                  size_text(in, numbers[2]), size_text(out, numbers[3]), seconds);
    }
    goat_buf_free(&buf);
}
