/* segments - the manifest's list of sealed segments: one value, in the table of the config. None
 * is there until the first is sealed.
 */
#include "index/store/manifest.h"

#define SEGMENT_BYTES (4 * sizeof(uint64_t))

static const char segments_key[] = "segments";

status manifest_write_segments(const struct transaction *transaction,
			       const struct store_segment *segments, size_t n)
{
	SCOPED(buffer) encoded = &(struct buffer){0};

	for (size_t i = 0; i < n; i++) {
		buffer_append_u64(encoded, segments[i].id);
		buffer_append_u64(encoded, segments[i].n);
		buffer_append_u64(encoded, segments[i].first_row);
		buffer_append_u64(encoded, segments[i].last_row);
	}
	if (encoded->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for its list of segments");
	return value_put(transaction, TABLE_CONFIG, bytes_of_string(segments_key),
			 bytes_of(encoded->data, encoded->size));
}

status manifest_read_segments(const struct transaction *transaction, struct store_segment **ret,
			      size_t *ret_n)
{
	struct bytes key = bytes_of_string(segments_key), payload = {0};
	struct store_segment *segments;
	struct reader in;
	bool found;
	size_t n;

	TRY(value_get(transaction, TABLE_CONFIG, key, &found, &payload));
	n = found ? payload.size / SEGMENT_BYTES : 0;
	in = reader_of(payload);
	segments = ARENA_ARRAY(transaction->arena, struct store_segment, n);
	if (!segments)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for its list of segments");
	for (size_t i = 0; i < n; i++) {
		segments[i].id = reader_u64(&in);
		segments[i].n = reader_u64(&in);
		segments[i].first_row = reader_u64(&in);
		segments[i].last_row = reader_u64(&in);
	}
	*ret = segments;
	*ret_n = n;
	return status_ok();
}

status store_read_segments(struct store *store, struct arena *arena, struct store_segment **ret,
			   size_t *ret_n)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};

	TRY(transaction_read(t));
	return manifest_read_segments(t, ret, ret_n);
}
