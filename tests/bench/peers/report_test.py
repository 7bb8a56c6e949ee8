#!/usr/bin/env python3
"""What peers.py makes of its figures, whose turn it is, and that README says what was measured."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "support")]
import contest
import marked
import picture
import processes
import report
import synthesis

README = HERE.parents[2] / "README.md"


def point(recall, cost_us, setting="ef=1"):
    return dict(
        setting=setting,
        recall=recall,
        p50_us=cost_us,
        qps=1e6 / cost_us,
        cpu_us=cost_us / 2,
        memory_bytes=50e6,
    )


def peer(title, *rounds, deep=()):
    about = dict(
        title=title,
        where="server",
        built_with="M 16",
        note="",
        versions={title.lower(): "1.0"},
        settings=["ef=1", "ef=2"],
        deep="ef=2",
        deep_how="offset",
    )
    build = dict(rows=1000, wall_s=2.0, cpu_s=3.0, peak_bytes=40e6)
    return dict(about=about, build=build, rounds=list(rounds), deep=list(deep))


def results(**peers):
    return dict(
        date="2026-01-02",
        commit="abc",
        command="bazel run //tests/bench/peers",
        machine="2 x Processor; data on disk; load before 0.1",
        depth=10,
        queries=100,
        rounds=2,
        skipped={"Other": "it is not to be had"},
        peers=peers,
    )


OURS = peer("Sluice", [point(0.9, 100), point(0.99, 1000)], [point(0.9, 300), point(0.99, 3000)])
THEIRS = peer(
    "Peer",
    [point(0.9, 400), point(0.96, 4000)],
    [point(0.9, 600), point(0.96, 6000)],
    deep=[dict(setting="ef=2", queries=5, hits=10.0, p50_us=70.0, cpu_us=80.0)],
)


class Mathematics(unittest.TestCase):
    def test_a_cost_between_two_settings_is_on_the_line_of_logarithms(self):
        middle = 1 - 0.1**1.5

        found = report.cost_at([point(0.9, 100), point(0.99, 1000)], "p50_us", middle)

        self.assertAlmostEqual(found, 100 * 10**0.5, places=6)

    def test_a_recall_that_is_not_reached_has_no_cost(self):
        self.assertIsNone(report.cost_at([point(0.9, 100)], "cpu_us", 0.95))

    def test_the_cheaper_of_two_settings_with_more_recall_counts(self):
        found = report.cost_at([point(0.95, 500), point(0.97, 200)], "p50_us", 0.95)

        self.assertAlmostEqual(found, 200)

    def test_the_ratio_is_the_middle_one_of_the_rounds(self):
        ours = [[point(0.95, cost)] for cost in (10, 10, 10)]
        theirs = [[point(0.95, cost)] for cost in (20, 90, 30)]

        self.assertAlmostEqual(report.dearer(ours, theirs), 3)

    def test_a_peer_that_does_not_get_there_has_no_ratio(self):
        self.assertIsNone(report.dearer([[point(0.95, 10)]], [[point(0.9, 10)]]))


class Tables(unittest.TestCase):
    def test_each_peer_has_a_row_of_medians_and_a_dash_for_what_it_did_not_reach(self):
        _, (ours, theirs) = report.by_recall(results(sluice=OURS, peer=THEIRS)["peers"])

        self.assertEqual(ours[:2] + ours[3:4], ["Sluice", "200", "2,000"])
        self.assertEqual(theirs[:2] + theirs[3:4], ["Peer", "500", report.NONE])

    def test_rows_are_as_wide_as_the_head(self):
        peers = results(sluice=OURS, peer=THEIRS)["peers"]

        for make in (report.by_recall, report.beside, report.players):
            head, rows = make(peers)
            self.assertEqual({len(head)}, {len(row) for row in rows})

    def test_the_peak_is_that_of_building_and_of_asking(self):
        self.assertEqual(report.peak_bytes(THEIRS), 50e6)

    def test_what_was_left_out_is_said(self):
        self.assertIn("Left out: Other: it is not to be had.", report.markdown(results(peer=THEIRS)))

    def test_what_is_the_clients_is_said_where_it_is_known(self):
        ours = OURS | dict(floor=[{"p50_us": 30.0}, {"p50_us": 50.0}, {"p50_us": 70.0}])
        theirs = THEIRS | dict(floor=[{}])

        (said,) = report.floors(results(sluice=ours, peer=theirs)["peers"])

        self.assertIn("Of Sluice's p50 50 us are its client's", said)

    def test_of_nobody_there_is_a_report_too(self):
        self.assertIn("no chunks", report.markdown(results()))

    def test_settings_are_shown_from_the_first_to_the_last(self):
        self.assertEqual(report.settings_of(dict(settings=["ef=1", "ef=2", "ef=9"])), "ef=1 to 9")
        self.assertEqual(report.settings_of(dict(settings=["t=.9", "exact"])), "t=.9 to exact")


class Turns(unittest.TestCase):
    def test_all_settings_come_once_each_in_the_order_of_their_peer(self):
        found = contest.turns(dict(a=["1", "2"], b=["1", "2", "3", "4"]))

        self.assertEqual([setting for name, setting in found if name == "a"], ["1", "2"])
        self.assertEqual([setting for name, setting in found if name == "b"], ["1", "2", "3", "4"])

    def test_the_turns_are_even(self):
        found = contest.turns(dict(a=["1", "2"], b=["1", "2", "3", "4"]))

        self.assertEqual([name for name, _ in found], ["b", "a", "b", "b", "a", "b"])

    def test_every_peer_has_its_adapter_and_its_requirements(self):
        for name, requirements in contest.PEERS.items():
            self.assertTrue((HERE / "adapters" / f"{name}.py").exists(), name)
            self.assertTrue((HERE / "requirements" / f"{requirements}.txt").exists(), name)


class Ends(unittest.TestCase):
    def test_what_a_process_begot_is_ended_after_it_ended_itself(self):
        processes.adopt_orphans()
        words = ["sh", "-c", "sleep 1000 >&- & echo $!"]
        orphan = int(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
        self.assertIn(orphan, processes.tree(os.getpid()))

        processes.end_descendants()

        self.assertEqual(processes.tree(os.getpid()), [os.getpid()])
        self.assertFalse(pathlib.Path(f"/proc/{orphan}").exists())


def last_run():
    return json.loads((HERE / "peers.json").read_text(encoding="utf-8"))


class Readme(unittest.TestCase):
    def test_readme_says_what_the_last_run_measured(self):
        said = marked.written(README.read_text(encoding="utf-8"), "peers")

        self.assertEqual(said, report.markdown(last_run()))

    def test_the_picture_shows_what_the_last_run_measured(self):
        drawn = (HERE / "peers.svg").read_text(encoding="utf-8")

        self.assertEqual(drawn, picture.svg(last_run()))


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
