"""Compiles the kernels that NextCL would build on GPUs, reads the machine code and holds it against
budget.json.

  python3 tests/portability/static TOOL [--all] [--target NAME]... [--family NAME]...
                                   [--define NAME=VALUE]... [--json]

TOOL       the build's tests/static_variants
--all      every kernel, not only the heaviest of each family; all of them have to keep "every".
           Of precision fp16 the heaviest alone: there are as many
--target   only these (default: all whose compilers are there)
--family   only kernels of these, as "pointwise" or "grouped-4-s2"
--define   changes constants of every kernel first, to see what a parameter does
--json     figures as JSON lines

Exit status: 0 all within budget, 1 something is not, 77 no compiler is there."""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import re
import sys
import tempfile

import amd
import gate
import intel
import nvidia
import variants
from figures import CompilerError

TARGETS = [amd.Amd("gfx906"), amd.Amd("gfx1030"), amd.Amd("gfx1100"), intel.Intel("tgllp"),
           intel.Intel("dg2"), nvidia.Nvidia("sm_86")]
COLUMNS = "fma/all fma/alu  B/fma local  regs spill sspill scratch  lds lanes occ"


def parse(arguments):
    parser = argparse.ArgumentParser(prog="static", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("tool")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--target", action="append", choices=[t.name for t in TARGETS])
    parser.add_argument("--family", action="append")
    parser.add_argument("--define", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def usable_targets(wanted):
    """Those with a compiler; says which are skipped and why."""
    found = {}
    for target in TARGETS:
        if wanted and target.name not in wanted:
            continue
        reason = target.missing()
        if reason:
            print(f"skipped: {target.name}: {reason}", file=sys.stderr)
            continue
        target.prepare()
        found[target.name] = target
    return found


def redefine(folder, definitions):
    """Sets constants in the head of every kernel that defines them."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for definition in definitions:
            macro, value = definition.split("=")
            text = re.sub(rf"^#define {macro} .*", f"#define {macro} {value}", text, count=1,
                          flags=re.M)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def measure(target, path, threads):
    """Figures, or the error as text."""
    try:
        return target.measure(path, threads)
    except CompilerError as error:
        return str(error)


def key_of(variant):
    return variant.target, variant.source, variant.kernel


def measure_all(targets, chosen, folder):
    """{(target, source, kernel): figures}, each once."""
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for variant in chosen:
            key = key_of(variant)
            if key not in jobs:
                jobs[key] = pool.submit(measure, targets[variant.target],
                                        variants.path_of(folder, variant), variant.threads)
    return {key: job.result() for key, job in jobs.items()}


def show(variant, found):
    """One line; `*`: the family's main variant."""
    params = " ".join(f"{name}={value}" for name, value in variant.params.items())
    print(f"{variant.target:8}{variant.family:18}{found.fma_share:7.2f}{found.alu_share:8.2f}"
          f"{found.bytes_per_fma:7.2f}{found.local_per_fma:6.2f}{found.registers:6}"
          f"{found.spills:6}{found.scalar_spills:7}{found.scratch:8}{found.local:5}{found.lanes:6}"
          f"{found.occupancy:4}  {'*' if variant.main else ' '} {params}")


def report(variant, found, as_json):
    if as_json:
        print(json.dumps(dict(dataclasses.asdict(variant), figures=dataclasses.asdict(found))))
    else:
        show(variant, found)


def check(chosen, measured, as_json):
    """Prints the figures; returns what is not within budget."""
    budget, problems, good = gate.load(), [], {}
    if not as_json:
        print(f"{'target':8}{'family':18}{COLUMNS}  * main variant, parameters")
    for variant in chosen:
        found = measured[key_of(variant)]
        name = f"{variant.target} {variant.family} {variant.source}"
        if isinstance(found, str):
            problems.append(f"{name}: {found}")
            continue
        report(variant, found, as_json)
        good.setdefault((variant.target, variant.family), []).append(found)
        limits = gate.limits_of(budget, variant.target, variant.family, variant.main)
        problems += [f"{name}: {text}" for text in gate.failures(found, limits)]
    return problems + list(gate.best_failures(budget, good))


def check_useful(layers, measured, as_json):
    """Kernels that were not compiled are taken to have the lanes of the target's others."""
    lanes, usual = {}, {}
    for (target, source, _), found in measured.items():
        if not isinstance(found, str):
            lanes[source] = found.lanes
            usual[target] = max(usual.get(target, 0), found.lanes)
    for layer in layers:
        if layer["target"] in usual:
            lanes.setdefault(layer["source"], usual[layer["target"]])
    shares = variants.useful_shares(layers, lanes)
    for (net, batch, target), share in sorted(shares.items()) if not as_json else ():
        print(f"{target:8}{net} batch {batch}: useful work {share:.2f}")
    return list(gate.useful_failures(gate.load(), shares))


def main(arguments):
    options = parse(arguments)
    targets = usable_targets(options.target)
    if not targets:
        return 77
    with tempfile.TemporaryDirectory() as folder:
        layers = variants.layers_of(options.tool, folder)
        redefine(folder, options.define)
        layers = [layer for layer in layers if layer["target"] in targets]
        chosen = [v for v in variants.variants_of(layers)
                  if v.main or (options.all and not v.family.startswith("half"))]
        chosen = [v for v in chosen if v.family in (options.family or [v.family])]
        measured = measure_all(targets, chosen, folder)
        problems = check(chosen, measured, options.json)
        if not options.family:
            problems += check_useful(layers, measured, options.json)
    for problem in problems:
        print(f"over budget: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
