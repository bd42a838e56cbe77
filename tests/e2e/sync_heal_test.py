#!/usr/bin/env python3
"""What one disk has lost comes back from the others: damaged logs, deleted folders, restored backups, unflushed ends."""
import glob
import os
import shutil
import signal

from cli_support import DONE, NO, run
from sync_support import REPO, Process, SyncCase, some_cats


class Heal(SyncCase):
    def setUp(self):
        super().setUp()
        self.origin(cats=some_cats(400, colour="grey"))
        self.server = self.serve(self.replica("server"))
        self.a, self.b = self.clone(self.server.url, "a"), self.clone(self.server.url, "b")

    def flip(self, replica, part=0.5):
        """Turns a bit in the middle of a repository's log."""
        place = int(os.path.getsize(replica.log()) * part)
        with open(replica.log(), "r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 16]))
        replica.drop_checkpoints()

    def assert_faulty(self, replica):
        told = replica.goat("verify", code=NO, notes=True)
        self.assertRegex(told, rf"(?m)^{REPO}: .*at byte \d+")

    def end(self, *replicas):
        """All are even and sound, and the server is too."""
        self.sync_all(*replicas)
        self.stop(self.server)
        self.assert_even(self.replica("server"), *replicas)

    # ---- damage ----

    def test_a_flipped_bit_in_a_replica_is_healed_by_the_server(self):
        self.flip(self.a)
        self.assert_faulty(self.a)
        self.a.goat("sync", notes=True)
        self.a.verified()
        self.end(self.a, self.b)

    def test_a_flipped_bit_on_the_server_is_healed_by_a_client(self):
        self.stop(self.server)
        self.flip(self.replica("server"))
        self.assert_faulty(self.replica("server"))
        self.server = self.background(self.server.again())
        self.a.sync()
        self.assertEqual(self.server.end(signal.SIGTERM), DONE)
        self.replica("server").verified()
        self.server = self.restart(self.server)
        self.end(self.a, self.b)

    def test_bits_flipped_on_both_sides_heal_each_other(self):
        self.stop(self.server)
        self.flip(self.replica("server"), 0.3)
        self.flip(self.a, 0.7)
        self.server = self.background(self.server.again())
        self.a.goat("sync", notes=True)
        self.a.verified()
        self.assertEqual(self.server.end(signal.SIGTERM), DONE)
        self.replica("server").verified()
        self.server = self.restart(self.server)
        self.end(self.a, self.b)
        self.a.read_by_others()
        self.replica("server").read_by_others()

    def test_edits_of_the_damaged_replica_itself_survive(self):
        self.a.add(some_cats(50, first=5000))
        self.a.sync()
        self.b.sync()
        self.flip(self.a, 0.97)
        self.a.put("late", notes=True)
        self.a.goat("sync", notes=True)
        self.end(self.a, self.b)
        self.assertEqual(self.b.get("late")["name"], "late")
        self.assertEqual(len(self.b.rows()), 451)

    # ---- the server's folder ----

    def lose_server(self):
        """Its folder is deleted, but for the root's key."""
        server = self.replica("server")
        for name in os.listdir(server.db):
            path = os.path.join(server.db, name)
            if name != "root.key":
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

    def test_a_server_that_lost_all_but_its_key_is_filled_by_its_clients(self):
        self.a.set("cat-000001", "age=2")
        self.a.sync()
        self.b.sync()
        self.a.set("cat-000002", "age=3")  # nobody but a has this
        before = self.b.digest()
        self.stop(self.server)
        self.lose_server()
        root = self.server.root
        self.server = self.restart(self.server)
        self.assertEqual(self.server.root, root)
        self.b.sync()
        self.assertEqual(self.b.digest(), before)
        self.end(self.a, self.b)
        self.assertEqual(self.b.get("cat-000002")["age"], 3)

    def test_a_lost_server_goes_on_serving_newcomers(self):
        self.stop(self.server)
        self.lose_server()
        self.server = self.restart(self.server)
        self.a.sync()
        c = self.clone(self.server.url, "c")
        c.put("lea")
        self.end(self.a, c, self.b)
        self.assertEqual(self.b.get("lea")["name"], "lea")

    def test_an_older_copy_of_the_server_makes_nobody_skip_an_entry(self):
        self.stop(self.server)
        shutil.copytree(self.replica("server").db, self.path("backup"))
        self.server = self.restart(self.server)
        self.a.add(some_cats(100, first=1000))
        self.a.sync()
        self.b.sync()
        self.b.add(some_cats(100, first=2000))
        self.b.sync()
        self.server.end(signal.SIGKILL)
        shutil.rmtree(self.replica("server").db)
        shutil.copytree(self.path("backup"), self.replica("server").db)
        self.server = self.restart(self.server)
        c = self.clone(self.server.url, "c")
        c.add(some_cats(100, first=3000))  # the log grows past what it was, with other things in it
        c.sync()
        self.end(self.a, self.b, c)
        self.assertEqual(len(c.rows()), 700)

    def test_a_server_that_dies_between_push_and_flush_makes_nobody_skip_an_entry(self):
        """What a crash of the machine takes is what had not been flushed: the end of the log, cut where it was before."""
        server = self.replica("server")
        for number in range(5):
            lengths = {path: os.path.getsize(path) for path in glob.glob(os.path.join(server.db, "repos", "*", "*.log"))}
            watch = self.background(Process("sync", self.b.db, "--watch"))
            self.assertIn("even", watch.line())
            self.a.set("cat-000001", f"age={number + 100}")
            author = self.background(Process("sync", self.a.db))
            self.assertIn("cat-000001", watch.line())
            self.server.end(signal.SIGKILL)
            author.end(signal.SIGKILL)
            self.assertEqual(watch.end(signal.SIGTERM), DONE)
            for path, length in lengths.items():
                os.truncate(path, length)
            for path in glob.glob(os.path.join(server.db, "repos", "*", "*.checkpoint")):
                os.remove(path)
            self.server = self.restart(self.server)
            if number % 2:
                self.replica("c") if os.path.exists(self.path("c")) else self.clone(self.server.url, "c")
            self.sync_all(self.b, self.a)
            self.assertEqual(self.a.digest(), self.b.digest())
            self.assertEqual(self.b.get("cat-000001")["age"], number + 100)
        self.end(self.a, self.b)

    def test_an_older_copy_of_a_replica_catches_up(self):
        shutil.copytree(self.a.db, self.path("backup"))
        self.a.add(some_cats(100, first=1000))
        self.a.sync()
        shutil.rmtree(self.a.db)
        shutil.copytree(self.path("backup"), self.a.db)
        self.a.sync()
        self.assertEqual(len(self.a.rows()), 500)
        self.a.put("late")
        self.end(self.a, self.b)
        self.assertEqual(self.b.get("late")["name"], "late")


if __name__ == "__main__":
    run()
