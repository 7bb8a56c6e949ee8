/* status_page - HTML by hand: a head, tiles, and a table for each kind of thing. */
#include "service/telemetry/status_page.h"

#include "kernels/base/gauge.h"
#include "service/cursors.h"
#include "service/telemetry/calibration_chart.h"
#include "service/telemetry/families.h"
#include "service/telemetry/html.h"
#include "service/version.h"

#include <string.h>

static const char head[] =
	"<!doctype html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"refresh\" content=\"10\">\n"
	"<title>Sluice</title>\n"
	"<style>\n"
	":root{color-scheme:light;--line:#d8dde3;--soft:#515c68;--bar:#1f6fb2;--tile:#f3f5f8}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:#16202b;background:#fff;max-width:72rem;"
	"margin:0 auto;padding:1.5rem}\n"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .4rem}\n"
	"p{margin:.2rem 0;color:var(--soft)}a{color:var(--bar)}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.6rem;"
	"margin:1.2rem 0}\n"
	".tile{background:var(--tile);border-radius:.4rem;padding:.6rem .8rem}\n"
	".tile b{display:block;font-size:1.35rem;font-weight:600}.tile span{color:var(--soft)}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
	"th,td{padding:.3rem .9rem .3rem 0;text-align:right;white-space:nowrap;"
	"border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}\n"
	"th:last-child,td:last-child{padding-right:.2rem}\n"
	"th{font-weight:500;color:var(--soft)}th.t,td.t{text-align:left}\n"
	"td.bar{width:25%;min-width:6rem}.b{display:block;height:.7rem}\n"
	".b{background:var(--bar);border-radius:.2rem;min-width:1px}\n"
	".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));"
	"gap:1.2rem}figure{margin:.6rem 0;min-width:0}\n"
	"figcaption{color:var(--soft)}figcaption b{color:#16202b}\n"
	"svg{display:block;width:100%;max-width:27rem;height:auto;font-size:12px;fill:#16202b}\n"
	".g{stroke:var(--line);stroke-width:1}summary{color:var(--soft);cursor:pointer}\n"
	"details{max-width:27rem}\n"
	".more{margin-top:1.6rem}\n"
	"@media(max-width:30rem){body{padding:.9rem;font-size:14px}th,td{padding-right:.7rem}"
	".stages th:nth-child(2),.stages td:nth-child(2){display:none}}\n"
	"</style>\n"
	"</head>\n"
	"<body>\n";

/* columns  the first n_text of them are words. */
static void table_begin(struct buffer *out, const char *title, const char *const *columns,
			size_t n_text)
{
	buffer_printf(out, "<h2>%s</h2>\n<div class=\"scroll\"><table>\n<tr>", title);
	for (size_t i = 0; columns[i]; i++)
		buffer_printf(out, "<th%s>%s</th>", i < n_text ? " class=\"t\"" : "", columns[i]);
	buffer_printf(out, "</tr>\n");
}

static void table_end(struct buffer *out)
{
	buffer_printf(out, "</table></div>\n");
}

/* --- parts --- */

static void head_print(const struct readings *readings, struct buffer *out)
{
	buffer_append(out, head, sizeof head - 1);
	buffer_printf(out, "<h1>Sluice</h1>\n<p>%s (%s), ", SLUICE_VERSION, sluice_commit);
	buffer_printf(out, "%s, scanning on ",
		      rpc_server_is_serving(readings->server) ? "serving" : "draining");
	html_text(out, readings->services->scanner->name);
	buffer_printf(out, ", up ");
	html_seconds(out, readings->up_seconds);
	buffer_printf(out, "</p>\n");
}

static void tile_begin(struct buffer *out)
{
	buffer_printf(out, "<div class=\"tile\"><b>");
}

static void tile_end(struct buffer *out, const char *name)
{
	buffer_printf(out, "</b><span>%s</span></div>\n", name);
}

static void tile_number(struct buffer *out, const char *name, uint64_t number)
{
	tile_begin(out);
	html_number(out, number);
	tile_end(out, name);
}

static uint64_t alive(enum gauge gauge)
{
	int64_t n = gauge_read(gauge);

	return n > 0 ? (uint64_t)n : 0;
}

static void tiles_print(const struct readings *readings, struct buffer *out)
{
	const struct services *services = readings->services;

	buffer_printf(out, "<div class=\"tiles\">\n");
	tile_number(out, "calls", alive(GAUGE_CALLS));
	tile_number(out, "cursors", alive(GAUGE_CURSORS));
	tile_number(out, "snapshots", alive(GAUGE_SNAPSHOTS));
	tile_number(out, "writes pending", alive(GAUGE_WRITES));
	tile_number(out, "searches", meter_read(METER_SEARCHES));
	tile_number(out, "hits", meter_read(METER_HITS));
	tile_begin(out);
	html_bytes(out, readings->resident_bytes);
	tile_end(out, "memory");
	if (services->gpu) {
		tile_begin(out);
		html_bytes(out, scanner_vulkan_used_bytes(services->gpu));
		tile_end(out, "GPU memory");
	}
	buffer_printf(out, "</div>\n");
}

static void collections_print(const struct readings *readings, struct buffer *out)
{
	static const char *const columns[] = {"name",        "metric",   "dimension", "chunks",
					      "sealed rows", "segments", "disk",      "memory",
					      "snapshots",   NULL};
	static const char *const metrics[] = {"", "cosine", "inner product", "L2"};

	table_begin(out, "Collections", columns, 2);
	for (size_t i = 0; i < readings->n_collections; i++) {
		const struct collection_reading *reading = &readings->collections[i];
		const struct collection_status *figures = &reading->status;
		size_t metric = (size_t)reading->config.metric;

		buffer_printf(out, "<tr>");
		html_cell_text(out, reading->config.name);
		html_cell_text(out,
			       metric < sizeof metrics / sizeof *metrics ? metrics[metric] : "");
		html_cell_number(out, reading->config.dim);
		html_cell_number(out, figures->chunk_count);
		html_cell_number(out, figures->indexed_rows);
		html_cell_number(out, figures->segment_count);
		html_cell_bytes(out, figures->disk_bytes);
		html_cell_bytes(out, figures->memory_bytes);
		html_cell_number(out, figures->open_cursors);
		buffer_printf(out, "</tr>\n");
	}
	table_end(out);
	buffer_printf(out, "<p>%zu of %zu shown; one that is not open yet has no figures.</p>\n",
		      readings->n_collections, readings->n_known);
}

/* A collection whose searches are exact has none. */
static void calibrations_print(const struct readings *readings, struct buffer *out)
{
	size_t n = 0, n_drawn = 0;

	buffer_printf(out, "<h2>Recall calibration</h2>\n<div class=\"figures\">\n");
	for (size_t i = 0; i < readings->n_collections; i++) {
		const struct collection_reading *reading = &readings->collections[i];

		if (!reading->calibration.n_rows)
			continue;
		n++;
		if (n_drawn == STATUS_PAGE_CHARTS_MAX)
			continue;
		calibration_chart_print(reading->config.name, &reading->calibration, out);
		n_drawn++;
	}
	buffer_printf(out,
		      "</div>\n<p>%zu of %zu shown; what the approximate index of a collection "
		      "found when it was built, and for how many of its rows. Where there is none, "
		      "searches are exact.</p>\n",
		      n_drawn, n);
}

static void devices_print(const struct readings *readings, struct buffer *out)
{
	static const char *const columns[] = {"device", "driver", "", "copies",
					      "memory", "share",  "", NULL};
	const struct services *services = readings->services;

	if (!services->gpus->n)
		return;
	table_begin(out, "Devices", columns, 3);
	for (size_t i = 0; i < services->gpus->n; i++) {
		const struct gpu_device *device = &services->gpus->devices[i];
		bool in_use = device->in_use && services->gpu;
		uint64_t used = in_use ? scanner_vulkan_used_bytes(services->gpu) : 0;
		double share =
			device->memory_bytes ? (double)used / (double)device->memory_bytes : 0;

		buffer_printf(out, "<tr>");
		html_cell_text(out, device->name);
		html_cell_text(out, device->driver);
		html_cell_text(out, in_use ? "in use" : device->reason);
		html_cell_bytes(out, used);
		html_cell_bytes(out, device->memory_bytes);
		html_cell_share(out, share);
		buffer_printf(out, "</tr>\n");
	}
	table_end(out);
}

struct listing {
	struct buffer *out;
	int64_t now_ns;
	size_t n;
};

static bool print_cursor(void *context, const struct cursor_entry *entry)
{
	struct listing *listing = context;
	struct buffer *out = listing->out;
	const char *method = strrchr(entry->method, '/');

	buffer_printf(out, "<tr>");
	html_cell_text(out, entry->id);
	html_cell_text(out, entry->collection);
	html_cell_text(out, method ? method + 1 : entry->method);
	html_cell_text(out, entry->peer);
	html_cell_number(out, atomic_load(&entry->returned));
	html_cell_number(out, atomic_load(&entry->scanned));
	html_cell_bytes(out, atomic_load(&entry->memory_bytes));
	html_cell_seconds(out, (double)(listing->now_ns - entry->opened_ns) / 1e9);
	html_cell_seconds(out, (double)(listing->now_ns - atomic_load(&entry->active_ns)) / 1e9);
	buffer_printf(out, "</tr>\n");
	return ++listing->n < STATUS_PAGE_CURSORS_MAX;
}

static void cursors_print(const struct readings *readings, struct buffer *out)
{
	static const char *const columns[] = {"cursor",  "collection", "method", "client", "hits",
					      "scanned", "memory",     "age",    "idle",   NULL};
	struct listing listing = {.out = out, .now_ns = clock_ns()};

	table_begin(out, "Open cursors", columns, 4);
	cursors_each(readings->services->cursors, print_cursor, &listing);
	table_end(out);
	buffer_printf(out, "<p>%zu of %llu shown, the oldest first.</p>\n", listing.n,
		      (unsigned long long)alive(GAUGE_CURSORS));
}

static void stages_print(struct buffer *out)
{
	static const char *const columns[] = {"stage", "",      "times", "mean", "p50",
					      "p99",   "share", "",      NULL};
	struct histogram_reading readings[SEARCH_STAGES];
	uint64_t sum_ns = 0;

	buffer_printf(out, "<div class=\"stages\">\n");
	table_begin(out, "Stages of searches", columns, 2);
	for (size_t i = 0; i < SEARCH_STAGES; i++) {
		timer_read(search_stages[i].timer, &readings[i]);
		sum_ns += readings[i].sum_ns;
	}
	for (size_t i = 0; i < SEARCH_STAGES; i++) {
		double share = sum_ns ? (double)readings[i].sum_ns / (double)sum_ns : 0;

		buffer_printf(out, "<tr>");
		html_cell_text(out, search_stages[i].name);
		html_cell_text(out, search_stages[i].help);
		html_cells_times(out, &readings[i]);
		html_cell_share(out, share);
		buffer_printf(out, "</tr>\n");
	}
	table_end(out);
	buffer_printf(out, "</div>\n");
}

/* "sluice.v1.RetrievalService/Search" without what all have in common. */
static const char *short_of(const char *path)
{
	static const char ours[] = "/sluice.v1.";

	if (!path)
		return "of no method there is";
	return path + (strncmp(path, ours, sizeof ours - 1) == 0 ? sizeof ours - 1 : 1);
}

static void methods_print(const struct readings *readings, struct buffer *out)
{
	static const char *const columns[] = {
		"method", "calls", "not OK", "messages out", "ended", "mean", "p50", "p99", NULL};
	size_t n = rpc_server_n_methods(readings->server);

	table_begin(out, "Calls", columns, 1);
	for (size_t i = 0; i <= n; i++) {
		struct rpc_traffic traffic;

		rpc_server_traffic(readings->server, i, &traffic);
		if (!traffic.started)
			continue;
		buffer_printf(out, "<tr>");
		html_cell_text(out, short_of(traffic.path));
		html_cell_number(out, traffic.started);
		html_cell_number(out, traffic.seconds.n > traffic.handled[STATUS_OK]
					      ? traffic.seconds.n - traffic.handled[STATUS_OK]
					      : 0);
		html_cell_number(out, traffic.sent);
		html_cells_times(out, &traffic.seconds);
		buffer_printf(out, "</tr>\n");
	}
	table_end(out);
}

void status_page_print(const struct readings *readings, struct buffer *out)
{
	head_print(readings, out);
	tiles_print(readings, out);
	collections_print(readings, out);
	calibrations_print(readings, out);
	cursors_print(readings, out);
	stages_print(out);
	methods_print(readings, out);
	devices_print(readings, out);
	buffer_printf(
		out,
		"<p class=\"more\">More of it: <a href=\"/metrics\">/metrics</a> for Prometheus, "
		"<a href=\"/debug\">/debug</a> as JSON.</p>\n"
		"</body>\n</html>\n");
}
