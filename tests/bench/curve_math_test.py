#!/usr/bin/env python3
"""What curves.py makes of its points."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import curve_math
import synthesis


def points(*pairs):
    return [dict(recall=recall, qps=qps) for recall, qps in pairs]


class CurveMath(unittest.TestCase):
    def test_a_point_that_another_beats_in_both_is_left_out(self):
        found = curve_math.frontier(points((0.9, 100), (0.95, 50), (0.97, 60), (0.99, 10)))

        self.assertEqual([point["recall"] for point in found], [0.9, 0.97, 0.99])

    def test_between_two_points_both_scales_are_logarithms(self):
        middle = 1 - 0.1**1.5

        found = curve_math.qps_at(points((0.9, 1000), (0.99, 100)), middle)

        self.assertAlmostEqual(found, 1000 / 10**0.5, places=6)

    def test_what_finds_more_than_was_asked_counts(self):
        self.assertEqual(curve_math.qps_at(points((0.9, 1000), (0.99, 100)), 0.5), 1000)

    def test_no_line_leads_to_what_is_exact(self):
        self.assertEqual(curve_math.qps_at(points((0.9, 1000), (1, 10)), 0.95), 10)

    def test_a_recall_that_is_not_reached_has_no_speed(self):
        self.assertIsNone(curve_math.qps_at(points((0.9, 1000)), 0.95))

    def test_ratios_are_taken_round_by_round(self):
        ours = [points((0.9, 30)), points((0.9, 80))]
        theirs = [points((0.9, 10)), points((0.9, 20))]

        self.assertEqual(curve_math.ratios_at(ours, theirs, 0.9), [3, 4])

    def test_a_round_that_does_not_get_there_has_no_ratio(self):
        self.assertEqual(curve_math.ratios_at([points((0.9, 30))], [points((0.8, 10))], 0.9), [])

    def test_the_middle_of_rounds_is_taken_number_by_number(self):
        rounds = [[dict(qps=qps, recall=0.9, setting="a")] for qps in (1, 7, 2)]

        found = curve_math.median_points(rounds)

        self.assertEqual(found, [dict(qps=2, recall=0.9, setting="a")])


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
