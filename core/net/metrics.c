/* The text of GET /metrics. Names and help texts are ours, so nothing in them has to be escaped. */
#include "net/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- one metric ---- */

static void put(gt_buf *out, const char *format, ...) GT_PRINTF(2, 3);
static void put(gt_buf *out, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (len > 0) gt_buf_append(out, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void gt_metric_head(gt_buf *out, const char *name, const char *kind, const char *help) {
    put(out, "# HELP %s %s\n", name, help);
    put(out, "# TYPE %s %s\n", name, kind);
}

void gt_metric_line(gt_buf *out, const char *name, const char *label, const char *label_value, uint64_t value) {
    put(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, label_value, value);
}

void gt_metric_write(gt_buf *out, const char *name, gt_metric_kind kind, const char *help, uint64_t value) {
    gt_metric_head(out, name, kind == GT_GAUGE ? "gauge" : "counter", help);
    put(out, "%s %" PRIu64 "\n", name, value);
}

static void put_seconds(gt_buf *out, uint64_t us) {
    put(out, "%" PRIu64 ".%06u", us / 1000000, (unsigned)(us % 1000000));
}

void gt_histogram_write(gt_buf *out, const char *name, const char *help, const gt_histogram *histogram) {
    uint64_t below = 0;
    gt_metric_head(out, name, "histogram", help);
    for (size_t i = 0; i < GT_HISTOGRAM_BOUNDS; i++) {
        below += histogram->counts[i];
        put(out, "%s_bucket{le=\"", name);
        put_seconds(out, gt_histogram_bounds_us[i]);
        put(out, "\"} %" PRIu64 "\n", below);
    }
    below += histogram->counts[GT_HISTOGRAM_BOUNDS];
    put(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, below, name);
    put_seconds(out, histogram->sum_us);
    put(out, "\n%s_count %" PRIu64 "\n", name, below);
}

/* ---- all of them ---- */

static const char *const fault_names[GT_FAULT_COUNT] = {
    [GT_FAULT_HANDSHAKE] = "handshake", [GT_FAULT_STALLED] = "stalled",   [GT_FAULT_SILENT] = "silent",
    [GT_FAULT_TOO_LARGE] = "too_large", [GT_FAULT_BUDGET] = "budget",     [GT_FAULT_TEXT] = "text",
    [GT_FAULT_ORIGIN] = "origin",       [GT_FAULT_PROTOCOL] = "protocol", [GT_FAULT_UNTRUSTED] = "untrusted",
    [GT_FAULT_OTHER] = "other",
};
static const char *const refusal_names[GT_REFUSED_COUNT] = {
    [GT_REFUSED_FULL] = "full",
    [GT_REFUSED_ADDRESS] = "address",
    [GT_REFUSED_DESCRIPTORS] = "descriptors",
    [GT_REFUSED_MEMORY] = "memory",
};

/* Of gt_sync_counters; what the database or its peers count is named as in sync.h. */
static const struct {
    const char *name, *help;
    size_t offset;
} sync_metrics[] = {
    {"goat_packets_in_total", "Packets received.", offsetof(gt_sync_counters, packets_in)},
    {"goat_packets_out_total", "Packets sent.", offsetof(gt_sync_counters, packets_out)},
    {"goat_bytes_in_total", "Bytes of packets received.", offsetof(gt_sync_counters, bytes_in)},
    {"goat_bytes_out_total", "Bytes of packets sent.", offsetof(gt_sync_counters, bytes_out)},
    {"goat_messages_in_total", "Messages received.", offsetof(gt_sync_counters, messages_in)},
    {"goat_messages_out_total", "Messages sent.", offsetof(gt_sync_counters, messages_out)},
    {"goat_batches_in_total", "Batches taken from peers: admitted, known already, or parked.",
     offsetof(gt_sync_counters, batches_in)},
    {"goat_batches_out_total", "Batches sent to peers.", offsetof(gt_sync_counters, batches_out)},
    {"goat_commits_in_total", "Commits admitted from peers.", offsetof(gt_sync_counters, entries_in)},
    {"goat_commits_out_total", "Commits sent to peers.", offsetof(gt_sync_counters, entries_out)},
    {"goat_receipts_in_total", "Receipts admitted from peers.", offsetof(gt_sync_counters, receipts_in)},
    {"goat_receipts_out_total", "Receipts sent to peers.", offsetof(gt_sync_counters, receipts_out)},
    {"goat_batches_known_total", "Batches received that were known already.",
     offsetof(gt_sync_counters, batches_known)},
    {"goat_batches_parked_total", "Batches that came before what they follow.",
     offsetof(gt_sync_counters, batches_parked)},
    {"goat_batches_refused_total", "Batches refused.", offsetof(gt_sync_counters, batches_refused)},
    {"goat_batches_dropped_total", "Batches of sessions that were not certified.",
     offsetof(gt_sync_counters, batches_dropped)},
    {"goat_compare_runs_total", "Comparisons of whole repositories.", offsetof(gt_sync_counters, runs)},
    {"goat_compare_rounds_total", "Rounds of comparisons.", offsetof(gt_sync_counters, rounds)},
};
enum { SYNC_METRICS = sizeof(sync_metrics) / sizeof(sync_metrics[0]) };

static uint64_t counter_at(const gt_sync_counters *counters, size_t offset) {
    uint64_t value;
    memcpy(&value, (const char *)counters + offset, sizeof(value));
    return value;
}

void gt_counters_add(gt_sync_counters *sum, const gt_sync_counters *counters) {
    _Static_assert(sizeof(gt_sync_counters) % sizeof(uint64_t) == 0, "all of them are uint64_t");
    for (size_t at = 0; at < sizeof(*sum); at += sizeof(uint64_t)) {
        uint64_t value = counter_at(sum, at) + counter_at(counters, at);
        memcpy((char *)sum + at, &value, sizeof(value));
    }
}

void gt_metrics_write(gt_buf *out, const gt_metrics *metrics, const gt_carried_counts *counts) {
    gt_metric_write(out, "goat_connections_total", GT_COUNTER, "Connections accepted.", metrics->accepted);
    gt_metric_write(out, "goat_peers", GT_GAUGE, "Peers that have proved their keys.", counts->greeted);
    gt_metric_write(out, "goat_channels", GT_GAUGE, "Repositories in sync, over all peers.", counts->channels);
    gt_metric_write(out, "goat_send_queue_bytes", GT_GAUGE, "Bytes of logs that peers still lack.",
                    counts->behind_bytes);
    gt_metric_write(out, "goat_unacknowledged_batches", GT_GAUGE, "Batches sent and not acknowledged.",
                    counts->unacknowledged);
    gt_metric_write(out, "goat_http_requests_total", GT_COUNTER, "HTTP requests, upgrades not counted.",
                    metrics->requests);
    gt_metric_write(out, "goat_pings_total", GT_COUNTER, "WebSocket pings sent.", metrics->pings);
    for (size_t i = 0; i < SYNC_METRICS; i++) {
        gt_metric_write(out, sync_metrics[i].name, GT_COUNTER, sync_metrics[i].help,
                        counter_at(&counts->sync, sync_metrics[i].offset));
    }
    gt_metric_head(out, "goat_errors_total", "counter", "Connections closed before their time, by kind.");
    for (int i = 0; i < GT_FAULT_COUNT; i++) {
        gt_metric_line(out, "goat_errors_total", "kind", fault_names[i], metrics->faults[i]);
    }
    gt_metric_head(out, "goat_refused_total", "counter", "Connections not accepted, by reason.");
    for (int i = 0; i < GT_REFUSED_COUNT; i++) {
        gt_metric_line(out, "goat_refused_total", "reason", refusal_names[i], metrics->refused[i]);
    }
    gt_histogram_write(out, "goat_packet_seconds", "Time to take a packet in, hashes and signatures checked.",
                       &metrics->taking);
    gt_histogram_write(out, "goat_acknowledge_seconds",
                       "Time from the admission of a peer's batch to its acknowledgement, on the disk.",
                       &counts->sync.acknowledging);
}
