#!/usr/bin/env python3
"""Sluice beside other vector stores: the same corpus, queries and payload, at equal recall.

    peers [--peers NAME,...] [--rounds 3] [--queries 500] [--rows N] [--limit 1200]
          [--out FOLDER] [--readme FILE]
    peers --from peers.json [--out FOLDER] [--readme FILE]

Each peer runs as whoever has it from the package index would run it: a server on the loopback where it
has one, in process where not. Each has a Python environment and a Python client of its own, and gives
the text of every hit. One call is in flight. All take turns, setting by setting, in every round; every
figure is the median of the rounds. The processor time of a query is that of the server's processes, by
the kernel's clock of each; in process it is that of the process that asks.

A peer that cannot be had, fails, or has used up its --limit of seconds is left out, and that is said.
--rows N takes the first N chunks, with truth of their own. SLUICE_CORPUS names the corpus.
Writes peers.json, peers.md and peers.svg to --out (.); --from makes the last two of the first.
--readme puts the tables into a file, between its lines <!-- peers --> and <!-- end of peers -->.
"""

import argparse
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import contest
import marked
import picture
import processes
import report
import workbench

USUAL = dict(peers=None, rounds=3, queries=500, rows=0, limit=1200)


def arguments():
    parser = argparse.ArgumentParser(
        prog="peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", help=", ".join(contest.PEERS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--queries", type=int)
    parser.add_argument("--rows", type=int, help="0: all")
    parser.add_argument("--limit", type=int, help="seconds for each peer")
    parser.set_defaults(**USUAL)
    workbench.report_options(parser)
    asked = parser.parse_args()
    workbench.place(asked, "out", "source", "readme")
    asked.names = asked.peers.split(",") if asked.peers else list(contest.PEERS)
    for name in asked.names:
        if name not in contest.PEERS:
            parser.error(f"no peer {name}; there are {', '.join(contest.PEERS)}")
    if min(asked.rounds, asked.queries, asked.limit) < 1:
        parser.error("--rounds, --queries and --limit are at least 1")
    return asked


def measure(asked):
    processes.adopt_orphans()
    # So that what is under way is ended, and the scratch folder goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with workbench.scratch() as folder:
            results = workbench.heading("//tests/bench/peers", asked, USUAL, folder)
            with contest.Contest(asked, pathlib.Path(folder), workbench.corpus()) as run:
                run.build()
                run.rounds()
                return results | run.results()
    finally:
        processes.end_descendants()


def main():
    asked = arguments()
    results = workbench.results(asked, "peers.json", measure)
    markdown = report.markdown(results)
    (asked.out / "peers.md").write_text(markdown, encoding="utf-8")
    (asked.out / "peers.svg").write_text(picture.svg(results), encoding="utf-8")
    if asked.readme:
        marked.put_file(asked.readme, "peers", markdown)
    print(markdown)


if __name__ == "__main__":
    main()
