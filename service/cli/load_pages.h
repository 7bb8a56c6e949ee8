/* load_pages - what the next hits of a cursor cost that is open already and has been read so far. */
#ifndef SLUICE_SERVICE_CLI_LOAD_PAGES_H
#define SLUICE_SERVICE_CLI_LOAD_PAGES_H

#include "service/cli/load_client.h"
#include "service/cli/load_plan.h"
#include "service/cli/load_requests.h"

/* load_pages - opens connections x streams iterates and reads each to plan->skip; then, in the window,
 * grants pages to plan->depth to one after the other, few at a time. A page counts as a call.
 * ret  zeroed by the caller. Fails: as the server ends a cursor before its depth */
status load_pages(const struct load_plan *plan, struct load_requests *requests,
		  struct load_client *client, struct load_step *ret);

#endif
