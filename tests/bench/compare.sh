#!/bin/sh
# compare.py's arithmetic on recorded numbers, and its probe of the cores.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
python3 tests/bench/compare_test.py 2>&1 || exit 1
[ "$(nproc)" -gt 1 ] || { echo "one core: the probe has nothing to measure"; exit 0; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
${CC:-cc} -O2 -std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror -pthread -o "$folder/probe" \
    tests/bench/core_latency.c || exit 1
# No two cores are nearer than 1 ns or, whatever else runs, farther than 10 us.
"$folder/probe" 0.05 | tee "$folder/pairs" | python3 -c '
import json, sys
pairs = json.load(sys.stdin)["pairs"]
assert pairs and all(1 < pair["ns"] < 10000 for pair in pairs), pairs' || exit 1
cat "$folder/pairs"
