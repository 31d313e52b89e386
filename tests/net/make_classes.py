"""Makes classes.onnx: the smallest net from a 1x3x224x224 image to 1000 classes, with random
weights; and map.onnx, which has scores for each pixel. Needs onnx and numpy; run in this folder."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

random = np.random.default_rng(1)


def tensor(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)


nodes = [helper.make_node("Conv", ["image", "w"], ["a"], name="conv", strides=[32, 32]),
         helper.make_node("Relu", ["a"], ["b"], name="relu"),
         helper.make_node("GlobalAveragePool", ["b"], ["c"], name="pool"),
         helper.make_node("Flatten", ["c"], ["d"], name="flatten"),
         helper.make_node("Gemm", ["d", "f"], ["scores"], name="classes")]
graph = helper.make_graph(
    nodes, "classes", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1000])],
    [tensor("w", 4, 3, 8, 8), tensor("f", 4, 1000)])
save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]),
     "classes.onnx")
graph = helper.make_graph(
    [helper.make_node("Relu", ["image"], ["scores"], name="relu")], "map",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 16])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3, 16, 16])])
save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]),
     "map.onnx")
