#!/usr/bin/env python3
"""How much of what a long look finds does a minute's tuning reach? The long one is `tune --budget
full`, 300 points of every problem: it may be interrupted, and the same command goes on with it.

  yardstick.py zoo:resnext50_32x4d /var/tmp/yardstick     # most of an hour, best left alone
  yardstick.py net.onnx DIR --budget 20s -- --batch 8     # the rest goes to both

DIR keeps both runs' stores, reports and compiled kernels: a run that is done there is not repeated.
Both are told by the long one's times, of one launch of every problem's points: the fastest of them
against what sessions run after the short one. The fastest of hundreds was lucky too, so the share is
a lower bound. Exit status: 0 the share is reached, 1 it is not or a run failed."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

CLI = os.environ.get("NEXTCL_CLI", "build/nextcl")


def nextcl(folder, *arguments):
    """Standard output, of a process that keeps what it finds and compiles in the folder."""
    environment = {**os.environ, "NEXTCL_CACHE_DIR": str(folder / "cache"),
                   "POCL_CACHE_DIR": str(folder / "pocl")}
    done = subprocess.run([CLI, *arguments], stdout=subprocess.PIPE, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{CLI} {' '.join(arguments)}: exit status {done.returncode}")
    return done.stdout.decode()


def tune(folder, *arguments):
    """The report of a run, once it is whole."""
    path = folder / "report.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        text = nextcl(folder, "tune", *arguments, "--json")
        path.write_text(text)
    return json.loads(path.read_text())


def point_of(layer, which):
    return layer[which]["algorithm"], layer[which]["params"]


def times_of(folder):
    """{problem: {point: seconds}} of what was measured."""
    times = {}
    for r in json.loads(nextcl(folder, "db", "show", "--json"))["records"]:
        if r["verdict"] == "good" and r["samples"] > 0:
            times.setdefault(r["problem"], {})[r["algorithm"], r["params"]] = r["seconds"]
    return times


def reached(layer, times):
    """Seconds of what sessions run after the short run; what the long one never drew is as much
    faster than the default as it was in the short one."""
    default = times[point_of(layer, "default")]
    if not layer["chosen"]:
        return default
    return times.get(point_of(layer, "best"),
                     default * layer["best"]["ms"] / layer["default"]["ms"])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--budget", default="60s", help="of the short run; 60s")
    parser.add_argument("--share", type=float, default=0.95, help="to be reached; 0.95")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given, both = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1:]
    begun = ["--resume"] if (given.dir / "full" / "cache").exists() else []
    full = tune(given.dir / "full", given.model, *both, "--budget", "full", *begun)
    short = tune(given.dir / "short", given.model, *both, "--budget", given.budget)
    times = times_of(given.dir / "full")
    sums = [0, 0, 0]
    for layer in short["layers"]:
        known = times.get(layer["problem"])
        if not known:
            continue  # there is nothing to choose
        seconds = known[point_of(layer, "default")], reached(layer, known), min(known.values())
        sums = [s + 1e3 * layer["uses"] * each for s, each in zip(sums, seconds)]
    share = sums[2] / sums[1]
    print(f"{full['trials']} points in {full['search_seconds'] + full['resumed_seconds']:.0f} s, "
          f"{short['trials']} in {short['elapsed']:.0f} s")
    print(f"launches of all layers, ms: defaults {sums[0]:.2f}, after the short run {sums[1]:.2f}, "
          f"the long one's fastest {sums[2]:.2f}")
    print(f"share {share:.3f}, wanted {given.share:g}")
    return 0 if share >= given.share else 1


if __name__ == "__main__":
    sys.exit(main())
