/* nearest - Levenshtein's distance, one row of the table at a time. */
#include "service/nearest.h"

#define NAME_MAX_BYTES 63

static size_t distance(struct bytes a, struct bytes b)
{
	size_t row[NAME_MAX_BYTES + 1];

	for (size_t j = 0; j <= b.size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			size_t best = diagonal + (a.data[i - 1] != b.data[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.size];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	struct bytes offered = bytes_of_string(name);
	size_t apart;

	if (nearest->wanted.size > NAME_MAX_BYTES || offered.size > NAME_MAX_BYTES)
		return;
	apart = distance(nearest->wanted, offered);
	/* A name of which nothing is left is another one. */
	if (apart < nearest->apart && apart < offered.size) {
		nearest->apart = apart;
		nearest->name = name;
	}
}
