#!/bin/sh
# ResNet-18 of blocks whose convolutions have biases and whose 1x1 shortcuts, where there are any,
# have no batch normalisation: torch's float64 results, and nothing but convolutions in the blocks.
set -eu
net=tests/data/block_biases

"$NEXTCL_CLI" verify $net.onnx --math reproducible --rtol 1e-3 --atol 1e-5 \
    --input $net.input.npy --expect $net.expected.npy
report=$("$NEXTCL_CLI" inspect $net.onnx --json)
layers=$(echo "$report" | sed -n '/^  "layers"/,/^  \]/p')
# The max-pool, the mean, the dense layer and the output's copy come on top.
[ "$(echo "$layers" | grep -c '"op": "Conv"')" -eq 20 ]
[ "$(echo "$report" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -eq 24 ]
