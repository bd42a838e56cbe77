#!/usr/bin/env python3
"""kill -9 at random moments of import and apply: every acknowledged line is there, nothing is at fault, and
the next run goes on. GOAT_KILLS says how many moments (200), GOAT_SECONDS how long at most (60)."""
import json
import os
import subprocess
import time

from cli_support import GOAT, Case, lines, run, seed

KILLS = int(os.environ.get("GOAT_KILLS", "200"))
SECONDS = float(os.environ.get("GOAT_SECONDS", "60"))
CATS = 50


class Kill(Case):
    def start(self, command, path, batch):
        extra = ["--schema", "cat"] + (["--key", "name"] if command == "import" else [])
        return subprocess.Popen([GOAT, command, self.db, "/data/cats", path, *extra, "--batch", str(batch), "--flush", "batch",
                                 "--ack", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def killed(self, process, seconds):
        """Kills after so long and gives the number of lines that were acknowledged."""
        time.sleep(seconds)
        process.kill()
        printed, said = process.communicate()
        self.assertIn(process.returncode, (0, -9), said)
        whole = printed[:printed.rfind(b"\n") + 1].split()
        return int(whole[-1]) if whole else 0

    def check(self, documents, acknowledged):
        """All of documents[:acknowledged] are stored; others are whole, of this round or the one before."""
        stored = {row["key"]: row for row in lines(self.goat("query", self.db, "/data/cats", notes=True))} if acknowledged or \
            os.path.exists(self.path("db", "repos", "data", "cats.log")) else {}
        for document in documents[:acknowledged]:
            self.assertEqual(stored[document["name"]]["age"], document["age"], document["name"])
        for row in stored.values():
            self.assertEqual(set(row), {"key", "name", "age", "names", "tame"})
            self.assertEqual(row["names"], [row["name"], row["age"]])
        return len(stored)

    def sound(self, torn):
        """Nothing is at fault but the end that the kill has torn, which the next run that writes cuts off."""
        report = json.loads(self.goat("verify", self.db, "--json", code=1 if torn else 0))
        self.assertEqual([fault["message"].split(",")[0] for fault in report["faults"]],
                         ["the end of the log is torn"] if torn else [])

    def test_kill_9_loses_nothing_that_was_acknowledged(self):
        choose = seed()
        self.make()
        began = time.monotonic()
        kills = acknowledged_in_all = torn = early = 0
        took = 0.3  # how long a whole round takes; measured as rounds end by themselves
        age = 0
        while kills < KILLS and time.monotonic() - began < SECONDS:
            age += 1
            documents = [{"name": f"cat {i}", "age": age, "names": [f"cat {i}", age]} for i in range(CATS)]
            command = choose.choice(["import", "apply"])
            given = documents if command == "import" else [{"name": each["name"], "create": each} for each in documents]
            if command == "apply" and not os.path.exists(self.path("db", "repos", "data", "cats.log")):
                command, given = "import", documents
            path = self.write_lines("lines", given)
            round_began = time.monotonic()
            acknowledged = self.killed(self.start(command, path, choose.choice([1, 3, 20])), choose.random() * took)
            if acknowledged == CATS:
                took = max(0.01, 0.9 * took)
                early += 1
            else:
                took = min(5, took * 1.02)
            kills += 1
            acknowledged_in_all += acknowledged
            self.check(documents, acknowledged)
            torn_now = "torn" in self.error
            torn += torn_now
            if choose.random() < 0.25:
                self.goat("import", self.db, "/data/cats", path, "--schema", "cat", "--key", "name", "--quiet", notes=True) \
                    if command == "import" else \
                    self.goat("apply", self.db, "/data/cats", path, "--schema", "cat", "--quiet", notes=True)
                self.assertEqual(self.check(documents, CATS), CATS)
                self.verified()
            else:
                self.sound(torn_now)
        print(f"{kills} kills, {early} of them too late, {acknowledged_in_all} lines acknowledged, {torn} torn tails, "
              f"{time.monotonic() - began:.0f} s, last round {time.monotonic() - round_began:.2f} s", flush=True)
        self.assertGreaterEqual(kills, min(KILLS, 20))
        self.assertGreater(acknowledged_in_all, 0)
        path = self.write_lines("lines", documents)
        self.goat("import", self.db, "/data/cats", path, "--schema", "cat", "--key", "name", "--quiet", notes=True)
        self.assertGreater(self.verified()["commits"], 0)


if __name__ == "__main__":
    run()
