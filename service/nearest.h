/* nearest - the name that was meant, of those that there are. */
#ifndef SLUICE_SERVICE_NEAREST_H
#define SLUICE_SERVICE_NEAREST_H

#include "kernels/base/bytes.h"

/* What is further apart is no slip of the fingers. */
#define NEAREST_MAX 2

struct nearest {
	struct bytes wanted;
	const char *name; /* NULL: none is near; of equal ones the first */
	size_t apart;     /* Levenshtein's distance of name */
};

static inline struct nearest nearest_to(struct bytes wanted)
{
	return (struct nearest){wanted, NULL, NEAREST_MAX + 1};
}

/* nearest_offer - name is one that there is; borrowed. Of names above 63 bytes none is near. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
