#!/usr/bin/env python3
"""compare.py's arithmetic and report, on recorded numbers: python3 compare_test.py. Needs nothing but
the standard library; workers are not started."""
import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import compare  # noqa: E402
import machine  # noqa: E402
import models  # noqa: E402
import ratios  # noqa: E402

# ResNeXt-50, batch 1, three rounds of four runs on two cores of an EPYC, milliseconds; the second
# round was disturbed: both engines lost there.
NEXTCL = [[19.4, 19.2, 19.9, 19.3], [30.1, 29.5, 31.0, 28.9], [19.5, 19.1, 19.6, 19.4]]
OPENVINO = [[20.5, 20.3, 20.6, 20.4], [31.9, 31.5, 32.5, 33.0], [20.7, 20.4, 20.5, 20.2]]
ONNXRUNTIME = [[21.3, 21.2, 21.5, 21.1], [32.0, 34.1, 33.5, 32.2], [21.4, 21.6, 21.3, 21.0]]
OPENCV = [[2380.0], None, None]


def seconds(rounds):
    return [times and [time / 1e3 for time in times] for times in rounds]


class Arithmetic(unittest.TestCase):
    def test_quartiles_lie_between_ranks(self):
        self.assertEqual(ratios.quartiles([5]), (5, 5, 5))
        self.assertEqual(ratios.quartiles([4, 1, 3, 2]), (1.75, 2.5, 3.25))
        self.assertEqual(ratios.quartiles([1, 2, 3, 4, 5]), (2, 3, 4))
        with self.assertRaises(ValueError):
            ratios.quartiles([])

    def test_summary_is_over_all_runs(self):
        found = ratios.summary(NEXTCL)
        self.assertEqual((found["min"], found["runs"]), (19.1, 12))
        self.assertAlmostEqual(found["median"], (19.5 + 19.6) / 2)
        self.assertEqual(ratios.summary(OPENCV), {"min": 2380.0, "median": 2380.0, "runs": 1})

    def test_rounds_are_compared_with_themselves(self):
        found = ratios.compare(NEXTCL, OPENVINO)
        self.assertAlmostEqual(found["ratio"], 19.55 / 20.55)
        by_round = [19.35 / 20.45, 29.8 / 32.2, 19.45 / 20.45]
        self.assertAlmostEqual(found["middle"], sorted(by_round)[1])
        self.assertAlmostEqual(found["low"], sum(sorted(by_round)[:2]) / 2)
        self.assertAlmostEqual(found["high"], sum(sorted(by_round)[1:]) / 2)
        self.assertEqual(found["rounds"], 3)

    def test_a_disturbed_round_does_not_decide(self):
        """Disturbed for one engine only, it would double the ratio of means."""
        alone = [NEXTCL[0], [90.0] * 4, NEXTCL[2]]
        found = ratios.compare(alone, [OPENVINO[0], OPENVINO[0], OPENVINO[2]])
        self.assertLess(found["middle"], 0.96)

    def test_rounds_sat_out_do_not_count(self):
        found = ratios.compare(NEXTCL, OPENCV)
        self.assertEqual(found["rounds"], 1)
        self.assertAlmostEqual(found["ratio"], 19.35 / 2380)
        with self.assertRaises(ValueError):
            ratios.compare(NEXTCL, [None, None, None])

    def test_the_bar_is_the_faster_library(self):
        rounds = {"onnxruntime": ONNXRUNTIME, "openvino": OPENVINO}
        self.assertEqual(ratios.fastest(rounds, list(rounds)), "openvino")

    def test_differences_are_relative_to_the_largest_output(self):
        self.assertEqual(ratios.largest_difference([1.0, -4.0], [1.0, -4.0]), 0)
        self.assertAlmostEqual(ratios.largest_difference([1.5, -4.0], [1.0, -4.0]), 0.125)
        self.assertEqual(ratios.largest_difference([float("nan")], [1.0]), float("inf"))
        self.assertEqual(ratios.largest_difference([1.0], [1.0, 2.0]), float("inf"))
        self.assertEqual(ratios.largest_difference([0.0], [0.0]), 0)

    def test_everyone_goes_first_in_turn(self):
        names = ["a", "b", "c"]
        self.assertEqual([ratios.order_of(names, i)[0] for i in range(4)], ["a", "b", "c", "a"])
        self.assertEqual(sorted(ratios.order_of(names, 2)), names)


class Cores(unittest.TestCase):
    def test_verdicts(self):
        near, far = {"cores": [0, 1], "ns": 27.0}, {"cores": [0, 2], "ns": 135.0}
        self.assertIn("the cores share a cache", machine.describe_cores([near], None))
        self.assertIn("the cores share no cache", machine.describe_cores([far], None))
        self.assertIn("1 of 2 pairs", machine.describe_cores([near, far], None))
        self.assertIn("not measured (no C compiler)",
                      machine.describe_cores(None, "no C compiler"))

    def test_cores_may_move(self):
        self.assertIn("shared no cache", ratios.describe_distance(150, 149))
        self.assertIn("for part of the time", ratios.describe_distance(150, 25))


class Models(unittest.TestCase):
    INSPECTION = {"inputs": [{"shape": [None, 3, None, None]}], "layers": [
        {"kind": "stem", "input": [1, 3, 224, 224], "output": [1, 64, 112, 112]},
        {"kind": "pointwise", "input": [2, 256, 56, 56], "output": [2, 512, 28, 28]},
        {"kind": "dense", "input": [2, 2048, 1, 1], "output": [2, 1000, 1, 1]}]}

    def test_free_dimensions(self):
        self.assertEqual(models.input_shape(self.INSPECTION, 8, 320), [8, 3, 320, 320])
        fixed = {"inputs": [{"shape": [1, 3, 64, 96]}]}
        self.assertEqual(models.input_shape(fixed, 8, 320), [1, 3, 64, 96])

    def test_matrix_products(self):
        self.assertEqual(models.products(self.INSPECTION),
                         [(2 * 28 * 28, 512, 256), (2, 1000, 2048)])


def engine(label, name, rounds, **more):
    return types.SimpleNamespace(label=label, name=name, rounds=seconds(rounds), version="1.0",
                                 first=0.5, **more)


class CommandLine(unittest.TestCase):
    def test_what_is_shown(self):
        given = ["--net", "resnet18", "--title", "Batch 1", "--build=b", "--output", "x", "--brief"]
        self.assertEqual(compare.without(given, "--title", "--build", "--output"),
                         ["--net", "resnet18", "--brief"])


class Report(unittest.TestCase):
    def case(self, failures):
        own = engine("nextcl", "nextcl", NEXTCL, difference=1e-6, digest="ab")
        other = engine("openvino", "openvino", OPENVINO, difference=0.0, digest="cd")
        rows = [compare.result_of(each, own, 1) for each in (own, other)]
        bar = {"name": "openvino", **rows[1]["nextcl"]}
        return {"title": "net", "shape": [1, 3, 224, 224], "macs": 4.228e9, "rows": rows,
                "bar": bar, "reference": "openvino", "failures": failures, "core_ns": [26, 27],
                "skipped": [("onnxruntime", "pip install onnxruntime")]}

    def test_a_case(self):
        text = "\n".join(compare.case_report(self.case([])))
        self.assertIn("### net: 1 x 3 x 224 x 224, 4.228 GMAC", text)
        self.assertIn("| nextcl | 19.10 | 19.55 | 51.2 |  |  | 1.0e-06 | 12 |", text)
        self.assertIn("| openvino | 20.20 | 20.55 | 48.7 | 0.951 | 0.936 to 0.949 | 0.0e+00 | 12 |",
                      text)
        self.assertIn("**0.951** of the time of the faster native library, openvino", text)
        self.assertIn("Core to core 26 ns one way before, 27 after: the cores shared a cache.",
                      text)
        self.assertIn("Skipped: onnxruntime: pip install onnxruntime", text)

    def test_failures_are_loud(self):
        self.assertIn("**opencv: differs**", compare.case_report(self.case(["opencv: differs"])))

    def test_growth(self):
        text = "\n".join(compare.growth_report([self.case([])]))
        self.assertIn("| net | 4.228 | 19.55, 433 | 20.55, 411 | 0.951 (0.936 to 0.949) |", text)


if __name__ == "__main__":
    unittest.main()
