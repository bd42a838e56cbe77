#!/bin/bash
# Rich text against npm's quill-delta: random documents and Deltas, applied one after the other and put together, must come to
# the same. What is refused is compared with what quill-delta would make of it where that is no document any more.
set -euo pipefail

skip() {
    echo "skipped: $1"
    exit 77
}

command -v node >/dev/null || skip "node is not there"
command -v npm >/dev/null || skip "npm is not there"

richtext="$GOAT_SOURCE/tests/e2e/richtext"
modules="$GOAT_BUILD/tests/e2e/richtext"
mkdir -p "$modules"
if ! cmp -s "$richtext/package-lock.json" "$modules/node_modules/installed-lock.json"; then
    cp "$richtext/package.json" "$richtext/package-lock.json" "$modules/"
    (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || skip "npm cannot install quill-delta"
    cp "$richtext/package-lock.json" "$modules/node_modules/installed-lock.json"
fi
exec node "$richtext/compare.mjs" "$GOAT_BUILD/tests/e2e/delta_eval" "$modules"
