#!/usr/bin/env python3
"""goat revert: what it undoes, what it leaves, what it says, and what it refuses."""
import json
import os
import shutil
import subprocess
import unittest

from cli_support import CAT, NO, SANITIZED, TROUBLE, USAGE, Case, lines, run

BATCH = 65536
COMPILER = shutil.which("cc")
DRY = b"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
static int calls, draws; /* of the second revert, no dry run, the second transaction finds none: each commit takes 16 bytes */
ssize_t getrandom(void *bytes, size_t len, unsigned flags) {
    errno = EIO;
    return calls == 2 && draws++ >= 65536 / 64 ? -1 : syscall(SYS_getrandom, bytes, len, flags);
}
typedef int revert_fn(void *, const char *, size_t, void *, void *, void *);
int goat_repo_revert(void *repo, const char *spec, size_t len, void *result, void *job, void *error) {
    calls++;
    int status = ((revert_fn *)dlsym(RTLD_NEXT, "goat_repo_revert"))(repo, spec, len, result, job, error);
    calls += calls == 2;
    return status;
}
"""


class Revert(Case):
    def setUp(self):
        super().setUp()
        self.make()
        self.put("tom", colour="grey", age=7)

    def tom(self):
        return json.loads(self.goat("get", "--json", self.db, "/data/cats/tom"))

    def log(self, path="/data/cats/tom"):
        return lines(self.goat("log", "--json", self.db, path))

    def set(self, *edits):
        self.goat("set", self.db, "/data/cats/tom", *edits)
        return self.log()[0]["id"]

    def test_a_commit_is_undone_and_later_edits_stay(self):
        first = self.set("colour=red")
        self.set("age=8")
        said = self.goat("revert", self.db, first[:12])
        self.assertRegex(said, r'^/data/cats/tom  [0-9a-f]{12}\n  colour: "red" -> "grey"\n$')
        self.assertEqual((self.tom()["colour"], self.tom()["age"]), ("grey", 8))
        self.assertEqual((self.log()[0]["kind"], self.log()[0]["reverts"]), ("revert", [first]))
        self.assertNotIn("reverts", self.log()[1])

    def test_a_revert_is_reverted(self):
        before = self.tom()
        change = self.set("colour=red", "age=9")
        after = self.tom()
        for _ in range(3):
            change = lines(self.goat("revert", "--json", self.db, change))[0]["commit"]
            self.assertEqual(self.tom(), before)
            change = lines(self.goat("revert", "--json", self.db, change))[0]["commit"]
            self.assertEqual(self.tom(), after)
        self.goat("verify", self.db)

    def test_a_dry_run_changes_nothing(self):
        change = self.set("colour=red")
        commits = self.log()
        said = lines(self.goat("revert", "--dry-run", "--json", self.db, change))
        self.assertEqual(said, [{"path": "/data/cats/tom", "reverts": [change],
                                 "fields": {"colour": {"before": "red", "after": "grey"}}}])
        self.assertEqual(self.goat("revert", "--dry-run", self.db, change),
                         '/data/cats/tom\n  colour: "red" -> "grey"\n')
        self.assertEqual(self.log(), commits)

    def test_a_session_is_undone_in_all_repositories(self):
        self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex"}')
        session = self.log()[0]["session"]
        said = self.goat("revert", self.db, "--session", session[:8])
        self.assertEqual(sorted(line.split()[0] for line in said.splitlines() if line[0] == "/"),
                         ["/data/cats/tom", "/data/dogs/rex"])
        self.assertIn("  deleted\n", said)
        self.assertEqual(self.goat("ls", self.db, "/data/cats") + self.goat("ls", self.db, "/data/dogs"), "")
        self.goat("revert", self.db, *(self.log(path)[0]["id"] for path in ("/data/cats/tom", "/data/dogs/rex")))
        self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/tom\n")
        self.assertEqual(self.goat("ls", self.db, "/data/dogs"), "/data/dogs/rex\n")

    def test_one_repository_and_one_item_alone(self):
        self.put("kit")
        self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex"}')
        session = self.log()[0]["session"]
        said = lines(self.goat("revert", self.db, "--json", "--session", session, "--in", "/data/dogs"))
        self.assertEqual([item["path"] for item in said], ["/data/dogs/rex"])
        said = lines(self.goat("revert", self.db, "--json", "--session", session, "--in", "/data/cats/kit"))
        self.assertEqual([item["path"] for item in said], ["/data/cats/kit"])
        self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/tom\n")

    def test_a_range_of_time(self):
        self.set("colour=red")
        last = self.set("colour=black")
        time = self.log()[0]["time"]
        said = lines(self.goat("revert", self.db, "--json", "--since", time, "--until", time, "--message", "too late"))
        self.assertIn(last, said[0]["reverts"])
        self.assertNotEqual(self.tom()["colour"], "black")
        self.assertEqual(self.log()[0]["message"], "too late")
        self.refused("revert", self.db, "--since", "2999-01-01T00:00:00Z", code=NO, says="there is nothing to revert")

    def test_own_edits_of_an_item_are_undone_and_done_again_one_by_one(self):
        values = ["grey", "red", "black"]
        self.set("colour=red")
        self.put("kit", colour="grey")
        self.set("colour=black")
        self.goat("set", self.db, "/data/cats/kit", "colour=red")
        tom = ("--in", "/data/cats/tom")
        for expected in values[1], values[0]:
            self.goat("revert", self.db, "--undo", *tom)
            self.assertEqual(self.tom()["colour"], expected)
        for expected in values[1:]:
            said = lines(self.goat("revert", self.db, "--redo", "--json", *tom))
            self.assertEqual([item["path"] for item in said], ["/data/cats/tom"])
            self.assertEqual(self.tom()["colour"], expected)
        self.refused("revert", self.db, "--redo", *tom, code=NO, says="redo")
        self.goat("revert", self.db, "--undo", *tom)
        self.set("age=8")
        self.refused("revert", self.db, "--redo", *tom, code=NO, says="redo")
        self.assertEqual(json.loads(self.goat("get", "--json", self.db, "/data/cats/kit"))["colour"], "red")

    def test_undo_goes_past_reverts_which_are_taken_back_by_redo_or_by_id(self):
        self.set("age=8")
        change = self.set("colour=red")
        self.goat("revert", self.db, change)
        self.assertEqual((self.tom()["colour"], self.tom()["age"]), ("grey", 8))
        self.goat("revert", self.db, "--undo")
        self.assertEqual((self.tom()["colour"], self.tom()["age"]), ("grey", 7))
        self.goat("revert", self.db, "--redo")
        self.goat("revert", self.db, "--redo")
        self.assertEqual((self.tom()["colour"], self.tom()["age"]), ("red", 8))
        said = lines(self.goat("revert", self.db, "--json", change))
        self.goat("revert", self.db, said[0]["commit"])
        self.assertEqual((self.tom()["colour"], self.tom()["age"]), ("red", 8))
        page = " ".join(self.goat("revert", "--help").split())
        self.assertIn("no revert", page)

    def test_a_transaction_is_done_again_as_a_whole(self):
        self.put("kit", colour="grey")
        ids = [self.set("colour=red")]
        self.goat("set", self.db, "/data/cats/kit", "colour=red")
        ids.append(self.log("/data/cats/kit")[0]["id"])
        self.goat("revert", self.db, *ids)
        said = lines(self.goat("revert", self.db, "--redo", "--dry-run", "--json"))
        self.assertEqual(sorted(item["path"] for item in said), ["/data/cats/kit", "/data/cats/tom"])
        self.goat("revert", self.db, "--redo")
        self.assertEqual(self.tom()["colour"], "red")
        self.goat("revert", self.db, "--undo")
        self.assertEqual(json.loads(self.goat("get", "--json", self.db, "/data/cats/kit"))["colour"], "grey")
        self.assertEqual(self.tom()["colour"], "red")
        self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex"}')
        self.refused("revert", self.db, "--undo", code=USAGE, says="--in says in which one")
        self.goat("revert", self.db, "--undo", "--in", "/data/dogs")
        self.assertEqual(self.goat("ls", self.db, "/data/dogs"), "")

    def test_values_are_printed_so_that_set_takes_them(self):
        self.set("age=0.2", 'picture="AP8="', "born=2026-01-31T12:00:00Z", 'toys=["ball"]', 'notes={"a": 0.1}')
        before = self.tom()
        change = self.set("age=1e21", 'picture=""', "born=2026-02-01T00:00:00.5Z", "toys=[]", "notes={}")
        said = self.goat("revert", "--dry-run", self.db, change)
        self.assertIn("  age: 1e21 -> 0.2\n", said.replace("1e+21", "1e21"))
        self.assertIn('  picture: "" -> "AP8="\n', said)
        fields = lines(self.goat("revert", "--dry-run", "--json", self.db, change))[0]["fields"]
        self.goat("set", self.db, "/data/cats/tom",
                  *(f"{name}={json.dumps(sides['after'])}" for name, sides in fields.items()))
        self.assertEqual(self.tom(), before)

    def test_a_terminal_is_shown_where_long_values_differ(self):
        self.set("name=" + 200 * "a" + " goat " + 200 * "b")
        change = self.set("name=" + 200 * "a" + " gnat " + 200 * "b")
        said = self.on_terminal("revert", "--dry-run", self.db, change)
        self.assertRegex(said, r"\n  name: \.\.\.a+ gnat b+\.\.\. -> \.\.\.a+ goat b+\.\.\.\n$")
        self.assertLessEqual(max(map(len, said.splitlines())), 80)

    def test_system_repositories_are_not_reverted(self):
        self.refused("revert", self.db, "--since", "2020-01-01T00:00:00Z", "--in", "/sys/schemas", code=NO,
                     says=("/sys/schemas", "is not reverted"))

    def test_damage_is_noted_once(self):
        change = self.set("colour=red")
        with open(self.path("db", "repos", "data", "cats.log"), "ab") as file:
            file.write(b"torn")
        self.goat("revert", self.db, change, notes=True)
        self.assertEqual(self.error.count("torn"), 1, self.error)

    def test_what_cannot_be_reverted(self):
        created = self.log()[0]["id"]
        change = self.set("colour=red")
        self.refused("revert", self.db, "0123456789abcdef", code=NO, says="no such commit")
        self.refused("revert", self.db, change, "0123456789abcdef", code=NO, says="no such commit")
        self.refused("revert", self.db, "--session", "0123456789abcdef", code=NO, says="there is nothing to revert")
        self.refused("revert", self.db, created, code=NO, says="required")
        self.assertEqual(self.tom()["name"], "tom")
        undone = self.log()[0]["id"]
        self.goat("revert", self.db, undone)
        self.refused("revert", self.db, undone, code=NO, says="there is nothing to revert")

    def ids(self, repo):
        said = self.goat("revert", self.db, "--dry-run", "--json", "--since", "2020-01-01T00:00:00Z", "--in", repo)
        return [item["reverts"][0] for item in lines(said)]

    @unittest.skipIf(SANITIZED, "it takes 2^17 commits until ids begin alike")
    def test_a_beginning_that_several_commits_have(self):
        repos = "/data/cats", "/data/dogs"
        alike = {}
        for batch in range(40):
            for repo in repos:
                self.goat("import", self.db, repo, "--schema", "cat", "--key", "name", "--quiet", "--batch", "5000",
                          stdin="".join(f'{{"name": "{batch}-{i}"}}\n' for i in range(50000)))
            first = {}
            for repo in repos:
                for commit in self.ids(repo):
                    other = first.setdefault(commit[:8], (repo, commit))
                    if other[1] != commit:
                        alike[other[0] == repo] = other, (repo, commit)
            if len(alike) == 2:
                break
        for (one_repo, one), (_, other) in alike.values():
            self.refused("revert", self.db, one[:8], code=NO, says="several commits have ids that begin so")
            self.refused("revert", self.db, "--dry-run", self.log()[0]["id"], other[:8].upper(), code=NO,
                         says="several commits have ids that begin so")
            longer = next(i for i in range(8, 64) if one[i] != other[i]) + 1
            said = lines(self.goat("revert", self.db, "--json", one[:longer]))
            self.assertEqual([item["reverts"] for item in said], [[one]])
        (repo, one), _ = alike[False]
        self.refused("revert", self.db, "--in", repo, one[:8], code=NO, says="there is nothing to revert") # any more

    def test_wrong_usage(self):
        for arguments in ([], ["abc"], ["01234567", "--session", "01234567"], ["xyzxyzxyz"], ["--until", "2026-01-01"],
                          ["--session", "abc"], ["0" * 65], ["--undo", "--redo"], ["--undo", "--since", "2026-01-01"],
                          ["--redo", "01234567"]):
            self.refused("revert", self.db, *arguments, code=USAGE, says="(see goat")
        self.refused("revert", self.db, "--since", "2026-01-31T12:00:00Z", "--message", "", code=USAGE,
                     says="--message is empty")
        self.refused("revert", self.db, "--until", "2026-01-31T12:00:00+00:00", "--since", "2026-01-31T12:00:00.001Z",
                     code=USAGE, says="--since is later than --until")

    def test_a_time_is_nothing_but_rfc_3339(self):
        before = self.tom(), self.log()
        for time in "2020", "2026", "0", "1764430000", "115635265536000000", "2020-01-01", "yesterday", "", '"', "1e3":
            self.refused("revert", self.db, "--since", time, code=USAGE, says=("--since must be a time", "RFC 3339"))
            self.refused("revert", self.db, "--since", "2020-01-01T00:00:00Z", "--until", time, code=USAGE,
                         says=("--until must be a time", "RFC 3339"))
        self.assertEqual((self.tom(), self.log()), before)
        self.goat("revert", self.db, "--since", "2020-01-01t01:00:00.25+01:00", "--until", "2999-01-01T00:00:00Z")

    def test_what_is_left_out_is_said(self):
        self.put("kit")
        second = {**CAT, "version": 2, "fields": {**CAT["fields"], "size": {"type": "number"}}}
        self.goat("schema", self.db, "add", self.write("cat2.json", json.dumps(second)))
        self.goat("set", self.db, "/data/cats/kit", "size=3")
        self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex", "size": 9}')
        self.goat("schema", self.db, "retire", "cat", "2")
        everything = "revert", self.db, "--since", "2020-01-01T00:00:00Z"
        left = [{"path": f"/data/{path}", "reason": "GOAT_NO_SCHEMA"} for path in ("cats/kit", "dogs/rex")]
        said = lines(self.goat(*everything, "--dry-run", "--json", code=NO, notes=True))
        self.assertEqual([item for item in said if "reason" in item], left)
        self.assertEqual({item["path"] for item in said if "reverts" in item}, {"/data/cats/tom", "/data/cats/kit"})
        self.refused(*everything, "--in", "/data/dogs", says=("/data/dogs/rex: left out", "version of its schema"))
        self.assertIn("/data/cats/tom  ", self.goat(*everything, code=NO, notes=True))
        self.assertEqual([line.split(": ")[1] for line in self.error.splitlines()], ["/data/cats/kit", "/data/dogs/rex"])
        self.assertNotIn("tom", self.goat("ls", self.db, "/data/cats"))

    @unittest.skipIf(SANITIZED or not COMPILER, "a library is put in front of the command's, by a compiler")
    def test_what_a_revert_did_before_it_failed_is_printed(self):
        subprocess.run([COMPILER, "-shared", "-fPIC", "-x", "c", "-o", self.path("dry.so"), "-"], input=DRY, check=True)
        self.goat("import", self.db, "/data/dogs", "--schema", "cat", "--key", "name", "--quiet", "--batch", "5000",
                  stdin="".join(f'{{"name": "{i}"}}\n' for i in range(BATCH + 10)))
        revert = "revert", self.db, "--since", "2020-01-01T00:00:00Z", "--in", "/data/dogs", "--json"
        said = lines(self.goat(*revert, code=TROUBLE, env={**os.environ, "LD_PRELOAD": self.path("dry.so")}))
        self.assertIn("randomness", self.error)
        self.assertEqual((len(said), all("commit" in item for item in said)), (BATCH, True))
        self.assertEqual(len(lines(self.goat(*revert))), 10)
        self.assertEqual(self.goat("ls", self.db, "/data/dogs"), "")
        self.verified()


if __name__ == "__main__":
    run()
