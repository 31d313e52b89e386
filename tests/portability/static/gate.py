"""Budgets: what a kernel may cost and has to reach on each target."""
import json
import pathlib
import re

BUDGET = pathlib.Path(__file__).with_name("budget.json")
LEAST = {"fma_share", "alu_share", "occupancy", "lanes"}
MOST = {"spills", "scalar_spills", "scratch", "local", "bytes_per_fma", "local_per_fma",
        "registers"}


def load(path=BUDGET):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def limits_of(budget, target, family, main):
    """What is asked of every kernel, and of the family's main variant. "grouped-4-s2" inherits
    from "grouped-4" and "grouped"."""
    limits = dict(budget["every"].get("all", {}), **budget["every"].get(target, {}))
    parts = family.split("-")
    for length in range(1, len(parts) + 1) if main else ():
        named = budget["main"].get("-".join(parts[:length]), {})
        limits.update(named.get("all", {}), **named.get(target, {}))
    return limits


def failures(figures, limits):
    """One sentence for each limit that is not kept."""
    for name, limit in sorted(limits.items()):
        found = getattr(figures, name)
        if name in LEAST and found < limit:
            yield f"{name} {found:g}, at least {limit:g} wanted"
        elif name in MOST and found > limit:
            yield f"{name} {found:g}, at most {limit:g} allowed"
        elif name not in LEAST | MOST:
            raise KeyError(f"budget names an unknown figure: {name}")


def best_failures(budget, found):
    """`found`: {(target, family): figures of each variant}. Of each family that "best" names, one
    variant has to keep all limits at once, at whatever stride."""
    for name, targets in sorted(budget["best"].items()):
        for target in sorted({target for target, _ in found}):
            limits = dict(targets.get("all", {}), **targets.get(target, {}))
            variants = [figures for (where, family), group in found.items() for figures in group
                        if where == target and re.sub("-s[0-9]+$", "", family) == name]
            broken = [list(failures(figures, limits)) for figures in variants]
            if broken and all(broken):
                yield f"{target} {name}: no variant is good enough; {min(broken, key=len)[0]}"


def useful_failures(budget, shares):
    """`shares`: {(net, batch, target): useful work / work}; "net fp16 fast" is held to the limits of
    "fp16 fast batch 1" before those of "batch 1"."""
    for (net, batch, target), share in sorted(shares.items()):
        mode = " ".join(net.split()[1:] + [f"batch {batch}"])
        limits = dict(budget["useful"].get(f"batch {batch}", {}), **budget["useful"].get(mode, {}))
        limit = limits.get(target, limits.get("all", 0))
        if share < limit:
            yield (f"{target} {net} batch {batch}: useful work {share:.3f}, "
                   f"at least {limit:g} wanted")
