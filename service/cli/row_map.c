/* row_map - open addressing, at most half full. */
#include "service/cli/row_map.h"

#include "kernels/base/checksum.h"

#include <stdlib.h>

void row_map_finish(struct row_map *map)
{
	if (map)
		free(map->slots);
}

/* The slot of the id, or the empty one where it would go. */
static struct row_entry *slot_of(const struct row_map *map, const char *id)
{
	static const uint8_t key[16] = "rows of a file";
	uint32_t at = (uint32_t)hash_64(key, bytes_of_string(id)) & (map->capacity - 1);

	while (map->slots[at].id && strcmp(map->slots[at].id, id) != 0)
		at = (at + 1) & (map->capacity - 1);
	return &map->slots[at];
}

static status row_map_grow(struct row_map *map)
{
	struct row_map larger = {.capacity = map->capacity ? map->capacity * 2 : 1024};

	if (map->capacity > UINT32_MAX / 4)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "too many ids");
	larger.slots = calloc(larger.capacity, sizeof *larger.slots);
	if (!larger.slots)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for ids");
	for (uint32_t i = 0; i < map->capacity; i++)
		if (map->slots[i].id)
			*slot_of(&larger, map->slots[i].id) = map->slots[i];
	free(map->slots);
	map->slots = larger.slots;
	map->capacity = larger.capacity;
	return status_ok();
}

status row_map_add(struct row_map *map, struct arena *arena, const char *id)
{
	struct row_entry *slot;

	if (map->n >= map->capacity / 2)
		TRY(row_map_grow(map));
	slot = slot_of(map, id);
	if (!slot->id) {
		slot->id = arena_copy(arena, id, strlen(id));
		if (!slot->id)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for ids");
		slot->row = map->n;
	}
	map->n++;
	return status_ok();
}

uint32_t row_map_find(const struct row_map *map, const char *id)
{
	struct row_entry *slot;

	if (!map->capacity)
		return ROW_NONE;
	slot = slot_of(map, id);
	return slot->id ? slot->row : ROW_NONE;
}
