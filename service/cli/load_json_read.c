/* load_json_read - a file is untrusted: what is not there, is of another type or out of range makes
 * it no report. */
#include "service/cli/load_json.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sets *ok to false where there is no such count. */
static uint64_t count_of(const json_t *object, const char *name, bool *ok)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		*ok = false;
		return 0;
	}
	return (uint64_t)json_integer_value(value);
}

static double number_of(const json_t *object, const char *name, bool *ok)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_number(value) || !isfinite(json_number_value(value))) {
		*ok = false;
		return 0;
	}
	return json_number_value(value);
}

static void histogram_read(const json_t *object, struct load_histogram *ret, bool *ok)
{
	const json_t *buckets = json_object_get(object, "buckets"), *pair;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach(buckets, i, pair)
	{
		json_int_t bucket = json_integer_value(json_array_get(pair, 0));
		json_int_t n = json_integer_value(json_array_get(pair, 1));

		if (bucket < 0 || (size_t)bucket >= LOAD_HISTOGRAM_BUCKETS || n <= 0) {
			*ok = false;
			return;
		}
		ret->buckets[bucket] = (uint64_t)n;
		sum += (uint64_t)n;
	}
	ret->n = count_of(object, "n", ok);
	ret->max = (int64_t)count_of(object, "max_ns", ok);
	ret->sum = number_of(object, "sum_ns", ok);
	*ok = *ok && sum == ret->n;
}

static void counts_read(const json_t *object, struct load_counts *ret, bool *ok)
{
	const json_t *ended = json_object_get(object, "ended");

	ret->arrivals = count_of(object, "arrivals", ok);
	ret->unsent = count_of(object, "unsent", ok);
	for (size_t i = 0; i < LOAD_CODES; i++) {
		const char *name = status_code_name((enum status_code)i);

		if (json_object_get(ended, name))
			ret->ended[i] = count_of(ended, name, ok);
	}
	ret->messages = count_of(object, "messages", ok);
	ret->hits = count_of(object, "hits", ok);
	ret->received_bytes = count_of(object, "received_bytes", ok);
	ret->sent_bytes = count_of(object, "sent_bytes", ok);
	histogram_read(json_object_get(object, "latency"), &ret->latency, ok);
	histogram_read(json_object_get(object, "first_hit"), &ret->first_hit, ok);
	histogram_read(json_object_get(object, "gap"), &ret->gap, ok);
}

static void server_read(const json_t *object, struct load_server *ret, bool *ok)
{
	if (!json_is_object(object))
		return;
	ret->known = true;
	ret->cpu_seconds = number_of(object, "cpu_seconds", ok);
	ret->rss_start_bytes = count_of(object, "rss_start_bytes", ok);
	ret->rss_max_bytes = count_of(object, "rss_max_bytes", ok);
	ret->rss_end_bytes = count_of(object, "rss_end_bytes", ok);
}

static void step_read(const json_t *object, struct load_step *ret, bool *ok)
{
	const json_t *kinds = json_object_get(object, "kinds");
	const json_t *details = json_object_get(object, "details");

	ret->rate = number_of(object, "rate", ok);
	ret->in_flight = count_of(object, "in_flight", ok);
	ret->seconds = number_of(object, "seconds", ok);
	ret->ended_in_window = count_of(object, "ended_in_window", ok);
	ret->ok_in_window = count_of(object, "ok_in_window", ok);
	ret->client_cpu_seconds = number_of(object, "client_cpu_seconds", ok);
	ret->client_busiest_share = number_of(object, "client_busiest_share", ok);
	ret->idle_share = number_of(object, "idle_share", ok);
	server_read(json_object_get(object, "server"), &ret->server, ok);
	histogram_read(json_object_get(object, "lateness"), &ret->lateness, ok);
	for (size_t i = 0; i < LOAD_KINDS; i++) {
		const json_t *kind = json_object_get(kinds, load_kind_name((enum load_kind)i));

		if (kind)
			counts_read(kind, &ret->kinds[i], ok);
	}
	for (size_t i = 0; i < LOAD_CODES; i++) {
		const char *text = json_string_value(
			json_object_get(details, status_code_name((enum status_code)i)));

		if (text)
			snprintf(ret->details[i], sizeof ret->details[i], "%s", text);
	}
}

static status report_read(struct arena *arena, const json_t *root, struct load_report *ret)
{
	const json_t *steps = json_object_get(root, "steps");
	const char *title = json_string_value(json_object_get(root, "title"));
	bool ok = title && json_integer_value(json_object_get(root, "sluice_load")) == 1;

	*ret = (struct load_report){.n_steps = json_array_size(steps)};
	ret->n_processes = count_of(root, "processes", &ok);
	if (!ok || ret->n_steps == 0 || ret->n_steps > LOAD_STEPS_MAX)
		return status_make(STATUS_INVALID_ARGUMENT, NULL);
	snprintf(ret->title, sizeof ret->title, "%s", title);
	ret->steps = ARENA_ARRAY(arena, struct load_step, ret->n_steps);
	if (!ret->steps)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a report");
	for (size_t i = 0; i < ret->n_steps; i++)
		step_read(json_array_get(steps, i), &ret->steps[i], &ok);
	return ok ? status_ok() : status_make(STATUS_INVALID_ARGUMENT, NULL);
}

status load_json_read(struct arena *arena, const char *path, struct load_report *ret)
{
	json_error_t error;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	struct load_report report;
	status read;

	if (!root)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "%s: %s", path, error.text);
	read = report_read(arena, root, &report);
	json_decref(root);
	if (read.code == STATUS_INVALID_ARGUMENT)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "%s is no report of bench load --json", path);
	TRY(read);
	*ret = report;
	return status_ok();
}
