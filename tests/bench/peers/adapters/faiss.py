"""FAISS, in process; the texts lie in a list beside it."""

import importlib

import adapters.base as base


class Peer(base.Base):
    title = "FAISS HNSW"
    built_with = f"float32, HNSW{base.M},Flat, efConstruction {base.EF_CONSTRUCTION}, all processors"
    note = "texts from a list in memory"
    packages = ("faiss-cpu",)
    settings = tuple(f"efSearch={ef}" for ef in base.EF)
    deep = "efSearch=1010"
    deep_how = "a search for 1,010"

    def start(self):
        self.module = importlib.import_module("faiss")
        metric = self.module.METRIC_INNER_PRODUCT
        self.index = self.module.index_factory(self.dim, f"HNSW{base.M},Flat", metric)
        self.index.hnsw.efConstruction = base.EF_CONSTRUCTION

    def build(self, corpus):
        self.text = corpus.text
        for _, vectors, _ in corpus.batches(10_000):
            self.index.add(vectors)

    def use(self, setting, depth):
        # A query is one row: threads would only be woken.
        self.module.omp_set_num_threads(1)
        self.index.hnsw.efSearch = int(setting.partition("=")[2])

    def search(self, query, depth):
        _, rows = self.index.search(query[None], depth)
        return [(row, self.text[row]) for row in rows[0].tolist() if row >= 0]
