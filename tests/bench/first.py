#!/usr/bin/env python3
"""How soon the first hit comes, and what a message a hit costs: walks of 10,000 hits of 1 KiB.

Over the first rows of the corpus, each with a text of 1,024 bytes: with 1 hit and 10 hits in a
message, and with as many as the server likes; turn about, medians of the rounds. A hit's CPU time
is the server's alone and has its share of the scans in it. About a minute; the client takes CPU
time from the server.
"""

import itertools
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
import workbench

HITS = 10000
ROWS = 20000
TEXT_BYTES = 1024
PAGES = (1, 10, 0)
ROUNDS = 7
WALKS = 5


def text_of(text):
    """The text, again and again, as so many bytes."""
    words = (text or "-").encode() + b" "
    whole = words * (TEXT_BYTES // len(words) + 1)
    cut = whole[:TEXT_BYTES].decode(errors="ignore")
    return cut + "." * (TEXT_BYTES - len(cut.encode()))


def import_texts(server, corpus, folder):
    chunks, vectors = folder / "chunks.jsonl", folder / "vectors.npy"
    n = 0
    with open(corpus / "chunks.jsonl", encoding="utf-8") as lines, open(
        chunks, "w", encoding="utf-8"
    ) as out:
        for n, line in enumerate(itertools.islice(lines, ROWS), 1):
            chunk = json.loads(line)
            one = {"id": chunk["id"], "text": text_of(chunk["text"])}
            out.write(json.dumps(one, ensure_ascii=False) + "\n")
    if n < HITS:
        sys.exit(f"{corpus} has fewer than {HITS:,} chunks")
    workbench.npy_head(corpus / "vectors.npy", n, vectors)
    workbench.import_rows(server, "texts", chunks, vectors)
    return n


def walk(server, queries, page):
    before = server.cpu_seconds()
    words = [workbench.program("first_walks"), server.address, "texts", queries, HITS, page, WALKS]
    line = subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found = workbench.numbers(line)
    # The client walks once more than it counts.
    hits = found["hits"] * (WALKS + 1) / WALKS
    found["cpu_us"] = (server.cpu_seconds() - before) / hits * 1e6
    found["rate"] = HITS / found["walk_us"] * 1e6
    found["hits_a_message"] = found["hits"] / found["messages"]
    return found


def main():
    corpus = workbench.corpus()
    with workbench.scratch() as folder, workbench.serve(f"{folder}/data") as server:
        print(workbench.machine(folder), flush=True)
        n = import_texts(server, corpus, pathlib.Path(folder))
        rounds = {page: [] for page in PAGES}
        for _ in range(ROUNDS):
            for page in PAGES:
                rounds[page].append(walk(server, corpus / "queries.npy", page))

    def middle(page, key):
        return workbench.median(rounds[page], key)

    print(
        f"{HITS:,} hits of {TEXT_BYTES:,} bytes out of {n:,} chunks; {ROUNDS} rounds of {WALKS} "
        "walks; x: beside a message a hit"
    )
    rows = []
    for page in PAGES:
        ratios = [middle(page, key) / middle(1, key) for key in ("first_us", "rate", "cpu_us")]
        rows.append(
            [f"{page} in a message" if page else "the server decides"]
            + [f"{ratio:.2f}" for ratio in ratios]
            + [
                f"{middle(page, 'first_us') / 1e3:.3f}",
                f"{middle(page, 'first_hits'):.0f}",
                f"{middle(page, 'rate'):,.0f}",
                f"{middle(page, 'cpu_us'):.2f}",
                f"{middle(page, 'hits_a_message'):.1f}",
            ]
        )
    workbench.table(
        ["", "x first", "x hits/s", "x CPU", "first ms", "first hits", "hits/s", "CPU us/hit"]
        + ["hits/message"],
        rows,
    )


if __name__ == "__main__":
    main()
