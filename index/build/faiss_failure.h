/* faiss_failure - what FAISS's C interface says of its last failure, as a status. */
#ifndef SLUICE_INDEX_BUILD_FAISS_FAILURE_H
#define SLUICE_INDEX_BUILD_FAISS_FAILURE_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

/* faiss_failure - code, with FAISS's own words; RESOURCE_EXHAUSTED where these are of memory.
 * doing  "clustering": for the detail. */
status faiss_failure(struct arena *arena, enum status_code code, const char *doing);

#endif
