/* What a single key costs before capture, in a large text: here and there, in every unit, and the first after a capture. */
#include "trace.h"

#include "value/build.h"

#include <stdlib.h>
#include <string.h>

enum { CAPTURES = 20, KEYS = 200, TEXT_SIZE = 100 * 1000, ATTRIBUTE_RUNS = 1000, QUERIED = 1000, TARGET_US = 20 };

const trace made_up = {.name = "100 kB made up"};

static double target(const trace *t) {
    return t == &made_up || strcmp(t->name, "automerge-paper") == 0 ? TARGET_US : 0;
}

static void flush(const trace_db *o) {
    goat_error *error = NULL;
    check(goat_db_flush(o->db, GOAT_DURABLE_MEMORY, NULL, &error), error, "flush");
}

/* ---- texts ---- */

static const char schema[] = "{\"ns\":\"keys\",\"version\":1,\"fields\":{\"text\":{\"type\":\"text\"},"
                             "\"few\":{\"type\":\"text\",\"min_length\":1,\"max_length\":1000000},"
                             "\"page\":{\"type\":\"object\",\"fields\":{\"text\":{\"type\":\"text\"}}},"
                             "\"rich\":{\"type\":\"richtext\"},\"title\":{\"type\":\"string\"}}}";

/* 12 code points, of which the last but one is two units of UTF-16: 23 bytes. */
static const char hebrew[] = "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\x92\xd7\x93\xd7\x99\xd7\x94 \xf0\x9f\x90\x90 ";
static const uint32_t hebrew_units[] = {sizeof(hebrew) - 1, 12, 13};

static void repeat(const char *piece, gt_buf *text) {
    while (text->len + strlen(piece) <= TEXT_SIZE) gt_buf_append(text, piece, strlen(piece));
}

static void write_rich(gt_buf *out) {
    char words[TEXT_SIZE / ATTRIBUTE_RUNS];
    memset(words, 'g', sizeof(words));
    gt_write_array_head(out, ATTRIBUTE_RUNS);
    for (int i = 0; i < ATTRIBUTE_RUNS; i++) {
        gt_write_map_head(out, i % 2 == 0 ? 1 : 2);
        gt_write_text(out, gt_bytes_text("insert"));
        gt_write_text(out, gt_bytes_of(words, sizeof(words)));
        if (i % 2 == 0) continue;
        gt_write_text(out, gt_bytes_text("attributes"));
        gt_write_map_head(out, 1);
        gt_write_text(out, gt_bytes_text("bold"));
        gt_write_bool(out, true);
    }
}

/* ---- keys ---- */

typedef struct typist {
    const trace_db *db;
    goat_item *item;
    const char *field;
    goat_unit unit;
    bool is_rich;
    uint32_t step, places; /* a key is typed at a multiple of `step` units */
} typist;

static void splice(const typist *who, uint32_t position, uint32_t removed, const char *text) {
    goat_error *error = NULL;
    check(goat_item_splice(who->item, who->field, strlen(who->field), who->unit, position, removed, text, strlen(text),
                           &error),
          error, "splice");
}

static void apply(const typist *who, uint32_t position, const char *operation) {
    goat_error *error = NULL;
    char delta[100];
    int len = snprintf(delta, sizeof(delta), "[{\"retain\":%u},%s]", (unsigned)position, operation);
    check(goat_item_apply_delta(who->item, who->field, strlen(who->field), delta, (size_t)len, &error), error, "Delta");
}

static void type(const typist *who, uint32_t place, bool removes) {
    uint32_t position = place * who->step;
    if (who->is_rich) {
        apply(who, position, removes ? "{\"delete\":1}" : "{\"insert\":\"x\"}");
    } else {
        splice(who, position, removes, removes ? "" : "x");
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *of) {
    qsort(of, CAPTURES, sizeof(*of), ascending);
    return of[CAPTURES / 2];
}

/* Gives the median over captures of the mean of the keys between two, and of what the first of them cost. That one is a letter that
 * stays, behind all places. Of the others one types a letter and the next takes it back, so that every place stays where it is. */
static double type_all(const typist *who, double *first) {
    double firsts[CAPTURES], others[CAPTURES];
    for (uint32_t i = 0; i < CAPTURES; i++) {
        flush(who->db);
        double begin = now_s();
        type(who, who->places, false);
        double typed = now_s();
        for (uint32_t j = 0; j < KEYS; j++) type(who, 1 + (i + j / 2) * 7919 % (who->places - 1), j % 2 == 1);
        firsts[i] = typed - begin;
        others[i] = (now_s() - typed) / KEYS;
    }
    *first = median(firsts);
    return median(others);
}

/* ---- items ---- */

static goat_item *create(const trace_db *o, const char *path, const gt_buf *fields) {
    goat_error *error = NULL;
    goat_item *item = NULL;
    check(goat_item_create(o->db, NULL, path, strlen(path), "keys", 4, fields->data, fields->len, &item, &error), error,
          "create");
    return item;
}

/* An item of which one field is a text, the second `inside` of the first if there is one. */
static goat_item *create_with(const trace_db *o, const char *path, const char *field, const char *inside,
                              gt_bytes text) {
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_write_map_head(&fields, 1);
    gt_write_text(&fields, gt_bytes_text(field));
    if (inside != NULL) gt_write_map_head(&fields, 1);
    if (inside != NULL) gt_write_text(&fields, gt_bytes_text(inside));
    if (text.data == NULL) {
        write_rich(&fields);
    } else {
        gt_write_text(&fields, text);
    }
    goat_item *item = create(o, path, &fields);
    gt_buf_free(&fields);
    return item;
}

static goat_query *open_query(const trace_db *o) {
    static const char spec[] = "{\"schema\":\"keys\",\"sort\":[\"title\"]}";
    goat_error *error = NULL;
    goat_query *query = NULL;
    char path[64];
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    for (int i = 0; i < QUERIED; i++) {
        gt_buf_clear(&fields);
        gt_write_map_head(&fields, 1);
        gt_write_text(&fields, gt_bytes_text("title"));
        snprintf(path, sizeof(path), "/data/texts/goat%d", i * 7919 % QUERIED);
        gt_write_text(&fields, gt_bytes_text(path));
        goat_item_free(create(o, path, &fields));
    }
    gt_buf_free(&fields);
    flush(o);
    check(goat_query_open(o->repo, NULL, spec, strlen(spec), &query, NULL, &error), error, "query");
    return query;
}

static void measure(const trace *t, const char *name, typist *who, goat_unit first_unit, goat_unit last_unit,
                    const uint32_t *units, trace_report *report) {
    double first = 0, of_unit;
    char work[100];
    for (who->unit = first_unit; who->unit <= last_unit; who->unit++) {
        static const char *const positions[] = {"position in bytes", "in code points", "in UTF-16 units"};
        who->step = units == NULL ? 1 : units[who->unit];
        double seconds = type_all(who, &of_unit);
        if (first < of_unit) first = of_unit; /* of the unit in which it is dearest */
        snprintf(work, sizeof(work), "a key%s, %s", name, positions[who->unit]);
        figure(report, work, "us", target(t), seconds * 1e6);
    }
    snprintf(work, sizeof(work), "a key%s, the first after a capture", name);
    figure(report, work, "us", target(t), first * 1e6);
}

/* What the trace ends with. Where all before a place is ASCII, the place is the same in every unit. */
static void measure_ends(const trace *t, const trace_db *o, trace_report *report) {
    size_t ascii = 0;
    while (ascii < t->end_len && (t->end[ascii] & 0x80) == 0) ascii++;
    goat_item *item = create_with(o, "/data/texts/end", "text", NULL, gt_bytes_of(t->end, t->end_len));
    typist who = {.db = o, .item = item, .field = "text", .places = (uint32_t)ascii};
    if (ascii > 0) measure(t, "", &who, GOAT_UNIT_BYTE, GOAT_UNIT_UTF16, NULL, report);
    goat_item_free(item);
}

void measure_keys(const trace *t, const char *folder, trace_report *report) {
    goat_error *error = NULL;
    trace_db o = trace_open(folder, 0, NULL);
    check(goat_db_add_schema(o.db, schema, strlen(schema), &error), error, "schema");
    measure_ends(t, &o, report);
    trace_close(&o);
}

void measure_made_up(const trace *t, const char *folder, trace_report *report) {
    goat_error *error = NULL;
    gt_buf english, foreign;
    trace_db o = trace_open(folder, 0, NULL);
    check(goat_db_add_schema(o.db, schema, strlen(schema), &error), error, "schema");
    gt_buf_init(&english, &gt_alloc_system);
    gt_buf_init(&foreign, &gt_alloc_system);
    repeat("All goats go to heaven. ", &english);
    repeat(hebrew, &foreign);
    gt_bytes text = gt_buf_bytes(&english);
    typist who = {.db = &o, .places = TEXT_SIZE - 100};

    who.item = create_with(&o, "/data/texts/hebrew", who.field = "text", NULL, gt_buf_bytes(&foreign));
    who.places = TEXT_SIZE / (sizeof(hebrew) - 1) - 1;
    measure(t, " in Hebrew with emoji", &who, GOAT_UNIT_BYTE, GOAT_UNIT_UTF16, hebrew_units, report);
    goat_item_free(who.item);

    who.places = TEXT_SIZE - 100;
    who.item = create_with(&o, "/data/texts/few", who.field = "few", NULL, text);
    measure(t, " where a rule gives a length", &who, GOAT_UNIT_UTF16, GOAT_UNIT_UTF16, NULL, report);
    goat_item_free(who.item);

    who.item = create_with(&o, "/data/texts/page", "page", "text", text);
    who.field = "page.text";
    measure(t, " in an object", &who, GOAT_UNIT_UTF16, GOAT_UNIT_UTF16, NULL, report);
    goat_item_free(who.item);

    who.item = create_with(&o, "/data/texts/rich", who.field = "rich", NULL, (gt_bytes){0});
    who.is_rich = true;
    measure(t, " in a rich text of 1,000 runs", &who, GOAT_UNIT_UTF16, GOAT_UNIT_UTF16, NULL, report);
    who.is_rich = false;
    goat_item_free(who.item);

    who.item = create_with(&o, "/data/texts/queried", who.field = "text", NULL, text);
    goat_query *query = open_query(&o);
    measure(t, " in one of 1,001 items of a query", &who, GOAT_UNIT_UTF16, GOAT_UNIT_UTF16, NULL, report);
    goat_query_free(query);
    goat_item_free(who.item);

    gt_buf_free(&english);
    gt_buf_free(&foreign);
    trace_close(&o);
}
