/* retention - a ring of parts of time. */
#include "index/retention.h"

#define PLACES (RETENTION_PARTS + 1)

static int64_t part_of(const struct retention *retention, int64_t now_ns)
{
	int64_t part_ns = retention->keep_ns / RETENTION_PARTS;

	return now_ns / (part_ns ? part_ns : 1) + 1;
}

void retention_init(struct retention *retention, int64_t keep_ns)
{
	*retention = (struct retention){.keep_ns = keep_ns};
}

void retention_note(struct retention *retention, int64_t now_ns, uint64_t generation)
{
	int64_t part;
	int i;

	if (retention->keep_ns == 0)
		return;
	part = part_of(retention, now_ns);
	i = (int)(part % PLACES);
	if (retention->parts[i].part != part || retention->parts[i].least > generation)
		retention->parts[i].least = generation;
	retention->parts[i].part = part;
}

uint64_t retention_least(const struct retention *retention, int64_t now_ns, uint64_t generation)
{
	int64_t part;

	if (retention->keep_ns == 0)
		return generation;
	part = part_of(retention, now_ns);
	for (int i = 0; i < PLACES; i++)
		if (retention->parts[i].part > 0 && retention->parts[i].part > part - PLACES &&
		    retention->parts[i].least < generation)
			generation = retention->parts[i].least;
	return generation;
}
