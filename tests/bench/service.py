#!/usr/bin/env python3
"""Import and search of the corpus over loopback, beside a server that does nothing.

Prints rows/s of the import, then for the first 100 and 1,000 chunks and for all of them, with 1 and
16 searches in flight: searches a second, p50 and p99, and the server's CPU time a call. In the same
run, turn about with each measurement, the same client asks a null server, which answers every call
with one message of the size that a search of ten hits has: what gRPC's core costs, on this
machine and now. The fewer the chunks, the more of a call is RPC. Medians of the rounds. About two
minutes; the client takes CPU time from the server.
"""

import ast
import itertools
import pathlib
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
import workbench

LIMIT = 10
ROUNDS = 5
SECONDS = 1.2
SIZES = (100, 1000)


def ask(server, name, queries, in_flight, seconds=SECONDS):
    """One run of the load client: what it prints, and the server's CPU time a call."""
    before = server.cpu_seconds()
    words = [workbench.program("load"), server.address, name, queries, LIMIT, in_flight, seconds]
    line = subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = {key: float(value) for key, value in (word.split("=") for word in line.split())}
    found["cpu_us"] = (server.cpu_seconds() - before) / found["calls"] * 1e6
    found["rate"] = found["calls"] / found["seconds"]
    return found


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


def compare(server, name, queries):
    """Rows of the table: Sluice and the null server, turn about."""
    first = ask(server, name, queries, 1, 0.5)
    answer_bytes = round(first["bytes"] / first["calls"])
    rows = []
    with workbench.Server(workbench.program("null_server"), answer_bytes) as null:
        ask(null, name, queries, 1, 0.2)
        for in_flight in (1, 16):
            ours, nulls = [], []
            for _ in range(ROUNDS):
                ours.append(ask(server, name, queries, in_flight))
                nulls.append(ask(null, name, queries, in_flight))
            for who, rounds in (("sluice", ours), ("null", nulls)):
                ratio = workbench.median(rounds, "cpu_us") / workbench.median(nulls, "cpu_us")
                rows.append(
                    [
                        f"{who}, {in_flight} in flight",
                        f"{workbench.median(rounds, 'rate'):,.0f}",
                        f"{workbench.median(rounds, 'p50_us') / 1e3:.3f}",
                        f"{workbench.median(rounds, 'p99_us') / 1e3:.3f}",
                        f"{workbench.median(rounds, 'cpu_us'):,.1f}",
                        f"{ratio:.2f}",
                    ]
                )
    return answer_bytes, rows


def report(title, server, name, queries):
    answer_bytes, rows = compare(server, name, queries)
    print(f"\n{title}; top {LIMIT}, {answer_bytes} bytes an answer, {ROUNDS} rounds")
    workbench.table(["", "calls/s", "p50 ms", "p99 ms", "CPU us/call", "x null"], rows)


def import_head(server, corpus, rows, folder):
    """A collection of the corpus's first rows; its name."""
    chunks, vectors = folder / f"{rows}.jsonl", folder / f"{rows}.npy"
    with open(corpus / "chunks.jsonl", encoding="utf-8") as lines:
        chunks.write_text("".join(itertools.islice(lines, rows)), encoding="utf-8")
    npy_head(corpus / "vectors.npy", rows, vectors)
    workbench.import_rows(server, f"first-{rows}", chunks, vectors)
    return f"first-{rows}"


def main():
    corpus = workbench.corpus()
    queries = corpus / "queries.npy"
    with workbench.scratch() as folder, workbench.serve(f"{folder}/data") as server:
        print(workbench.machine(folder))
        seconds = workbench.import_rows(
            server, "corpus", corpus / "chunks.jsonl", corpus / "vectors.npy"
        )
        n = workbench.count(server, "corpus")
        print(f"import: {n:,} rows in {seconds:.1f} s, {n / seconds:,.0f} rows/s", flush=True)
        for rows in SIZES:
            name = import_head(server, corpus, rows, pathlib.Path(folder))
            report(f"{rows:,} chunks", server, name, queries)
        report(f"{n:,} chunks", server, "corpus", queries)


if __name__ == "__main__":
    main()
