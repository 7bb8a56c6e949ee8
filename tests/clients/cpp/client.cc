// Sluice from C++: what a program does with it, step after step, against the server that SLUICE_SERVER names.
//
// Each step says "ok STEP" or "not ok STEP: why" and the next goes on from it.
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "sluice/v1/admin_service.grpc.pb.h"
#include "sluice/v1/collection_service.grpc.pb.h"
#include "sluice/v1/ingest_service.grpc.pb.h"
#include "sluice/v1/retrieval_service.grpc.pb.h"

#include <chrono>
#include <cstdlib>
#include <grpcpp/grpcpp.h>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace sluice::v1;
using namespace std::chrono_literals;
using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using Ids = std::vector<std::string>;

namespace
{

constexpr int n_notes = 100, batch_notes = 25;

struct Sluice {
	explicit Sluice(std::shared_ptr<grpc::Channel> to) : channel(std::move(to))
	{
	}

	std::shared_ptr<grpc::Channel> channel;
	std::unique_ptr<CollectionService::Stub> collections = CollectionService::NewStub(channel);
	std::unique_ptr<IngestService::Stub> ingest = IngestService::NewStub(channel);
	std::unique_ptr<RetrievalService::Stub> retrieval = RetrievalService::NewStub(channel);
	std::unique_ptr<AdminService::Stub> admin = AdminService::NewStub(channel);
	std::unique_ptr<grpc::health::v1::Health::Stub> health =
		grpc::health::v1::Health::NewStub(channel);
	std::string token; // behind the hits that iterate() has read
};

// Every call has a deadline: far above what it takes, under a sanitizer too.
struct Context : ClientContext {
	explicit Context(std::chrono::milliseconds time = 60s)
	{
		set_deadline(std::chrono::system_clock::now() + time);
	}
};

void want(bool holds, const std::string &what)
{
	if (!holds)
		throw std::runtime_error(what);
}

void want_code(const Status &status, StatusCode code)
{
	want(status.error_code() == code, std::to_string(status.error_code()) + " " + status.error_message());
}

Ids notes(int first, int n)
{
	Ids ids;
	for (int i = first; i < first + n; i++)
		ids.push_back("note-" + std::to_string(i));
	return ids;
}

// The notes lie on a line and the query before its begin, so they come in their order.
SearchRequest query()
{
	SearchRequest request;
	request.set_collection("story");
	for (float value : {1.0F, 0.0F, 0.0F})
		request.mutable_vector()->add_values(value);
	request.mutable_accuracy()->mutable_exact();
	return request;
}

template <class Page> void add_ids(Ids &ids, const Page &page)
{
	for (const Hit &hit : page.hits())
		ids.push_back(hit.chunk().id());
}

Ids search(Sluice &sluice, const SearchRequest &request, Summary &ret_summary)
{
	Context context;
	auto stream = sluice.retrieval->Search(&context, request);
	SearchResponse page;
	Ids ids;
	while (stream->Read(&page)) {
		add_ids(ids, page);
		if (page.has_summary())
			ret_summary = page.summary();
	}
	want_code(stream->Finish(), StatusCode::OK);
	return ids;
}

void answers_health(Sluice &sluice)
{
	using grpc::health::v1::HealthCheckResponse;
	for (const char *service : {"", "readiness", "sluice.v1.RetrievalService"}) {
		Context context;
		context.set_wait_for_ready(true);
		grpc::health::v1::HealthCheckRequest request;
		request.set_service(service);
		HealthCheckResponse response;
		want_code(sluice.health->Check(&context, request, &response), StatusCode::OK);
		want(response.status() == HealthCheckResponse::SERVING, service);
	}
}

void creates(Sluice &sluice)
{
	CreateCollectionRequest request;
	auto *collection = request.mutable_collection();
	collection->set_name("story");
	collection->set_dimension(3);
	collection->set_metric(METRIC_L2);
	auto *field = collection->add_fields();
	field->set_name("number");
	field->set_type(FIELD_TYPE_INT);
	CreateCollectionResponse response;
	Context context;
	want_code(sluice.collections->CreateCollection(&context, request, &response), StatusCode::OK);
	want(response.collection().dimension() == 3, "dimension");
}

void upserts(Sluice &sluice)
{
	Context context;
	auto stream = sluice.ingest->UpsertChunks(&context);
	for (int first = 0; first < n_notes; first += batch_notes) {
		UpsertChunksRequest batch;
		batch.set_collection("story");
		batch.set_sequence(first / batch_notes);
		for (int i = first; i < first + batch_notes; i++) {
			Chunk *chunk = batch.add_chunks();
			chunk->set_id("note-" + std::to_string(i));
			chunk->set_text("Note number " + std::to_string(i));
			for (float value : {1.0F, float(i), 0.0F})
				chunk->mutable_vector()->add_values(value);
			(*chunk->mutable_metadata())["number"].set_int_value(i);
		}
		want(stream->Write(batch), "write");
	}
	stream->WritesDone();
	UpsertChunksResponse ack;
	uint64_t n_acks = 0;
	for (; stream->Read(&ack); n_acks++)
		want(ack.sequence() == n_acks && ack.inserted() == batch_notes, ack.ShortDebugString());
	want_code(stream->Finish(), StatusCode::OK);
	want(n_acks == n_notes / batch_notes, "acknowledgements");
}

void searches(Sluice &sluice)
{
	SearchRequest request = query();
	request.set_limit(40);
	Summary summary;
	want(search(sluice, request, summary) == notes(0, 40), "order");
	want(summary.stop_reason() == STOP_REASON_LIMIT && summary.guarantee() == GUARANTEE_EXACT,
	     summary.ShortDebugString());
}

void iterates(Sluice &sluice)
{
	Context context;
	auto stream = sluice.retrieval->Iterate(&context);
	IterateRequest request;
	*request.mutable_open() = query();
	stream->Write(request);
	request.mutable_credit()->set_hits(5);
	stream->Write(request);
	IterateResponse event;
	Ids ids;
	while (ids.size() < 5 && stream->Read(&event))
		if (event.has_batch()) {
			add_ids(ids, event.batch());
			sluice.token = event.batch().resume_token();
		}
	// Enough: of the 95 others none is made.
	request.mutable_close();
	stream->WriteLast(request, grpc::WriteOptions());
	while (stream->Read(&event))
		want(event.has_summary(), event.ShortDebugString());
	want_code(stream->Finish(), StatusCode::OK);
	want(ids == notes(0, 5), "order");
	want(event.summary().stop_reason() == STOP_REASON_CLOSED && event.summary().returned() == 5,
	     event.ShortDebugString());
}

void resumes(Sluice &sluice)
{
	SearchRequest request = query();
	request.set_limit(3);
	request.set_resume_token(sluice.token);
	Summary summary;
	want(search(sluice, request, summary) == notes(5, 3), "order");
}

void filters(Sluice &sluice)
{
	SearchRequest request = query();
	Condition *condition = request.mutable_filter()->add_all_of();
	condition->set_field("number");
	condition->mutable_range()->mutable_gte()->set_int_value(97);
	Summary summary;
	want(search(sluice, request, summary) == notes(97, 3), "order");
	want(summary.stop_reason() == STOP_REASON_EXHAUSTED, summary.ShortDebugString());
}

void reads_violations(Sluice &sluice)
{
	Context context;
	SearchRequest request;
	request.set_collection("Bad Name");
	auto stream = sluice.retrieval->Search(&context, request);
	SearchResponse page;
	want(!stream->Read(&page), "a page");
	Status status = stream->Finish();
	want_code(status, StatusCode::INVALID_ARGUMENT);

	// grpc-status-details-bin, as every gRPC library hands it out.
	google::rpc::Status told;
	google::rpc::BadRequest bad;
	google::rpc::ErrorInfo info;
	want(told.ParseFromString(status.error_details()), "details");
	for (const auto &detail : told.details())
		detail.UnpackTo(&bad) || detail.UnpackTo(&info);
	want(info.domain() == "sluice.v1" && info.reason() == "SCHEMA_VIOLATION", info.ShortDebugString());
	std::map<std::string, std::string> rules;
	for (const auto &violation : bad.field_violations())
		rules[violation.field()] = violation.reason();
	want(rules == decltype(rules){{"collection", "string.pattern"}, {"query", "required"}},
	     bad.ShortDebugString());
}

void ends_at_the_deadline(Sluice &sluice)
{
	Context context(200ms);
	auto stream = sluice.retrieval->Iterate(&context);
	IterateRequest request;
	*request.mutable_open() = query();
	stream->Write(request);
	// Without credit nothing comes but that it is open.
	IterateResponse event;
	while (stream->Read(&event))
		want(event.has_opened(), event.ShortDebugString());
	want_code(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

void leaves_nothing_open(Sluice &sluice)
{
	GetServerInfoResponse info;
	for (int looks = 0; looks < 1000; looks++) {
		Context context;
		want_code(sluice.admin->GetServerInfo(&context, {}, &info), StatusCode::OK);
		if (info.open_cursors() == 0)
			return;
		std::this_thread::sleep_for(10ms);
	}
	want(false, info.ShortDebugString());
}

struct Step {
	const char *name;
	void (*run)(Sluice &sluice);
};

constexpr Step steps[] = {
	{"health", answers_health},
	{"create", creates},
	{"upsert stream", upserts},
	{"search stream", searches},
	{"iterate with credit and stop early", iterates},
	{"resume from a token", resumes},
	{"filter", filters},
	{"violations", reads_violations},
	{"deadline", ends_at_the_deadline},
	{"nothing left open", leaves_nothing_open},
};

} // namespace

int main()
{
	const char *address = std::getenv("SLUICE_SERVER");
	Sluice sluice(grpc::CreateChannel(address ? address : "127.0.0.1:7700",
					  grpc::InsecureChannelCredentials()));
	int failed = 0;
	for (const Step &step : steps)
		try {
			step.run(sluice);
			std::cout << "ok " << step.name << std::endl;
		} catch (const std::exception &error) {
			std::cout << "not ok " << step.name << ": " << error.what() << std::endl;
			failed++;
		}
	return failed > 0;
}
