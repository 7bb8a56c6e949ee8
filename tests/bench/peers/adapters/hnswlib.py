"""hnswlib, in process; the texts lie in a list beside it."""

import importlib

import numpy as np

import adapters.base as base


class Peer(base.Base):
    title = "hnswlib"
    built_with = f"float32, M {base.M}, ef_construction {base.EF_CONSTRUCTION}, all processors"
    note = "texts from a list in memory"
    packages = ("hnswlib",)
    settings = tuple(f"ef={ef}" for ef in base.EF)
    deep = "ef=1010"
    deep_how = "a search for 1,010"

    def start(self):
        self.index = importlib.import_module("hnswlib").Index(space="ip", dim=self.dim)

    def build(self, corpus):
        self.text = corpus.text
        self.index.init_index(
            max_elements=corpus.rows, M=base.M, ef_construction=base.EF_CONSTRUCTION
        )
        for first, vectors, _ in corpus.batches(10_000):
            self.index.add_items(vectors, np.arange(first, first + len(vectors)))

    def use(self, setting, depth):
        self.index.set_ef(max(int(setting.partition("=")[2]), depth))

    def search(self, query, depth):
        rows, _ = self.index.knn_query(query, k=depth, num_threads=1)
        return [(row, self.text[row]) for row in rows[0].tolist()]
