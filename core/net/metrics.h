/* What a loop counts, and how it is told: the Prometheus text format, version 0.0.4. Counted and read on the thread of
 * the loop alone. */
#ifndef GT_NET_METRICS_H
#define GT_NET_METRICS_H

#include "base/histogram.h"
#include "net/carrier.h"

/* Why a connection was closed before its time, or what else went wrong. */
typedef enum gt_net_fault {
    GT_FAULT_HANDSHAKE, /* not past TLS and HTTP in time */
    GT_FAULT_STALLED,   /* does not read what it is sent */
    GT_FAULT_SILENT,    /* does not answer pings */
    GT_FAULT_TOO_LARGE, /* a message beyond the limit */
    GT_FAULT_BUDGET,    /* the largest of too many half-received messages */
    GT_FAULT_TEXT,      /* a text message */
    GT_FAULT_ORIGIN,    /* a page that may not */
    GT_FAULT_PROTOCOL,  /* the sync protocol was broken */
    GT_FAULT_UNTRUSTED, /* signatures, keys or certificates that do not hold */
    GT_FAULT_OTHER,
    GT_FAULT_COUNT,
} gt_net_fault;

/* Why one was not accepted at all. */
typedef enum gt_refusal {
    GT_REFUSED_FULL,        /* as many connections as there may be */
    GT_REFUSED_ADDRESS,     /* as many from this address as there may be */
    GT_REFUSED_DESCRIPTORS, /* the process has no file descriptor left */
    GT_REFUSED_MEMORY,
    GT_REFUSED_COUNT,
} gt_refusal;

typedef struct gt_metrics {
    uint64_t accepted; /* connections, ever */
    uint64_t requests; /* over HTTP, upgrades not counted */
    uint64_t pings;
    uint64_t faults[GT_FAULT_COUNT];
    uint64_t refused[GT_REFUSED_COUNT];
    gt_histogram taking;     /* a packet, from its last byte to the end of its admission */
    gt_carried_counts ended; /* of connections that are gone */
} gt_metrics;

/* ---- writing ---- */

typedef enum gt_metric_kind { GT_GAUGE, GT_COUNTER } gt_metric_kind;

/* The lines of one metric without labels. */
void gt_metric_write(gt_buf *out, const char *name, gt_metric_kind kind, const char *help, uint64_t value);
/* Its head alone, then each line with one label. */
void gt_metric_head(gt_buf *out, const char *name, const char *kind, const char *help);
void gt_metric_line(gt_buf *out, const char *name, const char *label, const char *label_value, uint64_t value);
void gt_histogram_write(gt_buf *out, const char *name, const char *help, const gt_histogram *histogram);

/* Everything that `metrics` holds, with `counts` the sums over connections gone and there. */
void gt_metrics_write(gt_buf *out, const gt_metrics *metrics, const gt_carried_counts *counts);

void gt_counters_add(gt_sync_counters *sum, const gt_sync_counters *counters);

#endif
