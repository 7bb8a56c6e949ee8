"""What peers.py measured as tables for README."""

import curve_math
import marked

RECALLS = (0.9, 0.95, 0.99)
MIDDLE = 0.95
NONE = "-"


def cost_points(points, key):
    """Of points with a cost in us: what curve_math takes, which has more for better."""
    return [dict(recall=point["recall"], qps=1e6 / point[key]) for point in points]


def speed_at(points, recall):
    """Queries a second of one client."""
    return curve_math.qps_at(points, recall)


def cost_at(points, key, recall):
    """The key's us at a recall of at least so much; None where it is not reached."""
    qps = curve_math.qps_at(cost_points(points, key), recall)
    return 1e6 / qps if qps else None


def dearer(ours, theirs):
    """Their processor time over ours at the middle recall, a ratio of each round, the middle one."""
    ratios = curve_math.ratios_at(
        [cost_points(one, "cpu_us") for one in ours],
        [cost_points(one, "cpu_us") for one in theirs],
        MIDDLE,
    )
    return curve_math.median(ratios) if ratios else None


def number(value, form=",.0f"):
    return NONE if value is None else f"{value:{form}}"


def name_of(recall):
    return f"{recall:.2f}".lstrip("0")


def peak_bytes(peer):
    return max(
        peer["build"]["peak_bytes"],
        *(point["memory_bytes"] for one in peer["rounds"] for point in one),
    )


def by_recall(peers):
    """The figures at equal recall: a row for each peer."""
    ours = peers["sluice"]["rounds"] if "sluice" in peers else []
    rows = []
    for name, peer in peers.items():
        points = curve_math.median_points(peer["rounds"])
        ratio = dearer(ours, peer["rounds"])
        rows.append(
            [
                peer["about"]["title"],
                *(number(cost_at(points, "p50_us", recall)) for recall in RECALLS),
                *(number(speed_at(points, recall)) for recall in RECALLS),
                *(number(cost_at(points, "cpu_us", recall)) for recall in RECALLS),
                "1" if name == "sluice" else number(ratio, ".1f"),
            ]
        )
    head = ["10 hits with text, at recall"]
    for what in ("p50 us", "queries/s", "server CPU us"):
        head += [f"{what}, {name_of(recall)}" for recall in RECALLS]
    return [*head, f"CPU / Sluice's, {name_of(MIDDLE)}"], rows


def beside(peers):
    """What has no recall to be matched: building, memory, going deep."""
    rows = []
    for peer in peers.values():
        about, build = peer["about"], peer["build"]
        deep = curve_math.median_points([[one] for one in peer["deep"]])[0] if peer["deep"] else {}
        rows.append(
            [
                about["title"],
                number(build["rows"] / build["wall_s"]),
                number(build["cpu_s"], ",.1f"),
                number(peak_bytes(peer) / 1e6),
                number(deep.get("p50_us")),
                number(deep.get("cpu_us")),
                f"{about['deep_how']} ({about['deep']})" if deep else NONE,
            ]
        )
    head = ["", "vectors/s until indexed", "CPU s", "peak MB", "hits 1,001-1,010: p50 us"]
    return [*head, "CPU us", "how"], rows


def settings_of(about):
    """From which to which."""
    names = about["settings"]
    first, last = names[0], names[-1]
    same = first.partition("=")[0] == last.partition("=")[0]
    return f"{first} to {last.partition('=')[2] if same else last}"


def players(peers):
    rows = []
    for peer in peers.values():
        about = peer["about"]
        packages = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        rows.append(
            [
                about["title"],
                packages,
                about["where"],
                about["built_with"],
                settings_of(about),
                about["note"],
            ]
        )
    return ["", "versions", "how it is asked", "built with", "settings of a query", ""], rows


def floors(peers):
    """Of a peer's p50 what its client takes; a sentence for each of which that is known."""
    for peer in peers.values():
        found = [one["p50_us"] for one in peer.get("floor", ()) if one]
        if found:
            yield (
                f"Of {peer['about']['title']}'s p50 {number(curve_math.median(found))} us are its client's: "
                "what the same program takes to be answered, in as many bytes, by a server that does nothing. "
                "All ten hits come in one message, so p50 is the time to the first, too."
            )


def about(results):
    rows = {peer["build"]["rows"] for peer in results["peers"].values()}
    n = f"{max(rows):,}" if rows else "no"
    rounds = "1 round" if results["rounds"] == 1 else f"{results['rounds']} rounds"
    return "  \n".join(
        [
            f"{results['date']}, commit {results['commit']}; {results['machine']}",
            f"{n} chunks, {results['queries']:,} queries, {rounds}, in turns; "
            "one call in flight, by each one's Python client; medians",
        ]
    )


NOTES = " ".join(
    """
    p50 and queries/s are as a Python program has them, the client's work and the text of every hit
    included; between two settings the line is drawn where the scales are logarithms, and a dash is a
    recall that no setting reached. Server CPU is of the server's processes; of what runs in process it
    is all that the process does, and there is no call to another. Building is by the same client, from
    the first vector sent to the index that has all of them. Memory is the peak of the processes that
    are asked, in process with the texts and Python. Hits 1,001-1,010 are what ten more cost whoever has
    the thousand before, in the way that each peer has for it.
    """.split()
)


def markdown(results):
    peers = results["peers"]
    parts = [f"`{results['command']}`\n", about(results) + "\n"]
    for make in (by_recall, beside, players):
        parts.append(marked.table(*make(peers)))
    parts.append(" ".join([NOTES, *floors(peers)]) + "\n")
    absent = "; ".join(f"{name}: {why}" for name, why in results["skipped"].items())
    parts.append(f"Left out: {absent}.\n" if absent else "Nothing was left out.\n")
    return "\n".join(parts)
