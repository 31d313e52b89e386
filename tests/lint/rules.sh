#!/bin/sh
# House rules about text: includes, sizes, words, kernels, algorithms. See rules.py.
set -u
root=${1:-$(dirname "$0")/../..}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
python3 "$(dirname "$0")/rules.py" "$root"
