"""pgvector's inverted lists."""

import adapters.pgvector as pgvector


class Peer(pgvector.Pgvector):
    title = "pgvector IVFFlat"
    built_with = "halfvec, as many lists as the root of the rows, all processors"
    settings = tuple(f"probes={n}" for n in (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128))
    knob = "ivfflat."
    iterative = "relaxed_order"
    deep = "probes=24"
    deep_how = "ten more of an open cursor, iterative scan"
    index = "CREATE INDEX ON chunk USING ivfflat (embedding halfvec_ip_ops) WITH (lists = {lists})"
