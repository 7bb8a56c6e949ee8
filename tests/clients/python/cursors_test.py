"""Cursors: credit, resume tokens, neighbours, and looking at them from outside."""

import queue
import threading
import time
import unittest

import grpc
import oracle
import server
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from sluice.v1 import admin_service_pb2 as admin
from sluice.v1 import retrieval_service_pb2 as retrieval

NAME = "cursors"
ROWS = 600


def pairs(hits):
    return [(hit.chunk.id, hit.score) for hit in hits]


def reason(error):
    """(code, reason, metadata) of a call that failed."""
    told = rpc_status.from_call(error)
    for detail in told.details if told else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return error.code(), info.reason, dict(info.metadata)
    return error.code(), None, {}


class Walk:
    """An Iterate whose requests are sent when they are made."""

    def __init__(self, stubs, name, vector=None, timeout=server.CALL_SECONDS, **more):
        if vector is not None:
            more["vector"] = dict(values=vector)
        self.requests = queue.Queue()
        self.stream = stubs.retrieval.Iterate(iter(self.requests.get, None), timeout=timeout)
        self.send(open=retrieval.SearchRequest(collection=name, **more))

    def send(self, **action):
        self.requests.put(retrieval.IterateRequest(**action))

    def credit(self, hits):
        self.send(credit=dict(hits=hits))

    def half_close(self):
        self.requests.put(None)

    def opened(self):
        message = next(self.stream)
        assert message.HasField("opened"), message
        return message.opened

    def take(self, n):
        """n hits, which were granted; the last token."""
        hits, token = [], None
        while len(hits) < n:
            message = next(self.stream)
            assert message.HasField("batch"), message
            hits.extend(message.batch.hits)
            token = message.batch.resume_token
        assert len(hits) == n, f"{len(hits)} hits for {n} granted"
        return hits, token

    def summary(self):
        message = next(self.stream)
        assert message.HasField("summary"), message
        return message.summary

    def rest(self):
        """(hits, summary) up to the end."""
        hits, summary = [], None
        for message in self.stream:
            hits.extend(message.batch.hits)
            if message.HasField("summary"):
                summary = message.summary
        return hits, summary


class CursorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.rows = oracle.Rows(ROWS, 12, seed=31)
        cls.server.create(NAME, cls.rows.dimension)
        cls.server.upsert(NAME, cls.rows.chunks[:300], cls.rows.chunks[300:])
        cls.query = cls.rows.vector()
        cls.best = cls.rows.best(cls.query)

    def setUp(self):
        self.server.wait_until_idle()

    def walk(self, **more):
        return Walk(self.server, NAME, self.query, **more)

    def refused(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        return reason(raised.exception)

    # --- Iterate ---

    def test_gives_what_is_granted_and_no_more(self):
        walk = self.walk()
        opened = walk.opened()
        self.assertRegex(opened.cursor_id, "^[0-9a-f]{16}$")
        self.assertGreater(opened.generation, 0)
        seen = []
        for n in (1, 10, 3, 120):
            walk.credit(n)
            hits, _ = walk.take(n)
            seen.extend(hits)
        walk.credit(2)
        walk.credit(5)
        hits, token = walk.take(7)
        seen.extend(hits)
        self.assertEqual(pairs(seen), self.best[: len(seen)])
        self.assertEqual([hit.rank for hit in seen], list(range(len(seen))))
        walk.send(close={})
        summary = walk.summary()
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_CLOSED)
        self.assertEqual(summary.returned, len(seen))
        self.assertEqual(summary.resume_token, token)
        self.assertEqual(list(walk.stream), [])

    def test_works_only_for_what_is_granted(self):
        walk = self.walk()
        walk.opened()
        walk.credit(10)
        walk.take(10)
        walk.send(close={})
        summary = walk.summary()
        self.assertEqual(summary.scanned, ROWS)
        self.assertLess(summary.reranked, 10 + 100)

    def test_a_half_close_serves_what_was_granted_and_ends_it(self):
        walk = self.walk()
        walk.credit(25)
        walk.half_close()
        hits, summary = walk.rest()
        self.assertEqual(pairs(hits), self.best[:25])
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_CLOSED)

    def test_ends_with_the_walk_whatever_is_granted(self):
        walk = self.walk()
        walk.credit(65536)
        hits, summary = walk.rest()
        self.assertEqual(pairs(hits), self.best)
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_EXHAUSTED)
        self.assertEqual(summary.resume_token, b"")
        walk = self.walk(limit=7)
        walk.credit(65536)
        hits, summary = walk.rest()
        self.assertEqual(pairs(hits), self.best[:7])
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_LIMIT)

    def test_refuses_what_comes_out_of_turn(self):
        cases = [
            ([dict(credit=dict(hits=1))], "credit"),
            ([dict(close={})], "close"),
            ([dict(open=True), dict(open=True)], "open"),
            ([dict(open=True), dict(credit=dict(hits=0))], "credit.hits"),
            ([dict(open=True), dict(credit=dict(hits=65537))], "credit.hits"),
            ([dict(open=True), {}], "action"),
        ]
        search = retrieval.SearchRequest(collection=NAME, vector=dict(values=self.query))
        for actions, field in cases:
            with self.subTest(actions=actions):
                requests = [
                    retrieval.IterateRequest(**{**a, **({"open": search} if "open" in a else {})})
                    for a in actions
                ]
                code, why, metadata = self.refused(
                    lambda: list(self.server.retrieval.Iterate(iter(requests), timeout=30))
                )
                self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
                self.assertEqual(why, "SCHEMA_VIOLATION")
                self.assertEqual(metadata["field"], field)
        code, why, _ = self.refused(
            lambda: list(self.server.retrieval.Iterate(iter([]), timeout=30))
        )
        self.assertEqual((code, why), (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_MISSING"))

    # --- tokens ---

    def resumed(self, token, **more):
        return self.server.hits(NAME, self.query, resume_token=token, **more)

    def test_a_walk_goes_on_behind_every_message(self):
        messages = list(self.server.search(NAME, self.query, limit=1000, max_hits_per_message=7))
        at = 0
        for message in messages:
            at += len(message.hits)
            self.assertTrue(message.resume_token)
            self.assertLessEqual(len(message.resume_token), 512)
            hits, summary = self.resumed(message.resume_token, limit=20)
            self.assertEqual(pairs(hits), self.best[at : at + 20])
            self.assertEqual([hit.rank for hit in hits], list(range(at, at + len(hits))))
            self.assertEqual(summary.returned, len(hits))

    def test_search_and_iterate_take_each_others_tokens(self):
        hits, summary = self.server.hits(NAME, self.query, limit=33)
        walk = self.walk(resume_token=summary.resume_token)
        walk.credit(40)
        more, token = walk.take(40) if walk.opened() else None
        walk.send(close={})
        walk.rest()
        rest, summary = self.resumed(token, limit=1000)
        self.assertEqual(pairs(hits) + pairs(more) + pairs(rest), self.best)
        self.assertEqual(summary.resume_token, b"")

    def test_what_may_change_may_change(self):
        _, summary = self.server.hits(NAME, self.query, limit=5)
        hits, _ = self.resumed(
            summary.resume_token,
            limit=9,
            max_hits_per_message=2,
            budget=dict(max_tokens=10**6),
            read_mask=dict(paths=["id"]),
            neighbors=dict(before=1),
            # What the collection has where a request names none.
            accuracy=dict(recall_target=0.95),
        )
        self.assertEqual(pairs(hits), self.best[5:14])

    def test_says_what_differs_from_the_request_of_the_token(self):
        _, summary = self.server.hits(NAME, self.query, limit=5)
        self.server.create("cursors-other", self.rows.dimension)
        self.server.upsert("cursors-other", self.rows.chunks[:10])
        token = summary.resume_token
        other = self.rows.vector()
        cases = {
            "query": (dict(name=NAME, vector=other), dict(name=NAME, chunk_id="r00001")),
            "filter": (dict(name=NAME, vector=self.query, filter=dict(document_ids=dict(ids=["d"]))),),
            "min_score": (dict(name=NAME, vector=self.query, min_score=-1.0),),
            "accuracy": (
                dict(name=NAME, vector=self.query, accuracy=dict(recall_target=0.9)),
                dict(name=NAME, vector=self.query, accuracy=dict(exact={})),
            ),
            "collection": (dict(name="cursors-other", vector=self.query),),
        }
        for field, requests in cases.items():
            for request in requests:
                with self.subTest(field=field):
                    code, why, metadata = self.refused(
                        lambda: self.server.hits(resume_token=token, **request)
                    )
                    self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
                    self.assertEqual(why, "RESUME_TOKEN_MISMATCH")
                    self.assertEqual(metadata["field"], field)
        code, why, metadata = self.refused(lambda: self.list_chunks(token))
        self.assertEqual((why, metadata["field"]), ("RESUME_TOKEN_MISMATCH", "method"))

    def test_refuses_tokens_that_were_changed(self):
        _, summary = self.server.hits(NAME, self.query, limit=5)
        token = summary.resume_token
        bad = [token[:-1], token + b"x", b"nonsense", bytes(len(token))]
        for at in range(0, len(token), 7):
            bad.append(token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :])
        for forged in bad:
            code, why, _ = self.refused(lambda: self.resumed(forged))
            self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
            self.assertEqual(why, "RESUME_TOKEN_INVALID")

    def test_a_walk_by_a_chunk_goes_on_when_the_chunk_is_gone(self):
        rows = oracle.Rows(80, 6, seed=3)
        self.server.create("cursors-like", rows.dimension)
        self.server.upsert("cursors-like", rows.chunks)
        best = [pair for pair in rows.best(rows.vectors[40]) if pair[0] != "r00040"]
        hits, summary = self.server.hits("cursors-like", chunk_id="r00040", limit=10)
        self.server.upsert("cursors-like", [dict(id="r00040", vector=dict(values=[1] * 6))])
        rest, _ = self.server.hits(
            "cursors-like", chunk_id="r00040", limit=100, resume_token=summary.resume_token
        )
        self.assertEqual(pairs(hits) + pairs(rest), best)

    def list_chunks(self, token=b"", **more):
        return list(
            self.server.retrieval.ListChunks(
                retrieval.ListChunksRequest(collection=NAME, resume_token=token, **more),
                timeout=server.CALL_SECONDS,
            )
        )

    def test_a_list_goes_on_behind_its_limit(self):
        seen, token = [], b""
        for limit in (1, 100, 250, 1000):
            messages = self.list_chunks(token, limit=limit)
            seen.extend(chunk.id for message in messages for chunk in message.chunks)
            token = messages[-1].resume_token
        self.assertEqual(token, b"")
        self.assertEqual(seen, [chunk["id"] for chunk in self.rows.chunks])
        messages = self.list_chunks(limit=ROWS)
        self.assertEqual(messages[-1].resume_token, b"")
        token = self.list_chunks(limit=3)[-1].resume_token
        code, why, _ = self.refused(lambda: self.resumed(token))
        self.assertEqual(why, "RESUME_TOKEN_MISMATCH")

    def test_one_world_across_a_break(self):
        rows = oracle.Rows(200, 8, seed=9)
        self.server.create("cursors-world", rows.dimension)
        self.server.upsert("cursors-world", rows.chunks)
        query = rows.vector()
        hits, summary = self.server.hits("cursors-world", query, limit=50)
        self.server.ingest.DeleteChunks(
            server.ingest.DeleteChunksRequest(
                collection="cursors-world",
                ids=dict(ids=[pair[0] for pair in rows.best(query)[40:90]]),
            )
        )
        self.server.upsert("cursors-world", [dict(id="new", vector=dict(values=query))])
        rest, end = self.server.hits(
            "cursors-world", query, limit=500, resume_token=summary.resume_token
        )
        self.assertEqual(pairs(hits) + pairs(rest), rows.best(query))
        self.assertEqual(end.generation, summary.generation)

    # --- neighbours ---

    def test_neighbours_are_the_nearest_of_the_document(self):
        rows = oracle.Rows(240, 6, seed=5)
        ordinals = {}
        for i, chunk in enumerate(rows.chunks):
            document, ordinal = f"doc-{i % 7}", (i * 37 % 240) // 2
            chunk.update(document_id="" if i % 11 == 0 else document, ordinal=ordinal)
            ordinals[chunk["id"]] = (chunk["document_id"], ordinal, i)
        self.server.create("cursors-near", rows.dimension)
        self.server.upsert("cursors-near", rows.chunks)
        gone = {f"r{i:05}" for i in range(0, 240, 9)}
        self.server.ingest.DeleteChunks(
            server.ingest.DeleteChunksRequest(
                collection="cursors-near", ids=dict(ids=sorted(gone))
            )
        )
        query = rows.vector()
        order = [pair[0] for pair in rows.best(query) if pair[0] not in gone]
        for before, after in ((1, 0), (0, 1), (2, 3), (16, 16)):
            hits, summary = self.server.hits(
                "cursors-near",
                query,
                limit=60,
                neighbors=dict(before=before, after=after),
                read_mask=dict(paths=["id", "ordinal", "vector"]),
            )
            sent, returned = [], 0
            self.assertEqual([hit.chunk.id for hit in hits], order[:60])
            for hit in hits:
                document, ordinal, row = ordinals[hit.chunk.id]
                around = sorted(
                    (o, r, i)
                    for i, (d, o, r) in ordinals.items()
                    if d == document and d and i not in gone
                )
                at = around.index((ordinal, row, hit.chunk.id)) if document else 0
                sent.append(hit.chunk.id)
                near = around[max(0, at - before) : at] + around[at + 1 : at + 1 + after]
                wanted = [i for _, _, i in near if i not in sent] if document else []
                self.assertEqual([chunk.id for chunk in hit.neighbors], wanted)
                for chunk in hit.neighbors:
                    self.assertFalse(chunk.HasField("vector"))
                sent.extend(wanted)
                returned += 1
            self.assertEqual(summary.returned, returned)

    def test_neighbours_are_paid_from_the_budget_farthest_left_out_first(self):
        chunks = [
            dict(
                id=f"n{i}",
                document_id="d",
                ordinal=i * 10,
                token_count=10 + i,
                text="x" * 10,
                vector=dict(values=[1.0, 0.0] if i == 5 else [0.0, 1.0]),
            )
            for i in range(11)
        ]
        self.server.create("cursors-paid", 2)
        self.server.upsert("cursors-paid", chunks)
        # The hit costs 15; nearest first and before the hit first: 14, 16, 13, 17, 12, 18.
        nearest = [4, 6, 3, 7, 2, 8]
        for budget in range(1, 120):
            hits, summary = self.server.hits(
                "cursors-paid",
                [1.0, 0.0],
                limit=1,
                neighbors=dict(before=3, after=3),
                budget=dict(max_tokens=budget),
            )
            left, kept = budget - 15, []
            for i in nearest:
                if 10 + i > left:
                    break
                left -= 10 + i
                kept.append(i)
            self.assertEqual([c.id for c in hits[0].neighbors], [f"n{i}" for i in sorted(kept)])
            self.assertEqual(summary.tokens, 15 + sum(10 + i for i in kept))

    def test_neighbours_pass_the_filter(self):
        chunks = [
            dict(
                id=f"f{i}",
                document_id="d",
                ordinal=i,
                metadata=dict(odd=dict(bool_value=i % 2 == 1)),
                vector=dict(values=[1.0, float(i)]),
            )
            for i in range(20)
        ]
        self.server.create(
            "cursors-filtered",
            2,
            fields=[dict(name="odd", type=server.collections.FIELD_TYPE_BOOL)],
        )
        self.server.upsert("cursors-filtered", chunks)
        hits, _ = self.server.hits(
            "cursors-filtered",
            [1.0, 9.0],
            limit=1,
            neighbors=dict(before=2, after=2),
            filter=dict(all_of=[dict(field="odd", equal_to=dict(bool_value=True))]),
        )
        around = [chunk.id for chunk in hits[0].neighbors]
        at = int(hits[0].chunk.id[1:])
        self.assertEqual(at % 2, 1)
        self.assertEqual(
            around,
            [f"f{i}" for i in (at - 4, at - 2, at + 2, at + 4) if 0 <= i < 20],
        )

    # --- from outside ---

    def cursors(self, **more):
        return self.server.admin.ListCursors(
            admin.ListCursorsRequest(**more), timeout=server.CALL_SECONDS
        ).cursors

    def cancel(self, cursor_id):
        self.server.admin.CancelCursor(
            admin.CancelCursorRequest(cursor_id=cursor_id), timeout=server.CALL_SECONDS
        )

    def test_open_cursors_are_listed(self):
        walk = self.walk()
        opened = walk.opened()
        walk.credit(20)
        walk.take(20)
        listed = self.cursors(collection=NAME)
        self.assertEqual([info.cursor_id for info in listed], [opened.cursor_id])
        info = listed[0]
        self.assertEqual(info.collection, NAME)
        self.assertEqual(info.method, "/sluice.v1.RetrievalService/Iterate")
        self.assertIn("127.0.0.1", info.peer)
        self.assertEqual(info.generation, opened.generation)
        self.assertEqual(info.returned, 20)
        self.assertEqual(info.scanned, ROWS)
        self.assertGreater(info.memory_bytes, 1000)
        self.assertLess(info.memory_bytes, 65536)
        self.assertGreaterEqual(info.age.ToNanoseconds(), info.idle.ToNanoseconds())
        self.assertEqual(len(self.cursors(collection="nobody")), 0)
        walk.send(close={})
        walk.rest()
        self.server.wait_until_idle()
        self.assertEqual(len(self.cursors()), 0)

    def test_a_cursor_is_cancelled_from_outside_and_goes_on_with_its_token(self):
        walk = self.walk()
        opened = walk.opened()
        walk.credit(20)
        walk.take(20)
        self.cancel(opened.cursor_id)
        summary = walk.summary()
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_UNSPECIFIED)
        self.assertEqual(summary.returned, 20)
        code, why, metadata = self.refused(lambda: next(walk.stream))
        self.assertEqual((code, why), (grpc.StatusCode.ABORTED, "CURSOR_CANCELLED"))
        self.assertEqual(metadata["cursor_id"], opened.cursor_id)
        code, why, _ = self.refused(lambda: self.cancel(opened.cursor_id))
        self.assertEqual((code, why), (grpc.StatusCode.NOT_FOUND, "CURSOR_NOT_FOUND"))
        hits, _ = self.resumed(summary.resume_token, limit=5)
        self.assertEqual(pairs(hits), self.best[20:25])

    def test_a_slow_search_is_cancelled_from_outside(self):
        rows = oracle.Rows(900, 4, seed=6, text="{} " + "x" * 4000)
        self.server.create("cursors-slow", rows.dimension)
        self.server.upsert(
            "cursors-slow", *[rows.chunks[i : i + 300] for i in range(0, 900, 300)]
        )
        with self.server.another(*server.SMALL_WINDOW) as slow:
            stream = slow.search("cursors-slow", rows.vector(), limit=900)
            next(stream)
            self.cancel(self.cursors(collection="cursors-slow")[0].cursor_id)
            with self.assertRaises(grpc.RpcError) as raised:
                list(stream)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.ABORTED)
        self.server.wait_until_idle()

    def test_a_client_that_goes_away_leaves_nothing(self):
        gone = self.server.another()
        walks = [Walk(gone, NAME, self.query) for _ in range(8)]
        for i, walk in enumerate(walks):
            walk.opened()
            walk.credit(10 * (i + 1))
            if i % 2:
                walk.take(10 * (i + 1))
        self.assertEqual(self.server.info().open_cursors, len(walks))
        gone.channel.close()
        self.server.wait_until_idle()

    def test_a_deadline_ends_a_cursor_that_waits(self):
        walk = self.walk(timeout=0.5)
        walk.opened()
        code, _, _ = self.refused(lambda: next(walk.stream))
        self.assertEqual(code, grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_a_thread_may_read_while_another_grants(self):
        walk = self.walk()
        walk.opened()

        def grant():
            for _ in range(60):
                walk.credit(10)
                time.sleep(0.001)
            walk.half_close()

        granting = threading.Thread(target=grant)
        granting.start()
        hits, summary = walk.rest()
        granting.join()
        self.assertEqual(pairs(hits), self.best)
        self.assertIn(
            summary.stop_reason, (retrieval.STOP_REASON_CLOSED, retrieval.STOP_REASON_EXHAUSTED)
        )
