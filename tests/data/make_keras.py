#!/usr/bin/env python3
"""Regenerates the golden models that Keras exports: ResNeXt-50 with its grouped convolutions
written as slices, convolutions and a concatenation, as people write them, but of few channels.

Needs keras 3, tensorflow, tf2onnx and onnx. Usage: make_keras.py [DIRECTORY] (default: beside this
script). Every model NAME.onnx comes with NAME.input.npy and NAME.expected.npy (Keras in float64),
both float32, channels last.
"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# pylint: disable=wrong-import-position
import keras
import numpy as np
import onnx
import tensorflow as tf
from keras import layers

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
GROUPS = 32
EPSILON = 1.001e-5


def norm(x, relu=True):
    x = layers.BatchNormalization(epsilon=EPSILON)(x)
    return layers.Activation("relu")(x) if relu else x


def early(x, c, stride):
    """Every group its own slice."""
    groups = []
    for i in range(GROUPS):
        part = layers.Lambda(lambda z, i=i: z[:, :, :, i * c : (i + 1) * c])(x)
        groups.append(layers.Conv2D(c, 3, strides=stride, padding="same", use_bias=False)(part))
    return layers.Concatenate()(groups)


def late(x, c, stride):
    """The same loop as most write it: i is looked up when the lambda runs, and then it is 31."""
    groups = []
    for i in range(GROUPS):
        part = layers.Lambda(lambda z: z[:, :, :, i * c : (i + 1) * c])(x)
        groups.append(layers.Conv2D(c, 3, strides=stride, padding="same", use_bias=False)(part))
    return layers.Concatenate()(groups)


class Split(layers.Layer):
    """All groups from one operator, and convolutions with biases."""

    def __init__(self, c, stride):
        super().__init__()
        self.convs = [
            layers.Conv2D(c, 3, strides=stride, padding="same", activation="relu")
            for _ in range(GROUPS)
        ]

    def build(self, shape):
        for conv in self.convs:
            conv.build((*shape[:3], shape[3] // GROUPS))

    def call(self, x):
        parts = tf.split(x, GROUPS, axis=-1)
        return tf.concat([conv(part) for conv, part in zip(self.convs, parts)], axis=-1)


def split(x, c, stride):
    return Split(c, stride)(x)


def block(x, grouped, width, out, stride, first):
    shortcut = x
    if first:
        shortcut = norm(layers.Conv2D(out, 1, strides=stride, use_bias=False)(x), relu=False)
    y = norm(layers.Conv2D(width, 1, use_bias=False)(x))
    y = norm(grouped(y, width // GROUPS, stride))
    y = norm(layers.Conv2D(out, 1, use_bias=False)(y), relu=False)
    return layers.Activation("relu")(layers.Add()([shortcut, y]))


def resnext(grouped, blocks, widths, size=32, classes=10):
    inputs = keras.Input((size, size, 3), name="input")
    x = layers.ZeroPadding2D(3)(inputs)
    x = norm(layers.Conv2D(8, 7, strides=2)(x))
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, (count, width) in enumerate(zip(blocks, widths)):
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            x = block(x, grouped, width, 8, stride, i == 0)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def randomise(model, rng):
    """Random weights, and statistics as training would leave them, a little off."""
    data = rng.standard_normal((32, *model.input_shape[1:])).astype(np.float32)
    norms = [part for part in model.layers if isinstance(part, layers.BatchNormalization)]
    for variable in model.trainable_variables:
        shape = tuple(variable.shape)
        if len(shape) > 1:
            value = rng.standard_normal(shape) * (2 / np.prod(shape[:-1])) ** 0.5
        elif variable.name == "gamma":
            value = rng.uniform(0.7, 1.3, shape)
        else:
            value = rng.standard_normal(shape) * 0.1
        variable.assign(value)
    for part in norms:
        part.momentum = 0.0
    model(data, training=True)
    for part in norms:
        variance = np.maximum(part.moving_variance.numpy(), 0.05)  # less: float32 is too coarse
        part.moving_variance.assign(variance * rng.uniform(0.8, 1.25, variance.shape))


def short_names(model):
    """The exporter's names are longer than these nets' weights, and differ from run to run."""
    names = {value.name: value.name for value in [*model.graph.input, *model.graph.output]}

    def short(name):
        return names.setdefault(name, f"v{len(names)}") if name else name

    for node in model.graph.node:
        node.input[:] = map(short, node.input)
        node.output[:] = map(short, node.output)
        node.name = f"{node.op_type}_{node.output[0]}"
        node.doc_string = ""
    for tensor in model.graph.initializer:
        tensor.name = short(tensor.name)
    model.graph.initializer.sort(key=lambda tensor: tensor.name)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "unk__0"
    del model.graph.value_info[:]


def export(name, seed, opset, *structure):
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float32")
    rng = np.random.default_rng(seed)
    model = resnext(*structure)
    randomise(model, rng)
    path = OUT / f"{name}.onnx"
    model.export(path, format="onnx", opset_version=opset, verbose=False)
    exported = onnx.load(path)
    short_names(exported)
    onnx.checker.check_model(exported)
    onnx.save(exported, path)

    keras.config.set_dtype_policy("float64")
    wide = resnext(*structure)
    wide.set_weights([weight.astype(np.float64) for weight in model.get_weights()])
    x = rng.standard_normal((3, *model.input_shape[1:])).astype(np.float32)
    expected = wide(x.astype(np.float64), training=False).numpy()
    assert expected.dtype == np.float64 and expected.std() > 1e-2
    assert np.abs(expected - model(x, training=False).numpy()).max() < 1e-4
    np.save(OUT / f"{name}.input.npy", x)
    np.save(OUT / f"{name}.expected.npy", expected.astype(np.float32))
    print(f"{name}: {path.stat().st_size} bytes, output {expected.shape}")


if __name__ == "__main__":
    fifty = ((3, 4, 6, 3), (64, 64, 64, 64))
    export("keras_resnext", 1, 15, early, *fifty)
    export("keras_late", 2, 15, late, *fifty)
    export("keras_split", 3, 18, split, (1, 1), (64, 64))
