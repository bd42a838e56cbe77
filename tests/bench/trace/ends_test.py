"""goat_bench fails when a trace ends otherwise, whoever typed it, and is skipped when there are no traces."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

MANY = 8  # sequential traces: more rows than fit on a screen


def run(*files, data=""):
    done = subprocess.run([sys.argv[1], "trace", "--quick", "--json", *files], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "GOAT_DATA": data})
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        rows = None
    return done.returncode, rows, done.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="goat-bench-") as folder:
        def trace(name, end, more=None):
            path = os.path.join(folder, name + ".json.gz")
            txns = [{"patches": [[0, 0, "goat"]], "parents": [], "agent": 0}]
            with gzip.open(path, "wt") as file:
                json.dump({"startContent": "", "endContent": end, "txns": txns, **(more or {})}, file)
            return path
        right = [trace(f"right {i}", "goat") for i in range(MANY)]
        code, rows, said = run(*right)
        assert code == 0 and len(rows) > 12 * MANY, (code, said)
        alone, together = trace("alone", "gnat"), trace("together", "gnöt", {"kind": "concurrent", "numAgents": 1})
        for path in (alone, together):
            code, rows, said = run(path)
            assert code == 1 and rows, (path, code, said)
        code, rows, said = run(data=folder)
        assert code == 77 and "tests/bench/README.md" in said, (code, said)
        assert rows and all(row["work"].startswith(("two typing", "100 kB made up")) for row in rows), rows


main()
