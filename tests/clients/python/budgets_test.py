"""Budgets: how much of a walk a call sends, by the words of the contract."""

import unittest

import oracle
import server
from cursors_test import Walk
from sluice.v1 import retrieval_service_pb2 as retrieval


class BudgetsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()

    def setUp(self):
        self.server.wait_until_idle()

    @classmethod
    def weigh(cls):
        """A collection whose texts have sizes of their own: (name, query, order with chunks)."""
        if not hasattr(cls, "heavy"):
            rows = oracle.Rows(300, 6, seed=77)
            for i, chunk in enumerate(rows.chunks):
                chunk["text"] = "x" * (i * 7919 % 251)
                chunk["token_count"] = 1 + i * 104729 % 97
            cls.server.create("cursors-heavy", rows.dimension)
            cls.server.upsert("cursors-heavy", rows.chunks)
            query = rows.vector()
            by_id = {chunk["id"]: chunk for chunk in rows.chunks}
            cls.heavy = query, [by_id[pair[0]] for pair in rows.best(query)]
        return cls.heavy

    def expect_budget(self, order, limit, max_tokens, max_bytes, skip):
        """(ids, skipped, stop) by the words of the contract."""
        none = float("inf")
        tokens = size = skipped = in_row = 0
        ids = []
        for chunk in order:
            over_tokens = tokens + chunk["token_count"] > (max_tokens or none)
            over_bytes = size + len(chunk["text"]) > (max_bytes or none)
            if (over_tokens or over_bytes) and (skip or ids):
                stop = (
                    retrieval.STOP_REASON_TOKEN_BUDGET
                    if over_tokens
                    else retrieval.STOP_REASON_BYTE_BUDGET
                )
                if not skip:
                    return ids, skipped, stop
                skipped += 1
                in_row += 1
                if in_row == 100:
                    return ids, skipped, stop
                continue
            in_row = 0
            ids.append(chunk["id"])
            tokens += chunk["token_count"]
            size += len(chunk["text"])
            if len(ids) == limit:
                return ids, skipped, retrieval.STOP_REASON_LIMIT
        return ids, skipped, retrieval.STOP_REASON_EXHAUSTED

    def test_budgets_are_kept_to_the_letter(self):
        query, order = self.weigh()
        for limit in (10, 1000):
            for tokens in (None, 1, 100, 1000, 10**6):
                for size in (None, 1, 500, 5000, 10**6):
                    for skip in (False, True):
                        budget = dict(max_tokens=tokens, max_bytes=size, skip_oversized=skip)
                        with self.subTest(limit=limit, **budget):
                            hits, summary = self.server.hits(
                                "cursors-heavy", query, limit=limit, budget=budget
                            )
                            ids, skipped, stop = self.expect_budget(
                                order, limit, tokens, size, skip
                            )
                            self.assertEqual([h.chunk.id for h in hits], ids)
                            self.assertEqual(summary.stop_reason, stop)
                            self.assertEqual(summary.skipped, skipped)
                            self.assertEqual(
                                summary.tokens, sum(h.chunk.token_count for h in hits)
                            )
                            self.assertEqual(
                                summary.text_bytes, sum(len(h.chunk.text) for h in hits)
                            )

    def test_an_iterate_keeps_them_too_and_what_is_skipped_takes_no_credit(self):
        query, order = self.weigh()
        for tokens, size, skip, grant in (
            (200, None, False, 1),
            (200, None, True, 1),
            (1000, 3000, True, 3),
            (None, 400, True, 7),
            (1, None, False, 2),
            (1, None, True, 2),
        ):
            budget = dict(max_tokens=tokens, max_bytes=size, skip_oversized=skip)
            with self.subTest(**budget):
                ids, skipped, stop = self.expect_budget(order, None, tokens, size, skip)
                walk = Walk(self.server, "cursors-heavy", query, budget=budget)
                walk.opened()
                seen = []
                for _ in range(len(ids) // grant):
                    walk.credit(grant)
                    hits, _ = walk.take(grant)
                    seen.extend(hits)
                walk.credit(65536)
                hits, summary = walk.rest()
                seen.extend(hits)
                self.assertEqual([hit.chunk.id for hit in seen], ids)
                self.assertEqual(summary.stop_reason, stop)
                self.assertEqual(summary.skipped, skipped)
                # What is skipped takes its rank.
                place = {chunk["id"]: i for i, chunk in enumerate(order)}
                self.assertEqual([hit.rank for hit in seen], [place[i] for i in ids])

    def test_a_budget_is_of_the_call_and_the_walk_goes_on(self):
        query, order = self.weigh()
        token, ids, calls = b"", [], 0
        while True:
            hits, summary = self.server.hits(
                "cursors-heavy", query, limit=1000, budget=dict(max_tokens=300), resume_token=token
            )
            ids.extend(hit.chunk.id for hit in hits)
            token = summary.resume_token
            calls += 1
            if not token:
                break
            self.assertLess(calls, 300)
        self.assertEqual(ids, [chunk["id"] for chunk in order])

    def test_a_resumed_call_does_not_try_again_what_was_skipped(self):
        query, order = self.weigh()
        budget = dict(max_tokens=40, skip_oversized=True)
        hits, summary = self.server.hits("cursors-heavy", query, limit=1000, budget=budget)
        ids, skipped, stop = self.expect_budget(order, 1000, 40, None, True)
        self.assertEqual([h.chunk.id for h in hits], ids)
        self.assertEqual(summary.stop_reason, stop)
        rest, _ = self.server.hits(
            "cursors-heavy", query, limit=1000, resume_token=summary.resume_token
        )
        done = len(ids) + skipped
        self.assertEqual([h.chunk.id for h in rest], [c["id"] for c in order[done:]])
