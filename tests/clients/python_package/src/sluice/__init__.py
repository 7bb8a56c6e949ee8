"""Sluice from Python.

    import sluice

    with sluice.connect("127.0.0.1:7700") as db:
        notes = db.create("notes", dimension=3)
        notes.upsert({"id": f"note-{i}", "text": f"Note {i}", "vector": [1, i, 0]} for i in range(100))
        print(len(notes), notes["note-7"].text)
        for hit in notes.search([1, 2, 0]):
            print(hit.score, hit.id)
            if hit.score < 0.9:
                break

A search is lazy: the server works for the hits that are asked for, and a loop that is left ends it.
sluice.aio has the same with await and async for.
"""

from . import aio
from .client import Client, Collection, Cursor, connect
from .errors import DeadlineExceeded, Invalid, NotFound, SluiceError, Unavailable, Violation
from .filters import all_of, any_of, field, none_of
from .model import Chunk, CollectionInfo, Hit, Neighbors, Summary, Written

__all__ = [
    "Chunk",
    "Client",
    "Collection",
    "CollectionInfo",
    "Cursor",
    "DeadlineExceeded",
    "Hit",
    "Invalid",
    "Neighbors",
    "NotFound",
    "SluiceError",
    "Summary",
    "Unavailable",
    "Violation",
    "Written",
    "aio",
    "all_of",
    "any_of",
    "connect",
    "field",
    "none_of",
]
