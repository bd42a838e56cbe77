#include "ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"
#include "database.h"
#include "output.h"

enum {
    BATCH_DEFAULT = 100,
    BATCH_BYTES_MAX = 8 << 20, /* a longer batch goes before its time; a record of a log holds 64 MiB */
    PARTIAL_MS = 100,          /* lines that wait for more of them wait no longer */
    NAME_MAX_BYTES = 200,
};

/* Where the edit of one line lies in the text of the batch. */
struct ingest_place {
    size_t begin, end;
    size_t raw; /* where the line itself was copied to; 0: it was not copied as a whole */
    uint64_t line;
};

/* ---- Beginning ------------------------------------------------------------------------------- */

int ingest_options(ingest *in) {
    in->batch_max = BATCH_DEFAULT;
    if (!cli_number(in->run, "batch", 1, GOAT_BATCH_MAX, &in->batch_max)) {
        return CLI_USAGE;
    }
    const char *flush = cli_value(in->run, "flush");
    if (flush != NULL && strcmp(flush, "batch") != 0 && strcmp(flush, "end") != 0) {
        return cli_usage(in->run, "--flush must be batch or end, not \"%s\"", flush);
    }
    in->flush_each = flush != NULL && strcmp(flush, "batch") == 0;
    in->acknowledge = cli_has(in->run, "ack");
    in->keep_going = cli_has(in->run, "keep-going");
    in->quiet = cli_has(in->run, "quiet");
    return CLI_DONE;
}

int ingest_open(ingest *in, const char *path) {
    bool is_standard = path == NULL || strcmp(path, "-") == 0;
    in->name = is_standard ? "stdin" : path;
    if (!reader_open(&in->reader, path)) {
        cli_error(in->run, "%s: cannot open it: %s", in->name, strerror(errno));
        return CLI_TROUBLE;
    }
    in->places = calloc(in->batch_max, sizeof *in->places);
    if (in->places == NULL) {
        cli_error(in->run, "out of memory");
        return CLI_TROUBLE;
    }
    return CLI_DONE;
}

void ingest_close(ingest *in) {
    if (in->name != NULL) {
        reader_close(&in->reader);
    }
    text_free(&in->edits);
    free(in->places);
    in->places = NULL;
}

/* ---- Lines that are refused ------------------------------------------------------------------ */

/* Gives CLI_DONE when the work may go on. */
static int refuse(ingest *in, uint64_t line, const char *why) {
    progress_hide(&in->progress);
    cli_error(in->run, "%.*s:%" PRIu64 ": %s", NAME_MAX_BYTES, in->name, line, why);
    in->refused++;
    in->code = CLI_NO;
    return in->keep_going ? CLI_DONE : CLI_NO;
}

/* Whether the library refused the data, as against having trouble itself. */
static bool is_about_the_data(goat_status status) {
    return status < 40 && status != GOAT_LOADING && status != GOAT_FORBIDDEN;
}

static int fail(ingest *in, goat_error *error) {
    progress_hide(&in->progress);
    in->code = cli_fail(in->run, NULL, error);
    return in->code;
}

/* ---- Batches --------------------------------------------------------------------------------- */

static void count_result(ingest *in, const goat_buf *result) {
    in->created += cbor_uint(cbor_member(cbor_of(result), "created"));
    in->changed += cbor_uint(cbor_member(cbor_of(result), "changed"));
    in->unchanged += cbor_uint(cbor_member(cbor_of(result), "unchanged"));
}

/* Applies the edits from `first` up to `end`. The bytes in front of and behind an edit separate it from
 * others: here they become the brackets of an array, and are what they were afterwards. */
static goat_status apply_range(ingest *in, uint32_t first, uint32_t end, goat_error **error) {
    size_t open = in->places[first].begin - 1, close = in->places[end - 1].end;
    char before = in->edits.data[open], behind = in->edits.data[close];
    in->edits.data[open] = '[';
    in->edits.data[close] = ']';
    goat_buf result = {0};
    goat_status status =
        goat_repo_apply_json(in->repo, in->edits.data + open, close + 1 - open, in->flags, &result, error);
    if (status == GOAT_OK) {
        count_result(in, &result);
    }
    goat_buf_free(&result);
    in->edits.data[open] = before;
    in->edits.data[close] = behind;
    return status;
}

/* Ends the error. Where the library names a place in the text and that is in the line, it becomes a column. */
static int refuse_edit(ingest *in, const struct ingest_place *place, goat_error *error) {
    char why[INGEST_WHY_SIZE];
    size_t head = 0;
    double column = goat_error_position(error) - (double)(place->raw - (place->begin - 1)) + 1;
    if (place->raw != 0 && goat_error_position(error) >= 0 && column >= 1) {
        head = (size_t)snprintf(why, sizeof why, "column %.0f: ", column);
    }
    cli_describe(error, NULL, why + head, sizeof why - head);
    goat_error_free(error);
    return refuse(in, place->line, why);
}

/* The depth is that of halving a batch: 16 at most. */
static int apply_halved(ingest *in, uint32_t first, uint32_t end) {
    goat_error *error = NULL;
    goat_status status = apply_range(in, first, end, &error);
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    if (!is_about_the_data(status)) {
        return fail(in, error);
    }
    if (end - first == 1) {
        return refuse_edit(in, &in->places[first], error);
    }
    goat_error_free(error);
    uint32_t middle = first + (end - first) / 2;
    int code = apply_halved(in, first, middle);
    return code == CLI_DONE ? apply_halved(in, middle, end) : code;
}

static int make_durable(ingest *in) {
    goat_error *error = NULL;
    if (goat_db_flush(in->db, GOAT_DURABLE_DISK, NULL, &error) != GOAT_OK) {
        return fail(in, error);
    }
    if (in->acknowledge) {
        out_print(cli_has(in->run, "json") ? "{\"acknowledged\":%" PRIu64 "}\n" : "%" PRIu64 "\n", in->done_line);
        out_flush();
    }
    return out_failed() ? CLI_TROUBLE : CLI_DONE;
}

int ingest_apply(ingest *in) {
    if (in->count == 0) {
        return CLI_DONE;
    }
    text_add_c(&in->edits, "]");
    int code = apply_halved(in, 0, in->count);
    if (code == CLI_DONE) {
        in->done_line = in->places[in->count - 1].line;
    }
    in->edits.len = 0;
    in->count = 0;
    return code == CLI_DONE && in->flush_each ? make_durable(in) : code;
}

static bool is_blank(const char *line, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r') {
            return false;
        }
    }
    return true;
}

int ingest_line(ingest *in, const char *line, size_t len) {
    if (is_blank(line, len)) {
        return CLI_DONE;
    }
    size_t before = in->edits.len;
    text_add_c(&in->edits, in->count == 0 ? "[" : ",");
    struct ingest_place *place = &in->places[in->count];
    *place = (struct ingest_place){.begin = in->edits.len, .line = in->reader.line};
    char why[INGEST_WHY_SIZE] = "";
    in->raw = 0;
    if (!in->make(in, (json_slice){line, len}, why)) {
        in->edits.len = before;
        return refuse(in, in->reader.line, why);
    }
    place->end = in->edits.len;
    place->raw = in->raw;
    in->count++;
    return in->count == in->batch_max || in->edits.len >= BATCH_BYTES_MAX ? ingest_apply(in) : CLI_DONE;
}

/* ---- The whole ------------------------------------------------------------------------------- */

int ingest_other(ingest *in, reader_answer answer, bool *ends) {
    switch (answer) {
    case READER_TOO_LONG: return refuse(in, in->reader.line, "longer than 16 MiB");
    case READER_NOTHING: return ingest_apply(in);
    case READER_INTERRUPTED:
        *ends = true;
        in->code = CLI_SIGNAL + in->reader.signal;
        return CLI_DONE;
    case READER_FAILED:
        progress_hide(&in->progress);
        cli_error(in->run, "%s: cannot read it: %s", in->name, strerror(in->reader.error));
        *ends = true;
        in->code = CLI_TROUBLE;
        return CLI_DONE;
    default: *ends = answer == READER_END; return CLI_DONE;
    }
}

static int read_lines(ingest *in) {
    int code = CLI_DONE;
    bool ends = false;
    while (code == CLI_DONE && !ends) {
        const char *line = NULL;
        size_t len = 0;
        reader_answer answer = reader_next(&in->reader, in->count > 0 ? PARTIAL_MS : -1, &line, &len);
        code = answer == READER_LINE ? ingest_line(in, line, len) : ingest_other(in, answer, &ends);
        if (in->count == 0) {
            uint64_t documents = in->created + in->changed + in->unchanged;
            progress_show(&in->progress, documents, in->reader.bytes, in->reader.bytes_total);
        }
        if (code == CLI_DONE && in->flush_each && in->count == 0 &&
            reader_pause(&in->reader, 0) == READER_INTERRUPTED) {
            code = ingest_other(in, READER_INTERRUPTED, &ends);
        }
    }
    /* What was read before the end, or before the line at fault, counts. */
    if (in->count > 0 && (code == CLI_DONE || code == CLI_NO)) {
        int last = ingest_apply(in);
        code = last != CLI_DONE ? last : code;
    }
    return code;
}

int ingest_all(ingest *in) {
    progress_begin(&in->progress, "documents", in->quiet);
    int code = read_lines(in);
    progress_hide(&in->progress);
    if ((code == CLI_DONE || code == CLI_NO) && !in->flush_each) {
        int flushed = make_durable(in);
        code = flushed != CLI_DONE ? flushed : code;
    }
    return code != CLI_DONE ? code : in->code;
}

void ingest_summary(const ingest *in, int code) {
    uint64_t documents = in->created + in->changed + in->unchanged;
    double seconds = progress_now() - in->progress.begun;
    double rate = seconds > 0 ? (double)documents / seconds : 0;
    if (cli_has(in->run, "json")) {
        out_print("{\"documents\":%" PRIu64 ",\"created\":%" PRIu64 ",\"changed\":%" PRIu64 ",\"unchanged\":%" PRIu64
                  ",\"refused\":%" PRIu64 ",\"seconds\":%.3f,\"documents_per_second\":%.0f,\"code\":%d}\n",
                  documents, in->created, in->changed, in->unchanged, in->refused, seconds, rate, code);
        return;
    }
    if (in->quiet) {
        return;
    }
    char numbers[6][PROGRESS_NUMBER_SIZE];
    out_print("%s document%s in %.2f s (%s/s): %s created, %s changed, %s unchanged",
              progress_number(documents, numbers[0]), documents == 1 ? "" : "s", seconds,
              progress_number((uint64_t)rate, numbers[1]), progress_number(in->created, numbers[2]),
              progress_number(in->changed, numbers[3]), progress_number(in->unchanged, numbers[4]));
    if (in->refused > 0) {
        out_print(", %s refused", progress_number(in->refused, numbers[5]));
    }
    out_text(code >= CLI_SIGNAL ? "; interrupted\n" : "\n");
}
