#!/bin/sh
# All tests, from a bare machine: sh tests/run.sh [--asan] [--devices] [--intel]
#   --asan     then builds with AddressSanitizer and UBSan in build-asan/ and runs the tests there
#              (CI=true: always)
#   --devices  repeats the kernels' tests on every other OpenCL implementation found
#   --intel    fetches Intel's CPU runtime from PyPI into build/intel, for --devices
#   --static   fetches NVIDIA's assembler and disassembler from PyPI into build/cuda, for the test of
#              the machine code that GPUs get (CI=true: always)
# Installs what is missing (a second run is offline), builds into build/, runs ctest; its summary
# comes last. Exit status: 0 all passed, 1 something failed, 2 packages are missing.
set -u
cd "$(dirname "$0")/.." || exit 1
. host/cli/packages.sh

asan=${CI:-false} devices=false intel=false static=${CI:-false} failed=
for option in "$@"; do
    case $option in
    --asan) asan=true ;;
    --devices) devices=true ;;
    --intel) intel=true devices=true ;;
    --static) static=true ;;
    *) echo "unknown option $option; known: --asan --devices --intel --static" >&2; exit 2 ;;
    esac
done
jobs=$(nproc)
[ "$jobs" -gt 2 ] || jobs=2

# shellcheck disable=SC2086 # lists of words
install_packages $packages_test || exit 2
# shellcheck disable=SC2086
install_packages $packages_devices >/dev/null 2>&1 ||
    echo "skipped: $packages_devices (more OpenCL implementations) could not be installed"
# shellcheck disable=SC2086
install_packages $packages_static >/dev/null 2>&1 ||
    echo "skipped: $packages_static (compilers for GPUs) could not be installed"

# build FOLDER OPTION...
build() {
    folder=$1
    shift
    cmake -S . -B "$folder" -DNCL_BUILD_TESTS=ON "$@" && cmake --build "$folder" --parallel "$jobs"
}

# run_ctest FOLDER CTEST-OPTION...
run_ctest() {
    folder=$1
    shift
    ctest --test-dir "$folder" --output-on-failure -j2 --timeout 600 "$@"
}

# Kernels' tests on the device whose name holds DEVICE. A subshell: what the caller's NAME=VALUE
# arguments export ends with it. check_device DEVICE NAME=VALUE...
check_device() (
    export NCL_CHECK_DEVICE="$1"
    shift
    for setting in "$@"; do
        export "${setting?}"
    done
    echo "== kernels on $NCL_CHECK_DEVICE"
    run_ctest build -R '^algo_' --no-tests=error
)

check_devices() {
    if [ -f /etc/OpenCL/vendors/rusticl.icd ]; then
        check_device llvmpipe RUSTICL_ENABLE=llvmpipe || failed="$failed llvmpipe"
    else
        echo "skipped: rusticl (mesa-opencl-icd) is not installed"
    fi
    if [ -f build/intel/vendors/intel.icd ]; then
        check_device Intel OCL_ICD_VENDORS="$PWD/build/intel/vendors" \
            LD_LIBRARY_PATH="$PWD/build/intel/lib" || failed="$failed Intel"
    else
        echo "skipped: Intel's CPU runtime (--intel) is not installed"
    fi
}

fetch_intel() {
    [ ! -f build/intel/vendors/intel.icd ] || return 0
    install_packages python3-venv && python3 -m venv build/intel &&
        build/intel/bin/pip install --quiet intel-opencl-rt intel-cmplr-lib-rt tbb &&
        mkdir -p build/intel/vendors &&
        echo "$PWD/build/intel/lib/libintelocl.so" >build/intel/vendors/intel.icd
}

# NVIDIA's packages hold nothing but files to unpack.
fetch_cuda() {
    [ ! -x build/cuda/bin/nvdisasm ] || return 0
    install_packages python3-venv && python3 -m venv build/cuda/venv &&
        build/cuda/venv/bin/pip install --quiet --no-deps nvidia-cuda-nvcc nvidia-cuda-nvdisasm &&
        mkdir -p build/cuda/bin &&
        find "$PWD/build/cuda/venv" \( -name ptxas -o -name nvdisasm \) -type f \
            -exec chmod +x {} + -exec ln -sf {} build/cuda/bin/ \;
}

# Warnings stop the build where the compilers are those of Debian 12; a newer one has new ones.
set --
case $(. /etc/os-release 2>/dev/null; echo "${ID:-}${VERSION_ID:-}") in
debian12) set -- -DNCL_WERROR=ON ;;
esac
build build "$@" || { echo "the build failed" >&2; exit 1; }
if [ "$intel" = true ]; then
    fetch_intel || echo "skipped: Intel's CPU runtime could not be fetched"
fi
if [ "$static" = true ]; then
    fetch_cuda || echo "skipped: NVIDIA's assembler and disassembler could not be fetched"
fi
[ "$devices" = false ] || check_devices
echo "== tests"
run_ctest build || failed="$failed tests"
# Compiling kernels is most of the time, and twice that where sanitizers watch the compiler's memory:
# this build finds them compiled.
if [ "$asan" = true ]; then
    if build build-asan -DNCL_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DNCL_WERROR=ON \
        -DNCL_POCL_CACHE="$PWD/build/cache/pocl"; then
        echo "== tests under sanitizers"
        run_ctest build-asan || failed="$failed sanitizers"
    else
        failed="$failed build-asan"
    fi
fi
[ -z "$failed" ] || { echo "FAILED:$failed" >&2; exit 1; }
