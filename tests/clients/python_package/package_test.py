"""The Python package's story, blocking and awaited, against a real server."""

import asyncio
import collections.abc
import inspect
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

import grpc
import sluice

SLUICE = os.environ["SLUICE_BINARY"]
WORK = pathlib.Path(os.environ["SLUICE_WORK"])
N = 100


def note(i):
    return {
        "id": f"note-{i}",
        "text": f"Note number {i}",
        "vector": [1, i, 0],
        "document_id": f"doc-{i // 10}",
        "ordinal": i % 10,
        "token_count": 4,
        "metadata": {"number": i, "even": i % 2 == 0, "tags": ["note", f"t{i % 3}"]},
    }


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            [SLUICE, "serve", "--listen", "127.0.0.1:0", "--data", str(WORK / "data"), "--gpu", "off"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().removeprefix("listening on ").strip()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    status = server.stop()
    assert status == 0, f"the server ended with {status}"


class Story(unittest.TestCase):
    def setUp(self):
        self.db = sluice.connect(server.address)
        fields = {"number": int, "even": bool, "tags": list}
        self.notes = self.db.create("notes", 3, metric="l2", fields=fields)
        self.written = self.notes.upsert(map(note, range(N)), batch=30)

    def tearDown(self):
        if "notes" in self.db:
            del self.db["notes"]
        # A loop that was left tells the server so, which takes a moment.
        end = time.monotonic() + 10
        while self.db.info().open_cursors and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(self.db.info().open_cursors, 0)
        self.db.close()

    def test_health_is_one_word(self):
        self.assertTrue(self.db.healthy())
        self.assertTrue(self.db.healthy("sluice.v1.RetrievalService"))
        with self.assertRaises(sluice.NotFound):
            self.db.healthy("nobody")
        with sluice.connect("127.0.0.1:1") as db:
            self.assertFalse(db.healthy())

    def test_collections_are_a_mapping(self):
        self.assertEqual(list(self.db), ["notes"])
        self.assertEqual(len(self.db), 1)
        self.assertEqual(self.db["notes"].info().dimension, 3)
        self.assertEqual(self.db["notes"].info().metric, "l2")
        with self.assertRaises(KeyError):
            self.db["none"]
        with self.assertRaises(KeyError):
            del self.db["none"]

    def test_chunks_are_a_mapping(self):
        self.assertEqual((self.written.inserted, self.written.replaced), (N, 0))
        self.assertEqual(len(self.notes), N)
        chunk = self.notes["note-7"]
        self.assertEqual(chunk, sluice.Chunk(**note(7)))
        self.assertIn("note-7", self.notes)
        self.assertNotIn("note-700", self.notes)
        self.assertEqual(list(self.notes)[:2], ["note-0", "note-1"])
        self.notes["note-7"] = {"text": "again", "vector": [9, 9, 9]}
        self.assertEqual(self.notes["note-7"].text, "again")
        del self.notes["note-7"]
        with self.assertRaises(KeyError):
            self.notes["note-7"]
        with self.assertRaises(KeyError):
            del self.notes["note-7"]
        self.assertEqual(len(self.notes), N - 1)

    def test_a_search_is_lazy_and_ends_with_its_loop(self):
        seen = []
        for hit in self.notes.search([1, 20.2, 0]):
            seen.append(hit.id)
            if len(seen) == 5:
                break
        self.assertEqual(seen, [f"note-{i}" for i in (20, 21, 19, 22, 18)])

    def test_a_search_that_is_read_to_its_end_says_why(self):
        with self.notes.search([1, 0, 0], exact=True) as hits:
            ids = [hit.id for hit in hits]
        self.assertEqual(ids, [f"note-{i}" for i in range(N)])
        self.assertEqual(hits.summary.stop_reason, "EXHAUSTED")
        self.assertTrue(hits.summary.exact)

    def test_a_context_ends_it_and_says_what_it_cost(self):
        with self.notes.search([1, 0, 0]) as hits:
            next(hits)
        self.assertEqual(hits.summary.stop_reason, "CLOSED")
        self.assertLess(hits.summary.returned, N)
        self.assertRaises(StopIteration, next, hits)

    def test_what_is_asked_for_at_a_time_is_all_that_is_made(self):
        with self.notes.search([1, 0, 0], page=3) as hits:
            ids = [next(hits).id for _ in range(4)]
        self.assertEqual(ids, [f"note-{i}" for i in range(4)])
        # One, whose token is the start's, and a page behind it.
        self.assertEqual((hits.summary.stop_reason, hits.summary.returned), ("CLOSED", 1 + 3))

    def test_a_token_goes_on_behind_any_hit(self):
        for stop in (1, 2, 5, 33, 34, 99):
            with self.notes.search([1, 0, 0], exact=True) as hits:
                before = [next(hits).id for _ in range(stop)]
                token = hits.token
            again = self.notes.search([1, 0, 0], exact=True, resume=token, limit=3)
            after = [hit.id for hit in again]
            self.assertEqual(before + after, [f"note-{i}" for i in range(min(stop + 3, N))])

    def test_a_few_hits_are_one_answer(self):
        """And what is told of a walk is told of it: a token behind any hit, what it cost."""
        wanted = [f"note-{i}" for i in range(N)]
        for stop in (1, 2, 9, 10):
            with self.notes.search([1, 0, 0], exact=True, limit=10) as hits:
                before = [next(hits).id for _ in range(stop)]
                token = hits.token
            self.assertRaises(StopIteration, next, hits)
            self.assertEqual((hits.summary.stop_reason, hits.summary.returned), ("LIMIT", 10))
            with self.notes.search([1, 0, 0], exact=True, limit=5, resume=token) as more:
                after = [hit.id for hit in more]
            self.assertEqual(more.summary.stop_reason, "LIMIT")
            self.assertEqual(before + after, wanted[: stop + 5])
            rest = [hit.id for hit in self.notes.search([1, 0, 0], exact=True, resume=more.token)]
            self.assertEqual(before + after + rest, wanted)
        hits = self.notes.search([1, 0, 0], limit=10)
        self.assertEqual(next(hits).id, "note-0")  # and is left
        self.assertIsNotNone(hits.token)

    def test_a_limit_and_a_floor_and_a_budget(self):
        self.assertEqual(len(list(self.notes.search([1, 0, 0], limit=7))), 7)
        self.assertEqual(len(list(self.notes.search([1, 0, 0], min_score=-4.5))), 3)
        self.assertEqual(len(list(self.notes.search([1, 0, 0], max_tokens=8))), 2)

    def test_a_search_by_id_with_neighbors(self):
        around = sluice.Neighbors(before=1, after=1)
        hit = next(self.notes.search("note-15", neighbors=around, vectors=True))
        self.assertEqual(hit.id, "note-14")
        self.assertEqual([chunk.id for chunk in hit.neighbors], ["note-13", "note-15"])
        self.assertEqual(hit.chunk.vector, [1, 14, 0])

    def test_filters(self):
        field = sluice.field
        count = self.notes.count
        self.assertEqual(count({"even": True}), 50)
        self.assertEqual(count(sluice.all_of(field("number") >= 10, field("number") < 20)), 10)
        self.assertEqual(count(sluice.any_of({"number": 1}, {"number": 2})), 2)
        self.assertEqual(count(sluice.none_of({"even": True})), 50)
        self.assertEqual(count(field("number").one_of(3, 4, 500)), 2)
        self.assertEqual(count(field("tags") == "t0"), 34)
        self.assertEqual(count(sluice.all_of(documents=["doc-3"])), 10)
        hits = self.notes.search([1, 0, 0], where=field("number") > 96)
        self.assertEqual([hit.id for hit in hits], ["note-97", "note-98", "note-99"])
        self.assertEqual(self.notes.delete(where=field("number") >= 90), 10)

    def test_what_is_wrong_is_said_field_by_field(self):
        with self.assertRaises(sluice.Invalid) as caught:
            self.notes.upsert([{"id": "", "vector": [1, 2, 3]}])
        error = caught.exception
        self.assertIs(error.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual([each.field for each in error.violations], ["chunks[0].id"])
        self.assertEqual(error.violations[0].reason, "string.min_len")
        with self.assertRaises(ValueError):
            next(self.notes.search([1, 2]))
        with self.assertRaises(sluice.NotFound) as caught:
            self.db.collection("none").count()
        self.assertEqual(caught.exception.reason, "COLLECTION_NOT_FOUND")

    def test_a_deadline_and_a_server_that_is_not_there(self):
        with sluice.connect(server.address, timeout=-1.0) as db:
            with self.assertRaises(TimeoutError) as caught:
                db.info()
            self.assertIs(caught.exception.code, grpc.StatusCode.DEADLINE_EXCEEDED)
        with self.assertRaises(sluice.DeadlineExceeded):
            for _ in self.notes.search([1, 0, 0], page=1, timeout=0.2):
                time.sleep(0.3)
        with sluice.connect("127.0.0.1:1") as db:
            self.assertRaises(ConnectionError, db.info)

    def test_optimizing_tells_how_far_it_is(self):
        self.assertEqual(list(self.notes.optimize())[-1], 1.0)


class AsyncStory(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.db = sluice.aio.connect(server.address)
        fields = {"number": int, "even": bool, "tags": list}
        self.notes = await self.db.create("notes", 3, metric="l2", fields=fields)
        self.written = await self.notes.upsert(map(note, range(N)), batch=30)

    async def asyncTearDown(self):
        await self.db.drop("notes")
        self.assertEqual((await self.db.info()).open_cursors, 0)
        await self.db.close()

    async def test_the_same_awaited(self):
        self.assertTrue(await self.db.healthy())
        self.assertEqual((self.written.inserted, self.written.replaced), (N, 0))
        self.assertEqual(await self.notes.count(), N)
        self.assertEqual((await self.notes.info()).chunks, N)
        self.assertEqual((await self.notes.get(["note-3", "none"]))[1], None)
        seen = []
        async with self.notes.search([1, 0, 0]) as hits:
            async for hit in hits:
                seen.append(hit.id)
                if len(seen) == 40:
                    break
        self.assertEqual(hits.summary.stop_reason, "CLOSED")
        async with self.notes.search([1, 0, 0], resume=hits.token) as more:
            seen += [hit.id async for hit in more]
        self.assertEqual(seen, [f"note-{i}" for i in range(N)])
        self.assertEqual(more.summary.stop_reason, "EXHAUSTED")
        self.assertEqual([chunk.id async for chunk in self.notes.chunks()][:2], ["note-0", "note-1"])
        self.assertEqual(await self.notes.delete(["note-1"]), 1)

    async def test_a_few_hits_are_one_answer(self):
        async with self.notes.search([1, 0, 0], limit=10) as hits:
            before = [(await hits.__anext__()).id for _ in range(4)]
            token = hits.token
        with self.assertRaises(StopAsyncIteration):
            await hits.__anext__()
        self.assertEqual((hits.summary.stop_reason, hits.summary.returned), ("LIMIT", 10))
        async with self.notes.search([1, 0, 0], limit=3, resume=token) as more:
            after = [hit.id async for hit in more]
        self.assertEqual(before + after, [f"note-{i}" for i in range(7)])
        self.notes.search([1, 0, 0], limit=10)  # that nobody awaits
        with self.assertRaises(sluice.Invalid):
            await self.notes.search([1, 2], limit=1).__anext__()

    async def test_credit_and_a_filter(self):
        async with self.notes.search([1, 0, 0], page=3) as hits:
            ids = [(await hits.__anext__()).id for _ in range(4)]
        self.assertEqual(ids, [f"note-{i}" for i in range(4)])
        self.assertEqual((hits.summary.stop_reason, hits.summary.returned), ("CLOSED", 1 + 3))
        hits = self.notes.search([1, 0, 0], where=sluice.field("number") > 96)
        self.assertEqual([hit.id async for hit in hits], ["note-97", "note-98", "note-99"])

    async def test_fifty_searches_side_by_side(self):
        async def nearest(i):
            async with self.notes.search([1, i, 0]) as hits:
                return (await hits.__anext__()).id

        found = await asyncio.gather(*map(nearest, range(50)))
        self.assertEqual(found, [f"note-{i}" for i in range(50)])

    async def test_errors_are_ours(self):
        with self.assertRaises(sluice.NotFound):
            await self.db.collection("none").count()
        with self.assertRaises(sluice.Invalid) as caught:
            await self.notes.upsert([{"id": "", "vector": [1, 2, 3]}])
        self.assertEqual([each.field for each in caught.exception.violations], ["chunks[0].id"])
        with self.assertRaises(sluice.NotFound):
            await self.db.healthy("nobody")
        with self.assertRaises(TimeoutError):
            async for _ in self.notes.search([1, 0, 0], page=1, timeout=0.2):
                await asyncio.sleep(0.3)
        with self.assertRaises(sluice.Invalid):
            async for _ in self.notes.search([1, 2]):
                pass

    async def test_both_clients_have_the_same_methods(self):
        operators = {"optimize", *dir(collections.abc.Mapping)}
        for kind in ("Client", "Collection", "Cursor"):
            ours, theirs = getattr(sluice, kind), getattr(sluice.aio, kind)
            names = {name for name, _ in inspect.getmembers(ours) if not name.startswith("_")}
            self.assertLessEqual(names - operators, set(dir(theirs)))


class Retrievers(unittest.TestCase):
    """Those of examples/, with the frameworks that they are for."""

    def setUp(self):
        self.db = sluice.connect(server.address)
        self.notes = self.db.create("notes", 3, metric="l2", fields={"even": bool})
        self.notes.upsert(map(note, range(N)))

    def tearDown(self):
        del self.db["notes"]
        self.db.close()

    def embed(self, text):
        return [1.0, float(text), 0.0]

    def test_langchain(self):
        import langchain_retriever

        retriever = langchain_retriever.SluiceRetriever(
            collection=self.notes,
            embed=self.embed,
            limit=2,
            neighbors=sluice.Neighbors(after=1),
            where={"even": True},
        )
        found = retriever.invoke("31.4")
        self.assertEqual([document.id for document in found], ["note-32", "note-30"])
        self.assertEqual(found[0].metadata["document_id"], "doc-3")
        self.assertIn("Note number 34", found[0].page_content)

    def test_llamaindex(self):
        import llamaindex_retriever

        retriever = llamaindex_retriever.SluiceRetriever(self.notes, embed=self.embed, limit=3)
        found = retriever.retrieve("31.4")
        self.assertEqual([each.node.node_id for each in found], ["note-31", "note-32", "note-30"])
        self.assertEqual(found[0].text, "Note number 31")


class DocsTest(unittest.TestCase):
    def test_the_example_of_the_package_runs(self):
        example = re.search(r"\n\n((?:    .*\n|\n)+)", sluice.__doc__).group(1)
        code = "\n".join(line[4:] for line in example.splitlines())
        code = code.replace("127.0.0.1:7700", server.address)
        printed = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        self.assertTrue(printed.startswith("100 Note 7\n"), printed)
        with sluice.connect(server.address) as db:
            del db["notes"]


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(
        f"Synthesis: Tested: {result.testsRun} | Passing: {result.testsRun - bad} "
        f"| Failing: {bad} | Crashing: 0"
    )
    sys.exit(bad > 0)
