"""One peer, in the Python environment that has it: it builds its collection and answers questions.

    player.py ADAPTER FOLDER CORPUS ROWS QUERIES TRUTH.npy   a line of JSON for each line of standard input
    player.py truth CORPUS ROWS OUT.npy                      rows of the 100 nearest, by the whole product

A line is `build`, `ask DEPTH N SETTING`, `deep N SETTING`, `floor DEPTH N SETTING` or `about`. Adapters say what there is: the
module adapters/NAME.py has a class Peer. Whatever else is printed goes to standard error.
"""

import importlib
import json
import os
import pathlib
import statistics
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import processes

DEPTH_TRUE, BLOCK, WARM = 100, 10_000, 20
DEEP_SKIP, PAGE = 1000, 10


def unit(vectors):
    """float32, of length 1; the norm in double."""
    wide = np.asarray(vectors, np.float64)
    return (wide / np.linalg.norm(wide, axis=1)[:, None]).astype(np.float32)


class Corpus:
    """Rows from 0; text[row], and batches of unit vectors, read from the file as they are wanted."""

    def __init__(self, folder, rows):
        self.stored = np.load(folder / "vectors.npy", mmap_mode="r")
        self.rows = min(rows or len(self.stored), len(self.stored))
        self.dim = self.stored.shape[1]
        self.text = []
        with open(folder / "chunks.jsonl", encoding="utf-8") as lines:
            for _, line in zip(range(self.rows), lines):
                self.text.append(json.loads(line)["text"])

    def batches(self, size):
        """(first row, unit vectors, texts) of each batch."""
        for first in range(0, self.rows, size):
            end = min(first + size, self.rows)
            yield first, unit(self.stored[first:end]), self.text[first:end]


class Player:
    def __init__(self, name, folder, corpus, rows, queries, truth):
        self.corpus = Corpus(pathlib.Path(corpus), int(rows))
        self.queries = unit(np.load(queries))
        self.truth = np.load(truth)
        self.peer = importlib.import_module(f"adapters.{name}").Peer(pathlib.Path(folder), self.corpus.dim)
        self.peer.start()

    def pids(self):
        return processes.tree(self.peer.pid())

    def about(self):
        return dict(
            title=self.peer.title,
            where=self.peer.where,
            built_with=self.peer.built_with,
            note=self.peer.note,
            versions=self.peer.versions(),
            settings=self.peer.settings,
            deep=self.peer.deep,
            deep_how=self.peer.deep_how,
        )

    def build(self):
        """From the first vector sent to the index that has them all."""
        peak = processes.Peak(self.peer.pid())
        before, start = processes.tree_cpu_seconds(self.pids()), time.monotonic()
        self.peer.build(self.corpus)
        wall = time.monotonic() - start
        cpu = processes.tree_cpu_seconds(self.pids()) - before
        return dict(rows=self.corpus.rows, wall_s=wall, cpu_s=cpu, peak_bytes=peak.end())

    def timed(self, calls):
        """ns by the clock of each call, CPU seconds of the peer meanwhile, and what they gave."""
        times, found, pids = [], [], self.pids()
        before = processes.tree_cpu_seconds(pids)
        for call in calls:
            start = time.perf_counter_ns()
            found.append(call())
            times.append(time.perf_counter_ns() - start)
        return times, processes.tree_cpu_seconds(pids) - before, found

    def ask(self, depth, n, setting):
        peer, depth, n = self.peer, int(depth), min(int(n), len(self.queries))
        peer.use(setting, depth)
        for query in self.queries[-WARM:]:
            peer.search(query, depth)
        calls = [lambda query=query: peer.search(query, depth) for query in self.queries[:n]]
        times, cpu, found = self.timed(calls)
        right = 0
        for hits, true in zip(found, self.truth):
            right += len({row for row, _ in hits} & set(true[:depth].tolist()))
            assert all(text == self.corpus.text[row] for row, text in hits), "the text is another's"
        return dict(
            setting=setting,
            depth=depth,
            queries=n,
            recall=right / (n * depth),
            qps=n / (sum(times) * 1e-9),
            p50_us=statistics.median(times) / 1e3,
            p99_us=sorted(times)[n * 99 // 100] / 1e3,
            cpu_us=cpu / n * 1e6,
            memory_bytes=processes.memory_bytes(self.pids()),
        )

    def deep(self, n, setting):
        """Hits 1,001 to 1,010: what they cost whoever has those before."""
        peer, n = self.peer, min(int(n), len(self.queries))
        peer.use(setting, DEEP_SKIP + PAGE)
        times, cpu, given = [], 0.0, 0
        for query in self.queries[:n]:
            with peer.page(query, DEEP_SKIP, PAGE) as call:
                took, spent, found = self.timed([call])
            times, cpu, given = times + took, cpu + spent, given + len(found[0])
        return dict(
            setting=setting,
            queries=n,
            hits=given / n,
            p50_us=statistics.median(times) / 1e3,
            cpu_us=cpu / n * 1e6,
        )

    def floor(self, depth, n, setting):
        """What a search takes whoever has the client and nothing behind it; empty: it is not known."""
        self.peer.use(setting, int(depth))
        with self.peer.floor(self.queries[0], int(depth)) as call:
            if not call:
                return {}
            self.timed([call] * WARM)
            times, _, _ = self.timed([call] * int(n))
        return dict(p50_us=statistics.median(times) / 1e3)

    def serve(self, answers):
        for line in sys.stdin:
            command, *words = line.rstrip("\n").split(" ")
            take = dict(ask=3, deep=2, floor=3).get(command, 1) - 1
            words = words[:take] + ([" ".join(words[take:])] if words else [])
            print(json.dumps(getattr(self, command)(*words)), file=answers, flush=True)


def truth(folder, rows, out):
    """By one matrix product, in float32."""
    corpus = Corpus(pathlib.Path(folder), int(rows))
    queries = unit(np.load(pathlib.Path(folder) / "queries.npy"))
    scores = np.hstack([queries @ vectors.T for _, vectors, _ in corpus.batches(BLOCK)])
    best = np.argpartition(-scores, DEPTH_TRUE, axis=1)[:, :DEPTH_TRUE]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
    np.save(out, np.take_along_axis(best, order, 1).astype(np.int32))


def main():
    # Libraries print what they like; the answers go where nothing else does.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if sys.argv[1] == "truth":
        truth(*sys.argv[2:])
        return
    player = Player(*sys.argv[1:])
    try:
        player.serve(answers)
    finally:
        player.peer.end()


if __name__ == "__main__":
    main()
