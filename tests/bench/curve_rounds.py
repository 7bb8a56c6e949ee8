"""The rounds of curves.py: who is built, who asks what, and whose turn it is."""

import json
import subprocess

import workbench

RECALL = workbench.program("recall")
PEERS = workbench.program("peers.py")

TARGETS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995)
EXACT = 0
EXACT_QUERIES = 200
DEEP_WALKS = 100
GROWN_QUERIES = 200

# What each peer is set to, by depth: from below .90 to beyond .995 where it gets there.
EF = {10: (12, 16, 24, 32, 48, 64, 96, 128, 192, 256), 100: (100, 128, 192, 256, 384, 512, 768)}
NPROBE = {10: (24, 32, 64, 128, 256, 512, 768), 100: (32, 64, 128, 256, 512, 768)}
REFINED = {
    10: ((24, 10), (32, 10), (64, 10), (128, 10), (128, 20), (256, 20), (512, 20), (512, 40)),
    100: ((32, 4), (64, 4), (128, 4), (256, 4), (256, 8), (512, 8), (768, 10)),
}
SWEEPS = {
    "hnswlib-m16-efc200": {k: [str(ef) for ef in EF[k]] for k in EF},
    "faiss-hnsw32": {k: [f"efSearch={ef}" for ef in (*EF[k], 400)] for k in EF},
    "faiss-ivf1024-sq8": {k: [f"nprobe={n}" for n in NPROBE[k]] for k in NPROBE},
    "faiss-ivf1024-pq96x4fs-rflat": {
        k: [f"nprobe={n},k_factor_rf={factor}" for n, factor in REFINED[k]] for k in REFINED
    },
}
FLAT = "faiss-flat"


def run(*words):
    """A program's one line of JSON."""
    done = subprocess.run(
        [str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


class Player:
    """A process that answers a line with a line of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended")
        return json.loads(line)


def alternate(ours, our_lines, theirs, their_lines):
    """One round: the lines of both, in turns as even as they come; their answers."""
    found = ([], [])
    turns = [((i + 0.5) / len(our_lines), 0, line) for i, line in enumerate(our_lines)]
    turns += [((i + 0.5) / len(their_lines), 1, line) for i, line in enumerate(their_lines)]
    for _, who, line in sorted(turns, key=lambda turn: turn[:2]):
        found[who].append((ours, theirs)[who].ask(*line))
    return found


class Bench:
    def __init__(self, asked, python, folder, say):
        self.python, self.folder, self.say = python, folder, say
        self.scratch = asked.scratch or folder
        self.rounds, self.queries, self.growth = asked.rounds, asked.queries, asked.growth
        self.depths = [int(depth) for depth in asked.depths.split(",")]
        corpus = workbench.corpus()
        self.vectors = corpus / "vectors.npy"
        self.questions = (corpus / "queries.npy", corpus / "truth_ids.npy")
        if not self.questions[1].exists():
            raise SystemExit(f"no truth_ids.npy in {corpus}: the rows nearest to each query")
        self.results = dict(targets=TARGETS, builds={}, pairs={})
        self.names = {}  # of peers: the version that was built

    def peers(self, *words):
        return [self.python, PEERS, *words]

    def peer_path(self, name):
        return self.scratch / f"{name}-{self.names[name]}"

    def peer_build(self, name):
        """Once, or as it was built before."""
        path = self.peer_path(name)
        built = path.with_name(path.name + ".json")
        if not (path.exists() and built.exists()):
            self.scratch.mkdir(parents=True, exist_ok=True)
            found = run(*self.peers("build", name, self.vectors, path))
            built.write_text(json.dumps(found), encoding="utf-8")
        return json.loads(built.read_text(encoding="utf-8"))

    def build(self, names):
        self.names = names
        self.say("building: sluice")
        builds = self.results["builds"]
        builds["sluice"] = run(RECALL, "build", self.folder / "sluice", self.vectors)
        for name in names:
            self.say("building:", name)
            builds[name] = self.peer_build(name)

    def ours(self, folder="sluice", questions=None):
        return Player(RECALL, "serve", self.folder / folder, *(questions or self.questions))

    def peer(self, name):
        return Player(*self.peers("serve", name, self.peer_path(name), *self.questions))

    def sweep(self, ours, name, depth):
        """Ours at its targets and a peer at its settings: what each answered, a list a round."""
        lines = [("ask", target, depth, self.queries) for target in TARGETS]
        with self.peer(name) as theirs:
            settings = [("ask", one, depth, self.queries) for one in SWEEPS[name][depth]]
            alternate(ours, lines[:1], theirs, settings[:1])
            rounds = [alternate(ours, lines, theirs, settings) for _ in range(self.rounds)]
        return dict(ours=[one[0] for one in rounds], theirs=[one[1] for one in rounds])

    def alone(self, ours, depth):
        lines = [("ask", target, depth, self.queries) for target in TARGETS]
        return [[ours.ask(*line) for line in lines] for _ in range(self.rounds)]

    def exact(self, ours):
        """The exact ten, beside FAISS Flat where that is; the ends of both curves."""
        n = min(EXACT_QUERIES, self.queries)
        lines, flat = [("ask", EXACT, 10, n)], [("ask", "-", 10, n)]
        if FLAT not in self.names:
            return dict(ours=[[ours.ask(*lines[0])] for _ in range(self.rounds)], theirs=[])
        with self.peer(FLAT) as theirs:
            alternate(ours, lines, theirs, flat)
            rounds = [alternate(ours, lines, theirs, flat) for _ in range(self.rounds)]
        return dict(ours=[one[0] for one in rounds], theirs=[one[1] for one in rounds])

    def run(self):
        results = self.results
        with self.ours() as ours:
            for depth in self.depths:
                pairs = results["pairs"][str(depth)] = {}
                for name in (name for name in self.names if depth in SWEEPS.get(name, ())):
                    self.say(f"{self.rounds} rounds: top {depth}, sluice and {name}")
                    pairs[name] = self.sweep(ours, name, depth)
                if not pairs:
                    self.say(f"{self.rounds} rounds: top {depth}, sluice")
                    pairs[""] = dict(ours=self.alone(ours, depth), theirs=[])
            self.say(f"{self.rounds} rounds: exact")
            results["exact"] = self.exact(ours)
            walks = min(DEEP_WALKS, self.queries)
            results["deep"] = [
                [ours.ask("deep", target, walks) for target in (EXACT, 0.95)]
                for _ in range(self.rounds)
            ]

    def grow(self):
        """The corpus and ten times it, in turns."""
        self.say(f"growing to {self.growth:,} rows")
        if not self.python:
            self.say("SKIPPED: growth: its rows are made by numpy, which is not there")
            return
        vectors, truth = self.folder / "grown.npy", self.folder / "grown_truth.npy"
        queries, _ = self.questions
        words = [str(word) for word in self.peers("grow", self.vectors, self.growth, vectors)]
        subprocess.run(words, check=True)
        words = [str(word) for word in self.peers("truth", vectors, queries, truth)]
        subprocess.run(words, check=True)
        built = run(RECALL, "build", self.folder / "grown", vectors)
        vectors.unlink()
        n = min(GROWN_QUERIES, self.queries)
        lines = [("ask", target, 10, n) for target in (EXACT, 0.95, 0.99)]
        with self.ours() as small, self.ours("grown", (queries, truth)) as large:
            alternate(small, lines, large, lines)
            rounds = [alternate(small, lines, large, lines) for _ in range(self.rounds)]
        self.results["growth"] = dict(
            build=built, small=[one[0] for one in rounds], large=[one[1] for one in rounds]
        )
