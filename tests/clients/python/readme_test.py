"""README.md's Python client, run as it is printed there; only the address is another."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import server
from sluice.v1 import errors_pb2 as errors

ADDRESS = "127.0.0.1:7700"


def readme():
    """The checkout's: this file is a link to its place in it."""
    return (pathlib.Path(__file__).resolve().parents[3] / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


class ReasonsTest(unittest.TestCase):
    def test_every_reason_of_the_contract_has_a_row(self):
        (section,) = re.findall(r"^## Errors\n(.*?)^## ", readme(), re.DOTALL | re.MULTILINE)
        rows = re.findall(r"^\| [^|]+ \| `([A-Z_]+)` \|", section, re.MULTILINE)
        names = errors.ErrorReason.keys()
        reasons = [name.removeprefix("ERROR_REASON_") for name in names]
        self.assertEqual(sorted(rows), sorted(set(reasons) - {"UNSPECIFIED"}))


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(server.options().work) / "readme"
        self.folder.mkdir()
        (self.folder / "proto").symlink_to(pathlib.Path(server.options().protos).resolve())

    def run_there(self, *command):
        # The environment's own python3 comes first, and no stubs but those made here.
        path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**environment, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=server.CALL_SECONDS,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.splitlines()

    def test_the_python_client_runs_as_printed(self):
        text = readme()
        (stubs,) = [block for block in blocks(text, "sh") if "grpc_tools.protoc" in block]
        client, patterns = blocks(text, "python")
        self.assertEqual(client.count(ADDRESS), 1)
        program = self.folder / "client.py"
        program.write_text(client.replace(ADDRESS, server.shared().address) + patterns)

        self.run_there("bash", "-euc", stubs)
        lines = self.run_there("python3", str(program))

        self.assertEqual(lines[0], "batch 0: 100 new, durable")
        hits = [line.split(" ", 3) for line in lines[1:101]]
        self.assertEqual([int(hit[0]) for hit in hits], list(range(100)))
        self.assertEqual(hits[0], ["0", "1.0", "note-2", "Note number 2"])
        scores = [float(hit[1]) for hit in hits]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual({hit[2] for hit in hits}, {f"note-{i}" for i in range(100)})

        # What stands under "Patterns" goes on from there.
        context, found, *pages = lines[101:]
        self.assertRegex(context, "^context of ([1-5][0-9]|60) tokens, from [0-9]+ hits$")
        rank = [hit[2] for hit in hits].index("note-20")
        self.assertEqual(found, f"found at rank {rank}")
        self.assertEqual(
            pages, [f"page {i} {list(range(5 * i, 5 * i + 5))}" for i in range(3)]
        )
