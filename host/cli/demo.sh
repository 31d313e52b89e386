#!/bin/sh
# NextCL on this machine, from nothing: sh host/cli/demo.sh [MODEL [IMAGE]]
# Installs what is missing, builds into build/, lists the OpenCL devices, classifies a photograph,
# measures the latency. Without a MODEL the net has random weights: timings count, labels don't.
set -eu
cd "$(dirname "$0")/../.."
. host/cli/packages.sh

# shellcheck disable=SC2086 # a list of words
install_packages $packages_build
# Says what it does only if it fails.
quietly() {
    "$@" >build/demo.log 2>&1 || { cat build/demo.log >&2; exit 1; }
}

mkdir -p build
# No option is given, so that a build/ with tests keeps them.
quietly cmake -S . -B build
quietly cmake --build build --target nextcl_cli --parallel "$(nproc)"

model=${1:-zoo:resnext50_32x4d}
image=${2:-}
if [ -z "$image" ]; then
    for image in tests/data/*.jpg; do break; done
fi
echo "== devices"
build/nextcl devices
if [ -f "$image" ]; then
    echo "== classify $model $image"
    build/nextcl classify "$model" "$image" --top 5
else
    echo "== classify: no photograph in tests/data, skipped"
fi
echo "== bench $model"
build/nextcl bench "$model" --repeat 5 --warmup 1
