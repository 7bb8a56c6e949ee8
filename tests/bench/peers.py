"""hnswlib and FAISS, as whoever has them from the package index would use them; curves.py runs it.

    peers.py versions
    peers.py build NAME VECTORS.npy FILE            one line of JSON
    peers.py serve NAME FILE QUERIES.npy TRUTH.npy  answers the lines of standard input so
    peers.py grow VECTORS.npy ROWS OUT.npy          rows for growth: see there
    peers.py truth VECTORS.npy QUERIES.npy OUT.npy  rows of the 100 nearest, by the whole product

A line is `ask SETTING DEPTH N`: the first N queries, one a call, one thread. Times are of the
processor. A call from Python has a price that a library is not to blame for: the same call on an
index of one vector is measured beside it, and taken off (overhead_us says what it was).
"""

import importlib
import importlib.metadata
import json
import sys
import time

import numpy as np

DEPTH_TRUE = 100
BLOCK = 10_000
ROUNDS_OF_NOTHING = 2000


def unit(vectors):
    """float32, of length 1; the norm in double. A block at a time, for the sake of memory."""
    found = np.empty(vectors.shape, np.float32)
    for first in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[first : first + BLOCK], np.float64)
        found[first : first + BLOCK] = block / np.linalg.norm(block, axis=1)[:, None]
    return found


def faiss():
    module = importlib.import_module("faiss")
    module.omp_set_num_threads(1)
    return module


class Hnswlib:
    """space "ip" over unit vectors: it then has nothing to normalise at a call."""

    title = "hnswlib M16 efC200"

    def __init__(self):
        self.module = importlib.import_module("hnswlib")

    def make(self, dim, rows):
        index = self.module.Index(space="ip", dim=dim)
        index.init_index(max_elements=rows, M=16, ef_construction=200, random_seed=100)
        index.set_num_threads(1)
        return index

    def build(self, vectors):
        index = self.make(vectors.shape[1], len(vectors))
        index.add_items(vectors, num_threads=1)
        return index

    def save(self, index, path):
        index.save_index(path)

    def load(self, path, dim):
        index = self.module.Index(space="ip", dim=dim)
        index.load_index(path)
        index.set_num_threads(1)
        return index

    def set(self, index, setting, depth):
        index.set_ef(max(int(setting), depth))

    def search(self, index, depth):
        return lambda query: index.knn_query(query, k=depth, num_threads=1)[0]


class Faiss:
    """An index_factory string over the inner product."""

    def __init__(self, title, factory):
        self.title, self.factory, self.module = title, factory, faiss()

    def make(self, dim, _):
        return self.module.IndexFlatIP(dim)

    def build(self, vectors):
        metric = self.module.METRIC_INNER_PRODUCT
        index = self.module.index_factory(vectors.shape[1], self.factory, metric)
        if not index.is_trained:
            index.train(vectors)
        index.add(vectors)
        return index

    def save(self, index, path):
        self.module.write_index(index, path)

    def load(self, path, _):
        return self.module.read_index(path)

    def set(self, index, setting, depth):
        """NAME=VALUE,... of FAISS's ParameterSpace; a dash: nothing to set."""
        if setting != "-":
            self.module.ParameterSpace().set_index_parameters(index, setting)

    def search(self, index, depth):
        return lambda query: index.search(query, depth)[1]


# Names are file names too: they say what was built.
PEERS = {
    "hnswlib-m16-efc200": Hnswlib,
    "faiss-flat": lambda: Faiss("FAISS Flat", "Flat"),
    "faiss-hnsw32": lambda: Faiss("FAISS HNSW32", "HNSW32,Flat"),
    "faiss-ivf1024-sq8": lambda: Faiss("FAISS IVF1024,SQ8", "IVF1024,SQ8"),
    "faiss-ivf1024-pq96x4fs-rflat": lambda: Faiss(
        "FAISS IVF1024,PQ96x4fs,RFlat", "IVF1024,PQ96x4fs,RFlat"
    ),
}


def peak_bytes():
    """The most memory that this process has had."""
    with open("/proc/self/status", encoding="utf-8") as status:
        sizes = dict(line.split(":", 1) for line in status)
    return int(sizes["VmHWM"].split()[0]) * 1024


def forget_peak():
    """What was needed to get here does not count."""
    with open("/proc/self/clear_refs", "w", encoding="utf-8") as peak:
        peak.write("5")


def build(name, vectors_path, path):
    """peak_bytes: of the process, with the vectors that it was given, vectors_bytes."""
    peer = PEERS[name]()
    vectors = unit(np.load(vectors_path, mmap_mode="r"))
    forget_peak()
    start, start_cpu = time.monotonic(), time.process_time()
    index = peer.build(vectors)
    cpu, wall = time.process_time() - start_cpu, time.monotonic() - start
    peak = peak_bytes()
    peer.save(index, path)
    answer = dict(rows=len(vectors), cpu_s=cpu, wall_s=wall, peak_bytes=peak)
    print(json.dumps(answer | dict(vectors_bytes=vectors.nbytes)))


def cpu_seconds(search, queries, times):
    """Of a loop over the queries, [times] seconds by the clock, and the answers."""
    found = []
    start_cpu = time.process_time_ns()
    for i, query in enumerate(queries):
        start = time.perf_counter_ns()
        found.append(search(query))
        times[i] = time.perf_counter_ns() - start
    return (time.process_time_ns() - start_cpu) * 1e-9, found


class Asker:
    def __init__(self, name, path, queries_path, truth_path):
        self.peer = PEERS[name]()
        queries = unit(np.load(queries_path))
        self.queries = [queries[i : i + 1] for i in range(len(queries))]
        self.truth = np.load(truth_path)
        self.index = self.peer.load(path, queries.shape[1])
        self.one = self.peer.make(queries.shape[1], 1)
        (self.one.add_items if hasattr(self.one, "add_items") else self.one.add)(queries[:1])

    def overhead(self):
        search = self.peer.search(self.one, 1)
        queries = [self.queries[0]] * ROUNDS_OF_NOTHING
        return cpu_seconds(search, queries, np.zeros(len(queries)))[0] / len(queries)

    def ask(self, setting, depth, n):
        times = np.zeros(n)
        self.peer.set(self.index, setting, depth)
        overhead = self.overhead()
        seconds, found = cpu_seconds(self.peer.search(self.index, depth), self.queries[:n], times)
        right = sum(
            len(np.intersect1d(rows[0], true[:depth])) for rows, true in zip(found, self.truth)
        )
        times.sort()
        return dict(
            setting=setting,
            depth=depth,
            queries=n,
            recall=right / (n * depth),
            qps=1 / (seconds / n - overhead),
            overhead_us=overhead * 1e6,
            p50_us=(times[n // 2] * 1e-9 - overhead) * 1e6,
            p99_us=(times[n * 99 // 100] * 1e-9 - overhead) * 1e6,
        )


def serve(*names):
    asker = Asker(*names)
    for line in sys.stdin:
        _, setting, depth, n = line.split()
        print(json.dumps(asker.ask(setting, int(depth), int(n))), flush=True)


def grow(vectors_path, rows, out):
    """The corpus as it is, then copies of it: to each vector of length 1 a random one of length 0.4
    is added, which leaves a cosine of 0.93. float16, as the corpus itself."""
    vectors = unit(np.load(vectors_path))
    rows, (n, dim) = int(rows), vectors.shape
    random = np.random.default_rng(1)
    grown = np.lib.format.open_memmap(out, "w+", np.float16, (rows, dim))
    grown[:n] = np.load(vectors_path)[:rows]
    for first in range(n, rows, BLOCK):
        size = min(BLOCK, rows - first)
        noise = unit(random.standard_normal((size, dim), np.float32))
        of = np.arange(first, first + size) % n
        grown[first : first + size] = unit(vectors[of] + 0.4 * noise)
    grown.flush()


def truth(vectors_path, queries_path, out):
    """By one matrix product a block of rows, in float32."""
    vectors = np.load(vectors_path, mmap_mode="r")
    queries = unit(np.load(queries_path))
    scores = np.zeros((len(queries), 0), np.float32)
    rows = np.zeros((len(queries), 0), np.int32)
    for first in range(0, len(vectors), BLOCK):
        block = unit(vectors[first : first + BLOCK])
        scores = np.hstack([scores, queries @ block.T])
        numbers = np.arange(first, first + len(block), dtype=np.int32)
        rows = np.hstack([rows, np.broadcast_to(numbers, (len(queries), len(block)))])
        best = np.argpartition(-scores, DEPTH_TRUE - 1, axis=1)[:, :DEPTH_TRUE]
        scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
    order = np.lexsort((rows, -scores), axis=1)
    np.save(out, np.take_along_axis(rows, order, 1))


def version_of(name):
    """None where it is not installed."""
    try:
        importlib.import_module(name)
        return importlib.metadata.version({"faiss": "faiss-cpu"}.get(name, name))
    except ImportError:
        return None


def versions():
    found = {name: version_of(name) for name in ("numpy", "faiss", "hnswlib")}
    there = {name: make for name, make in PEERS.items() if found[name.split("-")[0]]}
    titles = {name: make().title for name, make in there.items()}
    print(json.dumps(dict(found, titles=titles)))


if __name__ == "__main__":
    commands = dict(versions=versions, build=build, serve=serve, grow=grow, truth=truth)
    commands[sys.argv[1]](*sys.argv[2:])
