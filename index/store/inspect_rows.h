/* inspect_rows - the inside of an inspection, for its two files. */
#ifndef SLUICE_INDEX_STORE_INSPECT_ROWS_H
#define SLUICE_INDEX_STORE_INSPECT_ROWS_H

#include "index/filter/rows.h"
#include "index/store/inspect.h"
#include "index/store/postings.h"
#include "index/store/value.h"

/* Of one table more are counted and not told. */
#define INSPECT_TOLD_MAX 20

struct inspection {
	struct inspect *inspect;
	const struct transaction *transaction;
	struct store_state state;
	uint64_t head_row;         /* rows below are in segments */
	struct buffer dead;        /* struct dead_row, ascending */
	size_t dead_at;            /* in it: what is before it was passed */
	uint64_t entries[TABLE_N]; /* that were read */
	uint64_t told;             /* of the part at hand */
	uint64_t dead_found;       /* rows with a record */

	struct postings postings; /* of the records since the last look */
	/* The run of rows of the last posting that was looked for; NULL: none, or not there. */
	struct rows *run;
	struct buffer run_key;
	uint64_t wanted[TABLE_N]; /* entries that the records make, of postings rows */
	uint64_t posting_rows;    /* that there are */
};

/* inspection_tell - damage, in the words of printf. */
void inspection_tell(struct inspection *inspection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* inspection_tell_status - the same of a failure; gives it back where it is no damage. */
status inspection_tell_status(struct inspection *inspection, status s);

struct entry;

/* inspection_record - one record: what it holds, its id, its vector; notes its postings. */
status inspection_record(struct inspection *inspection, const struct entry *entry);

/* inspection_postings - looks for those that were noted. */
status inspection_postings(struct inspection *inspection);

#endif
