"""What a failed call tells a program: google.rpc.Status in its trailer, as grpcio-status reads it."""

import unittest

import grpc
import server
from google.rpc import error_details_pb2 as google_details
from grpc_status import rpc_status
from sluice.v1 import collection_service_pb2 as collections
from sluice.v1 import errors_pb2 as errors
from sluice.v1 import ingest_service_pb2 as ingest
from sluice.v1 import retrieval_service_pb2 as retrieval

NAME = "error-details"


def details_of(failure):
    """{message type: detail}. from_call itself wants code and message to be the call's own."""
    status = rpc_status.from_call(failure)
    assert status is not None, f"no details: {failure}"
    details = {}
    for packed in status.details:
        name = packed.TypeName().removeprefix("google.rpc.")
        details[name] = getattr(google_details, name)()
        assert packed.Unpack(details[name]), packed
    return details


class ErrorDetailsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.shared()
        cls.server.create(NAME, 3)
        cls.server.upsert(NAME, [dict(id="a", vector=dict(values=[1, 2, 3]))])

    def fails(self, reason, call, request):
        with self.assertRaises(grpc.RpcError) as raised:
            answer = call(request, timeout=server.CALL_SECONDS)
            if hasattr(answer, "cancel"):
                list(answer)
        details = details_of(raised.exception)
        info = details["ErrorInfo"]
        self.assertEqual((info.domain, info.reason), ("sluice.v1", reason))
        self.assertIn("ERROR_REASON_" + info.reason, errors.ErrorReason.keys())
        return details

    def test_a_wrong_dimension_names_both_numbers_and_the_field(self):
        request = retrieval.SearchRequest(collection=NAME, vector=dict(values=[1, 2]))
        details = self.fails("DIMENSION_MISMATCH", self.server.retrieval.Search, request)
        self.assertEqual(
            dict(details["ErrorInfo"].metadata),
            {"collection": NAME, "expected": "3", "found": "2"},
        )
        (violation,) = details["BadRequest"].field_violations
        self.assertEqual(violation.field, "vector.values")
        self.assertEqual(violation.reason, "DIMENSION_MISMATCH")
        self.assertIn("dimension 3", violation.description)

    def test_what_is_not_there_and_what_is_taken_are_resources(self):
        details = self.fails(
            "COLLECTION_NOT_FOUND",
            self.server.collections.GetCollection,
            collections.GetCollectionRequest(name="nowhere"),
        )
        resource = details["ResourceInfo"]
        self.assertEqual(resource.resource_type, "sluice.v1.Collection")
        self.assertEqual(resource.resource_name, "nowhere")

        collection = dict(name=NAME, dimension=3, metric=collections.METRIC_COSINE)
        details = self.fails(
            "COLLECTION_EXISTS",
            self.server.collections.CreateCollection,
            collections.CreateCollectionRequest(collection=collection),
        )
        self.assertEqual(details["ResourceInfo"].resource_name, NAME)

    def test_a_refused_batch_is_named_by_its_sequence(self):
        chunks = [dict(id="b", vector=dict(values=[1, 2, 3])), dict(id="b", vector=dict(values=[3]))]
        for reason, refused in [("DUPLICATE_ID", chunks[:1] * 2), ("DIMENSION_MISMATCH", chunks)]:
            with self.subTest(reason=reason):
                batches = [
                    ingest.UpsertChunksRequest(collection=NAME, sequence=7, chunks=chunks[:1]),
                    ingest.UpsertChunksRequest(collection=NAME, sequence=8, chunks=refused),
                ]
                details = self.fails(reason, self.server.ingest.UpsertChunks, iter(batches))
                self.assertEqual(details["ErrorInfo"].metadata["sequence"], "8")
                self.assertEqual(details["ErrorInfo"].metadata["chunk_id"], "b")

    def test_all_broken_rules_are_listed(self):
        request = retrieval.SearchRequest(collection="Bad Name", chunk_id="a", limit=0)
        details = self.fails("SCHEMA_VIOLATION", self.server.retrieval.Search, request)
        violations = {
            (violation.field, violation.reason)
            for violation in details["BadRequest"].field_violations
        }
        self.assertEqual(violations, {("collection", "string.pattern"), ("limit", "uint64.gte")})
