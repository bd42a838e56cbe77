#!/usr/bin/env python3
"""Holds the public headers, the list of symbols and the built library against each other.

    check.py exports EXPORTS HEADER...   the list names exactly the GOAT_API functions, in their order
    check.py exports --write EXPORTS HEADER...   and writes it so
    check.py numbers HEADER...           no two members of an enumeration share a number
    check.py symbols NM EXPORTS LIBRARY  the shared library shows exactly the list
    check.py archive NM ARCHIVE          the static library defines only goat_ and gt_ names
"""
import re
import subprocess
import sys

FUNCTIONS_MAX = 120  # a reader knows the library after ten minutes


def bare(path):
    """A header's text without comments."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def functions(headers):
    found = []
    for header in headers:
        declarations = re.findall(r"^GOAT_API\b([^;{]*)", bare(header), flags=re.M)
        for declaration in declarations:
            name = re.search(r"\b(goat_\w+)\s*\(", declaration)
            if not name:
                fail(f"{header}: not a function: GOAT_API{declaration}")
            found.append(name.group(1))
    return found


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1]


def fail(message):
    print(message)
    sys.exit(1)


def differ(what, have, want):
    """Says what is missing and what is too much; ends the program if anything is."""
    missing, extra = sorted(set(want) - set(have)), sorted(set(have) - set(want))
    if missing or extra:
        fail(f"{what}: missing {missing or 'nothing'}, too much {extra or 'nothing'}")


def check_exports(arguments):
    write = arguments[0] == "--write"
    exports, *headers = arguments[1:] if write else arguments
    declared = functions(headers)
    if len(set(declared)) != len(declared):
        fail("a function is declared twice")
    if len(declared) > FUNCTIONS_MAX:
        fail(f"{len(declared)} functions, more than {FUNCTIONS_MAX}")
    if write:
        with open(exports, "w", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in declared)
    listed = lines(exports)
    differ(exports, listed, declared)
    if listed != declared:
        fail(f"{exports}: not in the order of the headers")
    print(f"{len(declared)} functions")


def check_numbers(headers):
    members = 0
    for header in headers:
        for body in re.findall(r"\benum\b[^{;]*\{(.*?)\}", bare(header), flags=re.S):
            seen = {}
            for member in filter(None, (part.strip() for part in body.split(","))):
                match = re.fullmatch(r"(GOAT_\w+)\s*=\s*(\d+)(?:u\s*<<\s*(\d+))?", member)
                if not match:
                    fail(f"{header}: the number is not written out: {member}")
                name, number = match[1], int(match[2]) << int(match[3] or 0)
                limits = name.endswith("_MAX")  # limits may be equal, codes may not
                if number in seen and not limits:
                    fail(f"{header}: {name} and {seen[number]} are both {number}")
                seen[number] = name
                members += 1
    if members == 0:
        fail("no enumeration found")
    print(f"{members} numbers")


def nm(program, *arguments):
    output = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    return [fields for fields in (line.split() for line in output.splitlines()) if len(fields) == 3]


def check_symbols(arguments):
    program, exports, library = arguments
    shown = [name.split("@")[0] for _, kind, name in nm(program, "-D", "--defined-only", library) if kind != "A"]
    differ(library, shown, lines(exports))
    print(f"{len(shown)} symbols")


def check_archive(arguments):
    program, archive = arguments
    names = {name for _, kind, name in nm(program, "--defined-only", "--extern-only", archive)}
    foreign = sorted(name for name in names if not re.match(r"(goat|gt)_", name))
    if foreign or not names:
        fail(f"{archive}: defines {foreign or 'nothing'}")
    print(f"{len(names)} symbols")


CHECKS = {"exports": check_exports, "numbers": check_numbers, "symbols": check_symbols, "archive": check_archive}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in CHECKS:
        fail(__doc__)
    CHECKS[sys.argv[1]](sys.argv[2:])
