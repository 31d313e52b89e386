#!/usr/bin/env python3
"""House rules that are about text: rules.py ROOT [RULE...]; one line per violation, status 1."""
import pathlib
import re
import sys

# A floor includes itself and lower ranks; floors of one rank do not see each other.
RANKS = [["base"], ["cl", "problem"], ["tunedb", "algo"], ["plan"], ["search", "graph"],
         ["import", "zoo", "image"], ["session"], ["api"]]
RANK = {floor: rank for rank, floors in enumerate(RANKS) for floor in floors}

# Lines: of a function, a .c or .h file, a kernel file, the public header, and of one line of text.
FUNCTION_LINES, C_LINES, KERNEL_LINES, HEADER_LINES, COLUMNS = 60, 500, 300, 600, 100
NESTING, API_FUNCTIONS = 3, 45

C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
C_LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
BOTH = re.compile(C_COMMENT.pattern + "|" + C_LITERAL.pattern, re.S)


def blank(match):
    """Keeps line numbers: a comment becomes its newlines, a literal an empty one."""
    text = match.group(0)
    return text[0] * 2 if text[0] in "\"'" else re.sub(r"[^\n]", " ", text)


def code_of(text):
    return BOTH.sub(blank, text)


def without_preprocessor(code):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group(0).count("\n"), code,
                  flags=re.M)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def files(root, *patterns):
    for pattern in patterns:
        yield from sorted(path for path in root.glob(pattern) if path.is_file())


C_FILES = ["host/**/*.[ch]", "include/*.h", "tests/**/*.[ch]"]
KERNEL_FILES = ["cl/**/*.cl", "cl/**/*.clh"]


def check_includes(root):
    """Floors include downwards only; the command line uses only the public header."""
    for path in files(root, "host/*/*.[ch]"):
        floor = path.parent.name
        for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
            name, line = match.group(1), line_of(path.read_text(), match.start())
            target = name.split("/")[0] if "/" in name else None
            own = target is None and (path.parent / name).is_file()
            if name == "nextcl.h" or (floor == "cli" and own):
                continue
            if floor == "cli":
                yield path, line, f"the command line sees only nextcl.h, not {name}"
            elif target not in RANK:
                yield path, line, f"{name}: include by path from host/, as \"base/log.h\""
            elif floor not in RANK:
                yield path, line, f"host/{floor} is no floor of host/README.md"
            elif target != floor and RANK[target] >= RANK[floor]:
                yield path, line, f"host/{floor} may not include {name}: lower floors only"


def functions(code):
    """(first line, last line, body) of each function: a brace after a ')' at depth 0."""
    depth, start, opened = 0, 0, None
    for match in re.finditer(r"[{};]", code):
        char, at = match.group(0), match.start()
        if char == "{":
            head = code[start:at].strip()
            if depth == 0 and head.startswith("extern"):
                start = at + 1
                continue
            if depth == 0 and head.endswith(")") and "=" not in head.split("(")[0]:
                opened = (start + len(code[start:at]) - len(code[start:at].lstrip()), at)
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
            if depth == 0 and opened:
                yield line_of(code, opened[0]), line_of(code, at), code[opened[1]:at + 1]
                opened = None
        if depth == 0:
            start = at + 1


TOKEN = re.compile(r"[A-Za-z_]\w*|[(){}\[\];:?]")


class Nesting:
    """Depth of if, for, while, do and switch; `else if` goes no deeper."""

    def __init__(self, body):
        self.tokens = TOKEN.findall(body)
        self.at = 0
        self.deepest = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def skip_group(self):
        depth = 0
        while self.peek() is not None:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return

    def statement(self, depth):
        self.deepest = max(self.deepest, depth)
        token = self.peek()
        if token == "{":
            self.at += 1
            while self.peek() not in (None, "}"):
                self.statement(depth)
            self.at += 1
        elif token in ("if", "for", "while", "switch"):
            self.at += 1
            self.skip_group()
            self.statement(depth + 1)
            if token == "if" and self.peek() == "else":
                self.at += 1
                self.statement(depth if self.peek() == "if" else depth + 1)
        elif token == "do":
            self.at += 1
            self.statement(depth + 1)
            self.plain()
        elif token in ("case", "default"):
            while self.peek() not in (None, ":"):
                self.at += 1
            self.at += 1
        else:
            self.plain()

    def plain(self):
        while self.peek() not in (None, ";", "}"):
            if self.peek() in ("(", "[", "{"):
                self.skip_group()
            else:
                self.at += 1
        if self.peek() == ";":
            self.at += 1


def nesting_of(body):
    nesting = Nesting(body)
    nesting.statement(0)
    return nesting.deepest


def check_sizes(root):
    """Caps on functions, nesting, files and lines."""
    for path in files(root, *C_FILES, *KERNEL_FILES):
        text = path.read_text()
        kernel = path.suffix in (".cl", ".clh")
        public = path.parent.name == "include"
        cap = KERNEL_LINES if kernel else HEADER_LINES if public else C_LINES
        lines = text.split("\n")
        if len(lines) - 1 > cap:
            yield path, cap, f"{len(lines) - 1} lines: at most {cap}"
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield path, number, f"{len(line)} columns: at most {COLUMNS}"
        for first, last, body in functions(without_preprocessor(code_of(text))):
            if last - first + 1 > FUNCTION_LINES:
                yield path, first, \
                    f"a function of {last - first + 1} lines: at most {FUNCTION_LINES}"
            if nesting_of(body) > NESTING:
                yield path, first, f"nested {nesting_of(body)} deep: at most {NESTING}"
    for path in files(root, "include/nextcl.h"):
        count = len(re.findall(r"^NCL_API ", path.read_text(), re.M))
        if count > API_FUNCTIONS:
            yield path, 1, f"{count} public functions: at most {API_FUNCTIONS}"


UNFINISHED = re.compile("TO" r"DO|FIX" r"ME|\bXX" r"X\b|\bHA" r"CK\b|not (?:yet )?implem" r"ented|"
                        r"\bst" r"ubs?\b")
MACHINE = re.compile(r"/(?:wo" r"rk|ro" r"ot|fa" r"rm)/|/ho" r"me/[a-z]|/o" r"pt/(?:intel|venv)")
PRINTING = re.compile(r"(?<![\w.>])(?:printf|fprintf|vfprintf|vprintf|puts|fputs|putchar|perror|"
                      r"exit|_exit|quick_exit|abort|assert)\s*\(")


def check_words(root):
    """No unfinished work, no path of one machine, no printing or exiting in the library."""
    everywhere = C_FILES + KERNEL_FILES + ["host/**/*.sh", "tests/**/*.sh", "tests/**/*.py",
                                           "**/CMakeLists.txt", "cl/*.cmake", "host/*.md",
                                           "tuning/*.md", ".ci/run"]
    for path in files(root, *everywhere):
        if any(part.startswith("build") for part in path.relative_to(root).parts):
            continue
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if UNFINISHED.search(line):
                yield path, number, f"a word of unfinished work: {UNFINISHED.search(line).group(0)}"
            if MACHINE.search(line):
                yield path, number, f"a path of one machine: {MACHINE.search(line).group(0)}"
    for path in files(root, "host/*/*.[ch]"):
        if path.parent.name == "cli":
            continue
        code = code_of(path.read_text())
        for match in PRINTING.finditer(code):
            yield path, line_of(code, match.start()), \
                f"the library does not print or exit: {match.group(0)}"


# Not bit-portable, or different with NaN and signed zeros, between OpenCL implementations.
BANNED = re.compile(r"\b(?:fmax|fmin|clamp|fdim|maxmag|minmag|smoothstep|step|mix|fmod|remainder|"
                    r"(?:native|half)_\w+|r?sqrt|cbrt|hypot|exp|exp2|exp10|expm1|log|log2|log10|"
                    r"log1p|pow|pown|powr|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|atan2|erf|erfc|"
                    r"tgamma|lgamma|dot|length|normalize|distance|cross|atomic_\w+|mad)\s*\(")
FLOAT_LITERAL = re.compile(r"(?<![\w.])(?:0x[0-9a-fA-F.]+p[-+]?\d+|\d+\.\d*(?:[eE][-+]?\d+)?|"
                           r"\.\d+|\d+[eE][-+]?\d+)f?")
FLOAT_TYPE = r"\b(?:(?:convert_|as_)?float\d*(?:_\w+)?|block)\b"
DECLARED = r"\b(?:%s)\b\s*\*?\s*(?:(?:restrict|const)\s+)*([A-Za-z_]\w*)"
BRACKET, INDEX = r"\((?:[^()]|\([^()]*\))*\)", r"\[(?:[^][]|\[[^][]*\])*\]"
OPERAND_AFTER = re.compile(rf"\s*(?:[\w.>-]+\s*)?(?:{BRACKET})?\s*[\w.]*")
OPERAND_BEFORE = re.compile(rf"(?:[\w.>-]+\s*)?(?:{BRACKET}|{INDEX})?\s*[\w.]*\s*$")
INCLUDE = re.compile(r"#[ \t]*include[^\n]*")


def float_names(code):
    """Names declared as floats and never as integers: enough to tell most expressions apart."""
    integers = set(re.findall(DECLARED % r"u?int\d*|u?long|size_t|u?short|u?char|bool", code))
    return set(re.findall(DECLARED % r"float\d*|block", code)) - integers


def is_float(text, names):
    # What is inside an index does not decide the type of the element.
    text = re.sub(r"\[[^][]*\]", "", text)
    return bool(FLOAT_LITERAL.search(text) or re.search(FLOAT_TYPE, text) or
                names & set(re.findall(r"[A-Za-z_]\w*", text)))


def group_after(code, at):
    """The text of the bracket that opens at or after `at`."""
    start = code.index("(", at)
    depth = 0
    for end in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if depth == 0:
            return code[start:end + 1]
    return code[start:]


def check_kernels(root):
    """Kernels keep to arithmetic whose bits are the same everywhere. What is a float is guessed
    from the file's own declarations."""
    for path in files(root, *KERNEL_FILES):
        code = code_of(path.read_text())
        names = float_names(code)
        for match in BANNED.finditer(code):
            yield path, line_of(code, match.start()), f"not bit-portable: {match.group(0).strip()}"
        for match in re.finditer(r"\b(?:max|min)\s*\(", code):
            if is_float(group_after(code, match.start()), names):
                yield path, line_of(code, match.start()), \
                    "max and min of floats: compare and select"
        for match in re.finditer(r"/", INCLUDE.sub(lambda m: " " * len(m.group(0)), code)):
            at = match.start()
            before = OPERAND_BEFORE.search(code[max(0, at - 200):at])
            after = OPERAND_AFTER.match(code[at + 1:at + 200])
            if is_float((before.group(0) if before else "") + " , " + after.group(0), names):
                yield path, line_of(code, at), "division of floats: build it from fma"


def check_algorithms(root):
    """One algorithm, three files of one name."""
    kernels = {path.stem: path for path in files(root, "cl/*/*.cl") if path.parent.name != "common"}
    names = {path.stem: path for path in files(root, "host/algo/*.c") if path.stem != "algo"}
    for name, path in names.items():
        if not (root / "tests/algo" / (name + ".c")).is_file():
            yield path, 1, f"tests/algo/{name}.c is missing"
        if name not in kernels and ".host_run" not in path.read_text():
            yield path, 1, f"cl/<family>/{name}.cl is missing"
    for name, path in kernels.items():
        if name not in names:
            yield path, 1, f"host/algo/{name}.c is missing"


RULES = {"includes": check_includes, "sizes": check_sizes, "words": check_words,
         "kernels": check_kernels, "algorithms": check_algorithms}


def main(root, names):
    count = 0
    for name in names or RULES:
        for path, line, message in RULES[name](root):
            print(f"{path.relative_to(root)}:{line}: {message} [{name}]")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or any(name not in RULES for name in sys.argv[2:]):
        sys.exit(f"usage: rules.py ROOT [{' | '.join(RULES)}]...")
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
