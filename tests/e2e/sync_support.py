"""What the sync_*_test.py share: servers and replicas on loopback, each of them the goat command in a process of its
own, and a proxy that counts, slows down and cuts what goes between them. Standard library only."""
import glob
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from cli_support import CAT, DONE, GOAT, NO, SANITIZED, SOURCE, Case, lines

PATIENCE = 120 if SANITIZED else 60  # seconds, for what must come about
REPO = "/data/cats"


def wait_until(holds, what, seconds=PATIENCE):
    """What `holds` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Process:
    """goat in the background. What it writes to standard error lies in a file."""

    def __init__(self, *arguments, **more):
        self.arguments = arguments
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([GOAT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.errors, **more)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.pending = b""

    def line(self, seconds=PATIENCE):
        """The next line of standard output; None at its end."""
        end = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"goat {self.arguments[0]} printed no line in {seconds} s: {self.said()}")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                return None
            self.pending += piece
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode()

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, number=None, seconds=PATIENCE):
        """Its exit code, after a signal if one is given."""
        if number is not None and self.process.poll() is None:
            self.signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"goat {self.arguments[0]} does not end: {self.said()}") from None
        self.process.stdout.close()
        return code

    def close(self):
        """For clean-ups, whatever has become of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Server(Process):
    """goat serve. It keeps its port when it is started again."""

    def __init__(self, db, *more, port=0, host="127.0.0.1", **process):
        super().__init__("serve", db, "--listen", f"{host}:{port}", *more, **process)
        ready = self.line()
        if ready is None:
            raise AssertionError(f"the server ended: {self.said()}")
        self.db, self.more = db, more
        self.url, self.root = ready.split()
        self.port = urllib.parse.urlsplit(self.url).port

    def again(self):
        """A new one in its place."""
        return Server(self.db, *self.more, port=self.port)

    def http(self, path, method="GET"):
        """(status, text) of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """Every number by its name, with the labels as they stand."""
        status, text = self.http("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics: {status}")
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))}


class Proxy:
    """Stands between clients and a server. Counts bytes, lets only so many a second through, cuts everything off."""

    def __init__(self, port, rate=None, cut_after=None):
        self.target, self.rate, self.cut_after = port, rate, cut_after
        self.down = self.up = 0
        self.is_deaf = False  # nothing goes through, and nobody is told
        self.open, self.lock = set(), threading.Lock()
        self.door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.door.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.door.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if self.door.fileno() < 0:
                    return
                near.close()
                continue
            with self.lock:
                self.open |= {near, far}
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source, target, is_down):
        try:
            while True:
                piece = source.recv(1 << 14)
                if not piece:
                    break
                if is_down:
                    self.down += len(piece)
                else:
                    self.up += len(piece)
                while self.is_deaf:
                    time.sleep(0.02)
                target.sendall(piece)
                if is_down and self.cut_after is not None and self.down >= self.cut_after:
                    self.cut_after = None
                    self.cut()
                if is_down and self.rate:
                    time.sleep(len(piece) / self.rate)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Breaks every connection that is there."""
        with self.lock:
            for end in self.open:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
            self.open.clear()

    def close(self):
        self.door.close()
        self.cut()


class Replica:
    """A database and the commands that work on it."""

    def __init__(self, case, name):
        self.case, self.name, self.db = case, name, case.path(name)

    def goat(self, command, *arguments, **more):
        return self.case.goat(command, self.db, *arguments, **more)

    def set(self, key, *fields, repo=REPO):
        self.goat("set", f"{repo}/{key}", *fields)

    def put(self, key, repo=REPO, **more):
        self.goat("put", f"{repo}/{key}", "--schema", "cat", json.dumps({"name": key}), **more)

    def add(self, documents, repo=REPO, **more):
        """Imports documents, each under its name."""
        text = "".join(json.dumps(each) + "\n" for each in documents)
        self.goat("import", repo, "--schema", "cat", "--key", "name", "--quiet", stdin=text, **more)

    def get(self, key, repo=REPO, **more):
        return json.loads(self.goat("get", f"{repo}/{key}", "--json", **more))

    def rows(self, repo=REPO, **more):
        return {row["key"]: row for row in lines(self.goat("query", repo, **more))}

    def sync(self, *arguments, **more):
        """`goat sync` until even; what it says it did."""
        return json.loads(self.goat("sync", "--json", *arguments, **more) or "null")

    def digest(self, repo=REPO, **more):
        return self.goat("digest", repo, **more)

    def verified(self):
        run = subprocess.run([GOAT, "verify", self.db, "--json"], capture_output=True, text=True, check=False)
        self.case.assertIn(run.returncode, (DONE, NO), run.stderr)
        report = json.loads(run.stdout)
        self.case.assertEqual((self.name, report["faults"]), (self.name, []))
        return report

    def read_by_others(self):
        """What tests/vectors/verify.py, which shares no code with the library, counted in a database nobody has open; it
        found nothing wrong."""
        reader = os.path.join(SOURCE, "tests", "vectors", "verify.py")
        run = subprocess.run([sys.executable, "-B", reader, self.db], capture_output=True, text=True, check=False)
        self.case.assertEqual(run.returncode, 0, self.name + "\n" + run.stdout + run.stderr)
        found = re.findall(r"(\d[\d,]*) (\w+)", run.stdout.splitlines()[-1])
        return {what: int(number.replace(",", "")) for number, what in found}

    def log(self, repo=REPO):
        """The path of a repository's log."""
        return os.path.join(self.db, "repos" + repo + ".log")

    def drop_checkpoints(self):
        for path in glob.glob(os.path.join(self.db, "repos", "*", "*.checkpoint")):
            os.remove(path)


class SyncCase(Case):
    """A test with servers and replicas in its folder."""
    maxDiff = None

    def replica(self, name):
        return Replica(self, name)

    def origin(self, name="server", cats=()):
        """A database of a new network that knows cats."""
        made = self.replica(name)
        made.goat("init")
        made.goat("schema", "add", self.write("cat.json", json.dumps(CAT)))
        if cats:
            made.add(cats)
        return made

    def background(self, process):
        self.addCleanup(process.close)
        return process

    def serve(self, replica, *more, **config):
        return self.background(Server(replica.db, *more, **config))

    def restart(self, server):
        return self.background(server.again())

    def stop(self, server):
        """An end in good order, without a word."""
        self.assertEqual(server.end(signal.SIGTERM), DONE, server.said())
        self.assertEqual(server.said(), "")

    def clone(self, url, name, *arguments, **more):
        """A new replica. The root key is pinned, which is said, unless it is given."""
        made = self.replica(name)
        self.case_clone(url, made, *arguments, **more)
        return made

    def case_clone(self, url, replica, *arguments, **more):
        more.setdefault("notes", "--root" not in arguments)
        return self.goat("clone", url, replica.db, *arguments, "--quiet", **more)

    def assert_even(self, *replicas, repo=REPO):
        """All of them print the same digest, and nothing is at fault in any."""
        digests = {each.name: each.digest(repo) for each in replicas}
        self.assertEqual(len(set(digests.values())), 1, digests)
        for each in replicas:
            each.verified()

    def sync_all(self, *replicas):
        """Twice around, so that everybody has what everybody had."""
        for _ in range(2):
            for each in replicas:
                each.sync()


def some_cats(count, first=0, age=1, **fields):
    return [dict({"name": f"cat-{number:06}", "age": age}, **fields) for number in range(first, first + count)]
