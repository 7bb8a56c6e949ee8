"""What both clients send, and what they keep of what they are given."""

from __future__ import annotations

import collections
import os
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import grpc
from google.protobuf import field_mask_pb2
from sluice.v1 import collection_service_pb2 as collections_pb2
from sluice.v1 import ingest_service_pb2 as ingest_pb2
from sluice.v1 import retrieval_service_pb2 as retrieval_pb2

from .filters import Where, filter_message
from .model import FIELD_TYPES, INDEX_KINDS, METRICS, ChunkLike, Hit, Neighbors, Summary
from .model import chunk_message

# Of a batch: some 400 kB of vectors of 384 numbers, each durable at once.
BATCH = 256
# Hits asked for at a time, once a search has shown its first.
PAGE = 32
# A search for so few is one answer: a walk would take a way there and back for each page.
AT_ONCE = 16

Query = Union[str, Sequence[float]]
ALL_FIELDS = ["id", "document_id", "ordinal", "text", "token_count", "metadata", "vector"]


def credentials(api_key: Optional[str], tls: bool, ca_file: Optional[str]):
    """(call metadata, channel credentials or None)."""
    api_key = api_key or os.environ.get("SLUICE_API_KEY")
    metadata = [("authorization", f"Bearer {api_key}")] if api_key else []
    if not tls and not ca_file:
        return metadata, None
    roots = None
    if ca_file:
        with open(ca_file, "rb") as file:
            roots = file.read()
    return metadata, grpc.ssl_channel_credentials(roots)


# Health is of gRPC, not of the contract, and its stubs are another package's: a message each with one
# field, so they are put together here.
HEALTH = "/grpc.health.v1.Health/Check"
HEALTHY = b"\x08\x01"  # status: SERVING


def health_message(service: str) -> bytes:
    name = service.encode()
    if len(name) > 127:
        raise ValueError("a service's name has 127 bytes at most")
    return b"\n" + bytes([len(name)]) + name


def collection_message(name, dimension, metric, fields, index, factory, recall):
    made = collections_pb2.Collection(name=name, dimension=dimension, metric=METRICS[metric])
    for key, kind in (fields or {}).items():
        made.fields.add(name=key, type=FIELD_TYPES[kind])
    if factory:
        made.index.kind = collections_pb2.INDEX_KIND_FAISS
        made.index.faiss_factory = factory
    elif index:
        made.index.kind = INDEX_KINDS[index]
    if recall:
        made.index.default_recall_target = recall
    return made


def batches(name: str, chunks: Iterable[ChunkLike], size: int) -> Iterator:
    """The requests of an upsert; chunks are taken as they are sent."""
    batch: List = []
    sequence = 0
    for chunk in chunks:
        batch.append(chunk_message(chunk))
        if len(batch) == size:
            yield ingest_pb2.UpsertChunksRequest(collection=name, sequence=sequence, chunks=batch)
            batch, sequence = [], sequence + 1
    if batch:
        yield ingest_pb2.UpsertChunksRequest(collection=name, sequence=sequence, chunks=batch)


def mask(vectors: bool):
    return field_mask_pb2.FieldMask(paths=ALL_FIELDS) if vectors else None


def search_request(
    name: str,
    query: Query,
    *,
    where: Where = None,
    limit: Optional[int] = None,
    exact: bool = False,
    recall: Optional[float] = None,
    min_score: Optional[float] = None,
    max_tokens: Optional[int] = None,
    neighbors: Optional[Neighbors] = None,
    vectors: bool = False,
    resume: Optional[bytes] = None,
) -> Tuple[retrieval_pb2.SearchRequest, int]:
    """(request, how many of its first hits were given before)."""
    request = retrieval_pb2.SearchRequest(
        collection=name, filter=filter_message(where), read_mask=mask(vectors), min_score=min_score
    )
    skip = 0
    if isinstance(query, str):
        request.chunk_id = query
    else:
        request.vector.values.extend(query)
    if exact:
        request.accuracy.exact.SetInParent()
    elif recall is not None:
        request.accuracy.recall_target = recall
    if max_tokens is not None:
        request.budget.max_tokens = max_tokens
    if neighbors is not None:
        request.neighbors.before, request.neighbors.after = neighbors.before, neighbors.after
    if resume:
        skip, request.resume_token = int.from_bytes(resume[:2], "big"), resume[2:]
    if limit is not None:
        request.limit = limit + skip
    return request, skip


class Walk:
    """Where a search is: the hits on hand, what was granted, and where to go on.

    The server's tokens are of whole messages. Ours are a token and how many hits behind it were
    given already, so that a search can go on behind any hit.

    at_once: open is for Search, and of its answer there is a message for each hit; else for Iterate.
    """

    def __init__(self, request: retrieval_pb2.SearchRequest, skip: int, page: int):
        self.at_once = request.HasField("limit") and request.limit <= min(page, AT_ONCE)
        if self.at_once:
            request.max_hits_per_message = 1
        self.open = request if self.at_once else retrieval_pb2.IterateRequest(open=request)
        self.summary: Optional[Summary] = None
        self._page = page
        self._hits: collections.deque = collections.deque()
        self._granted = 0
        self._skip = skip
        self._before = request.resume_token  # the token in front of the hits on hand
        self._behind = b""
        self._given = 0  # of those

    def credit(self) -> Optional[retrieval_pb2.IterateRequest]:
        """What is to be granted now, if anything: one hit at first, since its token is the start's."""
        if self._granted or self.at_once:
            return None
        self._granted = self._page if self._before else 1 + self._skip
        return retrieval_pb2.IterateRequest(credit=dict(hits=self._granted))

    def take(self, response: Union[retrieval_pb2.SearchResponse, retrieval_pb2.IterateResponse]):
        batch = response if self.at_once else response.batch
        if batch.hits:
            self._hits.extend(batch.hits)
            self._granted -= min(len(batch.hits), self._granted)
            self._behind = batch.resume_token
        self.take_summary(response)

    def take_summary(self, response) -> None:
        if response.HasField("summary"):
            self.summary = Summary.of(response.summary)

    def give(self) -> Optional[Hit]:
        """The next hit on hand."""
        while self._hits:
            message = self._hits.popleft()
            self._given += 1
            if not self._hits:
                self._before, self._given = self._behind, 0
            if self._skip:
                self._skip -= 1
                continue
            return Hit.of(message)
        return None

    @property
    def token(self) -> Optional[bytes]:
        """To go on behind the last hit that was given; None before the first."""
        return self._given.to_bytes(2, "big") + self._before if self._before else None
