#!/bin/sh
# NextCL on this machine, from nothing: sh host/cli/demo.sh [MODEL [IMAGE]]
# Installs what is missing, builds into build/, lists the OpenCL devices. Then classifies handwritten
# digits with a small trained ResNeXt and times ResNeXt-50; or, given a MODEL, classifies a photograph
# with that and times it.
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

# ResNeXt-50's weights are random here: its times count, its labels would not.
digits() {
    echo "== ten handwritten digits that tests/data/digits.onnx, a small ResNeXt, never saw"
    build/nextcl classify tests/data/digits.onnx tests/data/digit_*.png --top 1 >build/demo.log
    cat build/demo.log
    # The files are called digit_CLASS_ROW.png.
    right=$(grep -c '/digit_\([0-9]\)_[0-9]*\.png: \1 (' build/demo.log || true)
    echo "$right of $(grep -c '\.png: ' build/demo.log) right"
    [ "$right" -eq "$(grep -c '\.png: ' build/demo.log)" ]
    echo "== the 360 digits held out from its training"
    build/nextcl classify tests/data/digits.onnx tests/data/digits_x.npy \
        --truth tests/data/digits_y.npy --batch 60 --top 1 >build/demo.log
    tail -n 2 build/demo.log
}

# photograph MODEL [IMAGE]
photograph() {
    image=${2:-tests/data/cat.jpg}
    echo "== classify $1 $image"
    build/nextcl classify "$1" "$image" --top 5
}

echo "== devices"
build/nextcl devices
if [ $# -eq 0 ]; then
    digits
    set -- zoo:resnext50_32x4d
    echo "== ResNeXt-50 32x4d, one image of 224 x 224 pixels (random weights, real times)"
else
    photograph "$@"
    echo "== bench $1"
fi
build/nextcl bench "$1" --repeat 5 --warmup 1
