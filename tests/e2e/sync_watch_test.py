"""What somebody sees who watches a server: /healthz and /metrics."""
import resource
import signal
import unittest

import prometheus
from cli_support import run
from sync_support import REPO, Process, SyncCase, some_cats, wait_until

# What is to be seen of a server, and where.
MUST = {
    "connections": ["goat_connections", "goat_connections_total", "goat_peers", "goat_refused_total"],
    "repositories": ["goat_repositories", "goat_channels"],
    "commits in and out": ["goat_commits_in_total", "goat_commits_out_total", "goat_batches_in_total",
                           "goat_batches_out_total"],
    "bytes": ["goat_bytes_in_total", "goat_bytes_out_total", "goat_log_bytes"],
    "queue lengths": ["goat_send_queue_bytes", "goat_unacknowledged_batches", "goat_parked_batches",
                      "goat_log_unsynced_bytes", "goat_half_received_bytes", "goat_connections_pending"],
    "latencies": ["goat_packet_seconds", "goat_acknowledge_seconds"],
    "errors by kind": ["goat_errors_total"],
}


class Format(unittest.TestCase):
    """The checker finds what it is to find."""

    GOOD = ("# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"x\"} 1\na_total{kind=\"y\"} 2\n"
            "# HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_bucket{le=\"0.1\"} 1\n"
            "b_seconds_bucket{le=\"+Inf\"} 3\nb_seconds_sum 4.5\nb_seconds_count 3\n")

    def test_good_text_is_good(self):
        self.assertEqual(prometheus.check(self.GOOD)["b_seconds"].samples["b_seconds_sum", ()], 4.5)

    def test_what_breaks_a_rule_is_found(self):
        for old, new in (("# HELP a_total Things.\n", ""), ("# TYPE a_total counter\n", ""), ("count 3\n", "count 3"),
                         ("counter", "gauge"), ("a_total", "a"), ("{kind=\"y\"}", "{kind=\"x\"}"), (" 2\n", " two\n"),
                         ("le=\"+Inf\"", "le=\"5\""), ("le=\"0.1\"} 1", "le=\"0.1\"} 4"), ("count 3", "count 4"),
                         ("seconds", "milliseconds"), ("seconds", "time"), ("kind", "le"), ("_sum 4.5\n", "_sum\n"),
                         ("kind=\"y\"", "kind=\"\n\""), ("} 2\n", "} 2.5\n"), ("b_seconds_sum 4.5\n", ""),
                         ("Things.", ""), ("# TYPE b", "#TYPE b"), ("# HELP b_seconds", "# HELP a_total")):
            with self.subTest(f"{old!r} → {new!r}"):
                self.assertIn(old, self.GOOD)
                with self.assertRaises(prometheus.Broken):
                    prometheus.check(self.GOOD.replace(old, new))


class Watched(SyncCase):
    def metrics(self, server):
        status, text = server.http("/metrics")
        self.assertEqual(status, 200)
        return prometheus.check(text)

    def value(self, metrics, name, suffix=""):
        return metrics[name].samples[name + suffix, ()]

    def test_metrics_are_prometheus_text_and_say_what_happened(self):
        server = self.serve(self.origin(cats=some_cats(30)))
        idle = self.metrics(server)
        a = self.clone(server.url, "a")
        a.add(some_cats(20, first=100))
        a.sync()
        after = self.metrics(server)
        for thing, names in MUST.items():
            for name in names:
                self.assertIn(name, after, thing)
        self.assertEqual(after.keys(), idle.keys())
        self.assertGreaterEqual(self.value(after, "goat_commits_in_total"), 20)
        self.assertGreaterEqual(self.value(after, "goat_commits_out_total"), 30)
        self.assertGreaterEqual(self.value(after, "goat_batches_out_total"), 1)
        self.assertGreaterEqual(self.value(after, "goat_acknowledge_seconds", "_count"), 1)
        self.assertGreater(self.value(after, "goat_packet_seconds", "_sum"), 0)
        for name, metric in after.items():  # nothing that counts goes back
            for sample, number in metric.samples.items():
                if metric.kind in ("counter", "histogram"):
                    self.assertGreaterEqual(number, idle[name].samples[sample], sample)

    def test_health_says_no_when_the_disk_refuses(self):
        def small_files():  # a file may not grow beyond this: as a disk that is full
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (96 * 1024, 96 * 1024))

        origin = self.origin(cats=some_cats(10))
        server = self.serve(origin, preexec_fn=small_files)
        self.assertEqual(server.http("/healthz"), (200, "ok\n"))
        a = self.clone(server.url, "a")
        a.add(some_cats(3000, first=100))
        self.background(Process("sync", a.db, "--watch"))
        wait_until(lambda: server.http("/healthz")[0] == 503, "the server is not well")
        _, words = server.http("/healthz")
        self.assertIn(REPO, words)
        self.assertEqual(words.count("\n"), 1)
        prometheus.check(server.http("/metrics")[1])


if __name__ == "__main__":
    run()
