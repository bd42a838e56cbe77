/* Making an lws context. lws reads the limit of open files then and sizes its tables by it, and it sets the process's
 * handler of SIGPIPE; both are put right here, under a lock of the process's own. */
#define _GNU_SOURCE
#include "net/context.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SPARE = 1024,       /* file descriptors for everybody else */
    CLIENT_SOCKETS = 8, /* with so few lws searches a short list */
    SERVER_BUFFER = 64 * 1024 + LWS_PRE,
    KEEP_ALIVE_SECS = 10,
    TABLE_FACTOR = 4, /* a limit that is larger by this factor would cost memory for nothing */
};

static gt_mutex process_mutex = GT_MUTEX_INIT;
static atomic_uint_least32_t owner;

static void lock_process(void) {
    if (gt_port_was_inherited(&owner)) process_mutex = (gt_mutex)GT_MUTEX_INIT;
    gt_mutex_lock(&process_mutex);
}

const lws_retry_bo_t gt_context_no_idle_policy = {0};

static uint32_t lowest_free_descriptor(void) {
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    close(descriptor);
    return (uint32_t)descriptor;
}

uint32_t gt_context_make_room(uint32_t connections) {
    struct rlimit limit;
    lock_process();
    uint32_t used = lowest_free_descriptor();
    rlim_t want = (rlim_t)used + connections + SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        if (limit.rlim_cur < want && limit.rlim_cur < limit.rlim_max) {
            limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
            if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
        }
        rlim_t room = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
        rlim_t fit = room > 2 * SPARE ? room - SPARE : room / 2;
        if (fit < connections) connections = (uint32_t)fit;
    }
    gt_mutex_unlock(&process_mutex);
    return connections;
}

static void fill_context_info(gt_loop *loop, struct lws_context_creation_info *info) {
    bool client = loop->config.connections_max <= 1;
    uint64_t later_secs = loop->times->handshake_us / 1000000 + 5; /* than what the loop itself cuts */
    info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
    if (loop->config.tls != NULL) info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info->user = loop;
    info->uid = -1;
    info->gid = -1;
    info->timeout_secs = (unsigned int)later_secs;
    info->max_http_header_data2 = GT_NET_HEADERS_MAX;
    info->pt_serv_buf_size = client ? GT_NET_RECEIVE_CLIENT + LWS_PRE : SERVER_BUFFER;
    info->fd_limit_per_thread = client ? CLIENT_SOCKETS : 0;
    info->server_string = "goat";
    info->retry_and_idle_policy = &gt_context_no_idle_policy;
}

/* lws has one table entry for every descriptor that the limit allows now, and does not look whether a later one has a
 * place in it. */
static struct lws_context *create(gt_loop *loop, const struct lws_context_creation_info *info) {
    struct rlimit before, now;
    struct sigaction on_pipe;
    bool lowered = false;
    lock_process();
    rlim_t want = (rlim_t)lowest_free_descriptor() + loop->config.connections_max + 2 * SPARE;
    if (info->fd_limit_per_thread == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0 &&
        before.rlim_cur / TABLE_FACTOR > want) {
        now = (struct rlimit){.rlim_cur = want, .rlim_max = before.rlim_max};
        lowered = setrlimit(RLIMIT_NOFILE, &now) == 0;
    }
    loop->descriptors_max = getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < INT_MAX ? (int)now.rlim_cur : INT_MAX;
    sigaction(SIGPIPE, NULL, &on_pipe);
    lws_set_log_level(0, NULL); /* it would write to the host's standard error */
    struct lws_context *context = lws_create_context(info);
    sigaction(SIGPIPE, &on_pipe, NULL);
    if (lowered) setrlimit(RLIMIT_NOFILE, &before);
    gt_mutex_unlock(&process_mutex);
    return context;
}

static struct lws_vhost *create_vhost(const gt_loop *loop, struct lws_context *context,
                                      struct lws_context_creation_info *info) {
    bool client = loop->config.connections_max <= 1;
    info->port = client ? CONTEXT_PORT_NO_LISTEN : CONTEXT_PORT_NO_LISTEN_SERVER;
    info->vhost_name = "goat";
    info->protocols = loop->config.protocols;
    info->alpn = "http/1.1";
    info->keepalive_timeout = KEEP_ALIVE_SECS;
    info->timeout_secs_ah_idle = info->timeout_secs;
    info->connect_timeout_secs = info->timeout_secs;
    info->http_proxy_address = ""; /* else the environment's http_proxy would be used, for local hosts too */
    info->provided_client_ssl_ctx = loop->config.tls; /* a server never connects, but would load all the system's CAs */
    if (loop->config.tls != NULL && !client) info->options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    return lws_create_vhost(context, info);
}

goat_status gt_context_new(gt_loop *loop, struct lws_context **context, struct lws_vhost **vhost, gt_diag *diag) {
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof(info));
    fill_context_info(loop, &info);
    *vhost = NULL;
    *context = create(loop, &info);
    if (*context != NULL) *vhost = create_vhost(loop, *context, &info);
    if (*vhost != NULL) return GOAT_OK;
    if (*context != NULL) gt_context_destroy(*context);
    *context = NULL;
    return gt_diag_is_set(diag) ? diag->status
                                : gt_fail(diag, GOAT_IO, "the network cannot be set up: out of memory or files");
}

void gt_context_destroy(struct lws_context *context) {
    if (context != NULL) lws_context_destroy(context);
}
