/* debug_page - member by member. */
#include "service/telemetry/debug_page.h"

#include "kernels/base/gauge.h"
#include "service/cursors.h"
#include "service/rpc/debug.h"
#include "service/telemetry/json.h"
#include "service/version.h"

/* --- what the process holds --- */

static void print_process(struct json *json, const struct readings *readings)
{
	json_open(json, "process", '{');
	json_put_text(json, "version", SLUICE_VERSION);
	json_put_text(json, "commit", sluice_commit);
	json_put_text(json, "scanner", readings->services->scanner->name);
	json_put_flag(json, "serving", rpc_server_is_serving(readings->server));
	json_put_seconds(json, "up_seconds", (int64_t)(readings->up_seconds * 1e9));
	json_put_number(json, "resident_bytes", readings->resident_bytes);
	json_put_number(json, "open_fds", readings->open_fds);
	json_put_number(json, "max_fds", readings->max_fds);
	json_close(json, '}');
}

static void print_gauges(struct json *json)
{
	json_open(json, "gauges", '{');
	for (enum gauge gauge = 0; gauge < GAUGE_N; gauge++) {
		int64_t n = gauge_read(gauge);

		json_put_number(json, gauge_name(gauge), n > 0 ? (uint64_t)n : 0);
	}
	json_close(json, '}');
}

static void print_pool(struct json *json, const char *name, struct pool *pool)
{
	size_t n_threads = 0, n_queued = 0;

	if (!pool)
		return;
	pool_look(pool, &n_threads, &n_queued);
	json_open(json, NULL, '{');
	json_put_text(json, "name", name);
	json_put_number(json, "threads", n_threads);
	json_put_number(json, "queued", n_queued);
	json_close(json, '}');
}

static void print_pools(struct json *json, const struct services *services)
{
	json_open(json, "pools", '[');
	print_pool(json, "worker", services->workers);
	print_pool(json, "writer", services->writers);
	json_close(json, ']');
}

static void print_queues(struct json *json, const struct rpc_server *server)
{
	struct rpc_queues_look look;

	rpc_server_queues(server, &look);
	json_open(json, "completion_queues", '[');
	json_open(json, NULL, '{');
	json_put_text(json, "of", "arrivals, and calls of one request");
	json_put_number(json, "queues", 1);
	json_put_number(json, "threads", look.n_pollers);
	json_close(json, '}');
	json_open(json, NULL, '{');
	json_put_text(json, "of", "streams of clients");
	json_put_number(json, "queues", look.n_queues_streams);
	json_put_number(json, "threads", look.n_queues_streams);
	json_close(json, '}');
	json_close(json, ']');
}

/* --- what is under way --- */

struct listing {
	struct json *json;
	int64_t now_ns;
	size_t n;
};

static bool print_call(void *context, const struct rpc_call_look *look)
{
	struct listing *listing = context;
	struct json *json = listing->json;

	json_open(json, NULL, '{');
	json_put_text(json, "method", look->path ? look->path : "unknown");
	json_put_seconds(json, "age_seconds", look->age_ns);
	json_put_seconds(json, "sending_seconds", look->sending_ns);
	json_put_flag(json, "runs", look->runs);
	json_put_flag(json, "receives", look->receives);
	json_put_flag(json, "held", look->held);
	json_put_flag(json, "aborted", look->aborted);
	json_close(json, '}');
	return ++listing->n < DEBUG_PAGE_ITEMS_MAX;
}

static bool print_cursor(void *context, const struct cursor_entry *entry)
{
	struct listing *listing = context;
	struct json *json = listing->json;

	json_open(json, NULL, '{');
	json_put_text(json, "id", entry->id);
	json_put_text(json, "collection", entry->collection);
	json_put_text(json, "method", entry->method);
	json_put_text(json, "peer", entry->peer);
	json_put_number(json, "generation", atomic_load(&entry->generation));
	json_put_number(json, "hits", atomic_load(&entry->returned));
	json_put_number(json, "scanned", atomic_load(&entry->scanned));
	json_put_number(json, "memory_bytes", atomic_load(&entry->memory_bytes));
	json_put_flag(json, "waits", atomic_load(&entry->waits));
	json_put_seconds(json, "age_seconds", listing->now_ns - entry->opened_ns);
	json_put_seconds(json, "idle_seconds", listing->now_ns - atomic_load(&entry->active_ns));
	json_close(json, '}');
	return ++listing->n < DEBUG_PAGE_ITEMS_MAX;
}

static void print_collections(struct json *json, const struct readings *readings)
{
	json_open(json, "collections", '[');
	for (size_t i = 0; i < readings->n_collections; i++) {
		const struct collection_reading *reading = &readings->collections[i];
		const struct collection_status *figures = &reading->status;

		json_open(json, NULL, '{');
		json_put_text(json, "name", reading->config.name);
		json_put_number(json, "generation", figures->generation);
		json_put_number(json, "chunks", figures->chunk_count);
		json_put_number(json, "sealed_rows", figures->indexed_rows);
		json_put_number(json, "segments", figures->segment_count);
		json_put_number(json, "segments_indexed", reading->calibration.n_indexed);
		json_put_number(json, "snapshots", figures->open_cursors);
		json_put_number(json, "memory_bytes", figures->memory_bytes);
		json_put_number(json, "disk_bytes", figures->disk_bytes);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void debug_page_print(const struct readings *readings, struct buffer *out)
{
	struct json json = {.out = out};
	struct listing calls = {.json = &json}, cursors = {.json = &json, .now_ns = clock_ns()};

	json_open(&json, NULL, '{');
	print_process(&json, readings);
	print_gauges(&json);
	print_pools(&json, readings->services);
	print_queues(&json, readings->server);
	json_open(&json, "calls", '[');
	rpc_server_each_call(readings->server, print_call, &calls);
	json_close(&json, ']');
	json_open(&json, "cursors", '[');
	cursors_each(readings->services->cursors, print_cursor, &cursors);
	json_close(&json, ']');
	print_collections(&json, readings);
	json_begin(&json, "channelz");
	rpc_channelz(out);
	json_close(&json, '}');
	buffer_append(out, "\n", 1);
}
