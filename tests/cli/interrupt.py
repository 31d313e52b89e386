"""Signals at the command line ($NEXTCL_CLI). Run by interrupt.c, with the name of a case below.

A signal that is to come first is pending already when the program begins: no moment is missed."""
import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

CLI, T = os.environ["NEXTCL_CLI"], os.environ["T"]
NET = "tests/data/resnext_folded.onnx"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMANDS = [
    ["bench", NET, "--repeat", "1000000"],
    ["profile", NET, "--trace", T + "/trace.json"],
    ["verify", NET],
    ["explain", NET],
    ["inspect", NET, "--device", "0:0"],
    ["devices"],
    ["classify", "tests/data/digits.onnx", "tests/data/digits_x.npy"],
    ["run", NET, "--input", "tests/data/resnext_folded.input.npy", "--output-dir", T + "/out"],
    ["tune", NET, "--budget", "60s"],
]
LONGEST = 60


def start(arguments, before=lambda: None, **more):
    return subprocess.Popen([CLI] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, preexec_fn=before, start_new_session=True,
                            **more)


def pending(number):
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    os.kill(os.getpid(), number)


def check(process, status, errors, wanted):
    assert process.returncode == status, (process.args, process.returncode, errors)
    assert errors == wanted, (process.args, errors)


def every_command():
    for arguments in COMMANDS:
        for number in SIGNALS:
            process = start(arguments + ["--quiet"], lambda n=number: pending(n))
            errors = process.communicate(timeout=LONGEST)[1]
            check(process, 128 + number, errors, b"nextcl: interrupted\n")


def nohup_is_respected():
    def before():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGHUP)

    process = start(["devices"], before)
    process.send_signal(signal.SIGHUP)
    check(process, 0, process.communicate(timeout=LONGEST)[1], b"")


def again_leaves_at_once():
    """It hangs: nobody reads what it has to say, and a pipe holds 64 KiB."""
    for number in SIGNALS:
        process = start(["inspect", "zoo:resnet152", "--json"])
        held, limit = 0, time.monotonic() + LONGEST
        while held < fcntl.fcntl(process.stdout, 1032):  # F_GETPIPE_SZ
            assert time.monotonic() < limit and process.poll() is None
            select.select([], [], [], 0.01)
            answer = fcntl.ioctl(process.stdout, termios.FIONREAD, struct.pack("i", 0))
            held = struct.unpack("i", answer)[0]
        began, asked = time.monotonic(), 0
        while process.poll() is None:
            assert time.monotonic() < began + LONGEST
            process.send_signal(number)
            asked += 1
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
        assert asked > 2, asked
        check(process, 128 + number, process.stderr.read(), b"nextcl: interrupted\n")


def stat_of(pid):
    try:
        with open("/proc/%s/stat" % pid, encoding="utf-8", errors="replace") as file:
            name, rest = file.read().rsplit(")", 1)
        return int(rest.split()[1]), int(rest.split()[2]), name.split("(", 1)[1]
    except (OSError, IndexError):
        return None


def blocked(path):
    """Of SIGNALS, by threads of the process at path."""
    for task in os.listdir(path + "/task"):
        with open("%s/task/%s/status" % (path, task), encoding="utf-8") as file:
            mask = [line for line in file if line.startswith("SigBlk")][0].split()[1]
        yield [n for n in SIGNALS if int(mask, 16) >> (n - 1) & 1]


def children(pid):
    """(pid, name, in its group?)"""
    for other in os.listdir("/proc"):
        stat = stat_of(other) if other.isdigit() else None
        if stat and stat[0] == pid:
            yield int(other), stat[2], stat[1] == pid


def a_group_with_compilers():
    """Ctrl-C goes to the whole group, linkers that the driver runs among them."""
    linkers = 0
    for turn in range(4):
        caches = {"POCL_CACHE_DIR": T + "/pocl%d" % turn, "NEXTCL_CACHE_DIR": T + "/cold%d" % turn}
        os.mkdir(caches["POCL_CACHE_DIR"])
        process = start(["tune", NET, "--budget", "60s", "--quiet"], env={**os.environ, **caches})
        limit, found = time.monotonic() + LONGEST, []
        while not found and time.monotonic() < limit and process.poll() is None:
            found = [c for c in children(process.pid) if c[2]]
            if [c for c in children(process.pid) if not c[2]]:
                break  # workers have begun: this process compiles no more
        os.killpg(process.pid, signal.SIGINT)
        linkers += len(found)
        errors = process.communicate(timeout=LONGEST)[1]
        check(process, 130, errors, b"nextcl: interrupted\n")
        shutil.rmtree(caches["POCL_CACHE_DIR"])
    print("%d linkers were there" % linkers)


def who_blocks_what():
    process = start(["tune", NET, "--budget", "60s", "--quiet"])
    limit, workers = time.monotonic() + LONGEST, []
    while not workers and time.monotonic() < limit:
        assert process.poll() is None
        workers = [pid for pid, name, same in children(process.pid)
                   if not same and name in ("nextcl", "exe")]
    assert workers
    try:
        for pid in workers:
            assert all(not mask for mask in blocked("/proc/%d" % pid)), pid
    except FileNotFoundError:
        pass  # a compiler that had done its work
    masks = list(blocked("/proc/%d" % process.pid))
    # The one that waits for them counts as not blocking them.
    assert sorted(map(len, masks)) == [0] + [len(SIGNALS)] * (len(masks) - 1), masks
    process.send_signal(signal.SIGTERM)
    check(process, 143, process.communicate(timeout=LONGEST)[1], b"nextcl: interrupted\n")


globals()[sys.argv[1]]()
