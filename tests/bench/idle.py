#!/usr/bin/env python3
"""Thousands of streams that wait: what each holds, and what a search feels of them.

    bazel run //tests/bench:idle -- [STREAMS [GRANTS]]

Opens so many Iterates (5,000) over the corpus, grants each ten hits so many times (once) and reads
these, and as many streams of a null server, which has answered with messages of the same size. A
stream's memory is how much the server has grown by, shared out; with and without pages of files,
which are records that were read and belong to no stream. Both servers have answered as many short
calls before as there are streams, so that what grows once has grown. Beside it what the server
itself says that a cursor holds, and the CPU time that one takes while nothing happens.

Then searches of ten, one in flight, at the server with the streams and at a second one without,
which has a copy of the data; turn about, medians of the rounds. The streams are opened with a scan
each: some minutes for the whole corpus.
"""

import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import workbench

STREAMS = 5000
GRANTS = 1
CREDIT = 10
SMALL_ROWS = 1000
ROUNDS = 7
SECONDS = 4
# A cursor gives back what it can after some seconds.
REST_SECONDS = 6
WARM_SECONDS = 5


class Streams:
    """A process that holds them."""

    def __init__(self, server, queries, grants, n):
        words = [workbench.program("idle_streams"), server.address, "corpus", queries]
        words += [CREDIT, grants, n]
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.opened = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the streams could not be held")
        return workbench.numbers(line)

    def cursors(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()


def import_corpus(corpus, folder):
    """Two folders with the same data: the corpus, and its first rows."""
    with workbench.serve(folder / "data") as server:
        workbench.import_rows(server, "corpus", corpus / "chunks.jsonl", corpus / "vectors.npy")
        rows = workbench.count(server, "corpus")
        workbench.import_head(server, corpus, SMALL_ROWS, folder)
        # Otherwise it is done beside what is measured.
        workbench.settle(server, "corpus")
    copy = folder / "copy"
    subprocess.run(["cp", "--archive", "--sparse=auto", folder / "data", copy], check=True)
    return rows, folder / "data", copy


def hold(server, queries, grants, n):
    """Streams, once they rest, with what the server has grown by for each."""
    before = server.memory_bytes()
    streams = Streams(server, queries, grants, n)
    time.sleep(REST_SECONDS)
    cpu = server.cpu_seconds()
    time.sleep(REST_SECONDS)
    streams.cpu_us = (server.cpu_seconds() - cpu) / REST_SECONDS * 1e6
    after = server.memory_bytes()
    streams.kib = [(b - a) / n / 1024 for a, b in zip(before, after)]
    return streams


def print_memory(n, grants, ours, null, cursors):
    rows = []
    for who, held in (("sluice", ours), ("null", null)):
        (resident, own), (null_resident, null_own) = held.kib, null.kib
        rows.append(
            [who, f"{own / null_own:.2f}", f"{own - null_own:.1f}", f"{own:.1f}"]
            + [f"{resident - null_resident:.1f}", f"{resident:.1f}"]
            + [f"{held.cpu_us / n:,.2f}", f"{held.opened['seconds']:.1f}"]
        )
    print(f"\n{n:,} idle streams, each with {CREDIT * grants:,} hits read; KiB a stream")
    workbench.table(
        ["", "x null", "beyond null", "KiB", "beyond, with files", "KiB, with files"]
        + ["CPU us/s", "s to open all"],
        rows,
    )
    print(
        f"ListCursors: {cursors['cursors']:,.0f} cursors, {cursors['memory_bytes'] / 1024:.1f} KiB "
        f"each, the largest {cursors['memory_bytes_max'] / 1024:.1f} KiB",
        flush=True,
    )


def print_searches(title, name, busy, quiet, queries):
    rounds = {"with them": [], "quiet": []}
    turn = [("with them", busy), ("quiet", quiet)]
    for _ in range(ROUNDS):
        for who, server in turn:
            rounds[who].append(workbench.ask(server, name, queries, 10, 1, SECONDS))
        turn.reverse()
    rows = []
    for who, found in rounds.items():
        p50, p99 = workbench.median(found, "p50_us"), workbench.median(found, "p99_us")
        rows.append(
            [who]
            + [f"{p99 / workbench.median(rounds['quiet'], 'p99_us'):.2f}"]
            + [f"{p50 / workbench.median(rounds['quiet'], 'p50_us'):.2f}"]
            + [f"{p99 / 1e3:.3f}", f"{p50 / 1e3:.3f}"]
            + [f"{workbench.median(found, 'calls'):,.0f}"]
        )
    print(f"\nsearch of {title}; top 10, 1 in flight, {ROUNDS} rounds")
    workbench.table(["", "p99 x quiet", "p50 x quiet", "p99 ms", "p50 ms", "calls"], rows)
    sys.stdout.flush()


def warm(server, queries, n):
    """As many short calls as there will be streams."""
    done = 0
    while done < n:
        done += workbench.ask(server, f"first-{SMALL_ROWS}", queries, CREDIT, 16, 1)["calls"]


def measure_memory(server, queries, grants, n):
    """The streams, which are still held."""
    ours = hold(server, queries, grants, n)
    with workbench.Server(workbench.program("null_server"), int(ours.opened["bytes"])) as null:
        warm(null, queries, n)
        with hold(null, queries, grants, n) as nulls:
            cursors = ours.cursors()
            if cursors["returned"] != n * grants * CREDIT:
                sys.exit("the streams have not got what they were granted")
            print_memory(n, grants, ours, nulls, cursors)
    return ours


def main():
    corpus = workbench.corpus()
    queries = corpus / "queries.npy"
    n, grants = [int(word) for word in sys.argv[1:]] + [STREAMS, GRANTS][len(sys.argv) - 1 :]
    with workbench.scratch() as scratch:
        folder = pathlib.Path(scratch)
        print(workbench.machine(folder), flush=True)
        rows, data, copy = import_corpus(corpus, folder)
        config = folder / "sluice.yaml"
        config.write_text(f"limits: {{cursors_max: {n + 1000}, cursor_idle_timeout: 1h}}\n")
        options = ["--config", config]
        with workbench.serve(data, *options) as busy, workbench.serve(copy, *options) as quiet:
            for server in (busy, quiet):
                # The records' pages, too, as far as a search of ten goes.
                workbench.ask(server, "corpus", queries, CREDIT, 2, WARM_SECONDS)
                warm(server, queries, n)
            with measure_memory(busy, queries, grants, n) as streams:
                for title, name in (
                    (f"{rows:,} chunks", "corpus"),
                    (f"{SMALL_ROWS:,} chunks", f"first-{SMALL_ROWS}"),
                ):
                    print_searches(title, name, busy, quiet, queries)
                if streams.cursors()["cursors"] != n:
                    sys.exit("some streams have ended")


if __name__ == "__main__":
    main()
