"""What the drivers share: the corpus, servers as processes, their CPU time, tables."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# Where Bazel has put this program's data.
_runfiles = pathlib.Path(os.path.abspath(sys.argv[0]) + ".runfiles") / "sluice"

SLUICE = _runfiles / "service/sluice"


def program(name):
    return _runfiles / "tests/bench" / name


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


class Server:
    """A process that prints "listening on ADDRESS"."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"{command[0]} did not start")
        self.address = line.removeprefix("listening on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu_seconds(self):
        """Of all its threads, user and system."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        try:
            # In nanoseconds; the ticks below are of 10 ms.
            threads = [(task / "schedstat").read_text() for task in tasks.iterdir()]
            nanoseconds = sum(int(thread.split()[0]) for thread in threads)
            if nanoseconds > 0:
                return nanoseconds * 1e-9
        except OSError:
            pass
        stat = (tasks.parent / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def serve(folder):
    return Server(SLUICE, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--gpu", "off")


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


def count(server, name):
    """Chunks that the collection has."""
    words = [SLUICE, "count", name, "--server", server.address]
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
