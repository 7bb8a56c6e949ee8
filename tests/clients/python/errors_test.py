"""Each error is a code and a sentence with names and numbers; nothing is half applied."""

import math
import threading
import unittest

import grpc
import server
from grpc import StatusCode
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import retrieval_service_pb2 as retrieval

NAME = "errors"
# A server that says nothing to a bad batch is not waited for longer.
REFUSAL_SECONDS = 10
SEARCH = "/sluice.v1.RetrievalService/Search"


def chunk(identifier, *values, **more):
    return dict(id=identifier, vector=dict(values=values), **more)


class ErrorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.server.create(NAME, 3)
        cls.server.upsert(NAME, [chunk("a", 1, 2, 3), chunk("b", 3, 2, 1)])

    def tearDown(self):
        # Whatever was refused: the server lives and holds what it held.
        request = retrieval.CountChunksRequest(collection=NAME)
        self.assertEqual(self.server.retrieval.CountChunks(request).count, 2)

    def fails(self, code, words, call, *arguments, **more):
        with self.assertRaises(grpc.RpcError) as raised:
            answer = call(*arguments, timeout=server.CALL_SECONDS, **more)
            if hasattr(answer, "cancel"):
                list(answer)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        for word in words:
            self.assertIn(word, raised.exception.details())

    def search_fails(self, code, words, **request):
        request = {"collection": NAME, **request}
        with self.subTest(request=request):
            self.fails(
                code, words, self.server.retrieval.Search, retrieval.SearchRequest(**request)
            )

    def upsert_fails(self, code, words, *chunks, collection=NAME):
        """As the second of two batches; the first is a replacement, and acknowledged."""
        acknowledged, over = threading.Event(), threading.Event()

        def batches():
            yield ingest.UpsertChunksRequest(
                collection=NAME, sequence=70, chunks=[chunk("a", 1, 2, 3)]
            )
            acknowledged.wait()
            yield ingest.UpsertChunksRequest(collection=collection, sequence=71, chunks=chunks)
            # The client could say more: the server ends the stream all the same.
            over.wait()

        with self.subTest(words=words):
            stream = self.server.ingest.UpsertChunks(batches(), timeout=REFUSAL_SECONDS)
            try:
                self.assertEqual(next(stream).sequence, 70)
                acknowledged.set()
                with self.assertRaises(grpc.RpcError) as raised:
                    next(stream)
            finally:
                acknowledged.set()
                over.set()
            self.assertEqual(raised.exception.code(), code, raised.exception.details())
            for word in ["71", *words]:
                self.assertIn(word, raised.exception.details())

    def test_search_says_what_is_wrong_with_a_query(self):
        bad = StatusCode.INVALID_ARGUMENT
        self.search_fails(bad, ["2 values", "dimension 3", NAME], vector=dict(values=[1, 2]))
        self.search_fails(bad, ["zero", NAME], vector=dict(values=[0, 0, 0]))
        self.search_fails(bad, ["[1]", "finite"], vector=dict(values=[1, math.nan, 0]))
        self.search_fails(bad, ["[2]", "finite"], vector=dict(values=[1, 0, math.inf]))
        self.search_fails(bad, ["vector"], vector={})
        self.search_fails(bad, ["query"])
        self.search_fails(bad, ["limit"], chunk_id="a", limit=0)
        self.search_fails(bad, ["min_score"], chunk_id="a", min_score=math.nan)
        self.search_fails(bad, ["1025"], chunk_id="a", max_hits_per_message=1025)
        self.search_fails(bad, ["recall_target"], chunk_id="a", accuracy=dict(recall_target=2))
        self.search_fails(bad, ["colour"], chunk_id="a", read_mask=dict(paths=["id", "colour"]))
        self.search_fails(bad, ["collection", "Bad Name"], collection="Bad Name", chunk_id="a")

    def test_what_is_not_there_is_named(self):
        self.search_fails(StatusCode.NOT_FOUND, ["nowhere"], collection="nowhere", chunk_id="a")
        self.search_fails(StatusCode.NOT_FOUND, ["nobody", NAME], chunk_id="nobody")
        for call, request in [
            (self.server.collections.GetCollection, collections.GetCollectionRequest),
            (self.server.collections.DeleteCollection, collections.DeleteCollectionRequest),
        ]:
            self.fails(StatusCode.NOT_FOUND, ["nowhere"], call, request(name="nowhere"))
        self.fails(
            StatusCode.NOT_FOUND,
            ["nowhere"],
            self.server.retrieval.CountChunks,
            retrieval.CountChunksRequest(collection="nowhere"),
        )

    def test_a_batch_is_refused_as_a_whole(self):
        bad, good = StatusCode.INVALID_ARGUMENT, chunk("new", 1, 1, 1)
        self.upsert_fails(bad, ["4 values", "dimension 3", NAME], good, chunk("x", 1, 2, 3, 4))
        self.upsert_fails(bad, ["chunks[1]", "finite"], good, chunk("x", 1, math.nan, 3))
        self.upsert_fails(bad, ["zero"], good, chunk("x", 0, 0, 0))
        self.upsert_fails(bad, ["chunks[1]", "vector"], good, dict(id="x"))
        self.upsert_fails(bad, ["twice", "x"], chunk("x", 1, 2, 3), good, chunk("x", 3, 2, 1))
        self.upsert_fails(bad, ["chunks[1]", "id"], good, chunk("", 1, 2, 3))
        self.upsert_fails(bad, ["chunks"])
        self.upsert_fails(StatusCode.NOT_FOUND, ["nowhere"], good, collection="nowhere")

    def test_a_taken_name_and_a_bad_collection_are_refused(self):
        create = self.server.collections.CreateCollection
        cases = [
            (StatusCode.ALREADY_EXISTS, [NAME], dict(name=NAME, dimension=3, metric=1)),
            (StatusCode.INVALID_ARGUMENT, ["name", "A b"], dict(name="A b", dimension=3, metric=1)),
            (StatusCode.INVALID_ARGUMENT, ["0", "8192"], dict(name="c", dimension=0, metric=1)),
            (StatusCode.INVALID_ARGUMENT, ["8193"], dict(name="c", dimension=8193, metric=1)),
            (StatusCode.INVALID_ARGUMENT, ["metric"], dict(name="c", dimension=3)),
        ]
        for code, words, collection in cases:
            with self.subTest(collection=collection):
                request = collections.CreateCollectionRequest(collection=collection)
                self.fails(code, words, create, request)
        self.fails(
            StatusCode.INVALID_ARGUMENT,
            ["collection"],
            create,
            collections.CreateCollectionRequest(),
        )

    def test_a_message_above_the_limit_is_refused(self):
        chunks = [chunk(f"big-{i}", 1, 2, 3, text="x" * 65000) for i in range(70)]
        request = ingest.UpsertChunksRequest(collection=NAME, chunks=chunks)
        self.assertGreater(request.ByteSize(), 4 << 20)
        self.fails(
            StatusCode.RESOURCE_EXHAUSTED,
            [str(4 << 20)],
            self.server.ingest.UpsertChunks,
            iter([request]),
        )

    def test_a_compressed_message_is_refused(self):
        request = retrieval.SearchRequest(collection=NAME, chunk_id="a" * 500)
        self.fails(
            StatusCode.UNIMPLEMENTED,
            ["gzip"],
            self.server.retrieval.Search,
            request,
            compression=grpc.Compression.Gzip,
        )

    def test_bytes_that_do_not_parse_are_refused(self):
        for path, message in [
            (SEARCH, "sluice.v1.SearchRequest"),
            ("/sluice.v1.RetrievalService/CountChunks", "sluice.v1.CountChunksRequest"),
            ("/sluice.v1.CollectionService/GetCollection", "sluice.v1.GetCollectionRequest"),
        ]:
            for junk in [b"\xff\xff\xff", b"\x0a\x7f", b"\x0b" * 100]:
                with self.subTest(path=path, junk=junk):
                    call = self.server.channel.unary_stream(path)
                    self.fails(StatusCode.INVALID_ARGUMENT, [message], call, junk)

    def test_a_method_that_does_not_exist_is_answered_at_once(self):
        for path in ["/sluice.v1.RetrievalService/Nothing", "/nobody.Knows/It"]:
            with self.subTest(path=path):
                self.fails(
                    StatusCode.UNIMPLEMENTED, [], self.server.channel.unary_unary(path), b""
                )
