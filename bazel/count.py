#!/usr/bin/env python3
"""Counts the tests of one `bazel test` by its build events and the logs they name.

    count.py CONFIG EXIT_STATUS EVENTS

prints a line for each result: passed, failed or skipped, a tab, its name, a tab, why. A Criterion
program counts by its Synthesis line, and fails without one, or if it ran and skipped nothing: the
linker or a condition has thrown its tests away, and Bazel would call it green. Any other test target
is one test. Whatever could not be built is one failure for each target.
"""

import json
import re
import sys
import urllib.parse

SYNTHESIS = re.compile(
    r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)"
)
SKIPPED = re.compile(r"^SKIPPED: (.*)$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
GREEN = {"PASSED", "FLAKY"}
# Exit statuses of `bazel test` that the events explain: fine, a build or a test failed, no tests.
BAZEL_OK, BAZEL_BUILD_FAILED, BAZEL_TESTS_FAILED, BAZEL_NO_TESTS = 0, 1, 3, 4


class Target:
    """What the events say of one target."""

    def __init__(self):
        self.tags = []
        self.is_test = False
        self.built = None
        self.status = None
        self.logs = {}


def read_events(path):
    """The targets by label."""
    targets = {}
    try:
        lines = open(path, encoding="utf-8").read().splitlines()
    except OSError:
        return targets
    for line in lines:
        event = json.loads(line)
        ident = event["id"]
        for kind in ("targetConfigured", "targetCompleted", "testResult", "testSummary"):
            if kind not in ident or "aspect" in ident[kind]:
                continue
            target = targets.setdefault(ident[kind]["label"], Target())
            if kind == "targetConfigured" and "configured" in event:
                configured = event["configured"]
                target.tags = configured.get("tag", [])
                target.is_test = configured.get("targetKind", "").endswith("_test rule")
            elif kind == "targetCompleted":
                target.built = event.get("completed", {}).get("success", False)
            elif kind == "testSummary":
                target.is_test = True
                target.status = event.get("testSummary", {}).get("overallStatus")
            elif kind == "testResult":
                # Later attempts of a shard replace earlier ones.
                where = (ident[kind].get("run", 1), ident[kind].get("shard", 1))
                for output in event.get("testResult", {}).get("testActionOutput", []):
                    if output.get("name") == "test.log":
                        target.logs[where] = output.get("uri", "")
    return targets


def read_log(uri):
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        return COLOUR.sub("", open(path, encoding="utf-8", errors="replace").read())
    except OSError:
        return ""


def count_criterion(target, logs):
    """(passed, failed, why) of a Criterion program."""
    tested = passed = failed = 0
    why = ""
    for log in logs:
        found = SYNTHESIS.findall(log)
        if not found:
            failed += 1
            why = "no Synthesis line: it did not come to its end"
            continue
        numbers = [int(number) for number in found[-1]]
        tested += numbers[0]
        passed += numbers[1]
        # A crash counts as failing too in Criterion's line; what did not pass has failed.
        failed += max(numbers[0] - numbers[1], numbers[2], numbers[3])
    if not logs:
        failed += 1
        why = "it left no log"
    elif tested == 0 and failed == 0 and not any(SKIPPED.search(log) for log in logs):
        failed = 1
        why = "it has no tests"
    if target.status not in GREEN and failed == 0:
        failed = 1
        why = str(target.status)
    return passed, failed, why


def main():
    config, status, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    targets = read_events(path)
    any_failed = False

    def result(kind, label, why=""):
        print(kind, "%s (%s)" % (label, config), " ".join(why.split()), sep="\t")

    for label, target in sorted(targets.items()):
        if target.built is False and target.status in (None, "NO_STATUS"):
            result("failed", label, "it could not be built")
            any_failed = True
            continue
        if target.status is None:
            continue
        logs = [read_log(uri) for _, uri in sorted(target.logs.items())]
        if "criterion" in target.tags:
            passed, failed, why = count_criterion(target, logs)
        elif target.status in GREEN:
            passed, failed, why = 1, 0, ""
        else:
            passed, failed, why = 0, 1, str(target.status)
        for _ in range(passed):
            result("passed", label)
        for _ in range(failed):
            result("failed", label, why)
        any_failed = any_failed or failed > 0
        for log in logs:
            for skipped in SKIPPED.findall(log):
                result("skipped", label, skipped)

    explained = {BAZEL_OK, BAZEL_NO_TESTS}
    if any_failed:
        explained |= {BAZEL_BUILD_FAILED, BAZEL_TESTS_FAILED}
    if status not in explained:
        result("failed", "bazel test", "exit status %d" % status)


main()
