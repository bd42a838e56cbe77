#!/usr/bin/env python3
"""Shows that each rule of tidy.py finds its fault: builds a small tree that is clean, breaks it in one
place at a time, and compares what is found."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import tidy  # noqa: E402

CLEAN = {
    "core/base/CMakeLists.txt": "goat_module(NAME base SOURCES buf.c)\n",
    "core/base/README.md": "Buffers.\n",
    "core/base/buf.h": "int gt_buf(void);\n",
    "core/base/buf.c": '#include "base/buf.h"\n\n#include <string.h>\n\n/* strcpy() is only talked about. */\n'
                       'int gt_buf(void) { return strlen("gets(") > 0; }\n',
    "core/value/CMakeLists.txt": "goat_module(NAME value SOURCES value.c USES base)\n",
    "core/value/README.md": "Values.\n",
    "core/value/value.h": '#include "base/buf.h"\n',
    "core/value/value.c": '#include "value/value.h"\n\n#include <jansson.h>\n',
    "tests/unit/CMakeLists.txt": "file(GLOB sources CONFIGURE_DEPENDS *_test.c)\n",
    "tests/unit/value_test.c": '#include "value/value.h"\n',
}

BROKEN = [
    ("core/base/buf.h", '#include "value/value.h"\n', "base is below value"),
    ("core/value/value.c", '#include "value/value.h"\n#include "port/posix/file.h"\n', "linked in at the edge"),
    ("core/value/value.c", '#include "base/buf.h"\n', "the first include is not core/value/value.h"),
    ("core/value/value.c", '#include "value/value.h"\n#include <unistd.h>\n', "<unistd.h> does not belong here"),
    ("core/value/value.h", '#include "buf.h"\n', "is not named from core/"),
    ("core/base/buf.c", '#include "base/buf.h"\nvoid f(char *p) { strcpy(p, p); }\n', "strcpy()"),
    ("core/base/buf.c", '#include "base/buf.h"\nvoid f(void *p) { free(p); }\n', "free() goes past gt_alloc"),
    ("tests/unit/value_test.c", '#include "value/value.h"\nint f(char *p) { return atoi(p); }\n', "atoi()"),
    ("core/base/lost.c", '#include "base/buf.h"\n', "nothing builds this file"),
    ("core/base/lost.h", "int lost;\n", "nothing includes this file"),
    ("core/base/buf.h", "int a;\n" * 501, "501 lines"),
    ("core/base/buf.h", "/* " + "TO" + "DO: more */\n", "not finished"),
    ("core/other/x.h", "int x;\n", "core/other is not a layer"),
    ("core/base/README.md", None, "has no README.md"),
]


def faults(changes):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**CLEAN, **changes}.items():
            if text is not None:
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
        return tidy.check(root)[0]


failed = [f"the clean tree: {faults({})}"] if faults({}) else []
for path, text, want in BROKEN:
    found = faults({path: text})
    if not any(want in fault for fault in found):
        failed.append(f"{path}: wanted '{want}', found {found}")
print("\n".join(failed + [f"{len(BROKEN)} rules broken, {len(failed)} missed"]))
sys.exit(1 if failed else 0)
