/* goat serve: gives out a database until a signal ends it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "remote.h"
#include "waiter.h"

enum { HOST_SIZE = 256, PORT_MAX = 65535, URL_SIZE = 512 };
static const char default_listen[] = "127.0.0.1:8080";

/* "HOST:PORT", the host in brackets where it has colons itself. */
static int read_listen(const cli *run, char host[HOST_SIZE], uint32_t *port) {
    const char *text = cli_value(run, "listen");
    text = text != NULL ? text : default_listen;
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    char *end = NULL;
    unsigned long number = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    if (len == 0 || len >= HOST_SIZE || colon[1] < '0' || colon[1] > '9' || *end != '\0' || number > PORT_MAX ||
        (!brackets && memchr(text, ':', len) != NULL)) {
        return cli_usage(run, "--listen must be HOST:PORT, not \"%s\"", text);
    }
    snprintf(host, HOST_SIZE, "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
    *port = (uint32_t)number;
    return CLI_DONE;
}

/* A folder that holds nothing but a root key is a server that has lost its data: it is made anew. */
static int open_served(cli *run) {
    const char *path = run->operands[0];
    char key[4096];
    struct stat about;
    int len = snprintf(key, sizeof key, "%s/root.key", path);
    bool has_key = len > 0 && (size_t)len < sizeof key && stat(key, &about) == 0;
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = has_key ? GOAT_OPEN_CREATE : 0;
    goat_error *error = NULL;
    goat_status status = goat_db_open(path, strlen(path), &config, &run->db, NULL, &error);
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    if (status == GOAT_NOT_FOUND) {
        goat_error_free(error);
        cli_error(run, "%s: there is no database (goat init makes one)", path);
        return CLI_NO;
    }
    cli_fail(run, path, error);
    return CLI_TROUBLE;
}

static int start(cli *run, goat_server **server) {
    char host[HOST_SIZE];
    goat_server_config config = GOAT_SERVER_CONFIG_INIT;
    int code = read_listen(run, host, &config.port);
    if (code != CLI_DONE) {
        return code;
    }
    config.host = host;
    config.tls_certificate = cli_value(run, "tls");
    config.tls_key = cli_second(run, "tls");
    config.static_dir = cli_value(run, "static");
    code = open_served(run);
    goat_error *error = NULL;
    if (code == CLI_DONE && goat_server_new(run->db, &config, server, &error) != GOAT_OK) {
        cli_fail(run, NULL, error);
        code = CLI_TROUBLE;
    }
    return code;
}

/* The line that says that it is ready, and where. */
static int print_ready(cli *run, goat_server *server) {
    goat_buf info = {0};
    goat_error *error = NULL;
    if (goat_server_info(server, &info, &error) != GOAT_OK) {
        goat_buf_free(&info);
        return cli_fail(run, run->operands[0], error);
    }
    cbor url = cbor_content(cbor_member(cbor_of(&info), "url"));
    cbor root = cbor_content(cbor_member(cbor_of(&info), "root"));
    if (cli_has(run, "json")) {
        cbor network = cbor_content(cbor_member(cbor_of(&info), "network"));
        out_text("{\"url\":");
        out_json_string((const char *)url.data, url.len);
        out_text(",\"root\":\"");
        out_hex(root.data, root.len);
        out_text("\",\"network\":\"");
        out_hex(network.data, network.len);
        out_text("\"}\n");
    } else {
        out_bytes(url.data, url.len);
        out_text(" ");
        out_hex(root.data, root.len);
        out_text("\n");
    }
    char line[URL_SIZE];
    snprintf(line, sizeof line, "%.*s", (int)url.len, (const char *)url.data);
    serving_write(run->operands[0], line);
    goat_buf_free(&info);
    return out_flush() ? CLI_DONE : CLI_TROUBLE;
}

static void reload(const cli *run, goat_server *server) {
    char why[1024];
    goat_error *error = NULL;
    if (goat_server_reload(server, &error) == GOAT_OK) {
        cli_note(run, "the certificate was read again");
        return;
    }
    cli_describe(error, NULL, why, sizeof why);
    cli_note(run, "%s; the old certificate stays in use", why);
    goat_error_free(error);
}

static int serve_until_signal(cli *run, goat_server *server, waiter *w) {
    for (;;) {
        waiter_answer answer = waiter_wait(w, -1, -1);
        if (answer == WAITER_FAILED) {
            cli_error(run, "cannot wait for signals: %s", strerrordesc_np(errno));
            return CLI_TROUBLE;
        }
        if (answer == WAITER_SIGNAL && w->signal != SIGHUP) {
            return CLI_DONE;
        }
        if (answer == WAITER_SIGNAL) {
            reload(run, server);
        }
    }
}

int cmd_serve(cli *run) {
    waiter w;
    goat_server *server = NULL;
    if (!waiter_open(&w, true)) {
        cli_error(run, "cannot wait for signals: %s", strerrordesc_np(errno));
        return CLI_TROUBLE;
    }
    int code = start(run, &server);
    if (code == CLI_DONE) {
        code = print_ready(run, server);
        code = code == CLI_DONE ? serve_until_signal(run, server, &w) : code;
        serving_remove(run->operands[0]);
    }
    goat_server_free(server);
    if (server != NULL) {
        int flushed = cli_flush(run);
        code = code == CLI_DONE ? flushed : code;
    }
    code = cli_close(run, code);
    waiter_close(&w);
    return code;
}
