"""What is known of a compiled kernel, and how compilers are run."""
import collections
import dataclasses
import re
import subprocess

# A compiler that takes longer than this on one kernel has failed.
SECONDS = 300


@dataclasses.dataclass
class Figures:
    """Of the whole kernel: registers to occupancy. Of its hot loop: the rest, 0 where no loop has
    an FMA. Lanes are work-items of one hardware thread."""
    registers: int         # per lane; Intel: 32-byte registers per hardware thread
    spills: int            # registers kept in memory; Intel and NVIDIA: bytes
    scalar_spills: int     # AMD: scalar registers kept in vector registers or memory
    scratch: int           # bytes of private memory per lane
    local: int             # bytes of local memory per work-group
    lanes: int
    occupancy: int         # hardware threads per SIMD (AMD), execution unit (Intel), SM (NVIDIA)
    fmas: int = 0          # of one lane
    instructions: int = 0
    fma_share: float = 0   # FMAs / instructions; above 1 by dual issue
    alu_share: float = 0   # FMAs / arithmetic instructions
    bytes_per_fma: float = 0   # loaded from global memory, what lanes share counted once
    local_per_fma: float = 0   # bytes loaded from local memory
    mix: dict = dataclasses.field(default_factory=dict)


class CompilerError(Exception):
    pass


def run(command, **options):
    """Returns stdout and stderr together; raises CompilerError."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS,
                              check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise CompilerError(f"{command[0]}: still busy after {SECONDS} s") from late
    log = done.stdout + done.stderr
    if done.returncode:
        raise CompilerError(f"{command[0]} exited with {done.returncode}: {log[-600:]}")
    return log


def number(pattern, text):
    """The first group of the first match as a number, 0 without a match."""
    match = re.search(pattern, text, re.M)
    return int(match.group(1)) if match else 0


class Loads:
    """Bytes that a loop brings to one lane's registers, and its instructions by kind."""

    def __init__(self):
        self.shared = 0.0
        self.local = 0.0
        self.mix = collections.Counter()

    def fill(self, figures, fmas, arithmetic, instructions):
        """Enters the loop's figures; `fmas` of one lane, the rest in instructions."""
        if not fmas:
            return
        figures.fmas, figures.instructions = fmas, instructions
        figures.fma_share = round(fmas / instructions, 3)
        figures.alu_share = round(fmas / arithmetic, 3)
        figures.bytes_per_fma = round(self.shared / fmas, 3)
        figures.local_per_fma = round(self.local / fmas, 3)
        figures.mix = dict(self.mix)
