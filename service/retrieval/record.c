/* record - one stored chunk on its way to a page. */
#include "service/retrieval/record.h"

#include "kernels/base/error_info.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/chunk_wire.h"

status record_fetch(struct collection_reader *reader, uint64_t row, unsigned fields,
		    struct arena *record, struct chunk *ret)
{
	unsigned what = 0;
	status fetched;

	if (fields & READ_RECORD)
		what |= FETCH_RECORD;
	if (fields & READ_VECTOR)
		what |= FETCH_VECTOR;
	arena_reset(record);
	fetched = collection_reader_fetch(reader, row, what, record, ret);
	/* A snapshot sees the row, so something must be there: it is not the client who is wrong.
	 */
	if (fetched.code == STATUS_NOT_FOUND) {
		fetched.code = STATUS_DATA_LOSS;
		fetched = status_reason(fetched, record, REASON_DATA_CORRUPT, "collection",
					collection_config(reader->collection)->name, NULL);
	}
	return fetched;
}

status record_append(struct collection_reader *reader, uint64_t row, unsigned fields,
		     struct arena *record, struct buffer *page, uint32_t field)
{
	struct chunk_wire wire;
	struct chunk chunk = {0};

	TRY(record_fetch(reader, row, fields, record, &chunk));
	wire = chunk_wire_of(&chunk, fields, collection_config(reader->collection)->dim);
	chunk_wire_append(&wire, field, page);
	return status_ok();
}
