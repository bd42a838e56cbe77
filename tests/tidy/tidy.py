#!/usr/bin/env python3
"""Checks on the source that no compiler makes. Prints each fault as file:line: text; exit 1 on any.

    tidy.py ROOT

Rules, each a function below: layers point downward; a file includes its own header first; nothing calls
what is banned; core/ stays off the system; every source file is built; no file is too long; every module
has its page; nothing is left unfinished.
"""
import os
import re
import sys

ORDER = "base port crypto value schema merge commit log repo query trust sync db net cluster".split()
EDGES = ("posix", "wasm", "sim")  # below core/port, linked in at the edge, included by nobody else
LINES_MAX = 500
LINES_MAX_TEST = 800  # many small cases are still one idea
LONG_BY_NATURE = {"abi/goat.h"}  # the whole interface on one page
FOLDERS = "abi bindings core packaging react tests .ci".split()
FILES_AT_ROOT = ("CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "SECURITY.md")

# Call → why. `core` rules hold in core/ and abi/, where the engine lives.
BANNED = {
    "strcpy strcat sprintf vsprintf gets stpcpy": "does not know how long its target is",
    "atoi atol atoll atof": "cannot report that the text is no number",
    "rand srand random srandom drand48": "is predictable and hides a global state",
    "strtok ctime asctime localtime gmtime": "returns memory that all threads share",
    "tmpnam mktemp tempnam": "races with whoever makes the same name",
    "alloca": "overflows the stack without a word",
    "system popen": "runs a shell",
}
BANNED_IN_CORE = {
    "malloc calloc realloc free strdup strndup": "goes past gt_alloc",
    "setjmp longjmp": "does not exist in the WASM build",
    "strerror": "returns memory that all threads share",
    "printf puts putchar perror": "writes where nobody asked",
    "exit _exit": "ends the host's program",
}
# What may do so all the same, because it is the place where it is done.
EXEMPT = {
    "core/base/alloc.c": "malloc calloc realloc free",
    "tests/bench/documents.c": "popen",  # gzip reads the documents
    "tests/bench/goat_rows.c": "popen",  # memory is measured in a process of its own
}

# System headers that the engine may include anywhere, and those that belong to one place.
HEADERS = set("float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h stdio.h "
              "stdlib.h string.h".split())
HEADERS_OF = {
    "core/base": r"(nmmintrin|immintrin|cpuid|arm_acle)\.h",
    "core/port/": r".*",
    "core/crypto": r"(openssl/.*|sodium(/.*)?\.h)",
    "core/value": r"jansson\.h",
    "core/schema": r"(jansson|pcre2)\.h",
    "core/net": r"(libwebsockets|openssl/.*|pthread|signal|errno|fcntl|unistd|poll|netdb|strings|time|arpa/inet|netinet/.*|"
                r"sys/.*|linux/(openat2|sockios))(\.h)?",
    "abi": r"(jansson|pthread|stdatomic|time|errno|unistd)\.h",
}

UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


class Source:
    """One text file: its path from the root, and its text with and without comments and strings."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8") as file:
            self.text = file.read()
        self.folder, self.name = os.path.split(path)

    def code(self):
        """The text with comments and literals blanked out, so that line numbers stay."""
        pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match[0]), self.text, flags=re.S)

    def includes(self):
        """(line, is quoted, name) of every include."""
        for match in INCLUDE.finditer(self.text):
            yield line_of(self.text, match.start(2)), match[1] == '"', match[2]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def walk(root):
    """Every text file of the project, below the folders that it has."""
    for name in FILES_AT_ROOT:
        if os.path.exists(os.path.join(root, name)):
            yield name
    for folder in FOLDERS:
        for parent, folders, files in os.walk(os.path.join(root, folder)):
            folders[:] = sorted(set(folders) - {"__pycache__", "node_modules", "corpus", "build", "dist"})
            for name in sorted(files):
                yield os.path.relpath(os.path.join(parent, name), root)


def is_engine(path):
    return path.startswith(("core/", "abi/"))


def layers(source, report):
    """A module includes only itself and those before it in ORDER; the edge ports only themselves."""
    if not source.path.startswith("core/"):
        return
    parts = source.path.split("/")
    if parts[1] not in ORDER:
        report(source, 1, f"core/{parts[1]} is not a layer")
        return
    for line, quoted, name in source.includes():
        target = name.split("/")
        if not quoted or name in ("goat.h", "goat_port.h"):
            continue
        if len(target) < 2 or target[0] not in ORDER:
            report(source, line, f'"{name}" is not named from core/')
        elif ORDER.index(target[0]) > ORDER.index(parts[1]):
            report(source, line, f"{parts[1]} is below {target[0]}")
        elif target[0] == "port" and target[1] in EDGES and parts[1:3] != target[:2]:
            report(source, line, f"port/{target[1]} is linked in at the edge")


def own_header_first(source, report):
    if not is_engine(source.path) or not source.name.endswith(".c"):
        return
    includes = list(source.includes())
    if not includes:
        return
    line, quoted, name = includes[0]
    own = source.path[:-2] + ".h"
    if os.path.exists(os.path.join(report.root, own)):
        if name not in (own.removeprefix("core/"), own.removeprefix("abi/"), source.name[:-2] + ".h"):
            report(source, line, f"the first include is not {own}")
    elif not quoted:
        report(source, line, "the first include is not one of ours, so nothing shows that it stands alone")


def banned_calls(source, report):
    if not source.name.endswith((".c", ".h")):
        return
    code = source.code()
    groups = dict(BANNED)
    if is_engine(source.path):
        groups.update(BANNED_IN_CORE)
    exempt = EXEMPT.get(source.path, "").split()
    for names, why in groups.items():
        allowed = [name for name in names.split() if name not in exempt]
        if not allowed:
            continue
        for match in re.finditer(r"(?<![\w.>])(" + "|".join(allowed) + r")\s*\(", code):
            report(source, line_of(code, match.start()), f"{match[1]}() {why}")


def system_headers(source, report):
    if not is_engine(source.path) or not source.name.endswith((".c", ".h")):
        return
    own = [pattern for folder, pattern in HEADERS_OF.items() if source.path.startswith(folder)]
    for line, quoted, name in source.includes():
        if not quoted and name not in HEADERS and not any(re.fullmatch(pattern, name) for pattern in own):
            report(source, line, f"<{name}> does not belong here")


def built(sources, report):
    """Every .c is named in a CMakeLists.txt above it (or matches what one globs), every header included."""
    makers = [source for source in sources
              if source.name == "CMakeLists.txt" or "." not in source.name
              or source.name.endswith((".cmake", ".gyp", ".py", ".sh", ".mjs"))]
    included = {name.split("/")[-1] for source in sources for _, _, name in source.includes()}
    for source in sources:
        if source.name.endswith(".h") and source.name not in included and source.folder != "abi":
            report(source, 1, "nothing includes this file")
        if not source.name.endswith(".c"):
            continue
        def makes(maker):
            if not (maker.folder == "" or (source.folder + "/").startswith(maker.folder + "/")):
                return False
            relative = os.path.relpath(source.path, maker.folder or ".")
            words = set(re.split(r"[\s\"'()\[\],{}=;]+", maker.text)) if maker.path != source.path else set()
            globs = re.findall(r"[\w./${}*-]*\*[\w.*]*\.c\b", maker.text) if "GLOB" in maker.text else []
            return any(word.removeprefix("$here/") == relative for word in words) or any(
                re.fullmatch(glob.replace(".", r"\.").replace("*", "[^/]*"), relative) for glob in globs)
        if not any(makes(maker) for maker in makers):
            report(source, 1, "nothing builds this file")


def length(source, report):
    if source.name.endswith((".c", ".h", ".py")) and source.path not in LONG_BY_NATURE:
        lines = source.text.count("\n")
        most = LINES_MAX_TEST if source.path.startswith("tests/") else LINES_MAX
        if lines > most:
            report(source, lines, f"{lines} lines, more than {most}: is it one idea?")


def unfinished(source, report):
    for number, line in enumerate(source.text.split("\n"), 1):
        if UNFINISHED.search(line):
            report(source, number, "says that it is not finished")


def pages(root, report):
    for module in ORDER:
        folder = os.path.join(root, "core", module)
        if os.path.isdir(folder) and any(name.endswith(".c") for name in os.listdir(folder)):
            if not os.path.exists(os.path.join(folder, "README.md")):
                report(f"core/{module}", 1, "has no README.md")


def example(root, report):
    """The README's example is a program that the tests run."""
    paths = [os.path.join(root, *parts) for parts in (("README.md",), ("tests", "unit", "abi_example.c"))]
    if not all(os.path.exists(path) for path in paths):
        return
    page, program = (open(path, encoding="utf-8").read() for path in paths)
    program = re.sub(r"/\* clang-format (on|off) \*/\n", "", program)
    block = re.search(r"```c\n(.*?)```", page, re.DOTALL)
    if block is None or block[1].strip() not in program:
        report("README.md", 1, "its example is not tests/unit/abi_example.c")


class Report:
    def __init__(self, root):
        self.root = root
        self.faults = []

    def __call__(self, source, line, text):
        path = source if isinstance(source, str) else source.path
        self.faults.append(f"{path}:{line}: {text}")


def check(root):
    """All faults of the project at `root`, and how many files were read."""
    report = Report(root)
    sources = []
    for path in walk(root):
        try:
            sources.append(Source(root, path))
        except UnicodeDecodeError:
            pass  # a picture or a corpus, not source
    for source in sources:
        for rule in (layers, own_header_first, banned_calls, system_headers, length, unfinished):
            rule(source, report)
    built(sources, report)
    pages(root, report)
    example(root, report)
    return report.faults, len(sources)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found, count = check(sys.argv[1])
    print("\n".join(found + [f"{count} files, {len(found)} faults"]))
    sys.exit(1 if found or count == 0 else 0)
