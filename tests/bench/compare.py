#!/usr/bin/env python3
"""NextCL against other engines: the same network and input, each engine in a process of its own, host
tensor in to host tensor out, turn by turn in every round. Writes Markdown.

  compare.py --net resnext50_32x4d                        # needs torch and torchvision
  compare.py --net resnet50,resnext50_32x4d --batch 1,8 --output results.md
  compare.py net.onnx --engines nextcl,openvino --rounds 30
  compare.py --net resnet18 --size 64,128,224,320         # how the cost grows
  compare.py net.onnx --device llvmpipe,RUSTICL_ENABLE=llvmpipe

Engines: nextcl (build/libnextcl.so; once more for each --device), onnxruntime and openvino (PyPI),
opencv (its OpenCL target; Debian's python3-opencv), clblast (the 1x1 convolutions alone, as matrix
products; Debian's libclblast1). What is not installed is skipped by name. Exit status: 0 all engines
agree, 1 an output differs or an engine failed, 2 usage."""
import argparse
import hashlib
import json
import os
import pathlib
import select
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machine  # noqa: E402
import models  # noqa: E402
import ratios  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
NATIVE = ("onnxruntime", "openvino")  # the bar is the faster of these
TOLERANCE = 1e-3      # largest difference of outputs, relative to the largest output
SLOW_SECONDS = 0.5    # engines whose runs take longer sit out the later rounds
START_SECONDS = 600   # loading, building kernels, the first run


class Failed(Exception):
    pass


class Engine:
    """A worker process, see engines.py."""

    def __init__(self, label, name, setup, environment, python):
        self.label, self.name, self.setup = label, name, setup
        self.environment, self.python = environment, python
        self.rounds, self.version, self.why, self.process = [], "", "", None

    def start(self):
        self.complaints = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill
        self.process = subprocess.Popen(
            [self.python, HERE / "engines.py", self.name, json.dumps(self.setup)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints, text=True,
            env={**os.environ, **self.environment})
        answer = self.listen(START_SECONDS)
        if "missing" in answer:
            self.why = answer["missing"]
            self.stop()
            return False
        self.version, self.slow = answer["ready"], answer["second"] > SLOW_SECONDS
        self.first = answer["first"]
        return True

    def listen(self, seconds):
        """Libraries may print to stdout too: the answer is the line that is JSON."""
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], seconds)
            line = self.process.stdout.readline() if ready else ""
            if line.startswith("{"):
                return json.loads(line)
            if not line:
                self.process.kill()
                self.process.wait()
                self.complaints.seek(0)
                lines = self.complaints.read().strip().split("\n")
                raise Failed(lines[-1] if ready else f"no answer within {seconds} s")

    def take_turn(self, runs, seconds, number, slow_rounds):
        if self.slow and number >= slow_rounds:
            self.rounds.append(None)
            return
        self.process.stdin.write(f"{runs} {seconds}\n")
        self.process.stdin.flush()
        self.rounds.append(self.listen(START_SECONDS)["seconds"])

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def own_devices(arguments):
    """(label, device, environment) of each NextCL engine: NAME[,VARIABLE=VALUE...]."""
    devices = [("nextcl", "", {})]
    for text in arguments.device:
        name, *settings = text.split(",")
        bad = [setting for setting in settings if "=" not in setting]
        if bad:
            raise SystemExit(f"compare.py: --device {text}: expected VARIABLE=VALUE, found {bad[0]}")
        devices.append((f"nextcl @ {name}", name, dict(s.split("=", 1) for s in settings)))
    return devices


def opencv_python():
    """An interpreter that has OpenCV: Debian's package is for the system's."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import cv2"], capture_output=True).returncode == 0:
            return python
    return sys.executable


def make_engines(arguments, model, inputs, inspection, folder):
    common = {"model": str(model), "input": str(inputs), "threads": arguments.threads,
              "math": arguments.math, "library": str(arguments.build / "libnextcl.so"),
              "products": models.products(inspection)}
    engines = []
    for name in arguments.engines:
        for label, device, environment in own_devices(arguments) if name == "nextcl" \
                else [(name, "", {})]:
            setup = {**common, "device": device,
                     "output": f"{folder}/{len(engines)}.npy"}
            python = opencv_python() if name == "opencv" else sys.executable
            engines.append(Engine(label, name, setup, environment, python))
    return engines


def start_all(engines, failures):
    """Those that run; the others' reasons stay with them."""
    running = []
    for engine in engines:
        try:
            if engine.start():
                running.append(engine)
        except Failed as failed:
            engine.why = f"failed: {failed}"
            failures.append(f"{engine.label}: {failed}")
    return running


def check_outputs(running, failures):
    """Largest difference of each from the first native engine's, else from the first's."""
    import numpy
    with_output = [engine for engine in running if os.path.exists(engine.setup["output"])]
    reference = next((engine for engine in with_output if engine.name in NATIVE), with_output[0])
    expected = numpy.load(reference.setup["output"]).ravel().tolist()
    for engine in with_output:
        values = numpy.load(engine.setup["output"]).ravel()
        engine.digest = hashlib.sha256(values.tobytes()).hexdigest()[:12]
        engine.difference = ratios.largest_difference(values.tolist(), expected)
        if engine.difference > TOLERANCE:
            failures.append(f"{engine.label}: differs from {reference.label} by "
                            f"{engine.difference:.2e} of the largest output")
    return reference


def measure(arguments, engines, failures):
    running = start_all(engines, failures)
    if not running:
        raise SystemExit("compare.py: no engine runs: " +
                         "; ".join(f"{engine.label}: {engine.why}" for engine in engines))
    reference = check_outputs(running, failures)
    for number in range(arguments.rounds):
        for engine in ratios.order_of(running, number):
            try:
                engine.take_turn(arguments.runs, arguments.seconds, number, arguments.slow_rounds)
            except (Failed, BrokenPipeError) as failed:
                engine.why = f"failed in round {number + 1}: {failed}"
                failures.append(f"{engine.label}: {engine.why}")
        running = [engine for engine in running if not engine.why]
    for engine in running:
        engine.stop()
    return running, reference


def result_of(engine, subject, batch):
    row = {"label": engine.label, "version": engine.version, "first_s": engine.first,
           "rounds": engine.rounds, **ratios.summary(engine.rounds)}
    row["images_per_s"] = batch / row["median"]
    row["difference"] = getattr(engine, "difference", None)
    row["digest"] = getattr(engine, "digest", None)
    if subject and engine is not subject:
        row["nextcl"] = ratios.compare(subject.rounds, engine.rounds)
    return row


def inspect(arguments, model, *options):
    said = subprocess.run([arguments.build / "nextcl", "inspect", model, "--json", *options],
                          capture_output=True, text=True)
    if said.returncode:
        raise SystemExit(f"compare.py: {said.stderr.strip()}")
    return json.loads(said.stdout)


def run_case(arguments, title, model, batch, size, folder):
    inspection = inspect(arguments, model)
    shape = models.input_shape(inspection, batch, size)
    if None in inspection["inputs"][0]["shape"]:
        inspection = inspect(arguments, model, "--batch", str(batch), "--size", str(size))
    inputs = pathlib.Path(folder) / "x.npy"
    models.make_input(inputs, shape)
    failures, core_ns = [], [machine.slowest_pair()]
    engines = make_engines(arguments, model, inputs, inspection, folder)
    running, reference = measure(arguments, engines, failures)
    core_ns.append(machine.slowest_pair())
    subject = next((engine for engine in running if engine.name == "nextcl"), None)
    rows = [result_of(engine, subject, shape[0]) for engine in running]
    native = [engine for engine in running if engine.name in NATIVE]
    bar = None
    if subject and native:
        fastest = ratios.fastest({engine.label: engine.rounds for engine in native},
                                 [engine.label for engine in native])
        bar = {"name": fastest, **next(row for row in rows if row["label"] == fastest)["nextcl"]}
    return {"title": title, "shape": shape, "macs": inspection["macs"], "rows": rows, "bar": bar,
            "reference": reference.label, "failures": failures, "core_ns": core_ns,
            "skipped": [(engine.label, engine.why) for engine in engines if engine.why]}


# ---- the report ----

def table_row(row):
    ratio, spread = "", ""
    if "nextcl" in row:
        ratio = f"{row['nextcl']['ratio']:.3f}"
        spread = f"{row['nextcl']['low']:.3f} to {row['nextcl']['high']:.3f}"
    difference = "" if row["difference"] is None else f"{row['difference']:.1e}"
    return f"| {row['label']} | {row['min'] * 1e3:.2f} | {row['median'] * 1e3:.2f} | " \
           f"{row['images_per_s']:.1f} | {ratio} | {spread} | {difference} | {row['runs']} |"


def case_report(case):
    lines = [f"### {case['title']}: {' x '.join(str(length) for length in case['shape'])}, "
             f"{case['macs'] / 1e9:.3f} GMAC", "",
             "| engine | min ms | median ms | images/s | NextCL / it | quartiles by round | "
             "largest difference | runs |", "|---|---|---|---|---|---|---|---|"]
    lines += [table_row(row) for row in case["rows"]]
    lines.append("")
    if case["bar"]:
        bar = case["bar"]
        lines.append(f"NextCL takes **{bar['ratio']:.3f}** of the time of the faster native "
                     f"library, {bar['name']} (by round {bar['low']:.3f} to {bar['high']:.3f}, "
                     f"{bar['rounds']} rounds).")
    own = {row["label"]: row["digest"] for row in case["rows"] if row["label"].startswith("nextcl")}
    if len(own) > 1:
        same = len(set(own.values())) == 1
        lines.append("NextCL's devices gave " + ("the same bits." if same else "different bits: " +
                     ", ".join(f"{label} {digest}" for label, digest in own.items()) + "."))
    lines += [ratios.describe_distance(*case["core_ns"])] if all(case["core_ns"]) else []
    lines += [f"Skipped: {label}: {why}" for label, why in case["skipped"]]
    lines += [f"**{failure}**" for failure in case["failures"]]
    return lines + [""]


def growth_report(cases):
    """One line per case: time per image, and how it relates to the work."""
    labels = [row["label"] for row in cases[0]["rows"] if row["label"] != "clblast"]
    lines = ["### How the cost grows: median ms per image, and GFLOP/s", "",
             "| | GMAC per image | " + " | ".join(labels) + " | NextCL / faster native |",
             "|---|---|" + "---|" * (len(labels) + 1)]
    for case in cases:
        images = case["shape"][0]
        cells = []
        for label in labels:
            row = next((row for row in case["rows"] if row["label"] == label), None)
            cells.append(f"{row['median'] / images * 1e3:.2f}, "
                         f"{2e-9 * case['macs'] / row['median']:.0f}" if row else "")
        bar = case["bar"]
        cells.append(f"{bar['ratio']:.3f} ({bar['low']:.3f} to {bar['high']:.3f})" if bar else "")
        lines.append(f"| {case['title']} | {case['macs'] / images / 1e9:.3f} | "
                     + " | ".join(cells) + " |")
    distances = [ns for case in cases for ns in case["core_ns"] if ns]
    if distances:
        lines += ["", "Core to core, ns one way, before and after each case: "
                  + ", ".join(f"{ns:.0f}" for ns in distances) + "."]
    return lines + [""]


def describe_machine(cases, facts):
    versions = {row["label"]: row["version"] for case in cases for row in case["rows"]}
    return ["## Machine and versions", ""] + [f"- {fact}" for fact in facts] + \
        [f"- {label}: {version}" for label, version in versions.items()] + [""]


METHOD = "In each round every engine in turn (the first changes) runs after a warm-up, host tensor " \
    "in, host tensor out. Ratios are of medians over the rounds that both took part in; quartiles " \
    "are of the rounds' own ratios. Differences of outputs are relative to the largest output."


def report(arguments, cases, facts):
    lines = describe_machine(cases, facts)
    if arguments.title:  # of a document that says the rest itself
        lines = [f"## {arguments.title}", "", f"`{shlex.join(['compare.py', *arguments.shown])}`",
                 ""] + [f"- {row['label']}: {row['version']}" for row in cases[0]["rows"]] + [""]
    else:
        lines += [METHOD, ""]
    lines += [f"{arguments.rounds} rounds of at most {arguments.runs} runs or {arguments.seconds:g} "
              f"s; math {arguments.math}; differences are from {cases[0]['reference']}.", ""]
    for case in cases:
        if len(cases) == 1 or not arguments.brief:
            lines += case_report(case)
    if len(cases) > 1:
        lines += growth_report(cases)
        if arguments.brief:
            lines += [f"**{case['title']}: {failure}**" for case in cases
                      for failure in case["failures"]]
    return "\n".join(lines)


# ---- the command line ----

def numbers(text):
    values = [int(part) for part in text.split(",")]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"expected numbers from 1 on, found {text}")
    return values


def without(arguments, *names):
    """Drops options, and the values behind them, that say nothing about what was measured."""
    kept, values = [], iter(arguments)
    for value in values:
        if value in names:
            next(values, None)
        elif value.split("=")[0] not in names:
            kept.append(value)
    return kept


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx")
    parser.add_argument("--net", default="", help="torchvision's names, comma-separated")
    parser.add_argument("--batch", type=numbers, default=[1], help="comma-separated; 1")
    parser.add_argument("--size", type=numbers, default=[224], help="comma-separated; 224")
    parser.add_argument("--engines", default="nextcl,onnxruntime,openvino,opencv,clblast",
                        type=lambda text: text.split(","), help="comma-separated; default all")
    parser.add_argument("--device", action="append", default=[],
                        help="another device for NextCL: NAME[,VARIABLE=VALUE...]; repeatable")
    parser.add_argument("--math", choices=("auto", "reproducible", "fast"), default="reproducible")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build",
                        help="folder with nextcl and libnextcl.so; build/")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of the native libraries; all cores")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=10, help="of an engine in a round, at most; 10")
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="of an engine in a round, at most; 1")
    parser.add_argument("--slow-rounds", type=int, default=2,
                        help=f"rounds of engines slower than {SLOW_SECONDS} s a run; 2")
    parser.add_argument("--models-dir", type=pathlib.Path, help="keeps what --net exports")
    parser.add_argument("--brief", action="store_true",
                        help="of several cases, only the table of how the cost grows")
    parser.add_argument("--title", help="heads a section for a longer document: the command that "
                        "was given instead of the machine")
    parser.add_argument("--export", action="store_true",
                        help="only write the networks into --models-dir")
    parser.add_argument("--output", type=pathlib.Path, help="Markdown; default standard output")
    parser.add_argument("--raw", type=pathlib.Path, help="all times, as JSON")
    arguments = parser.parse_args()
    known = ("nextcl", *NATIVE, "opencv", "clblast")
    unknown = [name for name in arguments.engines if name not in known]
    if unknown:
        parser.error(f"--engines: expected some of {', '.join(known)}; found {unknown[0]}")
    if not arguments.models and not arguments.net:
        parser.error("expected MODEL.onnx or --net NAME")
    if arguments.rounds < 1 or arguments.runs < 1:
        parser.error("--rounds and --runs: expected 1 or more")
    if arguments.export and not arguments.models_dir:
        parser.error("--export: expected --models-dir")
    arguments.shown = without(sys.argv[1:], "--title", "--models-dir", "--build", "--output", "--raw")
    arguments.build = arguments.build.resolve()
    if not (arguments.build / "libnextcl.so").exists():
        parser.error(f"{arguments.build}/libnextcl.so is missing: build first, or give --build")
    return arguments


def all_cases(arguments, folder):
    """(title, path, batch, size); networks are exported when their turn comes."""
    several = len(arguments.batch) * len(arguments.size) > 1
    for path in arguments.models:
        for batch in arguments.batch:
            for size in arguments.size:
                yield pathlib.Path(path).name + (f", batch {batch}, {size} pixels" if several
                                                 else ""), path, batch, size
    for name in filter(None, arguments.net.split(",")):
        for batch in arguments.batch:
            for size in arguments.size:
                yield f"{name}, batch {batch}, {size} pixels", \
                    models.export(name, batch, size, folder), batch, size


def main():
    arguments = parse()
    facts = machine.describe()
    facts.append(f"load average before: {machine.load():.2f}")
    facts.append(machine.describe_cores(*machine.core_latency()))
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        exports = arguments.models_dir or pathlib.Path(folder)
        exports.mkdir(parents=True, exist_ok=True)
        for title, path, batch, size in all_cases(arguments, exports):
            if arguments.export:
                continue
            with tempfile.TemporaryDirectory() as outputs:
                cases.append(run_case(arguments, title, path, batch, size, outputs))
            print(f"{title}: done", file=sys.stderr)
    if arguments.export:
        return 0
    text = report(arguments, cases, facts)
    if arguments.raw:
        arguments.raw.write_text(json.dumps({"facts": facts, "cases": cases}, indent=1))
    if arguments.output:
        arguments.output.write_text(text + "\n")
    else:
        print(text)
    return 1 if any(case["failures"] for case in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
