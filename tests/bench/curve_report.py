"""What curves.py measured as tables: for a terminal, and as Markdown for README."""

import curve_math
import marked

RECALLS = (0.9, 0.95, 0.97, 0.99, 0.995)
# What is asked of the index: ratios to hnswlib by recall; to Flat, of a page, growth, building.
HNSWLIB = "hnswlib-m16-efc200"
FLAT = "faiss-flat"
GOALS = {0.95: 2.5, 0.97: 2.5, 0.99: 3.0}
GOAL_EXACT, GOAL_PAGE, GOAL_GROWTH, GOAL_BUILD = 0.1, 0.1, 5.0, 3.0
NONE = "-"


class Section:
    def __init__(self, title, head, rows, note=""):
        self.title, self.head, self.rows, self.note = title, head, rows, note


def judged(value, reached, asked="not yet"):
    """A figure that something is asked of: marked where it is not there yet."""
    return value if reached else f"{value} ({asked})"


def rate(qps):
    return f"{qps:,.0f}" if qps else NONE


def ours_by_target(results, depth):
    pairs = results["pairs"][depth].values()
    points = curve_math.median_points([one for pair in pairs for one in pair["ours"]])
    rows = results["builds"]["sluice"]["rows"]
    lines = [
        [
            f"{point['target']:g}",
            judged(f"{point['recall']:.4f}", point["recall"] >= point["target"]),
            f"{point['scanned'] / rows:.1%}",
            f"{point['reranked']:,.0f}",
            rate(point["qps"]),
            f"{point['p50_us']:,.0f}",
            f"{point['p99_us']:,.0f}",
        ]
        for point in points
    ]
    head = [
        "recall_target",
        f"recall@{depth}",
        "rows read",
        "scored exactly",
        "queries/s",
        "p50 us",
        "p99 us",
    ]
    return Section(
        f"Sluice, {depth} hits",
        head,
        lines,
        "Rows read: those whose codes were looked at, of all. p50 and p99 are by the clock.",
    )


def matched(results, depth):
    """Queries a second at a recall, of each; and ours over theirs."""
    pairs = results["pairs"][depth]
    ours = curve_math.median_points([one for pair in pairs.values() for one in pair["ours"]])
    lines = [["Sluice", *(rate(curve_math.qps_at(ours, recall)) for recall in RECALLS)]]
    for name, pair in pairs.items():
        if not pair["theirs"]:
            continue
        title = results["titles"][name]
        theirs = curve_math.median_points(pair["theirs"])
        lines.append([title, *(rate(curve_math.qps_at(theirs, recall)) for recall in RECALLS)])
        cells = []
        for recall in RECALLS:
            ratios = curve_math.ratios_at(pair["ours"], pair["theirs"], recall)
            goal = GOALS.get(recall, 0) if name == HNSWLIB and depth == "10" else 0
            middle = curve_math.median(ratios) if ratios else None
            cells.append(
                judged(f"{middle:.2f}", middle >= goal, f"asked: {goal:g}") if ratios else NONE
            )
        lines.append([f"Sluice / {title}", *cells])
    head = [f"queries/s, {depth} hits, at recall", *(f"{recall:g}" for recall in RECALLS)]
    return Section(f"At equal recall, {depth} hits", head, lines)


def one_by_one(results):
    """What is a single ratio."""
    lines = []
    exact, deep = results["exact"], results["deep"]
    ours = curve_math.median_points(exact["ours"])[0]
    certain = f"{ours['in_order']:,.0f} of {ours['queries']:,.0f} in true order"
    if exact["theirs"]:
        flat = curve_math.median_points(exact["theirs"])[0]
        ratios = [b[0]["qps"] / a[0]["qps"] for a, b in zip(exact["ours"], exact["theirs"])]
        ratio = curve_math.median(ratios)
        lines.append(
            [
                "exact 10 hits, proven",
                f"{1e6 / ours['qps']:,.0f} us ({certain})",
                "FAISS Flat",
                f"{1e6 / flat['qps']:,.0f} us",
                judged(f"{ratio:.3f}", ratio <= GOAL_EXACT),
                f"{GOAL_EXACT:g} at most",
            ]
        )
    for which, what in enumerate(("exact", "recall_target 0.95")):
        rounds = [one[which] for one in deep]
        middle = curve_math.median_points([[one] for one in rounds])[0]
        ratio = curve_math.median([one["next_mean_us"] / one["again_mean_us"] for one in rounds])
        lines.append(
            [
                f"hits 1,001-1,010 from an open cursor, {what}",
                f"{middle['next_mean_us']:,.1f} us; {middle['on_mean_us']:,.1f} each ten on to 2,000",
                "a new search for 1,010",
                f"{middle['again_mean_us']:,.0f} us",
                judged(f"{ratio:.4f}", ratio <= GOAL_PAGE),
                f"{GOAL_PAGE:g} at most",
            ]
        )
    if "growth" in results:
        lines += growth(results)
    return Section("One by one", ["", "Sluice", "beside", "", "ratio", "asked"], lines)


def growth(results):
    grown, lines = results["growth"], []
    small, large = (curve_math.median_points(grown[which]) for which in ("small", "large"))
    for i, (a, b) in enumerate(zip(small, large)):
        ratios = [x[i]["qps"] / y[i]["qps"] for x, y in zip(grown["small"], grown["large"])]
        ratio = curve_math.median(ratios)
        what = f"recall_target {a['target']:g}" if a["target"] else "exact"
        lines.append(
            [
                f"10 hits of {grown['build']['rows']:,} rows, {what}",
                f"{1e6 / b['qps']:,.0f} us (recall {b['recall']:.4f})",
                f"of {results['builds']['sluice']['rows']:,}",
                f"{1e6 / a['qps']:,.0f} us (recall {a['recall']:.4f})",
                judged(f"{ratio:.2f}", ratio <= GOAL_GROWTH),
                f"{GOAL_GROWTH:g} at most",
            ]
        )
    return lines


def builds(results):
    found = dict(results["builds"])
    if "growth" in results:
        found["grown"] = results["growth"]["build"]
    ours = found["sluice"]
    lines = []
    for name, build in found.items():
        is_ours = name in ("sluice", "grown")
        ratio = (ours["rows"] / ours["cpu_s"]) / (build["rows"] / build["cpu_s"])
        cell = f"{ratio:.2f}" if not is_ours else ""
        if name == HNSWLIB:
            cell = judged(cell, ratio >= GOAL_BUILD, f"asked: {GOAL_BUILD:g}")
        lines.append(
            [
                results["titles"].get(name, f"Sluice, {build['rows']:,} rows"),
                f"{build['rows'] / build['cpu_s']:,.0f}",
                f"{build['cpu_s']:,.1f}",
                f"{build['peak_bytes'] / 1e6:,.0f}",
                cell,
            ]
        )
    vectors = max(build.get("vectors_bytes", 0) for build in found.values())
    note = (
        "Sluice's is from the first write to the optimized collection on disk: LMDB with fsync, "
        "sealing, training, calibration. The peers' is train and add, in memory; in their peak are "
        f"the vectors that they were given, {vectors / 1e6:,.0f} MB. FAISS Flat only copies."
    )
    return Section("Building", ["", "rows/s", "CPU s", "peak MB", "Sluice / it"], lines, note)


def sections(results):
    found = []
    for depth in results["pairs"]:
        if any(pair["theirs"] for pair in results["pairs"][depth].values()):
            found.append(matched(results, depth))
    found += [ours_by_target(results, depth) for depth in results["pairs"]]
    return [*found, one_by_one(results), builds(results)]


def about(results):
    """Where, when and how."""
    packages = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    rows = results["builds"]["sluice"]["rows"]
    return [
        f"{results['date']}, commit {results['commit']}; {results['machine']}",
        f"{rows:,} rows, {results['queries']:,} queries, {results['rounds']} rounds; "
        f"one thread, one query a call, by processor time{'; ' if packages else ''}{packages}",
    ]


def terminal(results, found):
    out = [*about(results)]
    for section in found:
        lines = [section.head, *section.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(section.head))]
        out += ["", section.title]
        for first, *rest in lines:
            cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
            out.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
        if section.note:
            out.append(section.note)
    return "\n".join(out)


def markdown(results, found):
    out = [f"`{results['command']}`", "", *(line + "  " for line in about(results))]
    for section in found:
        out += ["", marked.table(section.head, section.rows).rstrip("\n")]
        if section.note:
            out += ["", section.note]
    return "\n".join(out) + "\n"
