#!/bin/sh
# torchvision's basic blocks and bottlenecks, plain, grouped and wide, under replaced heads of 1, 2,
# 3 and 37 classes: torch's float64 results, and nothing but convolutions in the blocks.
set -eu

# MODEL CONVOLUTIONS LAUNCHES
check() {
    echo "$1"
    net=tests/data/torchvision_$1
    "$NEXTCL_CLI" verify "$net.onnx" --math reproducible --rtol 1e-3 --atol 1e-5 \
        --input "$net.input.npy" --expect "$net.expected.npy"
    report=$("$NEXTCL_CLI" inspect "$net.onnx" --json)
    layers=$(echo "$report" | sed -n '/^  "layers"/,/^  \]/p')
    [ "$(echo "$layers" | grep -c '"op": "Conv"')" -eq "$2" ]
    [ "$(echo "$report" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -eq "$3" ]
}

# The max-pool, the mean, the dense layers and the output's copy come on top.
check basic 20 24
check bottleneck 53 58
check resnext 53 57
check wide 17 21
