/* rows_unpack - the bytes of a set as bits.
 *
 * The portable format of roaring bitmaps, of a set that has one container at most:
 *	u32  12346, u32 containers           or   u16 12347, u16 containers - 1, a bit for each: in runs
 *	u16  key of the container, u16 its rows - 1
 *	u32  where the container is          only after 12346
 * and the container: u16 of each row, ascending; above 4,096 rows 8 KiB of bits; or in runs: u16 how
 * many, and of each u16 its first row, u16 its rows - 1. All little-endian.
 */
#include "index/filter/rows.h"

#define COOKIE_PLAIN 12346
#define COOKIE_RUNS 12347
#define ARRAY_ROWS_MAX 4096

static status unreadable(void)
{
	return status_make(STATUS_DATA_LOSS, "a set of rows cannot be read");
}

static uint32_t load_u16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

/* The words from that of row first to that of row last, empty. */
static void bits_begin(struct rows_bits *bits, uint32_t first, uint32_t last)
{
	bits->first = first / 64;
	bits->end = last / 64 + 1;
	memset(bits->words + bits->first, 0, (bits->end - bits->first) * sizeof bits->words[0]);
}

static status unpack_array(struct bytes bytes, uint32_t n, struct rows_bits *ret)
{
	uint32_t first, last;

	if (bytes.size < (size_t)n * 2)
		return unreadable();
	first = load_u16(bytes.data);
	last = load_u16(bytes.data + (size_t)(n - 1) * 2);
	if (first > last)
		return unreadable();
	bits_begin(ret, first, last);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = load_u16(bytes.data + (size_t)i * 2);

		if (row < first || row > last)
			return unreadable();
		ret->words[row / 64] |= (uint64_t)1 << row % 64;
	}
	return status_ok();
}

static status unpack_bits(struct bytes bytes, struct rows_bits *ret)
{
	if (bytes.size < sizeof ret->words)
		return unreadable();
	ret->first = 0;
	ret->end = ROWS_WORDS;
	for (size_t i = 0; i < ROWS_WORDS; i++)
		ret->words[i] = load_u64(bytes.data + i * sizeof ret->words[0]);
	return status_ok();
}

/* Rows first .. last, within the words that were begun. */
static void bits_fill(struct rows_bits *bits, uint32_t first, uint32_t last)
{
	uint64_t low = UINT64_MAX << first % 64, high = UINT64_MAX >> (63 - last % 64);
	uint32_t at = first / 64, end = last / 64;

	if (at == end) {
		bits->words[at] |= low & high;
		return;
	}
	bits->words[at++] |= low;
	while (at < end)
		bits->words[at++] = UINT64_MAX;
	bits->words[end] |= high;
}

static status unpack_runs(struct bytes bytes, struct rows_bits *ret)
{
	uint32_t n = bytes.size < 2 ? 0 : load_u16(bytes.data), low, high;
	const uint8_t *runs = bytes.data + 2, *last = runs + (size_t)n * 4 - 4;

	if (n == 0 || (bytes.size - 2) / 4 < n)
		return unreadable();
	low = load_u16(runs);
	high = load_u16(last) + load_u16(last + 2);
	if (low > high || high >> ROWS_RUN_BITS)
		return unreadable();
	bits_begin(ret, low, high);
	for (const uint8_t *run = runs; run <= last; run += 4) {
		uint32_t first = load_u16(run), end = first + load_u16(run + 2);

		if (first < low || end > high)
			return unreadable();
		bits_fill(ret, first, end);
	}
	return status_ok();
}

/* ret_rows  where they begin: behind the cookie. 0 containers: the set is empty. */
static bool read_cookie(struct bytes bytes, uint32_t *ret_containers, bool *ret_runs,
			size_t *ret_rows)
{
	uint32_t cookie = bytes.size < 4 ? 0 : load_u32(bytes.data);

	if (cookie == COOKIE_PLAIN && bytes.size >= 8) {
		*ret_containers = load_u32(bytes.data + 4);
		*ret_runs = false;
		*ret_rows = 8;
		return true;
	}
	if ((cookie & 0xFFFF) != COOKIE_RUNS || bytes.size < 5)
		return false;
	*ret_containers = (cookie >> 16) + 1;
	*ret_runs = bytes.data[4] & 1;
	*ret_rows = 5;
	return true;
}

status rows_unpack(struct bytes bytes, struct rows_bits *ret)
{
	uint32_t containers = 0, n;
	bool runs = false;
	size_t at = 0;

	if (!read_cookie(bytes, &containers, &runs, &at))
		return unreadable();
	ret->first = ret->end = 0;
	if (containers == 0)
		return status_ok();
	if (bytes.size - at < 4)
		return unreadable();
	if (containers > 1 || load_u16(bytes.data + at) != 0)
		return status_make(STATUS_DATA_LOSS, "a set of rows goes past its run");
	n = load_u16(bytes.data + at + 2) + 1;
	at += 4;
	/* After the cookie of runs there is none for so few containers. */
	if (load_u32(bytes.data) == COOKIE_PLAIN)
		at += 4;
	if (bytes.size < at)
		return unreadable();
	bytes = bytes_of(bytes.data + at, bytes.size - at);
	if (runs)
		return unpack_runs(bytes, ret);
	return n <= ARRAY_ROWS_MAX ? unpack_array(bytes, n, ret) : unpack_bits(bytes, ret);
}
