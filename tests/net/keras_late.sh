#!/bin/sh
# The Keras ResNeXt-50 whose lambdas bind late, so that every slice of a block reads the last group:
# the results of Keras, which runs it so, by one convolution a block too.
set -eu
net=tests/data/keras_late

"$NEXTCL_CLI" verify $net.onnx --math reproducible --rtol 1e-3 --atol 1e-5 \
    --input $net.input.npy --expect $net.expected.npy
report=$("$NEXTCL_CLI" inspect $net.onnx --json)
layers=$(echo "$report" | sed -n '/^  "layers"/,/^  \]/p')
[ "$(echo "$layers" | grep -c '"op": "Conv"')" -eq 53 ]
[ "$(echo "$report" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -le 62 ]
