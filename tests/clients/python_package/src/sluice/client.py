"""Clients that block."""

from __future__ import annotations

import queue
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence

import grpc
from grpc.experimental import ChannelOptions
from sluice.v1 import admin_service_pb2 as admin_pb2, admin_service_pb2_grpc as admin_rpc
from sluice.v1 import collection_service_pb2 as collections_pb2
from sluice.v1 import collection_service_pb2_grpc as collections_rpc
from sluice.v1 import ingest_service_pb2 as ingest_pb2, ingest_service_pb2_grpc as ingest_rpc
from sluice.v1 import retrieval_service_pb2 as retrieval_pb2
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc

from . import requests
from .errors import NotFound, Unavailable, translated
from .filters import Where, filter_message
from .model import Chunk, ChunkLike, CollectionInfo, Hit, Summary, Written


class Cursor:
    """A search under way: an iterator of hits, best first, and a context manager that ends it."""

    def __init__(self, retrieval: retrieval_rpc.RetrievalServiceStub, walk: requests.Walk, **how):
        self._walk = walk
        self._sent: queue.SimpleQueue = queue.SimpleQueue()
        if walk.at_once:
            self._call = retrieval.Search(walk.open, **how)
        else:
            self._sent.put(walk.open)
            self._call = retrieval.Iterate(iter(self._sent.get, None), **how)

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Hit:
        while (hit := self._walk.give()) is None:
            if not self._advance():
                raise StopIteration
        return hit

    def _advance(self) -> bool:
        """One message more; false at the end."""
        if self._call is None or self._walk.summary:
            self._end()
            return False
        credit = self._walk.credit()
        if credit:
            self._sent.put(credit)
        with translated():
            try:
                self._walk.take(next(self._call))
            except StopIteration:
                self._end()
                return False
            except grpc.RpcError:
                self._end()
                raise
        return True

    def _end(self) -> None:
        if self._call is not None:
            self._sent.put(None)
            self._call.cancel()  # nothing, where it has ended
            self._call = None

    @property
    def token(self) -> Optional[bytes]:
        """To go on behind the last hit, here or on a server restored from the same data."""
        return self._walk.token

    @property
    def summary(self) -> Optional[Summary]:
        """Why it ended and what it cost; None before that."""
        return self._walk.summary

    def close(self) -> None:
        """Ends it on the server. What it cost is in summary then."""
        if self._call is not None and not self._walk.summary:
            self._sent.put(retrieval_pb2.IterateRequest(close=retrieval_pb2.CloseCursor()))
            try:
                for response in self._call:
                    self._walk.take_summary(response)
            except grpc.RpcError:
                pass  # it has ended all the same
        self._end()

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self):
        if getattr(self, "_call", None) is not None:
            self._end()


class Collection:
    """Chunks by id, and the way to those that are near."""

    def __init__(self, client: Client, name: str):
        self._client = client
        self.name = name

    def __repr__(self) -> str:
        return f"<sluice.Collection {self.name!r}>"

    def info(self) -> CollectionInfo:
        request = collections_pb2.GetCollectionRequest(name=self.name)
        return CollectionInfo.of(self._client._ask(self._client._collections.GetCollection, request))

    def upsert(self, chunks: Iterable[ChunkLike], batch: int = requests.BATCH) -> Written:
        """Writes chunks, of which those with known ids are replaced. All are durable at the end."""
        written = Written()
        with translated():
            for ack in self._client._ingest.UpsertChunks(
                requests.batches(self.name, chunks, batch), metadata=self._client._metadata
            ):
                written = written.and_then(ack)
        return written

    def delete(self, ids: Iterable[str] = (), where: Where = None) -> int:
        """Those of these ids, or those that pass a filter. How many there were."""
        request = ingest_pb2.DeleteChunksRequest(collection=self.name)
        if where is not None:
            request.filter.CopyFrom(filter_message(where))
        else:
            request.ids.ids.extend(ids)
        return self._client._ask(self._client._ingest.DeleteChunks, request).deleted

    def count(self, where: Where = None) -> int:
        request = retrieval_pb2.CountChunksRequest(
            collection=self.name, filter=filter_message(where)
        )
        return self._client._ask(self._client._retrieval.CountChunks, request).count

    def get(self, ids: Sequence[str], vectors: bool = False) -> List[Optional[Chunk]]:
        """In the order of ids; None for those that are not there."""
        request = retrieval_pb2.GetChunksRequest(
            collection=self.name, ids=ids, read_mask=requests.mask(vectors)
        )
        found, missing = {}, set()
        with translated():
            for message in self._client._retrieval.GetChunks(
                request, timeout=self._client.timeout, metadata=self._client._metadata
            ):
                found.update((chunk.id, Chunk.of(chunk)) for chunk in message.chunks)
                missing.update(message.missing_ids)
        return [None if each in missing else found[each] for each in ids]

    def chunks(self, where: Where = None, vectors: bool = False) -> Iterator[Chunk]:
        """All that pass, as they were written."""
        request = retrieval_pb2.ListChunksRequest(
            collection=self.name, filter=filter_message(where), read_mask=requests.mask(vectors)
        )
        call = self._client._retrieval.ListChunks(request, metadata=self._client._metadata)
        try:
            with translated():
                for message in call:
                    yield from map(Chunk.of, message.chunks)
        finally:
            call.cancel()

    def search(
        self,
        query: requests.Query,
        *,
        page: int = requests.PAGE,
        timeout: Optional[float] = None,
        **more,
    ) -> Cursor:
        """The chunks nearest to a vector, or to the chunk of an id, best first.

        where, limit, exact, recall (0.5 to 0.999), min_score, max_tokens, neighbors, vectors (give
        them along), resume (a cursor's token). Without limit it goes on as long as it is asked, and
        without timeout, in seconds for all of it, as long as it takes. page: hits asked for at a time;
        a limit of no more than that, and of 16, is answered at once.
        """
        walk = requests.Walk(*requests.search_request(self.name, query, **more), page)
        metadata = self._client._metadata
        return Cursor(self._client._retrieval, walk, timeout=timeout, metadata=metadata)

    def optimize(self) -> Iterator[float]:
        """Seals and merges what there is; how far it is, from 0 to 1."""
        request = collections_pb2.OptimizeCollectionRequest(name=self.name)
        with translated():
            for message in self._client._collections.OptimizeCollection(
                request, metadata=self._client._metadata
            ):
                yield message.progress

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[str]:
        return (chunk.id for chunk in self.chunks())

    def __contains__(self, chunk_id: str) -> bool:
        return self.get([chunk_id])[0] is not None

    def __getitem__(self, chunk_id: str) -> Chunk:
        chunk = self.get([chunk_id], vectors=True)[0]
        if chunk is None:
            raise KeyError(chunk_id)
        return chunk

    def __setitem__(self, chunk_id: str, chunk: ChunkLike) -> None:
        made = chunk if isinstance(chunk, Chunk) else Chunk(**{**chunk, "id": chunk_id})
        if made.id != chunk_id:
            raise ValueError(f"the chunk's id is {made.id!r}, not {chunk_id!r}")
        self.upsert([made])

    def __delitem__(self, chunk_id: str) -> None:
        if not self.delete([chunk_id]):
            raise KeyError(chunk_id)


class Client(Mapping[str, Collection]):
    """A server: a mapping of names to collections, and a context manager that leaves it."""

    def __init__(self, address: str, *, api_key=None, tls=False, ca_file=None, timeout=30.0):
        self._metadata, secure = requests.credentials(api_key, tls, ca_file)
        # A stream of answers is read by the thread that asks for them, rather than by one of its own.
        options = [(ChannelOptions.SingleThreadedUnaryStream, 1)]
        self._channel = (
            grpc.secure_channel(address, secure, options)
            if secure
            else grpc.insecure_channel(address, options)
        )
        self.timeout = timeout  # of single answers, in seconds; a search has its own
        self._health = self._channel.unary_unary(requests.HEALTH, requests.health_message, bytes)
        self._admin = admin_rpc.AdminServiceStub(self._channel)
        self._collections = collections_rpc.CollectionServiceStub(self._channel)
        self._ingest = ingest_rpc.IngestServiceStub(self._channel)
        self._retrieval = retrieval_rpc.RetrievalServiceStub(self._channel)

    def _ask(self, method, request):
        with translated():
            return method(request, timeout=self.timeout, metadata=self._metadata)

    def info(self):
        """The server's version, backend and what is open: the contract's GetServerInfoResponse."""
        return self._ask(self._admin.GetServerInfo, admin_pb2.GetServerInfoRequest())

    def healthy(self, service: str = "readiness") -> bool:
        """Whether it takes calls: false where it is not there or about to go."""
        try:
            return self._ask(self._health, service) == requests.HEALTHY
        except Unavailable:
            return False

    def create(
        self,
        name: str,
        dimension: int,
        metric: str = "cosine",
        *,
        fields: Optional[Mapping[str, type]] = None,
        index: Optional[str] = None,
        factory: Optional[str] = None,
        recall: Optional[float] = None,
    ) -> Collection:
        """fields: metadata that is declared, {"year": int}. index: "flat" or "ivf"; factory: FAISS's."""
        collection = requests.collection_message(
            name, dimension, metric, fields, index, factory, recall
        )
        request = collections_pb2.CreateCollectionRequest(collection=collection)
        self._ask(self._collections.CreateCollection, request)
        return Collection(self, name)

    def collection(self, name: str) -> Collection:
        """Without asking whether it is there."""
        return Collection(self, name)

    def __getitem__(self, name: str) -> Collection:
        try:
            found = Collection(self, name)
            found.info()
        except NotFound:
            raise KeyError(name) from None
        return found

    def __delitem__(self, name: str) -> None:
        request = collections_pb2.DeleteCollectionRequest(name=name)
        try:
            self._ask(self._collections.DeleteCollection, request)
        except NotFound:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        token = ""
        while True:
            request = collections_pb2.ListCollectionsRequest(page_token=token)
            answer = self._ask(self._collections.ListCollections, request)
            yield from (collection.name for collection in answer.collections)
            token = answer.next_page_token
            if not token:
                return

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def connect(address: str = "127.0.0.1:7700", **more) -> Client:
    """A client of the server there. api_key (or SLUICE_API_KEY), tls, ca_file, timeout (30 s)."""
    return Client(address, **more)
