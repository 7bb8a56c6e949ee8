/* families - the table, and how each is read. */
#include "service/telemetry/families.h"

#include "kernels/base/gauge.h"
#include "service/telemetry/families_rpc.h"
#include "service/version.h"

#include <stdio.h>
#include <string.h>

#define LABELS_MAX 256

const struct stage search_stages[SEARCH_STAGES] = {
	{"open", "request to chain of stages", TIMER_SEARCH_OPEN},
	{"filter", "filter to rows", TIMER_SEARCH_SELECT},
	{"scan", "bounds of rows", TIMER_SEARCH_SCAN},
	{"rerank", "exact scores and order", TIMER_SEARCH_RERANK},
	{"encode", "records to message", TIMER_SEARCH_ENCODE},
};

static void print_meter(struct exposition *out, const struct family *family,
			const struct readings *readings)
{
	(void)readings;
	exposition_count(out, "", meter_read((enum meter)family->what));
}

static void print_gauge(struct exposition *out, const struct family *family,
			const struct readings *readings)
{
	int64_t n = gauge_read((enum gauge)family->what);

	(void)readings;
	exposition_count(out, "", n > 0 ? (uint64_t)n : 0);
}

static void print_timer(struct exposition *out, const struct family *family,
			const struct readings *readings)
{
	struct histogram_reading reading;

	(void)readings;
	timer_read((enum timer)family->what, &reading);
	exposition_histogram(out, "", &reading);
}

static void print_stages(struct exposition *out, const struct family *family,
			 const struct readings *readings)
{
	(void)family;
	(void)readings;
	for (size_t i = 0; i < SEARCH_STAGES; i++) {
		struct histogram_reading reading;
		char labels[LABELS_MAX];

		snprintf(labels, sizeof labels, "stage=\"%s\"", search_stages[i].name);
		timer_read(search_stages[i].timer, &reading);
		exposition_histogram(out, labels, &reading);
	}
}

static void print_queues(struct exposition *out, const struct family *family,
			 const struct readings *readings)
{
	static const struct {
		const char *labels;
		enum timer timer;
	} queues[] = {
		{"queue=\"worker\"", TIMER_WORKER_QUEUE},
		{"queue=\"writer\"", TIMER_WRITER_QUEUE},
		{"queue=\"write\"", TIMER_WRITE_QUEUE},
		{"queue=\"gpu\"", TIMER_GPU_QUEUE},
	};

	(void)family;
	(void)readings;
	for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
		struct histogram_reading reading;

		timer_read(queues[i].timer, &reading);
		exposition_histogram(out, queues[i].labels, &reading);
	}
}

static void print_writes(struct exposition *out, const struct family *family,
			 const struct readings *readings)
{
	(void)family;
	(void)readings;
	exposition_count(out, "result=\"applied\"", meter_read(METER_WRITES));
	exposition_count(out, "result=\"failed\"", meter_read(METER_WRITES_FAILED));
}

static void print_written(struct exposition *out, const struct family *family,
			  const struct readings *readings)
{
	(void)family;
	(void)readings;
	exposition_count(out, "kind=\"inserted\"", meter_read(METER_INSERTED_ROWS));
	exposition_count(out, "kind=\"replaced\"", meter_read(METER_REPLACED_ROWS));
	exposition_count(out, "kind=\"deleted\"", meter_read(METER_DELETED_ROWS));
}

static void print_log_lines(struct exposition *out, const struct family *family,
			    const struct readings *readings)
{
	(void)family;
	(void)readings;
	exposition_count(out, "result=\"written\"", meter_read(METER_LOG_LINES));
	exposition_count(out, "result=\"dropped\"", meter_read(METER_LOG_DROPPED));
}

static void print_spans_dropped(struct exposition *out, const struct family *family,
				const struct readings *readings)
{
	(void)family;
	(void)readings;
	exposition_count(out, "reason=\"queue\"", meter_read(METER_SPANS_CROWDED));
	exposition_count(out, "reason=\"collector\"", meter_read(METER_SPANS_REFUSED));
}

static void print_build(struct exposition *out, const struct family *family,
			const struct readings *readings)
{
	char backend[LABELS_MAX / 2], labels[2 * LABELS_MAX];

	(void)family;
	exposition_escape(backend, sizeof backend, readings->services->scanner->name);
	snprintf(labels, sizeof labels, "version=\"%s\",commit=\"%s\",backend=\"%s\"",
		 SLUICE_VERSION, sluice_commit, backend);
	exposition_count(out, labels, 1);
}

static void print_serving(struct exposition *out, const struct family *family,
			  const struct readings *readings)
{
	(void)family;
	exposition_count(out, "", rpc_server_is_serving(readings->server));
}

static void print_gpu_bytes(struct exposition *out, const struct family *family,
			    const struct readings *readings)
{
	const struct services *services = readings->services;

	(void)family;
	exposition_count(out, "", services->gpu ? scanner_vulkan_used_bytes(services->gpu) : 0);
}

static void print_collections(struct exposition *out, const struct family *family,
			      const struct readings *readings)
{
	(void)family;
	exposition_count(out, "state=\"open\"", readings->n_open);
	exposition_count(out, "state=\"closed\"", readings->n_known - readings->n_open);
}

enum of_collection { ROWS_LIVE, ROWS_SEALED, SEGMENTS, DISK, MEMORY, PINS };

static uint64_t of_collection(const struct collection_status *figures, enum of_collection what)
{
	switch (what) {
	case ROWS_LIVE:
		return figures->chunk_count;
	case ROWS_SEALED:
		return figures->indexed_rows;
	case SEGMENTS:
		return figures->segment_count;
	case DISK:
		return figures->disk_bytes;
	case MEMORY:
		return figures->memory_bytes;
	case PINS:
		break;
	}
	return figures->open_cursors;
}

static void print_of_collections(struct exposition *out, const struct family *family,
				 const struct readings *readings)
{
	for (size_t i = 0; i < readings->n_collections; i++) {
		const struct collection_reading *reading = &readings->collections[i];
		char name[2 * COLLECTION_NAME_MAX + 4], labels[LABELS_MAX];

		exposition_escape(name, sizeof name, reading->config.name);
		snprintf(labels, sizeof labels, "collection=\"%s\"", name);
		exposition_count(out, labels,
				 of_collection(&reading->status, (enum of_collection)family->what));
	}
}

enum of_process { CPU, RESIDENT, VIRTUAL, FDS, FDS_MAX, START };

static void print_process(struct exposition *out, const struct family *family,
			  const struct readings *readings)
{
	const double values[] = {
		[CPU] = readings->cpu_seconds,
		[RESIDENT] = (double)readings->resident_bytes,
		[VIRTUAL] = (double)readings->virtual_bytes,
		[FDS] = (double)readings->open_fds,
		[FDS_MAX] = (double)readings->max_fds,
		[START] = readings->start_seconds,
	};

	exposition_number(out, "", values[family->what]);
}

const struct family families[] = {
	{"grpc_server_started_total", FAMILY_COUNTER, RPC_LABELS, "Calls that came.",
	 print_rpc_started, 0},
	{"grpc_server_handled_total", FAMILY_COUNTER, RPC_LABELS ", grpc_code",
	 "Calls that ended, by how they did.", print_rpc_handled, 0},
	{"grpc_server_msg_received_total", FAMILY_COUNTER, RPC_LABELS,
	 "Messages that came from clients.", print_rpc_received, 0},
	{"grpc_server_msg_sent_total", FAMILY_COUNTER, RPC_LABELS, "Messages that went to clients.",
	 print_rpc_sent, 0},
	{"grpc_server_handling_seconds", FAMILY_HISTOGRAM, RPC_LABELS,
	 "How long calls took, from their arrival to their end.", print_rpc_seconds, 0},
	{"sluice_build_info", FAMILY_GAUGE, "version, commit, backend",
	 "Always 1: what runs, and what scans first.", print_build, 0},
	{"sluice_serving", FAMILY_GAUGE, "", "1 until a drain begins, then 0.", print_serving, 0},
	{"sluice_calls_open", FAMILY_GAUGE, "", "Calls under way.", print_gauge, GAUGE_CALLS},
	{"sluice_cursors_open", FAMILY_GAUGE, "", "Searches that are open.", print_gauge,
	 GAUGE_CURSORS},
	{"sluice_snapshots_pinned", FAMILY_GAUGE, "", "Snapshots that are held.", print_gauge,
	 GAUGE_SNAPSHOTS},
	{"sluice_writes_pending", FAMILY_GAUGE, "", "Batches that are not answered yet.",
	 print_gauge, GAUGE_WRITES},
	{"sluice_gpu_objects", FAMILY_GAUGE, "", "Objects of a GPU that searches hold.",
	 print_gauge, GAUGE_GPU_OBJECTS},
	{"sluice_gpu_memory_bytes", FAMILY_GAUGE, "", "Memory of the GPU in use; 0 without one.",
	 print_gpu_bytes, 0},
	{"sluice_collections", FAMILY_GAUGE, "state",
	 "Collections: open, or not opened yet since the start (closed).", print_collections, 0},
	{"sluice_collection_chunks", FAMILY_GAUGE, "collection",
	 "Chunks of a collection that is open.", print_of_collections, ROWS_LIVE},
	{"sluice_collection_sealed_rows", FAMILY_GAUGE, "collection",
	 "Rows of it in sealed segments, dead ones included.", print_of_collections, ROWS_SEALED},
	{"sluice_collection_segments", FAMILY_GAUGE, "collection", "Its sealed segments.",
	 print_of_collections, SEGMENTS},
	{"sluice_collection_disk_bytes", FAMILY_GAUGE, "collection", "What it takes on disk.",
	 print_of_collections, DISK},
	{"sluice_collection_memory_bytes", FAMILY_GAUGE, "collection", "What it takes in memory.",
	 print_of_collections, MEMORY},
	{"sluice_collection_snapshots", FAMILY_GAUGE, "collection",
	 "Snapshots of it that are held.", print_of_collections, PINS},
	{"sluice_searches_total", FAMILY_COUNTER, "", "Searches that were opened.", print_meter,
	 METER_SEARCHES},
	{"sluice_scans_total", FAMILY_COUNTER, "", "Pages of hits for which rows were scanned.",
	 print_meter, METER_SCANS},
	{"sluice_shared_scans_total", FAMILY_COUNTER, "",
	 "Pages of hits whose scan was done in one pass with another search's.", print_meter,
	 METER_SHARED_SCANS},
	{"sluice_scanned_rows_total", FAMILY_COUNTER, "", "Rows whose vector or code a scan read.",
	 print_meter, METER_SCANNED_ROWS},
	{"sluice_scanned_bytes_total", FAMILY_COUNTER, "",
	 "Bytes of vectors and codes that scans read; approximate indexes are not counted.",
	 print_meter, METER_SCANNED_BYTES},
	{"sluice_gpu_refused_total", FAMILY_COUNTER, "",
	 "Times that a segment found no room on the GPU and stayed on the CPU.", print_meter,
	 METER_GPU_REFUSED},
	{"sluice_gpu_batches_total", FAMILY_COUNTER, "",
	 "Times that a GPU took searches of a segment, one or several at once.", print_meter,
	 METER_GPU_BATCHES},
	{"sluice_gpu_batched_queries_total", FAMILY_COUNTER, "",
	 "Queries that it took so: those of a batch are this by the one above.", print_meter,
	 METER_GPU_QUERIES},
	{"sluice_reranked_rows_total", FAMILY_COUNTER, "", "Rows that were scored exactly.",
	 print_meter, METER_RERANKED_ROWS},
	{"sluice_hits_total", FAMILY_COUNTER, "", "Hits that were written to messages.",
	 print_meter, METER_HITS},
	{"sluice_search_stage_seconds", FAMILY_HISTOGRAM, "stage",
	 "What a stage took: open once a search, the others once for each page that they ran for.",
	 print_stages, 0},
	{"sluice_send_seconds", FAMILY_HISTOGRAM, "",
	 "How long messages waited until their client's window had taken them.", print_timer,
	 TIMER_SEND},
	{"sluice_queue_seconds", FAMILY_HISTOGRAM, "queue",
	 "How long jobs waited for a worker or writer thread, batches for their commit (write), "
	 "and searches until a GPU took them (gpu).",
	 print_queues, 0},
	{"sluice_writes_total", FAMILY_COUNTER, "result", "Batches that were applied, or failed.",
	 print_writes, 0},
	{"sluice_written_chunks_total", FAMILY_COUNTER, "kind", "Chunks that batches wrote.",
	 print_written, 0},
	{"sluice_commits_total", FAMILY_COUNTER, "", "Transactions of batches that came to disk.",
	 print_meter, METER_COMMITS},
	{"sluice_commit_seconds", FAMILY_HISTOGRAM, "", "What such a transaction took, with fsync.",
	 print_timer, TIMER_COMMIT},
	{"sluice_log_lines_total", FAMILY_COUNTER, "result",
	 "Lines of the log, and those over its rate.", print_log_lines, 0},
	{"sluice_otlp_sent_total", FAMILY_COUNTER, "", "Spans that a collector took.", print_meter,
	 METER_SPANS_SENT},
	{"sluice_otlp_dropped_total", FAMILY_COUNTER, "reason",
	 "Spans that were lost: there was no room (queue), or they were not taken (collector).",
	 print_spans_dropped, 0},
	{"process_cpu_seconds_total", FAMILY_COUNTER, "", "Time on processors, all threads.",
	 print_process, CPU},
	{"process_resident_memory_bytes", FAMILY_GAUGE, "",
	 "Memory in RAM, with pages of files that are mapped.", print_process, RESIDENT},
	{"process_virtual_memory_bytes", FAMILY_GAUGE, "", "Address space.", print_process,
	 VIRTUAL},
	{"process_open_fds", FAMILY_GAUGE, "", "Files and sockets that are open.", print_process,
	 FDS},
	{"process_max_fds", FAMILY_GAUGE, "", "How many there may be.", print_process, FDS_MAX},
	{"process_start_time_seconds", FAMILY_GAUGE, "", "When it started, since 1970.",
	 print_process, START},
};
const size_t n_families = sizeof families / sizeof *families;

void families_print(const struct readings *readings, struct buffer *out)
{
	struct exposition exposition = {.out = out};

	for (size_t i = 0; i < n_families; i++) {
		const struct family *family = &families[i];

		exposition_begin(&exposition, family->name, family->kind, family->help);
		family->print(&exposition, family, readings);
	}
}

void families_table(struct buffer *out)
{
	buffer_printf(out, "| metric | kind | labels | |\n|---|---|---|---|\n");
	for (size_t i = 0; i < n_families; i++) {
		const struct family *family = &families[i];

		buffer_printf(out, "| `%s` | %s | %s | %s |\n", family->name,
			      family_kind_name(family->kind), family->labels, family->help);
	}
}
