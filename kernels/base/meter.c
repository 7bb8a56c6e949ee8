/* meter - counters in lanes, so that threads do not wait for each other's cache lines. */
#include "kernels/base/meter.h"

#include <assert.h>

const int64_t histogram_bounds_ns[HISTOGRAM_BOUNDS] = {
	10000,     25000,      50000,      100000,     250000,      500000,      1000000,
	2500000,   5000000,    10000000,   25000000,   50000000,    100000000,   250000000,
	500000000, 1000000000, 2500000000, 5000000000, 10000000000, 60000000000,
};

static struct {
	_Alignas(64) _Atomic uint64_t counts[METER_N];
} lanes[METER_LANES];

static struct histogram timers[TIMER_N];

static _Atomic size_t n_threads;
/* One more than the lane; 0: none yet. */
static _Thread_local size_t own_lane;

size_t meter_lane(void)
{
	if (!own_lane)
		own_lane = 1 + atomic_fetch_add_explicit(&n_threads, 1, memory_order_relaxed) %
				       METER_LANES;
	return own_lane - 1;
}

void meter_add(enum meter meter, uint64_t delta)
{
	assert((unsigned)meter < METER_N);
	atomic_fetch_add_explicit(&lanes[meter_lane()].counts[meter], delta, memory_order_relaxed);
}

uint64_t meter_read(enum meter meter)
{
	uint64_t sum = 0;

	assert((unsigned)meter < METER_N);
	for (size_t i = 0; i < METER_LANES; i++)
		sum += atomic_load_explicit(&lanes[i].counts[meter], memory_order_relaxed);
	return sum;
}

/* The first bound that is not below ns: halves, five times. */
static size_t bucket_of(int64_t ns)
{
	size_t low = 0, high = HISTOGRAM_BOUNDS;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (histogram_bounds_ns[middle] < ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
	size_t lane = meter_lane();

	if (ns < 0)
		ns = 0;
	atomic_fetch_add_explicit(&histogram->lanes[lane].counts[bucket_of(ns)], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->lanes[lane].sum_ns, (uint64_t)ns,
				  memory_order_relaxed);
}

void histogram_read(const struct histogram *histogram, struct histogram_reading *ret)
{
	*ret = (struct histogram_reading){0};
	for (size_t i = 0; i < METER_LANES; i++) {
		for (size_t j = 0; j <= HISTOGRAM_BOUNDS; j++)
			ret->counts[j] += atomic_load_explicit(&histogram->lanes[i].counts[j],
							       memory_order_relaxed);
		ret->sum_ns +=
			atomic_load_explicit(&histogram->lanes[i].sum_ns, memory_order_relaxed);
	}
	/* Of the buckets, so that a reading agrees with itself. */
	for (size_t j = 0; j <= HISTOGRAM_BOUNDS; j++)
		ret->n += ret->counts[j];
}

void timer_add(enum timer timer, int64_t ns)
{
	assert((unsigned)timer < TIMER_N);
	histogram_add(&timers[timer], ns);
}

void timer_read(enum timer timer, struct histogram_reading *ret)
{
	assert((unsigned)timer < TIMER_N);
	histogram_read(&timers[timer], ret);
}
