#!/bin/sh
# Pre-activation ResNets: results of float64, the bits of the host oracle in every layer, and one
# launch for each BN and relu that fold into no convolution.
set -eu

# NET LAUNCHES FUSED
check() {
    for size in 64 odd; do
        echo "$1 $size"
        "$NEXTCL_CLI" verify "zoo:$1" --classes 10 --math reproducible --rtol 1e-3 --atol 1e-5 \
            --input "tests/net/zoo_${size}_nchw.npy" --expect "tests/net/zoo_${size}_$1.npy"
        "$NEXTCL_CLI" verify "zoo:$1" --classes 10 --input "tests/net/zoo_${size}_nchw.npy" |
            tail -n 1 | grep 'every one bit-identical'
    done
    layers=$("$NEXTCL_CLI" inspect "zoo:$1" --json)
    [ "$(echo "$layers" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -eq "$2" ]
    [ "$(echo "$layers" | grep -c '"kind": "fused"')" -eq "$3" ]
}

# 20 or 53 convolutions; 8 or 16 blocks and the head begin with BN and relu; max-pool, mean, dense
# layer and the output's copy.
check preact_resnet18 33 9
check preact_resnet50 74 17
