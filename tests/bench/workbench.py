"""What the drivers share: the corpus, servers as processes, their CPU time, tables."""

import ast
import datetime
import itertools
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

# Where Bazel has put this program's data.
RUNFILES = pathlib.Path(os.path.abspath(sys.argv[0]) + ".runfiles") / "sluice"

SLUICE = RUNFILES / "service/sluice"


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def program(name):
    return RUNFILES / "tests/bench" / name


def corpus():
    """Chunks, vectors and queries, or the end of the program."""
    checkout = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
    default = checkout.resolve().parent / "shared/corpus"
    folder = pathlib.Path(os.environ.get("SLUICE_CORPUS", default))
    for name in ("chunks.jsonl", "vectors.npy", "queries.npy"):
        if not (folder / name).exists():
            sys.exit(f"no {name} in {folder}: SLUICE_CORPUS names a folder with a corpus")
    return folder


def machine(folder):
    """One line on where this is measured, data in folder: the numbers mean little without it."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    kind = subprocess.run(
        ["stat", "--file-system", "--format", "%T", folder],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    model = models[0] if models else "processor"
    return f"{os.cpu_count()} x {model}; data on {kind}; load before {load}"


def commit():
    """Of the checkout, with a + where it differs from it."""
    checkout = os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")
    words = [
        "git",
        "-C",
        checkout,
        "describe",
        "--always",
        "--dirty=+",
        "--abbrev=9",
        "--exclude=*",
    ]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def place(asked, *names):
    """Paths that were given are from where the caller stands: bazel run starts a program in a folder of its
    own."""
    home = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    for name in names:
        path = getattr(asked, name)
        setattr(asked, name, path and home / path)


def report_options(parser):
    """Of a driver whose figures are kept: results() and marked.put_file() go by them."""
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--readme", type=pathlib.Path, metavar="FILE")


def heading(target, asked, usual, folder):
    """Of what is measured now: when, of what, by which command, and where, which is said."""
    where = machine(folder)
    say(where)
    return dict(
        date=datetime.date.today().isoformat(),
        commit=commit(),
        command=command(target, asked, usual),
        machine=where,
    )


def results(asked, name, measure):
    """Those of --from, or what measure(asked) gives, which is kept in --out, a folder that is there then."""
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.source:
        return json.loads(asked.source.read_text(encoding="utf-8"))
    found = measure(asked)
    (asked.out / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def command(target, asked, usual):
    """What measures the same again: without the folders, which change nothing."""
    words = [f"bazel run {target}"]
    for name, value in usual.items():
        found = getattr(asked, name)
        if found != value:
            words.append(f"--{name} {found!r}" if found == "" else f"--{name} {found}")
    return " -- ".join([words[0], " ".join(words[1:])]) if words[1:] else words[0]


class Server:
    """A process that prints "listening on ADDRESS"."""

    def __init__(self, *command, **how):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            **how,
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"{command[0]} did not start")
        self.address = line.removeprefix("listening on ").strip()
        self.metrics = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def stage_seconds(self):
        """What the stages of searches have taken so far; 0 where nobody tells. Started with --metrics."""
        if not self.metrics:
            return 0.0
        with urllib.request.urlopen(f"http://{self.metrics}/metrics") as page:
            lines = page.read().decode().splitlines()
        sums = [line for line in lines if line.startswith("sluice_search_stage_seconds_sum")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in sums)

    def cpu_seconds(self):
        """Of all its threads, those that have ended too, user and system: by the clock that the kernel
        keeps for a process, to the nanosecond."""
        return time.clock_gettime_ns((~self.process.pid << 3) | 2) * 1e-9

    def sizes(self, *names):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        sizes = dict(line.split(":", 1) for line in status.splitlines())
        return tuple(int(sizes[name].split()[0]) * 1024 for name in names)

    def memory_bytes(self):
        """What it holds in RAM: all of it, and that which is no file's."""
        return self.sizes("VmRSS", "RssAnon")

    def peak_bytes(self):
        """The most that it has held."""
        return self.sizes("VmHWM")[0]


def serve(folder, *options, **how):
    """how: as subprocess.Popen takes it."""
    words = ["serve", "--listen", "127.0.0.1:0", "--data", folder, "--gpu", "off", *options]
    return Server(SLUICE, *words, **how)


def serve_measured(folder):
    """With a listener for metrics: stage_seconds."""
    server = serve(folder, "--metrics", "127.0.0.1:0")
    server.metrics = server.process.stdout.readline().removeprefix("metrics on ").strip()
    return server


def scratch():
    """A folder under TMPDIR, gone at the end of a with."""
    return tempfile.TemporaryDirectory(prefix="sluice-bench-")


def import_rows(server, name, chunks, vectors):
    """Seconds that `sluice import --create` takes."""
    start = time.monotonic()
    done = subprocess.run(
        [SLUICE, "import", name, chunks, "--vectors", vectors, "--create"]
        + ["--progress", "never", "--server", server.address],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{chunks} could not be imported")
    return time.monotonic() - start


def import_head(server, corpus, rows, folder):
    """A collection of the corpus's first rows; its name."""
    chunks, vectors = folder / f"{rows}.jsonl", folder / f"{rows}.npy"
    with open(corpus / "chunks.jsonl", encoding="utf-8") as lines:
        chunks.write_text("".join(itertools.islice(lines, rows)), encoding="utf-8")
    npy_head(corpus / "vectors.npy", rows, vectors)
    import_rows(server, f"first-{rows}", chunks, vectors)
    return f"first-{rows}"


def numbers(line):
    """Of a line of NAME=NUMBER."""
    return {key: float(value) for key, value in (word.split("=") for word in line.split())}


def npy_head(path, rows, out):
    """The first rows of a matrix as a file of its own, with a header of version 1."""
    whole = path.read_bytes()
    start, code = (10, "<H") if whole[6] == 1 else (12, "<I")
    (length,) = struct.unpack(code, whole[8:start])
    head = ast.literal_eval(whole[start : start + length].decode())
    size = int(head["descr"][2:]) * head["shape"][1]
    head["shape"] = (rows, head["shape"][1])
    text = repr(head).encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    magic = whole[:6] + b"\x01\x00" + struct.pack("<H", len(text))
    out.write_bytes(magic + text + whole[start + length :][: rows * size])


def ask(server, name, queries, limit, in_flight, seconds):
    """One run of load.c: what it prints, and the server's CPU time a call."""
    staged, before = server.stage_seconds(), server.cpu_seconds()
    words = [program("load"), server.address, name, queries, limit, in_flight, seconds]
    line = subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = numbers(line)
    found["cpu_us"] = (server.cpu_seconds() - before) / found["calls"] * 1e6
    found["search_us"] = (server.stage_seconds() - staged) / found["calls"] * 1e6
    found["rate"] = found["calls"] / found["seconds"]
    return found


def settle(server, name):
    """Nothing of a collection is left to be done in the background, which would count as its searches' time."""
    words = [SLUICE, "optimize", name, "--server", server.address]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def count(server, name, *options):
    """Chunks that the collection has, or those that pass --filter."""
    words = [SLUICE, "count", name, *options, "--server", server.address]
    return int(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def table(head, rows):
    """Columns as wide as they need be, the first to the left."""
    lines = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        first, *rest = [cell.rjust(width) for cell, width in zip(line, widths)]
        print("  ".join([line[0].ljust(widths[0]), *rest]))
