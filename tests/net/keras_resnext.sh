#!/bin/sh
# ResNeXt-50 of Keras, its grouped convolutions written as 32 slices, convolutions and a Concat (or
# as a Split): Keras's float64 results, and one convolution where the file has 32.
set -eu

for net in tests/data/keras_resnext tests/data/keras_split; do
    echo "$net"
    "$NEXTCL_CLI" verify "$net.onnx" --math reproducible --rtol 1e-3 --atol 1e-5 \
        --input "$net.input.npy" --expect "$net.expected.npy"
done

# MODEL CONVOLUTIONS LAUNCHES
check() {
    report=$("$NEXTCL_CLI" inspect "tests/data/$1.onnx" --json)
    layers=$(echo "$report" | sed -n '/^  "layers"/,/^  \]/p')
    [ "$(echo "$layers" | grep -c '"op": "Conv"')" -eq "$2" ]
    [ "$(echo "$report" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -le "$3" ]
}
check keras_resnext 53 62
check keras_split 9 17
