"""Intel: the driver's own offline compiler, ocloc."""
import glob
import os
import re
import shutil
import tempfile

import figures
import loops

REGISTER = 32  # bytes
# Hardware threads of an execution unit, with 128 registers each.
THREADS = {"tgllp": 7, "dg2": 8}
INSTRUCTION = re.compile(r"\s*(?:\([^)]*\)\s*)?([a-z][\w.]*)\s*(?:\([a-z&~!.0-9]*\)\S*)?\s*"
                         r"\((\d+)\|M")
FMA = re.compile(r"\s*(?:\(\S+\)\s*)?(?:mad|mac)\s+\((\d+)\|M\d+\).*:h?f")
# A goto.b jumps back, to its second label.
JUMP = re.compile(r"\bgoto\.b\s*\(\d+\|M\d+\)\s+\w+\s+(\w+)|"
                  r"\b(?:while|goto)\s*\(\d+\|M\d+\)\s+(\w+)|\bjmpi\s+(\w+)")
# Arithmetic is issued for at least this many lanes.
NARROWEST = 8
KINDS = [("wait", ("sync", "nop")), ("branch", ("while", "goto", "jmpi", "endif", "else", "join")),
         ("move", ("mov",))]


class Assembly(loops.Syntax):
    def label(self, line):
        match = re.match(r"(\w+):", line)
        return match and match.group(1)

    def target(self, line):
        match = JUMP.search(line)
        return match and next(label for label in match.groups() if label)

    def always(self, line):
        return bool(re.match(r"(\(W\))?\s*jmpi", line))

    def ends(self, line):
        return "EOT" in line

    def fmas(self, line):
        match = FMA.match(line)
        return int(match.group(1)) if match else 0


def is_message(operation):
    return operation.startswith("send") or re.search(r"load|store|\.ugm|\.slm", operation)


def is_local(line):
    return bool(re.search(r"bti 0xfe|0x[0-9A-F]+FE\b|slm", line, re.I))


def count(body, lanes, result):
    """Enters the hot loop. Instructions are as wide as they say: FMAs are counted in lanes."""
    found, fmas, multiplies, slots, syntax = figures.Loads(), 0, 0, 0, Assembly()
    for line in body:
        match = INSTRUCTION.match(line)
        operation, width = (match.group(1), int(match.group(2))) if match else (line.split()[0], 0)
        loaded = REGISTER * figures.number(r"rd:(\d+)", line)
        kind = next((name for name, starts in KINDS if operation.startswith(starts)), "alu")
        if syntax.fmas(line):
            kind, fmas, multiplies = "fma", fmas + width, multiplies + 1
        elif is_message(operation):
            kind = "local" if is_local(line) else "memory"
            found.local += loaded if kind == "local" else 0
            found.shared += loaded if kind == "memory" else 0
        elif not match:
            kind = "wait" if re.search(r"\b(sync|nop)\b", line) else "branch"
        if kind in ("fma", "move", "alu"):
            slots += max(width, NARROWEST)
        found.mix[kind] += 1
    if fmas:
        found.shared, found.local = found.shared / lanes, found.local / lanes
        found.fill(result, fmas // lanes, slots / lanes, len(body))
        result.fma_share = round(multiplies / len(body), 3)


class Intel:
    def __init__(self, name):
        self.name = name

    def missing(self):
        """Why it can't be used here, or None."""
        return None if shutil.which("ocloc") else "ocloc (intel-opencl-icd) is not installed"

    def prepare(self):
        pass

    def assembly(self, path):
        """SIMD width and text."""
        with tempfile.TemporaryDirectory() as folder:
            settings = dict(os.environ, IGC_ShaderDumpEnable="1", IGC_DumpToCustomDir=folder)
            log = figures.run(["ocloc", "compile", "-file", os.path.abspath(path), "-device",
                               self.name, "-options", "-cl-std=CL1.2"], env=settings, cwd=folder)
            made = [name for name in glob.glob(folder + "/*.asm")
                    if re.search(r"_simd\d+_entry_|_simd\d+_ncl_", name)]
            if not made:
                raise figures.CompilerError(f"ocloc left no assembly: {log[-600:]}")
            newest = max(made, key=os.path.getmtime)
            with open(newest, encoding="utf-8", errors="replace") as file:
                return figures.number(r"_simd(\d+)_", newest), file.read()

    def measure(self, path, threads):
        """`threads`: work-items of a work-group."""
        lanes, text = self.assembly(path)
        code = text[text.index(".kernel"):].split("\n")
        lines = [line for line in code
                 if re.match(r"\s*(\(|[a-z])|\w+:", line) and not line.startswith(("//", "."))]
        result = figures.Figures(
            registers=figures.number(r"numGRF=(\d+)", text),
            spills=figures.number(r"\.spill size\D*(\d+)", text), scalar_spills=0,
            scratch=figures.number(r"\.private memory size\D*(\d+)", text),
            local=figures.number(r"\.(?:slm|SLM)[^\n]*size\D*(\d+)", text),
            lanes=lanes, occupancy=THREADS[self.name])
        count(loops.hot_loop(lines, Assembly()), lanes, result)
        return result
