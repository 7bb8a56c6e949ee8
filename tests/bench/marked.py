"""What a driver puts into README: between two lines, so that it can be put there again and be held against what was
measured."""

import sys


def marks(name):
    return f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"


def put(text, name, markdown):
    """The text with the tables between its marks; what was there goes."""
    begin, end = marks(name)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"the lines {begin.strip()} and {end.strip()} are not there")
    return before + begin + "\n" + markdown + "\n" + end + after


def written(text, name):
    """What stands between the marks: what put() put there."""
    begin, end = marks(name)
    return text.partition(begin)[2].partition(end)[0].removeprefix("\n").removesuffix("\n")


def put_file(path, name, markdown):
    path.write_text(put(path.read_text(encoding="utf-8"), name, markdown), encoding="utf-8")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
