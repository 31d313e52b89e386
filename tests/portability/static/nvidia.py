"""NVIDIA: clang and libclc to PTX, then NVIDIA's own assembler and disassembler. Not the front end
of its OpenCL driver, but the same back end."""
import glob
import os
import re
import shutil
import tempfile

import figures
import loops

# libclc's bitcode is read by the clang of its own version.
CLANG, LIBRARY = "clang-15", "/usr/lib/clc/nvptx64--nvidiacl.bc"
PLACES = ["/usr/local/cuda/bin", "/usr/lib/nvidia-cuda-toolkit/bin"]
# Of a multiprocessor: registers, warps, bytes of local memory, work-groups.
LIMITS = {"sm_86": (65536, 48, 100 << 10, 16)}
KINDS = [("memory", ("LDG", "LDL", "LD.", "ST")), ("local", ("LDS", "STS")),
         ("branch", ("BRA", "BAR", "EXIT", "NOP", "BSYNC", "BSSY")), ("uniform", ("U", "R2UR")),
         ("move", ("MOV",))]


def find(tool):
    """$NCL_CUDA_BIN, then where installers put it, then PATH."""
    for place in [os.environ.get("NCL_CUDA_BIN", ""), *PLACES]:
        path = shutil.which(tool, path=place) if place else None
        if path:
            return path
    return shutil.which(tool)


class Assembly(loops.Syntax):
    def label(self, line):
        match = re.match(r"(\.L_\w+):", line)
        return match and match.group(1)

    def target(self, line):
        match = re.search(r"BRA.*?`\((\.L_\w+)\)", line)
        return match and match.group(1)

    def always(self, line):
        return not line.startswith("@")

    def ends(self, line):
        return line.startswith("EXIT")

    def fmas(self, line):
        return 2 if re.search(r"\bFFMA2", line) else 1 if re.search(r"\bFFMA\b", line) else 0


def instructions(text):
    for line in text.split("\n"):
        match = re.match(r"\s+/\*[0-9a-f]+\*/\s+(?:\{\s*)?(.*?)\s*(?:;|\}|$)", line)
        if match:
            yield match.group(1)
        elif re.match(r"\.L_\w+:", line):
            yield line.strip()


def count(body, result):
    """Enters the hot loop; every instruction takes the one issue slot."""
    found, fmas, syntax = figures.Loads(), 0, Assembly()
    for line in body:
        operation = re.sub(r"@!?U?P\w+\s+", "", line).split()[0]
        wide = re.search(r"\.(64|128)", operation)
        loaded = int(wide.group(1)) // 8 if wide else 4
        kind = next((name for name, starts in KINDS if operation.startswith(starts)), "integer")
        if syntax.fmas(line):
            kind, fmas = "fma", fmas + syntax.fmas(line)
        elif operation.startswith("LDS"):
            found.local += loaded
        elif operation.startswith("LD"):
            found.shared += loaded
        found.mix[kind] += 1
    found.fill(result, fmas, len(body), len(body))


def occupancy(name, registers, local, threads):
    """Warps of a multiprocessor, as far as registers and local memory let them."""
    all_registers, warps, memory, groups = LIMITS[name]
    per_group = (threads + 31) // 32
    per_warp = (registers + 7) // 8 * 8 * 32
    fit = min(warps // per_group, all_registers // (per_warp * per_group), groups)
    # A work-group takes 1 KiB of local memory for the system.
    return min(fit, memory // (local + 1024)) * per_group if local else fit * per_group


class Nvidia:
    def __init__(self, name):
        self.name = name

    def missing(self):
        """Why it can't be used here, or None."""
        if not shutil.which(CLANG):
            return f"{CLANG} is not installed"
        if not glob.glob(LIBRARY):
            return "libclc-15 is not installed"
        lacking = [tool for tool in ("ptxas", "nvdisasm") if not find(tool)]
        return f"{' and '.join(lacking)} not found; $NCL_CUDA_BIN may name the folder" \
            if lacking else None

    def prepare(self):
        pass

    def measure(self, path, threads):
        with tempfile.TemporaryDirectory() as folder:
            ptx, cubin = folder + "/kernel.ptx", folder + "/kernel.cubin"
            figures.run([CLANG, "-x", "cl", "-cl-std=CL1.2", "-Xclang",
                         "-finclude-default-header", "-target", "nvptx64-nvidia-nvcl", "-Xclang",
                         "-target-cpu", "-Xclang", self.name, "-Xclang",
                         "-mlink-builtin-bitcode", "-Xclang", LIBRARY, "-O3", "-S", path, "-o",
                         ptx])
            log = figures.run([find("ptxas"), "-arch=" + self.name, "-v", ptx, "-o", cubin])
            text = figures.run([find("nvdisasm"), "-c", cubin])
        # Helper functions that were inlined are still there: the kernel comes under its own name.
        log = log[log.index("Compiling entry function"):]
        registers = figures.number(r"Used (\d+) registers", log)
        local = figures.number(r"(\d+) bytes smem", log)
        result = figures.Figures(
            registers=registers, spills=figures.number(r"(\d+) bytes spill stores", log),
            scalar_spills=0, scratch=figures.number(r"(\d+) bytes stack frame", log), local=local,
            lanes=32, occupancy=occupancy(self.name, registers, local, threads))
        count(loops.hot_loop(list(instructions(text)), Assembly()), result)
        return result
