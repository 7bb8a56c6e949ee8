// What a failed call tells a program, read by Go's gRPC: status.FromError and its details.
//
// No stubs: the messages come from the server's own reflection, so that nothing generated is kept.
package client

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Far above what any call takes, under a sanitizer too.
const callTime = 60 * time.Second

type client struct {
	*testing.T
	conn  *grpc.ClientConn
	files *protoregistry.Files
	ctx   context.Context
}

func open(t *testing.T) *client {
	t.Helper()
	conn, err := grpc.NewClient(os.Getenv("SLUICE_SERVER"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	t.Cleanup(cancel)
	c := &client{T: t, conn: conn, ctx: ctx}
	c.files = c.reflect("sluice.v1.CollectionService", "sluice.v1.IngestService",
		"sluice.v1.RetrievalService")
	return c
}

// reflect gives the files of the symbols and all that they import.
func (c *client) reflect(symbols ...string) *protoregistry.Files {
	c.Helper()
	stream, err := grpc_reflection_v1.NewServerReflectionClient(c.conn).ServerReflectionInfo(c.ctx)
	if err != nil {
		c.Fatal(err)
	}
	seen := map[string]bool{}
	set := &descriptorpb.FileDescriptorSet{}
	ask := func(request *grpc_reflection_v1.ServerReflectionRequest) {
		if err := stream.Send(request); err != nil {
			c.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			c.Fatal(err)
		}
		for _, bytes := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := &descriptorpb.FileDescriptorProto{}
			if err := proto.Unmarshal(bytes, file); err != nil {
				c.Fatal(err)
			}
			if !seen[file.GetName()] {
				seen[file.GetName()] = true
				set.File = append(set.File, file)
			}
		}
	}
	for _, symbol := range symbols {
		ask(&grpc_reflection_v1.ServerReflectionRequest{
			MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{
				FileContainingSymbol: symbol}})
	}
	for i := 0; i < len(set.File); i++ {
		for _, name := range set.File[i].GetDependency() {
			if !seen[name] {
				ask(&grpc_reflection_v1.ServerReflectionRequest{
					MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileByFilename{
						FileByFilename: name}})
			}
		}
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		c.Fatal(err)
	}
	return files
}

func (c *client) message(name, json string) proto.Message {
	c.Helper()
	descriptor, err := c.files.FindDescriptorByName(protoreflect.FullName("sluice.v1." + name))
	if err != nil {
		c.Fatal(err)
	}
	message := dynamicpb.NewMessage(descriptor.(protoreflect.MessageDescriptor))
	if err := protojson.Unmarshal([]byte(json), message); err != nil {
		c.Fatal(err)
	}
	return message
}

// call sends the messages of a call and reads to its end.
func (c *client) call(service, method string, messages ...string) error {
	c.Helper()
	stream, err := c.conn.NewStream(c.ctx,
		&grpc.StreamDesc{ClientStreams: true, ServerStreams: true},
		"/sluice.v1."+service+"/"+method)
	if err != nil {
		return err
	}
	for _, json := range messages {
		// A call that is over says why when it is read.
		if err := stream.SendMsg(c.message(method+"Request", json)); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		err := stream.RecvMsg(c.message(method+"Response", "{}"))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *client) succeeds(service, method string, messages ...string) {
	c.Helper()
	if err := c.call(service, method, messages...); err != nil {
		c.Fatal(err)
	}
}

type told struct {
	bad      *errdetails.BadRequest
	info     *errdetails.ErrorInfo
	resource *errdetails.ResourceInfo
}

func (c *client) fails(code codes.Code, reason string, err error) told {
	c.Helper()
	failure, ok := status.FromError(err)
	if !ok || failure.Code() != code {
		c.Fatalf("want %v: %v", code, err)
	}
	var found told
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.BadRequest:
			found.bad = detail
		case *errdetails.ErrorInfo:
			found.info = detail
		case *errdetails.ResourceInfo:
			found.resource = detail
		default:
			c.Fatalf("a detail that is not ours: %v", detail)
		}
	}
	if found.info.GetDomain() != "sluice.v1" || found.info.GetReason() != reason {
		c.Fatalf("want %s: %v", reason, found.info)
	}
	return found
}

func (c *client) wants(found, wanted string) {
	c.Helper()
	if found != wanted {
		c.Errorf("%q and not %q", found, wanted)
	}
}

func TestWrongDimensionNamesBothNumbers(t *testing.T) {
	c := open(t)
	c.succeeds("CollectionService", "CreateCollection",
		`{"collection": {"name": "dimension", "dimension": 3, "metric": "METRIC_COSINE"}}`)
	found := c.fails(codes.InvalidArgument, "DIMENSION_MISMATCH",
		c.call("RetrievalService", "Search",
			`{"collection": "dimension", "vector": {"values": [1, 2]}}`))
	c.wants(found.info.GetMetadata()["collection"], "dimension")
	c.wants(found.info.GetMetadata()["expected"], "3")
	c.wants(found.info.GetMetadata()["found"], "2")
	if len(found.bad.GetFieldViolations()) != 1 {
		t.Fatalf("%v", found.bad)
	}
	c.wants(found.bad.GetFieldViolations()[0].GetField(), "vector.values")
	c.wants(found.bad.GetFieldViolations()[0].GetReason(), "DIMENSION_MISMATCH")
}

func TestUnknownCollectionAndTakenNameAreResources(t *testing.T) {
	c := open(t)
	found := c.fails(codes.NotFound, "COLLECTION_NOT_FOUND",
		c.call("CollectionService", "GetCollection", `{"name": "nowhere"}`))
	c.wants(found.resource.GetResourceType(), "sluice.v1.Collection")
	c.wants(found.resource.GetResourceName(), "nowhere")

	taken := `{"collection": {"name": "taken", "dimension": 3, "metric": "METRIC_L2"}}`
	c.succeeds("CollectionService", "CreateCollection", taken)
	found = c.fails(codes.AlreadyExists, "COLLECTION_EXISTS",
		c.call("CollectionService", "CreateCollection", taken))
	c.wants(found.resource.GetResourceName(), "taken")
}

func TestRefusedBatchIsNamedByItsSequence(t *testing.T) {
	c := open(t)
	c.succeeds("CollectionService", "CreateCollection",
		`{"collection": {"name": "batches", "dimension": 2, "metric": "METRIC_L2"}}`)
	found := c.fails(codes.InvalidArgument, "DUPLICATE_ID",
		c.call("IngestService", "UpsertChunks",
			`{"collection": "batches", "sequence": 7, "chunks": [{"id": "a", "vector": {"values": [1, 2]}}]}`,
			`{"collection": "batches", "sequence": 8, "chunks": [
				{"id": "b", "vector": {"values": [1, 2]}}, {"id": "b", "vector": {"values": [2, 1]}}]}`))
	c.wants(found.info.GetMetadata()["sequence"], "8")
	c.wants(found.info.GetMetadata()["chunk_id"], "b")
}

func TestAllBrokenRulesAreListed(t *testing.T) {
	c := open(t)
	found := c.fails(codes.InvalidArgument, "SCHEMA_VIOLATION",
		c.call("RetrievalService", "Search",
			`{"collection": "Bad Name", "chunkId": "a", "limit": 0}`))
	violations := map[string]string{}
	for _, violation := range found.bad.GetFieldViolations() {
		violations[violation.GetField()] = violation.GetReason()
	}
	if len(violations) != 2 || violations["collection"] != "string.pattern" ||
		violations["limit"] != "uint64.gte" {
		t.Errorf("%v", violations)
	}
}
