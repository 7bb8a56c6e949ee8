/* load_table - columns. */
#include "service/cli/load_table.h"

#include "service/count_format.h"

#include <stdlib.h>
#include <string.h>

static double ms(const struct load_histogram *histogram, double share)
{
	return (double)load_histogram_at(histogram, share) * 1e-6;
}

void load_table_head(FILE *out, const struct load_report *report)
{
	fprintf(out, "%s\n", report->title);
	if (report->n_processes > 1)
		fprintf(out, "%llu processes\n", (unsigned long long)report->n_processes);
	fprintf(out, "%12s %10s %10s %9s %9s %9s %9s %9s %10s %8s\n", "offered/s", "calls", "OK/s",
		"p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "CPU us", "RSS MB");
}

static void print_ends(FILE *out, const struct load_step *step)
{
	for (size_t i = 1; i < LOAD_CODES; i++) {
		uint64_t n = load_step_ended(step, (enum status_code)i);

		if (n)
			fprintf(out, "%12s %s %s%s%s\n", "", status_code_name((enum status_code)i),
				count_format(n).text, step->details[i][0] ? ": " : "",
				step->details[i]);
	}
	if (load_step_unsent(step))
		fprintf(out, "%12s not sent %s: no stream was free before the deadline\n", "",
			count_format(load_step_unsent(step)).text);
}

void load_table_step(FILE *out, const struct load_step *step)
{
	static struct load_histogram latency;
	char offered[32] = "", cpu[24] = "", rss[24] = "", doubt[160];

	load_step_latency(step, &latency);
	if (step->rate > 0)
		snprintf(offered, sizeof offered, "%.1f", step->rate);
	else
		snprintf(offered, sizeof offered, "%llu at once",
			 (unsigned long long)step->in_flight);
	if (load_step_cpu_us(step) >= 0) {
		snprintf(cpu, sizeof cpu, "%.1f", load_step_cpu_us(step));
		snprintf(rss, sizeof rss, "%.0f", (double)step->server.rss_max_bytes * 1e-6);
	}
	fprintf(out, "%12s %10s %10.1f %9.3f %9.3f %9.3f %9.3f %9.3f %10s %8s\n", offered,
		count_format(load_step_arrivals(step)).text, load_step_goodput(step),
		ms(&latency, 0.5), ms(&latency, 0.9), ms(&latency, 0.99), ms(&latency, 0.999),
		ms(&latency, 1), cpu, rss);
	print_ends(out, step);
	if (load_step_doubt(step, doubt, sizeof doubt))
		fprintf(out, "%12s doubtful: %s\n", "", doubt);
}

void load_table_kinds(FILE *out, const struct load_step *step)
{
	for (size_t i = 0; i < LOAD_KINDS; i++) {
		const struct load_counts *counts = &step->kinds[i];
		bool writes = i == LOAD_UPSERT;

		if (!counts->arrivals)
			continue;
		fprintf(out, "%12s %s calls, %s OK; ", load_kind_name((enum load_kind)i),
			count_format(counts->arrivals).text,
			count_format(counts->ended[STATUS_OK]).text);
		fprintf(out, "%s %s in %s messages; ", count_format(counts->hits).text,
			writes ? "chunks" : "hits", count_format(counts->messages).text);
		if (counts->first_hit.n)
			fprintf(out, "first after p50 %.3f ms, p99 %.3f ms; ",
				ms(&counts->first_hit, 0.5), ms(&counts->first_hit, 0.99));
		if (counts->gap.n)
			fprintf(out, "then a hit each p50 %.1f us, p99 %.1f us; ",
				ms(&counts->gap, 0.5) * 1e3, ms(&counts->gap, 0.99) * 1e3);
		fprintf(out, "%s bytes received, %s sent\n",
			count_format(counts->received_bytes).text,
			count_format(counts->sent_bytes).text);
	}
	fprintf(out, "%12s %.1f us CPU a call, busiest thread %.0f%%; machine %.0f%% idle",
		"harness",
		step->ended_in_window
			? step->client_cpu_seconds * 1e6 / (double)step->ended_in_window
			: 0,
		step->client_busiest_share * 100, step->idle_share * 100);
	if (step->lateness.n)
		fprintf(out, "; sent late by p50 %.3f ms, p99 %.3f ms", ms(&step->lateness, 0.5),
			ms(&step->lateness, 0.99));
	fputc('\n', out);
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the load that is the i-th of each round; n_loads to a round. */
static double median_goodput(const struct load_report *report, size_t i, size_t n_loads)
{
	double all[LOAD_STEPS_MAX];
	size_t n = 0;

	for (; i < report->n_steps; i += n_loads)
		all[n++] = load_step_goodput(&report->steps[i]);
	qsort(all, n, sizeof *all, double_compare);
	return n % 2 ? all[n / 2] : (all[n / 2 - 1] + all[n / 2]) / 2;
}

void load_table_overload(FILE *out, const struct load_report *report, size_t n_rounds)
{
	const struct load_step *last = &report->steps[report->n_steps - 1];
	size_t n_loads = report->n_steps / n_rounds;
	uint64_t rss_max = 0;
	double peak = 0, goodput = 0;

	for (size_t i = 0; i < report->n_steps; i++)
		if (report->steps[i].server.rss_max_bytes > rss_max)
			rss_max = report->steps[i].server.rss_max_bytes;
	fprintf(out, "goodput, median of %zu:", n_rounds);
	for (size_t i = 0; i < n_loads; i++) {
		double rate = report->steps[i].rate;

		goodput = median_goodput(report, i, n_loads);
		peak = goodput > peak ? goodput : peak;
		if (rate > 0)
			fprintf(out, ", %.1f/s at %.0f", goodput, rate);
		else
			fprintf(out, " %.1f/s of a closed loop", goodput);
	}
	fprintf(out, "\ngoodput at %.0f/s offered: %.1f/s, %.1f%% of its peak %.1f/s\n", last->rate,
		goodput, peak > 0 ? goodput / peak * 100 : 0, peak);
	if (last->server.known)
		fprintf(out, "server's RSS: %.0f MB before, %.0f MB at most\n",
			(double)report->steps[0].server.rss_start_bytes * 1e-6,
			(double)rss_max * 1e-6);
}
