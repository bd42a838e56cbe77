/* Applies Deltas to rich texts, for the comparison with another library. Reads lines of JSON from standard input:
 *
 *     {"document": […], "deltas": [first, second]}
 *
 * and prints the document after both, one after the other, and after the one edit that they are put together to, as an array
 * of two. A line that is refused prints {"error": message}. */
#include "merge/merge.h"
#include "value/build.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>

static const char definition[] = "{\"ns\": \"rich\", \"version\": 1, \"fields\": {\"r\": {\"type\": \"richtext\"}}}";

/* The document after a Delta; `edit` gets what that is, nothing where it changes nothing. */
static goat_status apply(const gt_field *field, gt_bytes document, gt_bytes delta, gt_buf *edit, gt_buf *after,
                         gt_diag *diag) {
    goat_status status = gt_edit_delta(field, document, delta, edit, diag);
    if (status != GOAT_OK) return status;
    if (edit->len > 0) return gt_edit_apply(field, document, gt_buf_bytes(edit), after, diag);
    gt_buf_append(after, document.data, document.len);
    return GOAT_OK;
}

static goat_status put_together(const gt_field *field, gt_bytes document, const gt_buf edits[2], gt_buf *after,
                                gt_diag *diag) {
    gt_buf both;
    gt_buf_init(&both, after->alloc);
    gt_bytes first = edits[0].len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(&edits[0]);
    goat_status status = GOAT_OK;
    if (edits[1].len > 0) {
        status = gt_edit_compose(field, document, first, gt_buf_bytes(&edits[1]), &both, diag);
    } else {
        gt_buf_append(&both, first.data, first.len);
    }
    if (status == GOAT_OK && both.len > 0) status = gt_edit_apply(field, document, gt_buf_bytes(&both), after, diag);
    if (both.len == 0) gt_buf_append(after, document.data, document.len);
    gt_buf_free(&both);
    return status;
}

static goat_status run(const gt_field *field, gt_bytes line, gt_diag *diag) {
    gt_bytes document = gt_map_find(line, gt_bytes_text("document")),
             deltas = gt_map_find(line, gt_bytes_text("deltas"));
    gt_bytes first, second;
    gt_buf edits[2], documents[3], text;
    for (int i = 0; i < 2; i++) gt_buf_init(&edits[i], &gt_alloc_system);
    for (int i = 0; i < 3; i++) gt_buf_init(&documents[i], &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    gt_iter iter = gt_array_iter(deltas);
    if (!gt_array_next(&iter, &first) || !gt_array_next(&iter, &second)) exit(3);
    goat_status status = apply(field, document, first, &edits[0], &documents[0], diag);
    if (status == GOAT_OK) {
        status = apply(field, gt_buf_bytes(&documents[0]), second, &edits[1], &documents[1], diag);
    }
    if (status == GOAT_OK) status = put_together(field, document, edits, &documents[2], diag);
    for (int i = 1; i < 3 && status == GOAT_OK; i++) {
        gt_buf_append_byte(&text, i == 1 ? '[' : ',');
        status = gt_value_to_json_text(gt_buf_bytes(&documents[i]), &text, diag);
    }
    if (status == GOAT_OK) printf("%.*s]\n", (int)text.len, (const char *)text.data);
    for (int i = 0; i < 2; i++) gt_buf_free(&edits[i]);
    for (int i = 0; i < 3; i++) gt_buf_free(&documents[i]);
    gt_buf_free(&text);
    return status;
}

static void print_error(const gt_diag *diag) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_json_write_string(&out, gt_bytes_text(diag->message));
    printf("{\"error\":%.*s}\n", (int)out.len, (const char *)out.data);
    gt_buf_free(&out);
}

/* One line of standard input without its end; false behind the last one. */
static bool read_line(gt_buf *line) {
    int c;
    gt_buf_clear(line);
    while ((c = getchar()) != EOF && c != '\n') gt_buf_append_byte(line, (uint8_t)c);
    if (gt_buf_failed(line)) exit(3);
    return c != EOF || line->len > 0;
}

int main(void) {
    gt_buf line, value;
    gt_schema *schema = NULL;
    gt_hasher *hasher = NULL;
    gt_buf_init(&line, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    if (gt_hasher_new(&gt_alloc_system, &hasher, NULL) != GOAT_OK ||
        gt_value_from_json_text(gt_bytes_text(definition), &value, NULL) != GOAT_OK ||
        gt_schema_parse(&gt_alloc_system, hasher, gt_buf_bytes(&value), &schema, NULL) != GOAT_OK) {
        return 3;
    }
    while (read_line(&line)) {
        gt_diag diag;
        gt_diag_init(&diag);
        gt_buf_clear(&value);
        goat_status status = gt_value_from_json_text(gt_buf_bytes(&line), &value, &diag);
        if (status == GOAT_OK) status = run(gt_schema_field_at(schema, 0), gt_buf_bytes(&value), &diag);
        if (status != GOAT_OK) print_error(&diag);
    }
    gt_schema_free(schema);
    gt_hasher_free(hasher);
    gt_buf_free(&value);
    gt_buf_free(&line);
    return 0;
}
