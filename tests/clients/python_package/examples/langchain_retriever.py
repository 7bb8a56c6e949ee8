"""A LangChain retriever over a Sluice collection: pip install langchain-core sluice-client.

    retriever = SluiceRetriever(collection=db["notes"], embed=model.embed_query, limit=4)
    retriever.invoke("what did we decide?")
"""

from typing import Any, Callable, List, Optional, Sequence

import sluice
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever


class SluiceRetriever(BaseRetriever):
    collection: Any  # sluice.Collection
    embed: Callable[[str], Sequence[float]]
    limit: Optional[int] = 4
    max_tokens: Optional[int] = None  # of the passages together, neighbours too
    where: Any = None
    neighbors: Optional[sluice.Neighbors] = None

    def _get_relevant_documents(self, query: str, *, run_manager) -> List[Document]:
        with self.collection.search(
            self.embed(query),
            limit=self.limit,
            max_tokens=self.max_tokens,
            where=self.where,
            neighbors=self.neighbors,
        ) as hits:
            return [_document(hit) for hit in hits]


def _document(hit: sluice.Hit) -> Document:
    """A passage with what stands around it, in reading order."""
    around = sorted([*hit.neighbors, hit.chunk], key=lambda chunk: chunk.ordinal)
    metadata = {**hit.chunk.metadata, "document_id": hit.chunk.document_id, "score": hit.score}
    return Document(
        id=hit.id, page_content="\n".join(chunk.text for chunk in around), metadata=metadata
    )
