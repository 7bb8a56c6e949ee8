/* rows - over CRoaring, whose bitmap a struct rows is. */
#include "index/filter/rows.h"

#include <roaring/roaring.h>

static roaring_bitmap_t *bitmap_of(struct rows *rows)
{
	return (roaring_bitmap_t *)rows;
}

static const roaring_bitmap_t *bitmap_of_const(const struct rows *rows)
{
	return (const roaring_bitmap_t *)rows;
}

status rows_open(struct rows **ret)
{
	roaring_bitmap_t *bitmap = roaring_bitmap_create();

	if (!bitmap)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a set of rows");
	*ret = (struct rows *)bitmap;
	return status_ok();
}

status rows_read(struct bytes bytes, struct rows **ret)
{
	const char *data = (const char *)bytes.data;
	roaring_bitmap_t *bitmap = roaring_bitmap_portable_deserialize_safe(data, bytes.size);

	if (!bitmap)
		return status_make(STATUS_DATA_LOSS, "a set of rows cannot be read");
	if (!roaring_bitmap_is_empty(bitmap) && roaring_bitmap_maximum(bitmap) >> ROWS_RUN_BITS) {
		roaring_bitmap_free(bitmap);
		return status_make(STATUS_DATA_LOSS, "a set of rows goes past its run");
	}
	*ret = (struct rows *)bitmap;
	return status_ok();
}

void rows_close(struct rows *rows)
{
	if (rows)
		roaring_bitmap_free(bitmap_of(rows));
}

void rows_add(struct rows *rows, uint16_t row)
{
	roaring_bitmap_add(bitmap_of(rows), row);
}

bool rows_add_new(struct rows *rows, uint16_t row)
{
	return roaring_bitmap_add_checked(bitmap_of(rows), row);
}

void rows_remove(struct rows *rows, uint16_t row)
{
	roaring_bitmap_remove(bitmap_of(rows), row);
}

bool rows_is_empty(const struct rows *rows)
{
	return roaring_bitmap_is_empty(bitmap_of_const(rows));
}

void rows_write(struct rows *rows, struct buffer *ret)
{
	char *place;
	size_t size;

	roaring_bitmap_run_optimize(bitmap_of(rows));
	size = roaring_bitmap_portable_size_in_bytes(bitmap_of(rows));
	place = buffer_reserve(ret, size);
	if (place)
		ret->size += roaring_bitmap_portable_serialize(bitmap_of(rows), place);
}

void rows_each(const struct rows *rows, bool (*visit)(uint32_t row, void *context), void *context)
{
	roaring_iterate(bitmap_of_const(rows), visit, context);
}
