"""Every kind of limit can fail, and is kept by a kernel that is good enough."""
import sys

import figures
import gate

GOOD = figures.Figures(registers=64, spills=0, scalar_spills=0, scratch=0, local=1024, lanes=32,
                       occupancy=10, fma_share=0.9, alu_share=0.95, bytes_per_fma=0.5,
                       local_per_fma=1.0)
LIMITS = {"registers": 64, "spills": 0, "scalar_spills": 0, "scratch": 0, "local": 1024,
          "lanes": 32, "occupancy": 10, "fma_share": 0.9, "alu_share": 0.95, "bytes_per_fma": 0.5,
          "local_per_fma": 1.0}


def worse(name):
    """GOOD but for one figure."""
    change = -0.01 if name in gate.LEAST else 1
    return figures.Figures(**dict(vars(GOOD), **{name: getattr(GOOD, name) + change}))


def complaints():
    """What is wrong, in words."""
    if list(gate.failures(GOOD, LIMITS)):
        yield "a kernel at its limits is refused"
    for name in sorted(gate.LEAST | gate.MOST):
        if len(list(gate.failures(worse(name), LIMITS))) != 1:
            yield f"a worse {name} goes unnoticed"
    try:
        list(gate.failures(GOOD, {"fmashare": 1}))
        yield "a limit of no figure is accepted"
    except (AttributeError, KeyError):
        pass
    budget = {"best": {"grouped-8": {"all": LIMITS}}, "useful": {"batch 1": {"all": 0.85}}}
    bad, near = worse("spills"), ("gfx906", "grouped-8-s2")
    if list(gate.best_failures(budget, {near: [bad, GOOD]})):
        yield "one good variant is not enough"
    if len(list(gate.best_failures(budget, {near: [bad, worse("alu_share")]}))) != 1:
        yield "two variants with a fault each pass for a good one"
    if list(gate.best_failures(budget, {("gfx906", "grouped-16"): [bad]})):
        yield "another family's variants are judged"
    if list(gate.useful_failures(budget, {("net", 1, "gfx906"): 0.85})):
        yield "useful work at its limit is refused"
    if len(list(gate.useful_failures(budget, {("net", 1, "gfx906"): 0.84}))) != 1:
        yield "less useful work goes unnoticed"


found = list(complaints())
print("\n".join(found) or "every limit can fail")
sys.exit(bool(found))
