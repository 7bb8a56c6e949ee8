"""Valid messages to start from: each way through every message that a request reaches."""

STRING = {"stringValue": "en"}
CHUNK = {
    "id": "git-1",
    "documentId": "git",
    "ordinal": 3,
    "text": "text",
    "tokenCount": 1,
    "metadata": {"lang": STRING},
    "vector": {"values": [0.5, 1]},
}


def condition(test):
    return {"collection": "docs", "filter": {"allOf": [{"field": "lang", **test}]}}


BASES = {
    "sluice.v1.SearchRequest": [
        {
            "collection": "docs",
            "vector": {"values": [0.5, -1]},
            "limit": 10,
            "budget": {"maxTokens": 5, "maxBytes": 7, "skipOversized": True},
            "minScore": 0.5,
            "accuracy": {"exact": {}},
            "maxHitsPerMessage": 5,
            "neighbors": {"before": 1, "after": 2},
            "readMask": "id,text",
            "resumeToken": "AAAA",
            "resumeOnNewest": False,
        },
        {"collection": "docs", "chunkId": "git-1", "accuracy": {"recallTarget": 0.75}},
        {"collection": "docs", "chunkId": "git-1", "filter": {"documentIds": {"ids": ["git"]}}},
        {
            "collection": "docs",
            "chunkId": "git-1",
            "filter": {"anyOf": {"conditions": [{"field": "a", "exists": True}]}},
        },
        {"collection": "docs", "chunkId": "git-1", "filter": {"noneOf": [{"field": "a", "prefix": "b"}]}},
    ],
    "sluice.v1.GetChunksRequest": [{"collection": "docs", "ids": ["git-1"], "readMask": "vector"}],
    "sluice.v1.ListChunksRequest": [{"collection": "docs", "limit": "5", "resumeToken": "_w"}],
    "sluice.v1.CountChunksRequest": [
        condition({"equalTo": STRING}),
        condition({"equalTo": {"intValue": "-5"}}),
        condition({"equalTo": {"doubleValue": 0.5}}),
        condition({"equalTo": {"boolValue": False}}),
        condition({"equalTo": {"stringList": {"values": ["a", "b"]}}}),
        condition({"oneOf": {"values": [STRING]}}),
        condition({"range": {"gt": STRING, "lte": STRING}}),
    ],
    "sluice.v1.UpsertChunksRequest": [{"collection": "docs", "sequence": "1", "chunks": [CHUNK]}],
    "sluice.v1.DeleteChunksRequest": [
        {"collection": "docs", "ids": {"ids": ["git-1"]}},
        {"collection": "docs", "filter": {"documentIds": {"ids": ["git"]}}},
    ],
    "sluice.v1.CreateCollectionRequest": [
        {
            "collection": {
                "name": "docs",
                "dimension": 3,
                "metric": "METRIC_COSINE",
                "index": {
                    "kind": "INDEX_KIND_FLAT",
                    "encoding": "VECTOR_ENCODING_FLOAT16",
                    "faissFactory": "HNSW32",
                    "lists": 7,
                    "defaultRecallTarget": 0.75,
                },
                "fields": [{"name": "lang", "type": "FIELD_TYPE_STRING", "required": True}],
            }
        }
    ],
    "sluice.v1.GetCollectionRequest": [{"name": "docs"}],
    "sluice.v1.ListCollectionsRequest": [{"pageSize": 5, "pageToken": "a"}],
    "sluice.v1.DeleteCollectionRequest": [{"name": "docs"}],
    "sluice.v1.ListCursorsRequest": [{"collection": "docs"}, {}],
    "sluice.v1.CancelCursorRequest": [{"cursorId": "7"}],
    "sluice.v1.GetToolSchemasRequest": [{"dialect": "TOOL_DIALECT_MCP"}, {}],
    "sluice.v1.CreateSnapshotRequest": [{"collection": "docs"}],
    "sluice.v1.ListSnapshotsRequest": [{"collection": "docs", "pageSize": 5, "pageToken": "a"}, {}],
    "sluice.v1.DeleteSnapshotRequest": [{"collection": "docs", "snapshotId": "7"}],
    "sluice.v1.DownloadSnapshotRequest": [{"collection": "docs", "snapshotId": "7"}],
    "sluice.v1.IterateRequest": [{"credit": {"hits": 5}}, {"close": {}}],
    # Every rule, also those that the contract has no use for: the .proto files beside this folder.
    "cases.Int32": [{}],
    "cases.Int64": [{}],
    "cases.UInt32": [{}],
    "cases.UInt64": [{}],
    "cases.SInt64": [{}],
    "cases.Fixed32": [{}],
    "cases.Float": [{}],
    "cases.Double": [{}],
    "cases.Strings": [{}],
    "cases.Formats": [{}],
    "cases.Bytes": [{}],
    "cases.Enums": [{}],
    "cases.Booleans": [{}],
    "cases.Lists": [{"items": [{"id": 1}]}],
    "cases.Required": [{"numbers": [1, 2]}],
    "cases.AtLeast": [{"numbers": [1, 2], "pairs": {"a": 1}}],
    "cases.Unique": [{}],
    "cases.Maps": [{"items": {"true": {"id": 1}}}],
    "cases.RequiredImplicit": [{"number": 1, "text": "a", "real": 0.5}],
    "cases.RequiredExplicit": [{"number": 1, "inner": {"low": 1}, "wrapped": 1}],
    "cases.RequiredMember": [{"number": 1}],
    "cases.Ignored": [{"alwaysChecked": 7}],
    "cases.Choice": [{"number": 7}, {"tree": {"size": 1, "left": {"size": 2}}}],
    "cases.AtMostOne": [{"a": 1}, {}],
    "cases.ExactlyOne": [{"a": 1}, {"b": [1]}],
    "cases.Wrapped": [{}],
    "cases.Durations": [{}],
    "cases.Timestamps": [{}],
    "cases.Masks": [{}],
    "cases.Anys": [{}],
}

# What these ask for, JSON Schema says in part and the description in full: the schema refuses nothing
# that the checker accepts, but may accept more.
ONE_WAY = {
    "cases.Formats",
    "cases.Bytes",
    "cases.Durations",
    "cases.Timestamps",
    "cases.Masks",
    "cases.Anys",
}
