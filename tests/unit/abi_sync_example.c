/* The shortest example of sync: a server, a replica, a pipe between them, and one edit that appears at the other side. */
#include <goat.h>

#include <stdio.h>
#include <string.h>

static const char schema[] = "{\"ns\": \"task\", \"version\": 1, \"fields\": {\"title\": {\"type\": \"string\"}}}";
static const char edit[] = "[{\"key\": \"1\", \"schema\": \"task\", \"set\": {\"title\": \"Feed the goats\"}}]";

/* clang-format off */
#define try(call) if (status == GOAT_OK) status = (call)
/* clang-format on */

/* The root's public key, in what goat_db_info() says of a server: whoever wants a replica must know it. */
static const uint8_t *root_key_in(const goat_buf *info) {
    static const char name[] = "\x64root\x58\x20"; /* in CBOR: the name, then the head of 32 bytes */
    const uint8_t *at = info->data;
    while (memcmp(at, name, sizeof name - 1) != 0) at++;
    return at + sizeof name - 1;
}

/* The pipe: what one end has to say goes into the other, until there is nothing more. */
static goat_status carry(goat_sync *from, goat_sync *to, goat_error **error) {
    goat_buf packet = {0};
    goat_status status;
    do {
        status = goat_sync_send(from, &packet, NULL, error);
        try(goat_sync_receive(to, packet.data, packet.size, error));
    } while (status == GOAT_OK && packet.size > 0);
    goat_buf_free(&packet);
    return status;
}

int main(int argc, char **argv) {
    const char *server_path = argc > 2 ? argv[1] : "server", *replica_path = argc > 2 ? argv[2] : "replica";
    goat_config config = GOAT_CONFIG_INIT;
    goat_db *server = NULL, *replica = NULL;
    goat_repo *tasks = NULL, *copy = NULL;
    goat_item *seen = NULL;
    goat_sync *server_end = NULL, *replica_end = NULL;
    goat_buf info = {0}, json = {0};
    goat_error *error = NULL;

    /* a server, with one item */
    goat_status status = goat_db_open(server_path, strlen(server_path), NULL, &server, NULL, &error);
    try(goat_db_add_schema(server, schema, strlen(schema), &error));
    try(goat_repo_open(server, "/data/tasks", 11, 0, &tasks, NULL, &error));
    try(goat_repo_apply_json(tasks, edit, strlen(edit), 0, NULL, &error));
    try(goat_db_info(server, &info, &error));

    /* a replica that knows the server's root key, and nothing else */
    config.root_key = status == GOAT_OK ? root_key_in(&info) : NULL;
    try(goat_db_open(replica_path, strlen(replica_path), &config, &replica, NULL, &error));
    try(goat_repo_open(replica, "/data/tasks", 11, 0, &copy, NULL, &error));

    /* both ends of a connection, and whoever carries the packets */
    try(goat_sync_new(server, GOAT_SYNC_SERVER, &server_end, &error));
    try(goat_sync_new(replica, 0, &replica_end, &error));
    while (status == GOAT_OK && seen == NULL) {
        try(carry(replica_end, server_end, &error));
        try(carry(server_end, replica_end, &error));
        try(goat_db_run(server, -1, 1000, NULL, &error)); /* its disk */
        try(goat_db_advance(replica, NULL, &error));      /* what came becomes visible */
        if (status == GOAT_OK) goat_item_open(replica, NULL, "/data/tasks/1", 13, &seen, NULL);
    }
    try(goat_item_read_json(seen, &json, NULL, &error));
    if (status == GOAT_OK) puts((const char *)json.data);
    if (status != GOAT_OK) fprintf(stderr, "%s: %s\n", goat_status_name(status), goat_error_message(error));

    goat_error_free(error); /* all of them take NULL, in any order */
    goat_buf_free(&info);
    goat_buf_free(&json);
    goat_sync_free(server_end);
    goat_sync_free(replica_end);
    goat_item_free(seen);
    goat_repo_free(tasks);
    goat_repo_free(copy);
    goat_db_free(server);
    goat_db_free(replica);
    return status == GOAT_OK ? 0 : 1;
}
