#!/usr/bin/env python3
"""A server and its replicas: what is edited apart becomes equal, live and after a pause."""
import json
import os
import shutil
import signal
import stat

from cli_support import DONE, TROUBLE, USAGE, run
from sync_support import REPO, Process, SyncCase, some_cats, wait_until


class Clone(SyncCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(self.origin(cats=some_cats(300, colour="grey")))

    def test_a_clone_is_the_same_as_its_origin(self):
        a = self.clone(self.server.url, "a")
        self.assertRegex(self.error, rf"^goat clone: note: .*{self.server.root}")
        self.assertEqual(self.error.count("\n"), 1)
        self.stop(self.server)
        self.assert_even(self.replica("server"), a)
        self.assertEqual(a.get("cat-000007")["colour"], "grey")
        self.assertEqual(json.loads(a.goat("schema", "list", "--json").splitlines()[-1])["ns"], "cat")

    def test_a_root_key_that_is_given_is_checked_and_nothing_is_said(self):
        a = self.clone(self.server.url, "a", "--root", self.server.root)
        other = self.serve(self.origin("other"))
        self.refused("clone", self.server.url, self.path("b"), "--root", other.root, code=TROUBLE, says="root key")
        self.assertFalse(os.path.exists(self.path("b")))
        for wrong in ("12", self.server.root[:-1] + "g", self.server.root + "00"):
            self.refused("clone", self.server.url, self.path("b"), "--root", wrong, code=USAGE, says="--root")
        # A clone stays with its network, whatever answers at another address.
        self.refused("sync", a.db, "--url", other.url, code=TROUBLE, says="another network")
        self.assertEqual(a.sync()["url"], self.server.url)

    def test_only_the_repositories_that_are_named_are_cloned(self):
        b = self.clone(self.server.url, "b")
        b.add(some_cats(10), repo="/data/kittens")
        b.add(some_cats(10), repo="/data/lions")
        b.sync()
        a = self.clone(self.server.url, "a", "/data/kittens")
        self.assertEqual([path for path in a.goat("ls").split() if not path.startswith("/sys/")], ["/data/kittens"])
        b.set("cat-000001", "age=5", repo="/data/kittens")
        b.set("cat-000001", "age=5", repo="/data/lions")
        b.sync()
        a.sync()
        self.assertEqual([path for path in a.goat("ls").split() if not path.startswith("/sys/")], ["/data/kittens"])
        self.assertEqual(a.get("cat-000001", "/data/kittens")["age"], 5)
        self.refused("clone", self.server.url, self.path("c"), "/data/tigers", says="/data/tigers", notes=True)

    def test_a_repository_made_at_one_replica_comes_to_all(self):
        a, b = self.clone(self.server.url, "a"), self.clone(self.server.url, "b")
        a.add(some_cats(10), repo="/data/kittens")
        self.assertEqual(a.sync()["sent"], 10)
        self.assertEqual(b.sync()["received"], 10)
        self.stop(self.server)
        self.assert_even(self.replica("server"), a, b, repo="/data/kittens")

    def test_cloning_into_something_else_is_refused(self):
        mine = self.origin("mine")
        self.refused("clone", self.server.url, mine.db, says="there is a database already")
        self.clone(self.server.url, "a")
        self.goat("clone", self.server.url, self.path("a"), "--quiet")  # the same again finishes what was begun
        self.write("file", "")
        self.refused("clone", self.server.url, self.path("file"), code=TROUBLE)

    def test_a_summary_says_what_came(self):
        text = self.goat("clone", self.server.url, self.path("a"), "--root", self.server.root)
        self.assertRegex(text, rf"^{self.server.url}: 300 commits came, 0 went \(.* in, .* out\), even in \d+\.\d+ s\n$")
        made = json.loads(self.goat("clone", self.server.url, self.path("b"), "--root", self.server.root, "--json"))
        self.assertEqual((made["url"], made["root"]), (self.server.url, self.server.root))
        self.assertGreaterEqual(made["received"], 300)


class Sync(SyncCase):
    def setUp(self):
        super().setUp()
        self.origin(cats=some_cats(50))
        self.server = self.serve(self.replica("server"))
        self.a, self.b = self.clone(self.server.url, "a"), self.clone(self.server.url, "b")

    def test_edits_made_apart_meet(self):
        a, b = self.a, self.b
        a.set("cat-000001", "age=2", "colour=red")
        b.set("cat-000001", "age=3")
        b.goat("apply", REPO, "--schema", "cat", "--quiet", stdin='{"name":"cat-000002","set":{"colour":"black"}}\n'
               '{"name":"cat-000003","delete":true}\n{"name":"lea","create":{"name":"lea"}}\n')
        a.set("cat-000003", "age=9")
        said = a.sync()
        self.assertEqual((said["sent"], said["received"]), (2, 0))
        said = b.sync()
        self.assertEqual((said["sent"], said["received"]), (4, 2))
        said = a.sync()
        self.assertEqual((said["sent"], said["received"]), (0, 4))
        self.stop(self.server)
        self.assert_even(a, b, self.replica("server"))
        for each in (a, b, self.replica("server")):
            cat = each.get("cat-000001")
            self.assertEqual((cat["age"], cat["colour"]), (3, "red"))
            self.assertEqual(each.get("cat-000002")["colour"], "black")
            self.assertEqual(each.get("cat-000003")["age"], 9)  # the edit undoes a deletion that did not know of it
            self.assertEqual(each.get("lea")["name"], "lea")

    def test_what_one_did_is_reverted_by_another_while_he_goes_on(self):
        a, b = self.a, self.b
        for number in (1, 2, 3):
            a.set(f"cat-00000{number}", "colour=red", "age=4")
        a.put("lea")
        self.sync_all(a, b)
        session = json.loads(b.goat("log", REPO + "/lea", "--json").splitlines()[0])["session"]
        a.set("cat-000001", "tame=false")
        reverted = [json.loads(line) for line in b.goat("revert", "--session", session, "--json").splitlines()]
        self.assertEqual(sorted(item["path"].rsplit("/", 1)[1] for item in reverted),
                         ["cat-000001", "cat-000002", "cat-000003", "lea"])
        self.sync_all(a, b)
        self.stop(self.server)
        self.assert_even(a, b, self.replica("server"))
        for each in (a, b, self.replica("server")):
            self.assertNotIn("colour", each.get("cat-000002"))
            self.assertEqual(each.get("cat-000002")["age"], 1)
            self.assertNotIn("colour", each.get("cat-000001"))
            self.assertEqual((each.get("cat-000001")["age"], each.get("cat-000001")["tame"]), (1, False))
            self.assertNotIn("lea", each.rows())
            each.read_by_others()
        a.goat("revert", *(item["commit"] for item in reverted))
        self.assertEqual((a.get("cat-000002")["colour"], a.get("cat-000002")["age"]), ("red", 4))
        self.assertEqual(a.get("lea")["name"], "lea")
        self.assertEqual(a.verified()["faults"], [])

    def test_the_line_says_what_came_and_went_and_nothing_new_is_nothing(self):
        self.a.set("cat-000001", "age=2")
        text = self.goat("sync", self.a.db)
        self.assertRegex(text, rf"^{self.server.url}: 0 commits came, 1 went \(.* in, .* out\), even in \d+\.\d+ s\n$")
        said = self.a.sync()
        self.assertEqual((said["received"], said["sent"], said["even"]), (0, 0, True))

    def test_the_history_of_a_clone_names_its_authors(self):
        self.a.set("cat-000001", "age=2")
        self.a.sync()
        self.b.sync()
        log = [json.loads(line) for line in self.b.goat("log", REPO + "/cat-000001", "--json").splitlines()]
        self.assertEqual(len({entry["session"] for entry in log}), 2)
        self.assertEqual(log, [json.loads(line) for line in
                               self.a.goat("log", REPO + "/cat-000001", "--json").splitlines()])

    def test_the_logs_of_all_are_read_by_a_reader_that_shares_no_code(self):
        for number, each in enumerate((self.a, self.b)):
            each.set("cat-000001", f"age={number + 2}")
            each.add(some_cats(30, first=100 * (number + 1)))
        self.sync_all(self.a, self.b)
        self.stop(self.server)
        counted = [each.read_by_others() for each in (self.replica("server"), self.a, self.b)]
        self.assertEqual(len({each["commits"] for each in counted}), 1, counted)
        for each in counted:
            self.assertGreater(each["commits"], 50 + 2 + 60)  # and certificates, and a schema
            self.assertGreater(each["receipts"], 0)

    def test_what_a_schema_becomes_on_the_server_is_known_to_all(self):
        self.stop(self.server)
        dog = {"ns": "dog", "version": 1, "fields": {"name": {"type": "string"}}}
        self.goat("schema", self.replica("server").db, "add", self.write("dog.json", json.dumps(dog)))
        self.restart(self.server)
        self.a.sync()
        self.a.goat("put", "/data/dogs/rex", "--schema", "dog", '{"name":"rex"}')
        self.a.sync()
        self.b.sync()
        self.assertEqual(self.b.get("rex", "/data/dogs")["name"], "rex")

    def test_a_database_without_a_server_says_how_to_get_one(self):
        mine = self.origin("mine")
        self.refused("sync", mine.db, says=["--url", "goat clone"])
        self.refused("sync", self.path("none"), says="No such file")
        self.refused("sync", self.a.db, "--url", "http://127.0.0.1:1", code=USAGE, says="ws://")

    def test_url_moves_a_clone_to_where_its_server_is_now(self):
        self.stop(self.server)
        moved = self.serve(self.replica("server"))
        self.assertNotEqual(moved.url, self.server.url)
        self.a.set("cat-000001", "age=2")
        self.assertEqual(self.a.sync("--url", moved.url)["sent"], 1)
        self.assertEqual(self.a.sync()["url"], moved.url)


class Watch(SyncCase):
    def setUp(self):
        super().setUp()
        self.origin(cats=some_cats(50))
        self.server = self.serve(self.replica("server"))
        self.a, self.b = self.clone(self.server.url, "a"), self.clone(self.server.url, "b")
        self.watch = self.background(Process("sync", self.a.db, "--watch", "--json"))
        self.assertTrue(json.loads(self.watch.line())["even"])

    def change(self):
        return json.loads(self.watch.line())

    def test_a_remote_change_is_a_line(self):
        self.b.set("cat-000001", "age=2", "colour=red")
        self.b.sync()
        change = self.change()
        self.assertEqual((change["path"], change["origin"], sorted(change["fields"])),
                         (REPO + "/cat-000001", "remote", ["age", "colour"]))
        self.b.put("lea")
        self.b.sync()
        self.assertEqual(self.change()["path"], REPO + "/lea")
        self.assertEqual(self.watch.end(signal.SIGINT), DONE, self.watch.said())
        self.assertEqual(self.a.get("lea")["name"], "lea")
        self.assertEqual(self.watch.said(), "")

    def test_a_server_that_comes_back_is_found_again(self):
        for kill in (signal.SIGTERM, signal.SIGKILL):
            self.server.end(kill)
            wait_until(lambda: self.watch.said().count("note: ") % 2 == 1, "a word that the server is gone")
            self.server = self.restart(self.server)
            self.b.set("cat-000002", f"age={int(kill)}")
            self.b.sync()
            change = self.change()
            self.assertEqual((change["path"], change["fields"]), (REPO + "/cat-000002", ["age"]))
        self.assertEqual(self.watch.end(signal.SIGTERM), DONE)
        self.stop(self.server)
        self.assert_even(self.a, self.b, self.replica("server"))

    def test_for_people_a_change_is_a_line_too(self):
        c = self.clone(self.server.url, "c")
        watch = self.background(Process("sync", c.db, "--watch"))
        self.assertIn("even", watch.line())
        self.b.set("cat-000001", "age=2", "colour=red")
        self.b.sync()
        self.assertRegex(watch.line(), rf"^{REPO}/cat-000001\s+remote\s+age, colour$")
        self.assertEqual(watch.end(signal.SIGINT), DONE)

    def test_whoever_else_wants_the_database_is_told_who_has_it(self):
        self.refused("set", self.a.db, REPO + "/cat-000001", "age=3", code=TROUBLE,
                     says=[str(self.watch.process.pid), "goat sync"])


class Serve(SyncCase):
    def test_one_line_says_that_it_is_ready(self):
        self.origin()
        process = self.background(Process("serve", self.path("server"), "--listen", "127.0.0.1:0", "--json"))
        ready = json.loads(process.line())
        self.assertRegex(ready["url"], r"^ws://127\.0\.0\.1:\d+$")
        self.assertRegex(ready["root"], r"^[0-9a-f]{64}$")
        self.assertEqual(process.end(signal.SIGINT), DONE)
        self.assertEqual(process.said(), "")

    def test_without_a_database_there_is_no_server(self):
        self.refused("serve", self.path("none"), says="goat init")
        self.assertFalse(os.path.exists(self.path("none")))
        self.origin()
        for wrong in ("", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":"):
            self.refused("serve", self.path("server"), "--listen", wrong, code=USAGE, says="--listen")

    def test_a_root_key_alone_is_a_lost_server(self):
        origin = self.origin()
        server = self.serve(origin)
        self.stop(server)
        os.mkdir(self.path("lost"))
        shutil.copy2(os.path.join(origin.db, "root.key"), self.path("lost"))
        again = self.serve(self.replica("lost"))
        self.assertEqual(again.root, server.root)
        self.stop(again)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.path("lost"), "root.key")).st_mode), 0o600)

    def test_a_database_is_served_once(self):
        server = self.serve(self.origin())
        self.refused("serve", server.db, "--listen", "127.0.0.1:0", code=TROUBLE, says=str(server.process.pid))
        self.stop(server)

    def test_http_on_the_same_port(self):
        os.mkdir(self.path("site"))
        self.write("site/index.html", "<p>goats</p>")
        self.write("secret", "no")
        server = self.serve(self.origin(cats=some_cats(10)), "--static", self.path("site"))
        self.assertEqual(server.http("/healthz")[0], 200)
        self.assertEqual(server.http("/")[1], "<p>goats</p>")
        self.assertEqual(server.http("/index.html")[1], "<p>goats</p>")
        for path in ("/../secret", "/%2e%2e/secret", "/none", "//secret", "/index.html/"):
            self.assertIn(server.http(path)[0], (400, 403, 404), path)
        self.assertIn(server.http("/healthz", "DELETE")[0], (404, 405))
        self.clone(server.url, "a")
        numbers = server.metrics()
        self.assertTrue(all(name.startswith("goat_") for name in numbers), numbers)
        self.assertGreaterEqual(numbers["goat_connections_total"], 2)
        self.assertGreaterEqual(numbers["goat_batches_out_total"], 1)

    def test_sigterm_flushes_what_came_and_ends_with_0(self):
        origin = self.origin(cats=some_cats(10))
        server = self.serve(origin)
        a = self.clone(server.url, "a")
        a.add(some_cats(500, first=100))
        a.sync()
        self.stop(server)
        self.assert_even(a, origin)


class Status(SyncCase):
    def test_what_is_waiting_to_go_is_counted(self):
        origin = self.origin(cats=some_cats(10))
        server = self.serve(origin)
        a = self.clone(server.url, "a")
        said = json.loads(self.goat("status", a.db, "--json"))
        self.assertEqual((said["url"], said["pending"]), (server.url, 0))
        a.set("cat-000001", "age=2")
        a.set("cat-000002", "age=2")
        said = json.loads(self.goat("status", a.db, "--json"))
        self.assertEqual(said["pending"], 2)
        text = self.goat("status", a.db)
        self.assertIn(server.url, text)
        self.assertRegex(text, rf"(?m)^{REPO}\s.*2 ")
        a.sync()
        self.assertEqual(json.loads(self.goat("status", a.db, "--json"))["pending"], 0)

    def test_the_last_trouble_is_remembered_until_it_is_over(self):
        origin = self.origin(cats=some_cats(10))
        server = self.serve(origin)
        a = self.clone(server.url, "a")
        self.stop(server)
        self.refused("sync", a.db, "--timeout", "1", code=TROUBLE, says=server.url)
        self.assertRegex(self.goat("status", a.db), r"(?m)^last trouble")
        self.restart(server)
        a.sync()
        self.assertNotIn("trouble", self.goat("status", a.db))

    def test_a_database_without_a_server_has_a_status_too(self):
        self.origin("mine", cats=some_cats(3))
        said = json.loads(self.goat("status", self.path("mine"), "--json"))
        self.assertIsNone(said["url"])
        self.refused("status", self.path("none"), says="No such file")


if __name__ == "__main__":
    run()
