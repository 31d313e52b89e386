"""What a benchmark's reader needs to know of the machine. Nothing here fails: what cannot be found is
left out, or says why."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import ratios

HERE = pathlib.Path(__file__).resolve().parent


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def _cpuinfo(key):
    for line in _read("/proc/cpuinfo").splitlines():
        if line.split(":")[0].strip() == key:
            return line.split(":", 1)[1].strip()
    return ""


def describe():
    flags = _cpuinfo("flags").split()
    vectors = [name for name in ("avx512f", "avx2", "avx", "asimd") if name in flags]
    memory = _read("/proc/meminfo").split()
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    lines = [f"{_cpuinfo('model name') or platform.machine()}, "
             f"{len(os.sched_getaffinity(0))} cores" + (f", {vectors[0]}" if vectors else "")
             + (", in a virtual machine" if "hypervisor" in flags else "")
             + (f", governor {governor}" if governor else "")]
    if len(memory) > 1:
        lines.append(f"{int(memory[1]) / 2**20:.1f} GiB of memory")
    release = [line.split("=", 1)[1].strip('"') for line in _read("/etc/os-release").splitlines()
               if line.startswith("PRETTY_NAME=")]
    kernel = ".".join(platform.release().split(".")[:2])
    lines.append(", ".join(release + [f"Linux {kernel}",
                                      f"Python {platform.python_version()}"]))
    return lines


def load():
    """Share of the cores' time that others take: the load average before we began."""
    return os.getloadavg()[0]


def core_latency(seconds=0.2):
    """[{"cores": [a, b], "ns": one way}] by the program beside this file, or a reason."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") \
        or shutil.which("clang")
    if not compiler:
        return None, "no C compiler"
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/core_latency"
        built = subprocess.run([compiler, "-O2", "-std=c11", "-pthread", "-o", program,
                                HERE / "core_latency.c"], capture_output=True, text=True)
        if built.returncode:
            return None, built.stderr.strip().split("\n")[0]
        ran = subprocess.run([program, str(seconds)], capture_output=True, text=True)
        if ran.returncode:
            return None, ran.stderr.strip()
        return json.loads(ran.stdout)["pairs"], None


def slowest_pair():
    """ns one way between the two cores that are farthest apart; None: not measured."""
    pairs, _ = core_latency(0.1)
    return max(pair["ns"] for pair in pairs) if pairs else None


def describe_cores(pairs, why):
    if pairs is None:
        return f"core to core: not measured ({why})"
    near = [pair for pair in pairs if ratios.shares_cache(pair["ns"])]
    if len(near) == len(pairs):
        verdict = "the cores share a cache"
    elif near:
        verdict = f"{len(near)} of {len(pairs)} pairs of cores share a cache"
    else:
        verdict = "the cores share no cache"
    times = ", ".join(f"{pair['cores'][0]}-{pair['cores'][1]}: {pair['ns']:.0f}"
                      for pair in pairs)
    return f"core to core, ns one way: {times}; {verdict} (the limit is " \
           f"{ratios.SHARED_CACHE_NS} ns)"
