/* meter - counts of what has happened and how long it took, for the whole process; they only grow.
 *
 * What is alive now is gauge.h's. A count is one relaxed addition on a line of memory that few threads
 * share: each thread has one of METER_LANES, and reading adds them up. So a reading is exact once
 * everybody rests, and never goes back. Never locks, never allocates, never fails.
 */
#ifndef SLUICE_KERNELS_BASE_METER_H
#define SLUICE_KERNELS_BASE_METER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define METER_LANES 16
/* The bounds of a histogram, from 10 us to 60 s; one more bucket is above them all. */
#define HISTOGRAM_BOUNDS 20

enum meter {
	METER_SEARCHES,      /* searches and walks that were opened */
	METER_SCANS,         /* pages for which rows were scanned */
	METER_SHARED_SCANS,  /* of them, done by another search's worker with its own */
	METER_SCANNED_ROWS,  /* codes or vectors read by scans */
	METER_SCANNED_BYTES, /* the same, in bytes */
	METER_RERANKED_ROWS, /* rows scored exactly */
	METER_HITS,          /* hits that were sent */
	METER_WRITES,        /* batches that were applied */
	METER_WRITES_FAILED, /* batches that were not */
	METER_COMMITS,       /* transactions of writes that came to disk */
	METER_INSERTED_ROWS, /* chunks whose id was new */
	METER_REPLACED_ROWS, /* chunks in the place of others */
	METER_DELETED_ROWS,  /* chunks deleted */
	METER_GPU_BATCHES,   /* batches of searches that went to a GPU */
	METER_GPU_QUERIES,   /* queries in them */
	METER_GPU_REFUSED,   /* segments that a GPU had no room for */
	METER_LOG_LINES,     /* written */
	METER_LOG_DROPPED,   /* over the rate */
	METER_SPANS_SENT,    /* spans that a collector took */
	METER_SPANS_CROWDED, /* spans for which there was no room while they would have waited */
	METER_SPANS_REFUSED, /* spans that the collector did not take */
	METER_N,
};

enum timer {
	TIMER_SEARCH_OPEN,   /* request to chain of stages, without work */
	TIMER_SEARCH_SELECT, /* a filter worked out to rows */
	TIMER_SEARCH_SCAN,   /* rows scanned for a page */
	TIMER_SEARCH_RERANK, /* exact scores of a page, and its order */
	TIMER_SEARCH_ENCODE, /* a page's records read and written to its message */
	TIMER_SEND,          /* a message, until the client's window has taken it */
	TIMER_WORKER_QUEUE,  /* a job, until a worker has it */
	TIMER_WRITER_QUEUE,  /* the same of the writers */
	TIMER_WRITE_QUEUE,   /* a batch, until its commit begins */
	TIMER_GPU_QUEUE,     /* a search of codes, until its batch goes to the GPU */
	TIMER_COMMIT,        /* a transaction, from its first batch to fsync's end */
	TIMER_N,
};

extern const int64_t histogram_bounds_ns[HISTOGRAM_BOUNDS];

/* Times by size. All zero is empty; as static memory, or a part of somebody's. */
struct histogram {
	struct {
		_Alignas(64) _Atomic uint64_t counts[HISTOGRAM_BOUNDS + 1];
		_Atomic uint64_t sum_ns;
	} lanes[METER_LANES];
};

struct histogram_reading {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* not cumulative */
	uint64_t n, sum_ns;
};

/* meter_lane - of the calling thread, below METER_LANES: for whoever counts in lanes of its own. */
size_t meter_lane(void);

void meter_add(enum meter meter, uint64_t delta);
uint64_t meter_read(enum meter meter);

/* timer_add - a time that passed; one below zero counts as zero. */
void timer_add(enum timer timer, int64_t ns);
void timer_read(enum timer timer, struct histogram_reading *ret);

void histogram_add(struct histogram *histogram, int64_t ns);
void histogram_read(const struct histogram *histogram, struct histogram_reading *ret);

#endif
