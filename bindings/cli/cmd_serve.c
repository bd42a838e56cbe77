/* goat serve: gives out a database until a signal ends it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"
#include "owner.h"
#include "waiter.h"

enum {
    HOST_SIZE = 256,
    PORT_MAX = 65535,
    URL_SIZE = 512,
    CONNECTIONS_MAX = 10000000,
    PER_ADDRESS = 1000, /* an office or a school behind one address; one stranger cannot take all there are */
};
static const char default_listen[] = "127.0.0.1:8080";

/* "HOST:PORT", the host in brackets where it has colons itself. */
static int read_listen(const cli *run, char host[HOST_SIZE], uint32_t *port) {
    const char *word = cli_value(run, "listen");
    word = word != NULL ? word : default_listen;
    const char *colon = strrchr(word, ':');
    size_t len = colon != NULL ? (size_t)(colon - word) : 0;
    bool brackets = len > 2 && word[0] == '[' && word[len - 1] == ']';
    char *end = NULL;
    unsigned long number = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    if (len == 0 || len >= HOST_SIZE || colon[1] < '0' || colon[1] > '9' || *end != '\0' || number > PORT_MAX ||
        (!brackets && memchr(word, ':', len) != NULL)) {
        return cli_usage(run, "--listen must be HOST:PORT, not \"%s\"", word);
    }
    snprintf(host, HOST_SIZE, "%.*s", (int)(brackets ? len - 2 : len), brackets ? word + 1 : word);
    *port = (uint32_t)number;
    return CLI_DONE;
}

/* Whether nobody but this machine, or a proxy on it, can connect. */
static bool is_this_machine(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

/* Origins as a browser names them, "https://app.example:8443": others would match nothing, without a word. */
static int check_origins(const cli *run) {
    const char *at = cli_value(run, "origins");
    for (size_t len; at != NULL && *at != '\0'; at += len) {
        len = strspn(at, " ");
        if (len > 0) {
            continue;
        }
        len = strcspn(at, " ");
        size_t scheme = strncmp(at, "https://", 8) == 0 ? 8 : strncmp(at, "http://", 7) == 0 ? 7 : 0;
        bool good = scheme > 0 && len > scheme && memchr(at + scheme, '/', len - scheme) == NULL;
        if (!good && (len != 1 || *at != '*')) {
            return cli_usage(run, "--origins must be * or such as https://app.example, not \"%.*s\"", (int)len, at);
        }
    }
    return CLI_DONE;
}

static int read_limits(const cli *run, goat_server_config *config) {
    config->per_address_max = is_this_machine(config->host) ? 0 : PER_ADDRESS;
    bool good = cli_number(run, "connections", 1, CONNECTIONS_MAX, &config->connections_max) &&
                cli_number(run, "per-address", 0, CONNECTIONS_MAX, &config->per_address_max);
    return good ? CLI_DONE : CLI_USAGE;
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
    if (status == GOAT_BUSY) {
        return owner_say_busy(run, path, error);
    }
    cli_fail(run, path, error);
    return CLI_TROUBLE;
}

/* Whether this database has its network's root key. */
static bool is_authority(const cli *run) {
    goat_buf info = {0};
    bool is = goat_db_info(run->db, &info, NULL) == GOAT_OK && cbor_bool(cbor_member(cbor_of(&info), "authority"));
    goat_buf_free(&info);
    return is;
}

static int say_why_not(const cli *run, goat_error *error) {
    if (goat_error_status(error) == GOAT_FORBIDDEN && !is_authority(run)) {
        cli_error(run, "%s: this is a replica; only the database that goat init made, with the root key, can be served",
                  run->operands[0]);
        goat_error_free(error);
    } else {
        cli_fail(run, NULL, error);
    }
    return CLI_TROUBLE;
}

static int start(cli *run, goat_server **server) {
    char host[HOST_SIZE];
    goat_server_config config = GOAT_SERVER_CONFIG_INIT;
    int code = read_listen(run, host, &config.port);
    config.host = host;
    if (code == CLI_DONE) {
        code = read_limits(run, &config);
    }
    if (code == CLI_DONE) {
        code = check_origins(run);
    }
    if (code != CLI_DONE) {
        return code;
    }
    config.origins = cli_value(run, "origins");
    config.tls_certificate = cli_value(run, "tls");
    config.tls_key = cli_second(run, "tls");
    config.static_dir = cli_value(run, "static");
    code = open_served(run);
    goat_error *error = NULL;
    if (code == CLI_DONE && goat_server_new(run->db, &config, server, &error) != GOAT_OK) {
        code = say_why_not(run, error);
    }
    return code;
}

/* The line that says that it is ready, and where; the URL also in `line`. */
static int print_ready(cli *run, goat_server *server, char line[URL_SIZE]) {
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
    snprintf(line, URL_SIZE, "%.*s", (int)url.len, (const char *)url.data);
    goat_buf_free(&info);
    return out_flush() ? CLI_DONE : CLI_TROUBLE;
}

/* ---- until a signal ---- */

static void reload(const cli *run, goat_server *server) {
    char why[1024];
    goat_error *error = NULL;
    if (!cli_has(run, "tls")) {
        cli_note(run, "there is no certificate to be read again (see --tls)");
        return;
    }
    if (goat_server_reload(server, &error) == GOAT_OK) {
        cli_note(run, "the certificate was read again");
        return;
    }
    cli_describe(error, NULL, why, sizeof why);
    cli_note(run, "%s; the old certificate stays in use", why);
    goat_error_free(error);
}

static bool has_terminal(void) {
    int file = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (file >= 0) {
        close(file);
    }
    return file >= 0;
}

/* SIGHUP has two meanings: read the certificate again, and the terminal is gone. With a certificate it is the first;
 * without one, a server that was started in a terminal goes with it, unless nohup said that it must not. */
static bool is_heard(const cli *run) {
    struct sigaction now;
    return cli_has(run, "tls") || sigaction(SIGHUP, NULL, &now) != 0 || now.sa_handler != SIG_IGN;
}

static int serve_until_signal(cli *run, goat_server *server, waiter *w, owner *o, bool in_terminal) {
    for (;;) {
        owner_tell(o);
        waiter_answer answer = waiter_wait(w, -1, owner_wait_ms(o));
        if (answer == WAITER_FAILED) {
            cli_error(run, "cannot wait for signals: %s", strerrordesc_np(errno));
            return CLI_TROUBLE;
        }
        bool hung_up = answer == WAITER_SIGNAL && w->signal == SIGHUP;
        bool closed = hung_up && !cli_has(run, "tls") && in_terminal && !has_terminal();
        if (answer == WAITER_SIGNAL && (!hung_up || closed)) {
            return CLI_DONE;
        }
        if (hung_up) {
            reload(run, server);
        }
    }
}

/* Serves from its line on to the end. */
static int serve(cli *run, goat_server *server, waiter *w) {
    char url[URL_SIZE];
    remote none = {0};
    owner o;
    bool in_terminal = has_terminal();
    int code = print_ready(run, server, url);
    if (code == CLI_DONE) {
        owner_begin(&o, run, run->operands[0], &none, url, 0);
        code = serve_until_signal(run, server, w, &o, in_terminal);
        owner_end(&o);
    }
    remote_free(&none);
    return code;
}

int cmd_serve(cli *run) {
    waiter w;
    goat_server *server = NULL;
    if (!waiter_open(&w, is_heard(run))) {
        cli_error(run, "cannot wait for signals: %s", strerrordesc_np(errno));
        return CLI_TROUBLE;
    }
    int code = start(run, &server);
    if (code == CLI_DONE) {
        code = serve(run, server, &w);
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
