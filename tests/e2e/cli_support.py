"""What the cli_*_test.py share: a temporary folder, and the goat command with every run checked.

Standard library only. A run that fails must say so in exactly one line on standard error; one that does
not fail says nothing there. So a sanitizer's report fails a test as well.
"""
import fcntl
import json
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

GOAT = os.environ["GOAT_PROGRAM"]
SOURCE = os.environ["GOAT_SOURCE"]
DATA = os.environ.get("GOAT_DATA") or os.path.join(SOURCE, "..", "shared", "data")
with open(os.path.join(os.environ["GOAT_BUILD"], "CMakeCache.txt"), encoding="utf-8") as cache:
    SANITIZED = re.search(r"^GOAT_SANITIZE:\w+=.", cache.read(), re.M) is not None # everything takes longer
DONE, NO, USAGE, TROUBLE = 0, 1, 2, 3

CAT = {
    "ns": "cat", "version": 1,
    "fields": {
        "name": {"type": "string", "required": True, "max_length": 2000000},
        "colour": {"type": "string", "enum": ["grey", "red", "black"]},
        "age": {"type": "number", "min": 0},
        "toys": {"type": "set"},
        "meals": {"type": "counter"},
        "born": {"type": "date"},
        "picture": {"type": "bytes"},
        "mother": {"type": "ref"},
        "tame": {"type": "boolean", "default": True},
        "notes": {"type": "map"},
        "names": {"type": "list"},
    },
}


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def seed():
    """A seed for random tests, printed; GOAT_SEED repeats a run."""
    number = int(os.environ.get("GOAT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {number}", flush=True)
    return random.Random(number)


class Case(unittest.TestCase):
    """A test with a temporary folder and a database in it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="goat-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.db = self.path("db")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def write_lines(self, name, documents):
        return self.write(name, "".join(json.dumps(document) + "\n" for document in documents))

    def goat(self, *arguments, code=DONE, stdin="", notes=False, **more):
        """Runs goat and gives what it printed. `stdin` is text or bytes; `notes`: lines on standard error
        are expected besides."""
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        run = subprocess.run([GOAT, *arguments], input=data, capture_output=True, timeout=300, **more)
        error = run.stderr.decode(errors="replace")
        self.error = error
        where = f"{' '.join(str(argument)[:200] for argument in arguments)}\n{error[-3000:]}"
        self.assertEqual(run.returncode, code, f"{where}\n{run.stdout[-3000:].decode(errors='replace')}")
        if not notes:
            self.assertEqual(error.count("\n"), 0 if code == DONE or run.stdout and "verify" in arguments else 1, where)
        if code != DONE and error:
            self.assertTrue(error.startswith("goat"), where)
        return run.stdout.decode()

    def on_terminal(self, *arguments, columns=80):
        """What goat, which must end well, prints where standard output is a terminal."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        run = subprocess.Popen([GOAT, *arguments], stdin=subprocess.DEVNULL, stdout=theirs)
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError: # Linux says so when the other side is closed
            pass
        os.close(ours)
        self.assertEqual(run.wait(60), DONE, said)
        return said.decode().replace("\r\n", "\n")

    def refused(self, *arguments, code=NO, says=(), **more):
        """Runs goat, which must fail with `code` and one line that holds every word of `says`."""
        self.goat(*arguments, code=code, **more)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, self.error)
        return self.error

    def make(self):
        """A database that knows cats."""
        self.goat("init", self.db)
        self.goat("schema", self.db, "add", self.write("cat.json", json.dumps(CAT)))

    def put(self, key, **fields):
        fields.setdefault("name", key)
        self.goat("put", self.db, f"/data/cats/{key}", "--schema", "cat", json.dumps(fields))

    def get(self, key, repo="/data/cats"):
        return json.loads(self.goat("get", self.db, f"{repo}/{key}", "--json"))

    def query(self, *arguments, repo="/data/cats"):
        return lines(self.goat("query", self.db, repo, *arguments))

    def verified(self):
        """Nothing is wrong with the database."""
        report = json.loads(self.goat("verify", self.db, "--json"))
        self.assertEqual(report["faults"], [])
        return report


def run():
    """The whole of a test file."""
    began = time.monotonic()
    program = unittest.main(exit=False, verbosity=2, module="__main__")
    print(f"{time.monotonic() - began:.1f} s", flush=True)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun and len(result.skipped) == result.testsRun else 0)
