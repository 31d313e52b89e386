#!/usr/bin/env python3
"""Regenerates zoo_*.npy: inputs, and the zoo's results of seed 1 and 10 classes in float64.

Written apart from host/zoo: torch's functions as the papers and Keras define the nets, numpy for the
seeded weights. Needs numpy and torch. Usage: make_zoo.py [DIRECTORY] (default: beside this script).
"""
import pathlib
import sys

import numpy as np
import torch
from torch.nn import functional as F

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
SEED, CLASSES = 1, 10
SIZES = {"64": (1, 64, 64), "odd": (3, 33, 46)}


def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Net:
    """Makes each layer's weights when it is reached. A tensor travels with its expected mean of
    squares, from which the sizes of weights follow."""

    golden = np.uint64(0x9E3779B97F4A7C15)

    def __init__(self, epsilon):
        self.epsilon, self.tensors = epsilon, 0

    def fill(self, low, high, *shape):
        low, high = np.float32(low), np.float32(high)
        self.tensors += 1
        with np.errstate(over="ignore"):
            key = mix(mix(np.uint64(SEED) + self.golden) + np.uint64(self.tensors) * self.golden)
            index = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
            bits = mix(key + index * self.golden) >> np.uint64(40)
        numbers = float(low) + float(high - low) * (bits.astype(np.float64) * 2.0**-24)
        return torch.tensor(numbers.astype(np.float32).astype(np.float64).reshape(shape))

    def conv(self, x, power, channels, kernel, stride=1, groups=1, pad=None, bias=False, gain=1.0):
        fan = x.shape[1] // groups * kernel * kernel
        limit = gain * (6 / fan) ** 0.5
        weight = self.fill(-limit, limit, channels, x.shape[1] // groups, kernel, kernel)
        bias = self.fill(-0.1, 0.1, channels) if bias else None
        pad = kernel // 2 if pad is None else pad
        return F.conv2d(x, weight, bias, stride, pad, 1, groups), 2 * gain * gain * power

    def norm(self, x, power, gain=1.0):
        count, mean = x.shape[1], 0.1 * power**0.5
        gamma = self.fill(0.75 * gain, 1.25 * gain, count)
        beta = self.fill(-0.1, 0.1, count)
        mean = self.fill(-mean, mean, count)
        variance = self.fill(0.8 * power, 1.25 * power, count)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=self.epsilon), gain * gain

    def norm_relu(self, x, power, gain=1.0):
        x, power = self.norm(x, power, gain)
        return F.relu(x), power / 2

    def dense(self, x, power, deviation, features_first):
        limit = (3 * deviation**2 / (0.7 * power * x.shape[1])) ** 0.5
        shape = (CLASSES, x.shape[1])
        weight = self.fill(-limit, limit, *(shape[::-1] if features_first else shape))
        bias = self.fill(-0.1, 0.1, CLASSES)
        return F.linear(x, weight.T if features_first else weight, bias)


def stages(net, x, power, blocks, expansion, block):
    for stage, count in enumerate(blocks):
        for i in range(count):
            planes = 64 << stage
            stride = 2 if stage > 0 and i == 0 else 1
            project = stride > 1 or x.shape[1] != planes * expansion
            x, power = block(net, x, power, planes, stride, project)
    return x, power


def preact_block(expansion):
    def block(net, x, power, planes, stride, project):
        active, of_active = net.norm_relu(x, power)
        short, of_short = x, power
        if project:
            short, of_short = net.conv(active, of_active, planes * expansion, 1, stride)
        if expansion == 1:
            y, of_y = net.conv(active, of_active, planes, 3, stride)
            y, of_y = net.conv(*net.norm_relu(y, of_y), planes, 3, gain=0.5)
        else:
            y, of_y = net.conv(active, of_active, planes, 1)
            y, of_y = net.conv(*net.norm_relu(y, of_y), planes, 3, stride)
            y, of_y = net.conv(*net.norm_relu(y, of_y), planes * 4, 1, gain=0.5)
        return y + short, of_y + of_short

    return block


def preact(blocks, expansion):
    def run(x):
        net = Net(float(np.float32(1e-5)))
        x, power = net.conv(x, 1.0, 64, 7, 2)
        x, power = F.max_pool2d(x, 3, 2, 1), 2 * 2.4 * power
        x, power = stages(net, x, power, blocks, expansion, preact_block(expansion))
        x, power = net.norm_relu(x, power)
        return net.dense(x.mean((2, 3)), power, 2.0, False)

    return run


def same(x, stride):
    """TensorFlow's padding for 3x3: what is odd goes behind."""
    pads = []
    for side in (x.shape[3], x.shape[2]):
        whole = max((-(-side // stride) - 1) * stride + 3 - side, 0)
        pads += [whole // 2, whole - whole // 2]
    return F.pad(x, pads)


def keras_block(late):
    def block(net, x, power, planes, stride, project):
        width, part = planes * 2, planes // 16
        y, of_y = net.norm_relu(*net.conv(x, power, width, 1))
        parts = []
        for i in range(32):
            first = width - part if late else i * part
            piece, _ = net.conv(same(y[:, first:first + part], stride), of_y, part, 3, stride, pad=0)
            parts.append(piece)
        y, of_y = net.norm_relu(torch.cat(parts, 1), 2 * of_y)
        y, of_y = net.norm(*net.conv(y, of_y, planes * 4, 1), 0.375)
        if project:
            x, power = net.norm(*net.conv(x, power, planes * 4, 1, stride))
            return F.relu(x + y), (power + of_y) / 2
        return F.relu(x + y), power + 0.8 * of_y

    return block


def keras(late):
    def run(x):
        net = Net(float(np.float32(1.001e-5)))
        x, power = net.conv(F.pad(x, [3] * 4), 1.0, 64, 7, 2, pad=0, bias=True)
        x = F.max_pool2d(F.pad(net.norm_relu(x, power)[0], [1] * 4), 3, 2)
        x, power = stages(net, x, 1.5, [3, 4, 6, 3], 4, keras_block(late))
        return F.softmax(net.dense(x.mean((2, 3)), power, 1.4, True), 1)

    return run


NETS = {"preact_resnet18": preact([2, 2, 2, 2], 1), "preact_resnet50": preact([3, 4, 6, 3], 4),
        "resnext50_keras": keras(False), "resnext50_keras_late": keras(True)}

for size, (n, h, w) in SIZES.items():
    image = np.random.default_rng(h).standard_normal((n, 3, h, w)).astype(np.float32)
    np.save(OUT / f"zoo_{size}_nchw.npy", image)
    np.save(OUT / f"zoo_{size}_nhwc.npy", np.ascontiguousarray(image.transpose(0, 2, 3, 1)))
    for name, run in NETS.items():
        y = run(torch.tensor(image.astype(np.float64))).numpy()
        assert np.isfinite(y).all() and y.std() > 1e-3, name
        np.save(OUT / f"zoo_{size}_{name}.npy", y.astype(np.float32))
        print(name, size, y.std(), y.max())
