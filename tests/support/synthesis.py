"""Runs unittest's tests of a module and prints what they came to as a Criterion program does.

bazel/count.py reads the last line, and the lines that begin with SKIPPED.
"""

import sys
import unittest


def main(module):
    """The exit status of the tests in a module."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    # A test with subtests can fail several times.
    bad = {test.id().split(" ")[0] for test, _ in result.failures + result.errors}
    for test, why in result.skipped:
        print(f"SKIPPED: {test.id()}: {why}")
    tested = max(result.testsRun - len(result.skipped), len(bad))
    print(f"Synthesis: Tested: {tested} | Passing: {tested - len(bad)} "
          f"| Failing: {len(bad)} | Crashing: 0")
    return 0 if result.wasSuccessful() else 1
