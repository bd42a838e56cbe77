#!/usr/bin/env python3
"""What people meet: the quick start as it is written, names that are misspelled, a database that somebody else has, Ctrl-C,
a terminal that is closed, servers that were killed."""
import glob
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import time

from cli_support import DONE, GOAT, SANITIZED, SOURCE, TROUBLE, USAGE, run
from sync_support import PATIENCE, REPO, Process, SyncCase, some_cats, wait_until

PROMPT = 4 if SANITIZED else 3  # seconds; who waits for the answer waits for longer


def shown(repos):
    return [path for path in repos.split() if not path.startswith("/sys/")]


class QuickStart(SyncCase):
    """The blocks of README.md, word for word but for the address and the key."""

    def blocks(self):
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            section = re.search(r"^## Sync, from the shell\n(.*?)^An app does", file.read(), re.M | re.S)[1]
        found = re.findall(r"(?:^    .*\n)+", section, re.M)
        return [[line[4:] for line in block.splitlines()] for block in found]

    def shell(self, lines):
        done = subprocess.run(["bash", "-ec", "\n".join(lines)], cwd=self.folder, capture_output=True, text=True,
                              env=self.environment, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, f"{lines}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_the_quick_start_works_as_it_is_written(self):
        os.mkdir(self.path("bin"))
        os.symlink(GOAT, self.path("bin", "goat"))
        self.environment = dict(os.environ, PATH=self.path("bin") + os.pathsep + os.environ["PATH"])
        here, there = self.blocks()
        self.shell(here[:-1])
        self.assertRegex(here[-1], r"^goat serve pets --listen 0\.0\.0\.0:8080 ")
        server = self.background(Process("serve", "pets", "--listen", "127.0.0.1:0", cwd=self.folder))
        url, root = server.line().split()
        text = "\n".join(there)
        self.assertIn("ws://server:8080", text)
        self.assertIn("7d0c5e…", text)
        there = text.replace("ws://server:8080", url).replace("7d0c5e…", root).splitlines()
        self.assertRegex(there[-1], r"^goat sync copy --watch ")
        said = self.shell(there[:-1])
        self.assertIn(f"{REPO}  2 commits, 1 not yet on the server's disk\n", said)
        self.assertIn(": 0 commits came, 1 went (", said)
        watch = self.background(Process("sync", "copy", "--watch", cwd=self.folder))
        self.assertIn("even", watch.line())
        other = self.clone(url, "other")
        self.assertEqual(other.get("tom"), {"name": "Tom", "colour": "grey"})
        other.set("tom", "colour=red")
        other.sync()
        self.assertIn("colour", watch.line())
        self.assertEqual(watch.end(signal.SIGINT), DONE)
        self.assertEqual(server.end(signal.SIGTERM), DONE)


class Clone(SyncCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(self.origin(cats=some_cats(20)))

    def test_a_misspelled_repository_leaves_nothing_behind(self):
        wrong = ["clone", self.server.url, self.path("a"), "/data/cat", "--root", self.server.root]
        self.refused(*wrong, says="/data/cat: the server has no such repository")
        self.assertFalse(os.path.exists(self.path("a", "remote")))
        self.assertEqual(shown(self.goat("ls", self.path("a"))), [])
        self.assertEqual(glob.glob(self.path("a", "repos", "data")), [])
        a = self.clone(self.server.url, "a", REPO, "--root", self.server.root)
        self.assertEqual(shown(a.goat("ls")), [REPO])
        self.assertEqual(a.sync()["received"], 0)
        self.refused(*wrong[:3], "/data/cat", REPO, says="/data/cat: the server has no such repository")
        self.assertEqual(shown(a.goat("ls")), [REPO])
        with open(self.path("a", "remote"), encoding="utf-8") as file:
            self.assertNotIn("repository /data/cat\n", file.read())
        self.stop(self.server)
        self.assert_even(a, self.replica("server"))

    def test_one_that_is_there_goes_on_when_its_neighbour_is_not(self):
        self.refused("clone", self.server.url, self.path("a"), REPO, "/data/dogs", "--root", self.server.root,
                     says="/data/dogs")
        self.assertEqual(shown(self.goat("ls", self.path("a"))), [REPO])
        self.clone(self.server.url, "a", REPO, "--root", self.server.root)

    def test_a_replica_of_everything_stays_one_when_a_repository_is_named(self):
        a, b = self.clone(self.server.url, "a"), self.clone(self.server.url, "b")
        self.case_clone(self.server.url, a, REPO, notes=False)
        b.add(some_cats(3), repo="/data/kittens")
        b.sync()
        a.sync()
        self.assertEqual(shown(a.goat("ls")), [REPO, "/data/kittens"])

    def test_an_empty_repository_of_ones_own_is_not_taken_away(self):
        a = self.clone(self.server.url, "a")
        a.goat("import", "/data/mine", "--schema", "cat", "--key", "name", "--quiet")
        self.assertIn("/data/mine", shown(a.goat("ls")))
        self.refused("clone", self.server.url, a.db, "/data/mine", says="/data/mine")
        self.assertIn("/data/mine", shown(a.goat("ls")))

    def test_a_clone_of_another_network_redirects_nobody(self):
        a = self.clone(self.server.url, "a")
        with open(self.path("a", "remote"), encoding="utf-8") as file:
            before = file.read()
        other = self.serve(self.origin("other"))
        self.refused("clone", other.url, a.db, code=TROUBLE, says="another network")
        with open(self.path("a", "remote"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(a.sync()["url"], self.server.url)

    def test_a_clone_whose_server_is_away_redirects_nobody(self):
        a = self.clone(self.server.url, "a")
        self.refused("clone", "ws://127.0.0.1:1", a.db, "--timeout", "1", code=TROUBLE, says="ws://127.0.0.1:1")
        self.assertEqual(a.sync()["url"], self.server.url)


class Owned(SyncCase):
    """A database that another process has."""

    def setUp(self):
        super().setUp()
        self.server = self.serve(self.origin(cats=some_cats(20)))
        self.a = self.clone(self.server.url, "a")

    def status(self, db):
        return json.loads(self.goat("status", db, "--json"))

    def watch(self, replica):
        watch = self.background(Process("sync", replica.db, "--watch", "--json"))
        self.assertTrue(json.loads(watch.line())["even"])
        return watch

    def test_a_server_says_who_is_connected(self):
        said = self.status(self.server.db)
        self.assertEqual((said["serving"], said["owner"]["command"], said["owner"]["pid"]),
                         (self.server.url, "serve", self.server.process.pid))
        self.watch(self.a)
        said = wait_until(lambda: self.status(self.server.db) if self.status(self.server.db)["peer_count"] else None,
                          "a peer")
        peer = said["peers"][0]
        self.assertEqual((said["peer_count"], peer["role"], len(peer["session"])), (1, "client", 64))
        self.assertGreater(peer["in"] + peer["out"], 0)
        text = self.goat("status", self.server.db)
        self.assertRegex(text, rf"(?m)^owner +goat serve, process {self.server.process.pid}, as of \d+\.\d s ago$")
        self.assertRegex(text, rf"(?m)^serving +{self.server.url} .*/metrics")
        self.assertRegex(text, rf"(?m)^peers +1$\n^  client {peer['session'][:12]} ")

    def test_a_watching_replica_says_whether_it_is_even_and_what_waits(self):
        watch = self.watch(self.a)
        said = self.status(self.a.db)
        self.assertEqual((said["owner"]["command"], said["owner"]["pid"]), ("sync", watch.process.pid))
        said = wait_until(lambda: self.status(self.a.db) if self.status(self.a.db)["is_even"] else None, "even")
        self.assertEqual((said["url"], said["online"], said["lag"], said["pending"], said["trouble"]),
                         (self.server.url, True, 0, 0, None))
        self.assertEqual([each["path"] for each in said["repositories"]], [REPO])
        self.assertRegex(self.goat("status", self.a.db), r"(?m)^lag +none$")
        self.server.end(signal.SIGKILL)
        said = wait_until(lambda: self.status(self.a.db) if self.status(self.a.db)["trouble"] else None, "trouble")
        self.assertFalse(said["online"] or said["is_even"])
        before = self.status(self.a.db)["lag"]
        time.sleep(0.3)
        self.assertGreater(self.status(self.a.db)["lag"], before)
        text = self.goat("status", self.a.db)
        self.assertRegex(text, r"(?m)^last trouble  ")
        self.assertRegex(text, rf"(?m)^server +{self.server.url} \(not connected\)$")
        self.assertEqual(watch.end(signal.SIGTERM), DONE)
        self.assertFalse(os.path.exists(self.path("a", "owner.json")))
        said = self.status(self.a.db)  # the same once it is stored
        self.assertIsNone(said["owner"])
        self.assertGreater(said["lag"], before)
        self.assertIn("refused", said["trouble"])

    def test_a_replica_remembers_until_when_it_was_even(self):
        first = self.status(self.a.db)
        self.assertGreater(first["lag"], 0)
        watch = self.watch(self.a)
        time.sleep(1.5)
        self.assertEqual(watch.end(signal.SIGINT), DONE)
        self.assertLess(self.status(self.a.db)["lag"], first["lag"] + 1.5)
        self.assertGreater(self.status(self.a.db)["even"], first["even"])
        self.assertRegex(self.goat("status", self.a.db), r"(?m)^lag +\d+\.\d s$")

    def test_what_a_killed_owner_left_is_not_believed(self):
        self.server.end(signal.SIGKILL)
        self.assertTrue(os.path.exists(os.path.join(self.server.db, "owner.json")))
        said = self.status(self.server.db)
        self.assertEqual((said["owner"], said["serving"]), (None, None))
        # Nor when somebody else has the database, even under the same number.
        feed = subprocess.Popen([GOAT, "import", self.server.db, REPO, "--schema", "cat", "--key", "name", "--quiet"],
                                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(feed.kill)
        lock = os.path.join(self.server.db, "lock")
        wait_until(lambda: str(feed.pid) in open(lock, encoding="utf-8").read(), "the import owns it")
        left = os.path.join(self.server.db, "owner.json")
        with open(left, encoding="utf-8") as file:
            content = file.read()
        for pid in (self.server.process.pid, feed.pid):
            with open(left, "w", encoding="utf-8") as file:
                file.write(content.replace(str(self.server.process.pid), str(pid)))
            os.utime(left, ns=(0, os.stat(lock).st_mtime_ns - 1))
            self.refused("status", self.server.db, code=TROUBLE, says=[f"owned by process {feed.pid} ", "has ended"])
            self.assertNotIn("ws://", self.error)
        for nonsense in ("", "{", "[1]", '{"owner":7}', content[:-9]):
            with open(left, "w", encoding="utf-8") as file:
                file.write(nonsense)
            self.refused("status", self.server.db, code=TROUBLE, says=f"owned by process {feed.pid} ")
        feed.stdin.close()
        self.assertEqual(feed.wait(PATIENCE), DONE)
        server = self.restart(self.server)
        self.assertEqual(self.status(server.db)["owner"]["pid"], server.process.pid)
        self.stop(server)
        self.assertFalse(os.path.exists(left))

    def test_whoever_wants_to_edit_is_told_what_to_do(self):
        pid = str(self.server.process.pid)
        for command in (("set", self.server.db, REPO + "/cat-000001", "age=3"), ("query", self.server.db, REPO),
                        ("sync", self.server.db), ("clone", self.server.url, self.server.db),
                        ("serve", self.server.db, "--listen", "127.0.0.1:0")):
            self.refused(*command, code=TROUBLE, says=[f"owned by process {pid}", f"goat clone {self.server.url} ",
                                                       "stop the server"])
        self.watch(self.a)
        self.refused("set", self.a.db, REPO + "/cat-000001", "age=3", code=TROUBLE,
                     says=["edit another replica", "end goat sync"])

    def test_a_replica_cannot_be_served_and_says_so(self):
        self.refused("serve", self.a.db, "--listen", "127.0.0.1:0", code=TROUBLE, says=[self.a.db, "replica", "goat init"])


class Signals(SyncCase):
    def ended(self, process, number=signal.SIGINT):
        began = time.monotonic()
        code = process.end(number)
        self.assertLess(time.monotonic() - began, PROMPT, process.arguments)
        return code

    def test_ctrl_c_does_not_wait_for_a_server_that_is_silent(self):
        door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(door.close)
        url = f"ws://127.0.0.1:{door.getsockname()[1]}"
        server = self.serve(self.origin())
        a = self.clone(server.url, "a")
        for arguments in (("clone", url, self.path("b")), ("sync", a.db, "--url", url),
                          ("sync", a.db, "--url", url, "--watch"), ("clone", url, a.db)):
            for number in (signal.SIGINT, signal.SIGTERM):
                process = self.background(Process(*arguments))
                time.sleep(0.7)
                code = self.ended(process, number)
                self.assertIn(code, (128 + number, DONE if "--watch" in arguments else 128 + number), process.said())
        self.assertEqual(a.sync()["url"], server.url)

    def test_ctrl_c_does_not_wait_for_a_name_that_leads_nowhere(self):
        process = self.background(Process("clone", "ws://no-such-host.invalid", self.path("b")))
        time.sleep(0.3)
        if process.process.poll() is None:
            self.assertEqual(self.ended(process), 128 + signal.SIGINT)

    def test_a_hang_up_reads_a_certificate_only_where_there_is_one(self):
        server = self.serve(self.origin())
        server.signal(signal.SIGHUP)
        wait_until(server.said, "an answer")
        self.assertRegex(server.said(), r"^goat serve: note: there is no certificate .*--tls.*\n$")
        self.assertEqual(server.http("/healthz")[0], 200)
        self.assertEqual(server.end(signal.SIGTERM), DONE)

    def in_a_terminal(self, *arguments):
        """goat with a terminal of its own: (process, terminal), after its first line."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(arguments[0], arguments)
        said = b""
        while b"\n" not in said:
            said += os.read(terminal, 4096)
        return pid, terminal, said.decode().split()[0]

    def gone(self, pid, seconds):
        """Its exit code; None when it is still there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        return None

    def test_a_terminal_that_is_closed_ends_its_server_in_good_order(self):
        origin = self.origin(cats=some_cats(5))
        pid, terminal, _ = self.in_a_terminal(GOAT, "serve", origin.db, "--listen", "127.0.0.1:0")
        os.close(terminal)
        code = self.gone(pid, PATIENCE)
        if code is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.assertEqual(code, DONE)
        self.assertFalse(os.path.exists(os.path.join(origin.db, "owner.json")))
        origin.verified()

    def test_with_nohup_it_stays(self):
        origin = self.origin(cats=some_cats(5))
        pid, terminal, _ = self.in_a_terminal("/bin/sh", "-c", f"trap '' HUP; exec '{GOAT}' serve '{origin.db}' "
                                                               "--listen 127.0.0.1:0")
        os.close(terminal)
        self.assertIsNone(self.gone(pid, 1))
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.gone(pid, PATIENCE), DONE)


class Limits(SyncCase):
    def open(self, server, origin=None):
        """A connection whose upgrade was answered: (socket, status)."""
        near = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self.addCleanup(near.close)
        lines = ["GET / HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Protocol: goat.sync.1"] + ([f"Origin: {origin}"] if origin else [])
        try:
            near.sendall("\r\n".join(lines + ["", ""]).encode())
            answer = near.recv(4096).decode("latin-1")
        except ConnectionError:
            answer = ""
        return near, int(answer.split()[1]) if answer.startswith("HTTP/") else None

    def test_origins_decide_which_pages_may_connect(self):
        server = self.serve(self.origin(), "--origins", "https://app.example https://beta.example:8443")
        for origin, may in (("https://app.example", True), ("https://beta.example:8443", True), (None, True),
                            ("https://beta.example", False), ("http://app.example", False),
                            (f"http://127.0.0.1:{server.port}", False)):
            self.assertEqual(self.open(server, origin)[1], 101 if may else 403, origin)
        self.stop(server)
        self.assertEqual(self.open(self.serve(self.replica("server"), "--origins", "*"), "http://any.example")[1], 101)

    def test_origins_that_could_never_match_are_wrong_usage(self):
        self.origin()
        for wrong in ("app.example", "https://", "https://app.example/", "* app", "wss://app.example"):
            self.refused("serve", self.path("server"), "--origins", wrong, code=USAGE, says="--origins")

    def test_one_address_has_so_many_connections(self):
        server = self.serve(self.origin(), "--per-address", "3")
        kept = [self.open(server) for _ in range(3)]
        self.assertEqual([status for _, status in kept], [101] * 3)
        self.assertIsNone(self.open(server)[1])
        kept[0][0].close()
        wait_until(lambda: self.open(server)[1] == 101, "room for another")

    def test_a_server_has_so_many_connections(self):
        server = self.serve(self.origin(), "--connections", "2")
        self.assertEqual([self.open(server)[1] for _ in range(3)], [101, 101, None])

    def test_numbers_that_are_none_are_wrong_usage(self):
        self.origin()
        for option, wrong in (("--connections", "0"), ("--connections", "x"), ("--per-address", "-1")):
            self.refused("serve", self.path("server"), option, wrong, code=USAGE, says=option)


class Words(SyncCase):
    def test_an_authority_that_is_not_known_is_answered_by_naming_ca(self):
        if shutil.which("openssl") is None:
            self.skipTest("there is no openssl here")
        certificate, key = self.path("chain.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=goats", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                        certificate], capture_output=True, check=True)
        server = self.serve(self.origin(), "--tls", certificate, key)
        self.refused("clone", server.url, self.path("a"), "--timeout", "2", code=TROUBLE, says=[server.url, "--ca"])
        self.clone(server.url, "a", "--ca", certificate)

    def test_pages_show_no_address_that_nobody_can_connect_to(self):
        """A server that listens everywhere prints a URL that works on its machine."""
        for path in glob.glob(os.path.join(SOURCE, "bindings", "cli", "man", "*.1")) + [os.path.join(SOURCE, "README.md")]:
            with open(path, encoding="utf-8") as file:
                self.assertNotRegex(file.read(), r"wss?://(0\.0\.0\.0|\[::\])", path)


class Completion(SyncCase):
    """Bash takes words apart at colons, so it is asked itself."""

    def complete(self, line):
        """What the line becomes when Tab is pressed behind it."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.environ.update(PS1="$ ", PS2="", TERM="dumb", INPUTRC="/dev/null", HISTFILE="/dev/null")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        script = os.path.join(SOURCE, "bindings", "cli", "completion", "goat.bash")
        said = b""
        try:
            os.write(terminal, f". '{script}'; echo rea''dy\n".encode())
            end = time.monotonic() + PATIENCE
            while b"ready\r\n" not in said and time.monotonic() < end:
                said += os.read(terminal, 4096)
            os.write(terminal, line.encode() + b"\t\x01echo '[\x05]'\n")
            said = b""
            while not re.search(rb"^\[(.*)\]\r$", said, re.M) and time.monotonic() < end:
                said += os.read(terminal, 4096)
            os.write(terminal, b"exit\n")
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)
        return re.search(r"^\[(.*)\]\r$", said.decode(), re.M)[1]

    def test_folders_are_completed_behind_a_url(self):
        os.mkdir(self.path("meadow"))
        self.write("authority.pem", "")
        for line, whole in (("goat clone ws://host:8080 mea", "goat clone ws://host:8080 meadow/"),
                            ("goat sync --url ws://host:8080 mea", "goat sync --url ws://host:8080 meadow/"),
                            ("goat sync --url=ws://host:8080 mea", "goat sync --url=ws://host:8080 meadow/"),
                            ("goat clone wss://[::1]:8080 mea", "goat clone wss://[::1]:8080 meadow/"),
                            ("goat sync meadow --ca=auth", "goat sync meadow --ca=authority.pem "),
                            ("goat serve mea", "goat serve meadow/")):
            self.assertEqual(self.complete(line), whole)


if __name__ == "__main__":
    run()
