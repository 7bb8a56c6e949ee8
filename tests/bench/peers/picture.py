"""peers.svg: what a client and what the server's processor get done in a second, over recall."""

import curve_math
import plot
import report

COLOURS = (*plot.COLOURS[:5], "#111827", "#65a30d", "#0891b2", "#a16207")
MARKS = ("circle", "square", "triangle", "diamond", "cross")
# Title of a panel, and the points it shows.
PANELS = (
    ("Queries a second of one client", lambda points: points),
    ("Queries a second of server CPU", lambda points: report.cost_points(points, "cpu_us")),
)


def shown(peers, of):
    """(title, points) of each: those that no other of its own beats, from where the axis begins."""
    found = []
    for peer in peers.values():
        points = curve_math.frontier(of(curve_math.median_points(peer["rounds"])))
        found.append(
            (peer["about"]["title"], [p for p in points if p["recall"] >= plot.RECALL_FROM])
        )
    return found


def axes(panel, title, depth):
    out = plot.axes(panel, depth)
    return [plot.text(plot.LEFT, panel.top - 12, title, "panel"), *out[1:]]


def drawn(panel, found):
    out = []
    ends = plot.spread([panel.y(points[-1]["qps"]) if points else 0 for _, points in found], 19)
    edge = plot.WIDTH - plot.RIGHT + 12
    for i, (title, points) in reversed(list(enumerate(found))):
        if not points:
            continue
        colour, mark = COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]
        places = [(panel.x(point["recall"]), panel.y(point["qps"])) for point in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        width = 3.2 if i == 0 else 1.8
        out.append(f'<path d="{path}" class="line" stroke="{colour}" stroke-width="{width}"/>')
        out += [plot.mark(mark, x, y, colour) for x, y in places]
        x, y = places[-1]
        out.append(
            f'<path d="M{x + 7:.1f} {y:.1f}L{edge - 2:.1f} {ends[i]:.1f}" stroke="{colour}" '
            'stroke-width="1" stroke-dasharray="1 3" fill="none"/>'
        )
        out.append(plot.mark(mark, edge + 5, ends[i], colour))
        out.append(plot.text(edge + 16, ends[i] + 4.5, title, "label", colour=colour))
    return out


def svg(results):
    width, peers = plot.WIDTH, results["peers"]
    height = plot.TOP + plot.BOTTOM + len(PANELS) * plot.PANEL + (len(PANELS) - 1) * plot.GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{plot.STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        plot.text(plot.LEFT, 30, "Ten hits with their text, by recall", "title"),
    ]
    for i, (title, of) in enumerate(PANELS):
        found = shown(peers, of)
        speeds = [point["qps"] for _, points in found for point in points] or [1]
        top = plot.TOP + i * (plot.PANEL + plot.GAP) + 10
        panel = plot.Panel(top, min(speeds) * 0.85, max(speeds) * 1.15)
        out += axes(panel, title, results["depth"]) + drawn(panel, found)
    rows = max((peer["build"]["rows"] for peer in peers.values()), default=0)
    under = f"{rows:,} chunks, {results['queries']:,} questions; up and to the right is better"
    where = f"{results['date']}, {results['commit']}, {results['machine'].split(';')[0]}"
    out.append(plot.text(plot.LEFT, height - 32, under, "sub"))
    out.append(plot.text(plot.LEFT, height - 13, where, "sub"))
    return "\n".join([*out, "</svg>", ""])
