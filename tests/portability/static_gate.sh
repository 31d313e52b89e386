#!/bin/sh
# The gate of static.sh can fail: kernels that are made worse on purpose turn it red, each for its
# own reason. One target, one kernel family: whichever compiler is found first.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${NEXTCL_BUILD:-$PWD/build}
# Where tests/run.sh --static puts NVIDIA's tools.
export NCL_CUDA_BIN="${NCL_CUDA_BIN:-$PWD/build/cuda/bin}"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }

# gate OPTION...: on the first target that is there.
gate() {
    python3 tests/portability/static "$build/tests/static_variants" --target "$target" \
        --family spatial "$@" 2>&1
}

for target in gfx1030 sm_86 dg2 none; do
    [ "$target" != none ] || { echo "skipped: no compiler for a GPU"; exit 77; }
    gate >/dev/null
    status=$?
    [ $status -ne 77 ] || continue
    [ $status -eq 0 ] || { echo "$target: over budget before anything was changed"; exit 1; }
    break
done

failed=0
python3 tests/portability/static/gate_test.py || failed=1
# regression WHAT PATTERN OPTION...: the report has to complain of PATTERN.
regression() {
    what=$1 pattern=$2
    shift 2
    report=$(gate "$@")
    status=$?
    if [ $status -ne 1 ] || ! echo "$report" | grep -q "over budget: .*$pattern"; then
        echo "$target: $what went unnoticed (status $status):"
        echo "$report"
        failed=1
    fi
}

regression "a tile of one value" "fma_share" --define P=1 --define KB=1
regression "a tile that no registers hold" "occupancy\|spills" --define P=16 --define KB=4
regression "a kernel that does not compile" "exited with" --define P=none
exit $failed
