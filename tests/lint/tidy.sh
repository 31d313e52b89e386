#!/bin/sh
# clang-tidy over the library and the command line, as .clang-tidy says.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
build=${NEXTCL_BUILD:-build}
command -v clang-tidy >/dev/null || { echo "skipped: clang-tidy is not installed"; exit 77; }
[ -f "$build/compile_commands.json" ] || { echo "no compile_commands.json in $build"; exit 1; }
find host -name '*.c' -print0 | xargs -0 -P 2 -n 4 clang-tidy --quiet -p "$build" 2>/dev/null
