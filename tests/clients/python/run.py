"""Starts a server, runs every *_test.py beside this file against it, and prints what it came to.

The last line is in the form of Criterion's, which bazel/count.py reads. That the server ends with
status 0 when it is told to is a test like the others: a sanitizer would change it.
"""

import argparse
import faulthandler
import os
import pathlib
import sys
import unittest

import server

# Beyond this something hangs: the stacks of all threads say where, before Bazel ends it.
HANG_SECONDS = int(os.environ.get("TEST_TIMEOUT", "300")) - 20


class EndingTest(unittest.TestCase):
    def test_nothing_is_open_and_the_server_ends_well(self):
        server.shared().wait_until_idle()
        self.assertEqual(server.shared().stop(), 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True, help="the program")
    parser.add_argument("--protos", required=True, help="the contract's root")
    parser.add_argument("--work", required=True, help="a folder for data")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)

    server.configure(options)
    loader = unittest.defaultTestLoader
    suite = loader.discover(str(pathlib.Path(__file__).parent), pattern="*_test.py")
    suite.addTest(loader.loadTestsFromTestCase(EndingTest))
    try:
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    finally:
        server.kill_all()

    # A test with subtests can fail several times; an import that fails is a test that fails.
    bad = {test.id().split(" ")[0] for test, _ in result.failures + result.errors}
    bad |= {test.id() for test in result.unexpectedSuccesses}
    for test, why in result.skipped:
        print(f"SKIPPED: {test.id()}: {why}")
    tested = result.testsRun - len(result.skipped)
    failed = min(len(bad), tested) if tested else len(bad)
    print(
        f"Synthesis: Tested: {max(tested, failed)} | Passing: {max(tested, failed) - failed} "
        f"| Failing: {failed} | Crashing: 0"
    )
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
