"""The kernels that the library chooses, as tests/portability/static/variants.c lists them."""
import collections
import dataclasses
import json
import os
import subprocess

# Tunables that multiply the blocks of output one work-item computes.
TILE = ("P", "KB", "PL", "KL", "L")
CHANNEL_BLOCK = 4


@dataclasses.dataclass
class Variant:
    target: str
    family: str
    source: str
    params: dict
    threads: int        # of a work-group
    macs: float = 0     # of all layers of all nets that use it
    layers: int = 0
    main: bool = False  # the family's heaviest on this target


def layers_of(tool, folder):
    """One dictionary for each layer; kernels are left in the folder."""
    listed = subprocess.run([tool, folder], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in listed.splitlines()]


def variants_of(layers):
    """Distinct kernels that multiply, by target and family, heaviest first. One source may serve
    two families."""
    found = {}
    for layer in (layer for layer in layers if layer["macs"]):
        key = layer["target"], layer["family"], layer["source"]
        size = layer["local"][0] * layer["local"][1] * layer["local"][2]
        variant = found.setdefault(key, Variant(*key, layer["params"], size))
        variant.macs += layer["macs"]
        variant.layers += 1
    ordered = sorted(found.values(), key=lambda v: (v.target, v.family, -v.macs))
    previous = None
    for variant in ordered:
        variant.main = (variant.target, variant.family) != previous
        previous = variant.target, variant.family
    return ordered


def work_share(layer, lanes):
    """Outputs wanted / outputs that all lanes compute, idle lanes of hardware threads included."""
    items = layer["global"][0] * layer["global"][1] * layer["global"][2]
    group = layer["local"][0] * layer["local"][1] * layer["local"][2]
    items *= -(-group // lanes) * lanes / group
    for name in TILE:
        items *= layer["params"].get(name, 1)
    return min(1.0, layer["outputs"] / (items * CHANNEL_BLOCK))


def useful_shares(layers, lanes):
    """{(net, batch, target): multiplications wanted / multiplications that lanes do}; `lanes` by
    source."""
    wanted, done = collections.Counter(), collections.Counter()
    for layer in (layer for layer in layers if layer["macs"]):
        if layer["source"] not in lanes:
            continue
        key = layer["net"], layer["batch"], layer["target"]
        wanted[key] += layer["macs"]
        done[key] += layer["macs"] / work_share(layer, lanes[layer["source"]])
    return {key: wanted[key] / done[key] for key in wanted}


def path_of(folder, variant):
    return os.path.join(folder, variant.source)
