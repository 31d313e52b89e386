"""What compare.py makes of measured times. Standard library only; tested by compare_test.py.

Times are seconds. An engine's rounds are lists of times, one list per round; engines took turns in
each round, so that times of one round were measured under like conditions and their ratio means more
than that of two medians from different minutes. None stands for a round an engine sat out."""
import statistics


def quartiles(values):
    """(first quartile, median, third quartile), linear between ranks."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("quartiles of nothing")

    def at(share):
        rank = share * (len(ordered) - 1)
        below = int(rank)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (rank - below) * (ordered[above] - ordered[below])

    return at(0.25), at(0.5), at(0.75)


def summary(rounds):
    """Minimum and median over all runs, and how many there were."""
    times = [time for times in rounds if times for time in times]
    return {"min": min(times), "median": statistics.median(times), "runs": len(times)}


def round_ratios(rounds, others):
    """Ratio of the rounds' medians, for rounds in which both took part."""
    return [statistics.median(a) / statistics.median(b)
            for a, b in zip(rounds, others) if a and b]


def compare(rounds, others):
    """How one engine's times relate to another's: ratio of medians over the rounds that both took
    part in, and quartiles of the per-round ratios."""
    both = [(a, b) for a, b in zip(rounds, others) if a and b]
    if not both:
        raise ValueError("no round in common")
    mine = statistics.median([time for a, _ in both for time in a])
    theirs = statistics.median([time for _, b in both for time in b])
    low, middle, high = quartiles(round_ratios(rounds, others))
    return {"ratio": mine / theirs, "low": low, "middle": middle, "high": high,
            "rounds": len(both)}


def fastest(all_rounds, names):
    """The name with the smallest median."""
    return min(names, key=lambda name: summary(all_rounds[name])["median"])


def largest_difference(values, expected):
    """Largest |difference| relative to the largest |expected|; infinite for NaN or another count."""
    if len(values) != len(expected):
        return float("inf")
    peak = max(abs(value) for value in expected)
    largest = 0.0
    for value, wanted in zip(values, expected):
        difference = abs(value - wanted)
        if not difference <= float("inf"):
            return float("inf")
        largest = max(largest, difference)
    return largest / peak if peak else (0.0 if largest == 0 else float("inf"))


def order_of(names, number):
    """Who goes first changes with the round."""
    shift = number % len(names)
    return names[shift:] + names[:shift]


# One way, from one core's cache to the other's. Cores of one cluster take 20 to 60 ns on servers and
# desktops of the last ten years; through the fabric between clusters, or another socket, 80 to 250.
SHARED_CACHE_NS = 70


def shares_cache(ns):
    return ns < SHARED_CACHE_NS


def describe_distance(before, after):
    """The cores of a virtual machine may be moved while it runs."""
    near = [shares_cache(ns) for ns in (before, after)]
    verdict = "shared a cache" if all(near) else "shared no cache" if not any(near) \
        else "shared a cache for part of the time"
    return f"Core to core {before:.0f} ns one way before, {after:.0f} after: the cores {verdict}."
