# Shared by the scripts beside it; sourced, not run. Sets $root, the project's root.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# need_packages GROUP...: installs what packaging/debian-packages.txt lists and the machine lacks. Asks
# nobody anything; touches apt only when something is missing.
need_packages() {
    command -v dpkg-query >/dev/null || return 0 # not Debian: the build will say what it misses
    local group package instead missing=()
    while read -r group package instead; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        if [ -n "$instead" ] && [ -e "$instead" ]; then
            continue
        fi
        if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
            missing+=("$package")
        fi
    done < <(sed 's/#.*//; /^[[:space:]]*$/d' "$root/packaging/debian-packages.txt")
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing, and there is no sudo: ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing ${missing[*]}"
    "${as_root[@]}" apt-get -q update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"
}

# build PRESET TARGET... [-- CMAKE_ARGUMENT...]: configures and builds, quietly unless it fails.
build() {
    local preset=$1 targets=() log=$root/build/$1.log
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        targets+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    mkdir -p "$root/build"
    (
        cd "$root" && cmake --preset "$preset" "$@" &&
            cmake --build --preset "$preset" -j 2 --target "${targets[@]}"
    ) >"$log" 2>&1 || {
        grep -nE -A5 '(error:|FAILED:|CMake Error|undefined reference)' "$log" | head -30 >&2
        printf 'the whole log: %s\n' "$log" >&2
        return 1
    }
}
