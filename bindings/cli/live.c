#include "live.h"

#include <inttypes.h>
#include <string.h>

#include "cbor.h"
#include "database.h"
#include "output.h"

/* One row that changed, as [2, query, what, position, old position, path] tells it. */
typedef struct change {
    uint64_t what, position, old_position;
    cbor path;
} change;

static bool read_change(cbor item, uint32_t query, change *found) {
    cbor run = cbor_array(item, NULL);
    if (cbor_uint(cbor_take(&run)) != GOAT_CHANGE_ROW || cbor_uint(cbor_take(&run)) != query) {
        return false;
    }
    found->what = cbor_uint(cbor_take(&run));
    found->position = cbor_uint(cbor_take(&run));
    found->old_position = cbor_uint(cbor_take(&run));
    found->path = cbor_content(cbor_take(&run));
    return true;
}

/* Where the row at `position` stands after the changes that follow. False: it is gone again. */
static bool follow(cbor rest, uint64_t count, uint32_t query, uint64_t *position) {
    for (uint64_t i = 0; i < count && rest.len > 0; i++) {
        change next;
        if (!read_change(cbor_take(&rest), query, &next)) {
            continue;
        }
        bool comes = next.what == GOAT_ROW_INSERTED || next.what == GOAT_ROW_MOVED;
        bool goes = next.what == GOAT_ROW_REMOVED || next.what == GOAT_ROW_MOVED;
        if (goes && next.old_position == *position) {
            if (next.what == GOAT_ROW_REMOVED) {
                return false;
            }
            *position = next.position;
            continue;
        }
        *position -= goes && next.old_position < *position;
        *position += comes && next.position <= *position;
    }
    return true;
}

/* The key is what stands behind the third slash. */
static void print_key(cbor path) {
    const uint8_t *at = path.data, *end = path.data + path.len;
    for (int slashes = 0; at < end && slashes < 3; at++) {
        slashes += *at == '/';
    }
    out_text("{\"key\":");
    out_json_string((const char *)at, (size_t)(end - at));
    out_text("}");
}

static void print_change(goat_query *query, const change *found, bool is_there, uint64_t now_at) {
    static const char *const names[] = {"inserted", "removed", "moved", "updated"};
    if (found->what >= sizeof names / sizeof names[0]) {
        return; /* of a newer library */
    }
    out_print("{\"change\":\"%s\",\"position\":%" PRIu64, names[found->what], found->position);
    if (found->what == GOAT_ROW_MOVED) {
        out_print(",\"from\":%" PRIu64, found->old_position);
    }
    out_text(",\"row\":");
    goat_buf row = {0};
    bool has_row = is_there && found->what != GOAT_ROW_REMOVED &&
                   goat_query_rows_json(query, (uint32_t)now_at, 1, &row, NULL) == GOAT_OK && row.size > 0;
    if (has_row) {
        size_t len = row.size - (row.data[row.size - 1] == '\n');
        out_bytes(row.data, len);
    } else {
        print_key(found->path);
    }
    goat_buf_free(&row);
    out_text("}\n");
}

static void print_changes(goat_query *query, cbor all, uint64_t count) {
    uint32_t id = goat_query_id(query);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor item = cbor_take(&all), run = cbor_array(item, NULL);
        change found;
        if (item.len > 0 && cbor_uint(cbor_take(&run)) == GOAT_CHANGE_RESET) {
            out_text("{\"change\":\"reset\"}\n");
        } else if (read_change(item, id, &found)) {
            uint64_t position = found.position;
            bool is_there = follow(all, count - i - 1, id, &position);
            print_change(query, &found, is_there, position);
        }
    }
}

/* Lets what was applied become visible, and prints it. */
static int show(live_edits *live, goat_query *query, uint32_t *count_before) {
    goat_buf changes = {0};
    goat_error *error = NULL;
    uint32_t count = 0;
    int code = CLI_DONE;
    if (goat_db_advance(live->in.run->db, &changes, &error) != GOAT_OK ||
        goat_query_count(query, &count, &error) != GOAT_OK) {
        code = cli_fail(live->in.run, NULL, error);
    } else if (cli_has(live->in.run, "count")) {
        if (count != *count_before) {
            out_print(cli_has(live->in.run, "json") ? "{\"count\":%" PRIu32 "}\n" : "%" PRIu32 "\n", count);
        }
    } else {
        uint64_t many;
        cbor all = cbor_array(cbor_of(&changes), &many);
        print_changes(query, all, many);
    }
    *count_before = count;
    goat_buf_free(&changes);
    return code == CLI_DONE && !out_flush() ? CLI_TROUBLE : code;
}

static void wake(void *userdata) { reader_wake(userdata); }

static int open_writer(live_edits *live) {
    cli *run = live->in.run;
    const char *db = run->operands[0], *repo = run->operands[1];
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = 0;
    goat_error *error = NULL;
    if (goat_db_open(db, strlen(db), &config, &live->writer, NULL, &error) != GOAT_OK ||
        goat_repo_open(live->writer, repo, strlen(repo), 0, &live->repo, NULL, &error) != GOAT_OK ||
        goat_db_on_wake(run->db, wake, &live->in.reader, NULL, &error) != GOAT_OK) {
        return cli_fail(run, repo, error);
    }
    live->in.db = live->writer;
    live->in.repo = live->repo;
    return CLI_DONE;
}

/* Waits so long that the rate is kept. A signal in between ends it all. */
static int keep_rate(live_edits *live, double *next, bool *ends) {
    if (live->rate == 0) {
        return CLI_DONE;
    }
    *next += 1.0 / live->rate;
    while (*next > progress_now()) {
        int left_ms = (int)((*next - progress_now()) * 1000) + 1;
        if (reader_pause(&live->in.reader, left_ms) == READER_INTERRUPTED) {
            *ends = true;
            return CLI_SIGNAL + live->in.reader.signal;
        }
    }
    return CLI_DONE;
}

static int watch(live_edits *live, goat_query *query) {
    uint32_t count = 0;
    bool ends = false;
    int code = goat_query_count(query, &count, NULL) == GOAT_OK ? show(live, query, &count) : CLI_TROUBLE;
    double next = progress_now();
    while (code == CLI_DONE && !ends) {
        const char *line = NULL;
        size_t len = 0;
        reader_answer answer = reader_next(&live->in.reader, -1, &line, &len);
        if (answer == READER_LINE) {
            code = ingest_line(&live->in, line, len);
        } else if (answer != READER_WOKEN) {
            code = ingest_other(&live->in, answer, &ends);
        }
        if (code == CLI_DONE) {
            code = show(live, query, &count);
        }
        if (code == CLI_DONE && answer == READER_LINE) {
            code = keep_rate(live, &next, &ends);
        }
    }
    return code;
}

int live_run(live_edits *live, goat_query *query) {
    int code = open_writer(live);
    if (code == CLI_DONE) {
        code = watch(live, query);
    }
    goat_error *error = NULL;
    if (live->writer != NULL && goat_db_flush(live->writer, GOAT_DURABLE_DISK, NULL, &error) != GOAT_OK) {
        int flushed = cli_fail(live->in.run, NULL, error);
        code = code == CLI_DONE ? flushed : code;
    }
    goat_db_on_wake(live->in.run->db, NULL, NULL, NULL, NULL); /* the reader goes before the database */
    goat_repo_free(live->repo);
    goat_db_free(live->writer);
    return code != CLI_DONE ? code : live->in.code;
}
