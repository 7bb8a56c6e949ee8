// What a failed call tells a program, read by @grpc/grpc-js: grpc-status-details-bin of its trailer.
"use strict";

const assert = require("node:assert");
const path = require("node:path");
const { after, before, test } = require("node:test");

const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");

const PROTOS = process.env.SLUICE_PROTOS;
const ADDRESS = process.env.SLUICE_SERVER;
// Far above what any call takes, under a sanitizer too.
const CALL_MS = 60000;
const COSINE = "METRIC_COSINE";

const clients = {};
let details;

before(() => {
  const definition = loader.loadSync(
    ["collection", "ingest", "retrieval"].map((name) => `sluice/v1/${name}_service.proto`),
    { includeDirs: [PROTOS], keepCase: true, longs: String, enums: String },
  );
  const { v1 } = grpc.loadPackageDefinition(definition).sluice;
  for (const name of ["CollectionService", "IngestService", "RetrievalService"])
    clients[name] = new v1[name](ADDRESS, grpc.credentials.createInsecure());

  details = new protobuf.Root();
  details.resolvePath = (_, target) => (target.startsWith("/") ? target : path.join(PROTOS, target));
  details.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
});

after(() => Object.values(clients).forEach((client) => client.close()));

function deadline() {
  return { deadline: Date.now() + CALL_MS };
}

// Resolves to the failure of a call with one answer; rejects where there is none.
function unary(client, method, request) {
  return new Promise((resolve, reject) =>
    client[method](request, deadline(), (failure) =>
      failure ? resolve(failure) : reject(new Error(`${method} succeeded`)),
    ),
  );
}

// The same for a stream that the server answers.
function stream(call) {
  return new Promise((resolve, reject) => {
    call.on("data", () => {});
    call.on("error", resolve);
    call.on("end", () => setTimeout(reject, 1000, new Error("the stream ended well")));
  });
}

function create(name, dimension, metric) {
  return new Promise((resolve, reject) =>
    clients.CollectionService.CreateCollection(
      { collection: { name, dimension, metric } },
      deadline(),
      (failure) => (failure ? reject(failure) : resolve()),
    ),
  );
}

// {message type: detail}, of a failure with that code and reason.
function detailsOf(failure, code, reason) {
  assert.strictEqual(failure.code, code, failure.message);
  const [bytes] = failure.metadata.get("grpc-status-details-bin");
  const status = details.lookupType("google.rpc.Status").decode(bytes);
  assert.strictEqual(status.code, code);
  assert.strictEqual(status.message, failure.details);
  const found = {};
  for (const { type_url: type, typeUrl, value } of status.details) {
    const name = (type ?? typeUrl).replace("type.googleapis.com/", "");
    const message = details.lookupType(name);
    found[message.name] = message.toObject(message.decode(value), { longs: Number });
  }
  assert.strictEqual(found.ErrorInfo.domain, "sluice.v1");
  assert.strictEqual(found.ErrorInfo.reason, reason);
  return found;
}

test("a wrong dimension names both numbers and the field", async () => {
  await create("dimension", 3, COSINE);
  const request = { collection: "dimension", vector: { values: [1, 2] } };
  const failure = await stream(clients.RetrievalService.Search(request, deadline()));
  const found = detailsOf(failure, grpc.status.INVALID_ARGUMENT, "DIMENSION_MISMATCH");
  assert.deepStrictEqual(found.ErrorInfo.metadata, {
    collection: "dimension",
    expected: "3",
    found: "2",
  });
  const [violation] = found.BadRequest.fieldViolations;
  assert.strictEqual(violation.field, "vector.values");
  assert.strictEqual(violation.reason, "DIMENSION_MISMATCH");
});

test("what is not there and what is taken are resources", async () => {
  const { CollectionService: client } = clients;
  let failure = await unary(client, "GetCollection", { name: "nowhere" });
  let found = detailsOf(failure, grpc.status.NOT_FOUND, "COLLECTION_NOT_FOUND");
  assert.strictEqual(found.ResourceInfo.resourceType, "sluice.v1.Collection");
  assert.strictEqual(found.ResourceInfo.resourceName, "nowhere");

  await create("taken", 3, COSINE);
  failure = await unary(client, "CreateCollection", {
    collection: { name: "taken", dimension: 3, metric: COSINE },
  });
  found = detailsOf(failure, grpc.status.ALREADY_EXISTS, "COLLECTION_EXISTS");
  assert.strictEqual(found.ResourceInfo.resourceName, "taken");
});

test("a refused batch is named by its sequence", async () => {
  await create("batches", 2, COSINE);
  const call = clients.IngestService.UpsertChunks(deadline());
  const failed = stream(call);
  const chunk = { id: "b", vector: { values: [1, 2] } };
  call.write({ collection: "batches", sequence: 7, chunks: [chunk] });
  call.write({ collection: "batches", sequence: 8, chunks: [chunk, chunk] });
  call.end();
  const found = detailsOf(await failed, grpc.status.INVALID_ARGUMENT, "DUPLICATE_ID");
  assert.strictEqual(found.ErrorInfo.metadata.sequence, "8");
  assert.strictEqual(found.ErrorInfo.metadata.chunk_id, "b");
});

test("all broken rules are listed", async () => {
  const request = { collection: "Bad Name", chunk_id: "a", limit: 0 };
  const failure = await stream(clients.RetrievalService.Search(request, deadline()));
  const found = detailsOf(failure, grpc.status.INVALID_ARGUMENT, "SCHEMA_VIOLATION");
  const violations = found.BadRequest.fieldViolations.map(({ field, reason }) => [field, reason]);
  assert.deepStrictEqual(violations.sort(), [
    ["collection", "string.pattern"],
    ["limit", "uint64.gte"],
  ]);
});
