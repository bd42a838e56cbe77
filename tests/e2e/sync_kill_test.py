#!/usr/bin/env python3
"""kill -9 of the server and of clients at random moments of cloning, live sync and reconnecting. They converge, nothing
acknowledged is lost, and nothing is at fault.

A ledger holds what was acknowledged: an edit from the moment `goat set` or `goat import` came back, for as long as its
replica lives; and from the moment a `goat sync` behind it came back, for ever, also when its replica is deleted.
A kill is a process that died of it, and a hit one that it found in the midst of a clone, a sync or a start. GOAT_SEED
repeats a run; GOAT_KILLS says how many kills (24; 200 with GOAT_SOAK), GOAT_SECONDS how long at most. The short form takes
what there is when the time is over; with GOAT_SOAK, or when GOAT_KILLS is given, that is a failure."""
import os
import shutil
import signal
import time

from cli_support import DONE, SANITIZED, run, seed
from sync_support import PATIENCE, REPO, Process, SyncCase, some_cats

SOAK = bool(os.environ.get("GOAT_SOAK"))
KILLS = int(os.environ.get("GOAT_KILLS") or (200 if SOAK else 24))
SECONDS = float(os.environ.get("GOAT_SECONDS") or (1800 if SOAK else 45 if SANITIZED else 25))
MUST = SOAK or "GOAT_KILLS" in os.environ
HIT_SHARE = 0.4  # of the kills; fewer would be a test of idle processes
CATS = 2000  # so that a clone takes long enough to be hit


class Member:
    """A replica that may be deleted, and what it has promised."""

    def __init__(self, replica):
        self.replica, self.exists = replica, False
        self.own = {}     # key → age, acknowledged by the replica
        self.watch = None # a `goat sync --watch`, if it is running

    def stop(self):
        if self.watch is not None:
            self.watch.close()
            self.watch = None


class Kill(SyncCase):
    def setUp(self):
        super().setUp()
        self.choose = seed()
        self.origin(cats=some_cats(CATS))
        self.server = self.serve(self.replica("server"))
        self.members = [Member(self.replica(f"replica-{number}")) for number in range(3)]
        self.safe = {}  # key → age, on the server's disk
        self.kills = self.hits = 0
        self.took = {"clone": 0.3, "sync": 0.2, "serve": 0.3}

    # ---- what is killed ----

    def count(self, killed, hit):
        self.kills += killed
        self.hits += killed and hit

    def killed(self, kind, *arguments):
        """Runs goat and kills it at a random moment. True: it was over before, and well."""
        process = Process(*arguments)
        time.sleep(self.choose.random() * self.took[kind])
        process.signal(signal.SIGKILL)
        code = process.end()
        said = process.said()
        process.close()
        self.assertIn(code, (DONE, -signal.SIGKILL), f"{arguments}: {said}")
        self.count(code != DONE, code != DONE)
        self.took[kind] = min(10, self.took[kind] * (1.1 if code != DONE else 0.8)) or 0.01
        return code == DONE

    def kill_server(self, client=None):
        """A hit if `client`, which talks to it, has not ended yet."""
        busy = client is not None and client.process.poll() is None
        self.assertEqual(self.server.end(signal.SIGKILL), -signal.SIGKILL, self.server.said())
        self.assertEqual(self.server.said(), "")
        self.count(True, busy)

    def start_server(self):
        self.server = self.restart(self.server)

    def kill_starting_server(self):
        """Once or twice the server does not even come up."""
        self.server.end(signal.SIGTERM)
        process = Process("serve", self.server.db, "--listen", f"127.0.0.1:{self.server.port}")
        time.sleep(self.choose.random() * self.took["serve"])
        process.signal(signal.SIGKILL)
        self.assertEqual(process.process.wait(PATIENCE), -signal.SIGKILL, process.said())
        self.count(True, process.line() is None)  # it had not said that it is ready
        process.close()
        self.start_server()

    # ---- what the ledger is about ----

    def edit(self, member):
        """A few edits, acknowledged when this returns."""
        number = self.choose.randrange(20)
        cats = some_cats(self.choose.choice([1, 3, 40]), age=self.choose.randrange(1 << 30), first=1000000 + number)
        cats = [dict(each, name=f"{member.replica.name}-{each['name']}") for each in cats]
        member.replica.add(cats, notes=True)
        member.own.update({each["name"]: each["age"] for each in cats})
        if self.choose.random() < 0.5:  # one that all of them edit
            member.replica.goat("set", f"{REPO}/cat-{number:06}", f"age={self.choose.randrange(1 << 30)}", notes=True)

    def made_safe(self, member):
        self.safe.update(member.own)

    def check(self, member):
        rows = member.replica.rows(notes=True)
        for key, age in member.own.items():
            self.assertEqual(rows.get(key, {}).get("age"), age, f"{key} at {member.replica.name}")

    def wipe(self, member):
        """The disk of a replica is gone, and with it what no server has acknowledged."""
        member.stop()
        shutil.rmtree(member.replica.db, ignore_errors=True)
        member.exists = False
        kept = {key: age for key, age in member.own.items() if self.safe.get(key) == age}
        for key in set(member.own) - set(kept):
            self.safe.pop(key, None)  # one value or the other: not known
        member.own = kept

    # ---- moments ----

    def moment_of_clone(self, member):
        if member.exists:
            if self.choose.random() < 0.6:
                return self.moment_of_sync(member)
            self.wipe(member)
        if self.choose.random() < 0.5:
            member.exists = self.killed("clone", "clone", self.server.url, member.replica.db, "--quiet")
            return None
        process = Process("clone", self.server.url, member.replica.db, "--quiet", "--timeout", str(PATIENCE))
        time.sleep(self.choose.random() * self.took["clone"])
        self.kill_server(process)
        self.start_server()
        self.assertEqual(process.end(), DONE, process.said())
        process.close()
        member.exists = True
        return None

    def moment_of_sync(self, member):
        if not member.exists:
            return self.moment_of_clone(member)
        member.stop()
        self.edit(member)
        if self.choose.random() < 0.5:
            if self.killed("sync", "sync", member.replica.db):
                self.made_safe(member)
            return None
        process = Process("sync", member.replica.db, "--timeout", str(PATIENCE))
        time.sleep(self.choose.random() * self.took["sync"])
        self.kill_server(process)
        if self.choose.random() < 0.5:
            self.edit_elsewhere(member)
        self.start_server()
        self.assertEqual(process.end(), DONE, process.said())
        process.close()
        self.made_safe(member)
        return None

    def edit_elsewhere(self, member):
        for other in self.members:
            if other is not member and other.exists and other.watch is None:
                self.edit(other)
                return

    def moment_of_live(self, member):
        """A replica watches while another's edits come; one of the three is killed."""
        if not member.exists:
            return self.moment_of_clone(member)
        if member.watch is None:
            member.watch = self.background(Process("sync", member.replica.db, "--watch"))
        others = [other for other in self.members if other is not member and other.exists]
        if not others:
            return None
        other = self.choose.choice(others)
        other.stop()
        self.edit(other)
        process = Process("sync", other.replica.db, "--timeout", str(PATIENCE))
        time.sleep(self.choose.random() * self.took["sync"])
        whom = self.choose.choice(["server", "watcher", "author"])
        if whom == "server":
            self.kill_server(process)
            self.start_server()
        elif whom == "watcher":
            self.assertIsNone(member.watch.process.poll(), member.watch.said())
            self.count(True, process.process.poll() is None)
            member.stop()
        else:
            process.signal(signal.SIGKILL)
        code = process.end()
        self.assertIn(code, (DONE, -signal.SIGKILL) if whom == "author" else (DONE,), process.said())
        if code == DONE:
            self.made_safe(other)
        else:
            self.count(True, True)
        process.close()
        return None

    def moment_of_reconnect(self, member):
        """The server is away while replicas edit, and is killed again as they come back."""
        if self.choose.random() < 0.3:
            self.kill_starting_server()
            return None
        if not member.exists:
            return self.moment_of_clone(member)
        member.stop()
        self.kill_server()
        self.edit(member)
        process = Process("sync", member.replica.db, "--timeout", str(PATIENCE))
        self.start_server()
        time.sleep(self.choose.random() * self.took["sync"])
        self.kill_server(process)
        self.start_server()
        self.assertEqual(process.end(), DONE, process.said())
        process.close()
        self.made_safe(member)
        return None

    # ---- the end of it ----

    def converge(self):
        for member in self.members:
            member.stop()
            if not member.exists:
                self.goat("clone", self.server.url, member.replica.db, "--quiet", notes=True)
                member.exists = True
            self.check(member)
        for _ in range(2):
            for member in self.members:
                member.replica.sync(notes=True)
                self.made_safe(member)
        self.assertEqual(self.server.end(signal.SIGTERM), DONE)
        self.assertEqual(self.server.said(), "")
        self.assert_even(self.replica("server"), *(member.replica for member in self.members))
        rows = self.replica("server").rows()
        for key, age in self.safe.items():
            self.assertEqual(rows.get(key, {}).get("age"), age, key)
        self.start_server()

    def test_nothing_acknowledged_is_lost_and_all_converge(self):
        began = time.monotonic()
        moments = [self.moment_of_clone, self.moment_of_sync, self.moment_of_live, self.moment_of_reconnect]
        turn = 0
        while self.kills < KILLS and time.monotonic() - began < SECONDS:
            self.choose.choice(moments)(self.choose.choice(self.members))
            turn += 1
            if turn % 25 == 0:
                self.converge()
            elif turn % 8 == 0:
                self.wipe(self.choose.choice(self.members))
        in_time = time.monotonic() - began
        self.converge()
        print(f"{self.kills} kills, {self.hits} of them in the midst of something, {len(self.safe)} items in the ledger, "
              f"{in_time:.0f} s", flush=True)
        self.assertGreaterEqual(self.kills, KILLS if MUST else min(KILLS, 10), f"in {in_time:.0f} s")
        if MUST:
            self.assertGreaterEqual(self.hits, HIT_SHARE * self.kills)
        self.assertGreater(len(self.safe), 0)


if __name__ == "__main__":
    run()
