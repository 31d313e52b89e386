"""Tunes on a terminal, and takes the store away meanwhile: the warning comes at once, on a line
of its own."""
import os
import pty
import subprocess
import sys

cache = sys.argv[1]
ours, theirs = pty.openpty()
process = subprocess.Popen(
    [os.environ["NEXTCL_CLI"], "tune", "tests/data/resnext_folded.onnx", "--budget", "5s"],
    stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "NEXTCL_CACHE_DIR": cache})
os.close(theirs)
said, taken = b"", False
while True:
    try:
        more = os.read(ours, 65536)
    except OSError:  # the terminal's last writer is gone
        break
    said += more
    store = cache + "/nextcl.db"
    if not taken and b"\x1b[Ktune: " in said and os.path.exists(store):
        os.unlink(store)
        taken = True
assert process.wait() == 0 and taken, said
at = said.find(b"nextcl: warning: " + cache.encode())
assert at >= 0, said
assert said[:at].endswith(b"\r\x1b[K"), said[:at]
end = said.find(b"\n", at)
assert said[end + 1:].startswith(b"\r\x1b[K"), said[end:]
assert b"\x1b[Ktune: " in said[end:], said[end:]
