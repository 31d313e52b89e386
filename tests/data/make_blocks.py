#!/usr/bin/env python3
"""Regenerates the golden models of residual blocks as PyTorch users write them: whole ResNets of
few channels, exported in every way that torch offers.

Needs torch, torchvision, onnx and onnxscript. Usage: make_blocks.py [DIRECTORY] (default: beside
this script). Every model NAME.onnx comes with NAME.input.npy and NAME.expected.npy (torch in
float64), both float32.
"""
import torch
from make_models import export, random, sane
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck

FREE = {"dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}}}
UNFOLDED = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}


class Biased(nn.Module):
    """Convolutions with biases; the shortcut, where there is one, without batch normalisation."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.conv3 = None
        if stride != 1 or c_in != c_out:
            self.conv3 = nn.Conv2d(c_in, c_out, 1, stride)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.conv3:
            x = self.conv3(x)
        y += x
        return functional.relu(y)


class Projected(nn.Module):
    """The shortcut is always a convolution and a batch normalisation."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
        )

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x))


class Preactivated(nn.Module):
    """Normalised and activated before each convolution; so is what the shortcut's reads."""

    def __init__(self, c_in, c_out, stride, width=None):
        super().__init__()
        kernels = [3, 3] if width is None else [1, 3, 1]
        widths = [c_in] + [width or c_out] * (len(kernels) - 1) + [c_out]
        strided = 0 if width is None else 1
        self.norms = nn.ModuleList(map(nn.BatchNorm2d, widths[:-1]))
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, k, stride if i == strided else 1, k // 2, bias=False)
            for i, (a, b, k) in enumerate(zip(widths, widths[1:], kernels))
        )
        self.shortcut = None
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Conv2d(c_in, c_out, 1, stride, bias=False)

    def forward(self, x):
        y = functional.relu(self.norms[0](x))
        shortcut = x if self.shortcut is None else self.shortcut(y)
        y = self.convs[0](y)
        for norm, conv in zip(self.norms[1:], self.convs[1:]):
            y = conv(functional.relu(norm(y)))
        return y + shortcut


def of_torchvision(kind, **width):
    """torchvision's own blocks, made as its ResNet makes them."""

    def block(c_in, c_out, stride):
        down = None
        if stride != 1 or c_in != c_out:
            down = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )
        return kind(c_in, c_out // kind.expansion, stride, down, **width)

    return block


class Net(nn.Module):
    """One stage per width; the first block of each but the first stage halves the image."""

    def __init__(self, block, counts, widths, head, last=None):
        super().__init__()
        c = 8
        self.stem = nn.Sequential(
            nn.Conv2d(3, c, 7, 2, 3, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        blocks = []
        for stage, (count, width) in enumerate(zip(counts, widths)):
            for i in range(count):
                blocks.append(block(c, width, 2 if stage > 0 and i == 0 else 1))
                c = width
        self.blocks = nn.Sequential(*blocks, *([last] if last else []))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = head

    def forward(self, x):
        return self.head(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


def save(name, seed, net, **options):
    torch.manual_seed(seed)
    net = net()
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.running_mean.normal_(0, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
    net = sane(net, torch.from_numpy(random(32, 3, 32, 32, seed=seed)))
    export(name, net, random(3, 3, 32, 32, seed=seed + 1), **options)


if __name__ == "__main__":
    R18, R50 = (2, 2, 2, 2), (3, 4, 6, 3)
    NARROW, WIDE = (8, 8, 12, 16), (16, 16, 24, 32)
    DYNAMO = {"dynamo": True, "opset_version": 18, "external_data": False, "verbose": False}
    save(
        "block_biases",
        60,
        lambda: Net(Biased, R18, NARROW, nn.Linear(16, 10)),
        opset_version=17,
        **FREE,
        **UNFOLDED,
    )
    save("block_projection", 62, lambda: Net(Projected, R18, NARROW, nn.Linear(16, 5)), **DYNAMO)
    save(
        "torchvision_basic",
        64,
        lambda: Net(
            of_torchvision(BasicBlock), R18, NARROW, nn.Sequential(nn.Dropout(), nn.Linear(16, 2))
        ),
        opset_version=13,
        **FREE,
    )
    save(
        "torchvision_bottleneck",
        66,
        lambda: Net(
            of_torchvision(Bottleneck),
            R50,
            WIDE,
            nn.Sequential(
                nn.Linear(32, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 37)
            ),
        ),
        **DYNAMO,
    )
    save(
        "torchvision_resnext",
        68,
        lambda: Net(
            of_torchvision(Bottleneck, groups=4, base_width=32),
            R50,
            WIDE,
            nn.Sequential(nn.Linear(32, 1), nn.Sigmoid()),
        ),
        opset_version=14,
        **FREE,
    )
    save(
        "torchvision_wide",
        70,
        lambda: Net(
            of_torchvision(Bottleneck, base_width=128),
            (1, 1, 1, 1),
            WIDE,
            nn.Linear(32, 3),
        ),
        **DYNAMO,
    )
    save(
        "preact_basic",
        72,
        lambda: Net(
            Preactivated,
            R18,
            NARROW,
            nn.Linear(16, 10),
            nn.Sequential(nn.BatchNorm2d(16), nn.ReLU()),
        ),
        opset_version=16,
        **FREE,
        **UNFOLDED,
    )
    save(
        "preact_bottleneck",
        74,
        lambda: Net(
            lambda c_in, c_out, stride: Preactivated(c_in, c_out, stride, c_out // 4),
            R50,
            WIDE,
            nn.Linear(32, 10),
            nn.Sequential(nn.BatchNorm2d(32), nn.ReLU()),
        ),
        **DYNAMO,
    )
