"""Streams that end early, many of them at once, and the other Python API."""

import asyncio
import time
import unittest

import grpc
import oracle
import server
from sluice.v1 import retrieval_service_pb2 as retrieval
from sluice.v1 import retrieval_service_pb2_grpc as retrieval_rpc

NAME = "streams"
# So many bytes of text that one stream is several times the window of its connection.
ROWS, TEXT_BYTES = 1000, 500


class StreamsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.rows = oracle.Rows(ROWS, 16, seed=5, text="{} " + "x" * TEXT_BYTES)
        cls.server.create(NAME, cls.rows.dimension)
        cls.server.upsert(NAME, cls.rows.chunks[:500], cls.rows.chunks[500:])

    def setUp(self):
        self.server.wait_until_idle()
        self.slow = self.server.another(*server.SMALL_WINDOW)
        self.addCleanup(self.slow.channel.close)

    def open(self, query, **more):
        """A stream, and its first message."""
        stream = self.slow.search(NAME, query, limit=ROWS, max_hits_per_message=10, **more)
        return stream, next(stream)

    def test_a_cancelled_stream_frees_its_cursor(self):
        for _ in range(10):
            stream, _ = self.open(self.rows.vector())
            self.assertEqual(self.server.info().open_cursors, 1)
            stream.cancel()
            with self.assertRaises(grpc.RpcError):
                list(stream)
            self.assertEqual(stream.code(), grpc.StatusCode.CANCELLED)
            self.server.wait_until_idle()

    def test_an_expired_stream_frees_its_cursor(self):
        # Nobody reads on, so that the deadline comes before the end.
        stream, _ = self.open(self.rows.vector(), timeout=1.0)
        end = time.monotonic() + server.CALL_SECONDS
        while stream.is_active() and time.monotonic() < end:
            self.server.info()
        with self.assertRaises(grpc.RpcError):
            list(stream)
        self.assertEqual(stream.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.server.wait_until_idle()

    def test_a_client_that_goes_away_frees_its_cursors(self):
        streams = [self.open(self.rows.vector())[0] for _ in range(5)]
        self.assertEqual(self.server.info().open_cursors, len(streams))
        self.slow.channel.close()
        self.server.wait_until_idle()

    def test_two_hundred_streams_at_once(self):
        n, depth = 200, 300
        queries = [self.rows.vector() for _ in range(5)]
        best = [self.rows.best(query)[:depth] for query in queries]
        streams = [
            self.slow.search(NAME, queries[i % 5], limit=depth, max_hits_per_message=10)
            for i in range(n)
        ]
        seen = [list(next(stream).hits) for stream in streams]
        info = self.server.info()
        self.assertEqual(info.open_cursors, n)
        self.assertEqual(info.pinned_snapshots, n)
        self.assertGreaterEqual(info.calls_in_flight, n)

        # A page of each in turn.
        left = dict(enumerate(streams))
        while left:
            for i, stream in list(left.items()):
                message = next(stream, None)
                if message is None:
                    del left[i]
                else:
                    seen[i].extend(message.hits)
        for i in range(n):
            self.assertEqual([(h.chunk.id, h.score) for h in seen[i]], best[i % 5])
        self.server.wait_until_idle()

    def test_asyncio(self):
        query = self.rows.vector()

        async def read():
            async with grpc.aio.insecure_channel(self.server.address) as channel:
                stream = retrieval_rpc.RetrievalServiceStub(channel).Search(
                    retrieval.SearchRequest(
                        collection=NAME, vector=dict(values=query), limit=250
                    ),
                    timeout=server.CALL_SECONDS,
                )
                hits = [hit async for message in stream for hit in message.hits]
                return hits, await stream.code()

        hits, code = asyncio.run(read())
        self.assertEqual(code, grpc.StatusCode.OK)
        self.assertEqual([(h.chunk.id, h.score) for h in hits], self.rows.best(query)[:250])
