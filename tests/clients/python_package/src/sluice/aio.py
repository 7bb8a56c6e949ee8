"""Clients for asyncio: the same names, awaited.

    async with sluice.aio.connect("127.0.0.1:7700") as db:
        async with db.collection("notes").search(vector) as hits:
            async for hit in hits:
                ...
"""

from __future__ import annotations

import asyncio
from typing import AsyncIterator, Iterable, List, Mapping, Optional, Sequence

import grpc
from sluice.v1 import admin_service_pb2 as admin_pb2, admin_service_pb2_grpc as admin_rpc
from sluice.v1 import collection_service_pb2 as collections_pb2
from sluice.v1 import collection_service_pb2_grpc as collections_rpc
from sluice.v1 import ingest_service_pb2 as ingest_pb2, ingest_service_pb2_grpc as ingest_rpc
from sluice.v1 import retrieval_service_pb2 as retrieval_pb2
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc

from . import requests
from .errors import Unavailable, translated
from .filters import Where, filter_message
from .model import Chunk, ChunkLike, CollectionInfo, Hit, Summary, Written


class Cursor:
    """As sluice.Cursor. A loop that is left early ends it where it is used with async with."""

    def __init__(self, retrieval: retrieval_rpc.RetrievalServiceStub, walk: requests.Walk, **how):
        self._walk = walk
        self._retrieval, self._how = retrieval, how
        self._call = None  # before its first hit is awaited, and behind its end
        self._over = False

    def __aiter__(self) -> Cursor:
        return self

    async def __anext__(self) -> Hit:
        while (hit := self._walk.give()) is None:
            if not await self._advance():
                raise StopAsyncIteration
        return hit

    async def _advance(self) -> bool:
        if self._over or self._walk.summary:
            self._end()
            return False
        with translated():
            try:
                # What is written to a call that has failed hides why: so it is looked at first.
                if self._call is None:
                    await self._open()
                elif credit := self._walk.credit():
                    await self._send(credit)
                response = await self._call.read()
            except grpc.RpcError:
                self._end()
                raise
        if response is grpc.aio.EOF:
            self._end()
            return False
        self._walk.take(response)
        return True

    async def _open(self) -> None:
        if self._walk.at_once:
            self._call = self._retrieval.Search(self._walk.open, **self._how)
        else:
            self._call = self._retrieval.Iterate(**self._how)
            await self._send(self._walk.open)

    async def _send(self, request) -> None:
        try:
            await self._call.write(request)
        except asyncio.InvalidStateError:
            pass  # it has ended: reading tells how

    def _end(self) -> None:
        self._over = True
        if self._call is not None:
            self._call.cancel()  # nothing, where it has ended
            self._call = None

    @property
    def token(self) -> Optional[bytes]:
        return self._walk.token

    @property
    def summary(self) -> Optional[Summary]:
        return self._walk.summary

    async def close(self) -> None:
        if self._call is not None and not self._walk.summary:
            try:
                if not self._walk.at_once:
                    close = retrieval_pb2.IterateRequest(close=retrieval_pb2.CloseCursor())
                    await self._send(close)
                while (response := await self._call.read()) is not grpc.aio.EOF:
                    self._walk.take_summary(response)
            except grpc.RpcError:
                pass  # it has ended all the same
        self._end()

    async def __aenter__(self) -> Cursor:
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()


class Collection:
    """As sluice.Collection, of which the operators are methods here."""

    def __init__(self, client: Client, name: str):
        self._client = client
        self.name = name

    async def info(self) -> CollectionInfo:
        request = collections_pb2.GetCollectionRequest(name=self.name)
        return CollectionInfo.of(
            await self._client._ask(self._client._collections.GetCollection, request)
        )

    async def upsert(self, chunks: Iterable[ChunkLike], batch: int = requests.BATCH) -> Written:
        written = Written()
        with translated():
            async for ack in self._client._ingest.UpsertChunks(
                requests.batches(self.name, chunks, batch), metadata=self._client._metadata
            ):
                written = written.and_then(ack)
        return written

    async def delete(self, ids: Iterable[str] = (), where: Where = None) -> int:
        request = ingest_pb2.DeleteChunksRequest(collection=self.name)
        if where is not None:
            request.filter.CopyFrom(filter_message(where))
        else:
            request.ids.ids.extend(ids)
        return (await self._client._ask(self._client._ingest.DeleteChunks, request)).deleted

    async def count(self, where: Where = None) -> int:
        request = retrieval_pb2.CountChunksRequest(
            collection=self.name, filter=filter_message(where)
        )
        return (await self._client._ask(self._client._retrieval.CountChunks, request)).count

    async def get(self, ids: Sequence[str], vectors: bool = False) -> List[Optional[Chunk]]:
        request = retrieval_pb2.GetChunksRequest(
            collection=self.name, ids=ids, read_mask=requests.mask(vectors)
        )
        found, missing = {}, set()
        with translated():
            async for message in self._client._retrieval.GetChunks(
                request, timeout=self._client.timeout, metadata=self._client._metadata
            ):
                found.update((chunk.id, Chunk.of(chunk)) for chunk in message.chunks)
                missing.update(message.missing_ids)
        return [None if each in missing else found[each] for each in ids]

    async def chunks(self, where: Where = None, vectors: bool = False) -> AsyncIterator[Chunk]:
        request = retrieval_pb2.ListChunksRequest(
            collection=self.name, filter=filter_message(where), read_mask=requests.mask(vectors)
        )
        call = self._client._retrieval.ListChunks(request, metadata=self._client._metadata)
        try:
            with translated():
                async for message in call:
                    for chunk in message.chunks:
                        yield Chunk.of(chunk)
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
        """As sluice.Collection.search; nothing is sent before the first hit is awaited."""
        walk = requests.Walk(*requests.search_request(self.name, query, **more), page)
        metadata = self._client._metadata
        return Cursor(self._client._retrieval, walk, timeout=timeout, metadata=metadata)


class Client:
    """As sluice.Client, of which the operators are methods here."""

    def __init__(self, address: str, *, api_key=None, tls=False, ca_file=None, timeout=30.0):
        metadata, secure = requests.credentials(api_key, tls, ca_file)
        self._metadata = tuple(metadata)
        self._channel = (
            grpc.aio.secure_channel(address, secure)
            if secure
            else grpc.aio.insecure_channel(address)
        )
        self.timeout = timeout
        self._health = self._channel.unary_unary(requests.HEALTH, requests.health_message, bytes)
        self._admin = admin_rpc.AdminServiceStub(self._channel)
        self._collections = collections_rpc.CollectionServiceStub(self._channel)
        self._ingest = ingest_rpc.IngestServiceStub(self._channel)
        self._retrieval = retrieval_rpc.RetrievalServiceStub(self._channel)

    async def _ask(self, method, request):
        with translated():
            return await method(request, timeout=self.timeout, metadata=self._metadata)

    async def info(self):
        return await self._ask(self._admin.GetServerInfo, admin_pb2.GetServerInfoRequest())

    async def healthy(self, service: str = "readiness") -> bool:
        try:
            return await self._ask(self._health, service) == requests.HEALTHY
        except Unavailable:
            return False

    async def create(
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
        collection = requests.collection_message(
            name, dimension, metric, fields, index, factory, recall
        )
        request = collections_pb2.CreateCollectionRequest(collection=collection)
        await self._ask(self._collections.CreateCollection, request)
        return Collection(self, name)

    def collection(self, name: str) -> Collection:
        """Without asking whether it is there."""
        return Collection(self, name)

    async def drop(self, name: str) -> None:
        request = collections_pb2.DeleteCollectionRequest(name=name)
        await self._ask(self._collections.DeleteCollection, request)

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()


def connect(address: str = "127.0.0.1:7700", **more) -> Client:
    """As sluice.connect."""
    return Client(address, **more)
