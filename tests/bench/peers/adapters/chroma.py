"""Chroma: `chroma run` and its client over HTTP."""

import os
import sys

import adapters.base as base
import processes

# The program `chroma`, whose script would name the folder that its environment was made in.
RUN = "from chromadb.cli.cli import app; app()"


class Peer(base.Base):
    title = "Chroma"
    where = "server, HTTP on the loopback"
    built_with = f"float32, max_neighbors {base.M}, ef_construction {base.EF_CONSTRUCTION}"
    note = "its log is SQLite; restarted for each ef_search, which it reads when it opens a collection"
    packages = ("chromadb",)
    settings = tuple(f"ef_search={ef}" for ef in base.EF)
    deep = "ef_search=1010"
    deep_how = "a query for 1,010: it has no offset"

    def start(self):
        import chromadb

        port = processes.free_port()
        words = [sys.executable, "-c", RUN, "run", "--path", self.folder / "data"]
        self.server = processes.Server(
            [*words, "--host", "127.0.0.1", "--port", port],
            self.folder,
            wait=lambda: processes.answers(port),
            env=dict(os.environ, ANONYMIZED_TELEMETRY="False", RUST_LOG="error"),
        )
        settings = chromadb.Settings(anonymized_telemetry=False)
        self.client = chromadb.HttpClient(host="127.0.0.1", port=port, settings=settings)

    def pid(self):
        return self.server.pid

    def build(self, corpus):
        graph = dict(space="ip", max_neighbors=base.M, ef_construction=base.EF_CONSTRUCTION)
        self.collection = self.client.create_collection(
            "corpus", embedding_function=None, configuration=dict(hnsw=graph)
        )
        for first, vectors, texts in corpus.batches(min(5000, self.client.get_max_batch_size())):
            ids = [str(first + i) for i in range(len(texts))]
            self.collection.add(ids=ids, embeddings=vectors, documents=texts)
        # What is in the log only goes into the graph before a query is answered.
        self.search(vectors[0], 10)

    def use(self, setting, depth):
        # It keeps what it had when it opened the collection, so it has to open it again.
        ef = max(int(setting.partition("=")[2]), depth)
        self.collection.modify(configuration=dict(hnsw=dict(ef_search=ef)))
        self.server.end()
        self.start()
        self.collection = self.client.get_collection("corpus", embedding_function=None)

    def search(self, query, depth):
        found = self.collection.query(
            query_embeddings=[query], n_results=depth, include=["documents", "distances"]
        )
        return list(zip(map(int, found["ids"][0]), found["documents"][0]))

    def end(self):
        self.server.end()
