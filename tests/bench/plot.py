"""curves.svg: queries a second over recall, a panel for each depth.

Both scales are logarithms: recall by how much of it is missing, so that .90, .99 and .999 are
equally far apart. What is exact stands on the right edge.
"""

import math
from xml.sax.saxutils import escape

import curve_math

WIDTH, PANEL, GAP = 1000, 400, 74
LEFT, RIGHT, TOP, BOTTOM = 72, 232, 66, 118
TICKS = (0.8, 0.9, 0.95, 0.97, 0.99, 0.995, 0.999)
RECALL_FROM, RECALL_TO = 0.78, 0.9995
# Ours first. They are told apart by lightness as well as by hue, and by their marks.
COLOURS = ("#c2410c", "#1d4ed8", "#0f766e", "#7c3aed", "#64748b", "#111827")
MARKS = ("circle", "square", "triangle", "diamond", "cross", "circle")
STYLE = """
  .title{font:600 19px system-ui,Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#111827}
  .sub{font:13px system-ui,Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#4b5563}
  .panel{font:600 14px system-ui,Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#111827}
  .tick{font:12px system-ui,Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#4b5563}
  .label{font:13px system-ui,Helvetica,Arial,'DejaVu Sans',sans-serif}
  .grid{stroke:#e5e7eb;stroke-width:1}
  .line{fill:none;stroke-linejoin:round;stroke-linecap:round}
"""


def missing(recall):
    return -math.log10(1 - min(recall, RECALL_TO))


class Panel:
    """Where a point comes to lie."""

    def __init__(self, top, low, high):
        self.top, self.bottom = top, top + PANEL
        self.low, self.high = math.log10(low), math.log10(high)

    def x(self, recall):
        first, last = missing(RECALL_FROM), missing(RECALL_TO)
        share = (missing(recall) - first) / (last - first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, qps):
        share = (math.log10(qps) - self.low) / (self.high - self.low)
        return self.bottom - share * PANEL


def text(x, y, words, css, anchor="start", colour=None):
    fill = f' style="fill:{colour}"' if colour else ""
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {at} class="{css}"{fill}>{escape(words)}</text>'


def line(x1, y1, x2, y2, css="grid"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def mark(shape, x, y, colour):
    paint = f'fill="{colour}" stroke="#fff" stroke-width="1.2"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {paint}/>'
    if shape == "square":
        return f'<rect x="{x - 4.3:.1f}" y="{y - 4.3:.1f}" width="8.6" height="8.6" {paint}/>'
    if shape == "cross":
        arms = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
        return f'<path d="{arms}" stroke="{colour}" stroke-width="2.4" fill="none"/>'
    corners = {
        "triangle": ((0, -6), (5.6, 4.4), (-5.6, 4.4)),
        "diamond": ((0, -6), (6, 0), (0, 6), (-6, 0)),
    }
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners[shape])
    return f'<polygon points="{points}" {paint}/>'


def ticks_of(low, high):
    """1, 2 and 5 in every decade of a panel."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10**decade for decade in decades for step in (1, 2, 5)]
    return [tick for tick in ticks if low <= tick <= high]


def axes(panel, depth):
    low, high = 10**panel.low, 10**panel.high
    right = WIDTH - RIGHT
    out = [text(LEFT, panel.top - 12, f"{depth} hits", "panel")]
    for tick in ticks_of(low * 0.999, high * 1.001):
        y = panel.y(tick)
        out += [line(LEFT, y, right, y), text(LEFT - 9, y + 4, f"{tick:,}", "tick", "end")]
    for tick in TICKS:
        x = panel.x(tick)
        out += [line(x, panel.top, x, panel.bottom)]
        out += [text(x, panel.bottom + 19, f"{tick:g}".lstrip("0"), "tick", "middle")]
    out += [line(right, panel.top, right, panel.bottom)]
    out += [text(right, panel.bottom + 19, "exact", "tick", "middle")]
    out += [text((LEFT + right) / 2, panel.bottom + 40, f"recall@{depth}", "tick", "middle")]
    return out


def curves(results, depth):
    """(title, points) of each, ours first, over all rounds."""
    pairs = results["pairs"][depth]
    ours = [one for pair in pairs.values() for one in pair["ours"]]
    found = [(results["titles"]["sluice"], curve_math.median_points(ours))]
    for name, pair in pairs.items():
        if pair["theirs"]:
            found.append((results["titles"][name], curve_math.median_points(pair["theirs"])))
    exact = results["exact"]
    if int(depth) == exact["ours"][0][0]["depth"]:
        found[0][1].extend(curve_math.median_points(exact["ours"]))
        if exact["theirs"]:
            found.append(
                (results["titles"]["faiss-flat"], curve_math.median_points(exact["theirs"]))
            )
    return [
        (title, curve_math.frontier([p for p in points if RECALL_FROM <= p["recall"]]))
        for title, points in found
    ]


def spread(wanted, least):
    """Places of labels, at least so far apart, from the top down."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    at = -math.inf
    for i in order:
        at = placed[i] = max(wanted[i], at + least)
    return placed


def drawn(panel, found):
    out = []
    for i, (_, points) in reversed(list(enumerate(found))):
        places = [(panel.x(point["recall"]), panel.y(point["qps"])) for point in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        width = 3.2 if i == 0 else 1.8
        out.append(f'<path d="{path}" class="line" stroke="{COLOURS[i]}" stroke-width="{width}"/>')
        out += [mark(MARKS[i], x, y, COLOURS[i]) for x, y in places]
    ends = spread([panel.y(points[-1]["qps"]) if points else 0 for _, points in found], 20)
    for i, (title, points) in enumerate(found):
        if not points:
            continue
        x, y = panel.x(points[-1]["recall"]), panel.y(points[-1]["qps"])
        edge = WIDTH - RIGHT + 12
        out.append(
            f'<path d="M{x + 7:.1f} {y:.1f}L{edge - 2:.1f} {ends[i]:.1f}" stroke="{COLOURS[i]}" '
            'stroke-width="1" stroke-dasharray="1 3" fill="none"/>'
        )
        out.append(mark(MARKS[i], edge + 5, ends[i], COLOURS[i]))
        out.append(text(edge + 16, ends[i] + 4.5, title, "label", colour=COLOURS[i]))
    return out


def svg(results):
    depths = list(results["pairs"])
    height = TOP + BOTTOM + len(depths) * PANEL + (len(depths) - 1) * GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(LEFT, 30, "Queries a second of one processor, by recall", "title"),
    ]
    for i, depth in enumerate(depths):
        found = curves(results, depth)
        speeds = [point["qps"] for _, points in found for point in points] or [1]
        panel = Panel(TOP + i * (PANEL + GAP) + 10, min(speeds) * 0.85, max(speeds) * 1.15)
        out += axes(panel, depth) + drawn(panel, found)
    rows = results["builds"]["sluice"]["rows"]
    out.append(
        text(
            LEFT,
            height - 32,
            f"{rows:,} chunks, {results['queries']:,} questions; up and to the right is better",
            "sub",
        )
    )
    out.append(
        text(
            LEFT,
            height - 13,
            f"{results['date']}, {results['commit']}, {results['machine'].split(';')[0]}",
            "sub",
        )
    )
    return "\n".join([*out, "</svg>", ""])
