"""RetrievalService.Search against the oracle, to the last bit."""

import unittest

import oracle
import server
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import retrieval_service_pb2 as retrieval

METRICS = {
    "cosine": collections.METRIC_COSINE,
    "ip": collections.METRIC_INNER_PRODUCT,
    "l2": collections.METRIC_L2,
}


def pairs(hits):
    return [(hit.chunk.id, hit.score) for hit in hits]


class SearchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.rows = {}
        for name, metric in METRICS.items():
            rows = oracle.Rows(400, 24, metric, seed=metric)
            cls.server.create(f"search-{name}", rows.dimension, metric)
            cls.server.upsert(f"search-{name}", rows.chunks[:150], rows.chunks[150:])
            cls.rows[name] = rows

    def test_gives_all_rows_best_first(self):
        for name, rows in self.rows.items():
            for _ in range(3):
                query = rows.vector()
                with self.subTest(metric=name, query=query):
                    hits, summary = self.server.hits(f"search-{name}", query, limit=1000)
                    self.assertEqual(pairs(hits), rows.best(query))
                    self.assertEqual([hit.rank for hit in hits], list(range(rows.n)))
                    self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_EXHAUSTED)
                    self.assertEqual(summary.guarantee, retrieval.GUARANTEE_EXACT)
                    self.assertEqual(summary.returned, rows.n)
                    self.assertGreaterEqual(summary.scanned, rows.n)
                    self.assertGreater(summary.generation, 0)
                    self.assertTrue(summary.backend.startswith("cpu:"))
                    self.assertGreater(summary.elapsed.ToNanoseconds(), 0)

    def test_gives_ten_unless_told_otherwise(self):
        rows = self.rows["cosine"]
        query = rows.vector()
        hits, summary = self.server.hits("search-cosine", query)
        self.assertEqual(pairs(hits), rows.best(query)[:10])
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_LIMIT)
        self.assertEqual(summary.returned, 10)
        self.assertEqual(summary.text_bytes, sum(len(hit.chunk.text) for hit in hits))
        self.assertEqual(summary.tokens, sum(hit.chunk.token_count for hit in hits))

    def test_fills_messages_as_asked(self):
        rows = self.rows["l2"]
        query = rows.vector()
        messages = list(
            self.server.search("search-l2", query, limit=20, max_hits_per_message=7)
        )
        self.assertEqual([len(m.hits) for m in messages if m.hits], [7, 7, 6])
        self.assertEqual(
            [m.HasField("summary") for m in messages], [False] * (len(messages) - 1) + [True]
        )
        self.assertEqual(pairs(h for m in messages for h in m.hits), rows.best(query)[:20])

    def test_stops_at_the_lowest_score_wanted(self):
        rows = self.rows["ip"]
        query = rows.vector()
        best = rows.best(query)
        floor = best[33][1]
        hits, summary = self.server.hits("search-ip", query, limit=1000, min_score=floor)
        self.assertEqual(pairs(hits), [pair for pair in best if pair[1] >= floor])
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_MIN_SCORE)

    def test_searches_by_a_chunk_and_leaves_it_out(self):
        for name, rows in self.rows.items():
            with self.subTest(metric=name):
                best = rows.best(rows.vectors[123])
                hits, _ = self.server.hits(f"search-{name}", chunk_id="r00123", limit=1000)
                self.assertEqual(pairs(hits), [pair for pair in best if pair[0] != "r00123"])

    def test_gives_the_fields_of_the_mask(self):
        rows = self.rows["cosine"]
        query = rows.vector()
        cases = [
            ([], {"id", "text", "token_count"}),
            (["id"], {"id"}),
            (["text", "id"], {"id", "text"}),
            (["vector"], {"vector"}),
        ]
        for paths, fields in cases:
            with self.subTest(paths=paths):
                hits, _ = self.server.hits("search-cosine", query, read_mask=dict(paths=paths))
                for hit in hits:
                    self.assertEqual({f.name for f, _ in hit.chunk.ListFields()}, fields)
        hits, _ = self.server.hits("search-cosine", query, read_mask=dict(paths=["vector", "id"]))
        for hit in hits:
            sent = rows.vectors[int(hit.chunk.id[1:])]
            self.assertEqual(list(hit.chunk.vector.values), oracle.unit(sent))

    def test_meets_any_accuracy_with_the_exact_answer(self):
        rows = self.rows["cosine"]
        query = rows.vector()
        for accuracy in [dict(exact={}), dict(recall_target=0.5), dict(recall_target=0.999)]:
            with self.subTest(accuracy=accuracy):
                hits, summary = self.server.hits("search-cosine", query, accuracy=accuracy)
                self.assertEqual(pairs(hits), rows.best(query)[:10])
                self.assertEqual(summary.guarantee, retrieval.GUARANTEE_EXACT)

    def test_sees_one_world_from_beginning_to_end(self):
        rows = oracle.Rows(900, 8, seed=77, text="{} " + "x" * 1000)
        self.server.create("one-world", rows.dimension)
        self.server.upsert("one-world", *[rows.chunks[i : i + 300] for i in (0, 300, 600)])
        query = rows.vector()
        with self.server.another(*server.SMALL_WINDOW) as slow:
            stream = slow.search("one-world", query, limit=1000, max_hits_per_message=10)
            seen = list(next(stream).hits)
            # What would come first, and what would come last, change while it is read.
            gone = [pair[0] for pair in rows.best(query)[-50:]]
            self.server.ingest.DeleteChunks(
                server.ingest.DeleteChunksRequest(collection="one-world", ids=dict(ids=gone))
            )
            self.server.upsert("one-world", [dict(id="new", vector=dict(values=query))])
            for message in stream:
                seen.extend(message.hits)
        self.assertEqual(pairs(seen), rows.best(query))
        hits, _ = self.server.hits("one-world", query, limit=1)
        self.assertEqual(hits[0].chunk.id, "new")
