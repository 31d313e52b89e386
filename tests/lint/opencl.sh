#!/bin/sh
# Every kernel file compiles alone as OpenCL C 1.2, with its default parameters, for each channel
# block and without warnings.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
command -v clang >/dev/null || { echo "skipped: clang is not installed"; exit 77; }
failed=0
for kernel in cl/*/*.cl; do
    clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -fsyntax-only -Wall -Wextra \
        -Werror -Wno-unused-parameter -I cl/common "$kernel" || failed=1
done
exit $failed
