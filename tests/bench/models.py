"""Networks to measure: files that are given, or torchvision's architectures with seeded weights."""
import pathlib


def make_input(path, shape, seed=1):
    import numpy
    values = numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)
    numpy.save(path, values)


def export(name, batch, size, folder):
    """An ONNX file of torchvision's architecture, batch and image size fixed. Random weights whose
    batch normalisations are no identities; logits stay finite."""
    path = pathlib.Path(folder) / f"{name}.b{batch}.s{size}.onnx"
    if path.exists():
        return path
    try:
        import torch
        import torchvision
    except ImportError:
        raise SystemExit("compare.py: --net needs torch and torchvision: pip install torch "
                         "torchvision (or give an .onnx file)") from None
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.data.uniform_(0.5, 1)
    unfinished = path.with_suffix(".part")
    torch.onnx.export(net, (torch.zeros(batch, 3, size, size),), str(unfinished), dynamo=False,
                      input_names=["input"], output_names=["output"])
    unfinished.rename(path)
    return path


def input_shape(inspection, batch, size):
    """Of the first input that `nextcl inspect --json` names; free dimensions become the usual."""
    shape = inspection["inputs"][0]["shape"]
    usual = [batch, 3, size, size]
    return [length if length else usual[min(i, 3)] for i, length in enumerate(shape)]


def products(inspection):
    """(m, n, k) of the 1x1 convolutions and dense layers as matrix products: pixels x outputs."""
    found = []
    for layer in inspection["layers"]:
        if layer["kind"] in ("pointwise", "dense"):
            images, outputs, height, width = layer["output"]
            found.append((images * height * width, outputs, layer["input"][1]))
    return found
