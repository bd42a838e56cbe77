#!/usr/bin/env python3
"""What can go wrong between machines: each is one clear line and an exit code, and nobody else notices.

GOAT_SOAK adds what has to be waited for."""
import http.client
import os
import resource
import signal
import socket
import time
import unittest

import sync_certificates
from cli_support import DONE, TROUBLE, USAGE, run
from sync_raw import BINARY, BYE, TEXT, Answerer, Raw, WebSocket, goat_cbor, hello
from sync_support import PATIENCE, Process, Proxy, SyncCase, some_cats, wait_until

TOO_LARGE, UNTRUSTED, NEWER_FORMAT = 23, 82, 83
SOAK = bool(os.environ.get("GOAT_SOAK"))


class Link(SyncCase):
    """The way to the server breaks."""

    def setUp(self):
        super().setUp()
        self.origin(cats=[dict(cat, notes={"a": os.urandom(300).hex()}) for cat in some_cats(4000)])
        self.server = self.serve(self.replica("server"))

    def proxy(self, **config):
        made = Proxy(self.server.port, **config)
        self.addCleanup(made.close)
        return made

    def whole_clone(self):
        """Bytes that a clone without trouble receives."""
        proxy = self.proxy()
        self.clone(proxy.url, "whole")
        return proxy.down

    def test_a_clone_that_is_cut_off_resumes_by_itself(self):
        whole = self.whole_clone()
        proxy = self.proxy(cut_after=whole // 2)
        a = self.replica("a")
        self.goat("clone", proxy.url, a.db, "--quiet", "--root", self.server.root, "--timeout", "20", notes=True)
        self.assertIsNone(proxy.cut_after)  # it was
        self.assertLess(proxy.down, 1.35 * whole)  # and does not begin again
        self.stop(self.server)
        self.assert_even(a, self.replica("server"))

    def test_a_clone_whose_server_is_gone_goes_on_where_it_was_when_it_is_run_again(self):
        whole = self.whole_clone()
        proxy = self.proxy(cut_after=whole // 2)
        a = self.replica("a")
        clone = self.background(Process("clone", proxy.url, a.db, "--quiet", "--root", self.server.root, "--timeout", "1"))
        wait_until(lambda: proxy.cut_after is None or clone.process.poll() is not None, "the cut")
        self.server.end(signal.SIGKILL)
        self.assertEqual(clone.end(), TROUBLE)
        self.assertRegex(clone.said(), r"(?m)^goat clone: ws://.*(connect|gone|refused)")
        first = proxy.down
        self.assertGreaterEqual(first, whole // 2)
        self.server = self.restart(self.server)
        self.goat("clone", proxy.url, a.db, "--quiet", notes=True)
        self.assertLess(proxy.down, 1.35 * whole)
        self.stop(self.server)
        self.assert_even(a, self.replica("server"))

    def test_a_clone_that_is_interrupted_says_how_to_go_on(self):
        proxy = self.proxy(rate=1 << 18)
        a = self.replica("a")
        clone = self.background(Process("clone", proxy.url, a.db, "--quiet", "--root", self.server.root))
        wait_until(lambda: proxy.down > 1 << 17, "the middle of the clone")
        self.assertEqual(clone.end(signal.SIGINT), 128 + signal.SIGINT)
        proxy.rate = None
        self.goat("clone", proxy.url, a.db, "--quiet")
        self.stop(self.server)
        self.assert_even(a, self.replica("server"))

    def test_a_client_that_is_stopped_holds_up_nobody(self):
        proxy = self.proxy(rate=1 << 20)
        slow = self.background(Process("clone", proxy.url, self.path("slow"), "--quiet", "--root", self.server.root))
        wait_until(lambda: proxy.down > 1 << 16, "the middle of the clone")
        slow.signal(signal.SIGSTOP)
        before = self.server.resident()
        a = self.clone(self.server.url, "a")
        for number in range(5):
            a.set("cat-000001", f"age={number + 50}")
            a.sync()
        self.assertLess(self.server.resident() - before, 64 << 20)
        slow.signal(signal.SIGCONT)
        proxy.rate = None
        self.assertEqual(slow.end(), DONE, slow.said())
        self.replica("slow").sync()
        self.stop(self.server)
        self.assert_even(a, self.replica("slow"), self.replica("server"))


class Address(SyncCase):
    """Nobody, or somebody else, is where the server should be."""

    def setUp(self):
        super().setUp()
        self.server = self.serve(self.origin(cats=some_cats(20)))

    def test_nobody_at_the_other_end(self):
        a = self.clone(self.server.url, "a")
        self.stop(self.server)
        for command in (("sync", a.db, "--timeout", "1"), ("clone", self.server.url, self.path("b"), "--timeout", "1")):
            self.refused(*command, code=TROUBLE, says=[self.server.url, "refused"])
        self.assertFalse(os.path.exists(self.path("b")))
        self.refused("clone", "ws://no-such-host.invalid", self.path("b"), "--timeout", "1", code=TROUBLE,
                     says="no-such-host.invalid")
        for wrong in ("localhost", "ftp://localhost", "ws://", "ws://localhost:0", "ws://local host"):
            self.refused("clone", wrong, self.path("b"), code=USAGE)

    def test_something_else_answers(self):
        a = self.clone(self.server.url, "a")
        door = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(door.close)
        url = f"ws://127.0.0.1:{door.getsockname()[1]}"
        self.refused("sync", a.db, "--url", url, "--timeout", "1", code=TROUBLE, says=url)  # says nothing at all
        site = self.serve(self.origin("site"))
        self.refused("sync", a.db, "--url", site.url, code=TROUBLE, says="another network")
        self.assertEqual(a.sync()["url"], self.server.url)


class Port(SyncCase):
    """Strangers at the server's port."""

    def setUp(self):
        super().setUp()
        self.origin(cats=some_cats(50))
        self.server = self.serve(self.replica("server"))
        self.a = self.clone(self.server.url, "a")
        self.before = self.server.descriptors()

    def unharmed(self):
        """The server still does its work, and has let go of what the strangers had."""
        self.a.set("cat-000001", f"age={time.monotonic_ns() % 1000003}")
        self.assertEqual(self.a.sync()["sent"], 1)
        wait_until(lambda: self.server.descriptors() <= self.before + 2, "the strangers' connections are closed")
        self.assertEqual(self.server.http("/healthz")[0], 200)
        self.assertEqual(self.server.said(), "")

    def test_a_port_that_is_taken(self):
        other = self.origin("other")
        self.refused("serve", other.db, "--listen", f"127.0.0.1:{self.server.port}", code=TROUBLE,
                     says=f"127.0.0.1:{self.server.port} is taken by another program")
        self.refused("serve", other.db, "--listen", "192.0.2.1:0", code=TROUBLE, says="192.0.2.1")
        self.unharmed()

    def test_garbage_on_the_port(self):
        pieces = [b"\0" * 1000, os.urandom(4096), b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" + os.urandom(99),
                  b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b"A: b\r\n" * 5000,
                  b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(2000)) + b"\r\n"]
        for piece in pieces:
            with Raw(self.server.port) as raw:
                try:
                    raw.send(piece)
                    raw.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # it has hung up on us already
                self.assertNotIn(b" 200 ", raw.rest().partition(b"\r\n")[0])
        self.unharmed()

    def test_what_is_no_message_ends_the_connection_in_good_order(self):
        for kind, data in ((BINARY, b"\xff\xff\xff"), (BINARY, os.urandom(1000)), (BINARY, b""), (TEXT, b"hello"),
                           (BINARY, b"\x82\x01\x40"), (BINARY, bytes(1 << 17)), (BINARY, hello() + hello())):
            with WebSocket(self.server.port) as socket_:
                self.assertTrue(socket_.is_open, socket_.answer)
                try:
                    socket_.frame(data, kind)
                except OSError:
                    pass
                found = socket_.until_end()
                self.assertTrue(all(message[0] in (0, 1, BYE) for message in found), found)
        self.unharmed()

    def test_other_subprotocols_and_pages_of_others_are_not_spoken_to(self):
        for config, spoken in (({"protocol": "chat"}, False), ({"headers": ["Origin: http://evil.example"]}, False),
                               ({"headers": [f"Origin: http://127.0.0.1:{self.server.port}"]}, True)):
            with WebSocket(self.server.port, **config) as socket_:
                self.assertEqual(socket_.is_open, spoken, socket_.answer)
        self.unharmed()

    def test_a_version_that_is_not_spoken(self):
        for version, status in ((0, NEWER_FORMAT), (2, NEWER_FORMAT), (1 << 40, TOO_LARGE)):
            with WebSocket(self.server.port) as socket_:
                socket_.frame(hello(version=version))
                messages = socket_.until_end()
                self.assertEqual([(message[0], message[1]) for message in messages], [(BYE, status)])
        self.unharmed()

    def test_a_server_that_speaks_another_version(self):
        stranger = Answerer(goat_cbor.encode([BYE, NEWER_FORMAT, "the peer speaks version 1 of the sync protocol"]))
        self.addCleanup(stranger.close)
        url = f"ws://127.0.0.1:{stranger.port}"
        self.refused("sync", self.a.db, "--url", url, code=TROUBLE, says=[url, "version"])
        self.refused("clone", url, self.path("c"), code=TROUBLE, says=[url, "version"])
        self.assertFalse(os.path.exists(self.path("c")))
        self.unharmed()

    def test_another_network(self):
        with WebSocket(self.server.port) as socket_:
            socket_.frame(hello(network=bytes(32)))
            self.assertEqual([(message[0], message[1]) for message in socket_.until_end()], [(BYE, UNTRUSTED)])
        self.unharmed()

    def test_somebody_who_knocks_and_never_says_or_reads_a_thing(self):
        silent = [kind(self.server.port, seconds=PATIENCE) for kind in (Raw, WebSocket) for _ in range(20)]
        half = WebSocket(self.server.port, seconds=PATIENCE)
        half.send(b"\x82\xfe\x40\x00" + bytes(100))  # the beginning of a message
        self.a.set("cat-000001", "age=4")
        self.assertEqual(self.a.sync()["sent"], 1)
        for each in [*silent, half]:
            each.rest() if not isinstance(each, WebSocket) else each.until_end(PATIENCE)
            each.close()
        self.unharmed()

    def health(self, connection):
        """Seconds until an answer on a connection that stays."""
        began = time.monotonic()
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.will_close), (200, False))
        answer.read()
        return time.monotonic() - began

    def flood(self, count):
        """So many connections at once, which say nothing."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY:
            count = min(count, hard - 200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 150, hard))
        sockets, began = [], time.monotonic()
        for _ in range(count):
            each = socket.socket()
            self.addCleanup(each.close)
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", self.server.port))
            sockets.append(each)
        return sockets, time.monotonic() - began

    def test_ten_thousand_connections_in_a_second(self):
        """Who is there already is served as before; newcomers stand in line with the flood."""
        memory = self.server.resident()
        watch = self.background(Process("sync", self.clone(self.server.url, "b").db, "--watch"))
        self.assertIn("even", watch.line())
        there = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        self.addCleanup(there.close)
        self.health(there)
        door = there.sock
        sockets, took = self.flood(10000)
        slowest = max(self.health(there) for _ in range(20))
        self.assertIs(there.sock, door)  # the same connection all the time
        descriptors, grown = self.server.descriptors(), self.server.resident() - memory
        print(f"{len(sockets)} connections in {took:.2f} s: {descriptors} descriptors and {grown >> 20} MiB more in the "
              f"server, answers in at most {slowest * 1000:.0f} ms", flush=True)
        self.assertLess(slowest, PATIENCE / 10)
        self.assertLess(grown, 192 << 20)
        if SOAK:  # a newcomer's turn comes while the flood stays
            self.a.set("cat-000001", "age=77")
            self.assertEqual(self.a.sync("--timeout", "120", notes=True)["sent"], 1)
            self.assertIn("cat-000001", watch.line())
        for each in sockets:
            each.close()
        self.a.set("cat-000002", "age=78")
        self.assertEqual(self.a.sync("--timeout", "60", notes=True)["sent"], 1)
        self.assertIn("cat-000002", watch.line())
        self.assertEqual(watch.end(signal.SIGTERM), DONE)
        self.assertEqual(watch.said(), "")  # it was never cut off
        self.unharmed()

    @unittest.skipUnless(SOAK, "takes a minute: pings are rare")
    def test_a_connection_whose_other_end_has_vanished_is_let_go(self):
        """Nothing says that it is gone: no FIN, no RST. Both sides find out by pings."""
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)
        watch = self.background(Process("sync", self.a.db, "--watch", "--url", proxy.url))
        self.assertIn("even", watch.line())
        proxy.is_deaf = True
        b = self.clone(self.server.url, "b")
        b.set("cat-000001", "age=5")
        self.assertEqual(b.sync()["sent"], 1)
        wait_until(lambda: "trying again" in watch.said(), "the client notices", 120)
        wait_until(lambda: self.server.descriptors() <= self.before, "the server notices", 120)
        proxy.is_deaf = False
        proxy.cut()
        self.assertIn("cat-000001", watch.line())
        self.assertEqual(watch.end(signal.SIGTERM), DONE)


class Tls(SyncCase):
    def setUp(self):
        super().setUp()
        if sync_certificates.OPENSSL is None:
            self.skipTest("there is no openssl command here")
        self.authority = sync_certificates.Authority(self.path("ca"))
        self.origin(cats=some_cats(20))

    def secure(self, *hosts, **config):
        return self.serve(self.replica("server"), "--tls", *self.authority.issue(*hosts, **config))

    def test_a_certificate_of_ones_own_authority(self):
        server = self.secure("IP:127.0.0.1", "DNS:localhost")
        self.assertTrue(server.url.startswith("wss://127.0.0.1:"), server.url)
        a = self.replica("a")
        self.goat("clone", server.url, a.db, "--quiet", "--root", server.root, "--ca", self.authority.certificate)
        a.set("cat-000001", "age=5")
        self.assertEqual(a.sync()["sent"], 1)  # the authority is remembered
        self.goat("clone", f"wss://localhost:{server.port}", self.path("b"), "--quiet", "--root", server.root, "--ca",
                  self.authority.certificate)
        self.refused("clone", server.url, self.path("c"), code=TROUBLE, says="certificate")
        self.refused("clone", f"ws://127.0.0.1:{server.port}", self.path("c"), "--timeout", "1", code=TROUBLE)
        self.assertFalse(os.path.exists(self.path("c")))
        self.stop(server)
        self.assert_even(self.replica("server"), a)

    def test_certificates_that_do_not_hold(self):
        for hosts, config, word in ((["IP:127.0.0.1"], {"since": -3, "days": 2}, "expired"),
                                    (["IP:127.0.0.2", "DNS:goats.example"], {}, "127.0.0.1"),
                                    (["IP:127.0.0.1"], {"since": 1}, "not valid yet")):
            server = self.secure(*hosts, **config)
            self.refused("clone", server.url, self.path("a"), "--ca", self.authority.certificate,
                         code=TROUBLE, says=[server.url, word])
            self.assertFalse(os.path.exists(self.path("a")))
            self.stop(server)
        other = sync_certificates.Authority(self.path("other"))
        server = self.secure("IP:127.0.0.1")
        self.refused("clone", server.url, self.path("a"), "--ca", other.certificate, code=TROUBLE,
                     says="certificate")

    def test_files_that_are_none(self):
        certificate, key = self.authority.issue("IP:127.0.0.1")
        _, other = self.authority.issue("IP:127.0.0.1")
        nonsense, db = self.write("nonsense", "x"), self.path("server")
        for pair, word in (((self.path("none"), key), "none"), ((certificate, self.path("none")), "none"),
                           ((nonsense, key), "nonsense"), ((certificate, nonsense), "nonsense"), ((certificate, other), "key")):
            self.refused("serve", db, "--listen", "127.0.0.1:0", "--tls", *pair, code=TROUBLE, says=word)
        self.refused("serve", db, "--tls", certificate, code=USAGE, says="--tls")

    def test_sighup_reads_the_certificate_again(self):
        certificate, key = self.authority.issue("IP:127.0.0.1", since=-3, days=2)
        server = self.serve(self.replica("server"), "--tls", certificate, key)
        self.refused("clone", server.url, self.path("a"), "--ca", self.authority.certificate, code=TROUBLE,
                     says="expired")
        for old, new in zip((certificate, key), self.authority.issue("IP:127.0.0.1")):
            os.replace(new, old)
        server.signal(signal.SIGHUP)
        wait_until(lambda: "note: " in server.said(), "a word that it was read")
        self.goat("clone", server.url, self.path("a"), "--quiet", "--root", server.root, "--ca", self.authority.certificate)
        with open(key, "w", encoding="ascii") as file:
            file.write("nonsense")
        server.signal(signal.SIGHUP)
        wait_until(lambda: server.said().count("\n") == 2, "a word that it is none")
        self.replica("a").sync()  # and the old one stays
        self.assertEqual(server.end(signal.SIGTERM), DONE)


if __name__ == "__main__":
    run()
