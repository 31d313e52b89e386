#!/bin/sh
# Pre-activation ResNets as torch exports them: torch's float64 results, and one launch for each BN
# and relu that fold into no convolution.
set -eu

# MODEL CONVOLUTIONS FUSED LAUNCHES
check() {
    echo "$1"
    net=tests/data/preact_$1
    "$NEXTCL_CLI" verify "$net.onnx" --math reproducible --rtol 1e-3 --atol 1e-5 \
        --input "$net.input.npy" --expect "$net.expected.npy"
    report=$("$NEXTCL_CLI" inspect "$net.onnx" --json)
    layers=$(echo "$report" | sed -n '/^  "layers"/,/^  \]/p')
    [ "$(echo "$layers" | grep -c '"op": "Conv"')" -eq "$2" ]
    [ "$(echo "$layers" | grep -c '"kind": "fused"')" -eq "$3" ]
    [ "$(echo "$report" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -eq "$4" ]
}

# 8 or 16 blocks and the head begin with BN and relu; max-pool, mean, dense layer and the output's
# copy come on top.
check basic 20 9 33
check bottleneck 53 17 74
