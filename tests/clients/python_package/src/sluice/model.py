"""What is stored and what is found, as Python's own values."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from sluice.v1 import chunk_pb2, collection_service_pb2 as collections_pb2
from sluice.v1 import retrieval_service_pb2 as retrieval_pb2

Value = Union[str, int, float, bool, Sequence[str]]

METRICS = {
    "cosine": collections_pb2.METRIC_COSINE,
    "inner_product": collections_pb2.METRIC_INNER_PRODUCT,
    "l2": collections_pb2.METRIC_L2,
}
FIELD_TYPES = {
    str: collections_pb2.FIELD_TYPE_STRING,
    int: collections_pb2.FIELD_TYPE_INT,
    float: collections_pb2.FIELD_TYPE_DOUBLE,
    bool: collections_pb2.FIELD_TYPE_BOOL,
    list: collections_pb2.FIELD_TYPE_STRING_LIST,
}
INDEX_KINDS = {
    "flat": collections_pb2.INDEX_KIND_FLAT,
    "ivf": collections_pb2.INDEX_KIND_IVF,
}


def value_message(value: Value) -> chunk_pb2.MetadataValue:
    # bool first: it is an int as well.
    if isinstance(value, bool):
        return chunk_pb2.MetadataValue(bool_value=value)
    if isinstance(value, str):
        return chunk_pb2.MetadataValue(string_value=value)
    if isinstance(value, int):
        return chunk_pb2.MetadataValue(int_value=value)
    if isinstance(value, float):
        return chunk_pb2.MetadataValue(double_value=value)
    return chunk_pb2.MetadataValue(string_list=chunk_pb2.StringList(values=value))


def value_of(message: chunk_pb2.MetadataValue) -> Any:
    kind = message.WhichOneof("kind")
    value = getattr(message, kind) if kind else None
    return list(value.values) if kind == "string_list" else value


@dataclasses.dataclass
class Chunk:
    """A piece of a document. vector is None where it was not asked for."""

    id: str
    text: str = ""
    vector: Optional[Sequence[float]] = None
    document_id: str = ""
    ordinal: int = 0
    token_count: int = 0
    metadata: Dict[str, Any] = dataclasses.field(default_factory=dict)

    def message(self) -> chunk_pb2.Chunk:
        made = chunk_pb2.Chunk(
            id=self.id,
            text=self.text,
            document_id=self.document_id,
            ordinal=self.ordinal,
            token_count=self.token_count,
            metadata={key: value_message(value) for key, value in self.metadata.items()},
        )
        if self.vector is not None:
            made.vector.values.extend(self.vector)
        return made

    @classmethod
    def of(cls, message: chunk_pb2.Chunk) -> Chunk:
        return cls(
            id=message.id,
            text=message.text,
            vector=list(message.vector.values) if message.HasField("vector") else None,
            document_id=message.document_id,
            ordinal=message.ordinal,
            token_count=message.token_count,
            metadata={key: value_of(value) for key, value in message.metadata.items()},
        )


ChunkLike = Union[Chunk, Mapping[str, Any]]


def chunk_message(chunk: ChunkLike) -> chunk_pb2.Chunk:
    return (chunk if isinstance(chunk, Chunk) else Chunk(**chunk)).message()


@dataclasses.dataclass
class Hit:
    """A chunk that was found. Higher scores are better."""

    chunk: Chunk
    score: float
    rank: int  # from 0
    neighbors: List[Chunk] = dataclasses.field(default_factory=list)

    @property
    def id(self) -> str:
        return self.chunk.id

    @property
    def text(self) -> str:
        return self.chunk.text

    @classmethod
    def of(cls, message: retrieval_pb2.Hit) -> Hit:
        around = [Chunk.of(chunk) for chunk in message.neighbors]
        return cls(Chunk.of(message.chunk), message.score, message.rank, around)


@dataclasses.dataclass(frozen=True)
class Neighbors:
    """Chunks of the same document around each hit."""

    before: int = 0
    after: int = 0


@dataclasses.dataclass(frozen=True)
class Summary:
    """Why a search ended, and what it cost the server."""

    stop_reason: str  # "EXHAUSTED"
    exact: bool
    returned: int
    tokens: int
    scanned: int
    generation: int
    backend: str
    elapsed_seconds: float

    @classmethod
    def of(cls, message: retrieval_pb2.Summary) -> Summary:
        reason = retrieval_pb2.StopReason.Name(message.stop_reason)
        return cls(
            stop_reason=reason[len("STOP_REASON_") :],
            exact=message.guarantee == retrieval_pb2.GUARANTEE_EXACT,
            returned=message.returned,
            tokens=message.tokens,
            scanned=message.scanned,
            generation=message.generation,
            backend=message.backend,
            elapsed_seconds=message.elapsed.ToTimedelta().total_seconds(),
        )


@dataclasses.dataclass(frozen=True)
class Written:
    """What became of an upsert: all of it is durable."""

    inserted: int = 0
    replaced: int = 0
    generation: int = 0

    def and_then(self, ack) -> Written:
        return Written(
            self.inserted + ack.inserted, self.replaced + ack.replaced, ack.generation
        )


@dataclasses.dataclass(frozen=True)
class CollectionInfo:
    """What a collection is, and how much is in it."""

    name: str
    dimension: int
    metric: str
    chunks: int
    generation: int
    segments: int
    disk_bytes: int
    memory_bytes: int

    @classmethod
    def of(cls, message: collections_pb2.GetCollectionResponse) -> CollectionInfo:
        about, status = message.collection, message.status
        metric = collections_pb2.Metric.Name(about.metric)
        return cls(
            name=about.name,
            dimension=about.dimension,
            metric=metric[len("METRIC_") :].lower(),
            chunks=status.chunk_count,
            generation=status.generation,
            segments=status.segment_count,
            disk_bytes=status.disk_bytes,
            memory_bytes=status.memory_bytes,
        )
