"""Collections and chunks: written, read back, replaced, listed, counted, deleted."""

import unittest

import grpc
import oracle
import server
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import retrieval_service_pb2 as retrieval


def plain(i, **more):
    return dict(id=f"c{i}", text=f"text {i}", vector=dict(values=[1, i, 0]), **more)


class ChunksTest(unittest.TestCase):
    def setUp(self):
        self.server = server.shared()
        # Of the test's own: its name without what all names begin with, cut to what a name may be.
        self.name = "chunks-" + self._testMethodName.removeprefix("test_")[:50]
        self.server.create(self.name, 3)

    def get(self, ids, **more):
        """(chunks, missing ids)."""
        request = retrieval.GetChunksRequest(collection=self.name, ids=ids, **more)
        messages = list(self.server.retrieval.GetChunks(request, timeout=server.CALL_SECONDS))
        for message in messages[:-1]:
            self.assertFalse(message.missing_ids)
        return [c for m in messages for c in m.chunks], list(messages[-1].missing_ids)

    def list(self, **more):
        request = retrieval.ListChunksRequest(collection=self.name, **more)
        stream = self.server.retrieval.ListChunks(request, timeout=server.CALL_SECONDS)
        return [chunk.id for message in stream for chunk in message.chunks]

    def count(self):
        return self.server.retrieval.CountChunks(
            retrieval.CountChunksRequest(collection=self.name)
        ).count

    def test_every_batch_is_acknowledged_in_order(self):
        batches = [[plain(10 * b + i) for i in range(10)] for b in range(20)]
        batches.append([plain(3), plain(1000), plain(4)])
        acks = self.server.upsert(self.name, *batches)
        self.assertEqual([ack.sequence for ack in acks], list(range(21)))
        self.assertEqual([ack.inserted for ack in acks], [10] * 20 + [1])
        self.assertEqual([ack.replaced for ack in acks], [0] * 20 + [2])
        generations = [ack.generation for ack in acks]
        self.assertEqual(generations, sorted(generations))
        self.assertEqual(self.count(), 201)

    def test_a_chunk_comes_back_as_it_was_written(self):
        metadata = {
            "title": dict(string_value="Ähre, 穂, 🌾"),
            "year": dict(int_value=-(2**63)),
            "share": dict(double_value=0.1),
            "open": dict(bool_value=False),
            "labels": dict(string_list=dict(values=["b", "a"])),
        }
        chunk = plain(1, document_id="d", ordinal=7, token_count=99, metadata=metadata)
        chunk["vector"] = dict(values=[3, 4, 0])
        self.server.upsert(self.name, [chunk])

        (back,), missing = self.get(["c1"])
        self.assertEqual(missing, [])
        self.assertFalse(back.HasField("vector"))
        sent = ingest.UpsertChunksRequest(chunks=[chunk]).chunks[0]
        sent.ClearField("vector")
        self.assertEqual(back, sent)
        (back,), _ = self.get(["c1"], read_mask=dict(paths=["vector"]))
        self.assertEqual(list(back.vector.values), oracle.unit([3, 4, 0]))

    def test_a_replaced_chunk_counts_as_new(self):
        self.server.upsert(self.name, [plain(i) for i in range(5)])
        self.server.upsert(self.name, [dict(id="c1", vector=dict(values=[0, 0, 1]))])
        self.assertEqual(self.list(), ["c0", "c2", "c3", "c4", "c1"])
        (back,), _ = self.get(["c1"])
        self.assertEqual(back.text, "")

    def test_ids_are_found_in_the_order_asked_for(self):
        self.server.upsert(self.name, [plain(i) for i in range(50)])
        chunks, missing = self.get(["c9", "nowhere", "c3", "c49", "nor here", "c0"])
        self.assertEqual([chunk.id for chunk in chunks], ["c9", "c3", "c49", "c0"])
        self.assertEqual(missing, ["nowhere", "nor here"])
        self.assertEqual(self.get(["nowhere"]), ([], ["nowhere"]))

    def test_large_chunks_come_in_messages_that_fit(self):
        chunks = [plain(i) for i in range(90)]
        for chunk in chunks:
            chunk["text"] = chunk["id"] + "x" * 60000
        self.server.upsert(self.name, chunks[:45], chunks[45:])
        request = retrieval.GetChunksRequest(
            collection=self.name, ids=[chunk["id"] for chunk in chunks]
        )
        messages = list(self.server.retrieval.GetChunks(request, timeout=server.CALL_SECONDS))
        self.assertGreater(len(messages), 1)
        self.assertLessEqual(max(message.ByteSize() for message in messages), 4000000)
        self.assertEqual([c.text for m in messages for c in m.chunks], [c["text"] for c in chunks])

    def test_the_list_is_in_the_order_of_writing(self):
        self.server.upsert(self.name, [plain(i) for i in (5, 3, 4)], [plain(1), plain(2)])
        self.assertEqual(self.list(), ["c5", "c3", "c4", "c1", "c2"])
        self.assertEqual(self.list(limit=2), ["c5", "c3"])
        self.assertEqual(self.list(read_mask=dict(paths=["text"])), [""] * 5)

    def test_what_is_deleted_is_gone(self):
        self.server.upsert(self.name, [plain(i) for i in range(10)])
        request = ingest.DeleteChunksRequest(
            collection=self.name, ids=dict(ids=["c2", "c7", "nowhere"])
        )
        answer = self.server.ingest.DeleteChunks(request, timeout=server.CALL_SECONDS)
        self.assertEqual(answer.deleted, 2)

        left = [f"c{i}" for i in range(10) if i not in (2, 7)]
        self.assertEqual(self.count(), 8)
        self.assertEqual(self.list(), left)
        self.assertEqual(self.get(["c2", "c3"])[1], ["c2"])
        hits, summary = self.server.hits(self.name, [1, 2, 0], limit=100)
        self.assertEqual(sorted(hit.chunk.id for hit in hits), left)
        self.assertGreaterEqual(summary.generation, answer.generation)


class CollectionsTest(unittest.TestCase):
    def test_collections_come_and_go(self):
        stubs = server.shared()
        names = [f"pages-{i}" for i in range(7)]
        fields = [dict(name="year", type=collections.FIELD_TYPE_INT, required=True)]
        for name in names:
            made = stubs.create(name, 5, collections.METRIC_L2, fields=fields)
            self.assertEqual((made.name, made.dimension), (name, 5))

        got = stubs.collections.GetCollection(collections.GetCollectionRequest(name=names[3]))
        self.assertEqual(got.collection.metric, collections.METRIC_L2)
        self.assertEqual(got.collection.fields[0].name, "year")
        self.assertEqual(got.status.chunk_count, 0)
        self.assertGreater(got.status.create_time.seconds, 0)

        listed, token = [], ""
        while True:
            page = stubs.collections.ListCollections(
                collections.ListCollectionsRequest(page_size=3, page_token=token)
            )
            self.assertLessEqual(len(page.collections), 3)
            listed.extend(collection.name for collection in page.collections)
            token = page.next_page_token
            if not token:
                break
        self.assertEqual([name for name in listed if name.startswith("pages-")], names)
        self.assertEqual(listed, sorted(listed))

        for name in names:
            stubs.collections.DeleteCollection(collections.DeleteCollectionRequest(name=name))
        with self.assertRaises(grpc.RpcError) as raised:
            stubs.collections.GetCollection(collections.GetCollectionRequest(name=names[0]))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
