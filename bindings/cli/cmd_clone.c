/* goat clone: a replica of what a server has, or the rest of one that was begun. */
#include <string.h>

#include "commands.h"
#include "database.h"
#include "follow.h"
#include "output.h"

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The key of --root. */
static int read_root(const cli *run, uint8_t key[FOLLOW_KEY_SIZE]) {
    const char *text = cli_value(run, "root");
    bool good = strlen(text) == (size_t)2 * FOLLOW_KEY_SIZE;
    for (int i = 0; good && i < FOLLOW_KEY_SIZE; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = (uint8_t)(good ? high << 4 | low : 0);
    }
    return good ? CLI_DONE : cli_usage(run, "--root must be %d hexadecimal digits", 2 * FOLLOW_KEY_SIZE);
}

static int another_key(const follow *f) {
    cli_error(f->run, "%s: its root key is not the one given", f->remote.url);
    return CLI_TROUBLE;
}

/* A database that is there already must be a replica of that network. `*found`: it is, and is open. */
static int look_for_replica(follow *f, const uint8_t *wanted, uint8_t root[FOLLOW_KEY_SIZE], bool *found) {
    cli *run = f->run;
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = 0;
    goat_error *error = NULL;
    goat_buf info = {0};
    goat_status status = goat_db_open(f->db, strlen(f->db), &config, &run->db, NULL, &error);
    *found = status == GOAT_OK;
    if (status == GOAT_NOT_FOUND) {
        goat_error_free(error);
        return CLI_DONE;
    }
    if (status != GOAT_OK || goat_db_info(run->db, &info, &error) != GOAT_OK) {
        goat_buf_free(&info);
        cli_fail(run, f->db, error);
        return CLI_TROUBLE;
    }
    int code = CLI_DONE;
    cbor key = cbor_content(cbor_member(cbor_of(&info), "root"));
    if (cbor_bool(cbor_member(cbor_of(&info), "authority"))) {
        cli_error(run, "%s: there is a database already, with a root key of its own", f->db);
        code = CLI_NO;
    } else if (key.len == FOLLOW_KEY_SIZE) {
        memcpy(root, key.data, FOLLOW_KEY_SIZE);
        code = wanted != NULL && memcmp(wanted, root, FOLLOW_KEY_SIZE) != 0 ? another_key(f) : CLI_DONE;
    }
    goat_buf_free(&info);
    return code;
}

/* The server says who it is, and from here on that is pinned. */
static int make_replica(follow *f, const uint8_t *wanted, uint8_t root[FOLLOW_KEY_SIZE]) {
    int code = follow_ask(f, root);
    if (code == CLI_DONE && wanted != NULL && memcmp(wanted, root, FOLLOW_KEY_SIZE) != 0) {
        code = another_key(f);
    }
    if (code != CLI_DONE) {
        return code;
    }
    goat_config config = GOAT_CONFIG_INIT;
    config.root_key = root;
    goat_error *error = NULL;
    if (goat_db_open(f->db, strlen(f->db), &config, &f->run->db, NULL, &error) != GOAT_OK) {
        cli_fail(f->run, f->db, error);
        return CLI_TROUBLE;
    }
    if (wanted == NULL) {
        char hex[2 * FOLLOW_KEY_SIZE + 1];
        for (int i = 0; i < FOLLOW_KEY_SIZE; i++) {
            static const char digits[] = "0123456789abcdef";
            hex[2 * i] = digits[root[i] >> 4];
            hex[2 * i + 1] = digits[root[i] & 15];
        }
        hex[2 * FOLLOW_KEY_SIZE] = '\0';
        cli_note(f->run, "first use of this server: its root key %s is trusted from now on (--root checks it)", hex);
    }
    return CLI_DONE;
}

/* What is wanted of the server is noted, and each repository that was named is there, if empty. */
static int want_repos(follow *f) {
    cli *run = f->run;
    char **paths = run->operands + 2;
    int count = run->operand_count - 2;
    goat_error *error = NULL;
    for (int i = 0; i < count; i++) {
        goat_repo *repo = NULL;
        goat_status status = goat_repo_open(run->db, paths[i], strlen(paths[i]), 0, &repo, NULL, &error);
        if (status == GOAT_OK) {
            status = goat_repo_close(repo, NULL, &error);
        }
        goat_repo_free(repo);
        if (status != GOAT_OK) {
            return cli_fail(run, paths[i], error);
        }
    }
    while (count == 0 && f->remote.repo_count > 0) { /* all */
        remote_set(&f->remote.repos[--f->remote.repo_count], NULL);
    }
    for (int i = 0; i < count; i++) {
        size_t known = 0;
        while (known < f->remote.repo_count && strcmp(f->remote.repos[known], paths[i]) != 0) {
            known++;
        }
        if (known == f->remote.repo_count) {
            remote_add_repo(&f->remote, paths[i]);
        }
    }
    return remote_write(run, f->db, &f->remote);
}

/* Those that were named are on the server. What came from there tells, also when the connection has ended since. */
static int check_repos(follow *f) {
    goat_buf status = {0};
    goat_error *error = NULL;
    if (goat_db_status(f->run->db, &status, &error) != GOAT_OK) {
        goat_buf_free(&status);
        return cli_fail(f->run, f->db, error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_member(cbor_of(&status), "repositories"), &count);
    int code = CLI_DONE;
    for (uint64_t i = 0; code == CLI_DONE && i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all), path = cbor_content(cbor_member(one, "path"));
        if (cbor_bool(cbor_member(one, "open")) || cbor_uint(cbor_member(one, "entries")) > 0) {
            continue;
        }
        if (!cbor_bool(cbor_member(cbor_of(&status), "online"))) {
            cli_error(f->run, "%s: the connection ended; run it again", f->remote.url);
            code = CLI_TROUBLE;
        } else {
            cli_error(f->run, "%.*s: the server has no such repository", (int)path.len, (const char *)path.data);
            code = CLI_NO;
        }
    }
    goat_buf_free(&status);
    return code;
}

static int clone(follow *f, const uint8_t *wanted) {
    uint8_t root[FOLLOW_KEY_SIZE];
    bool found = false;
    int code = look_for_replica(f, wanted, root, &found);
    if (code == CLI_DONE && !found) {
        code = make_replica(f, wanted, root);
    }
    if (code == CLI_DONE) {
        code = want_repos(f);
    }
    if (code == CLI_DONE) {
        code = follow_count(f);
    }
    if (code == CLI_DONE) {
        bool all = f->remote.repo_count == 0;
        code = follow_connect(f, GOAT_SYNC_STORED | (all ? GOAT_SYNC_ALL : 0));
    }
    if (code != CLI_DONE) {
        return code;
    }
    bool quiet = cli_has(f->run, "quiet");
    progress_begin(&f->progress, "commits", quiet);
    code = follow_until_even(f);
    int written = follow_remember(f, code);
    code = code == CLI_DONE ? written : code;
    if (code == CLI_DONE) {
        code = check_repos(f);
    }
    if (code == CLI_DONE && !quiet) {
        follow_summary(f, root);
    }
    return code;
}

int cmd_clone(cli *run) {
    uint8_t wanted[FOLLOW_KEY_SIZE];
    follow f;
    bool given = cli_has(run, "root");
    int code = given ? read_root(run, wanted) : CLI_DONE;
    if (code == CLI_DONE) {
        code = follow_begin(&f, run, run->operands[1]);
    }
    if (code != CLI_DONE) {
        return code;
    }
    remote_set(&f.remote.url, run->operands[0]);
    code = follow_disconnect(&f, clone(&f, given ? wanted : NULL));
    code = cli_close(run, code);
    follow_end(&f);
    return code;
}
