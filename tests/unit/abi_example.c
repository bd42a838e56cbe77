/* The example of the README: a task list that grows by one task each time it is run. */
#include <goat.h>

#include <stdio.h>
#include <string.h>

static const char schema[] = "{\"ns\": \"task\", \"version\": 1, \"fields\": {"
                             "\"title\": {\"type\": \"string\", \"required\": true},"
                             "\"done\": {\"type\": \"boolean\", \"default\": false}}}";
static const char spec[] = "{\"where\": {\"done\": false}, \"sort\": [\"title\"], \"fields\": [\"title\"]}";

/* clang-format off */
#define try(call) if (status == GOAT_OK) status = (call)
/* clang-format on */

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "data";
    goat_db *db = NULL;
    goat_repo *repo = NULL;
    goat_item *item = NULL;
    goat_query *open = NULL;
    goat_buf rows = {0};
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), NULL, &db, NULL, &error);
    try(goat_db_add_schema(db, schema, strlen(schema), &error));
    try(goat_repo_open(db, "/data/tasks", 11, 0, &repo, NULL, &error));
    try(goat_item_create(db, NULL, "/data/tasks", 11, "task", 4, NULL, 0, &item, &error)); /* a random key */
    try(goat_item_set_text(item, "title", 5, "Feed the goats", 14, &error));
    try(goat_query_open(repo, NULL, spec, strlen(spec), &open, NULL, &error));
    try(goat_query_rows_json(open, 0, UINT32_MAX, &rows, &error));
    try(goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error)); /* signed, and on the disk */
    if (status == GOAT_OK) fputs((const char *)rows.data, stdout);
    if (status != GOAT_OK) fprintf(stderr, "%s: %s\n", goat_status_name(status), goat_error_message(error));
    goat_error_free(error); /* all of them take NULL, in any order */
    goat_buf_free(&rows);
    goat_query_free(open);
    goat_item_free(item);
    goat_repo_free(repo);
    goat_db_free(db);
    return status == GOAT_OK ? 0 : 1;
}
