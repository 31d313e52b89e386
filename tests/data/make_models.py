#!/usr/bin/env python3
"""Regenerates the golden models: small ONNX files, an input and the output computed in float64.

Needs numpy, onnx and torch. Usage: make_models.py [DIRECTORY] (default: beside this script).
Every model NAME.onnx comes with NAME.input.npy and NAME.expected.npy, both float32.
"""
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)


def random(*shape, seed=0, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def in_float64(model):
    """The same model computed in double: initializers, constants, inputs and casts widened."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)

    def widen(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(
                numpy_helper.from_array(
                    numpy_helper.to_array(tensor).astype(np.float64), tensor.name
                )
            )

    for tensor in wide.graph.initializer:
        widen(tensor)
    for node in wide.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen(attribute.t)
            if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    for value in list(wide.graph.input) + list(wide.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    del wide.graph.value_info[:]
    return wide


def save(name, model, x, expected=None):
    onnx.checker.check_model(model)
    if expected is None:
        graph_input = {model.graph.input[0].name: x.astype(np.float64)}
        expected = ReferenceEvaluator(in_float64(model)).run(None, graph_input)[0]
    assert np.isfinite(expected).all() and expected.std() > 1e-3, name
    data = model.SerializeToString()
    assert len(data) < 100 * 1024, (name, len(data))
    (OUT / f"{name}.onnx").write_bytes(data)
    np.save(OUT / f"{name}.input.npy", x)
    np.save(OUT / f"{name}.expected.npy", np.ascontiguousarray(expected, dtype=np.float32))
    print(f"{name}: {len(data)} bytes, output {expected.shape}, deviation {expected.std():.3f}")


# ---- exported by torch ----


class Block(nn.Module):
    def __init__(self, c_in, width, c_out, groups, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.down = None
        if stride != 1 or c_in != c_out:
            self.down = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.down is None else self.down(x)))


class TinyResNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 7, 2, 3, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        self.blocks = nn.Sequential(
            Block(16, 16, 32, 4, 1), Block(32, 16, 32, 4, 1), Block(32, 32, 64, 8, 2)
        )
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.fc(torch.flatten(torch.nn.functional.adaptive_avg_pool2d(x, 1), 1))


class Variants(nn.Module):
    """Convolutions of every kind, with the activations that can follow them."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 10, (3, 5), (1, 2), (1, 2)),
            nn.LeakyReLU(0.2),
            nn.Conv2d(10, 10, 3, padding=2, dilation=2, groups=10),
            nn.Hardswish(),
            nn.Conv2d(10, 20, 1, groups=5, bias=False),
            nn.SiLU(),
            nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
            nn.ZeroPad2d((1, 2, 0, 1)),
            nn.Conv2d(20, 12, 2, 2),
            nn.ReLU6(),
            nn.Dropout(),
            nn.Conv2d(12, 7, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.layers(x)


def sane(module, x):
    """Statistics as training would leave them, so that activations keep their size."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, 0, 0.1)
    module.train()
    with torch.no_grad():
        module(x)
    return module.eval()


def export(name, module, x, **options):
    path = OUT / f"{name}.onnx"
    tensor = torch.from_numpy(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (tensor,),
            str(path),
            input_names=["input"],
            output_names=["output"],
            **{"dynamo": False, **options},
        )
    model = onnx.load(path)
    # Stack traces: of this machine, and longer than the weights.
    for entry in [model.graph, *model.graph.node, *model.graph.input, *model.graph.output]:
        entry.doc_string = ""
        del entry.metadata_props[:]
    del model.metadata_props[:], model.graph.value_info[:]
    with torch.no_grad():
        expected = module.double()(tensor.double()).numpy()
    module.float()
    save(name, model, x, expected)


def from_torch():
    torch.manual_seed(1)
    x = random(2, 3, 40, 36, seed=1)
    net = sane(TinyResNeXt(), torch.from_numpy(random(8, 3, 40, 36, seed=2)))
    unfolded = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    free = {"input": {0: "batch", 2: "height", 3: "width"}, "output": {0: "batch"}}
    export("resnext_folded", net, x)
    export("resnext_unfolded", net, x, dynamic_axes=free, **unfolded)
    export("resnext_opset9", net, x, opset_version=9, **unfolded)
    variants = Variants().eval()
    with torch.no_grad():
        for layer in variants.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.mul_(3)
    export("conv_variants", variants, random(1, 3, 17, 23, seed=3))


# ---- built by hand ----


# expected: of models too old for the reference evaluator, which also list initializers as inputs.
def build(name, nodes, weights, x, opset, rank=4, shape=None, **old):
    initializers = [numpy_helper.from_array(value, key) for key, value in weights.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape or x.shape)]
    if "expected" in old:
        inputs += [
            helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in initializers
        ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)]
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=3 if "expected" in old else 8,
    )
    save(name, model, x, old.get("expected"))


def auto_pad():
    node = helper.make_node
    weights = {
        "w1": random(6, 3, 3, 3, seed=10, scale=0.3),
        "w2": random(6, 1, 5, 5, seed=11, scale=0.3),
        "w3": random(4, 6, 2, 2, seed=12, scale=0.3),
        "b3": random(4, seed=13),
    }
    nodes = [
        node("Conv", ["x", "w1"], ["a"], auto_pad="SAME_UPPER", strides=[2, 2]),
        node("MaxPool", ["a"], ["b"], auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[2, 2]),
        node("Conv", ["b", "w2"], ["c"], auto_pad="SAME_LOWER", strides=[1, 1], group=6),
        node("Conv", ["c", "w3", "b3"], ["y"], auto_pad="VALID"),
    ]
    build("auto_pad", nodes, weights, random(1, 3, 33, 30, seed=14), 13)


def opset7():
    """Limits, pads and axes as attributes; initializers listed as inputs."""
    node = helper.make_node
    weights = {
        "w": random(8, 3, 3, 3, seed=20, scale=0.3),
        "scale": random(8, seed=21),
        "bias": random(8, seed=22),
        "mean": random(8, seed=23, scale=0.1),
        "var": np.abs(random(8, seed=24)) + 0.5,
        "f": random(10, 8, seed=25, scale=0.5),
        "g": random(10, seed=26),
    }
    nodes = [
        node("Pad", ["x"], ["p"], mode="constant", pads=[0, 0, 1, 1, 0, 0, 1, 1]),
        node("Conv", ["p", "w"], ["c"], kernel_shape=[3, 3]),
        node("BatchNormalization", ["c", "scale", "bias", "mean", "var"], ["n"], epsilon=1e-3),
        node("Clip", ["n"], ["r"], min=0.0, max=6.0),
        node("ReduceMean", ["r"], ["m"], axes=[2, 3], keepdims=0),
        node("Gemm", ["m", "f", "g"], ["l"], transB=1, alpha=0.5, beta=2.0),
        node("Softmax", ["l"], ["y"]),
    ]
    x = random(3, 3, 9, 9, seed=27)
    # By torch: the reference evaluator's BatchNormalization of old sets computes training's.
    t = {name: torch.from_numpy(value).double() for name, value in weights.items()}
    y = nn.functional.conv2d(torch.from_numpy(x).double(), t["w"], padding=1)
    y = nn.functional.batch_norm(y, t["mean"], t["var"], t["scale"], t["bias"], eps=1e-3)
    y = y.clamp(0, 6).mean((2, 3))
    y = (0.5 * y @ t["f"].T + 2.0 * t["g"]).softmax(1)
    build("opset7", nodes, weights, x, 7, 2, expected=y.numpy())


def shape_arithmetic():
    """A free batch through Shape, Gather, Concat and Reshape, as exporters flatten."""
    node = helper.make_node
    weights = {
        "w": random(5, 3, 3, 3, seed=30, scale=0.3),
        "zero": np.array(0, np.int64),
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "minus": np.array([-1], np.int64),
        "f": random(5 * 36, 6, seed=31, scale=0.1),
    }
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Unsqueeze", ["n", "first"], ["u"]),
        node("Slice", ["s", "first", "second"], ["same"]),
        node("Squeeze", ["same", "first"], ["scalar"]),
        node("Mul", ["scalar", "n"], ["square"]),
        node("Div", ["square", "n"], ["again"]),
        node("Unsqueeze", ["again", "first"], ["batch"]),
        node("Concat", ["batch", "minus"], ["target"], axis=0),
        node("Reshape", ["c", "target"], ["r"]),
        node("MatMul", ["r", "f"], ["y"]),
    ]
    x = random(2, 3, 8, 8, seed=32)
    build("shape_arithmetic", nodes, weights, x, 13, 2, shape=["N", 3, 8, 8])


def split_groups():
    """Four slices, four convolutions, one Concat: a grouped convolution taken apart."""
    node = helper.make_node
    weights = {"axis": np.array([1], np.int64)}
    nodes = []
    for i in range(4):
        weights[f"w{i}"] = random(3, 2, 3, 3, seed=40 + i, scale=0.3)
        weights[f"from{i}"] = np.array([2 * i], np.int64)
        weights[f"to{i}"] = np.array([2 * i + 2], np.int64)
        nodes += [
            node("Slice", ["x", f"from{i}", f"to{i}", "axis"], [f"s{i}"]),
            node("Conv", [f"s{i}", f"w{i}"], [f"c{i}"], pads=[1, 1, 1, 1]),
        ]
    nodes += [node("Concat", [f"c{i}" for i in range(4)], ["k"], axis=1), node("Relu", ["k"], ["y"])]
    build("split_groups", nodes, weights, random(1, 8, 7, 6, seed=44), 13)


def residuals():
    """Sums whose operands have other readers, a scale, and a transposed input (Keras)."""
    node = helper.make_node
    weights = {
        "w1": random(8, 3, 3, 3, seed=50, scale=0.3),
        "w2": random(8, 8, 1, 1, seed=51, scale=0.3),
        "w3": random(8, 8, 1, 1, seed=52, scale=0.3),
        "scale": random(1, 8, 1, 1, seed=53),
        "shift": random(1, 8, 1, 1, seed=54),
    }
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w1"], ["a"], pads=[1, 1, 1, 1]),
        node("Conv", ["a", "w2"], ["b"]),
        node("Mul", ["b", "scale"], ["c"]),
        node("Add", ["c", "shift"], ["d"]),
        node("Add", ["d", "a"], ["e"]),
        node("Relu", ["e"], ["f"]),
        node("Conv", ["f", "w3"], ["g"]),
        node("Add", ["g", "e"], ["h"]),
        node("Add", ["h", "f"], ["y"]),
    ]
    build("residuals", nodes, weights, random(2, 6, 5, 3, seed=55), 13)


if __name__ == "__main__":
    from_torch()
    auto_pad()
    opset7()
    shape_arithmetic()
    split_groups()
    residuals()
