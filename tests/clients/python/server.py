"""The server as a process on a free port, its stubs, and what most tests do with it."""

import pathlib
import signal
import subprocess
import time

import grpc
from sluice.v1 import admin_service_pb2 as admin
from sluice.v1 import admin_service_pb2_grpc as admin_rpc
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import collection_service_pb2_grpc as collections_rpc
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import ingest_service_pb2_grpc as ingest_rpc
from sluice.v1 import retrieval_service_pb2 as retrieval
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc

# Far above what any call takes, under a sanitizer too.
CALL_SECONDS = 60.0
# A window of one page: what a reader does not read then stays in the server.
SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536)]

_options = None
_shared = None
_running = []


def configure(options):
    global _options
    _options = options


def options():
    return _options


def data_of(name):
    """Where the server of that name keeps its data."""
    return pathlib.Path(_options.work) / f"data-{name}"


def shared():
    """One server for all tests that need none of their own."""
    global _shared
    if _shared is None:
        _shared = Server("shared")
    return _shared


def kill_all():
    for process in _running:
        if process.poll() is None:
            process.kill()
            process.wait()


class Stubs:
    """Every service on one connection."""

    def __init__(self, address, channel_options=()):
        # A connection of its own, however many have the same options.
        alone = ("grpc.use_local_subchannel_pool", 1)
        self.channel = grpc.insecure_channel(address, options=[alone, *channel_options])
        self.admin = admin_rpc.AdminServiceStub(self.channel)
        self.collections = collections_rpc.CollectionServiceStub(self.channel)
        self.ingest = ingest_rpc.IngestServiceStub(self.channel)
        self.retrieval = retrieval_rpc.RetrievalServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def create(self, name, dimension, metric=collections.METRIC_COSINE, **more):
        collection = dict(name=name, dimension=dimension, metric=metric, **more)
        return self.collections.CreateCollection(
            collections.CreateCollectionRequest(collection=collection), timeout=CALL_SECONDS
        ).collection

    def upsert(self, name, *batches):
        """The acknowledgements, all of them."""
        requests = [
            ingest.UpsertChunksRequest(collection=name, sequence=i, chunks=chunks)
            for i, chunks in enumerate(batches)
        ]
        return list(self.ingest.UpsertChunks(iter(requests), timeout=CALL_SECONDS))

    def search(self, name, vector=None, timeout=CALL_SECONDS, **more):
        """The stream."""
        if vector is not None:
            more["vector"] = dict(values=vector)
        return self.retrieval.Search(
            retrieval.SearchRequest(collection=name, **more), timeout=timeout
        )

    def hits(self, name, vector=None, **more):
        """(hits, summary) of a search that is read to its end."""
        hits, summary = [], None
        for message in self.search(name, vector, **more):
            assert summary is None, "a message behind the summary"
            hits.extend(message.hits)
            if message.HasField("summary"):
                summary = message.summary
        return hits, summary


class Server(Stubs):
    def __init__(self, name, *arguments):
        """arguments: more of them for sluice serve."""
        self.data = data_of(name)
        self.process = subprocess.Popen(
            [_options.sluice, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data)]
            + ["--gpu", "off", "--drain-seconds", "10", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        _running.append(self.process)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), f"the server did not start: {line!r}"
        self.address = line.removeprefix("listening on ").strip()
        super().__init__(self.address)

    def another(self, *channel_options):
        """A connection of its own."""
        return Stubs(self.address, channel_options)

    def info(self):
        return self.admin.GetServerInfo(admin.GetServerInfoRequest(), timeout=CALL_SECONDS)

    def wait_until_idle(self):
        """Until every gauge is zero; a failure where one never is."""
        end = time.monotonic() + 20
        while True:
            info = self.info()
            alive = {
                name: getattr(info, name)
                for name in (
                    "open_cursors",
                    "pinned_snapshots",
                    "gpu_objects_in_flight",
                    "calls_in_flight",
                )
            }
            if not any(alive.values()):
                return
            assert time.monotonic() < end, f"still alive: {alive}"

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL, in the middle of whatever it does."""
        self.channel.close()
        self.process.kill()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def stop(self):
        """SIGTERM; the exit status."""
        self.channel.close()
        self.terminate()
        return self.wait()

    def wait(self):
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status
