#!/usr/bin/env python3
"""Kills a tuner, again and again, at random moments: the store opens each time, no record that it
had is lost, no worker outlives its tuner, and the run, resumed, comes to an end that is verified.
Prints its random seed; $NCL_KILL_SEED repeats one."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

CLI = os.environ["NEXTCL_CLI"]
NET = "tests/data/digits.onnx"
KILLS = int(os.environ.get("NCL_KILLS", "20"))
SEED = int(os.environ.get("NCL_KILL_SEED", str(random.randrange(10**6))))
LONGEST = 2.5  # seconds until a kill: the first half second is opening, the rest is tuning
BUDGET = "20s"


def fail(text):
    print(f"seed {SEED}: {text}")
    sys.exit(1)


def run(*arguments):
    done = subprocess.run([CLI, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        fail(f"{arguments}: exit {done.returncode}, {done.stderr.strip()}")
    return json.loads(done.stdout)


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


def main():
    chance = random.Random(SEED)
    print("random seed", SEED)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NEXTCL_CACHE_DIR"] = cache
        mark = f"NEXTCL_CACHE_DIR={cache}".encode()
        known, resumed_from = {}, 0
        for kill in range(KILLS):
            tuner = subprocess.Popen([CLI, "tune", NET, "--budget", BUDGET, "--resume", "--json"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, LONGEST))  # the random moment
            tuner.send_signal(signal.SIGKILL)
            tuner.wait()
            end = time.monotonic() + 10
            while processes_with(mark) and time.monotonic() < end:
                time.sleep(0.05)
            if processes_with(mark):
                fail(f"kill {kill}: a worker outlives its tuner: {processes_with(mark)}")
            now = good_records()
            lost = [point for point in known if point not in now]
            if lost:
                fail(f"kill {kill}: lost {lost[0]} and {len(lost) - 1} more")
            resumed_from = max(resumed_from, len(now))
            known = now
        report = run("tune", NET, "--budget", BUDGET, "--resume", "--json", "--quiet")
        if not report["verified"]:
            fail("the resumed run's winners were not verified")
        if resumed_from and not report["resumed"]:
            fail(f"{resumed_from} points had been measured, and the run did not resume")
        lost = [point for point in known if point not in good_records()]
        if lost:
            fail(f"the resumed run lost {lost[0]}")
        print(f"{KILLS} kills, {len(known)} points measured before the last, {report['trials']} in "
              f"all; {report['verdict']}")


main()
