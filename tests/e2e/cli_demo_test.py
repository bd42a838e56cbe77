#!/usr/bin/env python3
"""What packaging/demo shows runs to its end on a small part of the data, without a terminal."""
import glob
import gzip
import json
import os
import shutil
import subprocess

from cli_support import GOAT, SOURCE, Case, run

SHOW = os.path.join(SOURCE, "packaging", "demo.d", "show")
WEB = ["surfer", "walker", "runner", "sleeper", "eater", "drinker"]


def package(name, section, **more):
    return dict({"name": name, "version": "1", "section": section, "size": 60000000, "installed_kib": 5, "arch": "all",
                 "tags": ["role::program"]}, **more)


class Demo(Case):
    def show(self, *arguments):
        documents = [package(f"sh{i}", "shells", size=i) for i in range(20)]
        documents += [package(name, "web", installed_kib=100 * i) for i, name in enumerate(WEB)]
        edits = [{"name": "sh1", "set": {"version": "2"}, "unset": ["arch"]}, {"create": package("new", "net"), "name": "new"},
                 {"name": "eater", "set": {"installed_kib": 550}}, {"name": "surfer", "set": {"installed_kib": 1000}}]
        for name, content in (("packages", documents), ("updates", edits)):
            with gzip.open(self.path(f"debian-{name}.ndjson.gz"), "wt", encoding="utf-8") as file:
                file.write("".join(json.dumps(each) + "\n" for each in content))
        done = subprocess.run(["bash", SHOW, GOAT, *arguments], capture_output=True, text=True, check=False,
                              env=dict(os.environ, GOAT_DATA=self.folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_it_shows_everything_and_leaves_nothing(self):
        before = glob.glob(os.path.join(SOURCE, "build", "demo*"))
        told = self.show()
        for part in ("26 packages and 4 updates", "26 created", "26 unchanged", "1 created, 0 changed", "no faults",
                     "  moved 1 to 0 eater  ", "  inserted 0   surfer  ", "edit      installed_kib", "28 commits came",
                     "2 commits came, 2 went", "at Bob:", "\nA small and quick shell. Scripts love it.\n", "kept: inserted 17\n",
                     '"A small and quick shell. Scripts love it." -> "A small shell. Scripts love it."', '"stars": 3', "/healthz", "In numbers"):
            self.assertIn(part, told)
        self.assertNotIn("\x1b", told)
        self.assertEqual(glob.glob(os.path.join(SOURCE, "build", "demo*")), before)

    def test_the_package_lists_of_apt_become_documents(self):
        if shutil.which("awk") is None:
            self.skipTest("there is no awk here")
        text = ("Package: a\nVersion: 1:2-3\nInstalled-Size: 12\nSource: src (1.0)\nDepends: b (>= 1), c | d\nTag: x::y,\n"
                " x::z\nDescription: it says \"\\\" \n more of it\nUnknown: x\nSize: 5\n\n"
                "Package: a\nVersion: 2\n\nPackage: b\nVersion: 1\nDepends:\nSize: many\n")
        done = subprocess.run(["awk", "-f", os.path.join(SOURCE, "packaging", "demo.d", "documents.awk")], input=text,
                              capture_output=True, text=True, check=True)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], [
            {"name": "a", "version": "1:2-3", "installed_kib": 12, "source": "src", "depends": ["b (>= 1)", "c | d"],
             "tags": ["x::y", "x::z"], "description": 'it says "\\"', "size": 5}, {"name": "b", "version": "1"}])


if __name__ == "__main__":
    run()
