/* goat status: how a replica and its server stand, or a server and its clients; without asking anybody else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "facts.h"
#include "output.h"
#include "owner.h"
#include "progress.h"
#include "shown.h"

enum {
    PEERS_SHOWN_MAX = 20,
    SESSION_DIGITS = 12,
    SILENT_SECONDS = 60, /* an owner that is well says something each few seconds */
};

/* ---- numbers ---- */

static const char *seconds_text(double seconds, char *out) {
    static const struct {
        double least, unit;
        const char *name;
    } units[] = {{172800, 86400, "days"}, {7200, 3600, "hours"}, {120, 60, "minutes"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (seconds >= units[i].least) {
            snprintf(out, PROGRESS_NUMBER_SIZE, "%.0f %s", seconds / units[i].unit, units[i].name);
            return out;
        }
    }
    snprintf(out, PROGRESS_NUMBER_SIZE, "%.1f s", seconds);
    return out;
}

/* Seconds since a time, or negative where there is none. */
static double age_of(cbor date) {
    int64_t ms, now = facts_now();
    if (!cbor_date(date, &ms)) {
        return -1;
    }
    return now > ms ? (double)(now - ms) / 1000 : 0;
}

/* How long edits of the others may be missing here: none while both are even; negative: they never were. */
static double lag_of(cbor all) { return cbor_bool(cbor_member(all, "is_even")) ? 0 : age_of(cbor_member(all, "even")); }

static bool has(cbor all, const char *name) { return cbor_content(cbor_member(all, name)).len > 0; }

/* ---- printing ---- */

static void print_json(cbor all) {
    static const char *const names[] = {"owner",   "serving", "url",        "online", "even",
                                        "is_even", "trouble", "peer_count", "peers",  "repositories",
                                        "pending", "to_send", "coming"};
    double lag = lag_of(all);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        out_print("%s\"%s\":", i == 0 ? "{" : ",", names[i]);
        cbor_print(cbor_member(all, names[i]));
    }
    if (lag >= 0) {
        out_print(",\"lag\":%.3f}\n", lag);
    } else {
        out_text(",\"lag\":null}\n");
    }
}

/* Words may come from a server: what could steer a terminal is escaped. */
static void print_text(const char *label, cbor words, const char *behind) {
    out_print("%-14s", label);
    out_shown(words.data, words.len);
    out_text(behind);
    out_text("\n");
}

static void print_owner(cbor all) {
    char ago[PROGRESS_NUMBER_SIZE];
    cbor process = cbor_member(all, "owner");
    uint64_t pid = cbor_uint(cbor_member(process, "pid"));
    double age = age_of(cbor_member(process, "time"));
    if (pid == 0) {
        return;
    }
    out_text("owner         goat ");
    cbor command = cbor_content(cbor_member(process, "command"));
    out_shown(command.data, command.len);
    out_print(", process %" PRIu64 "%s, as of %s ago\n", pid, age > SILENT_SECONDS ? " (it is silent)" : "",
              seconds_text(age, ago));
    if (has(all, "serving")) {
        print_text("serving", cbor_content(cbor_member(all, "serving")), " (/metrics and /healthz say more)");
    }
}

static void print_peers(cbor all) {
    uint64_t count, number = cbor_uint(cbor_member(all, "peer_count"));
    cbor peers = cbor_array(cbor_member(all, "peers"), &count);
    if (!has(all, "serving")) {
        return; /* the only one is the server, and that is told beside its URL */
    }
    out_print("peers         %" PRIu64 "\n", number);
    for (uint64_t i = 0; i < count && i < PEERS_SHOWN_MAX && peers.len > 0; i++) {
        cbor one = cbor_take(&peers), session = cbor_content(cbor_member(one, "session"));
        cbor role = cbor_content(cbor_member(one, "role"));
        char numbers[2][PROGRESS_NUMBER_SIZE];
        out_text("  ");
        out_shown(role.data, role.len);
        out_text(" ");
        out_shown(session.data, session.len < SESSION_DIGITS ? session.len : SESSION_DIGITS);
        out_print("  %" PRIu64 " repositories, %s bytes in, %s out\n", cbor_uint(cbor_member(one, "repositories")),
                  progress_number(cbor_uint(cbor_member(one, "in")), numbers[0]),
                  progress_number(cbor_uint(cbor_member(one, "out")), numbers[1]));
    }
    if (number > PEERS_SHOWN_MAX) {
        out_print("  and %" PRIu64 " more\n", number - PEERS_SHOWN_MAX);
    }
}

static void print_server(cbor all) {
    char numbers[2][PROGRESS_NUMBER_SIZE], lag[PROGRESS_NUMBER_SIZE], even[CBOR_TIME_SIZE] = "never";
    int64_t ms;
    bool owned = cbor_uint(cbor_member(cbor_member(all, "owner"), "pid")) != 0;
    if (!has(all, "url")) {
        if (!has(all, "serving")) {
            out_text("server        none is known\n");
        }
        return;
    }
    const char *online = cbor_bool(cbor_member(all, "online")) ? " (connected)" : owned ? " (not connected)" : "";
    print_text("server", cbor_content(cbor_member(all, "url")), online);
    if (cbor_date(cbor_member(all, "even"), &ms)) {
        cbor_time_text(ms, even);
    }
    out_print("last even     %s\n", even);
    if (lag_of(all) >= 0) {
        out_print("lag           %s\n", lag_of(all) > 0 ? seconds_text(lag_of(all), lag) : "none");
    }
    out_print("to send       %s commits, %s bytes\n",
              progress_number(cbor_uint(cbor_member(all, "pending")), numbers[0]),
              progress_number(cbor_uint(cbor_member(all, "to_send")), numbers[1]));
    if (owned) {
        out_print("coming        %s bytes\n", progress_number(cbor_uint(cbor_member(all, "coming")), numbers[0]));
    }
}

static void print_lines(cbor all) {
    uint64_t count;
    print_owner(all);
    print_server(all);
    if (has(all, "trouble")) {
        print_text("last trouble", cbor_content(cbor_member(all, "trouble")), "");
    }
    print_peers(all);
    cbor repos = cbor_array(cbor_member(all, "repositories"), &count);
    for (uint64_t i = 0; i < count && repos.len > 0; i++) {
        char numbers[2][PROGRESS_NUMBER_SIZE];
        cbor one = cbor_take(&repos), path = cbor_content(cbor_member(one, "path"));
        uint64_t pending = cbor_uint(cbor_member(one, "pending")), commits = cbor_uint(cbor_member(one, "commits"));
        out_shown(path.data, path.len);
        out_print("  %s commit%s", progress_number(commits, numbers[0]), commits == 1 ? "" : "s");
        if (has(all, "url") && pending > 0) {
            out_print(", %s not yet on the server's disk", progress_number(pending, numbers[1]));
        }
        out_text("\n");
    }
}

static void print_facts(const cli *run, cbor all) {
    if (cli_has(run, "json")) {
        print_json(all);
    } else {
        print_lines(all);
    }
}

/* ---- where they come from ---- */

static int open_all(cli *run, goat_repo ***repos, uint64_t *count) {
    goat_buf paths = {0};
    goat_error *error = NULL;
    if (goat_db_repos(run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(run, run->operands[0], error);
    }
    cbor all = cbor_array(cbor_of(&paths), count);
    int code = CLI_DONE;
    *repos = calloc(*count + 1, sizeof **repos);
    for (uint64_t i = 0; *repos != NULL && code == CLI_DONE && i < *count && all.len > 0; i++) {
        cbor path = cbor_content(cbor_take(&all));
        if (goat_repo_open(run->db, (const char *)path.data, path.len, 0, &(*repos)[i], NULL, &error) != GOAT_OK) {
            code = cli_fail(run, run->operands[0], error);
        }
    }
    goat_buf_free(&paths);
    return code;
}

/* Nobody has it: what the database and DB/remote say. */
static int print_stored(cli *run) {
    remote r = {0};
    goat_repo **repos = NULL;
    uint64_t count = 0;
    goat_buf status = {0}, value = {0};
    goat_error *error = NULL;
    text made = {0};
    int code = remote_read(run, run->operands[0], &r);
    if (code == CLI_DONE) {
        code = open_all(run, &repos, &count);
    }
    if (code == CLI_DONE && goat_db_status(run->db, &status, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[0], error);
    }
    if (code == CLI_DONE) {
        facts f = {.remote = &r, .status = cbor_of(&status)};
        facts_add(&f, &made);
        code = goat_value_from_json(made.data, made.len, &value, &error) == GOAT_OK ? CLI_DONE
                                                                                    : cli_fail(run, NULL, error);
    }
    if (code == CLI_DONE) {
        print_facts(run, cbor_of(&value));
    }
    for (uint64_t i = 0; repos != NULL && i < count; i++) {
        goat_repo_free(repos[i]);
    }
    free(repos);
    text_free(&made);
    goat_buf_free(&value);
    goat_buf_free(&status);
    remote_free(&r);
    return code;
}

/* Another process has it, and has left word how it stands, or has not. */
static int print_owned(const cli *run, goat_error *busy) {
    goat_buf value = {0};
    if (!owner_read(run->operands[0], busy, &value)) {
        goat_buf_free(&value);
        return owner_say_busy(run, run->operands[0], busy);
    }
    print_facts(run, cbor_of(&value));
    goat_buf_free(&value);
    goat_error_free(busy);
    return CLI_DONE;
}

int cmd_status(cli *run) {
    const char *path = run->operands[0];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_READ_ONLY;
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), &config, &run->db, NULL, &error);
    if (status == GOAT_BUSY) {
        return print_owned(run, error);
    }
    if (status != GOAT_OK) {
        cli_fail(run, path, error);
        return status == GOAT_NOT_FOUND ? CLI_NO : CLI_TROUBLE;
    }
    return cli_close(run, print_stored(run));
}
