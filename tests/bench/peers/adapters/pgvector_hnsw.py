"""pgvector's graph."""

import adapters.base as base
import adapters.pgvector as pgvector


class Peer(pgvector.Pgvector):
    title = "pgvector HNSW"
    built_with = f"halfvec, m {base.M}, ef_construction {base.EF_CONSTRUCTION}, all processors"
    settings = tuple(f"ef_search={ef}" for ef in (*base.EF, 400))
    knob = "hnsw."
    iterative = "strict_order"
    deep = "ef_search=100"
    deep_how = "ten more of an open cursor, iterative scan"
    index = (
        "CREATE INDEX ON chunk USING hnsw (embedding halfvec_ip_ops) "
        f"WITH (m = {base.M}, ef_construction = {base.EF_CONSTRUCTION})"
    )
