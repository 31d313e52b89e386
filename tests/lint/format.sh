#!/bin/sh
# C is formatted as .clang-format says; releases of clang-format differ, so one is the reference.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
for tool in clang-format-14 clang-format; do
    case $($tool --version 2>/dev/null) in *"version 14."*) break ;; esac
    tool=
done
[ -n "$tool" ] || { echo "skipped: clang-format 14 is not installed"; exit 77; }
find host include tests -name '*.[ch]' -exec "$tool" --dry-run -Werror {} +
