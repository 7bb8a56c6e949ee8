"""The exact answer, by the definition of the score and a sort: plain Python, no server.

Products in double, summed in eight lanes, rounded once to float32; order by score, then by writing.
"""

import math
import random
import struct

from sluice.v1 import collection_service_pb2 as collections


def single(value):
    """Rounded to float32; zero is +0."""
    return struct.unpack("<f", struct.pack("<f", value))[0] + 0.0


def _sum(terms):
    lanes = [0.0] * 8
    for i, term in enumerate(terms):
        lanes[i % 8] += term
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + (
        (lanes[4] + lanes[5]) + (lanes[6] + lanes[7])
    )


def unit(vector):
    norm = math.sqrt(_sum(x * x for x in vector))
    return [single(x / norm) for x in vector]


def score(metric, query, vector):
    """Of two vectors as they are kept: under METRIC_COSINE both of unit length."""
    if metric == collections.METRIC_L2:
        return single(-_sum((q - x) * (q - x) for q, x in zip(query, vector)))
    return single(_sum(q * x for q, x in zip(query, vector)))


class Rows:
    """Chunks from a seed. Every seventh has the vector of an earlier one: real ties."""

    def __init__(self, n, dimension, metric=collections.METRIC_COSINE, seed=1, text="Row {}"):
        draw = random.Random(seed)
        self.metric, self.dimension, self.n = metric, dimension, n
        self._draw = draw
        self.vectors = []
        for i in range(n):
            twin = i % 7 == 6
            self.vectors.append(self.vectors[draw.randrange(i)] if twin else self.vector())
        self.chunks = [
            dict(id=f"r{i:05}", text=text.format(i), vector=dict(values=vector))
            for i, vector in enumerate(self.vectors)
        ]

    def vector(self):
        return [single(self._draw.uniform(-1, 1)) for _ in range(self.dimension)]

    def stored(self, vector):
        return unit(vector) if self.metric == collections.METRIC_COSINE else vector

    def best(self, query):
        """[(id, score)], best first. query: as it is sent."""
        query = self.stored(query)
        scores = [score(self.metric, query, self.stored(x)) for x in self.vectors]
        order = sorted(range(self.n), key=lambda i: (-scores[i], i))
        return [(self.chunks[i]["id"], scores[i]) for i in order]
