#!/bin/sh
# The trained net names handwritten digits right, and each as ONNX Runtime does: from tensors, from
# pictures, from pictures stored larger and in colour, whatever the batch and the channel block.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
data=tests/data
net=$data/digits.onnx

fail() {
    echo "$1" >&2
    exit 1
}

# Data begins after 128 bytes of header: a line of numbers for each WIDTH of them.
numbers() { # FILE TYPE WIDTH-IN-BYTES
    tail -c +129 "$1" | od -A n -v -t "$2" -w"$3"
}

# classify OUTPUT ARGUMENT...: the classes found, one a line
classify() {
    found=$1
    shift
    "$NEXTCL_CLI" classify "$net" "$@" --top 1 --math reproducible --json >"$folder/json"
    sed -n 's/^ *"index": \([0-9]*\),$/\1/p' "$folder/json" >"$folder/$found"
    [ "$(wc -l <"$folder/$found")" -eq 360 ] || fail "$found: not 360 images"
}

# at_least_98 FOUND: of the true classes
at_least_98() {
    right=$(paste "$folder/$1" "$folder/truth" | awk '$1 == $2' | wc -l)
    echo "$1: $right of 360 right"
    [ "$right" -ge 353 ] || fail "$1: expected at least 353 right"
}

# pictures SIDE MAGIC COPIES: every digit as a text PGM (P2) or, in three equal channels, PPM (P3)
pictures() {
    mkdir -p "$folder/$1"
    numbers "$data/digits_x.npy" f4 256 | awk -v side="$1" -v magic="$2" -v copies="$3" \
        -v path="$folder/$1" '{
        file = sprintf("%s/%03d.pnm", path, NR)
        print magic, side, side, 255 >file
        for (y = 0; y < side; y++)
            for (x = 0; x < side; x++)
                for (i = 0; i < copies; i++)
                    print $(int(y * 8 / side) * 8 + int(x * 8 / side) + 1) >file
        close(file)
    }'
}

numbers $data/digits_y.npy d8 8 >"$folder/truth"
# ONNX Runtime's classes: the largest of its ten scores.
numbers $data/digits.expected.npy f4 40 | awk '{
    best = 1
    for (i = 2; i <= 10; i++)
        if ($i + 0 > $best + 0)
            best = i
    print best - 1
}' >"$folder/onnxruntime"
at_least_98 onnxruntime

"$NEXTCL_CLI" verify $net --input $data/digits_x.npy --expect $data/digits.expected.npy \
    --rtol 1e-3 --atol 1e-4
"$NEXTCL_CLI" verify $net --input $data/digits_x.npy >"$folder/log" || fail "$(cat "$folder/log")"

classify tensor $data/digits_x.npy --truth $data/digits_y.npy --batch 7
cmp "$folder/tensor" "$folder/onnxruntime"
right=$(paste "$folder/tensor" "$folder/truth" | awk '$1 == $2' | wc -l)
grep -q "^  \"correct\": $right" "$folder/json" || fail "correct: expected $right"
for block in 4 8 16; do
    classify "block$block" $data/digits_x.npy --batch 360 --channel-block $block
    cmp "$folder/block$block" "$folder/onnxruntime"
    classify "half$block" $data/digits_x.npy --batch 360 --channel-block $block --precision fp16
    cmp "$folder/half$block" "$folder/onnxruntime"
done
"$NEXTCL_CLI" verify $net --input $data/digits_x.npy --precision fp16 --math reproducible \
    >"$folder/log" || fail "$(cat "$folder/log")"

pictures 8 P2 1
classify pgm "$folder/8/*.pnm" --batch 60
cmp "$folder/pgm" "$folder/onnxruntime"
pictures 32 P3 3
classify larger "$folder/32/*.pnm" --batch 60
at_least_98 larger

# What the model says of itself does not outweigh the user.
"$NEXTCL_CLI" classify $net $data/digit_*.png --top 1 >"$folder/pngs"
[ "$(grep -c 'digit_\([0-9]\)_[0-9]*\.png: \1 (' "$folder/pngs")" -eq 10 ] || fail "$(cat "$folder/pngs")"
"$NEXTCL_CLI" classify $net $data/digit_*.png --top 1 --preprocess torchvision >"$folder/other"
cmp -s "$folder/pngs" "$folder/other" && fail "--preprocess was not heard"
exit 0
