#!/bin/sh
# Writes RESULTS.md anew: results.sh [PYTHON [BUILD]]. PYTHON has torch, torchvision, onnxruntime and
# openvino; BUILD is a release build. Takes ten minutes, of which five are measurements.
# QUIET names a command that keeps the rest of the machine quiet while its arguments run.
set -u
cd "$(dirname "$0")/../.." || exit 1
python=${1:-python3} build=${2:-build}
parts=$(mktemp -d) || exit 1
trap 'rm -rf "$parts"' EXIT
count=0 failed=

# section TITLE COMPARE-OPTION...: exports and fills caches first, so that only measuring is quiet.
section() {
    title=$1
    shift
    count=$((count + 1))
    "$python" tests/bench/compare.py --build "$build" --models-dir "$parts/models" --export "$@" ||
        exit 1
    for model in "$parts"/models/*.onnx; do
        [ -f "$model.warm" ] && continue
        "$build/nextcl" bench "$model" --math reproducible --repeat 1 --warmup 0 >/dev/null || exit 1
        touch "$model.warm"
    done
    # shellcheck disable=SC2086 # a command and its arguments
    ${QUIET:-} "$python" tests/bench/compare.py --build "$build" --models-dir "$parts/models" \
        --title "$title" --output "$parts/$count.md" "$@" || failed="$failed $title;"
}

native="--engines nextcl,onnxruntime,openvino"
# shellcheck disable=SC2086
{
    section "Batch 1" --net resnext50_32x4d,resnet50 $native --rounds 12 --seconds 0.4
    section "Batch 8" --net resnext50_32x4d,resnet50 --batch 8 $native --rounds 5 --runs 3
    section "Other OpenCL libraries" --net resnext50_32x4d --engines nextcl,opencv,clblast \
        --rounds 3 --runs 2 --seconds 0.5
    section "How the cost grows with the batch" --net resnext50_32x4d --batch 1,2,4,8,16 $native \
        --rounds 3 --runs 4 --seconds 0.4 --brief
    section "How the cost grows with the image" --net resnext50_32x4d \
        --size 64,128,192,224,256,320 $native --rounds 5 --runs 8 --seconds 0.25 --brief
    section "How the cost grows with depth" --net resnet18,resnet34,resnet50,resnet101 $native \
        --rounds 5 --runs 8 --seconds 0.3 --brief
}
# shellcheck disable=SC2086
${QUIET:-} "$build/nextcl" bench zoo:resnext50_32x4d --math reproducible --repeat 40 --layers \
    >"$parts/layers" || failed="$failed layers;"
{
    echo "# NextCL and other engines, measured in turn"
    echo
    echo "Written by results.sh on $(date -u +%Y-%m-%d), NextCL at commit $(git rev-parse --short HEAD)."
    echo "Ratios below 1 are in NextCL's favour. Cores of a virtual machine may be moved to clusters"
    echo "that share no cache and back: every engine takes part in every round, so that such moves meet"
    echo "all of them."
    (cd tests/bench && "$python" -c 'import compare; print(compare.METHOD)')
    echo
    (cd tests/bench && "$python" -c '
import machine
print("\n".join("- " + line for line in machine.describe()))')
    echo
    number=1
    while [ "$number" -le "$count" ]; do
        [ -f "$parts/$number.md" ] && cat "$parts/$number.md"
        number=$((number + 1))
    done
    printf '## Layers\n\n```\n'
    sed -n '/layer  *kind/,/kind  *layers/{/kind  *layers/!d;};p' "$parts/layers"
    echo '```'
} >"$parts/RESULTS.md"
mv "$parts/RESULTS.md" tests/bench/RESULTS.md
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
