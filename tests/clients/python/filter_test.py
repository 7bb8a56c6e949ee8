"""Filters, against conditions evaluated in Python, whose ints and floats compare exactly."""

import random
import unittest

import grpc
import oracle
import server
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import retrieval_service_pb2 as retrieval

NAME = "filters"
FIELDS = [
    ("lang", collections.FIELD_TYPE_STRING),
    ("size", collections.FIELD_TYPE_INT),
    ("ratio", collections.FIELD_TYPE_DOUBLE),
    ("draft", collections.FIELD_TYPE_BOOL),
    ("tags", collections.FIELD_TYPE_STRING_LIST),
]
STRINGS = ["", "a", "ab", "abc", "b", "ä", "z" * 384, "z" * 400, "z" * 401, "z" * 401 + "y", "z" * 900]
INTS = [0, 1, -1, 7, 2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63), 1e300, -1e-300]


def message(value):
    """As a MetadataValue."""
    if isinstance(value, bool):
        return dict(bool_value=value)
    if isinstance(value, int):
        return dict(int_value=value)
    if isinstance(value, float):
        return dict(double_value=value)
    if isinstance(value, str):
        return dict(string_value=value)
    return dict(string_list=dict(values=value))


def sort_of(value):
    return bool if isinstance(value, bool) else str if isinstance(value, str) else float


def compares(value, operand):
    return sort_of(value) is sort_of(operand)


class Test:
    """A condition's test: how it is sent and what it holds for."""

    def __init__(self, sent, holds):
        self.sent, self.holds = sent, holds

    def passes(self, value):
        if "exists" in self.sent:
            return self.sent["exists"] == (value is not None)
        if value is None:
            return False
        return any(map(self.holds, value)) if isinstance(value, list) else self.holds(value)


def key(value):
    """Strings compare bytewise."""
    return value.encode() if isinstance(value, str) else value


def draw_test(draw):
    operand = lambda: draw.choice(draw.choice([STRINGS, INTS, FLOATS, [True, False]]))
    kind = draw.randrange(5)
    if kind == 0:
        there = draw.random() < 0.5
        return Test(dict(exists=there), None)
    if kind == 1:
        prefix = draw.choice([s for s in STRINGS if s])
        return Test(
            dict(prefix=prefix),
            lambda value: isinstance(value, str) and value.startswith(prefix),
        )
    if kind == 2:
        wanted = operand()
        return Test(
            dict(equal_to=message(wanted)),
            lambda value: compares(value, wanted) and value == wanted,
        )
    if kind == 3:
        wanted = [operand() for _ in range(draw.randint(1, 4))]
        return Test(
            dict(one_of=dict(values=[message(value) for value in wanted])),
            lambda value: any(compares(value, one) and value == one for one in wanted),
        )
    pool = draw.choice([STRINGS, INTS + FLOATS])
    low, high = draw.choice(pool), draw.choice(pool)
    low_name, high_name = draw.choice(["gt", "gte", None]), draw.choice(["lt", "lte", None])
    if low_name is None and high_name is None:
        low_name = "gte"
    sent = {}
    if low_name:
        sent[low_name] = message(low)
    if high_name:
        sent[high_name] = message(high)

    def within(value):
        if not compares(value, low):
            return False
        if low_name and not (key(value) > key(low) or low_name == "gte" and value == low):
            return False
        return not high_name or key(value) < key(high) or high_name == "lte" and value == high

    return Test(dict(range=sent), within)


def draw_metadata(draw):
    values = dict(
        lang=draw.choice(STRINGS),
        size=draw.choice(INTS),
        ratio=draw.choice(FLOATS + INTS),
        draft=draw.random() < 0.5,
        tags=draw.sample(STRINGS, draw.randrange(4)),
    )
    return {name: value for name, value in values.items() if draw.random() < 0.8}


class FilterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.draw = random.Random(20240930)
        cls.rows = oracle.Rows(300, 6, collections.METRIC_L2, seed=4)
        cls.metadata = []
        for i, chunk in enumerate(cls.rows.chunks):
            values = draw_metadata(cls.draw)
            cls.metadata.append(values)
            chunk["metadata"] = {name: message(value) for name, value in values.items()}
            chunk["document_id"] = f"doc-{i // 30}"
        cls.make(NAME)

    @classmethod
    def make(cls, name):
        fields = [dict(name=field, type=type_) for field, type_ in FIELDS]
        cls.server.create(name, cls.rows.dimension, cls.rows.metric, fields=fields)
        cls.server.upsert(name, cls.rows.chunks[:100], cls.rows.chunks[100:])

    def draw_filter(self):
        """(message, which rows pass)."""
        lists = {}
        for name, most in [("all_of", 2), ("any_of", 3), ("none_of", 1)]:
            lists[name] = [
                (self.draw.choice(FIELDS)[0], draw_test(self.draw))
                for _ in range(self.draw.randint(0, most))
            ]
        documents = self.draw.sample(range(10), 3) if self.draw.random() < 0.2 else None
        sent = {
            name: [dict(field=field, **test.sent) for field, test in tests]
            for name, tests in lists.items()
        }
        any_of = sent.pop("any_of")
        if any_of:
            sent["any_of"] = dict(conditions=any_of)
        if documents:
            sent["document_ids"] = dict(ids=[f"doc-{i}" for i in documents])

        def passes(i):
            holds = {
                name: [test.passes(self.metadata[i].get(field)) for field, test in tests]
                for name, tests in lists.items()
            }
            return (
                (not documents or i // 30 in documents)
                and all(holds["all_of"])
                and (not any_of or any(holds["any_of"]))
                and not any(holds["none_of"])
            )

        return sent, {i for i in range(self.rows.n) if passes(i)}

    def test_random_filters_leave_what_python_leaves(self):
        meeting = 0
        for number in range(150):
            sent, passing = self.draw_filter()
            meeting += 0 < len(passing) < self.rows.n
            ids = {self.rows.chunks[i]["id"] for i in passing}
            with self.subTest(number=number, filter=sent):
                request = retrieval.CountChunksRequest(collection=NAME, filter=sent)
                count = self.server.retrieval.CountChunks(request, timeout=server.CALL_SECONDS)
                self.assertEqual(count.count, len(passing))
                request = retrieval.ListChunksRequest(collection=NAME, filter=sent)
                stream = self.server.retrieval.ListChunks(request, timeout=server.CALL_SECONDS)
                listed = [chunk.id for page in stream for chunk in page.chunks]
                self.assertEqual(listed, sorted(ids))
                query = self.rows.vector()
                hits, _ = self.server.hits(NAME, query, limit=1000, filter=sent)
                wanted = [pair for pair in self.rows.best(query) if pair[0] in ids]
                self.assertEqual([(hit.chunk.id, hit.score) for hit in hits], wanted)
        self.assertGreater(meeting, 50)

    def test_deletes_what_passes(self):
        sent, passing = self.draw_filter()
        while not 20 < len(passing) < 200:
            sent, passing = self.draw_filter()
        self.make("filters-deleted")
        request = ingest.DeleteChunksRequest(collection="filters-deleted", filter=sent)
        answer = self.server.ingest.DeleteChunks(request, timeout=server.CALL_SECONDS)
        self.assertEqual(answer.deleted, len(passing))
        request = retrieval.ListChunksRequest(collection="filters-deleted")
        stream = self.server.retrieval.ListChunks(request, timeout=server.CALL_SECONDS)
        left = {chunk.id for page in stream for chunk in page.chunks}
        self.assertEqual(
            left, {chunk["id"] for i, chunk in enumerate(self.rows.chunks) if i not in passing}
        )

    def test_refuses_what_is_not_declared(self):
        sent = dict(any_of=dict(conditions=[dict(field="nothing", exists=False)]))
        request = retrieval.CountChunksRequest(collection=NAME, filter=sent)
        with self.assertRaises(grpc.RpcError) as raised:
            self.server.retrieval.CountChunks(request, timeout=server.CALL_SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("nothing", raised.exception.details())
        self.assertIn("filter.any_of.conditions[0].field", raised.exception.details())
