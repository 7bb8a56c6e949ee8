/* look - reads a server that came back, and its folder, and holds them against the models. */
#ifndef SLUICE_TESTS_CRASH_LOOK_H
#define SLUICE_TESTS_CRASH_LOOK_H

#include "tests/crash/model.h"

#include <sys/types.h>

/* look_settle - what each collection holds has to be what its model allows; every chunk has to be whole,
 * found by its own vector in an exact search, by its language and by its document; and there is no
 * collection but these. The server seals and merges nothing meanwhile, so that no file comes or goes:
 * of those in the folder each has to be named by what the server says it has.
 * models  [PLANS]. Asserts; of the world's session. */
void look_settle(struct model *models, const char *data);

/* What lay in the folder when a server had died there: traces of what it was doing. */
enum trace {
	TRACE_SEGMENT, /* one being written */
	TRACE_INDEX,
	TRACE_MADE,    /* a collection being made */
	TRACE_DROPPED, /* or dropped */
	TRACES,
};

extern const char *const trace_names[TRACES];

/* look_for_traces - how many of each, added to ret. Does not assert. */
void look_for_traces(const char *data, size_t ret[TRACES]);

#endif
