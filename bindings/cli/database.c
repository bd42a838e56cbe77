#include "database.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cbor.h"
#include "output.h"
#include "owner.h"

enum { ID_DIGITS_MIN = 8, ID_DIGITS_MAX = 64 };

int cli_open(cli *run, bool read_only) {
    const char *path = run->operands[0];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = read_only ? GOAT_OPEN_READ_ONLY : 0;
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), &config, &run->db, NULL, &error);
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    if (status == GOAT_BUSY) {
        return owner_say_busy(run, path, error);
    }
    cli_fail(run, path, error);
    return status == GOAT_NOT_FOUND ? CLI_NO : CLI_TROUBLE; /* all else is about the folder and its files */
}

static void note_one_damage(cli *run, const char *path, cbor damage, bool read_only) {
    cbor kind = cbor_member(damage, "kind"), word = cbor_content(kind);
    uint64_t length = cbor_uint(cbor_member(damage, "length")), offset = cbor_uint(cbor_member(damage, "offset"));
    if (cbor_is_text(kind, "torn")) {
        cli_note(run, "%s: the end of the log is torn, %" PRIu64 " bytes at byte %" PRIu64 "%s", path, length, offset,
                 read_only ? "" : "; they were cut off and kept beside it");
    } else {
        cli_note(run, "%s: the log is damaged (%.*s), %" PRIu64 " bytes at byte %" PRIu64 "; all else is read", path,
                 (int)word.len, (const char *)word.data, length, offset);
    }
}

/* One line for each damage in `path` that opening it has found. */
static void note_damage(cli *run, const char *path) {
    goat_buf info = {0};
    if (goat_db_info(run->db, &info, NULL) == GOAT_OK) {
        uint64_t count;
        cbor all = cbor_array(cbor_member(cbor_of(&info), "damage"), &count);
        for (uint64_t i = 0; i < count && all.len > 0; i++) {
            cbor damage = cbor_take(&all);
            if (cbor_is_text(cbor_member(damage, "path"), path)) {
                note_one_damage(run, path, damage, cbor_bool(cbor_member(cbor_of(&info), "read_only")));
            }
        }
    }
    goat_buf_free(&info);
}

/* CLI_NO when no repository of that path is stored. */
static int look_for_repo(cli *run, const char *path) {
    goat_buf paths = {0};
    goat_error *error = NULL;
    if (goat_db_repos(run->db, &paths, NULL, &error) != GOAT_OK) {
        goat_buf_free(&paths);
        return cli_fail(run, run->operands[0], error);
    }
    uint64_t count;
    cbor all = cbor_array(cbor_of(&paths), &count);
    bool found = false;
    for (uint64_t i = 0; i < count && !found && all.len > 0; i++) {
        found = cbor_is_text(cbor_take(&all), path);
    }
    goat_buf_free(&paths);
    if (!found) {
        cli_error(run, "%s: no such repository", path);
    }
    return found ? CLI_DONE : CLI_NO;
}

int cli_look_for_schema(cli *run, const char *ns) {
    goat_buf schemas = {0};
    goat_error *error = NULL;
    if (goat_db_schemas(run->db, &schemas, &error) != GOAT_OK) {
        goat_buf_free(&schemas);
        return cli_fail(run, run->operands[0], error);
    }
    uint64_t count;
    bool found = false;
    cbor all = cbor_array(cbor_of(&schemas), &count);
    for (uint64_t i = 0; i < count && !found && all.len > 0; i++) {
        found = cbor_is_text(cbor_member(cbor_take(&all), "ns"), ns);
    }
    goat_buf_free(&schemas);
    if (!found) {
        cli_error(run, "no schema \"%s\" is known here (goat schema DB add FILE registers one)", ns);
    }
    return found ? CLI_DONE : CLI_NO;
}

int cli_open_repo(cli *run, const char *path, int how) {
    if (how == CLI_REPO_MUST_EXIST) {
        int code = look_for_repo(run, path);
        if (code != CLI_DONE) {
            return code;
        }
    }
    goat_error *error = NULL;
    goat_status status = goat_repo_open(run->db, path, strlen(path), 0, &run->repo, NULL, &error);
    if (status != GOAT_OK) {
        int code = cli_fail(run, path, error);
        return status == GOAT_FORBIDDEN ? CLI_TROUBLE : code; /* by the system, not by a rule */
    }
    note_damage(run, path);
    return CLI_DONE;
}

int cli_flush(cli *run) {
    goat_error *error = NULL;
    if (goat_db_flush(run->db, GOAT_DURABLE_DISK, NULL, &error) != GOAT_OK) {
        cli_fail(run, run->operands[0], error);
        return CLI_TROUBLE;
    }
    return CLI_DONE;
}

int cli_close(cli *run, int code) {
    goat_repo_free(run->repo);
    run->repo = NULL;
    if (run->db != NULL) {
        goat_error *error = NULL;
        if (goat_db_close(run->db, NULL, code == CLI_DONE ? &error : NULL) != GOAT_OK && code == CLI_DONE) {
            code = cli_fail(run, run->operands[0], error); /* otherwise what came first was said, and explains it */
        }
        goat_db_free(run->db);
        run->db = NULL;
    }
    return code;
}

int cli_split_path(const cli *run, const char *path, char *repo, const char **key) {
    const char *slash = path[0] == '/' ? strchr(path + 1, '/') : NULL;
    slash = slash != NULL ? strchr(slash + 1, '/') : NULL;
    if (slash == NULL || slash[1] == '\0' || strchr(slash + 1, '/') != NULL || slash - path >= CLI_REPO_PATH_SIZE) {
        cli_error(run, "%s: not the path of an item, /type/repository/item", path);
        return CLI_NO;
    }
    memcpy(repo, path, (size_t)(slash - path));
    repo[slash - path] = '\0';
    *key = slash + 1;
    return CLI_DONE;
}

int cli_open_item(cli *run, bool read_only, int how, goat_item **item) {
    char repo[CLI_REPO_PATH_SIZE];
    const char *path = run->operands[1], *key;
    int code = cli_split_path(run, path, repo, &key);
    if (code == CLI_DONE) {
        code = cli_open(run, read_only);
    }
    if (code == CLI_DONE) {
        code = cli_open_repo(run, repo, how);
    }
    goat_error *error = NULL;
    if (code == CLI_DONE && item != NULL &&
        goat_item_open(run->db, NULL, path, strlen(path), item, &error) != GOAT_OK) {
        code = cli_fail(run, path, error);
    }
    return code;
}

int cli_find_commit(cli *run, goat_item *item, const char *digits, goat_buf *id) {
    goat_error *error = NULL;
    size_t len = strspn(digits, "0123456789abcdefABCDEF");
    if (len < ID_DIGITS_MIN || len > ID_DIGITS_MAX || digits[len] != '\0') {
        return cli_usage(run, "%s is no commit: 8 to 64 hexadecimal digits", digits);
    }
    goat_status status = goat_item_find_commit(item, digits, len, id, &error);
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    if (status != GOAT_NOT_FOUND && status != GOAT_INVALID) {
        return cli_fail(run, run->operands[1], error);
    }
    goat_error_free(error);
    cli_error(run, "%s: %s commit begins with %s", run->operands[1], status == GOAT_INVALID ? "more than one" : "no",
              digits);
    return CLI_NO;
}
