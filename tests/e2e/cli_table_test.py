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
        self.assertEqual(self.names, "init schema import apply get put set unset delete ls query log explain revert "
                                     "digest verify serve clone sync status help".split())

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
        self.assertEqual(pages, sorted([f"goat-{name}.1" for name in self.names] + ["goat.1", "goat-schema.5"]))

    def test_the_page_of_schemas_names_every_type_and_its_examples_are_right(self):
        text = page("goat-schema.5")
        with open(os.path.join(SOURCE, "core", "schema", "types.c"), encoding="utf-8") as file:
            types = re.findall(r'\[GT_TYPE_\w+\] = \{"([a-z]+)"', file.read())
        self.assertGreater(len(types), 12)
        for name in types:
            self.assertRegex(text, rf"(?m)^[^{{]*\b{name}\b")
        self.make()
        cats = re.findall(r'^\{"ns": "cat".*?\}$', text, re.M | re.S)
        self.assertEqual(len(cats), 2)
        for version, cat in enumerate(cats, 1):
            told = self.goat("schema", self.db, "add", "-", notes=True, stdin=cat.replace('"cat"', '"kitten"'))
            self.assertEqual(told, f"kitten {version}\n")

    def test_mandoc_has_nothing_to_say(self):
        if shutil.which("mandoc") is None:
            self.skipTest("there is no mandoc here")
        pages = glob.glob(os.path.join(CLI, "man", "*.[15]"))
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

    def test_operands_are_counted_behind_options_that_something_follows(self):
        """In bash by what it offers, in fish by its lists; zsh's own _arguments does it by the options."""
        follows = {"--" + option["name"]: option["argument"] for command in self.commands
                   for option in command["options"] if option["argument"] is not None}
        fish = self.completion("goat.fish")
        for name, count in (("with_value", 1), ("with_two", 2)):
            listed = re.search(rf"^set -g __goat_{name} (.*)$", fish, re.M)[1].split()
            self.assertEqual(sorted(listed),
                             sorted(option for option, words in follows.items() if len(words.split()) == count))
        os.mkdir(self.path("a-folder"))
        for command in self.commands:
            for option in command["options"]:
                if option["argument"] is not None and command["name"] not in ("clone", "help"):
                    values = ["x"] * len(option["argument"].split())
                    self.assertEqual(self.complete("goat", command["name"], "--" + option["name"], *values,
                                                   self.path("a-f")), [self.path("a-folder")], option["name"])

    def test_completion_knows_repositories(self):
        self.make()
        self.put("tom")
        self.assertIn("/data/cats", self.complete("goat", "query", self.db, "/d"))
        self.assertIn("/data/cats/", self.complete("goat", "get", self.db, "/d"))

    def test_completions_for_zsh_and_fish_list_the_whole_table(self):
        zsh, fish = (self.completion(name) for name in ("_goat", "goat.fish"))
        summaries = [(command["name"], command["summary"]) for command in self.commands]
        self.assertEqual(re.findall(r"^        '(\w+):(.*)'$", zsh.replace("'\\''", "’"), re.M),
                         [(name, text.replace("'", "’")) for name, text in summaries])
        self.assertEqual(re.findall(r"^complete -c goat -n __goat_has_no_command -a (\w+) -d '(.*)'$",
                                    fish.replace("\\'", "’"), re.M),
                         [(name, text.replace("'", "’")) for name, text in summaries])
        for command in self.commands:
            said = [(option["name"], option["argument"], " ".join(option["help"].split())) for option in
                    [*command["options"], {"name": "help", "argument": None, "help": "print this"}]]
            self.assertEqual(list(self.zsh_options(zsh, command["name"])), said, command["name"])
            self.assertEqual(list(self.fish_options(fish, command["name"])),
                             [(name, argument is not None, text) for name, argument, text in said], command["name"])

    @staticmethod
    def completion(name):
        with open(os.path.join(CLI, "completion", name), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def zsh_options(text, command):
        """Name, what follows it, and the explanation; two words that follow are one argument of the table."""
        block = re.search(rf"^        {command}\)\n(.*?);;$", text, re.M | re.S)[1].replace("'\\''", "’")
        for name, help_text, rest in re.findall(r"^ +'--([a-z-]+)=?\[((?:[^\]\\]|\\.)*)\](.*)'$", block, re.M):
            words = re.findall(r":([A-Z][A-Z:,-]*[A-Z]|[A-Z]):", rest.replace("\\:", ":"))
            yield name, " ".join(words) or None, re.sub(r"\\(.)", r"\1", help_text).replace("’", "'")

    @staticmethod
    def fish_options(text, command):
        pattern = rf"^complete -c goat -n '__goat_is {command}' -l (\S+)( -[xr].*)? -d '(.*)'$"
        for name, follows, help_text in re.findall(pattern, text.replace("\\'", "’"), re.M):
            yield name, follows != "", help_text.replace("’", "'")

    def test_fish_completes(self):
        if shutil.which("fish") is None:
            self.skipTest("there is no fish here")
        self.make()
        self.put("tom")
        for command in self.commands:
            found = self.fish(f"goat {command['name']} --").splitlines()
            options = [option["name"] for option in command["options"]] + ["help"]
            self.assertEqual(sorted(line.split("\t")[0] for line in found), sorted("--" + name for name in options))
        self.assertIn("/data/cats\n", self.fish(f"goat query {self.db} /d"))
        self.assertIn("/data/cats/\n", self.fish(f"goat query pets; goat get {self.db} /d"))

    def fish(self, line):
        script = f"source {CLI}/completion/goat.fish; complete -C '{line}'"
        return subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True).stdout

    def test_zsh_reads_its_completion(self):
        if shutil.which("zsh") is None:
            self.skipTest("there is no zsh here")
        # Stubs take the place of what the shell's own completion offers, and print what they are given.
        script = ("compadd() { print -rl -- $@ }; _describe() { print -rl -- ${(P)@[-1]} }; "
                  "_arguments() { print -rl -- $@ }; words=(\"$@\"); CURRENT=$#words; set --; "
                  f". {CLI}/completion/_goat")
        def shown(*words):
            return subprocess.run(["zsh", "-fc", script, "zsh", *words], capture_output=True, text=True,
                                  check=True).stdout
        for command in self.commands:
            self.assertIn(command["name"] + ":", shown("goat", ""))
            text = shown("goat", command["name"], "")
            for option in command["options"]:
                self.assertRegex(text, rf"(?m)^--{option['name']}=?\[", command["name"])


if __name__ == "__main__":
    run()
