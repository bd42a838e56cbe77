/* Builds without sockets: a page brings its own (a WebSocket, a channel to another tab). The calls are there, so that
 * there is one list of symbols, and say so. */
#include "network.h"

static goat_status absent(goat_error **error) { return gt_misuse(error, "this build has no network of its own"); }

void gt_network_leave(goat_db *db, bool wait) {
    (void)db;
    (void)wait;
}

void goat_net_config_init(goat_net_config *config, size_t struct_size) {
    const goat_net_config defaults = GOAT_NET_CONFIG_INIT;
    gt_struct_init(config, struct_size, &defaults, sizeof(defaults));
}

void goat_server_config_init(goat_server_config *config, size_t struct_size) {
    const goat_server_config defaults = GOAT_SERVER_CONFIG_INIT;
    gt_struct_init(config, struct_size, &defaults, sizeof(defaults));
}

goat_status goat_db_connect(goat_db *db, const char *url, size_t url_len, const goat_net_config *config,
                            goat_error **error) {
    (void)db;
    (void)url;
    (void)url_len;
    (void)config;
    return absent(error);
}

goat_status goat_db_disconnect(goat_db *db, goat_job **job, goat_error **error) {
    (void)db;
    if (job != NULL) *job = NULL;
    return absent(error);
}

goat_status goat_server_new(goat_db *db, const goat_server_config *config, goat_server **server, goat_error **error) {
    (void)db;
    (void)config;
    if (server != NULL) *server = NULL;
    return absent(error);
}

goat_status goat_server_info(goat_server *server, goat_buf *info, goat_error **error) {
    (void)server;
    (void)info;
    return absent(error);
}

goat_status goat_server_reload(goat_server *server, goat_error **error) {
    (void)server;
    return absent(error);
}

void goat_server_free(goat_server *server) { (void)server; }

goat_status goat_probe(const char *url, size_t url_len, const goat_net_config *config, uint32_t timeout_ms,
                       goat_buf *info, goat_error **error) {
    (void)url;
    (void)url_len;
    (void)config;
    (void)timeout_ms;
    (void)info;
    return absent(error);
}
