#include "probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cbor.h"
#include "output.h"

/* Of the thread and of whoever waits for it; the last one frees it. */
typedef struct question {
    atomic_int users;
    int answered; /* a descriptor */
    char *url, *ca;
    uint32_t ms;
    probe_answer answer;
} question;

static bool left_behind; /* one process, one command */

bool probe_is_left(void) { return left_behind; }

static void drop(question *q) {
    if (atomic_fetch_sub(&q->users, 1) > 1) {
        return;
    }
    if (q->answered >= 0) {
        close(q->answered);
    }
    goat_error_free(q->answer.error);
    free(q->url);
    free(q->ca);
    free(q);
}

static void *ask(void *context) {
    question *q = context;
    uint64_t one = 1;
    goat_net_config config = GOAT_NET_CONFIG_INIT;
    config.ca_file = q->ca;
    goat_buf info = {0};
    q->answer.status = goat_probe(q->url, strlen(q->url), &config, q->ms, &info, &q->answer.error);
    cbor key = cbor_content(cbor_member(cbor_of(&info), "root"));
    if (q->answer.status == GOAT_OK && key.len == PROBE_KEY_SIZE) {
        memcpy(q->answer.root, key.data, PROBE_KEY_SIZE);
    }
    goat_buf_free(&info);
    (void)!write(q->answered, &one, sizeof one);
    drop(q);
    return NULL;
}

static question *new_question(const remote *r, uint32_t ms) {
    question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return NULL;
    }
    atomic_init(&q->users, 1);
    q->answered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    q->url = strdup(r->url);
    q->ca = r->ca != NULL ? strdup(r->ca) : NULL;
    q->ms = ms;
    if (q->answered < 0 || q->url == NULL || (r->ca != NULL && q->ca == NULL)) {
        drop(q);
        return NULL;
    }
    return q;
}

static bool begin(question *q, pthread_t *thread) {
    atomic_fetch_add(&q->users, 1);
    int error = pthread_create(thread, NULL, ask, q); /* the waiter holds the signals back there as well */
    if (error != 0) {
        drop(q);
        errno = error;
        return false;
    }
    return true;
}

int probe_ask(const cli *run, waiter *w, const remote *r, uint32_t ms, probe_answer *answer) {
    question *q = new_question(r, ms);
    waiter_answer came = WAITER_NOTHING;
    pthread_t thread;
    if (q == NULL || !begin(q, &thread)) {
        cli_error(run, "cannot ask the server: %s", strerrordesc_np(errno));
        if (q != NULL) {
            drop(q);
        }
        return CLI_TROUBLE;
    }
    while (came == WAITER_NOTHING || came == WAITER_WOKEN) {
        came = waiter_wait(w, q->answered, -1);
    }
    if (came == WAITER_READY) {
        uint64_t times;
        (void)!read(q->answered, &times, sizeof times);
        *answer = q->answer;
        q->answer.error = NULL;
        pthread_join(thread, NULL); /* it is as good as over; OpenSSL frees what it kept for it */
    } else {
        pthread_detach(thread);
        left_behind = true;
    }
    drop(q);
    if (came == WAITER_FAILED) {
        cli_error(run, "cannot wait: %s", strerrordesc_np(errno));
        return CLI_TROUBLE;
    }
    return came == WAITER_SIGNAL ? CLI_SIGNAL + w->signal : CLI_DONE;
}
