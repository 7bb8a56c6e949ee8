"""`sluice serve` from this checkout, by the stubs that gRPC's own tools make."""

import contextlib
import os
import pathlib
import queue
import subprocess
import sys
import threading

import adapters.base as base
import processes
import workbench

NAME = "corpus"
BATCH = 512
TARGETS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995)


def make_stubs(folder):
    """Once for this run, and importable then."""
    import grpc_tools
    from grpc_tools import protoc

    protos = pathlib.Path(os.environ["SLUICE_PROTO"]).resolve()
    own = sorted(str(path.relative_to(protos)) for path in protos.glob("sluice/v1/*.proto"))
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    words = [f"-I{protos}", f"-I{well_known}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(["protoc", *words, *own, "buf/validate/validate.proto"]):
        raise RuntimeError("protoc failed")
    sys.path.insert(0, str(folder))


class Peer(base.Base):
    title = "Sluice"
    where = "server, gRPC on the loopback"
    built_with = "cosine, nothing set: IVF, float32 kept"
    note = "durable: fsync before each batch is acknowledged"
    packages = ("grpcio",)
    settings = (*(f"recall_target={target}" for target in TARGETS), "exact")
    deep = "recall_target=0.95"
    deep_how = "ten more of an open cursor"

    def start(self):
        stubs = self.folder / "stubs"
        stubs.mkdir()
        make_stubs(stubs)
        import grpc
        from grpc.experimental import ChannelOptions
        from sluice.v1 import collection_service_pb2, collection_service_pb2_grpc
        from sluice.v1 import ingest_service_pb2, ingest_service_pb2_grpc
        from sluice.v1 import retrieval_service_pb2, retrieval_service_pb2_grpc

        self.collections, self.ingest = collection_service_pb2, ingest_service_pb2
        self.retrieval = retrieval_service_pb2
        binary, port = os.environ["SLUICE_BINARY"], processes.free_port()
        address = f"127.0.0.1:{port}"
        words = [binary, "serve", "--listen", address, "--data", self.folder / "data", "--gpu", "off"]
        self.server = processes.Server(words, self.folder, wait=lambda: processes.answers(port))
        # The faster of the two ways in which gRPC's Python reads a stream.
        self.options = [(ChannelOptions.SingleThreadedUnaryStream, 1)]
        channel = grpc.insecure_channel(address, options=self.options)
        self.collection_calls = collection_service_pb2_grpc.CollectionServiceStub(channel)
        self.ingest_calls = ingest_service_pb2_grpc.IngestServiceStub(channel)
        self.calls = retrieval_service_pb2_grpc.RetrievalServiceStub(channel)
        self.binary, self.channel = binary, channel

    def versions(self):
        words = [self.binary, "version"]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        version = done.stdout.splitlines()[0].removeprefix("sluice ").strip()
        return {"sluice": version, **super().versions()}

    def pid(self):
        return self.server.pid

    def batches(self, corpus, window):
        for first, vectors, texts in corpus.batches(BATCH):
            window.acquire()
            request = self.ingest.UpsertChunksRequest(collection=NAME, sequence=first)
            for i, (vector, text) in enumerate(zip(vectors.tolist(), texts)):
                chunk = request.chunks.add(id=str(first + i), text=text)
                chunk.vector.values.extend(vector)
            yield request

    def build(self, corpus):
        made = self.collections.Collection(
            name=NAME, dimension=self.dim, metric=self.collections.METRIC_COSINE
        )
        self.collection_calls.CreateCollection(
            self.collections.CreateCollectionRequest(collection=made)
        )
        # Some batches are under way while the next is made.
        window = threading.Semaphore(8)
        for _ in self.ingest_calls.UpsertChunks(self.batches(corpus, window)):
            window.release()
        for _ in self.collection_calls.OptimizeCollection(
            self.collections.OptimizeCollectionRequest(name=NAME)
        ):
            pass

    def use(self, setting, depth):
        kind, _, target = setting.partition("=")
        self.accuracy = (
            self.retrieval.Accuracy(recall_target=float(target))
            if target
            else self.retrieval.Accuracy(exact=self.retrieval.Exact())
        )

    def request(self, query, limit):
        request = self.retrieval.SearchRequest(
            collection=NAME, limit=limit, accuracy=self.accuracy
        )
        request.vector.values.extend(query.tolist())
        request.read_mask.paths.extend(["id", "text"])
        return request

    def search(self, query, depth):
        return [
            (int(hit.chunk.id), hit.chunk.text)
            for message in self.calls.Search(self.request(query, depth))
            for hit in message.hits
        ]

    @contextlib.contextmanager
    def page(self, query, skip, size):
        asked = queue.SimpleQueue()
        asked.put(self.retrieval.IterateRequest(open=self.request(query, skip + 2 * size)))
        walk = self.calls.Iterate(iter(asked.get, None))

        def take(n):
            credit = self.retrieval.Credit(hits=n)
            asked.put(self.retrieval.IterateRequest(credit=credit))
            hits = []
            while len(hits) < n:
                hits += [(hit.chunk.id, hit.chunk.text) for hit in next(walk).batch.hits]
            return hits

        take(skip)
        yield lambda: take(size)
        asked.put(None)
        walk.cancel()

    @contextlib.contextmanager
    def floor(self, query, depth):
        """Of a search: its request, and an answer of as many bytes, of which nothing is read."""
        import grpc

        size = sum(answer.ByteSize() for answer in self.calls.Search(self.request(query, depth)))
        # Not by processes.Server: what runs between fork and exec meets gRPC's own handlers of a fork, now that
        # there is a channel, and may not come to its end.
        with workbench.Server(os.environ["SLUICE_NULL_SERVER"], size) as null:
            with grpc.insecure_channel(null.address, options=self.options) as channel:
                search = channel.unary_stream(
                    "/sluice.v1.RetrievalService/Search",
                    request_serializer=self.retrieval.SearchRequest.SerializeToString,
                )
                yield lambda: list(search(self.request(query, depth)))

    def end(self):
        self.channel.close()
        self.server.end()
