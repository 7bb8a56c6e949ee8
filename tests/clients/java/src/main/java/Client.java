import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import sluice.v1.*;

/**
 * Sluice from Java: what a program does with it, step after step, against the server that SLUICE_SERVER names.
 *
 * <p>Each step says "ok STEP" or "not ok STEP: why" and the next goes on from it.
 */
public final class Client {
	private static final int NOTES = 100;
	private static final int BATCH = 25;

	/** Far above what any call takes, under a sanitizer too. */
	private static final int CALL_SECONDS = 60;

	private final ManagedChannel channel;

	/** Behind the hits that iterates() has read. */
	private com.google.protobuf.ByteString token;

	private Client(ManagedChannel channel) {
		this.channel = channel;
	}

	private RetrievalServiceGrpc.RetrievalServiceBlockingV2Stub retrieval() {
		return RetrievalServiceGrpc.newBlockingV2Stub(channel)
			.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
	}

	private static void want(boolean holds, Object what) {
		if (!holds) throw new AssertionError(what);
	}

	private static List<String> notes(int first, int n) {
		return IntStream.range(first, first + n).mapToObj(i -> "note-" + i).toList();
	}

	private static List<String> ids(List<Hit> hits) {
		return hits.stream().map(hit -> hit.getChunk().getId()).toList();
	}

	private static Vector vector(float... values) {
		Vector.Builder vector = Vector.newBuilder();
		for (float value : values) vector.addValues(value);
		return vector.build();
	}

	/** The notes lie on a line and the query before its begin, so they come in their order. */
	private static SearchRequest.Builder query() {
		return SearchRequest.newBuilder()
			.setCollection("story")
			.setVector(vector(1, 0, 0))
			.setAccuracy(Accuracy.newBuilder().setExact(Exact.getDefaultInstance()));
	}

	/** The hits' ids, once the stream has ended with a summary. */
	private List<String> search(SearchRequest.Builder request, StopReason reason) {
		List<String> ids = new ArrayList<>();
		Summary summary = null;
		Iterator<SearchResponse> pages = RetrievalServiceGrpc.newBlockingStub(channel)
			.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
			.search(request.build());
		while (pages.hasNext()) {
			SearchResponse page = pages.next();
			ids.addAll(ids(page.getHitsList()));
			if (page.hasSummary()) summary = page.getSummary();
		}
		want(summary != null && summary.getStopReason() == reason, summary);
		want(summary.getGuarantee() == Guarantee.GUARANTEE_EXACT, summary);
		return ids;
	}

	private void answersHealth() {
		for (String service : List.of("", "readiness", "sluice.v1.RetrievalService"))
			want(HealthGrpc.newBlockingStub(channel)
				.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
				.withWaitForReady()
				.check(HealthCheckRequest.newBuilder().setService(service).build())
				.getStatus() == ServingStatus.SERVING, service);
	}

	private void creates() {
		Collection.Builder collection = Collection.newBuilder()
			.setName("story")
			.setDimension(3)
			.setMetric(Metric.METRIC_L2)
			.addFields(FieldSchema.newBuilder().setName("number").setType(FieldType.FIELD_TYPE_INT));
		CreateCollectionResponse response = CollectionServiceGrpc.newBlockingStub(channel)
			.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
			.createCollection(CreateCollectionRequest.newBuilder().setCollection(collection).build());
		want(response.getCollection().getDimension() == 3, response);
	}

	private static Chunk note(int i) {
		return Chunk.newBuilder()
			.setId("note-" + i)
			.setText("Note number " + i)
			.setVector(vector(1, i, 0))
			.putMetadata("number", MetadataValue.newBuilder().setIntValue(i).build())
			.build();
	}

	private void upserts() throws Exception {
		BlockingClientCall<UpsertChunksRequest, UpsertChunksResponse> stream =
			IngestServiceGrpc.newBlockingV2Stub(channel)
				.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
				.upsertChunks();
		for (int first = 0; first < NOTES; first += BATCH) {
			UpsertChunksRequest.Builder batch = UpsertChunksRequest.newBuilder()
				.setCollection("story")
				.setSequence(first / BATCH);
			for (int i = first; i < first + BATCH; i++) batch.addChunks(note(i));
			want(stream.write(batch.build()), "write");
		}
		stream.halfClose();
		for (int i = 0; i < NOTES / BATCH; i++) {
			UpsertChunksResponse ack = stream.read();
			want(ack.getSequence() == i && ack.getInserted() == BATCH, ack);
		}
		want(stream.read() == null, "one acknowledgement too many");
	}

	private void searches() {
		want(search(query().setLimit(40), StopReason.STOP_REASON_LIMIT).equals(notes(0, 40)), "order");
	}

	private void iterates() throws Exception {
		BlockingClientCall<IterateRequest, IterateResponse> stream = retrieval().iterate();
		stream.write(IterateRequest.newBuilder().setOpen(query()).build());
		stream.write(IterateRequest.newBuilder().setCredit(Credit.newBuilder().setHits(5)).build());
		List<String> ids = new ArrayList<>();
		while (ids.size() < 5) {
			IterateResponse event = stream.read();
			ids.addAll(ids(event.getBatch().getHitsList()));
			token = event.getBatch().getResumeToken();
		}
		// Enough: of the 95 others none is made.
		stream.write(IterateRequest.newBuilder().setClose(CloseCursor.getDefaultInstance()).build());
		stream.halfClose();
		Summary summary = stream.read().getSummary();
		want(stream.read() == null, "more than a summary");
		want(ids.equals(notes(0, 5)), ids);
		want(summary.getStopReason() == StopReason.STOP_REASON_CLOSED && summary.getReturned() == 5, summary);
	}

	private void resumes() {
		want(search(query().setLimit(3).setResumeToken(token), StopReason.STOP_REASON_LIMIT)
			.equals(notes(5, 3)), "order");
	}

	private void filters() {
		ValueRange range = ValueRange.newBuilder().setGte(MetadataValue.newBuilder().setIntValue(97)).build();
		Filter filter = Filter.newBuilder()
			.addAllOf(Condition.newBuilder().setField("number").setRange(range))
			.build();
		want(search(query().setFilter(filter), StopReason.STOP_REASON_EXHAUSTED).equals(notes(97, 3)), "order");
	}

	private void readsViolations() throws Exception {
		StatusRuntimeException error = failure(() -> RetrievalServiceGrpc.newBlockingStub(channel)
			.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
			.search(SearchRequest.newBuilder().setCollection("Bad Name").build())
			.hasNext());
		want(error.getStatus().getCode() == Status.Code.INVALID_ARGUMENT, error);
		Map<String, String> rules = new TreeMap<>();
		String reason = "";
		for (com.google.protobuf.Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
			if (detail.is(ErrorInfo.class)) reason = detail.unpack(ErrorInfo.class).getReason();
			if (detail.is(BadRequest.class))
				for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList())
					rules.put(violation.getField(), violation.getReason());
		}
		want(reason.equals("SCHEMA_VIOLATION"), reason);
		want(rules.equals(Map.of("collection", "string.pattern", "query", "required")), rules);
	}

	private void endsAtTheDeadline() throws Exception {
		StatusRuntimeException error = failure(() -> {
			BlockingClientCall<IterateRequest, IterateResponse> stream = RetrievalServiceGrpc
				.newBlockingV2Stub(channel)
				.withDeadlineAfter(200, TimeUnit.MILLISECONDS)
				.iterate();
			stream.write(IterateRequest.newBuilder().setOpen(query()).build());
			// Without credit nothing comes but that it is open.
			for (IterateResponse event; (event = stream.read()) != null; )
				want(event.hasOpened(), event);
		});
		want(error.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED, error);
	}

	private void leavesNothingOpen() throws Exception {
		GetServerInfoResponse info = null;
		for (int looks = 0; looks < 1000; looks++) {
			info = AdminServiceGrpc.newBlockingStub(channel)
				.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
				.getServerInfo(GetServerInfoRequest.getDefaultInstance());
			if (info.getOpenCursors() == 0) return;
			Thread.sleep(10);
		}
		want(false, info);
	}

	private interface Step {
		void run() throws Exception;
	}

	private static StatusRuntimeException failure(Step step) throws Exception {
		try {
			step.run();
		} catch (StatusRuntimeException error) {
			return error;
		} catch (io.grpc.StatusException error) {
			return error.getStatus().asRuntimeException(error.getTrailers());
		}
		throw new AssertionError("it succeeded");
	}

	private Map<String, Step> steps() {
		Map<String, Step> steps = new LinkedHashMap<>();
		steps.put("health", this::answersHealth);
		steps.put("create", this::creates);
		steps.put("upsert stream", this::upserts);
		steps.put("search stream", this::searches);
		steps.put("iterate with credit and stop early", this::iterates);
		steps.put("resume from a token", this::resumes);
		steps.put("filter", this::filters);
		steps.put("violations", this::readsViolations);
		steps.put("deadline", this::endsAtTheDeadline);
		steps.put("nothing left open", this::leavesNothingOpen);
		return steps;
	}

	public static void main(String[] arguments) throws Exception {
		String address = System.getenv().getOrDefault("SLUICE_SERVER", "127.0.0.1:7700");
		ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
		int failed = 0;
		for (Map.Entry<String, Step> step : new Client(channel).steps().entrySet())
			try {
				step.getValue().run();
				System.out.println("ok " + step.getKey());
			} catch (Exception | AssertionError error) {
				System.out.println("not ok " + step.getKey() + ": " + error);
				failed++;
			}
		channel.shutdown().awaitTermination(10, TimeUnit.SECONDS);
		System.exit(failed > 0 ? 1 : 0);
	}
}
