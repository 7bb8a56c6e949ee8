"""USearch, in process; the texts lie in a list beside it."""

import numpy as np

import adapters.base as base


class Peer(base.Base):
    title = "USearch"
    built_with = f"f16, connectivity {base.M}, expansion_add {base.EF_CONSTRUCTION}, all processors"
    note = "texts from a list in memory"
    packages = ("usearch",)
    settings = tuple(f"expansion={ef}" for ef in base.EF)
    deep = "expansion=1010"
    deep_how = "a search for 1,010"

    def start(self):
        from usearch.index import Index

        self.index = Index(
            ndim=self.dim,
            metric="ip",
            dtype="f16",
            connectivity=base.M,
            expansion_add=base.EF_CONSTRUCTION,
        )

    def build(self, corpus):
        self.text = corpus.text
        for first, vectors, _ in corpus.batches(10_000):
            self.index.add(np.arange(first, first + len(vectors), dtype=np.uint64), vectors)

    def use(self, setting, depth):
        self.index.expansion_search = int(setting.partition("=")[2])

    def search(self, query, depth):
        found = self.index.search(query, depth)
        return [(row, self.text[row]) for row in found.keys.tolist()]
