"""Cursors over a collection that changes all the time, against a model of it."""

import pathlib
import random
import unittest

import oracle
import server
from cursors_test import Walk, pairs
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import retrieval_service_pb2 as retrieval

OPERATIONS = 10_000
CURSORS = 50
IDS = 120
DIMENSION = 4
GROUPS = 5
# So few that heads become segments many times over.
CONFIG = "index: {seal_rows: 300}\n"


def filter_of(group):
    equals = dict(equal_to=dict(int_value=group))
    return dict(all_of=[dict(field="group", **equals)])


class Model:
    """What the collection holds: by id a vector, the number of its writing, and a group."""

    def __init__(self, draw):
        self.draw = draw
        self.chunks = {}
        self.written = 0

    def vector(self):
        # Small whole numbers: most scores are shared by many.
        return [float(self.draw.randrange(3)) for _ in range(DIMENSION)]

    def put(self, i):
        self.written += 1
        vector, group = self.vector(), self.draw.randrange(GROUPS)
        self.chunks[f"c{i}"] = (vector, self.written, group)
        return dict(
            id=f"c{i}",
            vector=dict(values=vector),
            metadata=dict(group=dict(int_value=group)),
        )

    def remove(self, ids):
        """How many of them there were."""
        return sum(self.chunks.pop(i, None) is not None for i in ids)

    def of(self, group):
        return [i for i, (_, _, its) in self.chunks.items() if its == group]

    def best(self, query, group):
        scored = [
            (oracle.score(collections.METRIC_L2, query, vector), written, i)
            for i, (vector, written, its) in self.chunks.items()
            if group is None or its == group
        ]
        scored.sort(key=lambda row: (-row[0], row[1]))
        return [(i, score) for score, _, i in scored]


class Reader:
    """A walk and what it has to give, as the world was when it was opened."""

    def __init__(self, stubs, model):
        group = model.draw.randrange(2 * GROUPS)
        self.stubs, self.query, self.group = stubs, model.vector(), None
        if group < GROUPS:
            self.group = group
        self.best, self.at, self.token = model.best(self.query, self.group), 0, b""
        self.walk = None
        self.open()

    def asked(self):
        more = dict(resume_token=self.token)
        return more if self.group is None else dict(more, filter=filter_of(self.group))

    def open(self):
        self.walk = Walk(self.stubs, "changes", self.query, **self.asked())
        self.walk.opened()

    def got(self, hits):
        assert pairs(hits) == self.best[self.at : self.at + len(hits)], "another world"
        assert [hit.rank for hit in hits] == list(range(self.at, self.at + len(hits)))
        self.at += len(hits)

    def read(self, n):
        n = min(n, len(self.best) - self.at)
        if n == 0:
            return
        self.walk.credit(n)
        hits, self.token = self.walk.take(n)
        self.got(hits)

    def rest(self, searched):
        """Comes back on a new stream; so many hits are read by a Search meanwhile."""
        self.walk.send(close={})
        _, summary = self.walk.rest()
        self.token = summary.resume_token
        if searched and self.token:
            hits, summary = self.stubs.hits(
                "changes", self.query, limit=searched, **self.asked()
            )
            self.got(hits)
            self.token = summary.resume_token
        # There is none where there is nothing to go on with.
        if self.token:
            self.open()
        else:
            assert self.at == len(self.best), "another world"
        return bool(self.token)

    def finish(self):
        self.walk.credit(1000)
        hits, summary = self.walk.rest()
        self.got(hits)
        assert self.at == len(self.best), "another world"
        assert summary.stop_reason == retrieval.STOP_REASON_EXHAUSTED


class IsolationTest(unittest.TestCase):
    def setUp(self):
        path = pathlib.Path(server.options().work) / "isolation.yaml"
        path.write_text(CONFIG, encoding="utf-8")
        self.server = server.Server("isolation", "--config", str(path))
        self.addCleanup(lambda: self.server.kill())
        self.draw = random.Random(20)
        self.model = Model(self.draw)
        self.optimizing = ()

    def write(self):
        """One write of many chunks; how many operations that was."""
        ids = self.draw.sample(range(IDS), self.draw.randrange(1, 40))
        what, names = self.draw.random(), [f"c{i}" for i in ids]
        if what < 0.3:
            self.delete(names, ids=dict(ids=names))
        elif what < 0.4:
            group = self.draw.randrange(GROUPS)
            names = self.model.of(group)
            self.delete(names, filter=filter_of(group))
        else:
            self.server.upsert("changes", [self.model.put(i) for i in ids])
        return len(names)

    def optimize(self):
        """Begins a run beside all that follows, once the one before has ended."""
        for _ in self.optimizing:
            pass
        self.optimizing = self.server.collections.OptimizeCollection(
            collections.OptimizeCollectionRequest(name="changes"), timeout=server.CALL_SECONDS
        )

    def delete(self, names, **which):
        answer = self.server.ingest.DeleteChunks(
            ingest.DeleteChunksRequest(collection="changes", **which),
            timeout=server.CALL_SECONDS,
        )
        self.assertEqual(answer.deleted, self.model.remove(names))

    def test_fifty_cursors_each_see_the_world_of_their_opening(self):
        draw, model = self.draw, self.model
        fields = [dict(name="group", type=collections.FIELD_TYPE_INT)]
        self.server.create("changes", DIMENSION, collections.METRIC_L2, fields=fields)
        self.server.upsert("changes", [model.put(i) for i in range(IDS)])
        readers = [Reader(self.server, model) for _ in range(CURSORS)]
        operations = 0
        while operations < OPERATIONS:
            operations += self.write()
            if draw.random() < 0.05:
                self.optimize()
            for reader in draw.sample(readers, 3):
                step = draw.random()
                if step < 0.6:
                    reader.read(draw.randrange(1, 12))
                    continue
                if step < 0.85 and reader.rest(draw.randrange(12)):
                    continue
                if step >= 0.85:
                    reader.finish()
                readers[readers.index(reader)] = Reader(self.server, model)
        self.optimize()
        for reader in readers:
            reader.finish()
        self.assertEqual(list(self.optimizing)[-1].phase, collections.OPTIMIZE_PHASE_DONE)
        self.server.wait_until_idle()
        about = self.server.collections.GetCollection(
            collections.GetCollectionRequest(name="changes"), timeout=server.CALL_SECONDS
        )
        self.assertGreater(about.status.segment_count, 0)
