#!/bin/sh
# The nets of tests/data, end to end: the outputs are torch's float64 ones, every layer has the bits
# of the host oracle, and outputs have the same bits for every channel block.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

same_bits() {
    for block in 4 8 16; do
        "$NEXTCL_CLI" run "$1.onnx" --input "$1.input.npy" --output-dir "$folder/$block" \
            --math reproducible --channel-block "$block" >"$folder/log"
    done
    for output in "$folder"/4/*.npy; do
        cmp "$output" "$folder/8/${output##*/}"
        cmp "$output" "$folder/16/${output##*/}"
    done
    rm -r "$folder/4" "$folder/8" "$folder/16"
}

count=0
for model in tests/data/*.onnx; do
    net=${model%.onnx}
    [ "$net" != tests/data/digits ] || continue # digits.sh
    echo "$net"
    "$NEXTCL_CLI" verify "$model" --input "$net.input.npy" --expect "$net.expected.npy" \
        --rtol 1e-3 --atol 1e-4
    "$NEXTCL_CLI" verify "$model" --input "$net.input.npy" >"$folder/log" || {
        cat "$folder/log"
        exit 1
    }
    # Sanitizers make this slow and look at nothing new.
    grep -q __asan_init "$NEXTCL_BUILD/libnextcl.so" || same_bits "$net"
    count=$((count + 1))
done
[ "$count" -gt 5 ] || { echo "only $count nets in tests/data"; exit 1; }
