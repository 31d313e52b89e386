#!/bin/sh
# The Keras nets, as written and as Keras executes them: results of float64, the bits of the host
# oracle in every layer, and one convolution where the file has 32.
set -eu

for net in resnext50_keras resnext50_keras_late; do
    # One square image; three of odd sides.
    for size in 64 odd; do
        echo "$net $size"
        "$NEXTCL_CLI" verify "zoo:$net" --classes 10 --math reproducible --rtol 1e-3 --atol 1e-6 \
            --input "tests/net/zoo_${size}_nhwc.npy" --expect "tests/net/zoo_${size}_$net.npy"
        "$NEXTCL_CLI" verify "zoo:$net" --classes 10 --input "tests/net/zoo_${size}_nhwc.npy" |
            tail -n 1 | grep 'every one bit-identical'
    done
    layers=$("$NEXTCL_CLI" inspect "zoo:$net" --json)
    [ "$(echo "$layers" | grep -A 1 '"op": "Conv"' | grep -c '"kind":')" -eq 53 ] # what runs
    [ "$(echo "$layers" | sed -n 's/^ *"launches": \([0-9]*\),*$/\1/p')" -le 62 ]
done

# The same weights, two nets.
if cmp -s tests/net/zoo_64_resnext50_keras.npy tests/net/zoo_64_resnext50_keras_late.npy; then
    exit 1
fi
