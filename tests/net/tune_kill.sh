#!/bin/sh
# kill -9 at random moments of tuning: see tune_kill.py. NCL_KILLS: how many, 8 unless told.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 "$(dirname "$0")/tune_kill.py"
