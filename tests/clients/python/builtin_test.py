"""Health and reflection, asked by grpcio's own packages."""

import unittest

import grpc
import server
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

SERVICES = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "sluice.v1.AdminService",
    "sluice.v1.CollectionService",
    "sluice.v1.IngestService",
    "sluice.v1.RetrievalService",
]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def request(service):
    return health_pb2.HealthCheckRequest(service=service)


class HealthTest(unittest.TestCase):
    def setUp(self):
        self.health = health_pb2_grpc.HealthStub(server.shared().channel)

    def test_every_service_is_well(self):
        for service in ["", *SERVICES]:
            with self.subTest(service=service):
                answer = self.health.Check(request(service), timeout=server.CALL_SECONDS)
                self.assertEqual(answer.status, SERVING)

    def test_an_unknown_service_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.health.Check(request("nobody"), timeout=server.CALL_SECONDS)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
        watch = self.health.Watch(request("nobody"), timeout=server.CALL_SECONDS)
        self.assertEqual(next(watch).status, SERVICE_UNKNOWN)
        watch.cancel()

    def test_the_list_names_every_service(self):
        listed = self.health.List(health_pb2.HealthListRequest(), timeout=server.CALL_SECONDS)
        statuses = {name: answer.status for name, answer in listed.statuses.items()}
        probes = {"startup", "readiness", "liveness"}
        self.assertEqual({name for name in statuses if name}, set(SERVICES) | probes)
        self.assertEqual(set(statuses.values()), {SERVING})

    def test_a_watch_sees_the_server_drain(self):
        mortal = server.Server("mortal")
        health = health_pb2_grpc.HealthStub(mortal.channel)
        watch = health.Watch(request("sluice.v1.RetrievalService"), timeout=server.CALL_SECONDS)
        self.assertEqual(next(watch).status, SERVING)
        mortal.terminate()
        self.assertEqual(next(watch).status, NOT_SERVING)
        self.assertEqual(mortal.wait(), 0)
        mortal.channel.close()


class ReflectionTest(unittest.TestCase):
    def setUp(self):
        self.database = ProtoReflectionDescriptorDatabase(server.shared().channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def test_every_service_is_listed(self):
        self.assertEqual(sorted(self.database.get_services()), SERVICES)

    def test_a_service_and_its_messages_are_described(self):
        service = self.pool.FindServiceByName("sluice.v1.RetrievalService")
        self.assertEqual(
            [method.name for method in service.methods],
            ["Search", "Iterate", "GetChunks", "ListChunks", "CountChunks"],
        )
        search = service.FindMethodByName("Search")
        self.assertTrue(search.server_streaming)
        self.assertFalse(search.client_streaming)
        self.assertEqual(search.input_type.fields_by_name["min_score"].number, 7)
        with self.assertRaises(KeyError):
            self.pool.FindMessageTypeByName("sluice.v1.Nothing")

    def test_a_client_without_stubs_can_call(self):
        service = self.pool.FindServiceByName("sluice.v1.AdminService")
        method = service.FindMethodByName("GetServerInfo")
        response = message_factory.GetMessageClass(method.output_type)
        call = server.shared().channel.unary_unary(
            "/sluice.v1.AdminService/GetServerInfo",
            request_serializer=message_factory.GetMessageClass(
                method.input_type
            ).SerializeToString,
            response_deserializer=response.FromString,
        )
        info = call(message_factory.GetMessageClass(method.input_type)())
        self.assertTrue(info.version)
        self.assertTrue(info.backend.startswith("cpu:"))
