/* goat clone: a replica of what a server has, or the rest of one that was begun. */
#include <string.h>

#include "commands.h"
#include "database.h"
#include "follow.h"
#include "output.h"
#include "owner.h"
#include "wanted.h"

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The key of --root. */
static int read_root(const cli *run, uint8_t key[FOLLOW_KEY_SIZE]) {
    const char *word = cli_value(run, "root");
    bool good = strlen(word) == (size_t)2 * FOLLOW_KEY_SIZE;
    for (int i = 0; good && i < FOLLOW_KEY_SIZE; i++) {
        int high = hex_digit(word[2 * i]), low = hex_digit(word[2 * i + 1]);
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
static int look_for_replica(follow *f, const uint8_t *given, uint8_t root[FOLLOW_KEY_SIZE], bool *found) {
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
    if (status == GOAT_BUSY) {
        return owner_say_busy(run, f->db, error);
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
        code = given != NULL && memcmp(given, root, FOLLOW_KEY_SIZE) != 0 ? another_key(f) : CLI_DONE;
    }
    goat_buf_free(&info);
    return code;
}

/* The server says who it is, and from here on that is pinned. */
static int make_replica(follow *f, const uint8_t *given, uint8_t root[FOLLOW_KEY_SIZE]) {
    int code = follow_ask(f, root);
    if (code == CLI_DONE && given != NULL && memcmp(given, root, FOLLOW_KEY_SIZE) != 0) {
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
    if (given == NULL) {
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

/* Where the server is, and what is wanted of it, is remembered only when all of it was there. */
static int bring(follow *f, const wanted *w, const uint8_t *root) {
    bool quiet = cli_has(f->run, "quiet");
    int code = follow_count(f);
    if (code == CLI_DONE) {
        code = follow_connect(f, GOAT_SYNC_STORED | (w->all ? GOAT_SYNC_ALL : 0));
    }
    if (code != CLI_DONE) {
        return code;
    }
    progress_begin(&f->progress, "commits", quiet);
    code = follow_until_even(f);
    if (code == CLI_DONE) {
        code = wanted_check(w, f);
    }
    if (code == CLI_DONE) {
        wanted_remember(w, &f->remote);
    }
    int written = follow_remember(f, code);
    code = code == CLI_DONE ? written : code;
    if (code == CLI_DONE && !quiet) {
        follow_summary(f, root);
    }
    return code;
}

static int clone(follow *f, const uint8_t *given) {
    cli *run = f->run;
    uint8_t root[FOLLOW_KEY_SIZE];
    bool found = false;
    wanted w = {0};
    int code = look_for_replica(f, given, root, &found);
    if (code == CLI_DONE && !found) {
        code = make_replica(f, given, root);
    }
    if (code == CLI_DONE) {
        code = wanted_begin(&w, f, run->operands + 2, run->operand_count - 2);
    }
    if (code == CLI_DONE) {
        code = bring(f, &w, root);
    }
    code = follow_disconnect(f, code);
    if (code != CLI_DONE) {
        wanted_take_back(&w, f);
    }
    wanted_end(&w);
    return code;
}

int cmd_clone(cli *run) {
    uint8_t key[FOLLOW_KEY_SIZE];
    follow f;
    bool given = cli_has(run, "root");
    int code = given ? read_root(run, key) : CLI_DONE;
    if (code == CLI_DONE) {
        code = follow_begin(&f, run, run->operands[1]);
    }
    if (code != CLI_DONE) {
        return code;
    }
    remote_set(&f.remote.url, run->operands[0]);
    code = clone(&f, given ? key : NULL);
    code = cli_close(run, code);
    follow_end(&f);
    return code;
}
