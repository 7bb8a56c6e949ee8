"""Cursors over a collection that changes all the time, against a model of it."""

import random
import unittest

import oracle
import server
from cursors_test import Walk, pairs
from sluice.v1 import collection_service_pb2 as collections

OPERATIONS = 10_000
CURSORS = 50
IDS = 120
DIMENSION = 4


class Model:
    """What the collection holds: by id a vector and the number of its writing."""

    def __init__(self, draw):
        self.draw = draw
        self.chunks = {}
        self.written = 0

    def vector(self):
        # Small whole numbers: most scores are shared by many.
        return [float(self.draw.randrange(3)) for _ in range(DIMENSION)]

    def put(self, i):
        self.written += 1
        self.chunks[f"c{i}"] = (self.vector(), self.written)
        return dict(id=f"c{i}", vector=dict(values=self.chunks[f"c{i}"][0]))

    def best(self, query):
        scored = [
            (oracle.score(collections.METRIC_L2, query, vector), written, i)
            for i, (vector, written) in self.chunks.items()
        ]
        scored.sort(key=lambda row: (-row[0], row[1]))
        return [(i, score) for score, _, i in scored]


class Reader:
    """A walk and what it has to give, as the world was when it was opened."""

    def __init__(self, stubs, model):
        self.stubs, self.query = stubs, model.vector()
        self.best, self.at, self.token = model.best(self.query), 0, b""
        self.walk = None
        self.open()

    def open(self):
        self.walk = Walk(self.stubs, "changes", self.query, resume_token=self.token)
        self.walk.opened()

    def read(self, n):
        n = min(n, len(self.best) - self.at)
        if n == 0:
            return
        self.walk.credit(n)
        hits, self.token = self.walk.take(n)
        assert pairs(hits) == self.best[self.at : self.at + n], "another world"
        self.at += n

    def close(self):
        self.walk.send(close={})
        _, summary = self.walk.rest()
        self.token = summary.resume_token

    def finish(self):
        self.walk.credit(1000)
        hits, _ = self.walk.rest()
        assert pairs(hits) == self.best[self.at :], "another world"


class IsolationTest(unittest.TestCase):
    def test_fifty_cursors_each_see_the_world_of_their_opening(self):
        draw = random.Random(20)
        model = Model(draw)
        shared = server.shared()
        shared.create("changes", DIMENSION, collections.METRIC_L2)
        shared.upsert("changes", [model.put(i) for i in range(IDS)])
        readers = [Reader(shared, model) for _ in range(CURSORS)]
        operations = 0
        while operations < OPERATIONS:
            ids = draw.sample(range(IDS), draw.randrange(1, 40))
            operations += len(ids)
            if draw.random() < 0.4:
                shared.ingest.DeleteChunks(
                    server.ingest.DeleteChunksRequest(
                        collection="changes", ids=dict(ids=[f"c{i}" for i in ids])
                    )
                )
                for i in ids:
                    model.chunks.pop(f"c{i}", None)
            else:
                shared.upsert("changes", [model.put(i) for i in ids])
            for reader in draw.sample(readers, 3):
                step = draw.random()
                if step < 0.7:
                    reader.read(draw.randrange(1, 12))
                elif step < 0.85:
                    # It rests and comes back, on a new stream.
                    reader.close()
                    if reader.token:
                        reader.open()
                else:
                    reader.finish()
                    readers[readers.index(reader)] = Reader(shared, model)
        for reader in readers:
            reader.finish()
        shared.wait_until_idle()
