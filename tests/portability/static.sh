#!/bin/sh
# The machine code that GPUs' compilers make of the kernels keeps to static/budget.json. Targets
# whose compilers are missing are skipped by name; with none of them, so is all of it.
set -eu
cd "$(dirname "$0")/../.."
build=${NEXTCL_BUILD:-$PWD/build}
# Where tests/run.sh --static puts NVIDIA's tools.
export NCL_CUDA_BIN="${NCL_CUDA_BIN:-$PWD/build/cuda/bin}"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
exec python3 tests/portability/static "$build/tests/static_variants" --all
