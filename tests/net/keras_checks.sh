#!/bin/sh
# Blocks whose parts do not fit are refused in one line that names the block, both numbers and the
# likely fix, whichever command reads them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

refuse() {
    file=tests/net/broken_$1.onnx
    for command in inspect verify bench; do
        status=0
        "$NEXTCL_CLI" "$command" "$file" >"$folder/out" 2>"$folder/error" || status=$?
        if [ "$status" -ne 3 ] || [ -s "$folder/out" ] || [ "$(wc -l <"$folder/error")" -ne 1 ] ||
            ! grep -qF "nextcl: $file: $2" "$folder/error"; then
            echo "$command $file: status $status, expected 3 and: $2"
            cat "$folder/error"
            exit 1
        fi
    done
}

keras="block 'conv2_block1', node 'net/conv2_block1"
refuse groups "${keras}_2_conv/Conv2D' (Conv): 8 input channels in 3 groups, expected a multiple of \
the groups; likely fix: 6 or 9 channels, or 2 groups"
refuse group_weights "${keras}_2_conv/Conv2D' (Conv): weight 'w2' of shape 8x1x3x3 in 4 groups takes \
4 input channels, input 'a' of shape 1x8x8x8 has 8; likely fix: 8 groups"
refuse shortcut "${keras}_add/Conv2D' (Add): the main path has 16 channels of 8x8, the shortcut 12 \
channels of 8x8, expected the same; likely fix: a 1x1 convolution to 16 channels on the shortcut"
refuse stride "${keras}_add/Conv2D' (Add): the main path has 16 channels of 4x4, the shortcut 16 \
channels of 8x8, expected the same; likely fix: a 1x1 convolution to 16 channels with stride 2 on \
the shortcut"
refuse norm "${keras}_3_bn/Conv2D' (BatchNormalization): parameter 'gamma' has shape 8, expected 16, \
the channels of input 'c'; likely fix: a batch norm of 16 channels"
refuse torch_shortcut "block 'layer2.0', node '/layer2/layer2.0/add/Node' (Add): the main path has \
16 channels of 8x8, the shortcut 12 channels"
