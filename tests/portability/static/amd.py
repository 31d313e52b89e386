"""AMD: clang's own back end with ROCm's device libraries."""
import glob
import os
import re
import shutil
import tempfile

import figures
import loops

# Figures move with the compiler: budgets are for this one.
CLANG = "clang-22"
LIBRARIES = ["/usr/lib/x86_64-linux-gnu/amdgcn/bitcode", "/opt/rocm/amdgcn/bitcode",
             "/usr/lib/amdgcn/bitcode"]
# ISA numbers that older device libraries lack; nothing else in them depends on it.
ISA = {"gfx1100": 11000}
# With halves: fma_mix takes halves and floats, pk_fma works on two halves.
FMA = re.compile(r"v_(?:dual_)?(?:fmac?|mac|mad|fmaak|fmamk|fma_mix|mad_mix)_f32")
PACKED = re.compile(r"v_pk_fma_f(?:32|16)")
KINDS = [("wait", ("s_wait", "s_delay", "s_clause", "s_nop", "s_set_inst")),
         ("branch", ("s_branch", "s_cbranch", "s_barrier")), ("scalar", ("s_",)),
         ("move", ("v_mov", "v_dual_mov")), ("vector", ("v_",))]


class Assembly(loops.Syntax):
    def label(self, line):
        match = re.match(r"(\.?LBB\w+):", line)
        return match and match.group(1)

    def target(self, line):
        match = re.match(r"\s+s_c?branch\w*\s+(\S+)", line)
        return match and match.group(1)

    def always(self, line):
        return "s_branch" in line

    def ends(self, line):
        return "s_endpgm" in line

    def fmas(self, line):
        return len(FMA.findall(line)) + 2 * len(PACKED.findall(line))


def bytes_of(operation):
    words = re.search(r"dwordx(\d+)", operation)
    bits = re.search(r"_b(\d+)", operation)
    return 4 * int(words.group(1)) if words else int(bits.group(1)) // 8 if bits else 4


def count(body, lanes, result):
    """Enters the hot loop. A v_dual_ line holds two operations."""
    found, fmas, arithmetic, syntax = figures.Loads(), 0, 0, Assembly()
    for line in body:
        operation = line.split()[0]
        bytes_loaded = bytes_of(operation) if "load" in operation or "read" in operation else 0
        kind = next((name for name, starts in KINDS if operation.startswith(starts)), "other")
        if syntax.fmas(line):
            kind, fmas = "fma", fmas + syntax.fmas(line)
        elif operation.startswith(("global_", "flat_", "buffer_", "scratch_")):
            kind, found.shared = "memory", found.shared + bytes_loaded
        elif operation.startswith("ds_"):
            pair = 2 if re.search("read2|load_2", operation) else 1
            kind, found.local = "local", found.local + pair * bytes_loaded
        elif operation.startswith(("s_load", "s_buffer_load")):
            kind, found.shared = "scalar memory", found.shared + bytes_loaded / lanes
        arithmetic += kind in ("fma", "move", "vector")
        found.mix[kind] += 1
    found.fill(result, fmas, arithmetic, len(body))


def kernel_of(text):
    """Name and instructions of the program's only kernel."""
    name = re.search(r"\.amdhsa_kernel (\w+)", text).group(1)
    body = re.search(rf"^{name}:[^\n]*\n(.*?)^\.Lfunc_end", text, re.S | re.M).group(1)
    lines = [re.sub(r"\s*;.*", "", line) for line in body.split("\n")]
    return name, [line for line in lines if re.match(r"\.?LBB\w+:|\s+[a-z]", line)]


class Amd:
    def __init__(self, name):
        self.name = name
        self.lanes = 64 if name.startswith("gfx9") else 32
        self.folder = None

    def missing(self):
        """Why it can't be used here, or None."""
        if not shutil.which(CLANG):
            return f"{CLANG} is not installed"
        if not self.libraries():
            return "rocm-device-libs is not installed"
        return None

    def libraries(self):
        return next((path for path in LIBRARIES if glob.glob(path + "/ockl*.bc")), None)

    def prepare(self):
        """A folder of device libraries with what they lack."""
        self.folder = tempfile.TemporaryDirectory()
        for path in glob.glob(self.libraries() + "/*.bc"):
            os.symlink(path, os.path.join(self.folder.name, os.path.basename(path)))
        number = ISA.get(self.name)
        made = os.path.join(self.folder.name, f"oclc_isa_version_{self.name[3:]}.bc")
        if number and not os.path.exists(made):
            source = os.path.join(self.folder.name, "isa.ll")
            with open(source, "w", encoding="ascii") as file:
                file.write("@__oclc_ISA_version = linkonce_odr hidden local_unnamed_addr "
                           f"addrspace(4) constant i32 {number}, align 4\n")
            figures.run([CLANG, "-x", "ir", source, "-target", "amdgcn-amd-amdhsa", "-nogpulib",
                         "-Wno-override-module", "-emit-llvm", "-c", "-o", made])

    def assembly(self, path):
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "kernel.s")
            figures.run([CLANG, "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header",
                         "-target", "amdgcn-amd-amdhsa", "-mcpu=" + self.name,
                         "--rocm-device-lib-path=" + self.folder.name, "-mcode-object-version=5",
                         "-O3", "-S", path, "-o", made])
            with open(made, encoding="utf-8") as file:
                return file.read()

    def measure(self, path, threads):
        """`threads`: work-items of a work-group."""
        text = self.assembly(path)
        name, lines = kernel_of(text)
        notes = text[text.index("amdhsa.kernels:"):]
        shown = text[text.index(f"\n{name}:"):]
        result = figures.Figures(
            registers=figures.number(r"\.vgpr_count:\s+(\d+)", notes),
            spills=figures.number(r"\.vgpr_spill_count:\s+(\d+)", notes),
            scalar_spills=figures.number(r"\.sgpr_spill_count:\s+(\d+)", notes),
            scratch=figures.number(r"\.private_segment_fixed_size:\s+(\d+)", notes),
            local=figures.number(r"\.group_segment_fixed_size:\s+(\d+)", notes),
            lanes=self.lanes, occupancy=figures.number(r"; Occupancy: (\d+)", shown))
        count(loops.hot_loop(lines, Assembly()), self.lanes, result)
        return result
