"""Every way in which a stream ends: what it says, and that the walk goes on behind it."""

import pathlib
import unittest

import grpc
import oracle
import server
from cursors_test import Walk, pairs, reason
from sluice.v1 import admin_service_pb2 as admin
from sluice.v1 import retrieval_service_pb2 as retrieval

NAME = "stops"
ROWS = 300
TOKENS, BYTES = 10, 50
# Bytes on the wire at most, by the contract.
MESSAGE_MAX = 4_000_000


def stop(name):
    return retrieval.StopReason.Value(f"STOP_REASON_{name}")


class End:
    """What came of a call: the hits, the summary, and the error where it is one."""

    def __init__(self, messages, batches):
        self.hits, self.summary, self.error = [], None, None
        try:
            for message in messages:
                assert self.summary is None, "a message behind the summary"
                self.hits.extend(batches(message))
                if message.HasField("summary"):
                    self.summary = message.summary
        except grpc.RpcError as error:
            self.error = error


class StopsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        path = pathlib.Path(server.options().work) / "stops.yaml"
        path.write_text("limits: {cursor_idle_timeout: 1s}\n", encoding="utf-8")
        cls.server = server.Server("stops", "--config", str(path))
        cls.rows = oracle.Rows(ROWS, 8, seed=41, text="{:>50}")
        for chunk in cls.rows.chunks:
            chunk["token_count"] = TOKENS
        cls.fill()
        cls.query = cls.rows.vector()
        cls.best = cls.rows.best(cls.query)

    @classmethod
    def fill(cls):
        cls.server.create(NAME, cls.rows.dimension)
        cls.server.upsert(NAME, cls.rows.chunks)

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()

    def search(self, **more):
        return End(self.server.search(NAME, self.query, **more), lambda message: message.hits)

    def walk(self, credit=1000, then=None, **more):
        """Iterate; then: what is done once the granted hits are here."""
        walk = Walk(self.server, NAME, self.query, **more)
        opened = walk.opened()
        walk.credit(credit)
        hits = walk.take(credit)[0] if then else []
        if then:
            then(walk, opened.cursor_id)
        end = End(walk.stream, lambda message: message.batch.hits)
        end.hits = hits + end.hits
        return end

    def cancel(self, _walk, cursor_id):
        self.server.admin.CancelCursor(
            admin.CancelCursorRequest(cursor_id=cursor_id), timeout=server.CALL_SECONDS
        )

    def check(self, end, name, n, failure=None):
        self.assertEqual(pairs(end.hits), self.best[:n])
        self.assertEqual(end.summary.stop_reason, stop(name))
        self.assertEqual(end.summary.returned, n)
        self.assertEqual(end.summary.tokens, n * TOKENS)
        self.assertEqual(end.summary.text_bytes, n * BYTES)
        self.assertEqual(end.summary.guarantee, retrieval.GUARANTEE_EXACT)
        if failure is None:
            self.assertIsNone(end.error)
        else:
            self.assertIsNotNone(end.error)
            self.assertEqual(reason(end.error)[:2], failure)
        if name == "EXHAUSTED":
            self.assertEqual(end.summary.resume_token, b"")
        else:
            self.goes_on(end.summary, name, n)

    def goes_on(self, summary, name, n):
        """Below its floor the walk is over, whatever is asked for; else the rest comes."""
        more = dict(min_score=self.floor) if name == "MIN_SCORE" else {}
        hits, last = self.server.hits(
            NAME, self.query, limit=1000, resume_token=summary.resume_token, **more
        )
        self.assertEqual(pairs(hits), [] if more else self.best[n:])
        self.assertEqual([hit.rank for hit in hits], list(range(n, n + len(hits))))
        self.assertEqual(last.stop_reason, stop(name if more else "EXHAUSTED"))

    def test_every_reason_is_said_as_it_is(self):
        # The floor is a score that is there, and no twin has it.
        at = next(i for i in range(20, ROWS) if self.best[i][1] > self.best[i + 1][1])
        self.floor = self.best[at][1]
        aborted = grpc.StatusCode.ABORTED
        budget = dict(max_tokens=7 * TOKENS + 3)
        size = dict(max_bytes=9 * BYTES + 49)
        cases = [
            ("LIMIT", 13, self.search(limit=13)),
            ("LIMIT", 10, self.search()),
            ("LIMIT", 13, self.walk(limit=13)),
            ("EXHAUSTED", ROWS, self.search(limit=1000)),
            ("EXHAUSTED", ROWS, self.walk()),
            ("LIMIT", ROWS, self.search(limit=ROWS)),
            ("MIN_SCORE", at + 1, self.search(limit=1000, min_score=self.floor)),
            ("MIN_SCORE", at + 1, self.walk(min_score=self.floor)),
            ("TOKEN_BUDGET", 7, self.search(limit=1000, budget=budget)),
            ("TOKEN_BUDGET", 7, self.walk(budget=budget)),
            ("BYTE_BUDGET", 9, self.search(limit=1000, budget=size)),
            ("BYTE_BUDGET", 9, self.walk(budget=size)),
            # What is passed first is what is said; both at once: the tokens.
            ("BYTE_BUDGET", 9, self.search(limit=1000, budget=dict(size, max_tokens=100))),
            ("TOKEN_BUDGET", 7, self.search(limit=1000, budget=dict(size, **budget))),
            ("TOKEN_BUDGET", 9, self.search(limit=1000, budget=dict(size, max_tokens=99))),
            ("LIMIT", 7, self.search(limit=7, budget=budget)),
            ("CLOSED", 21, self.walk(21, lambda walk, _: walk.send(close={}))),
            ("CLOSED", 21, self.walk(21, lambda walk, _: walk.half_close())),
            ("UNSPECIFIED", 22, self.walk(22, self.cancel), (aborted, "CURSOR_CANCELLED")),
            ("UNSPECIFIED", 23, self.walk(23, lambda *_: None), (aborted, "CURSOR_IDLE")),
        ]
        for name, n, end, *failure in cases:
            with self.subTest(stop=name, n=n):
                self.check(end, name, n, *failure)

    def test_a_drain_is_said_and_the_walk_goes_on_with_the_next_server(self):
        draining = server.Server("stops-drain")
        self.addCleanup(lambda: draining.kill())
        draining.create(NAME, self.rows.dimension)
        draining.upsert(NAME, self.rows.chunks)
        walk = Walk(draining, NAME, self.query)
        walk.opened()
        walk.credit(24)
        hits, _ = walk.take(24)
        draining.terminate()
        end = End(walk.stream, lambda message: message.batch.hits)
        self.assertEqual(end.summary.stop_reason, stop("DRAINING"))
        self.assertEqual(
            reason(end.error)[:2], (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        )
        self.assertEqual(draining.wait(), 0)
        draining = server.Server("stops-drain")
        rest, _ = draining.hits(
            NAME, self.query, limit=1000, resume_token=end.summary.resume_token
        )
        self.assertEqual(pairs(hits) + pairs(rest), self.best)

    def test_every_reason_of_the_contract_is_tested(self):
        with open(__file__, encoding="utf-8") as source:
            text = source.read()
        for name in retrieval.StopReason.keys():
            self.assertIn(f'"{name.removeprefix("STOP_REASON_")}"', text)

    # --- room ---

    def heavy(self):
        """A document of chunks as large as they may be; the hit is in the middle."""
        weight = {f"a{i}": dict(string_value="y" * 4000) for i in range(8)}
        chunks = [
            dict(
                id=f"n{i:02}",
                document_id="d",
                ordinal=i,
                text="x" * 65000,
                token_count=1,
                metadata=weight,
                vector=dict(values=[1.0, 0.0] if i == 20 else [0.0, 1.0]),
            )
            for i in range(41)
        ]
        self.server.create("stops-heavy", 2)
        self.server.upsert("stops-heavy", *[chunks[i : i + 20] for i in range(0, 41, 20)])

    def test_the_largest_neighbours_fit_and_a_budget_takes_the_nearest(self):
        self.heavy()
        nearest = [20 + side * d for d in range(1, 17) for side in (-1, 1)]
        for fitting in (0, 1, 5, 20, 32):
            budget = dict(max_bytes=65000 * (1 + fitting) + 64999)
            messages = list(
                self.server.search(
                    "stops-heavy",
                    [1.0, 0.0],
                    limit=1,
                    budget=budget,
                    neighbors=dict(before=16, after=16),
                )
            )
            with self.subTest(fitting=fitting):
                self.assertLessEqual(max(m.ByteSize() for m in messages), MESSAGE_MAX)
                (hit,) = [hit for message in messages for hit in message.hits]
                self.assertEqual(hit.chunk.id, "n20")
                self.assertEqual(
                    [int(chunk.id[1:]) for chunk in hit.neighbors], sorted(nearest[:fitting])
                )
                self.assertEqual(messages[-1].summary.tokens, 1 + fitting)
                self.assertEqual(messages[-1].summary.text_bytes, 65000 * (1 + fitting))
        # Page after page of them: no message is too large, and every hit comes in full.
        hits, size = [], 0
        for message in self.server.search(
            "stops-heavy", [0.0, 1.0], limit=41, neighbors=dict(before=16, after=16)
        ):
            hits.extend(message.hits)
            size = max(size, message.ByteSize())
        self.assertLessEqual(size, MESSAGE_MAX)
        self.assertEqual(len(hits), 41)
        self.assertEqual({len(hit.chunk.text) for hit in hits}, {65000})

    def test_neighbours_are_not_repeated_within_4096_chunks_and_come_again_behind_them(self):
        # Twins in pairs, far apart in the order of scores: a hit's neighbour is the other one.
        n, apart = 5200, 4096
        chunks = []
        for i in range(n):
            document = f"pair-{i % 2600}"
            chunks.append(
                dict(
                    id=f"p{i:04}",
                    document_id=document,
                    ordinal=i // 2600,
                    vector=dict(values=[float(-i)]),
                )
            )
        self.server.create("stops-pairs", 1, server.collections.METRIC_INNER_PRODUCT)
        self.server.upsert("stops-pairs", *[chunks[i : i + 650] for i in range(0, n, 650)])
        hits, _ = self.server.hits(
            "stops-pairs", [1.0], limit=n, neighbors=dict(before=1, after=1)
        )
        self.assertEqual([hit.chunk.id for hit in hits], [chunk["id"] for chunk in chunks])
        sent = []
        for i, hit in enumerate(hits):
            sent.append(hit.chunk.id)
            other = f"p{(i + 2600) % n:04}"
            wanted = [] if other in sent[-apart:] else [other]
            self.assertEqual([chunk.id for chunk in hit.neighbors], wanted, i)
            sent.extend(wanted)
        # The second half's: both happened.
        came = [len(hit.neighbors) for hit in hits[2600:]]
        self.assertIn(1, came)
        self.assertEqual({len(hit.neighbors) for hit in hits[:2600]}, {1})
