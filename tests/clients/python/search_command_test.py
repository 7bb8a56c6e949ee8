"""sluice search, cursors and cancel: a walk that is interrupted, and goes on."""

import json
import signal
import subprocess
import unittest

import oracle
import server

NAME = "walked"


class SearchCommandTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        # 29 MB: more than the windows of HTTP/2 let ahead of a reader.
        cls.rows = oracle.Rows(900, 4, seed=8, text="{} " + "x" * 32000)
        cls.server.create(NAME, cls.rows.dimension)
        cls.server.upsert(NAME, *[cls.rows.chunks[i : i + 100] for i in range(0, 900, 100)])
        cls.query = cls.rows.vector()
        cls.best = [pair[0] for pair in cls.rows.best(cls.query)]

    def command(self, *words):
        return subprocess.Popen(
            [server.options().sluice, *words, "--server", self.server.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def finish(self, process, before=b""):
        """(output, errors) as text, behind what was read before."""
        output, errors = process.communicate(timeout=60)
        return (before + output).decode(), errors.decode()

    def search(self, *words):
        vector = json.dumps(self.query)
        return self.command("search", NAME, "--vector", vector, "--json", *words)

    def ids(self, output):
        """Of whole lines."""
        lines = output.split("\n")[:-1]
        return [hit["id"] for hit in map(json.loads, lines) if "id" in hit]

    def test_an_interrupted_walk_says_how_to_go_on(self):
        process = self.search("--all")
        first = b""
        while len(first) < 500_000:
            first += process.stdout.read(1000)
        process.send_signal(signal.SIGINT)
        output, errors = self.finish(process, first)
        self.assertEqual(process.returncode, -signal.SIGINT)
        seen = self.ids(output)
        self.assertLess(len(seen), 900)
        self.assertTrue(errors.startswith("go on with: --resume "), errors)
        token = errors.split()[-1]

        output, errors = self.finish(self.search("--all", "--resume", token))
        self.assertEqual(errors, "")
        rest = self.ids(output)
        # What was being printed when it was interrupted may come again.
        self.assertLessEqual(900 - len(rest), len(seen))
        self.assertEqual(seen[: 900 - len(rest)] + rest, self.best)

    def test_the_summary_has_the_token_and_budgets_are_kept(self):
        output, _ = self.finish(self.search("--limit", "5", "--max-tokens", "20000"))
        summary = json.loads(output.split("\n")[-2])["summary"]
        self.assertEqual(summary["stop_reason"], "token_budget")
        self.assertEqual(self.ids(output), self.best[: summary["returned"]])
        output, _ = self.finish(self.search("--limit", "3", "--resume", summary["resume_token"]))
        at = summary["returned"]
        self.assertEqual(self.ids(output), self.best[at : at + 3])

    def test_open_cursors_are_shown_and_cancelled(self):
        process = self.search("--all")
        process.stdout.read(1000)
        output, _ = self.finish(self.command("cursors", NAME))
        lines = output.strip().split("\n")
        self.assertEqual(len(lines), 2, output)
        self.assertIn("Search", lines[1])
        output, _ = self.finish(self.command("cancel", lines[1].split()[0]))
        self.assertEqual(output, f"cancelled {lines[1].split()[0]}\n")
        _, errors = self.finish(process)
        self.assertEqual(process.returncode, 1)
        self.assertIn("ABORTED", errors)
        self.assertIn("go on with: --resume ", errors)
