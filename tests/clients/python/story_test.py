"""What an application does with Sluice, from its first call to its last, with the stubs that protoc makes of
proto/ (README.md, "From Python"): with calls that block here, awaited in story_asyncio_test.py."""

import queue
import unittest

import grpc
import server
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import collection_service_pb2_grpc as collections_rpc
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import ingest_service_pb2_grpc as ingest_rpc
from sluice.v1 import retrieval_service_pb2 as retrieval
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc

SECONDS = 60
QUERY = dict(collection="animals", vector=dict(values=[1, 0]))
ANIMALS = dict(
    name="animals",
    dimension=2,
    metric=collections.METRIC_COSINE,
    fields=[dict(name="year", type=collections.FIELD_TYPE_INT)],
)


def chunk(id, year, *values):
    return dict(
        id=id,
        text=f"All about the {id}",
        vector=dict(values=values),
        metadata=dict(year=dict(int_value=year)),
    )


BATCHES = [
    [chunk("ox", 1990, 1, 0), chunk("cow", 2005, 1, 0.1)],
    [chunk("hen", 2015, 1, 1), chunk("ant", 2020, 0, 1)],
]
SINCE_2010 = dict(all_of=[dict(field="year", range=dict(gte=dict(int_value=2010)))])

# What either story tells.
TOLD = """
health: SERVING
batch 1: 2 on disk
batch 2: 2 on disk
search: 0 ox 1.000
search: 1 cow 0.995
filter: 0 hen 0.707
filter: 1 ant 0.000
iterate: ox
iterate: cow
stopped: STOP_REASON_CLOSED after 2
resume: 2 hen 0.707
resume: 3 ant 0.000
collection: found "Animals!", allowed is text that matches ^[a-z][a-z0-9_-]{0,62}$ (string.pattern)
limit: found 0, allowed is at least 1 (uint64.gte)
deadline: DEADLINE_EXCEEDED
"""


def violations(error):
    """What is wrong with a request, all of it, field by field."""
    for detail in rpc_status.from_call(error).details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            yield from (f"{one.field}: {one.description} ({one.reason})" for one in bad.field_violations)


def hit_line(hit):
    return f"{hit.rank} {hit.chunk.id} {hit.score:.3f}"


def story(address):
    """The lines, one by one."""
    with grpc.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        calls = retrieval_rpc.RetrievalServiceStub(channel)

        request = health_pb2.HealthCheckRequest(service="sluice.v1.RetrievalService")
        status = health.Check(request, timeout=SECONDS).status
        yield f"health: {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"

        collections_rpc.CollectionServiceStub(channel).CreateCollection(
            collections.CreateCollectionRequest(collection=ANIMALS), timeout=SECONDS
        )

        # Upsert: batches go out while the acknowledgements of what is on disk come in.
        upserts = (
            ingest.UpsertChunksRequest(collection="animals", sequence=i, chunks=batch)
            for i, batch in enumerate(BATCHES, 1)
        )
        for ack in ingest_rpc.IngestServiceStub(channel).UpsertChunks(upserts, timeout=SECONDS):
            yield f"batch {ack.sequence}: {ack.inserted} on disk"

        # Search: hits come a page at a time, best first.
        def search(**more):
            pages = calls.Search(retrieval.SearchRequest(**QUERY, **more), timeout=SECONDS)
            return (hit_line(hit) for page in pages for hit in page.hits)

        yield from (f"search: {line}" for line in search(limit=2))
        # Filter: only chunks that meet every condition can be hits.
        yield from (f"filter: {line}" for line in search(filter=SINCE_2010))

        # Iterate: the server works for the hits that were asked for, here one at a time.
        sent = queue.SimpleQueue()  # whatever is put there goes out
        sent.put(retrieval.IterateRequest(open=QUERY))
        sent.put(retrieval.IterateRequest(credit=dict(hits=1)))
        for message in calls.Iterate(iter(sent.get, None), timeout=SECONDS):
            for hit in message.batch.hits:
                yield f"iterate: {hit.chunk.id}"
                more = dict(close={}) if hit.chunk.id == "cow" else dict(credit=dict(hits=1))
                sent.put(retrieval.IterateRequest(**more))
            if message.HasField("summary"):
                summary = message.summary
        sent.put(None)
        reason = retrieval.StopReason.Name(summary.stop_reason)
        yield f"stopped: {reason} after {summary.returned}"

        # Resume: behind the last hit, another day, after a restart of the server too.
        yield from (f"resume: {line}" for line in search(resume_token=summary.resume_token))

        # A mistake: everything that is wrong comes at once.
        try:
            wrong = retrieval.SearchRequest(**{**QUERY, "collection": "Animals!"}, limit=0)
            list(calls.Search(wrong, timeout=SECONDS))
        except grpc.RpcError as error:
            yield from violations(error)

        # A deadline: nothing was asked here, so nothing comes before it passes.
        idle = queue.SimpleQueue()
        try:
            list(calls.Iterate(iter(idle.get, None), timeout=0.05))
        except grpc.RpcError as error:
            yield f"deadline: {error.code().name}"
        idle.put(None)


class StoryTest(unittest.TestCase):
    def test_is_as_it_is_told(self):
        mine = server.Server("story")
        self.assertEqual(list(story(mine.address)), TOLD.strip().splitlines())
        mine.wait_until_idle()
        self.assertEqual(mine.stop(), 0)
