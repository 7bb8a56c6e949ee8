#!/usr/bin/env python3
"""Import and search of the corpus over loopback, beside a server that does nothing.

Prints rows/s of the import, then for the first 100 and 1,000 chunks and for all of them, with 1 and
16 searches in flight: searches a second, p50 and p99, and the server's CPU time a call. In the same
run, turn about with each measurement, the same client asks a null server, which answers every call
with one message of the size that a search of ten hits has: what gRPC's core costs, on this
machine and now. The search itself is what its stages take, by the server's metrics: from the request to the
message that is ready to go; "x null" is with it, "x less search" without. The fewer the chunks, the more of a
call is RPC. Medians of the rounds. About two
minutes; the client takes CPU time from the server, and where its one thread is busy for most of the
time, calls/s are its own.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
import workbench

LIMIT = 10
ROUNDS = 5
SECONDS = 1.2
SIZES = (100, 1000)


def ask(server, name, queries, in_flight, seconds=SECONDS):
    return workbench.ask(server, name, queries, LIMIT, in_flight, seconds)


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
                of_null, cpu = (workbench.median(one, "cpu_us") for one in (nulls, rounds))
                search = workbench.median(rounds, "search_us")
                rows.append(
                    [
                        f"{who}, {in_flight} in flight",
                        f"{workbench.median(rounds, 'rate'):,.0f}",
                        f"{workbench.median(rounds, 'p50_us') / 1e3:.3f}",
                        f"{workbench.median(rounds, 'p99_us') / 1e3:.3f}",
                        f"{cpu:,.1f}",
                        f"{search:,.1f}",
                        f"{cpu / of_null:.2f}",
                        f"{(cpu - search) / of_null:.2f}",
                        f"{workbench.median(rounds, 'busy'):.0%}",
                    ]
                )
    return answer_bytes, rows


def report(title, server, name, queries):
    answer_bytes, rows = compare(server, name, queries)
    print(f"\n{title}; top {LIMIT}, {answer_bytes} bytes an answer, {ROUNDS} rounds")
    head = ["", "calls/s", "p50 ms", "p99 ms", "CPU us/call", "of it search"]
    workbench.table([*head, "x null", "x less search", "client busy"], rows)


def main():
    corpus = workbench.corpus()
    queries = corpus / "queries.npy"
    with workbench.scratch() as folder, workbench.serve_measured(f"{folder}/data") as server:
        print(workbench.machine(folder))
        seconds = workbench.import_rows(
            server, "corpus", corpus / "chunks.jsonl", corpus / "vectors.npy"
        )
        n = workbench.count(server, "corpus")
        workbench.settle(server, "corpus")
        print(f"import: {n:,} rows in {seconds:.1f} s, {n / seconds:,.0f} rows/s", flush=True)
        for rows in SIZES:
            name = workbench.import_head(server, corpus, rows, pathlib.Path(folder))
            report(f"{rows:,} chunks", server, name, queries)
        report(f"{n:,} chunks", server, "corpus", queries)


if __name__ == "__main__":
    main()
