#!/usr/bin/env python3
"""The whole package index of Debian goes in, comes out the same, and queries agree with Python."""
import gzip
import json
import os
import re
import sys
import time

from cli_support import DATA, Case, lines, run

PACKAGES = os.path.join(DATA, "debian-packages.ndjson.gz")
UPDATES = os.path.join(DATA, "debian-updates.ndjson.gz")
if not os.path.exists(PACKAGES):
    print(f"skipped: {DATA} has no debian-packages.ndjson.gz (GOAT_DATA)")
    sys.exit(77)

SCHEMA = os.path.join(os.environ["GOAT_SOURCE"], "packaging", "demo.d", "schema.json")


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def updated(documents, edits):
    """What the edits make of the documents."""
    state = {document["name"]: dict(document) for document in documents}
    for edit in edits:
        if "create" in edit:
            state[edit["name"]] = dict(edit["create"])
            continue
        state[edit["name"]].update(edit.get("set", {}))
        for field in edit.get("unset", []):
            state[edit["name"]].pop(field, None)
    return state


def plain(document):
    """With sets in one order."""
    return {field: sorted(value) if field == "tags" else value for field, value in document.items()}


FILTERS = [
    ({"section": "shells"}, lambda d: d.get("section") == "shells"),
    ({"size": {"$gt": 50_000_000}}, lambda d: d["size"] > 50_000_000),
    ({"installed_kib": {"$gte": 100, "$lt": 110}}, lambda d: 100 <= d["installed_kib"] < 110),
    ({"homepage": {"$exists": False}}, lambda d: "homepage" not in d),
    ({"tags": "role::program"}, lambda d: "role::program" in d.get("tags", [])),
    ({"tags": {"$in": ["game::strategy", "game::puzzle"]}},
     lambda d: {"game::strategy", "game::puzzle"} & set(d.get("tags", []))),
    ({"name": {"$startsWith": "python3-django"}}, lambda d: d["name"].startswith("python3-django")),
    ({"description": {"$contains": "goat"}}, lambda d: "goat" in d["description"]),
    ({"name": {"$regex": "^lib[a-z]+[0-9]$"}}, lambda d: re.search("^lib[a-z]+[0-9]$", d["name"])),
    ({"$or": [{"section": "games"}, {"priority": "required"}], "arch": "all"},
     lambda d: (d.get("section") == "games" or d.get("priority") == "required") and d["arch"] == "all"),
    ({"$and": [{"source": "glibc"}, {"$nor": [{"arch": "all"}, {"size": {"$lt": 100000}}]}]},
     lambda d: d.get("source") == "glibc" and not (d["arch"] == "all" or d["size"] < 100000)),
    ({"section": {"$nin": ["libs", "devel", "doc", "python", "perl", "libdevel", "utils", "net", "admin", "games", "science",
                           "text", "sound", "web", "x11", "misc", "graphics", "editors", "php", "ruby", "haskell"]},
      "size": {"$not": {"$lte": 1_000_000}}},
     lambda d: d.get("section") not in {"libs", "devel", "doc", "python", "perl", "libdevel", "utils", "net", "admin", "games",
                                        "science", "text", "sound", "web", "x11", "misc", "graphics", "editors", "php", "ruby",
                                        "haskell"} and not d["size"] <= 1_000_000),
    ({"depends": "libc6 (>= 2.36)", "version": {"$ne": "1"}}, lambda d: "libc6 (>= 2.36)" in d.get("depends", [])),
]


class Debian(Case):
    def imported(self, path):
        return json.loads(self.goat("import", self.db, "/debian/packages", path, "--schema", "package", "--key", "name",
                                    "--json"))

    def test_all_of_it(self):
        documents, edits = read(PACKAGES), read(UPDATES)
        path = self.write("packages", gzip.open(PACKAGES).read())
        self.goat("init", self.db)
        self.goat("schema", self.db, "add", SCHEMA)

        told = self.imported(path)
        self.assertEqual((told["created"], told["changed"], told["unchanged"]), (len(documents), 0, 0))
        print(f"import {told['documents_per_second']} documents/s")
        compact = sum(len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()) for document in documents)
        log = os.path.getsize(self.path("db", "repos", "debian", "packages.log"))
        print(f"log {log} bytes, {log / compact:.3f} of compact JSON")
        digest = self.goat("digest", self.db, "/debian/packages")
        self.assertEqual(int(digest.split()[0]), len(documents))

        told = self.imported(path)
        self.assertEqual((told["created"], told["changed"], told["unchanged"]), (0, 0, len(documents)))
        self.assertEqual(self.goat("digest", self.db, "/debian/packages"), digest)
        print(f"again {told['documents_per_second']} documents/s")

        updates = self.write("updates", gzip.open(UPDATES).read())
        told = json.loads(self.goat("apply", self.db, "/debian/packages", updates, "--schema", "package", "--json"))
        expected = updated(documents, edits)
        creates = sum("create" in edit for edit in edits)
        self.assertEqual((told["created"], told["changed"]), (creates, len(edits) - creates))
        rows = lines(self.goat("query", self.db, "/debian/packages"))
        self.assertEqual([row.pop("key") for row in rows], sorted(expected, key=str.encode))
        for row in rows:
            self.assertEqual(plain(row), plain(expected[row["name"]]))

        for where, accepts in FILTERS:
            want = [document["name"] for document in expected.values() if accepts(document)]
            began = time.monotonic()
            found = self.query("--where", json.dumps(where), "--fields", "", "--sort", "-size,name", repo="/debian/packages")
            self.assertEqual([row["key"] for row in found], sorted(want, key=lambda name: (-expected[name]["size"], name)), where)
            print(f"{json.dumps(where)[:70]}: {len(found)} rows, {time.monotonic() - began:.2f} s")

        changed = next(edit for edit in edits if "set" in edit)
        history = lines(self.goat("log", self.db, f"/debian/packages/{changed['name']}", "--json"))
        self.assertEqual([commit["kind"] for commit in history], ["edit", "create"])
        self.assertEqual(set(history[0]["fields"]), set(changed["set"]) | set(changed.get("unset", [])))
        report = self.verified()
        self.assertGreaterEqual(report["commits"], len(documents) + len(edits))


if __name__ == "__main__":
    run()
