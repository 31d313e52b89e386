#!/bin/sh
# The main job without a file: ResNeXt-50 with seeded weights names a photograph's classes, the same
# ones every time, in few launches, and every layer has the bits of the host oracle.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
net=zoo:resnext50_32x4d

for run in 1 2; do
    "$NEXTCL_CLI" classify "$net" tests/data/cat.jpg --math reproducible --json |
        grep -v images_per_s >"$folder/$run"
done
cmp "$folder/1" "$folder/2"
[ "$(grep -c '"label": "' "$folder/1")" -eq 5 ]

"$NEXTCL_CLI" bench "$net" --repeat 1 --warmup 1 --math reproducible --json >"$folder/bench"
launches=$(sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p' "$folder/bench")
[ "$launches" -le 62 ]
# Every layer has an algorithm of its own: none fell back to the direct one.
if grep -E '"algorithm": "direct"|"source": "fallback"' "$folder/bench"; then
    exit 1
fi

"$NEXTCL_CLI" verify "$net" | tail -n 1 | grep -q 'every one bit-identical'
if grep -q __asan_init "$NEXTCL_BUILD/libnextcl.so"; then
    exit 0 # minutes more, for what tests/session/verify.c does on small nets
fi
# The ICD layer leaves one launch out.
OPENCL_LAYERS=$NEXTCL_BUILD/tests/layer_fault.so NCL_LAYER_SKIP=30 \
    "$NEXTCL_CLI" verify "$net" >"$folder/log" 2>"$folder/error" && exit 1
grep -q "^nextcl: layer '" "$folder/error"
