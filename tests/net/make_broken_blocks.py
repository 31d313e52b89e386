"""Makes broken_*.onnx: residual blocks of 8 channels whose parts do not fit, with the names that
tf2onnx and torch give. Needs onnx and numpy; run in this folder."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

random = np.random.default_rng(3)


def block(file, scheme, groups=4, grouped=(8, 2), shortcut=None, norm=16, stride=1):
    """1x1, grouped 3x3 (output and input channels of its weights), 1x1 with BN; the shortcut is the
    input, or a 1x1 convolution to as many channels."""
    shapes = {"w1": (8, 16, 1, 1), "w2": (*grouped, 3, 3), "w3": (16, grouped[0], 1, 1),
              "w0": (shortcut or 1, 16, 1, 1), "gamma": (norm,), "beta": (norm,), "mean": (norm,),
              "variance": (norm,)}

    def node(op, inputs, output, part, **attributes):
        return helper.make_node(op, inputs, [output], name=scheme % part, **attributes)

    nodes = [node("Conv", ["x", "w1"], "a", "1_conv"),
             node("Conv", ["a", "w2"], "b", "2_conv", group=groups, pads=[1] * 4,
                  strides=[stride] * 2),
             node("Conv", ["b", "w3"], "c", "3_conv"),
             node("BatchNormalization", ["c", "gamma", "beta", "mean", "variance"], "d", "3_bn"),
             node("Add", ["s" if shortcut else "x", "d"], "e", "add"),
             node("Relu", ["e"], "y", "out")]
    if shortcut:
        nodes.insert(0, node("Conv", ["x", "w0"], "s", "0_conv"))
    graph = helper.make_graph(
        nodes, file, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 16, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)
         for name, shape in shapes.items() if name != "w0" or shortcut])
    save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]),
         f"broken_{file}.onnx")


KERAS = "net/conv2_block1_%s/Conv2D"
TORCH = "/layer2/layer2.0/%s/Node"
block("groups", KERAS, groups=3)
block("group_weights", KERAS, groups=4, grouped=(8, 1))
block("shortcut", KERAS, shortcut=12)
block("stride", KERAS, stride=2)
block("norm", KERAS, norm=8)
block("torch_shortcut", TORCH, shortcut=12)
