"""Who takes part, how each is started, and whose turn it is."""

import json
import os
import pathlib
import select
import subprocess
import sys
import time

import processes
import workbench

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = workbench.RUNFILES / "tests/support/python.sh"
DEPTH, DEEP_QUERIES, INSTALL_S = 10, 50, 900

# A module of adapters/, and the file of requirements/ that has what it needs. Sluice is first.
PEERS = {
    "sluice": "sluice",
    "pgvector_hnsw": "pgvector",
    "pgvector_ivfflat": "pgvector",
    "chroma": "chroma",
    "milvus_lite": "milvus_lite",
    "qdrant_edge": "qdrant_edge",
    "hnswlib": "hnswlib",
    "faiss": "faiss",
    "usearch": "usearch",
}
# What is not to be had at all.
ABSENT = {"Qdrant's server": "no package registry has it; its engine is in Qdrant Edge"}


class Gone(Exception):
    """A peer that goes no further, and why."""


def environment(requirements):
    """The Python with the packages of a file, made as the Python tests make theirs."""
    words = ["bash", "-euc", '. "$support" >&2; printf %s "$python"']
    env = dict(
        os.environ,
        test=f"peers, {requirements.stem}",
        root=str(workbench.RUNFILES),
        support=str(SUPPORT),
        requirements=str(requirements),
    )
    try:
        made = subprocess.run(
            words, env=env, capture_output=True, text=True, check=False, timeout=INSTALL_S
        )
    except subprocess.TimeoutExpired:
        raise Gone(f"pip had not installed it after {INSTALL_S} s") from None
    python = made.stdout.strip()
    if made.returncode == 0 and python and pathlib.Path(python).exists():
        return python
    workbench.say(made.stderr)
    said = [line for line in made.stderr.splitlines() if line.startswith("SKIPPED: ")]
    why = said[0].partition(f"{requirements.stem}: ")[2] if said else "pip could not install it"
    raise Gone(why)


class Player:
    """player.py of one peer, which answers a line with a line of JSON, within the seconds it has."""

    def __init__(self, name, python, words, limit_s):
        self.name, self.left_s = name, limit_s
        self.rounds, self.deep, self.floor = [], [], []
        self.about, self.built = {}, {}
        env = dict(
            os.environ,
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUNBUFFERED="1",
            SLUICE_BINARY=str(workbench.SLUICE),
            SLUICE_NULL_SERVER=str(workbench.program("null_server")),
            SLUICE_PROTO=str(workbench.RUNFILES / "proto"),
        )
        self.process = subprocess.Popen(
            [python, HERE / "player.py", name, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            preexec_fn=processes.end_with_parent,
            text=True,
        )

    def ask(self, *words):
        start = time.monotonic()
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Gone("it ended; its last words are above") from None
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, self.left_s))
        self.left_s -= time.monotonic() - start
        if not ready:
            raise Gone("it had used up the seconds that each peer has (--limit)")
        line = self.process.stdout.readline()
        if not line:
            raise Gone("it ended; its last words are above")
        return json.loads(line)

    def end(self):
        """In its own time, which is short; then not."""
        try:
            self.process.stdin.close()
            self.process.wait(30)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def turns(sweeps):
    """[(name, setting)] of a round: each has its settings in order, in turns as even as they come."""
    found = [
        ((i + 0.5) / len(settings), order, name, setting)
        for order, (name, settings) in enumerate(sweeps.items())
        for i, setting in enumerate(settings)
    ]
    return [(name, setting) for _, _, name, setting in sorted(found, key=lambda one: one[:2])]


class Contest:
    def __init__(self, asked, folder, corpus):
        self.asked, self.folder, self.corpus = asked, folder, corpus
        self.players, self.skipped = {}, dict(ABSENT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for player in self.players.values():
            player.end()

    def leave_out(self, name, why):
        workbench.say(f"SKIPPED: {name}: {why}")
        self.skipped[name] = str(why)
        player = self.players.pop(name, None)
        if player:
            player.end()

    def truth(self, python):
        """The file with the rows nearest to each query: the corpus' own, or one for fewer rows."""
        if not self.asked.rows:
            path = self.corpus / "truth_ids.npy"
            if not path.exists():
                sys.exit(f"no truth_ids.npy in {self.corpus}: the rows nearest to each query")
            return path
        path = self.folder / "truth.npy"
        if not path.exists():
            words = [python, HERE / "player.py", "truth", self.corpus, self.asked.rows, path]
            env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
            subprocess.run([str(word) for word in words], env=env, check=True)
        return path

    def begin(self, name):
        python = environment(HERE / "requirements" / f"{PEERS[name]}.txt")
        own = self.folder / name
        own.mkdir()
        words = [own, self.corpus, self.asked.rows, self.corpus / "queries.npy", self.truth(python)]
        player = self.players[name] = Player(name, python, words, self.asked.limit)
        player.about = player.ask("about")
        player.built = player.ask("build")
        rate = player.built["rows"] / player.built["wall_s"]
        workbench.say(f"{player.about['title']}: {rate:,.0f} vectors/s until indexed")

    def build(self):
        """One after the other: each has the machine to itself."""
        for name in self.asked.names:
            workbench.say(f"building: {name}")
            try:
                self.begin(name)
            except Gone as why:
                self.leave_out(name, why)

    def round(self):
        found = {name: [] for name in self.players}
        for name, setting in turns({name: p.about["settings"] for name, p in self.players.items()}):
            if name not in self.players:
                continue
            try:
                answer = self.players[name].ask("ask", DEPTH, self.asked.queries, setting)
                found[name].append(answer)
            except Gone as why:
                self.leave_out(name, why)
        for name, player in list(self.players.items()):
            player.rounds.append(found[name])
            try:
                if player.about["deep"]:
                    n = min(DEEP_QUERIES, self.asked.queries)
                    player.deep.append(player.ask("deep", n, player.about["deep"]))
                first = player.about["settings"][0]
                player.floor.append(player.ask("floor", DEPTH, self.asked.queries, first))
            except Gone as why:
                self.leave_out(name, why)

    def rounds(self):
        for i in range(self.asked.rounds):
            workbench.say(f"round {i + 1} of {self.asked.rounds}")
            self.round()

    def results(self):
        return dict(
            depth=DEPTH,
            queries=self.asked.queries,
            rounds=self.asked.rounds,
            skipped=self.skipped,
            peers={
                name: dict(
                    about=player.about,
                    build=player.built,
                    rounds=player.rounds,
                    deep=player.deep,
                    floor=player.floor,
                )
                for name, player in self.players.items()
            },
        )
