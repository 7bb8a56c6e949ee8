#!/usr/bin/env python3
"""Recall and speed of the index beside hnswlib and FAISS, in process, on the corpus.

    curves [--rounds 5] [--peers NAME,...] [--depths 10,100] [--growth ROWS] [--queries N]
           [--out FOLDER] [--scratch FOLDER] [--cpu N] [--readme FILE]
    curves --from curves.json [--out FOLDER] [--readme FILE]

One processor, to which everything is pinned; one thread; one query a call. Ours and a peer take
turns, setting by setting, in every round; queries a second are by processor time, and every figure
is the median of the rounds, a ratio that of the rounds' ratios. What Python adds to a call is
measured and taken off the peers' times (peers.py). A process of its own builds each index, once.

--growth N adds ours at N rows, of the corpus and perturbed copies of it: 6 kB of disk a row.
--scratch keeps the built indexes of the peers there, and uses them again; ours is built anew.
Writes curves.json, curves.md and curves.svg to --out (.); --from makes the last two of the first.
--readme puts the tables into a file, between its lines <!-- curves --> and <!-- end of curves -->.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import curve_report
import curve_rounds
import marked
import plot
import workbench

REQUIREMENTS = workbench.program("peers.txt")
PEERS = workbench.program("peers.py")
USUAL = dict(rounds=5, peers=None, depths="10,100", queries=1000, growth=0)


def peers_python():
    """The interpreter that has the peers, made as the Python tests make theirs; or None."""
    script = '. "$root/tests/support/python.sh" >&2; printf %s "$python"'
    env = dict(
        os.environ, test="curves", root=str(workbench.RUNFILES), requirements=str(REQUIREMENTS)
    )
    made = subprocess.run(
        ["bash", "-euc", script], env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    python = made.stdout.strip()
    if made.returncode or not python or not pathlib.Path(python).exists():
        workbench.say("SKIPPED: every peer: there is no Python environment for them (above)")
        return None
    has = subprocess.run([python, "-c", "import hnswlib"], stderr=subprocess.DEVNULL, check=False)
    if has.returncode:
        words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "hnswlib==0.8.0"]
        subprocess.run([python, *words], stdout=sys.stderr, check=False)
    return python


def versions(python):
    if not python:
        return dict(titles={})
    done = subprocess.run(
        [python, PEERS, "versions"], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    for name in ("faiss", "hnswlib"):
        if not found[name]:
            workbench.say(f"SKIPPED: {name} could not be installed; what needs it is left out")
    return found


def arguments():
    parser = argparse.ArgumentParser(
        prog="curves", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--peers", help="names as peers.py has them; empty: none")
    parser.add_argument("--depths")
    parser.add_argument("--queries", type=int)
    parser.add_argument("--growth", type=int, metavar="ROWS")
    parser.set_defaults(**USUAL)
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--cpu", type=int)
    workbench.report_options(parser)
    asked = parser.parse_args()
    workbench.place(asked, "out", "scratch", "source", "readme")
    return asked


def pin(asked):
    allowed = sorted(os.sched_getaffinity(0))
    cpu = allowed[-1] if asked.cpu is None else asked.cpu
    os.sched_setaffinity(0, {cpu})
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def room_for_growth(asked, folder):
    """Whether so many rows fit; said where they do not."""
    disk = shutil.disk_usage(folder).free
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if disk >= asked.growth * 6000 and memory >= asked.growth * 2500:
        return True
    workbench.say(
        f"SKIPPED: growth to {asked.growth:,} rows: "
        f"there are {disk >> 20:,} MiB of disk and {memory >> 20:,} of memory"
    )
    return False


def measure(asked):
    python = peers_python() if asked.peers != "" else None
    pin(asked)
    found = versions(python)
    kept = dict(
        versions={name: found[name] for name in ("hnswlib", "faiss", "numpy") if found.get(name)},
        titles=dict(sluice="Sluice", **found["titles"]),
        rounds=asked.rounds,
        queries=asked.queries,
    )
    with workbench.scratch() as temporary:
        folder = pathlib.Path(temporary)
        results = workbench.heading("//tests/bench:curves", asked, USUAL, temporary) | kept
        bench = curve_rounds.Bench(asked, python, folder, workbench.say)
        names = asked.peers.split(",") if asked.peers else list(found["titles"])
        bench.build({name: found[name.split("-")[0]] for name in names if name in found["titles"]})
        bench.run()
        if asked.growth and room_for_growth(asked, folder):
            bench.grow()
        results.update(bench.results)
    return results


def main():
    asked = arguments()
    results = workbench.results(asked, "curves.json", measure)
    sections = curve_report.sections(results)
    markdown = curve_report.markdown(results, sections)
    (asked.out / "curves.md").write_text(markdown, encoding="utf-8")
    (asked.out / "curves.svg").write_text(plot.svg(results), encoding="utf-8")
    if asked.readme:
        marked.put_file(asked.readme, "curves", markdown)
    print(curve_report.terminal(results, sections))


if __name__ == "__main__":
    main()
