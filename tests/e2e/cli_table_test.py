#!/usr/bin/env python3
"""The help, the manual pages and the completion say the same as the command's own table of commands."""
import glob
import json
import os
import re
import shutil
import subprocess

from cli_support import SOURCE, USAGE, Case, run

CLI = os.path.join(SOURCE, "bindings", "cli")


def page(name):
    with open(os.path.join(CLI, "man", name), encoding="utf-8") as file:
        return file.read()


def plain(macro):
    """One line of mdoc as it is printed: `.Op Ar FILE` is [FILE]."""
    words = macro.split()[1:] if macro.startswith(".") else macro.split()
    optional = macro.startswith(".Op ")
    words = [word for word in words if word not in ("Ar", "Cm", "Nm", "Ns", "Op")]
    text = " ".join(words).replace("Fl -", "--").replace(" = ", "=").replace(" ...", "...")
    if macro.startswith(".Fl -"):
        text = "--" + text.removeprefix("-")
    return f"[{text}]" if optional else text


def synopses(text):
    """What stands behind the command's name in SYNOPSIS, once for each .Nm."""
    found = []
    for line in re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh ", text, re.M | re.S)[1].splitlines():
        if line.startswith(".Nm "):
            found.append([])
        else:
            found[-1].append(plain(line))
    return [" ".join(words) for words in found]


class Table(Case):
    def setUp(self):
        super().setUp()
        self.commands = json.loads(self.goat("help", "--json"))["commands"]
        self.names = [command["name"] for command in self.commands]

    def test_the_commands_are_those_that_were_promised(self):
        self.assertEqual(self.names, "init schema import apply get put set unset delete ls query log digest verify "
                                     "serve clone sync status help".split())

    def test_every_command_has_json(self):
        for command in self.commands:
            self.assertIn("json", [option["name"] for option in command["options"]], command["name"])

    def test_help_names_every_option_fits_a_terminal_and_has_an_example(self):
        for command in self.commands:
            text = self.goat(command["name"], "--help")
            self.assertEqual(text, self.goat("help", command["name"]))
            self.assertEqual(text, self.goat(command["name"], "-h", "--json"))
            self.assertLessEqual(max(map(len, text.splitlines())), 80, command["name"])
            for synopsis in command["synopses"]:
                self.assertIn(f"goat {command['name']} {synopsis} [OPTION]...", text)
            for option in command["options"]:
                self.assertIn(" ".join(filter(None, ("--" + option["name"], option["argument"]))), text)
            self.assertIn(f"example: goat {command['name']}", text)

    def test_the_list_of_commands_is_whole(self):
        for text in (self.goat("help"), self.goat("--help")):
            for command in self.commands:
                self.assertIn(f"{command['name']:8} {command['summary']}", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_help_of_no_command_is_wrong_usage(self):
        self.refused("help", "fly", code=USAGE, says="fly")

    def test_every_command_has_a_page_with_its_summary_synopsis_and_options(self):
        for command in self.commands:
            text = page(f"goat-{command['name']}.1")
            self.assertIn(f".Nd {command['summary']}\n", text)
            self.assertEqual(synopses(text), [f"{synopsis} [OPTION...]" for synopsis in command["synopses"]])
            options = [" ".join(filter(None, (option["name"], option["argument"]))) for option in command["options"]]
            found = re.findall(r"^\.It Fl -(\S+)(?: Ar (.+))?$", text, re.M)
            self.assertEqual([" ".join(filter(None, each)) for each in found], options + ["help"], command["name"])

    def test_the_page_of_all_lists_all(self):
        text = page("goat.1")
        for command in self.commands:
            summary = command["summary"][0].upper() + command["summary"][1:]
            self.assertIn(f".It Cm {command['name']}\n{summary};\nsee\n.Xr goat-{command['name']} 1 .", text)
        pages = sorted(os.path.basename(path) for path in glob.glob(os.path.join(CLI, "man", "*")))
        self.assertEqual(pages, sorted([f"goat-{name}.1" for name in self.names] + ["goat.1"]))

    def test_mandoc_has_nothing_to_say(self):
        if shutil.which("mandoc") is None:
            self.skipTest("there is no mandoc here")
        pages = glob.glob(os.path.join(CLI, "man", "*.1"))
        lint = subprocess.run(["mandoc", "-Tlint", "-Wstyle", *pages], capture_output=True, text=True)
        # Pages that are not installed here, and Debian's word for itself, are no fault of these.
        said = [line for line in lint.stdout.splitlines() if "referenced manual not found" not in line]
        self.assertEqual(said, [])

    def complete(self, *words):
        script = (f". {CLI}/completion/goat.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($#-1)); _goat 2>/dev/null; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_completion_knows_every_command_and_option(self):
        self.assertEqual(self.complete("goat", ""), self.names + ["--help", "--version"])
        for command in self.commands:
            options = ["--" + option["name"] for option in command["options"]] + ["--help"]
            self.assertEqual(self.complete("goat", command["name"], "-"), options, command["name"])

    def test_completion_knows_which_options_take_a_value(self):
        """Behind a flag options go on; behind an option with a value they do not."""
        for command in self.commands:
            for option in command["options"]:
                after = self.complete("goat", command["name"], "--" + option["name"], "--")
                self.assertEqual("--json" in after, option["argument"] is None, f"{command['name']} --{option['name']}")

    def test_completion_knows_repositories(self):
        self.make()
        self.put("tom")
        self.assertIn("/data/cats", self.complete("goat", "query", self.db, "/d"))
        self.assertIn("/data/cats/", self.complete("goat", "get", self.db, "/d"))


if __name__ == "__main__":
    run()
