"""Milvus Lite: its server and Milvus' client over gRPC."""

import sys

import adapters.base as base
import processes


class Peer(base.Base):
    title = "Milvus Lite"
    where = "server, gRPC on the loopback"
    built_with = f"float32, HNSW, M {base.M}, efConstruction {base.EF_CONSTRUCTION}"
    note = "pure Python over FAISS: this is not Milvus' own server"
    packages = ("milvus-lite", "pymilvus")
    settings = tuple(f"ef={ef}" for ef in base.EF)
    deep = "ef=1010"
    deep_how = "offset 1,000"

    def start(self):
        from pymilvus import DataType, MilvusClient

        self.types = DataType
        port = processes.free_port()
        words = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1"]
        self.server = processes.Server(
            [*words, "--port", port, "--data-dir", self.folder / "data"],
            self.folder,
            wait=lambda: processes.answers(port),
        )
        # It pings every ten seconds, for which this server would hang up on a client that is not asked.
        quiet = {"grpc.keepalive_time_ms": 2**31 - 1}
        self.client = MilvusClient(uri=f"http://127.0.0.1:{port}", grpc_options=quiet)

    def pid(self):
        return self.server.pid

    def build(self, corpus):
        client, types = self.client, self.types
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", types.INT64, is_primary=True)
        schema.add_field("text", types.VARCHAR, max_length=65535)
        schema.add_field("vector", types.FLOAT_VECTOR, dim=self.dim)
        client.create_collection("corpus", schema=schema)
        for first, vectors, texts in corpus.batches(5000):
            rows = enumerate(zip(vectors, texts), first)
            client.insert("corpus", [dict(id=i, text=t, vector=v) for i, (v, t) in rows])
        client.flush("corpus")
        index = client.prepare_index_params()
        graph = dict(M=base.M, efConstruction=base.EF_CONSTRUCTION)
        index.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
        client.create_index("corpus", index)
        client.load_collection("corpus")
        self.use("ef=10", 10)
        self.search(vectors[0], 10)

    def use(self, setting, depth):
        self.params = dict(params=dict(ef=max(int(setting.partition("=")[2]), depth)))

    def ask(self, query, limit, offset):
        (found,) = self.client.search(
            "corpus",
            data=[query],
            limit=limit,
            offset=offset,
            search_params=self.params,
            output_fields=["text"],
        )
        return [(hit["id"], hit["entity"]["text"]) for hit in found]

    def search(self, query, depth):
        return self.ask(query, depth, 0)

    def page(self, query, skip, size):
        return base.called(lambda: self.ask(query, size, skip))

    def end(self):
        self.client.close()
        self.server.end()
