#!/bin/sh
# cppcheck over the library and the command line.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
command -v cppcheck >/dev/null || { echo "skipped: cppcheck is not installed"; exit 77; }
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 -D_GNU_SOURCE -D__GNUC__=12 \
    --enable=warning,performance,portability -I host -I include host
