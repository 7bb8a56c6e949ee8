"""The story of story_test.py, awaited."""

import unittest

import grpc
import server
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import collection_service_pb2_grpc as collections_rpc
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import ingest_service_pb2_grpc as ingest_rpc
from sluice.v1 import retrieval_service_pb2 as retrieval
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc
from story_test import ANIMALS, BATCHES, QUERY, SECONDS, SINCE_2010, TOLD, hit_line, violations


async def story(address):
    """The lines, one by one."""
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        calls = retrieval_rpc.RetrievalServiceStub(channel)

        request = health_pb2.HealthCheckRequest(service="sluice.v1.RetrievalService")
        status = (await health.Check(request, timeout=SECONDS)).status
        yield f"health: {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"

        await collections_rpc.CollectionServiceStub(channel).CreateCollection(
            collections.CreateCollectionRequest(collection=ANIMALS), timeout=SECONDS
        )

        # Upsert: batches go out while the acknowledgements of what is on disk come in.
        upserts = (
            ingest.UpsertChunksRequest(collection="animals", sequence=i, chunks=batch)
            for i, batch in enumerate(BATCHES, 1)
        )
        acks = ingest_rpc.IngestServiceStub(channel).UpsertChunks(upserts, timeout=SECONDS)
        async for ack in acks:
            yield f"batch {ack.sequence}: {ack.inserted} on disk"

        # Search: hits come a page at a time, best first.
        async def search(**more):
            async for page in calls.Search(retrieval.SearchRequest(**QUERY, **more), timeout=SECONDS):
                for hit in page.hits:
                    yield hit_line(hit)

        async for line in search(limit=2):
            yield f"search: {line}"
        # Filter: only chunks that meet every condition can be hits.
        async for line in search(filter=SINCE_2010):
            yield f"filter: {line}"

        # Iterate: the server works for the hits that were asked for, here one at a time.
        walk = calls.Iterate(timeout=SECONDS)
        await walk.write(retrieval.IterateRequest(open=QUERY))
        await walk.write(retrieval.IterateRequest(credit=dict(hits=1)))
        async for message in walk:
            for hit in message.batch.hits:
                yield f"iterate: {hit.chunk.id}"
                more = dict(close={}) if hit.chunk.id == "cow" else dict(credit=dict(hits=1))
                await walk.write(retrieval.IterateRequest(**more))
            if message.HasField("summary"):
                summary = message.summary
        reason = retrieval.StopReason.Name(summary.stop_reason)
        yield f"stopped: {reason} after {summary.returned}"

        # Resume: behind the last hit, another day, after a restart of the server too.
        async for line in search(resume_token=summary.resume_token):
            yield f"resume: {line}"

        # A mistake: everything that is wrong comes at once.
        wrong = retrieval.SearchRequest(**{**QUERY, "collection": "Animals!"}, limit=0)
        try:
            async for _ in calls.Search(wrong, timeout=SECONDS):
                pass
        except grpc.aio.AioRpcError as error:
            for line in violations(error):
                yield line

        # A deadline: nothing was asked here, so nothing comes before it passes.
        try:
            async for _ in calls.Iterate(timeout=0.05):
                pass
        except grpc.aio.AioRpcError as error:
            yield f"deadline: {error.code().name}"


class StoryTest(unittest.IsolatedAsyncioTestCase):
    async def test_is_as_it_is_told(self):
        mine = server.Server("story-asyncio")
        told = [line async for line in story(mine.address)]
        self.assertEqual(told, TOLD.strip().splitlines())
        mine.wait_until_idle()
        self.assertEqual(mine.stop(), 0)
