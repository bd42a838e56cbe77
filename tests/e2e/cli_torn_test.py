#!/usr/bin/env python3
"""A log that was cut or damaged opens, says so, and gives everything that is whole."""
import glob
import json
import os
import shutil
import subprocess

from cli_support import DONE, GOAT, NO, SANITIZED, TROUBLE, Case, run

STEP = 5 if SANITIZED else 1


class Torn(Case):
    def setUp(self):
        super().setUp()
        self.make()
        self.put("tom", age=1)
        self.put("ada", age=1)
        self.log = self.path("db", "repos", "data", "cats.log")
        self.whole_before = os.path.getsize(self.log)
        self.goat("set", self.db, "/data/cats/tom", "age=2")
        self.whole = os.path.getsize(self.log)
        shutil.copytree(self.db, self.path("good"))

    def restore(self):
        shutil.rmtree(self.db)
        shutil.copytree(self.path("good"), self.db)

    def test_a_log_cut_at_every_byte_of_its_last_record_opens_and_reports_it(self):
        for length in range(self.whole_before, self.whole, STEP):
            self.restore()
            os.truncate(self.log, length)
            with open(self.log, "rb") as file:
                cut = file.read()[self.whole_before:]
            age = json.loads(self.goat("get", self.db, "/data/cats/tom", "--json", notes=True))["age"]
            self.assertEqual(age, 1)
            self.assertEqual("note:" in self.error, length > self.whole_before, f"{length}: {self.error}")
            told = self.goat("verify", self.db, "/data/cats", code=NO if length > self.whole_before else DONE)
            self.assertEqual("torn" in told, length > self.whole_before, told)
            self.assertEqual(os.path.getsize(self.log), length) # looking changes nothing
            self.goat("set", self.db, "/data/cats/ada", "age=3", notes=True)
            if length > self.whole_before:
                self.assertIn(f"torn, {length - self.whole_before} bytes at byte {self.whole_before};", self.error)
                kept, = glob.glob(self.path("db", "repos", "data", "cats.torn-*"))
                with open(kept, "rb") as file:
                    self.assertEqual(file.read(), cut)
            self.assertEqual(self.query("--fields", "age"), [{"key": "ada", "age": 3}, {"key": "tom", "age": 1}])
            self.verified()

    def test_damage_in_the_middle_is_named_and_all_else_is_read(self):
        with open(self.log, "rb") as file:
            damaged = bytearray(file.read())
        damaged[self.whole_before - 40] ^= 1 # in the record of ada
        with open(self.log, "wb") as file:
            file.write(damaged)
        for checkpoint in glob.glob(self.path("db", "repos", "*", "*.checkpoint")):
            os.remove(checkpoint)
        self.assertEqual(json.loads(self.goat("get", self.db, "/data/cats/tom", "--json", notes=True))["age"], 2)
        self.assertIn("note: /data/cats: ", self.error)
        self.goat("get", self.db, "/data/cats/ada", code=NO, notes=True)
        told = self.goat("verify", self.db, code=NO, notes=True)
        self.assertRegex(told, r"(?m)^/data/cats: .*at byte \d+")
        self.assertRegex(told, r"\d faults?\n$")
        report = json.loads(self.goat("verify", self.db, "--json", code=NO, notes=True))
        self.assertEqual({fault["path"] for fault in report["faults"]}, {"/data/cats"})
        self.assertIn("record", [fault["kind"] for fault in report["faults"]])

    def test_a_bit_turned_anywhere_in_a_small_log_is_found(self):
        """One bit of every byte, or with GOAT_SOAK every bit: none of it goes unnoticed."""
        for checkpoint in glob.glob(self.path("db", "repos", "*", "*.checkpoint")):
            os.remove(checkpoint)
        with open(self.log, "rb") as file:
            good = file.read()
        unnoticed = []
        for place in range(0, len(good), STEP):
            for bit in range(8) if os.environ.get("GOAT_SOAK") else [place % 8]:
                with open(self.log, "r+b") as file:
                    file.seek(place)
                    file.write(bytes([good[place] ^ 1 << bit]))
                code = subprocess.run([GOAT, "verify", self.db], capture_output=True, check=False).returncode
                if code == DONE:
                    unnoticed.append((place, bit))
                else:
                    self.assertIn(code, (NO, TROUBLE), (place, bit))
                with open(self.log, "r+b") as file:
                    file.seek(place)
                    file.write(good[place:place + 1])
        self.assertEqual(unnoticed, [])

    def test_a_checkpoint_is_only_a_cache(self):
        self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--quiet",
                  self.write_lines("cats", [{"name": f"cat {i}", "notes": {"long": "x" * 500}} for i in range(300)]))
        self.verified()
        checkpoints = glob.glob(self.path("db", "repos", "data", "*.checkpoint"))
        self.assertEqual(len(checkpoints), 1)
        with open(checkpoints[0], "rb") as file:
            good = file.read()
        for content in (None, b"", good[:100], good[:-1], bytes([good[0] ^ 1]) + good[1:], good[:200] + b"\xff" * 8 + good[208:]):
            os.remove(checkpoints[0])
            if content is not None:
                with open(checkpoints[0], "wb") as file:
                    file.write(content)
            self.assertEqual(self.get("tom")["age"], 2)
            self.goat("set", self.db, "/data/cats/ada", "age=1")
            self.verified()


if __name__ == "__main__":
    run()
