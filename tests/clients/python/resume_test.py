"""Resume tokens where a server ends: after a restart, a kill, and on a copy of its data."""

import pathlib
import shutil
import time
import unittest

import grpc
import oracle
import server
from cursors_test import Walk, pairs, reason
from sluice.v1 import admin_service_pb2 as admin
from sluice.v1 import retrieval_service_pb2 as retrieval


def config(text):
    path = pathlib.Path(server.options().work) / f"config-{abs(hash(text))}.yaml"
    path.write_text(text)
    return ["--config", str(path)]


class ResumeTest(unittest.TestCase):
    def begin(self, name, *arguments, n=300):
        """A server of its own with rows, and a query."""
        self.running = server.Server(name, *arguments)
        self.addCleanup(lambda: self.running.kill())
        self.rows = oracle.Rows(n, 8, seed=19)
        self.running.create("docs", self.rows.dimension)
        self.running.upsert("docs", self.rows.chunks)
        self.query = self.rows.vector()
        self.best = self.rows.best(self.query)

    def again(self, name, *arguments):
        self.running = server.Server(name, *arguments)

    def delete(self, ids):
        self.running.ingest.DeleteChunks(
            server.ingest.DeleteChunksRequest(collection="docs", ids=dict(ids=ids))
        )

    def goes_on(self, token, at):
        hits, summary = self.running.hits("docs", self.query, limit=1000, resume_token=token)
        self.assertEqual(pairs(hits), self.best[at:])
        self.assertEqual([hit.rank for hit in hits], list(range(at, len(self.best))))
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_EXHAUSTED)

    def test_a_token_outlives_the_server(self):
        self.begin("restart")
        _, summary = self.running.hits("docs", self.query, limit=40)
        listed = list(
            self.running.retrieval.ListChunks(
                retrieval.ListChunksRequest(collection="docs", limit=7)
            )
        )
        # What it sees changes: half of what it has still to give is replaced or deleted.
        self.delete([pair[0] for pair in self.best[30:120]])
        self.running.upsert("docs", [dict(c, text="new") for c in self.rows.chunks[::3]])
        self.assertEqual(self.running.stop(), 0)
        self.again("restart")
        self.goes_on(summary.resume_token, 40)
        rest = list(
            self.running.retrieval.ListChunks(
                retrieval.ListChunksRequest(
                    collection="docs", resume_token=listed[-1].resume_token
                )
            )
        )
        ids = [chunk.id for message in listed + rest for chunk in message.chunks]
        self.assertEqual(ids, [chunk["id"] for chunk in self.rows.chunks])

        self.running.kill()
        shutil.copytree(server.data_of("restart"), server.data_of("copy"))
        self.again("restart")
        self.goes_on(summary.resume_token, 40)
        self.running.kill()
        self.again("copy")
        self.goes_on(summary.resume_token, 40)

    def test_a_token_of_an_iterate_that_was_killed_loses_nothing(self):
        self.begin("killed")
        walk = Walk(self.running, "docs", self.query)
        walk.opened()
        walk.credit(23)
        hits, token = walk.take(23)
        self.running.kill()
        with self.assertRaises(grpc.RpcError):
            list(walk.stream)
        self.again("killed")
        walk = Walk(self.running, "docs", self.query, resume_token=token)
        walk.credit(1000)
        rest, _ = walk.rest()
        self.assertEqual(pairs(hits) + pairs(rest), self.best)

    def test_a_snapshot_that_is_gone_says_so_or_the_newest_takes_its_place(self):
        nothing_stays = config("index: {dead_rows_retention: 0s}\n")
        self.begin("gone", *nothing_stays)
        _, summary = self.running.hits("docs", self.query, limit=40)
        dead = {pair[0] for pair in self.best[35:60]}
        self.delete(sorted(dead))
        self.running.upsert("docs", [dict(id="newest", vector=dict(values=self.query))])
        with self.assertRaises(grpc.RpcError) as raised:
            self.running.hits("docs", self.query, resume_token=summary.resume_token)
        code, why, metadata = reason(raised.exception)
        self.assertEqual((code, why), (grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_GONE"))
        self.assertEqual(metadata["collection"], "docs")
        self.assertEqual(metadata["generation"], str(summary.generation))

        wanted = [pair for pair in self.best[40:] if pair[0] not in dead]
        for restart in (False, True):
            if restart:
                self.running.kill()
                self.again("gone", *nothing_stays)
            hits, newest = self.running.hits(
                "docs",
                self.query,
                limit=1000,
                resume_token=summary.resume_token,
                resume_on_newest=True,
            )
            self.assertEqual(pairs(hits), wanted)
            self.assertEqual(hits[0].rank, 40)
            self.assertGreater(newest.generation, summary.generation)

    def test_a_walk_by_a_chunk_ends_where_its_version_is_gone(self):
        self.begin("gone-chunk", *config("index: {dead_rows_retention: 0s}\n"))
        best = self.rows.best(self.rows.vectors[40])
        first = [pair for pair in best if pair[0] != "r00040"]
        hits, summary = self.running.hits("docs", chunk_id="r00040", limit=10)
        self.assertEqual(pairs(hits), first[:10])

        def resumed():
            return self.running.hits(
                "docs",
                chunk_id="r00040",
                limit=1000,
                resume_token=summary.resume_token,
                resume_on_newest=True,
            )

        # Its snapshot goes, and the version that was asked with stays.
        self.delete([first[5][0], first[50][0]])
        self.delete(["nobody"])
        rest, _ = resumed()
        self.assertEqual(pairs(rest), first[10:50] + first[51:])
        self.running.upsert("docs", [dict(id="r00040", vector=dict(values=self.query))])
        self.delete(["nobody"])
        # Removed rows are out of memory after a start at the latest.
        self.running.kill()
        self.again("gone-chunk", *config("index: {dead_rows_retention: 0s}\n"))
        with self.assertRaises(grpc.RpcError) as raised:
            resumed()
        code, why, metadata = reason(raised.exception)
        self.assertEqual((code, why), (grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_GONE"))
        self.assertEqual(metadata["collection"], "docs")

    def test_a_collection_of_the_same_name_is_another_one(self):
        self.begin("same-name")
        _, summary = self.running.hits("docs", self.query, limit=4)
        self.running.collections.DeleteCollection(
            server.collections.DeleteCollectionRequest(name="docs")
        )
        self.running.create("docs", self.rows.dimension)
        self.running.upsert("docs", self.rows.chunks)
        with self.assertRaises(grpc.RpcError) as raised:
            self.running.hits("docs", self.query, resume_token=summary.resume_token)
        _, why, metadata = reason(raised.exception)
        self.assertEqual((why, metadata["field"]), ("RESUME_TOKEN_MISMATCH", "collection"))

    def test_a_token_of_another_server_is_refused(self):
        self.begin("mine")
        _, summary = self.running.hits("docs", self.query, limit=4)
        self.running.kill()
        self.begin("yours")
        with self.assertRaises(grpc.RpcError) as raised:
            self.running.hits("docs", self.query, resume_token=summary.resume_token)
        code, why, _ = reason(raised.exception)
        self.assertEqual(
            (code, why), (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID")
        )

    def test_a_forgotten_cursor_ends_with_a_token(self):
        self.begin("idle", *config("limits: {cursor_idle_timeout: 1s}\n"))
        walk = Walk(self.running, "docs", self.query)
        walk.opened()
        walk.credit(5)
        walk.take(5)
        summary = walk.summary()
        self.assertEqual(summary.returned, 5)
        with self.assertRaises(grpc.RpcError) as raised:
            next(walk.stream)
        code, why, metadata = reason(raised.exception)
        self.assertEqual((code, why), (grpc.StatusCode.ABORTED, "CURSOR_IDLE"))
        self.assertEqual(metadata["idle_seconds"], "1")
        self.running.wait_until_idle()
        self.goes_on(summary.resume_token, 5)

    def test_a_cursor_does_not_hold_the_past_for_ever(self):
        self.begin("old", *config("limits: {snapshot_age_max: 1s}\n"))
        newest, old = (Walk(self.running, "docs", self.query) for _ in range(2))
        old.opened()
        old.credit(5)
        old.take(5)
        self.delete([self.best[3][0], self.best[20][0]])
        summary = old.summary()
        self.assertEqual(summary.returned, 5)
        with self.assertRaises(grpc.RpcError) as raised:
            next(old.stream)
        code, why, metadata = reason(raised.exception)
        self.assertEqual((code, why), (grpc.StatusCode.ABORTED, "PIN_RELEASED"))
        self.assertEqual(metadata["collection"], "docs")
        self.assertEqual(metadata["generation"], str(summary.generation))
        self.goes_on(summary.resume_token, 5)
        newest.send(close={})

        # As long as nothing is written nothing is held.
        walk = Walk(self.running, "docs", self.query)
        walk.opened()
        time.sleep(1.5)
        walk.credit(3)
        walk.take(3)
        walk.send(close={})
        walk.rest()

    def test_dead_rows_have_a_bound_and_the_oldest_cursor_gives_way(self):
        # A row takes 32 bytes of vector and some 30 more.
        for name, bound in (("dead_rows_max", "500"), ("dead_bytes_max", "30KiB")):
            with self.subTest(bound=name):
                self.oldest_gives_way(name, bound)
                self.running.kill()

    def oldest_gives_way(self, name, bound):
        self.begin(name, *config(f"index: {{{name}: {bound}}}\n"))
        old, other = Walk(self.running, "docs", self.query), None
        old.opened()
        old.credit(5)
        old.take(5)
        _, free = self.running.hits("docs", self.query, limit=3)
        for i in range(12):
            self.running.upsert("docs", self.rows.chunks)
            if i == 6:
                other = Walk(self.running, "docs", self.query)
                other.opened()
                time.sleep(1.5)
        summary = old.summary()
        self.assertEqual(summary.returned, 5)
        with self.assertRaises(grpc.RpcError) as raised:
            next(old.stream)
        self.assertEqual(reason(raised.exception)[:2], (grpc.StatusCode.ABORTED, "PIN_RELEASED"))
        self.assertIn(f"index.{name}", raised.exception.details())
        self.running.upsert("docs", self.rows.chunks[:1])
        for token in (free.resume_token, summary.resume_token):
            with self.assertRaises(grpc.RpcError) as raised:
                self.running.hits("docs", self.query, resume_token=token)
            self.assertEqual(reason(raised.exception)[1], "SNAPSHOT_GONE")

    def test_a_reader_that_sleeps_does_not_hold_the_past_either(self):
        self.begin("asleep", *config("index: {dead_rows_max: 500}\n"), n=900)
        for chunk in self.rows.chunks:
            chunk["text"] = "x" * 4000
        self.running.upsert("docs", *[self.rows.chunks[i : i + 300] for i in (0, 300, 600)])
        for method in ("Search", "Iterate", "ListChunks"):
            with self.subTest(method=method), self.running.another(
                *server.SMALL_WINDOW
            ) as slow:
                if method == "Search":
                    stream = slow.search("docs", self.query, limit=900)
                elif method == "Iterate":
                    walk = Walk(slow, "docs", self.query)
                    walk.credit(900)
                    stream = walk.stream
                else:
                    stream = slow.retrieval.ListChunks(
                        retrieval.ListChunksRequest(collection="docs"),
                        timeout=server.CALL_SECONDS,
                    )
                next(stream)
                # A list is held to the same, and is no cursor.
                listed = self.running.admin.ListCursors(
                    admin.ListCursorsRequest(), timeout=server.CALL_SECONDS
                ).cursors
                self.assertEqual(len(listed), method != "ListChunks")
                end = time.monotonic() + server.CALL_SECONDS
                while self.running.info().pinned_snapshots:
                    self.running.upsert("docs", self.rows.chunks[:300])
                    self.assertLess(time.monotonic(), end, "it is still held")
                with self.assertRaises(grpc.RpcError) as raised:
                    list(stream)
                self.assertEqual(raised.exception.code(), grpc.StatusCode.ABORTED)
                self.assertIn("index.dead_rows_max", raised.exception.details())
        self.running.wait_until_idle()

    def test_a_drain_ends_an_iterate_that_waits_with_a_token(self):
        self.begin("drained")
        walk = Walk(self.running, "docs", self.query)
        walk.opened()
        walk.credit(9)
        hits, _ = walk.take(9)
        self.running.terminate()
        summary = walk.summary()
        self.assertEqual(summary.stop_reason, retrieval.STOP_REASON_DRAINING)
        with self.assertRaises(grpc.RpcError) as raised:
            next(walk.stream)
        code, why, _ = reason(raised.exception)
        self.assertEqual((code, why), (grpc.StatusCode.UNAVAILABLE, "DRAINING"))
        self.assertEqual(self.running.wait(), 0)
        self.again("drained")
        self.goes_on(summary.resume_token, 9)
