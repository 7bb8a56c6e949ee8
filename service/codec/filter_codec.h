/* filter_codec - filters from the wire to plain data, with the checks that need the collection and
 * those that annotations cannot say.
 */
#ifndef SLUICE_SERVICE_CODEC_FILTER_CODEC_H
#define SLUICE_SERVICE_CODEC_FILTER_CODEC_H

#include "index/collection_config.h"
#include "index/filter/filter.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "sluice/v1/filter.pb-c.h"

/* filter_decode - message  checked against the contract (message.h); NULL: everything passes.
 * ret  strings borrowed from the message, the rest in the arena.
 * Fails: INVALID_ARGUMENT, naming the field of the request: FIELD_NOT_DECLARED; SCHEMA_VIOLATION (a
 * list or a range without bounds as an operand, a bound that is a bool or a list, a string and a
 * number as bounds of one range); RESOURCE_EXHAUSTED */
status filter_decode(struct arena *arena, const Sluice__V1__Filter *message,
		     const struct collection_config *config, struct filter *ret);

/* filter_refuse_empty - INVALID_ARGUMENT (EMPTY_FILTER) where the filter names nothing. */
status filter_refuse_empty(struct arena *arena, const struct filter *filter);

#endif
