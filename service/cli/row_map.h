/* row_map - chunk ids to the rows of a file, for comparing hits with known answers. */
#ifndef SLUICE_SERVICE_CLI_ROW_MAP_H
#define SLUICE_SERVICE_CLI_ROW_MAP_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdint.h>

#define ROW_NONE UINT32_MAX

struct row_map {
	struct row_entry {
		const char *id; /* NULL: empty */
		uint32_t row;
	} *slots;
	uint32_t n, capacity; /* a power of two, or 0 */
};

void row_map_finish(struct row_map *map);

SCOPE_DEFINE(row_map, row_map_finish)

/* row_map_add - the id gets the number of ids before it; one that is there already keeps its row,
 * but the number is used up. The id is copied into the arena. Fails: RESOURCE_EXHAUSTED */
status row_map_add(struct row_map *map, struct arena *arena, const char *id);

/* row_map_find - the row, or ROW_NONE. */
uint32_t row_map_find(const struct row_map *map, const char *id);

#endif
