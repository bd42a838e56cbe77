#!/bin/sh
# Installs a build into a temporary folder, moves it, and builds and runs tests/install/consumer.c against
# it in four ways. consumers.sh CMAKE BUILD_DIR LIBDIR CC
set -eu
cmake=$1 build=$2 libdir=$3 cc=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { echo "+ $*"; "$@"; }

run "$cmake" --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/moved"
prefix=$work/moved
for file in include/goat.h include/goat_port.h "$libdir/libgoat.so" "$libdir/libgoat.a" "$libdir/pkgconfig/libgoat.pc"; do
    test -e "$prefix/$file" || { echo "not installed: $file"; cat "$work/install.log"; exit 1; }
done
if grep -rlI "$work/first" "$prefix"; then
    echo "these files know where they were installed"
    exit 1
fi

export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig" LD_LIBRARY_PATH="$prefix/$libdir"
strict="-std=c11 -Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2046,SC2086
run "$cc" $strict -o "$work/pc_shared" "$here/consumer.c" $(pkg-config --cflags --libs libgoat)
# The whole static list, with our own library taken from its archive.
needs=$(pkg-config --static --libs libgoat | sed 's/-lgoat\b/-Wl,-Bstatic -lgoat -Wl,-Bdynamic/')
# shellcheck disable=SC2046,SC2086
run "$cc" $strict -o "$work/pc_static" "$here/consumer.c" $(pkg-config --cflags libgoat) $needs

mkdir "$work/cmake"
cp "$here/consumer.c" "$work/cmake/"
version=$(pkg-config --modversion libgoat)
sed "s/@VERSION@/$version/" "$here/consumer.cmake" >"$work/cmake/CMakeLists.txt"
run "$cmake" -S "$work/cmake" -B "$work/cmake/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$prefix" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
run "$cmake" --build "$work/cmake/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }

for program in "$work/pc_shared" "$work/pc_static" "$work/cmake/build/cmake_shared" "$work/cmake/build/cmake_static"; do
    run "$program"
    linked=$(readelf -d "$program" | grep -c 'NEEDED.*libgoat\.so' || true)
    case $program in
    *shared) want=1 ;;
    *) want=0 ;;
    esac
    test "$linked" = "$want" || { echo "$program: linked the other library"; exit 1; }
done

# The command and what belongs to it, where this build has it.
if [ -e "$prefix/bin/goat" ]; then
    run "$prefix/bin/goat" --version
    for file in share/man/man1/goat.1 share/man/man5/goat-schema.5 share/bash-completion/completions/goat \
        share/zsh/vendor-completions/_goat share/fish/vendor_completions.d/goat.fish; do
        ls "$prefix/$file"* >/dev/null || { echo "not installed: $file"; exit 1; }
    done
fi
