/* catalogue - an array searched by halves: there are dozens of collections, not millions. */
#include "index/catalogue.h"

#include "kernels/base/error_info.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool catalogue_name_valid(struct bytes name)
{
	if (name.size == 0 || name.size > COLLECTION_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];
		bool letter = c >= 'a' && c <= 'z';
		bool other = (c >= '0' && c <= '9') || c == '_' || c == '-';

		if (!letter && (i == 0 || !other))
			return false;
	}
	return true;
}

size_t catalogue_position(const struct catalogue *catalogue, struct bytes name)
{
	size_t low = 0, high = catalogue->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct bytes there = bytes_of_string(catalogue->entries[middle].name);

		if (bytes_compare(there, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct catalogue_entry *catalogue_find(const struct catalogue *catalogue, struct bytes name)
{
	size_t at = catalogue_position(catalogue, name);

	if (at == catalogue->n || !bytes_equal(bytes_of_string(catalogue->entries[at].name), name))
		return NULL;
	return &catalogue->entries[at];
}

status catalogue_reserve(struct catalogue *catalogue)
{
	size_t capacity = catalogue->capacity ? 2 * catalogue->capacity : 16;
	struct catalogue_entry *entries;

	if (catalogue->n < catalogue->capacity)
		return status_ok();
	entries = reallocarray(catalogue->entries, capacity, sizeof *entries);
	if (!entries)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for the catalogue");
	catalogue->entries = entries;
	catalogue->capacity = capacity;
	return status_ok();
}

struct catalogue_entry *catalogue_insert(struct catalogue *catalogue, const char *name)
{
	size_t at = catalogue_position(catalogue, bytes_of_string(name));
	struct catalogue_entry *entry = &catalogue->entries[at];

	assert(catalogue->n < catalogue->capacity && strlen(name) <= COLLECTION_NAME_MAX);
	memmove(entry + 1, entry, (catalogue->n - at) * sizeof *entry);
	*entry = (struct catalogue_entry){.collection = NULL};
	memcpy(entry->name, name, strlen(name));
	catalogue->n++;
	return entry;
}

struct collection *catalogue_remove(struct catalogue *catalogue, struct catalogue_entry *entry)
{
	struct collection *collection = entry->collection;
	size_t at = (size_t)(entry - catalogue->entries);

	free(entry->detail);
	catalogue->n--;
	memmove(entry, entry + 1, (catalogue->n - at) * sizeof *entry);
	return collection;
}

void catalogue_refuse(struct catalogue_entry *entry, status failure)
{
	assert(!entry->collection && !entry->detail);
	entry->code = failure.code;
	entry->reason = failure.info ? failure.info->reason : error_reason_of_code(failure.code);
	entry->detail = failure.detail ? strdup(failure.detail) : NULL;
}

void catalogue_forgive(struct catalogue_entry *entry)
{
	free(entry->detail);
	entry->detail = NULL;
	entry->code = STATUS_OK;
}
