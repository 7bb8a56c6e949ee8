"""Qdrant Edge: the segments of Qdrant, in process. The server itself is in no package registry."""

import adapters.base as base


class Peer(base.Base):
    title = "Qdrant Edge"
    built_with = f"float32, m {base.M}, ef_construct {base.EF_CONSTRUCTION}, all processors"
    note = "the engine of Qdrant without its server; durable: a log, flushed at the end"
    packages = ("qdrant-edge-py",)
    settings = tuple(f"hnsw_ef={ef}" for ef in base.EF)
    deep = "hnsw_ef=1010"
    deep_how = "offset 1,000"

    def start(self):
        import qdrant_edge as qdrant

        self.qdrant = qdrant
        graph = qdrant.HnswIndexConfig(
            m=base.M, ef_construct=base.EF_CONSTRUCTION, full_scan_threshold=10
        )
        config = qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(size=self.dim, distance=qdrant.Distance.Dot),
            hnsw_config=graph,
            # One segment, and a graph in it however small: of several each would be searched.
            optimizers=qdrant.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1),
        )
        shard = self.folder / "shard"
        shard.mkdir()
        self.shard = qdrant.EdgeShard.create(str(shard), config)

    def build(self, corpus):
        qdrant = self.qdrant
        for first, vectors, texts in corpus.batches(1000):
            points = [
                qdrant.Point(first + i, vector, {"text": text})
                for i, (vector, text) in enumerate(zip(vectors.tolist(), texts))
            ]
            self.shard.update(qdrant.UpdateOperation.upsert_points(points))
        self.shard.optimize()
        self.shard.flush()

    def use(self, setting, depth):
        ef = max(int(setting.partition("=")[2]), depth)
        self.params = self.qdrant.SearchParams(hnsw_ef=ef)

    def ask(self, query, limit, offset):
        request = self.qdrant.SearchRequest(
            query=self.qdrant.Query.Nearest(query.tolist()),
            limit=limit,
            offset=offset,
            params=self.params,
            with_payload=True,
            with_vector=False,
        )
        return [(hit.id, hit.payload["text"]) for hit in self.shard.search(request)]

    def search(self, query, depth):
        return self.ask(query, depth, 0)

    def page(self, query, skip, size):
        return base.called(lambda: self.ask(query, size, skip))

    def end(self):
        self.shard.close()
