// What an application does with Sluice, from its first call to its last, with the stubs that protoc
// makes of proto/ (README.md, "From Go"). go test compares what it prints with the lines at the end.
package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	sluice "sluice/v1"
)

func Example() {
	conn := must(grpc.NewClient(os.Getenv("SLUICE_SERVER"),
		grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer conn.Close()
	collections := sluice.NewCollectionServiceClient(conn)
	ingest := sluice.NewIngestServiceClient(conn)
	retrieval := sluice.NewRetrievalServiceClient(conn)
	// It ends every call that is made with it, a stream that is left early too.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	health := must(grpc_health_v1.NewHealthClient(conn).Check(ctx,
		&grpc_health_v1.HealthCheckRequest{Service: "sluice.v1.RetrievalService"}))
	fmt.Println("health:", health.Status)

	must(collections.CreateCollection(ctx, &sluice.CreateCollectionRequest{
		Collection: &sluice.Collection{
			Name: "animals", Dimension: 2, Metric: sluice.Metric_METRIC_COSINE,
			Fields: []*sluice.FieldSchema{{Name: "year", Type: sluice.FieldType_FIELD_TYPE_INT}},
		}}))

	// Upsert: batches go out while the acknowledgements of what is on disk come in.
	upserts := must(ingest.UpsertChunks(ctx))
	go func() {
		defer upserts.CloseSend()
		for i, batch := range [][]*sluice.Chunk{
			{chunk("ox", 1990, 1, 0), chunk("cow", 2005, 1, 0.1)},
			{chunk("hen", 2015, 1, 1), chunk("ant", 2020, 0, 1)},
		} {
			if upserts.Send(&sluice.UpsertChunksRequest{
				Collection: "animals", Sequence: uint64(i + 1), Chunks: batch}) != nil {
				return // Recv has the reason.
			}
		}
	}()
	for ack, err := range messages(upserts.Recv) {
		fmt.Printf("batch %d: %d on disk\n", must(ack, err).Sequence, ack.Inserted)
	}

	// Search: hits come a page at a time, best first.
	query := &sluice.SearchRequest_Vector{Vector: &sluice.Vector{Values: []float32{1, 0}}}
	show("search", must(retrieval.Search(ctx, &sluice.SearchRequest{
		Collection: "animals", Query: query, Limit: proto.Uint64(2)})))

	// Filter: only chunks that meet every condition can be hits.
	show("filter", must(retrieval.Search(ctx, &sluice.SearchRequest{
		Collection: "animals", Query: query, Filter: &sluice.Filter{
			AllOf: []*sluice.Condition{{Field: "year", Test: &sluice.Condition_Range{
				Range: &sluice.ValueRange{Gte: integer(2010)}}}},
		}})))

	// Iterate: the server works for the hits that were asked for, here one at a time.
	walk := must(retrieval.Iterate(ctx))
	send := func(request *sluice.IterateRequest) {
		if err := walk.Send(request); err != nil && err != io.EOF {
			log.Fatal(err)
		}
	}
	send(&sluice.IterateRequest{Action: &sluice.IterateRequest_Open{
		Open: &sluice.SearchRequest{Collection: "animals", Query: query}}})
	more := &sluice.IterateRequest{Action: &sluice.IterateRequest_Credit{
		Credit: &sluice.Credit{Hits: 1}}}
	send(more)
	var token []byte
	for message, err := range messages(walk.Recv) {
		for _, hit := range must(message, err).GetBatch().GetHits() {
			fmt.Println("iterate:", hit.Chunk.Id)
			if hit.Chunk.Id == "cow" {
				send(&sluice.IterateRequest{Action: &sluice.IterateRequest_Close{
					Close: &sluice.CloseCursor{}}})
			} else {
				send(more)
			}
		}
		if summary := message.GetSummary(); summary != nil {
			fmt.Println("stopped:", summary.StopReason, "after", summary.Returned)
			token = summary.ResumeToken
		}
	}

	// Resume: behind the last hit, another day, after a restart of the server too.
	show("resume", must(retrieval.Search(ctx, &sluice.SearchRequest{
		Collection: "animals", Query: query, ResumeToken: token})))

	// A mistake: everything that is wrong, field by field.
	wrong := must(retrieval.Search(ctx, &sluice.SearchRequest{
		Collection: "Animals!", Query: query, Limit: proto.Uint64(0)}))
	_, err := wrong.Recv()
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.FieldViolations {
				fmt.Printf("%s: %s (%s)\n", violation.Field, violation.Description, violation.Reason)
			}
		}
	}

	// A deadline: nothing was asked here, so nothing comes before it passes.
	brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	idle, err := retrieval.Iterate(brief)
	for err == nil {
		_, err = idle.Recv()
	}
	fmt.Println("deadline:", status.Code(err))

	// Output:
	// health: SERVING
	// batch 1: 2 on disk
	// batch 2: 2 on disk
	// search: 0 ox 1.000
	// search: 1 cow 0.995
	// filter: 0 hen 0.707
	// filter: 1 ant 0.000
	// iterate: ox
	// iterate: cow
	// stopped: STOP_REASON_CLOSED after 2
	// resume: 2 hen 0.707
	// resume: 3 ant 0.000
	// collection: found "Animals!", allowed is text that matches ^[a-z][a-z0-9_-]{0,62}$ (string.pattern)
	// limit: found 0, allowed is at least 1 (uint64.gte)
	// deadline: DeadlineExceeded
}

func chunk(id string, year int64, vector ...float32) *sluice.Chunk {
	return &sluice.Chunk{
		Id: id, Text: "All about the " + id, Vector: &sluice.Vector{Values: vector},
		Metadata: map[string]*sluice.MetadataValue{"year": integer(year)},
	}
}

func integer(value int64) *sluice.MetadataValue {
	return &sluice.MetadataValue{Kind: &sluice.MetadataValue_IntValue{IntValue: value}}
}

func show(what string, stream grpc.ServerStreamingClient[sluice.SearchResponse]) {
	for page, err := range messages(stream.Recv) {
		for _, hit := range must(page, err).Hits {
			fmt.Printf("%s: %d %s %.3f\n", what, hit.Rank, hit.Chunk.Id, hit.Score)
		}
	}
}

// messages ranges over what a stream receives, to its end or its failure.
func messages[M any](receive func() (M, error)) iter.Seq2[M, error] {
	return func(yield func(M, error) bool) {
		for {
			message, err := receive()
			if err == io.EOF || !yield(message, err) || err != nil {
				return
			}
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
