#include "facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int64_t facts_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool facts_are_even(cbor status) {
    uint64_t count;
    bool even = cbor_bool(cbor_member(status, "online"));
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    for (uint64_t i = 0; even && i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all);
        bool open = cbor_bool(cbor_member(one, "open"));
        uint64_t entries = cbor_uint(cbor_member(one, "entries")), unsent = cbor_uint(cbor_member(one, "unsent"));
        /* One that neither side has anything of is not open. */
        even = open ? cbor_bool(cbor_member(one, "even")) && unsent == 0 : entries == 0;
    }
    return even;
}

/* ---- members ---- */

static void add_name(text *out, const char *name) {
    char last = out->len > 0 ? out->data[out->len - 1] : '{';
    text_add_c(out, last == '{' || last == '[' ? "" : ",");
    text_add_json(out, name, strlen(name));
    text_add_c(out, ":");
}

static void add_string(text *out, const char *name, const char *value) {
    add_name(out, name);
    if (value != NULL) {
        text_add_json(out, value, strlen(value));
    } else {
        text_add_c(out, "null");
    }
}

static void add_content(text *out, const char *name, cbor value) {
    add_name(out, name);
    text_add_json(out, (const char *)value.data, value.len);
}

static void add_number(text *out, const char *name, uint64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    add_name(out, name);
    text_add_c(out, digits);
}

static void add_truth(text *out, const char *name, bool truth) {
    add_name(out, name);
    text_add_c(out, truth ? "true" : "false");
}

/* 0: never. */
static void add_time(text *out, const char *name, int64_t ms) {
    char time[CBOR_TIME_SIZE];
    add_name(out, name);
    if (ms == 0) {
        text_add_c(out, "null");
        return;
    }
    cbor_time_text(ms, time);
    text_add_c(out, "{\"$date\":\"");
    text_add_c(out, time);
    text_add_c(out, "\"}");
}

/* ---- lists ---- */

static void add_separator(text *out) { text_add_c(out, out->data[out->len - 1] == '[' ? "{" : ",{"); }

static void add_peers(text *out, cbor status) {
    static const char digits[] = "0123456789abcdef";
    static const char *const numbers[] = {"repositories", "in", "out", "batches_in", "batches_out"};
    uint64_t count;
    cbor all = cbor_array(cbor_member(status, "peers"), &count);
    add_number(out, "peer_count", count);
    add_name(out, "peers");
    text_add_c(out, "[");
    for (uint64_t i = 0; i < count && i < FACTS_PEERS_MAX && all.len > 0; i++) {
        cbor one = cbor_take(&all), session = cbor_content(cbor_member(one, "session"));
        add_separator(out);
        add_name(out, "session");
        text_add_c(out, "\"");
        for (size_t at = 0; at < session.len; at++) {
            text_add(out, &digits[session.data[at] >> 4], 1);
            text_add(out, &digits[session.data[at] & 15], 1);
        }
        text_add_c(out, "\"");
        add_content(out, "role", cbor_content(cbor_member(one, "role")));
        for (size_t at = 0; at < sizeof numbers / sizeof numbers[0]; at++) {
            add_number(out, numbers[at], cbor_uint(cbor_member(one, numbers[at])));
        }
        text_add_c(out, "}");
    }
    text_add_c(out, "]");
}

static void add_repositories(text *out, cbor status) {
    uint64_t count, pending = 0, to_send = 0, coming = 0;
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    add_name(out, "repositories");
    text_add_c(out, "[");
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all), path = cbor_content(cbor_member(one, "path"));
        if (facts_is_system(path)) {
            continue;
        }
        uint64_t unsent = cbor_uint(cbor_member(one, "unsent"));
        /* What lies behind it in the log came from the server. */
        uint64_t bytes = unsent > 0 ? cbor_uint(cbor_member(one, "to_send")) : 0;
        add_separator(out);
        add_content(out, "path", path);
        add_number(out, "commits", cbor_uint(cbor_member(one, "entries")));
        add_number(out, "pending", unsent);
        add_number(out, "to_send", bytes);
        add_number(out, "coming", cbor_uint(cbor_member(one, "coming")));
        text_add_c(out, "}");
        pending += unsent;
        to_send += bytes;
        coming += cbor_uint(cbor_member(one, "coming"));
    }
    text_add_c(out, "]");
    add_number(out, "pending", pending);
    add_number(out, "to_send", to_send);
    add_number(out, "coming", coming);
}

size_t facts_add(const facts *f, text *out) {
    cbor error = cbor_content(cbor_member(f->status, "error"));
    text_add_c(out, "{");
    add_name(out, "owner");
    if (f->command != NULL) {
        text_add_c(out, "{");
        add_string(out, "command", f->command);
        add_number(out, "pid", (uint64_t)getpid());
        add_time(out, "time", f->now_ms);
        text_add_c(out, "}");
    } else {
        text_add_c(out, "null");
    }
    add_time(out, "even", f->remote->even_ms);
    size_t times = out->len;
    add_truth(out, "is_even", facts_are_even(f->status));
    add_string(out, "serving", f->serving);
    add_string(out, "url", f->remote->url);
    add_truth(out, "online", cbor_bool(cbor_member(f->status, "online")));
    if (error.len > 0) {
        add_content(out, "trouble", error);
    } else {
        add_string(out, "trouble", f->remote->trouble);
    }
    add_peers(out, f->status);
    add_repositories(out, f->status);
    text_add_c(out, "}\n");
    return times;
}
