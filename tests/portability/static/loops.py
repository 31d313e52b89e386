"""The hot loop of a kernel, from its assembly."""

# A loop is taken instead of the one around it when it holds this share of the outer one's FMAs.
MOST = 0.6


class Syntax:
    """What a machine's assembly looks like, one instruction or label per line."""

    def label(self, line):
        """The label that the line defines, or None."""
        raise NotImplementedError

    def target(self, line):
        """The label that the instruction may jump to, or None."""
        raise NotImplementedError

    def always(self, line):
        """Does a jump never fall through?"""
        raise NotImplementedError

    def ends(self, line):
        """Does the program end here?"""
        raise NotImplementedError

    def fmas(self, line):
        """Fused multiply-adds of one lane."""
        raise NotImplementedError


def basic_blocks(lines, syntax):
    blocks, names = [[]], {}
    for line in lines:
        label = syntax.label(line)
        if label:
            if blocks[-1]:
                blocks.append([])
            names[label] = len(blocks) - 1
        blocks[-1].append(line)
        if syntax.target(line) or syntax.ends(line):
            blocks.append([])
    if not blocks[-1]:
        blocks.pop()
    return blocks, names


def successors(blocks, names, syntax):
    following = []
    for index, block in enumerate(blocks):
        last = block[-1]
        target = syntax.target(last)
        after = {names[target]} if target in names and names[target] < len(blocks) else set()
        falls = not syntax.ends(last) and not (target and syntax.always(last))
        if falls and index + 1 < len(blocks):
            after.add(index + 1)
        following.append(after)
    return following


def dominators(following):
    count = len(following)
    before = [set() for _ in range(count)]
    for index, after in enumerate(following):
        for other in after:
            before[other].add(index)
    found = [{0}] + [set(range(count)) for _ in range(count - 1)]
    changed = True
    while changed:
        changed = False
        for index in range(1, count):
            above = [found[other] for other in before[index]]
            new = {index} | (set.intersection(*above) if above else set())
            changed = changed or new != found[index]
            found[index] = new
    return found, before


def natural_loops(following):
    """Sets of blocks, one for each loop header."""
    dominating, before = dominators(following)
    loops = {}
    for tail, after in enumerate(following):
        for head in after & dominating[tail]:
            body, open_blocks = {head}, [tail]
            while open_blocks:
                block = open_blocks.pop()
                if block not in body:
                    body.add(block)
                    open_blocks.extend(before[block])
            loops[head] = loops.get(head, set()) | body
    return list(loops.values())


def hot_loop(lines, syntax):
    """Instructions of the innermost loop with the most FMAs, without labels; [] if no loop has
    any."""
    blocks, names = basic_blocks(lines, syntax)
    if not blocks:
        return []
    held = [sum(map(syntax.fmas, block)) for block in blocks]
    loops = [(body, sum(held[block] for block in body))
             for body in natural_loops(successors(blocks, names, syntax))]
    loops = [(body, fmas) for body, fmas in loops if fmas]
    inner = [(body, fmas) for body, fmas in loops
             if not any(other < body and most >= MOST * fmas for other, most in loops)]
    if not inner:
        return []
    body, _ = max(inner, key=lambda loop: loop[1])
    return [line for block in sorted(body) for line in blocks[block] if not syntax.label(line)]
