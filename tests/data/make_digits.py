#!/usr/bin/env python3
"""Trains the small ResNeXt of this folder on scikit-learn's handwritten digits: digits.onnx.

The last 360 of the 1797 images, a fifth, are held out; the data set seems to be grouped by writer,
so these are mostly hands that the net never saw. Also written: the held-out images and classes
(digits_x.npy, digits_y.npy), ONNX Runtime's outputs for them (digits.expected.npy), and the first of
each class as a PNG, digit_<class>_<row>.png.

Needs numpy, onnx, onnxruntime, pillow, scikit-learn and torch; two minutes of one core. Seeded; other
versions of torch or other processors round differently, and then train a slightly different net.
Usage: make_digits.py [DIRECTORY] (default: beside this script).
"""
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
HELD_OUT = 360
GREY = 255  # inputs are grey values 0..255, as the PNGs hold them
CARDINALITY = 8
EPOCHS, BATCH = 120, 96


class Bottleneck(nn.Module):
    def __init__(self, c_in, width, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=CARDINALITY, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class SmallResNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.layer1 = nn.Sequential(Bottleneck(32, 32, 64, 1), Bottleneck(64, 32, 64, 1))
        self.layer2 = nn.Sequential(Bottleneck(64, 64, 128, 2), Bottleneck(128, 64, 128, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def enlarged_and_back(side, filter):
    """What storing an image at side x side does to each axis, once it is 8 x 8 again."""
    line = Image.fromarray(np.eye(8, dtype=np.float32))
    return np.asarray(line.resize((8, side), filter).resize((8, 8), Image.Resampling.BILINEAR))


def resamplings():
    filters = Image.Resampling
    kinds = filters.NEAREST, filters.BILINEAR, filters.BICUBIC, filters.LANCZOS
    sides = 12, 16, 20, 28, 32, 64, 100, 224
    each = [enlarged_and_back(side, filter) for side in sides for filter in kinds]
    return torch.from_numpy(np.stack([np.eye(8, dtype=np.float32)] * 4 + each))


def distorted(x, generator):
    """Turned, sheared, stretched and shifted, each a little."""

    def uniform(*shape):
        return torch.rand(*shape, generator=generator) * 2 - 1

    n = len(x)
    angle, shear, shift = 0.2 * uniform(n), 0.2 * uniform(n), 0.25 * uniform(n, 2)
    stretch = 1 + 0.12 * uniform(n, 2, 1)
    turn = torch.stack([angle.cos(), shear - angle.sin(), angle.sin(), angle.cos()], 1)
    maps = torch.cat([turn.view(n, 2, 2) * stretch, shift.view(n, 2, 1)], 2)
    grid = nn.functional.affine_grid(maps, (n, 1, 32, 32), align_corners=False)
    fine = nn.functional.interpolate(x, (32, 32), mode="bicubic", align_corners=False)
    moved = nn.functional.grid_sample(fine, grid, align_corners=False)
    kept = torch.rand(n, 1, 1, 1, generator=generator) < 0.2
    return torch.where(kept, x, nn.functional.avg_pool2d(moved, 4))


def augmented(x, axes, generator):
    x = distorted(x, generator)
    chosen = axes[torch.randint(len(axes), (len(x),), generator=generator)][:, None]
    x = chosen @ x @ chosen.transpose(2, 3)
    x = x * (0.8 + 0.2 * torch.rand(len(x), 1, 1, 1, generator=generator))
    return x.clamp(0, GREY).round()


def train(x, y):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    net = SmallResNeXt()
    batches = len(x) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=EPOCHS * batches)
    axes = resamplings()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x), generator=generator)
        for rows in order[: batches * BATCH].view(batches, BATCH):
            scores = net(augmented(x[rows], axes, generator) / GREY)
            loss = nn.functional.cross_entropy(scores, y[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        net.conv1.weight /= GREY  # from here on the net takes grey values as they are
    return net.eval()


def export(net, x):
    path = OUT / "digits.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (x[:1],), str(path), input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, dynamo=False,
        )
    model = onnx.load(path)
    labels = "\n".join(str(digit) for digit in range(10))
    onnx.helper.set_model_props(model, {"nextcl.preprocess": "none", "nextcl.labels": labels})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def main():
    digits = load_digits()
    x = np.round(digits.images * GREY / 16).astype(np.float32)[:, None]
    y = digits.target.astype(np.int64)
    net = train(torch.from_numpy(x[:-HELD_OUT]), torch.from_numpy(y[:-HELD_OUT]))
    x, y = x[-HELD_OUT:], y[-HELD_OUT:]
    path = export(net, torch.from_numpy(x))
    scores = onnxruntime.InferenceSession(path).run(None, {"input": x})[0]
    right = (scores.argmax(1) == y).sum()
    print(f"{path.stat().st_size} bytes, {right} of {len(y)} right")
    np.save(OUT / "digits_x.npy", x)
    np.save(OUT / "digits_y.npy", y)
    np.save(OUT / "digits.expected.npy", scores)
    for digit in range(10):
        row = np.flatnonzero(y == digit)[0]
        Image.fromarray(x[row, 0].astype(np.uint8)).save(OUT / f"digit_{digit}_{row}.png")


if __name__ == "__main__":
    main()
