#!/bin/sh
# The program in README.md compiles and names the class that the command line names.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# shellcheck disable=SC2016 # a fence, no command
sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' >"$folder/program.c"
lines=$(wc -l <"$folder/program.c")
[ "$lines" -gt 20 ] && [ "$lines" -lt 40 ]

sanitize=
if grep -q __asan_init "$NEXTCL_BUILD/libnextcl.so"; then
    sanitize=-fsanitize=address,undefined
fi
# shellcheck disable=SC2086 # may be empty
cc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize -Iinclude "$folder/program.c" \
    -o "$folder/program" -L"$NEXTCL_BUILD" -lnextcl -Wl,-rpath,"$NEXTCL_BUILD"

# Without a model and an image: one line, status 1.
status=0
"$folder/program" none.onnx tests/data/cat.jpg 2>"$folder/error" || status=$?
[ "$status" -eq 1 ] && grep -q none.onnx "$folder/error"
status=0
"$folder/program" tests/data/resnext_folded.onnx tests/data/cat.jpg 2>"$folder/error" || status=$?
[ "$status" -eq 1 ] && grep -q input "$folder/error"

model=tests/net/classes.onnx
"$folder/program" $model tests/data/cat.jpg >"$folder/found"
"$NEXTCL_CLI" classify $model tests/data/cat.jpg --top 1 >"$folder/expected"
grep -qF "cat.jpg: $(cat "$folder/found") (" "$folder/expected"
