/* search_print - hits and the summary of a search on standard output, for people or as JSON. */
#ifndef SLUICE_SERVICE_CLI_SEARCH_PRINT_H
#define SLUICE_SERVICE_CLI_SEARCH_PRINT_H

#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <stdbool.h>

struct search_print {
	bool json, text, colours;
	struct buffer line;
};

/* search_print_init - json  JSON lines; else text  adds the whole text of each hit. */
void search_print_init(struct search_print *print, bool json, bool text);
void search_print_finish(struct search_print *print);

SCOPE_DEFINE(search_print, search_print_finish)

/* Both print without flushing. Fails: RESOURCE_EXHAUSTED UNAVAILABLE */
status search_print_hit(struct search_print *print, const Sluice__V1__Hit *hit);
status search_print_summary(struct search_print *print, const Sluice__V1__Summary *summary);

#endif
