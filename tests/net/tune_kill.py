#!/usr/bin/env python3
"""Kills a tuner, again and again, at random moments: the store opens each time, no record that it
had is lost, no worker outlives its tuner, and the run, resumed, comes to a verified end with the
winners of a run that nobody killed. For that to be certain, launches take times that depend on
their kernels alone (NCL_LAYER_CLOCK), and the points to try are a fixed sample (--budget full).
Prints its random seed; $NCL_KILL_SEED repeats one."""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

CLI = os.environ["NEXTCL_CLI"]
NET = "tests/data/split_groups.onnx"
LAYER = os.path.join(os.environ["NEXTCL_BUILD"], "tests", "layer_fault.so")
KILLS = int(os.environ.get("NCL_KILLS", "5"))
SEED = int(os.environ.get("NCL_KILL_SEED", str(random.randrange(10**6))))
LONGEST = 2.5  # seconds until a kill: the first half second is opening, the rest is tuning
SLOWER = 1.5  # so many times as long where nothing was measured by then: a slow machine
MORE = 10  # kills, until something was measured
TUNE = ["tune", NET, "--budget", "full", "--channel-block", "16", "--json", "--quiet"]


def fail(text):
    print(f"seed {SEED}: {text}")
    sys.exit(1)


# A run may be killed before it has begun anything: then the next one says that it begins anew.
NOTHING_TO_RESUME = re.compile(r"nextcl: warning: there is no interrupted run of .*\n")


def run(*arguments):
    done = subprocess.run([CLI, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0 or NOTHING_TO_RESUME.sub("", done.stderr):
        fail(f"{arguments}: exit {done.returncode}, {done.stderr.strip()}")
    return json.loads(done.stdout)


def winners(report):
    """What each problem ends with; None where nothing is better than what it began with."""
    return {layer["problem"]: layer["decided"] and (layer["best"]["algorithm"],
                                                    layer["best"]["params"])
            for layer in report["layers"]}


def check_end(report, expected):
    if not report["verified"]:
        fail("the winners were not verified")
    if winners(report) != expected:
        fail(f"other winners than without kills: {winners(report)}, not {expected}")


def undisturbed_winners():
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NEXTCL_CACHE_DIR"] = cache
        report = run(*TUNE)
        expected = winners(report)
        if not any(expected.values()):
            fail("nothing is better than the defaults: that would show nothing")
        check_end(report, expected)
        return expected


def good_records():
    """Points that were measured, with their times."""
    records = run("db", "show", "--json")["records"]
    return {(r["problem"], r["algorithm"], r["params"]): r["seconds"] for r in records
            if r["verdict"] == "good" and r["samples"] > 0}


def processes_with(text):
    """Processes whose environment holds the text: the tuner's workers inherit it."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if text in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        except OSError:
            continue  # gone, or another user's
    return found


def kill_one(cache, moment):
    """Starts a tuner, which goes on with what the one before left, and kills it. Its report, if it
    was done by then."""
    out = pathlib.Path(cache) / "report.json"
    with out.open("wb") as file:
        tuner = subprocess.Popen([CLI, *TUNE, "--resume"], stdout=file, stderr=subprocess.DEVNULL)
        time.sleep(moment)  # the random moment
        tuner.send_signal(signal.SIGKILL)
        tuner.wait()
    return json.loads(out.read_text()) if tuner.returncode == 0 else None


def wait_for_workers(mark, kill):
    end = time.monotonic() + 10
    while processes_with(mark) and time.monotonic() < end:
        time.sleep(0.05)
    if processes_with(mark):
        fail(f"kill {kill}: a worker outlives its tuner: {processes_with(mark)}")


def main():
    chance = random.Random(SEED)
    print("random seed", SEED, flush=True)
    os.environ["OPENCL_LAYERS"] = LAYER
    os.environ["NCL_LAYER_CLOCK"] = "source"
    expected = undisturbed_winners()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NEXTCL_CACHE_DIR"] = cache
        mark = f"NEXTCL_CACHE_DIR={cache}".encode()
        known, reports = {}, []
        kill, longest = 0, LONGEST
        while kill < KILLS or not known and kill < KILLS + MORE:
            report = kill_one(cache, chance.uniform(0, longest))
            wait_for_workers(mark, kill)
            if report:
                check_end(report, expected)
                reports.append(report)
            now = good_records()
            lost = [point for point in known if point not in now]
            if lost:
                fail(f"kill {kill}: lost {lost[0]} and {len(lost) - 1} more")
            known = now
            kill += 1
            longest *= 1 if known else SLOWER
        if not known:
            fail(f"nothing was measured before any of {kill} kills")
        report = run(*TUNE, "--resume")
        check_end(report, expected)
        reports.append(report)
        if not any(each["resumed"] for each in reports):
            fail(f"{len(known)} points had been measured, and no run resumed")
        lost = [point for point in known if point not in good_records()]
        if lost:
            fail(f"the resumed run lost {lost[0]}")
        print(f"{kill} kills, none lost of {len(known)} points measured before the last; the same "
              f"{len(expected)} winners each of {len(reports)} times; {report['verdict']}")


main()
