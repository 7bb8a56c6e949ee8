/* posting_key - the keys of the tables that filters and neighbours read. Private to this folder.
 *
 *	postings   field, mark, value, 0, run           -> the rows of a run of 65,536 (filter/rows.h)
 *	numbers    field, number (filter/number.h), row -> nothing
 *	documents  document, 0, ordinal, row            -> nothing
 *
 * field is one byte: its place in the config, which never changes. The mark tells the presence of
 * a field, where value is empty, from strings (and labels) and bools. Strings hold no NUL, so the 0
 * behind one makes keys sort as strings do. run is row / 65,536 in six bytes, ordinal four, row
 * eight, big-endian.
 *
 * LMDB's keys are at most 511 bytes. A string of up to 400 stands in a key as it is. Of a longer
 * one there are the first 384 bytes, a 128-bit hash of all of it and its size: 402 bytes, so the
 * two kinds never meet. Long strings that share 384 bytes have no order among themselves here, and
 * whatever a key cannot decide is decided on the record.
 */
#ifndef SLUICE_INDEX_STORE_POSTING_KEY_H
#define SLUICE_INDEX_STORE_POSTING_KEY_H

#include "index/filter/number.h"
#include "index/filter/rows.h"
#include "index/store/value.h"

#define STRING_PLAIN_MAX 400
#define STRING_PREFIX_BYTES 384
#define STRING_HASHED_BYTES (STRING_PREFIX_BYTES + 16 + 2)

#define RUN_BYTES 6
#define ORDINAL_BYTES 4
#define POSTING_HEAD_BYTES 2               /* field, mark */
#define POSTING_TAIL_BYTES (1 + RUN_BYTES) /* 0, run */
#define DOCUMENT_TAIL_BYTES (1 + ORDINAL_BYTES + ROW_KEY_BYTES)
#define NUMBER_ROW_KEY_BYTES (1 + NUMBER_KEY_BYTES + ROW_KEY_BYTES)
#define POSTING_KEY_MAX (POSTING_HEAD_BYTES + STRING_HASHED_BYTES + DOCUMENT_TAIL_BYTES)

enum posting_mark { MARK_PRESENT = 1, MARK_STRING = 2, MARK_BOOL = 3 };

struct posting_key {
	uint8_t bytes[POSTING_KEY_MAX];
	size_t size;
};

static inline struct bytes posting_key_bytes(const struct posting_key *key)
{
	return bytes_of(key->bytes, key->size);
}

/* Keys are built from the left: begin, then one piece after the other. */
void posting_key_begin(struct posting_key *key, size_t field, enum posting_mark mark);
/* posting_key_add_string - as it stands in a key: whole, or cut and hashed. */
void posting_key_add_string(struct posting_key *key, struct bytes string);
void posting_key_add(struct posting_key *key, const void *data, size_t size);
/* posting_key_add_run - the 0 and the run of a row. */
void posting_key_add_run(struct posting_key *key, uint64_t row);

/* number_row_key - of one row's number. */
void number_row_key(struct posting_key *key, size_t field, const struct value *value, uint64_t row);

/* document_key_begin - up to and with the 0; document_key_add_row - the rest. */
void document_key_begin(struct posting_key *key, struct bytes document);
void document_key_add_row(struct posting_key *key, uint32_t ordinal, uint64_t row);

/* posting_run_row - the first row of the run at the end of a key. */
uint64_t posting_run_row(struct bytes key);

#endif
