#!/usr/bin/env python3
"""What a server's work costs, as `sluice bench load` has it: import, memory, CPU time a query, overload.

    cost [--rounds 3] [--seconds 4] [--at-once 16] [--out FOLDER] [--readme FILE]
    cost --from cost.json [--readme FILE]

In every round the corpus is imported and indexed by a server of its own, then asked; texts are given along.
Figures are medians of the rounds, with the least and the most. Overload is one run of
`bench load --overload` for each accuracy, with three rounds in it, of a server on one processor, of which it
may use half by the quota of a cgroup, beside the harness on another; where no cgroup can be made, or there is one
processor, it is left out, and that is said.

Writes cost.json to --out (.); --from reads it. --readme puts the tables into a file, between its lines
<!-- cost --> and <!-- end of cost -->.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import marked
import workbench

USUAL = dict(rounds=3, seconds=4.0, at_once=16)
NAME, SKIP, PAGE, WALKS = "corpus", 1000, 10, 500
FILTER = "source=nodejs"

# What is asked, and by which options of bench load.
SEARCHES = {
    "recall_target 0.91": ["--recall", "0.91"],
    "recall_target 0.95": ["--recall", "0.95"],
    "recall_target 0.99": ["--recall", "0.99"],
    "exact": ["--exact"],
    "recall_target 0.95, a filter that {share:.0%} pass": ["--recall", "0.95", "--filter", FILTER],
}
PAGES = "hits 1,001-1,010 of open cursors, recall_target 0.95"
OVERLOADS = {"recall_target 0.95": ["--recall", "0.95"], "exact": ["--exact"]}


def sluice(server, *words, **how):
    words = [workbench.SLUICE, *words, "--server", server.address]
    done = subprocess.run(
        [str(word) for word in words], stdout=subprocess.PIPE, text=True, check=False, **how
    )
    if done.returncode:
        sys.exit(f"{words[1:3]} failed")
    return done.stdout


class Bench:
    def __init__(self, asked, corpus, folder):
        self.asked, self.corpus, self.folder = asked, corpus, pathlib.Path(folder)
        self.queries = corpus / "queries.npy"

    def load(self, server, *options, **how):
        """The steps of a run of bench load."""
        report = self.folder / "load.json"
        words = ["bench", "load", NAME, "--queries", self.queries, "--json", report, "--quiet"]
        sluice(server, *words, "--pid", server.process.pid, *options, **how)
        return json.loads(report.read_text(encoding="utf-8"))["steps"]

    def search(self, server, options, at_once):
        words = ["--streams", at_once, "--seconds", self.asked.seconds]
        (step,) = self.load(server, *words, *options)
        return dict(
            cpu_us=step["server"]["cpu_us_per_call"],
            qps=step["goodput"],
            p50_ms=step["kinds"]["search"]["latency"]["p50_ms"],
        )

    def pages(self, server):
        words = ["--recall", "0.95", "--skip", SKIP, "--depth", SKIP + PAGE]
        (step,) = self.load(server, *words, "--streams", WALKS)
        return dict(cpu_us=step["server"]["cpu_us_per_call"], qps=step["goodput"], p50_ms=None)

    def recall(self, server, options):
        truth = self.corpus / "truth_ids.npy"
        if "--filter" in options or not truth.exists():
            return None
        words = ["--queries", self.queries, "--truth", truth, "--ids", self.corpus / "chunks.jsonl"]
        printed = sluice(server, "bench", "recall", NAME, *words, *options, "--in-flight", 16)
        return float(printed.split("recall@10", 1)[1].split()[0])

    def build(self, server):
        """Rows, and seconds from the first until all are indexed."""
        files = self.corpus / "chunks.jsonl", self.corpus / "vectors.npy"
        start = time.monotonic()
        workbench.import_rows(server, NAME, *files)
        workbench.settle(server, NAME)
        seconds = time.monotonic() - start
        return workbench.count(server, NAME), seconds

    def round(self, number):
        workbench.say(f"round {number + 1} of {self.asked.rounds}")
        data = self.folder / f"data-{number}"
        with workbench.serve(data) as server:
            rows, seconds = self.build(server)
            found = dict(rows=rows, seconds=seconds, build_bytes=server.peak_bytes())
            found["share"] = workbench.count(server, NAME, "--filter", FILTER) / rows
            found["searches"] = {
                name: dict(
                    one=self.search(server, options, 1),
                    many=self.search(server, options, self.asked.at_once),
                    recall=self.recall(server, options) if number == 0 else None,
                )
                for name, options in SEARCHES.items()
            }
            found["searched_bytes"] = server.peak_bytes()
            found["searches"][PAGES] = dict(one=None, many=self.pages(server), recall=None)
            found["bytes"] = server.peak_bytes()
        return found

    def overload(self, data):
        """{name: calls a second at each rate, and memory}, or why there is none."""
        found = {}
        with half_a_processor() as half:
            if isinstance(half, str):
                return half
            for name, options in OVERLOADS.items():
                workbench.say(f"overload: {name}")
                with workbench.serve(data, preexec_fn=half.enter) as server:
                    words = ["--overload", "--deadline-ms", "1000", *options]
                    steps = self.load(server, *words, preexec_fn=half.leave_to_us)
                goodput = {}
                for step in steps:
                    goodput.setdefault(step["rate"], []).append(step["goodput"])
                found[name] = dict(
                    goodput=sorted(goodput.items()),  # of each rate, 0 for the closed loop
                    bytes=max(step["server"]["rss_max_bytes"] for step in steps),
                )
        return found


class Half:
    """A cgroup, of version 1 or 2, whose processes may use half a processor."""

    def __init__(self, folder, quota):
        self.folder = folder
        folder.mkdir()
        try:
            for name, value in quota.items():
                (folder / name).write_text(value, encoding="utf-8")
        except OSError:
            folder.rmdir()
            raise

    def enter(self):
        """For preexec_fn."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    @staticmethod
    def leave_to_us():
        """For preexec_fn of the harness: the processors that the server is not on."""
        all_of_them = os.sched_getaffinity(0)
        os.sched_setaffinity(0, all_of_them - {max(all_of_them)})


@contextlib.contextmanager
def half_a_processor():
    """A Half, or why there is none."""
    mount, name = pathlib.Path("/sys/fs/cgroup"), f"sluice-bench-{os.getpid()}"
    if len(os.sched_getaffinity(0)) < 2:
        yield "there is one processor"
        return
    try:
        if (mount / "cgroup.controllers").exists():
            half = Half(mount / name, {"cpu.max": "50000 100000"})
        else:
            quota = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
            half = Half(mount / "cpu" / name, quota)
    except OSError as why:
        yield f"no cgroup can be made here: {why.strerror}"
        return
    try:
        yield half
    finally:
        half.folder.rmdir()


# --- the report ---


def spread(values, form=",.0f"):
    """The median, and between what it lies."""
    middle = f"{statistics.median(values):{form}}"
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return middle if low == high else f"{middle} ({low} to {high})"


def searches(results):
    rounds = results["rounds"]
    rows = []
    for name, first in rounds[0]["searches"].items():
        many = [one["searches"][name]["many"] for one in rounds]
        alone = [one["searches"][name]["one"] for one in rounds]
        rows.append(
            [
                name.format(share=rounds[0]["share"]),
                f"{first['recall']:.3f}" if first["recall"] else "-",
                spread([each["cpu_us"] for each in many]),
                spread([each["qps"] for each in many]),
                spread([each["p50_ms"] for each in many], ".2f") if many[0]["p50_ms"] else "-",
                spread([each["cpu_us"] for each in alone]) if alone[0] else "-",
            ]
        )
    head = ["10 hits with text", "recall@10", f"CPU us, {results['at_once']} at once", "a second"]
    return marked.table([*head, "p50 ms", "CPU us, one at a time"], rows)


def building(results):
    rounds = results["rounds"]
    row = [
        spread([one["rows"] / one["seconds"] for one in rounds]),
        spread([one["build_bytes"] / 1e6 for one in rounds]),
        spread([one["searched_bytes"] / 1e6 for one in rounds]),
        spread([one["bytes"] / 1e6 for one in rounds]),
    ]
    head = ["vectors/s until indexed", "MB at most by then", "MB at most, with the searches"]
    return marked.table([*head, f"and with {WALKS} cursors open"], [row])


def overloads(results):
    found = results["overload"]
    if isinstance(found, str):
        return f"Overload is left out: {found}.\n"
    rows = []
    for name, one in found.items():
        medians = [(rate, statistics.median(each)) for rate, each in one["goodput"]]
        peak, (offered, last) = max(each for _, each in medians), medians[-1]
        row = [f"{peak:,.0f}", f"{offered:,.0f}", f"{last:,.0f}", f"{last / peak:.0%}"]
        rows.append([name, *row, f"{one['bytes'] / 1e6:,.0f}"])
    head = ["overload, at half a processor", "peak a second", "offered", "answered"]
    return marked.table([*head, "of the peak", "MB at most"], rows)


def markdown(results):
    rounds = results["rounds"]
    n = "1 round" if len(rounds) == 1 else f"{len(rounds)} rounds"
    about = [
        f"{results['date']}, commit {results['commit']}; {results['machine']}",
        f"{rounds[0]['rows']:,} chunks, {n}; the server's processor time; median (least to most)",
    ]
    parts = [f"`{results['command']}`\n", "  \n".join(about) + "\n"]
    parts += [building(results), searches(results), overloads(results)]
    return "\n".join(parts)


def arguments():
    parser = argparse.ArgumentParser(
        prog="cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each search's measurement")
    parser.add_argument("--at-once", type=int, help="searches under way")
    parser.set_defaults(**USUAL)
    workbench.report_options(parser)
    asked = parser.parse_args()
    workbench.place(asked, "out", "source", "readme")
    if min(asked.rounds, asked.at_once) < 1 or asked.seconds <= 0:
        parser.error("--rounds and --at-once are at least 1, --seconds above 0")
    return asked


def measure(asked):
    with workbench.scratch() as folder:
        bench = Bench(asked, workbench.corpus(), folder)
        results = workbench.heading("//tests/bench:cost", asked, USUAL, folder)
        results["at_once"] = asked.at_once
        results["rounds"] = [bench.round(number) for number in range(asked.rounds)]
        results["overload"] = bench.overload(bench.folder / "data-0")
        return results


def main():
    asked = arguments()
    found = markdown(workbench.results(asked, "cost.json", measure))
    if asked.readme:
        marked.put_file(asked.readme, "cost", found)
    print(found)


if __name__ == "__main__":
    main()
