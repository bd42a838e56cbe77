#!/bin/bash
# Filters against npm's mingo over the Debian documents: at least 20,000 random ones must agree. Where mingo differs
# from MongoDB's documentation is listed in core/query/README.md; filters/generate.mjs leaves out exactly that.
set -euo pipefail

skip() {
    echo "skipped: $1"
    exit 77
}

command -v node >/dev/null || skip "node is not there"
command -v npm >/dev/null || skip "npm is not there"
documents="${GOAT_DATA:-$GOAT_SOURCE/../shared/data}/debian-packages.ndjson.gz"
[ -r "$documents" ] || skip "$documents is not there"

filters="$GOAT_SOURCE/tests/e2e/filters"
modules="$GOAT_BUILD/tests/e2e/filters"
mkdir -p "$modules"
if ! cmp -s "$filters/package-lock.json" "$modules/node_modules/installed-lock.json"; then
    cp "$filters/package.json" "$filters/package-lock.json" "$modules/"
    (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || skip "npm cannot install mingo"
    cp "$filters/package-lock.json" "$modules/node_modules/installed-lock.json"
fi
exec node "$filters/compare.mjs" "$GOAT_BUILD/tests/e2e/filter_eval" "$documents" "$modules"
