/* load_json_write - a report to JSON. What is there twice (percentiles, rates) is for readers; reading
 * takes the counts alone. */
#include "service/cli/load_json.h"

#include <jansson.h>

#include <errno.h>
#include <string.h>

static json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *milliseconds(const struct load_histogram *histogram, double share)
{
	return json_real((double)load_histogram_at(histogram, share) * 1e-6);
}

static json_t *histogram_make(const struct load_histogram *histogram)
{
	json_t *buckets = json_array(), *ret = json_object();

	for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
		json_t *pair;

		if (!histogram->buckets[i])
			continue;
		pair = json_array();
		json_array_append_new(pair, count(i));
		json_array_append_new(pair, count(histogram->buckets[i]));
		json_array_append_new(buckets, pair);
	}
	json_object_set_new(ret, "n", count(histogram->n));
	json_object_set_new(ret, "max_ns", json_integer(histogram->max));
	json_object_set_new(ret, "sum_ns", json_real(histogram->sum));
	json_object_set_new(ret, "p50_ms", milliseconds(histogram, 0.5));
	json_object_set_new(ret, "p90_ms", milliseconds(histogram, 0.9));
	json_object_set_new(ret, "p99_ms", milliseconds(histogram, 0.99));
	json_object_set_new(ret, "p999_ms", milliseconds(histogram, 0.999));
	json_object_set_new(ret, "buckets", buckets);
	return ret;
}

static json_t *counts_make(const struct load_counts *counts)
{
	json_t *ret = json_object(), *ended = json_object();

	for (size_t i = 0; i < LOAD_CODES; i++)
		if (counts->ended[i])
			json_object_set_new(ended, status_code_name((enum status_code)i),
					    count(counts->ended[i]));
	json_object_set_new(ret, "arrivals", count(counts->arrivals));
	json_object_set_new(ret, "unsent", count(counts->unsent));
	json_object_set_new(ret, "ended", ended);
	json_object_set_new(ret, "messages", count(counts->messages));
	json_object_set_new(ret, "hits", count(counts->hits));
	json_object_set_new(ret, "received_bytes", count(counts->received_bytes));
	json_object_set_new(ret, "sent_bytes", count(counts->sent_bytes));
	json_object_set_new(ret, "latency", histogram_make(&counts->latency));
	json_object_set_new(ret, "first_hit", histogram_make(&counts->first_hit));
	json_object_set_new(ret, "gap", histogram_make(&counts->gap));
	return ret;
}

static json_t *server_make(const struct load_step *step)
{
	const struct load_server *server = &step->server;
	json_t *ret = json_object();

	if (!server->known) {
		json_decref(ret);
		return json_null();
	}
	json_object_set_new(ret, "cpu_seconds", json_real(server->cpu_seconds));
	json_object_set_new(ret, "cpu_us_per_call", json_real(load_step_cpu_us(step)));
	json_object_set_new(ret, "rss_start_bytes", count(server->rss_start_bytes));
	json_object_set_new(ret, "rss_max_bytes", count(server->rss_max_bytes));
	json_object_set_new(ret, "rss_end_bytes", count(server->rss_end_bytes));
	return ret;
}

static json_t *step_make(const struct load_step *step)
{
	json_t *ret = json_object(), *kinds = json_object(), *details = json_object();

	for (size_t i = 0; i < LOAD_KINDS; i++)
		if (step->kinds[i].arrivals)
			json_object_set_new(kinds, load_kind_name((enum load_kind)i),
					    counts_make(&step->kinds[i]));
	for (size_t i = 0; i < LOAD_CODES; i++)
		if (step->details[i][0])
			json_object_set_new(details, status_code_name((enum status_code)i),
					    json_string(step->details[i]));
	json_object_set_new(ret, "rate", json_real(step->rate));
	json_object_set_new(ret, "in_flight", count(step->in_flight));
	json_object_set_new(ret, "seconds", json_real(step->seconds));
	json_object_set_new(ret, "ended_in_window", count(step->ended_in_window));
	json_object_set_new(ret, "ok_in_window", count(step->ok_in_window));
	json_object_set_new(ret, "goodput", json_real(load_step_goodput(step)));
	json_object_set_new(ret, "client_cpu_seconds", json_real(step->client_cpu_seconds));
	json_object_set_new(ret, "client_busiest_share", json_real(step->client_busiest_share));
	json_object_set_new(ret, "idle_share", json_real(step->idle_share));
	json_object_set_new(ret, "server", server_make(step));
	json_object_set_new(ret, "details", details);
	json_object_set_new(ret, "lateness", histogram_make(&step->lateness));
	json_object_set_new(ret, "kinds", kinds);
	return ret;
}

status load_json_write(struct arena *arena, const char *path, const struct load_report *report)
{
	json_t *root = json_object(), *steps = json_array();
	FILE *out = fopen(path, "we");
	int failed = out ? 0 : errno;

	json_object_set_new(root, "sluice_load", json_integer(1));
	json_object_set_new(root, "title", json_string(report->title));
	json_object_set_new(root, "processes", count(report->n_processes));
	for (size_t i = 0; i < report->n_steps; i++)
		json_array_append_new(steps, step_make(&report->steps[i]));
	json_object_set_new(root, "steps", steps);
	if (out && json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0)
		failed = errno ? errno : EIO;
	json_decref(root);
	if (out && fclose(out) != 0 && !failed)
		failed = errno;
	if (failed)
		return status_format(arena, STATUS_UNAVAILABLE, "cannot write %s: %s", path,
				     strerror(failed));
	return status_ok();
}
