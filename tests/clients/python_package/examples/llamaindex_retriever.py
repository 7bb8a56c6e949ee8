"""A LlamaIndex retriever over a Sluice collection: pip install llama-index-core sluice-client.

    retriever = SluiceRetriever(db["notes"], embed=model.get_query_embedding, limit=4)
    retriever.retrieve("what did we decide?")
"""

from typing import Callable, List, Optional, Sequence

import sluice
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode


class SluiceRetriever(BaseRetriever):
    def __init__(
        self,
        collection: sluice.Collection,
        embed: Callable[[str], Sequence[float]],
        limit: Optional[int] = 4,
        **search,
    ):
        self._collection, self._embed = collection, embed
        self._search = {"limit": limit, **search}
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> List[NodeWithScore]:
        query = query_bundle.embedding or self._embed(query_bundle.query_str)
        with self._collection.search(query, **self._search) as hits:
            return [NodeWithScore(node=_node(hit.chunk), score=hit.score) for hit in hits]


def _node(chunk: sluice.Chunk) -> TextNode:
    return TextNode(id_=chunk.id, text=chunk.text, metadata=dict(chunk.metadata))
