/* families - every figure that is given to Prometheus: its name, kind, labels and meaning, once. */
#ifndef SLUICE_SERVICE_TELEMETRY_FAMILIES_H
#define SLUICE_SERVICE_TELEMETRY_FAMILIES_H

#include "service/telemetry/exposition.h"
#include "service/telemetry/readings.h"

struct family {
	const char *name;
	enum family_kind kind;
	const char *labels; /* their names, with ", " between; "": none */
	const char *help;   /* a sentence */
	void (*print)(struct exposition *exposition, const struct family *family,
		      const struct readings *readings);
	int what; /* a meter, gauge or timer, for print */
};

extern const struct family families[];
extern const size_t n_families;

/* families_print - all of them, each with every label that it can have: those of a collection come with
 * it. */
void families_print(const struct readings *readings, struct buffer *out);

/* families_table - the same for people, as a table in Markdown: what README has. */
void families_table(struct buffer *out);

/* The stages of a search with their names, in order. */
struct stage {
	const char *name, *help;
	enum timer timer;
};
#define SEARCH_STAGES 5
extern const struct stage search_stages[SEARCH_STAGES];

#endif
