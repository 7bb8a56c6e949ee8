// What an application does with Sluice, from its first call to its last, with the stubs that ts-proto
// makes of proto/ (README.md, "From TypeScript"). What it prints is said by the comments "//=>", and is
// compared with them.
import * as grpc from "@grpc/grpc-js";

import { BadRequest } from "./gen/google/rpc/error_details";
import { Status } from "./gen/google/rpc/status";
import {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthClient,
} from "./gen/grpc/health/v1/health";
import { Chunk } from "./gen/sluice/v1/chunk";
import {
  CollectionServiceClient,
  CreateCollectionRequest,
  type CreateCollectionResponse,
  FieldType,
  Metric,
} from "./gen/sluice/v1/collection_service";
import { Filter } from "./gen/sluice/v1/filter";
import { IngestServiceClient, type UpsertChunksResponse } from "./gen/sluice/v1/ingest_service";
import {
  type Hit,
  IterateRequest,
  type IterateResponse,
  RetrievalServiceClient,
  SearchRequest,
  type SearchResponse,
  StopReason,
} from "./gen/sluice/v1/retrieval_service";

const address = process.env.SLUICE_SERVER ?? "127.0.0.1:7700";
const credentials = grpc.credentials.createInsecure();
const health = new HealthClient(address, credentials);
const collections = new CollectionServiceClient(address, credentials);
const ingest = new IngestServiceClient(address, credentials);
const retrieval = new RetrievalServiceClient(address, credentials);

// A call with one answer, as a promise.
function answer<T>(call: (done: (error: grpc.ServiceError | null, answer: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));
}

// The hits of a search, one by one. Who leaves the loop ends the search.
async function* hits(search: grpc.ClientReadableStream<SearchResponse>): AsyncGenerator<Hit> {
  try {
    for await (const page of search as AsyncIterable<SearchResponse>) yield* page.hits;
  } finally {
    search.cancel();
  }
}

const chunk = (id: string, year: number, values: number[]) =>
  Chunk.fromPartial({
    id,
    text: `All about the ${id}`,
    vector: { values },
    metadata: { year: { intValue: year } },
  });

async function story() {
  const { status } = await answer<HealthCheckResponse>((done) =>
    health.check({ service: "sluice.v1.RetrievalService" }, done),
  );
  console.log("health:", HealthCheckResponse_ServingStatus[status]); //=> health: SERVING

  await answer<CreateCollectionResponse>((done) =>
    collections.createCollection(
      CreateCollectionRequest.fromPartial({
        collection: {
          name: "animals",
          dimension: 2,
          metric: Metric.COSINE,
          fields: [{ name: "year", type: FieldType.INT }],
        },
      }),
      done,
    ),
  );

  // Upsert: each batch is acknowledged when it is on disk.
  const upserts = ingest.upsertChunks();
  const batches = [
    [chunk("ox", 1990, [1, 0]), chunk("cow", 2005, [1, 0.1])],
    [chunk("hen", 2015, [1, 1]), chunk("ant", 2020, [0, 1])],
  ];
  batches.forEach((chunks, i) => upserts.write({ collection: "animals", sequence: i + 1, chunks }));
  upserts.end();
  for await (const { sequence, inserted } of upserts as AsyncIterable<UpsertChunksResponse>)
    console.log(`batch ${sequence}: ${inserted} on disk`);
  //=> batch 1: 2 on disk
  //=> batch 2: 2 on disk

  // Search: the best come first, and the server does not run far ahead of the loop.
  const query = { collection: "animals", vector: { values: [1, 0] } };
  for await (const { rank, score, chunk } of hits(retrieval.search(SearchRequest.fromPartial(query)))) {
    console.log("search:", rank, chunk?.id, score.toFixed(3));
    if (score < 1) break;
  }
  //=> search: 0 ox 1.000
  //=> search: 1 cow 0.995

  // Filter: only chunks that meet every condition can be hits.
  const filter = Filter.fromPartial({ allOf: [{ field: "year", range: { gte: { intValue: 2010 } } }] });
  for await (const { chunk } of hits(retrieval.search(SearchRequest.fromPartial({ ...query, filter }))))
    console.log("filter:", chunk?.id);
  //=> filter: hen
  //=> filter: ant

  // Iterate: the server works for the hits that were asked for, here one at a time.
  const walk = retrieval.iterate();
  const more = IterateRequest.fromPartial({ credit: { hits: 1 } });
  walk.write(IterateRequest.fromPartial({ open: query }));
  walk.write(more);
  let resumeToken: Uint8Array | undefined;
  for await (const { batch, summary } of walk as AsyncIterable<IterateResponse>) {
    for (const { chunk } of batch?.hits ?? []) {
      console.log("iterate:", chunk?.id);
      walk.write(chunk?.id === "cow" ? IterateRequest.fromPartial({ close: {} }) : more);
    }
    if (summary) {
      console.log("stopped:", StopReason[summary.stopReason], "after", summary.returned);
      resumeToken = summary.resumeToken;
    }
  }
  walk.end();
  //=> iterate: ox
  //=> iterate: cow
  //=> stopped: CLOSED after 2

  // Resume: behind the last hit, another day, after a restart of the server too.
  for await (const { rank, chunk } of hits(
    retrieval.search(SearchRequest.fromPartial({ ...query, resumeToken })),
  ))
    console.log("resume:", rank, chunk?.id);
  //=> resume: 2 hen
  //=> resume: 3 ant

  // A mistake: all that is wrong comes at once, field by field.
  try {
    const wrong = SearchRequest.fromPartial({ ...query, collection: "Animals!", limit: 0 });
    for await (const _ of hits(retrieval.search(wrong)));
  } catch (error) {
    const [bytes] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
    for (const { typeUrl, value } of Status.decode(bytes as Buffer).details)
      if (typeUrl.endsWith("/google.rpc.BadRequest"))
        for (const { field, description } of BadRequest.decode(value).fieldViolations)
          console.log(`${field}: ${description}`);
  }
  //=> collection: found "Animals!", allowed is text that matches ^[a-z][a-z0-9_-]{0,62}$
  //=> limit: found 0, allowed is at least 1

  // A deadline: nothing was asked here, so nothing comes before it passes.
  try {
    const idle = retrieval.iterate({ deadline: Date.now() + 50 });
    for await (const _ of idle as AsyncIterable<IterateResponse>);
  } catch (error) {
    console.log("deadline:", grpc.status[(error as grpc.ServiceError).code]); //=> deadline: DEADLINE_EXCEEDED
  }
}

story().finally(() => [health, collections, ingest, retrieval].forEach((client) => client.close()));
