"""The kernels that the library chooses, as tests/portability/static/variants.c lists them."""
import collections
import dataclasses
import json
import os
import re
import subprocess

# Tunables that multiply the blocks of output one work-item computes.
TILE = ("P", "KB", "PL", "KL", "L")
CHANNEL_BLOCK = 4
# Layers that are in no network: their kernels are held to budgets, but count for nothing else.
EXTRA = "windows"
KERNEL = re.compile(r"__kernel __attribute__\(\(reqd_work_group_size\([^)]*\)\)\)\s+void FN\((\w+)\)")


@dataclasses.dataclass
class Variant:
    target: str
    family: str
    source: str
    kernel: str
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
        key = layer["target"], layer["family"], layer["source"], layer["kernel"]
        size = layer["local"][0] * layer["local"][1] * layer["local"][2]
        variant = found.setdefault(key, Variant(*key, layer["params"], size))
        variant.macs += layer["macs"] if layer["net"] != EXTRA else 0
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
    return min(1.0, layer["outputs"] / (items * layer["params"].get("V", CHANNEL_BLOCK)))


def useful_shares(layers, lanes):
    """{(net, batch, target): multiplications wanted / multiplications that lanes do}; `lanes` by
    source."""
    wanted, done = collections.Counter(), collections.Counter()
    for layer in (layer for layer in layers if layer["macs"] and layer["net"] != EXTRA):
        if layer["source"] not in lanes:
            continue
        key = layer["net"], layer["batch"], layer["target"]
        wanted[key] += layer["macs"]
        done[key] += layer["macs"] / work_share(layer, lanes[layer["source"]])
    return {key: wanted[key] / done[key] for key in wanted}


def path_of(folder, variant):
    """Where the variant's kernel is the only one of its program: compilers' figures are named by
    kernel in as many ways as there are compilers."""
    path = os.path.join(folder, variant.source)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if len(KERNEL.findall(text)) == 1:
        return path

    def only(match):
        return match.group(0) if match.group(1) == variant.kernel \
            else f"static void FN({match.group(1)})"
    path = path.replace(".cl", f"-{variant.kernel}.cl")
    with open(path, "w", encoding="utf-8") as file:
        file.write(KERNEL.sub(only, text))
    return path
