#!/usr/bin/env python3
"""What cost.py makes of its figures, and that README says what was measured."""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import cost
import marked
import synthesis

README = HERE.parents[1] / "README.md"


def last_run():
    return json.loads((HERE / "cost.json").read_text(encoding="utf-8"))


class Figures(unittest.TestCase):
    def test_a_spread_is_the_median_and_its_ends(self):
        self.assertEqual(cost.spread([3000, 1000, 2000]), "2,000 (1,000 to 3,000)")

    def test_of_one_round_there_is_none(self):
        self.assertEqual(cost.spread([1.25], ".1f"), "1.2")

    def test_why_overload_is_left_out_is_said(self):
        said = cost.overloads(dict(overload="there is one processor"))

        self.assertEqual(said, "Overload is left out: there is one processor.\n")

    def test_overload_compares_the_highest_rate_with_the_peak(self):
        goodput = [[0, [900, 100, 1000]], [900, [1000, 1000, 10]], [2700, [800, 790, 9000]]]
        said = cost.overloads(dict(overload=dict(exact=dict(goodput=goodput, bytes=4e8))))

        self.assertIn("| exact | 1,000 | 2,700 | 800 | 80% | 400 |", said)


class Marks(unittest.TestCase):
    def test_what_is_put_between_the_marks_replaces_what_stood_there(self):
        text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"

        found = marked.put(text, "x", "new\n")

        self.assertEqual(found, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n")
        self.assertEqual(marked.written(found, "x"), "new\n")

    def test_a_file_without_the_marks_is_refused(self):
        with self.assertRaises(SystemExit):
            marked.put("nothing", "x", "new\n")


class Readme(unittest.TestCase):
    def test_says_what_the_last_run_measured(self):
        said = marked.written(README.read_text(encoding="utf-8"), "cost")

        self.assertEqual(said, cost.markdown(last_run()))


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
