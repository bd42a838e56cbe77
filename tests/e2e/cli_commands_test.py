#!/usr/bin/env python3
"""Every command does what it says, with and without --json, and exits with the right code."""
import json
import os
import signal
import subprocess
import time

from cli_support import CAT, DONE, GOAT, NO, SOURCE, TROUBLE, USAGE, Case, lines, run


class Usage(Case):
    def test_version(self):
        self.assertRegex(self.goat("--version"), r"^goat \d+\.\d+\.\d+\n$")

    def test_what_is_no_command_line_exits_with_2(self):
        for arguments in ([], ["fly"], ["--fly"], ["init"], ["init", "a", "b"], ["ls", "--fly", "a"], ["get", "a"],
                          ["ls", "--json=1", "a"], ["schema", "a", "fly"], ["schema", "a", "add"],
                          ["schema", "a", "list", "b"], ["import", "a", "/b/c"], ["import", "a", "/b/c", "--key"],
                          ["import", "a", "/b/c", "--schema", "x"], ["set", "a", "/b/c/d"],
                          ["set", "a", "/b/c/d", "noequals"], ["set", "a", "/b/c/d", "=1"], ["query", "a", "-x", "/b/c"],
                          ["query", "a", "/b/c", "--limit", "many"], ["query", "a", "/b/c", "--limit", "-1"],
                          ["query", "a", "/b/c", "--limit", "4294967296"], ["query", "a", "/b/c", "--rate", "5"],
                          ["import", "a", "/b/c", "--schema", "x", "--key", "y", "--batch", "0"],
                          ["import", "a", "/b/c", "--schema", "x", "--key", "y", "--batch", "65537"],
                          ["import", "a", "/b/c", "--schema", "x", "--key", "y", "--flush", "never"]):
            self.refused(*arguments, code=USAGE, says="(see goat")

    def test_options_may_stand_anywhere_and_two_dashes_end_them(self):
        self.make()
        self.put("--json")
        for arguments in (["--json", "ls", self.db], ["ls", "--json", self.db, "/data/cats"],
                          ["ls", self.db, "--json", "/data/cats"], ["ls", self.db, "/data/cats", "--json"]):
            if arguments[0] == "ls":
                self.assertEqual(lines(self.goat(*arguments)), [{"path": "/data/cats/--json"}])
        self.assertEqual(json.loads(self.goat("get", "--json", "--", self.db, "/data/cats/--json"))["name"], "--json")
        self.refused("unset", self.db, "/data/cats/--json", "--", "--colour", says="--colour")
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count", "--limit=1"), "1\n")

    def test_output_that_cannot_be_written_is_trouble(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([GOAT, "help"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, TROUBLE)
        self.assertIn(b"goat help: cannot write the output: No space left", done.stderr)

    def test_a_closed_pipe_ends_it_quietly(self):
        self.make()
        self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--quiet",
                  self.write_lines("cats", [{"name": f"cat {i} " + "x" * 200} for i in range(3000)]))
        for arguments in (["ls", self.db, "/data/cats"], ["query", self.db, "/data/cats"]):
            process = subprocess.Popen([GOAT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.read(10)
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
            self.assertEqual(process.wait(60), TROUBLE)
            process.stderr.close()

    def test_closed_standard_streams_do_no_harm(self):
        self.make()
        self.put("tom")
        subprocess.run(f"exec <&- >&- 2>&-; '{GOAT}' put '{self.db}' /data/cats/ada --schema cat '{{\"name\":\"ada\"}}';"
                       f"'{GOAT}' get '{self.db}' /data/cats/nobody; '{GOAT}' ls '{self.db}' /data/cats",
                       shell=True, check=False)
        self.verified()
        self.assertEqual(self.get("ada")["name"], "ada")


class Items(Case):
    def setUp(self):
        super().setUp()
        self.make()

    def test_init_tells_the_ids_once(self):
        other = self.path("other")
        told = json.loads(self.goat("init", other, "--json"))
        self.assertEqual(told["path"], other)
        for name in ("network", "root", "session"):
            self.assertEqual(len(bytes.fromhex(told[name])), 32)
        self.refused("init", other, says=other)
        self.assertRegex(self.goat("init", self.path("third")), r"network [0-9a-f]{64}\n$")
        self.assertEqual(os.stat(self.path("third", "root.key")).st_mode & 0o777, 0o600)

    def test_schemas_are_added_and_listed(self):
        dog = {"ns": "dog", "version": 3, "fields": {"name": {"type": "string"}}}
        self.assertEqual(self.goat("schema", self.db, "add", self.write("dog.json", json.dumps(dog))), "dog 3\n")
        told = json.loads(self.goat("schema", self.db, "add", "-", "--json", stdin=json.dumps(dog)))
        self.assertEqual(told, {"file": "-", "ns": "dog", "version": 3})
        listed = lines(self.goat("schema", self.db, "list", "--json"))
        self.assertIn(dog, listed)
        self.assertIn(CAT, listed)
        text = self.goat("schema", self.db, "list")
        self.assertIn("dog 3\n", text)
        self.assertRegex(text, r"\n  name +string, required, max_length 2000000\n")

    def test_a_version_of_a_schema_never_changes(self):
        other = dict(CAT, fields={"name": {"type": "number"}})
        self.refused("schema", self.db, "add", self.write("other.json", json.dumps(other)), says="cat")

    def test_the_list_says_the_rules_and_what_is_in_objects(self):
        place = {"ns": "place", "version": 1, "fields": {
            "name": {"type": "string", "required": True, "max_length": 80, "merge": "either"},
            "at": {"type": "object", "fields": {"lat": {"type": "number", "min": -90, "default": 0.5},
                                                "in": {"type": "object", "fields": {"city": {"type": "text"}}}}}}}
        self.goat("schema", self.db, "add", self.write("place.json", json.dumps(place)))
        listed = self.goat("schema", self.db, "list")
        self.assertIn("place 1\n", listed)
        self.assertRegex(listed, r"(?m)^  at +object\n    in +object\n      city +text\n    lat +number, ")
        self.assertIn(" number, min -90, default 0.5\n", listed)
        self.assertRegex(listed, r"(?m)^  name +string, required, merge either, max_length 80$")

    def test_what_is_registered_already_is_not_warned_of_again(self):
        new = dict(CAT, version=2, fields={"name": {"type": "string"}})
        name = self.write("cat2.json", json.dumps(new))
        self.goat("schema", self.db, "add", name, notes=True)
        self.assertIn("loses", self.error)
        self.assertEqual(self.goat("schema", self.db, "add", name), "cat 2\n")
        self.assertEqual(self.error, "")

    def test_versions_are_checked_compared_retired_and_taken_back(self):
        self.put("tom", colour="grey")
        new = {"ns": "cat", "version": 2, "fields": {"title": {"type": "string"}, "tame": {"type": "boolean"}},
               "upgrade": [{"rename": "name", "to": "title"}]}
        name = self.write("new.json", json.dumps(new))
        changes = lines(self.goat("schema", self.db, "add", name, "--check", "--json"))
        self.assertIn({"version": 2, "field": "name", "what": "renamed", "message": '"name" is called "title"'}, changes)
        self.assertIn(("colour", "loses"), [(change["field"], change.get("risk")) for change in changes])
        self.assertNotIn(new, lines(self.goat("schema", self.db, "list", "--json")))
        self.assertEqual(self.goat("schema", self.db, "add", name, notes=True), "cat 2\n")
        self.assertIn("loses", self.error)
        self.assertEqual(lines(self.goat("schema", self.db, "diff", "cat", "1", "2", "--json")), changes)
        self.assertRegex(self.goat("schema", self.db, "diff", "cat", "1", "2"), r'(?m)^2 +"name" is called "title"$')
        self.assertEqual(self.get("tom"), {"title": "tom"})
        self.assertEqual(self.goat("schema", self.db, "retire", "cat", "2"), "cat 2 is retired\n")
        self.assertEqual(self.get("tom"), {"name": "tom", "colour": "grey", "tame": True})
        self.assertIn("cat 2, retired\n", self.goat("schema", self.db, "list"))
        self.assertEqual(json.loads(self.goat("schema", self.db, "retire", "cat", "2", "--undo", "--json")),
                         {"ns": "cat", "version": 2, "retired": False})
        self.assertEqual(self.get("tom"), {"title": "tom"})
        self.refused("schema", self.db, "retire", "cat", "1", says="no version before")
        self.refused("schema", self.db, "retire", "cat", "one", code=USAGE, says="version")
        self.refused("schema", self.db, "diff", "cat", "1", code=USAGE, says="two versions")
        self.refused("schema", self.db, "diff", "cat", "1", "3", says="version 3")
        self.refused("schema", self.db, "add", "-", stdin=json.dumps(dict(new, version=3, upgrade=[{"drop": "x"}])),
                     says="upgrade step 1")
        self.verified()

    def test_put_creates_replaces_and_leaves_alone(self):
        put = ["put", self.db, "/data/cats/tom", "--schema", "cat", "--json"]
        grey = '{"name": "Tom", "colour": "grey", "toys": ["b", "a"]}'
        self.assertEqual(json.loads(self.goat(*put, grey)), {"path": "/data/cats/tom", "did": "created"})
        self.assertEqual(json.loads(self.goat(*put, grey))["did"], "unchanged")
        self.assertEqual(json.loads(self.goat(*put, "-", stdin='{"name": "Tom", "age": 3}'))["did"], "changed")
        self.assertEqual(self.get("tom"), {"name": "Tom", "age": 3, "tame": True})
        self.assertEqual(self.goat("put", self.db, "/data/cats/tom", '{"name": "T."}'), "")
        self.assertEqual(self.get("tom"), {"name": "T.", "tame": True})

    def test_get_prints_for_people_and_for_programs(self):
        self.put("tom", colour="grey", toys=["ball", "mouse"], notes={"a": 1}, names=[])
        text = self.goat("get", self.db, "/data/cats/tom")
        self.assertIn('\n  "colour": "grey"', text)
        self.assertIn('\n    "ball",\n', text)
        self.assertIn('"names": []', text)
        self.assertEqual(json.loads(text), self.get("tom"))
        self.assertEqual(self.goat("get", self.db, "/data/cats/tom", "--field", "colour"), "grey\n")
        self.assertEqual(self.goat("get", self.db, "/data/cats/tom", "--field", "colour", "--json"), '"grey"\n')
        self.assertEqual(self.goat("get", self.db, "/data/cats/tom", "--field", "tame"), "true\n")
        self.refused("get", self.db, "/data/cats/tom", "--field", "age", says=["/data/cats/tom", "age"])
        self.refused("get", self.db, "/data/cats/tom", "--field", "wings", says="wings")

    def test_a_string_with_everything_in_it_comes_back(self):
        text = "quotes \" \\ / tab \t newline \n nul \0 bell \a ü € 𝄞 \x7f"
        self.put("tom", name=text)
        self.assertEqual(self.get("tom")["name"], text)
        self.assertEqual(self.goat("get", self.db, "/data/cats/tom", "--field", "name"), text + "\n")

    def test_set_takes_json_or_else_text(self):
        self.put("tom")
        self.goat("set", self.db, "/data/cats/tom", "colour=grey", "age=7", 'toys=["ball"]', "name=1.0",
                  "born=2026-01-31T12:00:00Z", "picture=AAEC", "mother=/data/cats/ada", "tame=false", "meals=3",
                  'notes={"x": [1, null]}', "--message", "a cat's life")
        self.assertEqual(self.get("tom"), {
            "name": "1.0", "colour": "grey", "age": 7, "toys": ["ball"], "born": "2026-01-31T12:00:00Z",
            "picture": "AAEC", "mother": "/data/cats/ada", "tame": False, "meals": 3, "notes": {"x": [1, None]}})
        newest = lines(self.goat("log", self.db, "/data/cats/tom", "--json"))[0]
        self.assertEqual(newest["message"], "a cat's life")
        self.assertEqual(len(newest["fields"]), 10)

    def test_set_says_what_it_did(self):
        self.put("tom")
        self.assertEqual(json.loads(self.goat("set", self.db, "/data/cats/tom", "age=1", "--json"))["did"], "changed")
        self.assertEqual(json.loads(self.goat("set", self.db, "/data/cats/tom", "age=1", "--json"))["did"], "unchanged")

    def test_set_changes_nothing_when_one_field_is_refused(self):
        self.put("tom")
        self.refused("set", self.db, "/data/cats/tom", "age=1", "colour=blue", says=["colour", "enum"])
        self.refused("set", self.db, "/data/cats/tom", "age=old", says=["age", "type"])
        self.refused("set", self.db, "/data/cats/tom", "age=-1", says=["age", "min"])
        self.assertEqual(self.get("tom"), {"name": "tom", "tame": True})
        self.assertEqual(len(lines(self.goat("log", self.db, "/data/cats/tom", "--json"))), 1)

    def test_unset(self):
        self.put("tom", colour="grey", age=3)
        self.assertEqual(json.loads(self.goat("unset", self.db, "/data/cats/tom", "colour", "age", "--json"))["did"],
                         "changed")
        self.assertEqual(self.get("tom"), {"name": "tom", "tame": True})
        self.refused("unset", self.db, "/data/cats/tom", "name", says=["name", "required"])

    def test_set_and_unset_take_paths(self):
        place = {"ns": "place", "version": 1, "fields": {"at": {"type": "object", "fields": {
            "city": {"type": "string"}, "zip": {"type": "string"}}}}}
        self.goat("schema", self.db, "add", self.write("place.json", json.dumps(place)))
        path = "/data/places/home"
        self.goat("put", self.db, path, "--schema", "place", '{"at": {"zip": "75001"}}')
        self.goat("set", self.db, path, "at.city=Paris")
        self.assertEqual(self.goat("get", self.db, path, "--field", "at.city"), "Paris\n")
        self.assertIn('"changed"', self.goat("unset", self.db, path, "at.city", "--json"))
        self.assertEqual(json.loads(self.goat("get", self.db, path)), {"at": {"zip": "75001"}})
        self.assertIn('"unchanged"', self.goat("unset", self.db, path, "at.city", "--json"))
        self.refused("unset", self.db, path, "at.country", says="at.country")

    def test_no_item_is_made_under_a_key_with_control_characters(self):
        for key in ("a\x7f", "a\u0080", "\u009b31m"):
            self.refused("put", self.db, "/data/cats/" + key, "--schema", "cat", '{"name": "a"}', says="control")
        self.put("a\u00a0\u00e9")
        self.refused("set", self.db, "/data/cats/a\u0080", "age=1", says="no such item")

    def test_a_terminal_is_not_steered(self):
        name = "\x1b[2J\x7f\u009b31m\u00e9\u00c2\n"
        self.put("tom", name=name, notes={"\u0085": name})
        self.goat("set", self.db, "/data/cats/tom", "age=3", "--message", name)
        for command in (["get"], ["get", "--field", "name"], ["get", "--json"], ["log"], ["explain"], ["explain", "--json"]):
            said = self.on_terminal(command[0], self.db, "/data/cats/tom", *command[1:])
            self.assertRegex(said, r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$", command)
        self.assertEqual(json.loads(self.on_terminal("get", self.db, "/data/cats/tom", columns=1000))["name"], name)
        self.assertIn("\x1b[2J\x7f\u009b31m", self.goat("get", self.db, "/data/cats/tom", "--field", "name"))

    def test_delete_and_undo(self):
        self.put("tom", age=3)
        self.put("ada")
        self.assertEqual(json.loads(self.goat("delete", self.db, "/data/cats/tom", "--json"))["did"], "changed")
        self.assertEqual(json.loads(self.goat("delete", self.db, "/data/cats/tom", "--json"))["did"], "unchanged")
        self.refused("get", self.db, "/data/cats/tom", says="deleted")
        self.assertEqual(json.loads(self.goat("get", self.db, "/data/cats/tom", "--deleted"))["age"], 3)
        self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/ada\n")
        self.goat("delete", self.db, "/data/cats/tom", "--undo")
        self.assertEqual(self.get("tom")["age"], 3)
        kinds = [commit["kind"] for commit in lines(self.goat("log", self.db, "/data/cats/tom", "--json"))]
        self.assertEqual(kinds, ["undelete", "delete", "create"])

    def test_ls(self):
        self.put("tom")
        self.put("ada")
        self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex"}')
        self.assertIn("/data/cats\n/data/dogs\n", self.goat("ls", self.db))
        self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/ada\n/data/cats/tom\n")
        self.assertEqual(lines(self.goat("ls", self.db, "/data/dogs", "--json")), [{"path": "/data/dogs/rex"}])

    def test_log_for_people_and_for_programs(self):
        self.put("tom")
        self.goat("set", self.db, "/data/cats/tom", "age=1", "colour=grey")
        full = lines(self.goat("log", self.db, "/data/cats/tom", "--json"))
        self.assertEqual([commit["kind"] for commit in full], ["edit", "create"])
        self.assertEqual(sorted(full[0]["fields"]), ["age", "colour"])
        self.assertEqual(full[0]["parents"], [full[1]["id"]])
        self.assertEqual([commit["head"] for commit in full], [True, False])
        self.assertEqual(full[0]["schema"], ["cat", 1])
        for name in ("id", "batch", "session"):
            self.assertEqual(len(bytes.fromhex(full[0][name])), 32)
        self.assertLess(abs(time.time() - time.mktime(time.strptime(full[0]["time"][:19], "%Y-%m-%dT%H:%M:%S"))), 2 * 86400)
        head, first, second = self.goat("log", self.db, "/data/cats/tom").splitlines()
        self.assertRegex(head, "^COMMIT +TIME")
        self.assertRegex(first, rf"^{full[0]['id'][:12]}\*  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  "
                                rf"{full[0]['session'][:8]}  edit      \w+, \w+$")
        self.assertRegex(second, rf"^{full[1]['id'][:12]}   .*  create    name$")
        self.assertEqual(lines(self.goat("log", self.db, "/data/cats/tom", "--json", "--before", full[0]["id"][:8])), full[1:])
        self.assertEqual(lines(self.goat("log", self.db, "/data/cats/tom", "--json", "--before", full[1]["id"])), [])
        self.assertEqual(lines(self.goat("log", self.db, "/data/cats/tom", "--json", "--limit", "1")), full[:1])

    def test_digest_is_three_words(self):
        self.put("tom")
        words = self.goat("digest", self.db, "/data/cats")
        self.assertRegex(words, r"^1 [0-9a-f]{64} [0-9a-f]{64}\n$")
        told = json.loads(self.goat("digest", self.db, "/data/cats", "--json"))
        self.assertEqual(words.split(), [str(told["entries"]), told["fingerprint"], told["views"]])
        self.put("ada")
        self.assertNotEqual(self.goat("digest", self.db, "/data/cats").split()[1:], words.split()[1:])

    def test_verify_counts(self):
        self.put("tom")
        self.put("ada")
        report = json.loads(self.goat("verify", self.db, "/data/cats", "--json"))
        self.assertEqual((report["batches"], report["commits"], report["faults"]), (2, 2, []))
        self.assertGreater(self.verified()["batches"], 2)
        self.assertRegex(self.goat("verify", self.db, "/data/cats"),
                         r"^2 batches, 2 commits, 2 signatures, [\d,]+ bytes in \d+\.\d\d s: no faults\n$")


class Lines(Case):
    def setUp(self):
        super().setUp()
        self.make()

    def load(self, documents, *more, code=DONE, **options):
        text = documents if isinstance(documents, str) else "".join(json.dumps(each) + "\n" for each in documents)
        return self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", *more, stdin=text,
                         code=code, **options)

    def counts(self, printed):
        told = json.loads(printed)
        return told["created"], told["changed"], told["unchanged"], told["refused"]

    def test_import_creates_edits_and_leaves_alone(self):
        cats = [{"name": f"cat {i}", "age": i} for i in range(250)]
        self.assertEqual(self.counts(self.load(cats, "--json")), (250, 0, 0, 0))
        self.assertEqual(self.verified()["commits"] >= 250, True)
        before = self.goat("digest", self.db, "/data/cats")
        self.assertEqual(self.counts(self.load(cats, "--json")), (0, 0, 250, 0))
        self.assertEqual(self.goat("digest", self.db, "/data/cats"), before)
        cats[7] = {"name": "cat 7", "colour": "red"}
        cats.append({"name": "new"})
        self.assertEqual(self.counts(self.load(cats, "--json")), (1, 1, 249, 0))
        self.assertEqual(self.get("cat 7"), {"name": "cat 7", "colour": "red", "tame": True})
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count"), "251\n")

    def test_import_reads_files_dashes_and_lines_of_every_kind(self):
        path = self.write("cats", b'\n  {"age":1,"name":"a"}  \r\n\r\n\t\n{"name":"x","name":"b"}\n{"n\\u0061me":"c"}')
        self.assertEqual(self.counts(self.goat("import", self.db, "/data/cats", path, "--schema", "cat", "--key", "name",
                                               "--json")), (3, 0, 0, 0))
        self.assertEqual(self.counts(self.load([{"name": "d"}], "--json", "-")), (1, 0, 0, 0))
        self.assertEqual(self.goat("ls", self.db, "/data/cats").split(), [f"/data/cats/{key}" for key in "abcd"])

    def test_an_integer_can_be_the_key(self):
        self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "age", "--quiet",
                  stdin='{"name": "a", "age": 12}\n')
        self.assertEqual(self.get("12")["name"], "a")

    def test_batches_are_as_large_as_asked(self):
        self.load([{"name": f"cat {i}"} for i in range(100)], "--batch", "7", "--quiet")
        self.assertEqual(json.loads(self.goat("verify", self.db, "/data/cats", "--json"))["batches"], 15)

    def test_the_summary_is_for_people_and_quiet_is_quiet(self):
        self.assertRegex(self.load([{"name": "a"}]),
                         r"^1 document in \d+\.\d\d s \([\d,]+/s\): 1 created, 0 changed, 0 unchanged\n$")
        self.assertEqual(self.load([{"name": "a"}], "--quiet"), "")

    def test_a_refused_line_is_named_and_those_before_it_are_stored(self):
        cats = [{"name": f"cat {i}"} for i in range(150)]
        for place in (0, 1, 63, 99, 100, 149):
            with self.subTest(place=place):
                bad = [dict(cat, name=f"{place} {cat['name']}") for cat in cats]
                bad[place] = {"name": "bad", "age": "old"}
                self.load(bad, code=NO)
                self.assertIn(f"goat import: stdin:{place + 1}: /data/cats/bad: \"age\"", self.error)
                self.assertIn("(rule type)", self.error)
                found = [row["key"] for row in self.query("--where", '{"name": {"$startsWith": "%d "}}' % place)]
                self.assertEqual(len(found), place)
        self.verified()

    def test_keep_going_leaves_out_what_is_refused(self):
        cats = [{"name": f"cat {i}", "age": -1 if i % 10 == 3 else i} for i in range(150)]
        text = "".join(json.dumps(cat) + "\n" for cat in cats) + "no json\n{}\n[]\n" + '{"name": 1.5}\n{"name": "last"}\n'
        told = self.load(text, "--keep-going", "--json", code=NO, notes=True)
        self.assertEqual(self.counts(told), (136, 0, 0, 19))
        said = self.error.splitlines()
        self.assertEqual(len(said), 19)
        for number in [i + 1 for i in range(150) if i % 10 == 3] + [151, 152, 153, 154]:
            self.assertEqual(len([line for line in said if line.startswith(f"goat import: stdin:{number}: ")]), 1)
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count"), "136\n")

    def test_acknowledged_lines_are_numbered(self):
        cats = [{"name": f"cat {i}"} for i in range(25)]
        self.assertEqual(self.load(cats, "--flush", "batch", "--ack", "--batch", "10", "--quiet"), "10\n20\n25\n")
        self.assertEqual(self.load(cats, "--ack", "--batch", "10", "--quiet"), "25\n")

    def test_lines_that_trickle_in_do_not_wait_for_the_batch(self):
        process = subprocess.Popen([GOAT, "import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--flush",
                                    "batch", "--ack", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            for i in range(3):
                process.stdin.write(b'{"name": "%d"}\n' % i)
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), b"%d\n" % (i + 1))
            process.stdin.close()
        self.assertEqual(process.returncode, DONE)

    def test_a_signal_ends_it_in_good_order(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([GOAT, "import", self.db, f"/data/s{int(number)}", "--schema", "cat", "--key",
                                        "name", "--flush", "batch", "--ack", "--batch", "1"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            with process:
                process.stdin.write(b'{"name": "a"}\n{"name": "b"}\n')
                process.stdin.flush()
                self.assertEqual(process.stdout.readline() + process.stdout.readline(), b"1\n2\n")
                process.send_signal(number)
                self.assertIn(b"2 created, 0 changed, 0 unchanged; interrupted", process.stdout.read())
                self.assertEqual(process.stderr.read(), b"")
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(self.goat("query", self.db, f"/data/s{int(number)}", "--count"), "2\n")
        self.verified()

    def test_apply(self):
        self.load([{"name": "a", "age": 1, "colour": "red"}, {"name": "b"}, {"name": "c"}], "--quiet")
        edits = [{"name": "a", "set": {"age": 2}, "unset": ["colour"]}, {"name": "d", "create": {"name": "d"}},
                 {"name": "b", "delete": True}, {"name": "c", "replace": {"name": "C", "age": 5}},
                 {"name": "e", "create": {"name": "e"}, "schema": "cat"}, {"name": "a", "set": {"age": 2}}]
        told = self.goat("apply", self.db, "/data/cats", "--schema", "cat", "--json", self.write_lines("edits", edits))
        self.assertEqual(self.counts(told), (2, 3, 1, 0))
        rows = self.query("--fields", "name,age,colour", "--sort", "name")
        self.assertEqual(rows, [{"key": "c", "name": "C", "age": 5}, {"key": "a", "name": "a", "age": 2},
                                {"key": "d", "name": "d"}, {"key": "e", "name": "e"}])
        self.goat("apply", self.db, "/data/cats", "--key", "id", "--quiet", stdin='{"id": "a", "set": {"age": 3}}\n')
        self.assertEqual(self.get("a")["age"], 3)

    def test_apply_makes_steps(self):
        self.write("doc.json", json.dumps({"ns": "doc", "version": 1, "fields": {
            "body": {"type": "text"}, "rows": {"type": "list"}, "tags": {"type": "set"}, "map": {"type": "map"},
            "votes": {"type": "counter"}, "rich": {"type": "richtext"},
            "place": {"type": "object", "fields": {"note": {"type": "text"}}}}}))
        self.goat("schema", self.db, "add", self.path("doc.json"))
        self.goat("put", self.db, "/data/docs/a", "--schema", "doc",
                  json.dumps({"body": "one two", "rows": [1, 2, 3], "tags": ["x"], "votes": 5}))
        edits = [{"name": "a", "edit": {
            "body": [{"splice": [0, 3, "1"]}, {"splice": [5, 0, "!"]}],
            "rows": [{"list_insert": [0, ["new"]]}, {"list_move": [3, 1]}, {"list_set": [2, "one"]}, {"list_remove": [3, 1]}],
            "tags": [{"add": "y"}, {"remove": "x"}], "map": [{"put": ["k", {"$date": "2026-01-31T00:00:00Z"}]}],
            "votes": {"increment": -7}, "rich": {"apply_delta": [{"insert": "hi", "attributes": {"b": True}}]},
            "place.note": {"splice": [0, 0, "here"]}}}]
        told = self.goat("apply", self.db, "/data/docs", "--json", self.write_lines("edits", edits))
        self.assertEqual(self.counts(told), (0, 1, 0, 0))
        shown = self.get("a", "/data/docs")
        self.assertEqual(shown["map"]["k"]["$date"][:10], "2026-01-31")
        del shown["map"]
        self.assertEqual(shown, {"body": "1 two!", "rows": ["new", 3, "one"], "tags": ["y"], "votes": -2,
                                 "rich": [{"insert": "hi", "attributes": {"b": True}}], "place": {"note": "here"}})
        self.assertEqual(len(lines(self.goat("log", self.db, "/data/docs/a", "--json"))), 2)
        for step, says in (('{"rows": {"list_move": [0, 9]}}', ["rows", "step 1"]), ('{"wings": {"add": 1}}', "wings"),
                           ('{"body": [{"splice": [0, 1, ""]}, {"splice": [9, 0, "x"]}]}', ["body", "step 2"]),
                           ('{"body": {"add": 1}}', ["body", "step 1"]), ('{"votes": {"increment": "1"}}', "increment")):
            says = says if isinstance(says, list) else [says]
            self.refused("apply", self.db, "/data/docs", stdin='{"name": "a", "edit": %s}\n' % step,
                         says=says + ["stdin:1:", "/data/docs/a"])
        self.refused("apply", self.db, "/data/docs", stdin='{"name": "z", "create": {}, "edit": {}, "schema": "doc"}\n',
                     says=["create", "stdin:1:"])
        self.verified()

    def test_apply_refuses_what_is_no_edit(self):
        self.load([{"name": "a"}], "--quiet")
        for line, says in (('{"name": "a", "sett": {}}', '"sett"'), ('{"set": {}}', '"name"'), ('{"name": 1.5}', "string"),
                           ('{"name": "z", "create": {"name": "z"}}', "--schema"), ("[]", "column 1"),
                           ('{"name": "z", "set": {"age": 1}}', "/data/cats/z"), ('{"name": "a" "set": {}}', "column 14"),
                           ('{"name": "a", "set": {"wings": 2}}', "wings"), ('{"name": "a", "set": 5}', "set"),
                           ('{"name": "a", "set": {"age": 1}, "set": {"age": 2}}', "there before"),
                           ('{"name": "b", "name": "a", "set": {"age": 1}}', "there before"),
                           ('{"name": "a", "create": {}, "set": {}, "schema": "cat"}', "create")):
            self.refused("apply", self.db, "/data/cats", stdin=line + "\n", says=[says, "stdin:1:"])
        self.assertEqual(self.get("a"), {"name": "a", "tame": True})


class Queries(Case):
    def setUp(self):
        super().setUp()
        self.make()
        self.write_lines("cats", [{"name": f"n{i}", "age": i % 5} for i in range(20)])
        self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--quiet", self.path("cats"))

    def test_filter_order_window_and_fields(self):
        rows = self.query("--where", '{"age": {"$gte": 3}}', "--sort", "-age,name", "--fields", "age")
        self.assertEqual(rows, [{"key": f"n{i}", "age": age} for age in (4, 3)
                                for i in sorted((i for i in range(20) if i % 5 == age), key=str)])
        self.assertEqual(self.query("--where", '{"age": {"$gte": 3}}', "--sort", "-age,name", "--fields", "age",
                                    "--offset", "2", "--limit", "4"), rows[2:6])
        self.assertEqual(self.query("--limit", "0"), [])
        self.assertEqual(self.query("--schema", "dog"), [])
        self.assertEqual(self.query("--fields", "")[0], {"key": "n0"})

    def test_count(self):
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count"), "20\n")
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count", "--json", "--where", '{"age": 1}'),
                         '{"count":4}\n')

    def test_a_wrong_filter_says_what_is_wrong(self):
        self.refused("query", self.db, "/data/cats", "--where", '{"age": {"$gtt": 1}}', says="$gtt")
        self.refused("query", self.db, "/data/cats", "--where", '{"age": ', says="byte 8")
        self.refused("query", self.db, "/data/cats", "--where", "[]")
        self.refused("query", self.db, "/data/cats", "--where", '{}, "limit": 1', says="byte 2")

    def test_live_prints_rows_and_then_what_changes(self):
        edits = self.write_lines("edits", [
            {"name": "n0", "set": {"age": 9}}, {"name": "n4", "set": {"age": 8}}, {"name": "n9", "delete": True},
            {"name": "n4", "set": {"colour": "red"}}, {"name": "n0", "set": {"age": 7}}, {"name": "n1", "set": {"age": 2}},
            {"name": "new", "create": {"name": "new", "age": 10}}])
        rows = self.query("--where", '{"age": {"$gte": 4}}', "--sort", "age", "--fields", "age", "--live", "--apply", edits,
                          "--schema", "cat")
        self.assertEqual([row["key"] for row in rows[:4]], ["n14", "n19", "n4", "n9"])
        self.assertEqual(rows[4:], [
            {"change": "inserted", "position": 4, "row": {"key": "n0", "age": 9}},
            {"change": "moved", "position": 3, "from": 2, "row": {"key": "n4", "age": 8}},
            {"change": "removed", "position": 2, "row": {"key": "n9"}},
            {"change": "updated", "position": 2, "row": {"key": "n4", "age": 8}},
            {"change": "moved", "position": 2, "from": 3, "row": {"key": "n0", "age": 7}},
            {"change": "inserted", "position": 4, "row": {"key": "new", "age": 10}}])
        self.assertEqual(self.get("n0")["age"], 7)
        self.verified()

    def test_live_follows_a_random_stream_of_edits(self):
        """The rows printed first, changed as the lines say, are the rows that a query then finds."""
        import random
        choose = random.Random(7)
        edits = []
        for _ in range(300):
            key = f"n{choose.randrange(20)}"
            edits.append(choose.choice([{"name": key, "set": {"age": choose.randrange(9)}}, {"name": key, "delete": True},
                                        {"name": key, "delete": False}, {"name": key, "unset": ["age"]}]))
        arguments = ["--where", '{"age": {"$lt": 6}}', "--sort", "-age", "--fields", "age", "--offset", "2", "--limit", "9"]
        shown = []
        for line in self.query(*arguments, "--live", "--apply", self.write_lines("edits", edits)):
            kind = line.get("change")
            if kind is None:
                shown.append(line)
                continue
            self.assertNotEqual(kind, "reset")
            if kind in ("removed", "moved"):
                del shown[line.get("from", line["position"])]
            if kind in ("inserted", "moved"):
                shown.insert(line["position"], line["row"])
            elif kind == "updated":
                shown[line["position"]] = line["row"]
        self.assertEqual(shown, self.query(*arguments))

    def test_live_counts(self):
        edits = self.write_lines("edits", [{"name": "n0", "delete": True}, {"name": "n1", "set": {"age": 3}},
                                           {"name": "n2", "delete": True}])
        self.assertEqual(self.goat("query", self.db, "/data/cats", "--count", "--live", "--apply", edits), "20\n19\n18\n")

    def test_live_reads_standard_input_and_ends_with_a_signal(self):
        process = subprocess.Popen([GOAT, "query", self.db, "/data/cats", "--live", "--where", '{"age": 99}'],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            process.stdin.write(b'{"name": "n3", "set": {"age": 99}}\n')
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline())["row"]["key"], "n3")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 130)
        self.assertEqual(self.get("n3")["age"], 99)


class Applies(Case):
    """What apply makes, and what its page says of it."""

    def apply(self, *edits, repo="/data/new", **more):
        return self.goat("apply", self.db, repo, "--quiet", *more.pop("options", ()),
                         stdin="".join(json.dumps(edit) + "\n" for edit in edits), **more)

    def test_a_repository_is_made_as_put_makes_it(self):
        self.make()
        self.apply({"name": "tom", "set": {"age": 1}}, code=NO)
        self.assertIn("/data/new/tom", self.error)
        self.apply({"name": "tom", "create": {"name": "tom"}}, options=("--schema", "cat"))
        self.assertEqual(self.goat("ls", self.db, "/data/new"), "/data/new/tom\n")

    def test_set_and_edit_create_by_the_schema_of_the_line_alone(self):
        self.make()
        for edit in {"set": {"name": "a"}}, {"set": {"name": "a"}, "edit": {"meals": {"increment": 1}}}:
            self.apply({"name": "a", **edit}, options=("--schema", "cat"), code=NO)
            self.apply({"name": "b", "schema": "cat", **edit})
        self.assertEqual(self.goat("ls", self.db, "/data/new"), "/data/new/b\n")

    def test_what_is_deleted_is_there_again_after_a_set_or_an_edit(self):
        self.make()
        self.put("tom", age=1)
        for edit in {"set": {"age": 2}}, {"edit": {"meals": {"increment": 1}}}, {"unset": ["age"]}:
            self.goat("delete", self.db, "/data/cats/tom")
            self.apply({"name": "tom", **edit}, repo="/data/cats")
            self.assertEqual(self.get("tom")["name"], "tom", edit)

    def test_the_pages_say_it(self):
        with open(os.path.join(SOURCE, "bindings", "cli", "man", "goat-apply.1"), encoding="utf-8") as file:
            page = file.read()
        for words in "65,536 edits and steps", "\\(dqbyte\\(dq", "is there again", "does not count":
            self.assertIn(words, page)
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            self.assertIn("16,384", file.read())


class Names(Case):
    """Fields may have any name: what is printed for people has no control character, also behind a pipe."""

    def test_names_neither_steer_a_terminal_nor_forge_a_line(self):
        names = "a\x1b[31mb", "l\nx", "c\x9bd", "t\x7fu"
        shown = "a\\u001b[31mb", "l\\u000ax", "c\\u009bd", "t\\u007fu"
        self.goat("init", self.db)
        fields = {name: {"type": "string"} for name in names}
        fields["m"] = {"type": "map"}
        for version, more in (1, {}), (2, {"new\x1b\n": {"type": "string"}}):
            self.goat("schema", self.db, "add", self.write("odd.json", json.dumps(
                {"ns": "odd", "version": version, "fields": {**fields, **more}})))
        document = {**{name: "value\x9b" for name in names}, "m": {"k\x9b\x1b": 1}}
        self.goat("put", self.db, "/data/odd/a", "--schema", "odd", json.dumps(document))
        self.goat("apply", self.db, "/data/odd", "--quiet",
                  stdin=json.dumps({"name": "a", "edit": {"m": {"put": ["j\x9b\x7f", 2]}}}) + "\n")
        change = lines(self.goat("log", self.db, "/data/odd/a", "--json"))[1]["id"]
        for expected, *arguments in ((shown, "log", self.db, "/data/odd/a"), (shown, "explain", self.db, "/data/odd/a"),
                                     (shown, "revert", self.db, change, "--dry-run"), (shown, "schema", self.db, "list"),
                                     (["new\\u001b\\u000a"], "schema", self.db, "diff", "odd", "1", "2")):
            for said in self.goat(*arguments), self.on_terminal(*arguments, columns=200):
                self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f]", arguments)
                self.assertFalse([line for line in said.splitlines() if line.startswith("x")], said)
                for name in expected:
                    self.assertIn(name, said, arguments)


if __name__ == "__main__":
    run()
