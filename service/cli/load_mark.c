/* load_mark - differences. */
#include "service/cli/load_mark.h"

#include "kernels/base/deadline.h"

#include <unistd.h>

void load_mark_take(pid_t pid, struct load_mark *ret)
{
	*ret = (struct load_mark){.at_ns = clock_ns()};
	ret->thread_seconds = load_thread_seconds(gettid());
	ret->has_server = pid && !status_failed(load_usage_read(pid, &ret->server));
	if (status_failed(load_usage_read(getpid(), &ret->client)))
		ret->client = (struct load_usage){0};
	load_machine_read(&ret->machine);
}

void load_mark_begin(const struct load_mark *begin, struct load_step *step)
{
	step->server.rss_start_bytes = begin->server.rss_bytes;
	step->server.rss_max_bytes = begin->server.rss_bytes;
}

void load_mark_end(const struct load_mark *begin, const struct load_mark *end,
		   struct load_step *step)
{
	double all = end->machine.seconds - begin->machine.seconds;

	step->seconds = (double)(end->at_ns - begin->at_ns) * 1e-9;
	step->server.known = begin->has_server && end->has_server;
	step->server.cpu_seconds = end->server.cpu_seconds - begin->server.cpu_seconds;
	step->server.rss_end_bytes = end->server.rss_bytes;
	step->client_cpu_seconds = end->client.cpu_seconds - begin->client.cpu_seconds;
	step->client_busiest_share = (end->thread_seconds - begin->thread_seconds) / step->seconds;
	step->idle_share = 1;
	if (all > 0)
		step->idle_share = (end->machine.idle_seconds - begin->machine.idle_seconds) / all;
}

void load_mark_look(pid_t pid, struct load_step *step)
{
	struct load_usage usage;

	if (!pid || status_failed(load_usage_read(pid, &usage)))
		return;
	if (usage.rss_bytes > step->server.rss_max_bytes)
		step->server.rss_max_bytes = usage.rss_bytes;
}
