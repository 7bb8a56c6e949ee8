"""Recall and queries a second: frontiers, values between two points, medians over rounds.

A point is a dict with recall and qps. What is asked of a curve is how many queries a second it
gives at a recall of at least so much.
"""

import math
import statistics


def frontier(points):
    """Those that no other beats in both, by recall."""
    best = []
    for point in sorted(points, key=lambda point: (point["recall"], point["qps"])):
        while best and best[-1]["qps"] <= point["qps"]:
            best.pop()
        best.append(point)
    return best


def between(low, high, recall):
    """On the line through two points, where the scales are logarithms of qps and of 1 - recall."""
    x = [math.log(1 - r) for r in (low["recall"], high["recall"], recall)]
    share = (x[2] - x[0]) / (x[1] - x[0])
    return math.exp((1 - share) * math.log(low["qps"]) + share * math.log(high["qps"]))


def qps_at(points, recall):
    """None where no point has the recall. Below the first point: what that one gives."""
    best = frontier(points)
    for i, point in enumerate(best):
        if point["recall"] < recall:
            continue
        if i == 0 or point["recall"] >= 1:  # there is no line to what is exact
            return point["qps"]
        return between(best[i - 1], point, recall)
    return None


def median(values):
    return statistics.median(values)


def median_points(rounds):
    """Of rounds of the same settings in the same order, the middle of each number."""
    return [
        {
            key: (
                statistics.median(point[key] for point in same)
                if isinstance(same[0][key], (int, float))
                else same[0][key]
            )
            for key in same[0]
        }
        for same in zip(*rounds)
    ]


def ratios_at(ours, theirs, recall):
    """Ours over theirs, round by round; empty where one of them does not get there."""
    pairs = [(qps_at(a, recall), qps_at(b, recall)) for a, b in zip(ours, theirs)]
    return [a / b for a, b in pairs if a and b]
