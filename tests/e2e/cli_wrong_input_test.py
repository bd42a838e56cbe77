#!/usr/bin/env python3
"""What goes wrong outside: a clear error each, nothing lost, nothing half-written."""
import contextlib
import json
import os
import shutil
import struct
import subprocess
import unittest

from cli_support import GOAT, NO, TROUBLE, Case, run

IS_ROOT = os.geteuid() == 0


class Data(Case):
    def setUp(self):
        super().setUp()
        self.make()
        self.put("tom", age=1)
        self.before = self.goat("digest", self.db, "/data/cats")

    def tearDown(self):
        """Whatever was refused has changed nothing."""
        self.assertEqual(self.goat("digest", self.db, "/data/cats"), self.before)
        self.verified()

    def refused_put(self, fields, *says, path="/data/cats/ada", schema="cat"):
        self.refused("put", self.db, path, "--schema", schema, json.dumps(fields), says=says)
        line = json.dumps(dict(fields, key=path.rsplit("/", 1)[1]))
        return line

    def test_unknown_schema(self):
        self.refused_put({"name": "rex"}, "dog", schema="dog")
        self.refused("import", self.db, "/data/dogs", "--schema", "dog", "--key", "name", stdin='{"name": "rex"}', says="dog")
        self.assertNotIn("/data/dogs", self.goat("ls", self.db))

    def test_wrong_type(self):
        for field, value in (("age", "old"), ("name", 5), ("tame", "yes"), ("toys", "ball"), ("born", "yesterday"),
                             ("picture", "%%%"), ("mother", "nowhere"), ("notes", []), ("meals", 1.5), ("names", {})):
            self.refused_put(dict({"name": "ada"}, **{field: value}), "/data/cats/ada", f'"{field}"')

    def test_broken_rules(self):
        self.refused_put({"name": "ada", "age": -1}, "/data/cats/ada", '"age"', "rule min")
        self.refused_put({"name": "ada", "colour": "blue"}, '"colour"', "rule enum")
        self.refused_put({"name": "ada", "wings": 2}, '"wings"')

    def test_missing_required_field(self):
        self.refused_put({"age": 3}, "/data/cats/ada", '"name"', "rule required")

    def test_a_path_that_is_not_one(self):
        for path in ("tom", "/data", "/data/cats", "/data/cats/", "/data/cats/a/b", "", "/", "//x/y", "/data//tom",
                     "/.data/cats/tom", "/data/c ts/tom", "/data/cäts/tom", "/data/cats/a\tb", "/data/../tom",
                     "/data/cats/" + "k" * 513, "/" + "t" * 65 + "/cats/tom", "/" + "t" * 200 + "/cats/tom"):
            with self.subTest(path=path):
                self.refused("put", self.db, path, "--schema", "cat", '{"name": "x"}')
                self.refused("get", self.db, path)
                self.refused("log", self.db, path)
        for path in ("cats", "/data", "/data/cats/", "/data/c ts", "/../cats", "/data/cats/tom"):
            with self.subTest(path=path):
                self.refused("digest", self.db, path)
                self.refused("import", self.db, path, "--schema", "cat", "--key", "name", stdin='{"name": "x"}')

    def test_a_key_that_is_not_utf8(self):
        for key in (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"):
            with self.subTest(key=key):
                self.refused("put", self.db, b"/data/cats/" + key, "--schema", "cat", '{"name": "x"}')
                self.refused("get", self.db, b"/data/cats/" + key)
                self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name",
                             stdin=b'{"name": "' + key + b'"}\n', says="stdin:1:")
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin='{"name": "\\ud800"}\n')
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin='{"name": "a/b"}\n')
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin='{"name": ""}\n')

    def test_what_is_no_json(self):
        for text in ("", "{", "[]", "5", '{"name": "a"} x', '{"name": "a"}{}', "{'name': 'a'}", '{"name": NaN}',
                     '{"name": "a",}', '{"name": 01}', '{"name": "\t"}', '{"age": 1e999, "name": "a"}',
                     '{"name": ' + "[" * 600 + "]" * 600 + "}", '{"notes": {"a":' + "[" * 70 + "]" * 70 + "}}"):
            with self.subTest(text=text[:30]):
                self.refused("put", self.db, "/data/cats/ada", "--schema", "cat", text)
                if text:
                    self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin=text + "\n",
                                 says="stdin:1:")
        self.refused("put", self.db, "/data/cats/ada", "--schema", "cat", b'{"name": "\xff"}')

    def test_the_place_in_a_line_is_told(self):
        for line, says in (('{"name": "a", "age": x}', "column 22: not a value"), ('{"name": "a"} {', "column 15:"),
                           ('{"name": "a", "age": 1e999}', "column 22:"), ('{"name": "a", "colour": "\\ud800"}', "column 2")):
            self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin=f"\n{line}\n",
                         says=["stdin:2: " + says])

    def test_messages_are_text_whatever_comes_in(self):
        for name in (b"\x1b[31m", b"\xff\xfe", b"a\nb", b"\xc2\x9b", b"\xe2\x82"):
            for arguments in (["get", self.db, b"/data/cats/" + name], ["get", b"/" + name, "/data/cats/tom"], [name],
                              ["ls", b"--" + name, self.db], ["query", self.db, "/data/cats", "--limit", name]):
                run = subprocess.run([GOAT, *arguments], capture_output=True, check=False)
                self.assertNotEqual(run.returncode, 0)
                self.assertRegex(run.stderr.decode(), "^goat[^\0-\x1f\x7f-\x9f]*\n$")

    def test_a_line_beyond_16_mib(self):
        line = '{"name": "' + "x" * (16 << 20) + '"}\n'
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", stdin='{"name": "tom", "age": 1}\n'
                     + line, says=["stdin:2:", "16 MiB"])

    def test_what_is_not_there(self):
        self.refused("get", self.db, "/data/cats/nobody", says="/data/cats/nobody")
        self.refused("get", self.db, "/data/dogs/rex", says=["/data/dogs", "no such repository"])
        self.refused("set", self.db, "/data/cats/nobody", "age=1", says="/data/cats/nobody")
        self.refused("unset", self.db, "/data/cats/nobody", "age", says="/data/cats/nobody")
        self.refused("delete", self.db, "/data/cats/nobody", says="/data/cats/nobody")
        self.refused("log", self.db, "/data/cats/nobody", says="/data/cats/nobody")
        for command in ("digest", "query", "ls", "verify"):
            self.refused(command, self.db, "/data/dogs", says="/data/dogs")
        self.refused("apply", self.db, "/data/dogs", "--quiet", stdin='{"name": "rex", "set": {"age": 1}}\n',
                     says="/data/dogs/rex")
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", self.path("none"), code=TROUBLE,
                     says=["none", "No such file"])
        self.refused("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", self.folder, code=TROUBLE,
                     says="directory")
        self.refused("schema", self.db, "add", self.path("none"), code=TROUBLE, says="No such file")

    def test_wrong_schemas(self):
        for text in ("", "5", "{}", '{"ns": "x", "version": 0, "fields": {}}', '{"ns": "", "version": 1, "fields": {}}',
                     '{"ns": "x", "version": 1, "fields": {"a": {"type": "colour"}}}',
                     '{"ns": "x", "version": 1, "fields": {"a": {"type": "string", "min": "x"}}}',
                     '{"ns": "x", "version": 1, "fields": {"a": {"type": "string", "pattern": "("}}}'):
            with self.subTest(text=text):
                self.refused("schema", self.db, "add", "-", stdin=text)


class LargeField(Case):
    def test_a_field_of_1_mib_is_stored_whole(self):
        self.make()
        text = "0123456789abcdef" * 65536
        self.goat("put", self.db, "/data/cats/tom", "--schema", "cat", "-", stdin=json.dumps({"name": text}))
        self.assertEqual(self.get("tom")["name"], text)
        self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "colour", "--quiet",
                  stdin=json.dumps({"name": text, "colour": "red"}) + "\n")
        self.assertEqual(self.get("red")["name"], text)
        self.goat("set", self.db, "/data/cats/tom", "name=small")
        self.verified()


class Places(Case):
    def test_no_database(self):
        os.mkdir(self.path("empty"))
        file = self.write("file", "x")
        for place in (self.path("none"), self.path("empty")):
            self.refused("ls", place, says=place)
            self.refused("put", place, "/a/b/c", "--schema", "x", "{}", says=place)
            self.refused("schema", place, "add", file, says=place)
        self.goat("ls", file, code=TROUBLE)
        self.goat("init", os.path.join(file, "db"), code=TROUBLE)
        self.goat("init", file, code=TROUBLE)
        self.assertEqual(sorted(os.listdir(self.folder)), ["empty", "file"])
        self.assertEqual(os.listdir(self.path("empty")), [])

    def test_a_database_of_another_process(self):
        self.make()
        self.put("tom")
        owner = subprocess.Popen([GOAT, "import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--ack",
                                  "--flush", "batch", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with owner:
            owner.stdin.write(b'{"name": "ada"}\n')
            owner.stdin.flush()
            owner.stdout.readline()
            for arguments in (["ls", self.db], ["put", self.db, "/data/cats/eve", "--schema", "cat", '{"name": "eve"}'],
                              ["verify", self.db], ["init", self.db]):
                self.refused(*arguments, code=TROUBLE, says=[str(owner.pid), "goat"])
            owner.stdin.close()
            owner.wait(60)
        self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/ada\n/data/cats/tom\n")
        self.verified()

    def test_a_key_file_that_others_can_read(self):
        self.make()
        self.put("tom")
        for name in ("root.key", "session.key"):
            for mode in (0o640, 0o604, 0o644):
                os.chmod(self.path("db", name), mode)
                self.refused("put", self.db, "/data/cats/ada", "--schema", "cat", '{"name": "ada"}', code=TROUBLE,
                             says=[name, "chmod 600"])
                self.assertEqual(self.error.count(name), 1)
            os.chmod(self.path("db", name), 0o600)
        self.put("ada")
        self.verified()

    def test_a_key_file_that_is_none(self):
        self.make()
        self.put("tom")
        for name in ("root.key", "session.key"):
            with open(self.path("db", name), "rb") as file:
                good = file.read()
            for bad in (b"", good[:-2], b"x" + good, good[:20] + b"g" + good[21:], good * 2, b"\0" * 100000):
                with open(self.path("db", name), "wb") as file:
                    file.write(bad)
                self.goat("put", self.db, "/data/cats/ada", "--schema", "cat", '{"name": "ada"}', code=TROUBLE)
                self.assertIn(name, self.error)
            with open(self.path("db", name), "wb") as file:
                file.write(good)
        self.put("ada")

    def test_a_log_of_a_newer_format(self):
        self.make()
        self.put("tom")
        path = self.path("db", "repos", "data", "cats.log")
        with open(path, "rb") as file:
            log = bytearray(file.read())
        for block in (0, 512):
            struct.pack_into("<H", log, block + 8, 2)
            struct.pack_into("<I", log, block + 508, crc32c(bytes(log[block:block + 508])))
        with open(path, "wb") as file:
            file.write(log)
        names = sorted(os.listdir(os.path.dirname(path)))
        for arguments in (["get", self.db, "/data/cats/tom"], ["ls", self.db, "/data/cats"],
                          ["put", self.db, "/data/cats/ada", "--schema", "cat", '{"name": "ada"}']):
            self.refused(*arguments, code=TROUBLE, says=["/data/cats", "format version 2"])
        with open(path, "rb") as file:
            self.assertEqual(file.read(), log)
        self.assertEqual(sorted(os.listdir(os.path.dirname(path))), names)

    @contextlib.contextmanager
    def mounted(self, *options):
        """A small file system of its own at `db`'s place."""
        if not IS_ROOT:
            self.skipTest("mounting needs root")
        place = self.path("mounted")
        os.mkdir(place)
        if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], capture_output=True).returncode != 0:
            self.skipTest("nothing can be mounted here")
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)

    def test_a_full_disk(self):
        with self.mounted("-o", "size=1m") as place:
            self.db = os.path.join(place, "db")
            self.make()
            self.put("tom", age=1)
            cats = self.write_lines("cats", [{"name": f"cat {i}", "notes": {"hex": os.urandom(500).hex()}}
                                             for i in range(3000)])
            told = self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--flush", "batch", "--ack",
                             "--quiet", cats, code=TROUBLE)
            self.assertIn("/data/cats", self.error)
            self.assertRegex(self.error, "(?i)no space|full")
            acknowledged = int((told.split() or ["0"])[-1])
            self.assertGreater(acknowledged, 100)
            self.assertEqual(self.get("tom")["age"], 1)
            self.verified()
            self.assertGreaterEqual(int(self.goat("query", self.db, "/data/cats", "--count")), acknowledged + 1)
            self.goat("put", self.db, "/data/cats/tom", "-", stdin=json.dumps({"name": "y" * 900000}), code=TROUBLE)
            self.assertEqual(self.get("tom")["age"], 1)
            subprocess.run(["mount", "-o", "remount,size=16m", place], check=True)
            self.goat("import", self.db, "/data/cats", "--schema", "cat", "--key", "name", "--quiet", cats)
            self.assertEqual(self.goat("query", self.db, "/data/cats", "--count"), "3001\n")
            self.verified()

    def test_a_disk_too_full_for_a_database(self):
        with self.mounted("-o", "size=64k") as place:
            with open(os.path.join(place, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            self.goat("init", os.path.join(place, "db"), code=TROUBLE)
            os.remove(os.path.join(place, "filler"))
            self.goat("init", os.path.join(place, "db"))

    def test_a_read_only_disk_can_be_read(self):
        with self.mounted() as place:
            self.db = os.path.join(place, "db")
            self.make()
            self.put("tom")
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            self.assertEqual(self.get("tom")["name"], "tom")
            self.assertEqual(self.goat("ls", self.db, "/data/cats"), "/data/cats/tom\n")
            self.verified()
            for arguments in (["put", self.db, "/data/cats/ada", "--schema", "cat", '{"name": "ada"}'],
                              ["set", self.db, "/data/cats/tom", "age=1"], ["init", os.path.join(place, "other")]):
                self.refused(*arguments, code=TROUBLE, says="Read-only")
            subprocess.run(["mount", "-o", "remount,rw", place], check=True)
            self.verified()

    @unittest.skipIf(IS_ROOT, "root may write everywhere")
    def test_a_folder_without_the_right_to_write_can_be_read(self):
        self.make()
        self.put("tom")
        folders = [parent for parent, _, _ in os.walk(self.db)]
        for folder in folders:
            os.chmod(folder, 0o500)
        try:
            self.assertEqual(self.get("tom")["name"], "tom")
            self.goat("put", self.db, "/data/dogs/rex", "--schema", "cat", '{"name": "rex"}', code=TROUBLE)
        finally:
            for folder in folders:
                os.chmod(folder, 0o700)
        self.verified()

    def test_a_log_that_was_taken_from_another_database(self):
        self.make()
        self.put("tom")
        mine, self.db = self.db, self.path("other")
        self.make()
        self.put("ada")
        shutil.copy(os.path.join(mine, "repos", "data", "cats.log"), os.path.join(self.db, "repos", "data", "cats.log"))
        self.goat("get", self.db, "/data/cats/tom", code=TROUBLE)
        self.assertIn("/data/cats", self.error)


def crc32c(data):
    """CRC-32C, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283

if __name__ == "__main__":
    run()
