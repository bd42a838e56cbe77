#!/usr/bin/env python3
"""goat explain: which commits a field comes from, on one replica and after two that were edited apart."""
import json

from cli_support import NO, USAGE, run
from sync_support import SyncCase, some_cats


class Explain(SyncCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(self.origin(cats=some_cats(1, colour="grey")))
        self.a = self.clone(self.server.url, "a")
        self.item = "/data/cats/cat-000000"

    def told(self, replica, *more):
        return json.loads(replica.goat("explain", self.item, "--json", *more))

    def field(self, replica, *more):
        fields = self.told(replica, *more)["fields"]
        self.assertEqual(len(fields), 1)
        return fields[0]

    def newest(self, replica):
        return json.loads(replica.goat("log", self.item, "--json").splitlines()[0])["id"]

    def test_the_last_write_is_named(self):
        first = self.newest(self.a)
        self.a.set("cat-000000", "colour=red")
        second = self.newest(self.a)
        self.a.set("cat-000000", "age=5")
        colour = self.field(self.a, "colour")
        self.assertEqual([(one["id"], one["effect"]) for one in colour["commits"]], [(second, "kept")])
        self.assertEqual(colour["commits"][0]["parts"], [{"what": "written", "count": 1, "stands": 1}])
        self.assertEqual((colour["rule"], colour["type"], colour["state"]), ("the later write", "string", "set"))
        text = self.a.goat("explain", self.item, "colour")
        self.assertIn('\ncolour = "red"\n  string: the later write\nCOMMIT ', text)
        self.assertRegex(text, rf"(?m)^{second[:12]}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  [0-9a-f]{{8}}  kept: written$")
        self.assertNotIn(first[:12], text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        self.assertIn('\ncolour = "grey"', self.a.goat("explain", self.item).replace('"red"', '"grey"'))
        earlier = self.a.goat("explain", self.item, "colour", "--at", first[:8])
        self.assertIn(f"\n{first[:12]}  ", earlier)
        self.assertNotIn(second[:12], earlier)
        self.assertEqual(self.told(self.a, "colour", "--at", first)["at"], [first])

    def test_of_two_at_once_the_later_is_kept_and_named(self):
        b = self.clone(self.server.url, "b")
        base = self.newest(self.a)
        self.a.set("cat-000000", "colour=red", "meals=2")
        mine = self.newest(self.a)
        b.set("cat-000000", "colour=black", "meals=3")
        theirs = self.newest(b)
        self.sync_all(self.a, b)
        told = self.told(self.a, "colour")
        self.assertEqual((sorted(told["at"]), told["base"]), (sorted([mine, theirs]), [base]))
        kept, overridden = told["fields"][0]["commits"]
        self.assertEqual((kept["id"], kept["effect"], kept["by"]), (theirs, "kept", []))
        self.assertEqual((overridden["id"], overridden["effect"], overridden["by"]), (mine, "overridden", [theirs]))
        meals = self.field(self.a, "meals")["commits"]
        self.assertEqual([(one["effect"], one["parts"][0]["by"]) for one in meals], [("kept", 3), ("kept", 2)])
        self.assertEqual(self.told(self.a), self.told(b))
        text = self.a.goat("explain", self.item, "colour")
        self.assertIn(f"base: {base[:12]}\n", text)
        self.assertIn(f"  overridden by {theirs[:12]}: written\n", text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        self.assertIn("  kept: incremented by 3\n", self.a.goat("explain", self.item, "meals"))

    def test_deletions_defaults_and_what_is_not_set(self):
        self.assertEqual(self.field(self.a, "tame")["state"], "default")
        self.assertIn("\ntame = true (the default)\n", self.a.goat("explain", self.item))
        self.assertIn("\nborn, not set\n", self.a.goat("explain", self.item, "born"))
        self.a.goat("delete", self.item)
        told = self.told(self.a)
        self.assertTrue(told["deleted"])
        self.assertEqual([one["effect"] for one in told["deletions"]], ["kept"])
        self.assertIn("\nthe item, deleted\n", self.a.goat("explain", self.item))

    def test_a_limit_leaves_out_the_oldest(self):
        for number in range(4):
            self.a.goat("apply", "/data/cats", stdin=json.dumps(
                {"name": "cat-000000", "set": {"toys": [f"toy {number}"]}}) + "\n")
        toys = self.field(self.a, "toys", "--limit", "2")
        self.assertEqual((len(toys["commits"]), toys["more"]), (2, 2))
        text = self.a.goat("explain", self.item, "toys", "--limit", "2")
        self.assertIn("\n2 more (--limit)\n", text)
        self.assertIn('removed "toy 2"', text)

    def test_what_is_wrong_is_refused(self):
        db = self.a.db
        self.refused("explain", db, "/data/cats/nobody", says="/data/cats/nobody")
        self.refused("explain", db, self.item, "wings", says="wings")
        self.refused("explain", db, self.item, "--at", "xyz", code=USAGE, says="xyz")
        self.refused("explain", db, self.item, "--at", "0" * 64, code=NO, says="no commit")
        self.refused("explain", db, self.item, "--limit", "many", code=USAGE, says="--limit")


if __name__ == "__main__":
    run()
