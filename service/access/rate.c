/* rate - the table, eight buckets to a row. */
#include "service/access/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 512
#define WIDTH 8
#define NS_PER_SECOND INT64_C(1000000000)

struct bucket {
	uint64_t caller;
	int64_t full_ns; /* when it is, if nothing is taken; 0: never used */
};

struct rates {
	pthread_mutex_t lock;
	struct bucket rows[ROWS][WIDTH];
};

struct rates *rates_open(void)
{
	struct rates *rates = calloc(1, sizeof *rates);

	if (rates)
		pthread_mutex_init(&rates->lock, NULL);
	return rates;
}

void rates_close(struct rates *rates)
{
	if (!rates)
		return;
	pthread_mutex_destroy(&rates->lock);
	free(rates);
}

/* The caller's; else the fullest, which is then the caller's. */
static struct bucket *find(struct bucket row[WIDTH], uint64_t caller)
{
	struct bucket *fullest = &row[0];

	for (size_t i = 0; i < WIDTH; i++) {
		if (row[i].full_ns && row[i].caller == caller)
			return &row[i];
		if (row[i].full_ns < fullest->full_ns)
			fullest = &row[i];
	}
	*fullest = (struct bucket){.caller = caller};
	return fullest;
}

int64_t rates_take(struct rates *rates, uint64_t caller, struct rate_limit limit, int64_t now_ns)
{
	int64_t token_ns, room_ns, wait_ns;
	struct bucket *bucket;

	if (!limit.per_second)
		return 0;
	token_ns = NS_PER_SECOND / limit.per_second;
	room_ns = token_ns * ((limit.burst ? limit.burst : limit.per_second) - INT64_C(1));
	pthread_mutex_lock(&rates->lock);
	bucket = find(rates->rows[caller % ROWS], caller);
	if (bucket->full_ns < now_ns)
		bucket->full_ns = now_ns;
	wait_ns = bucket->full_ns - now_ns - room_ns;
	if (wait_ns <= 0)
		bucket->full_ns += token_ns;
	pthread_mutex_unlock(&rates->lock);
	return wait_ns > 0 ? wait_ns : 0;
}

static bool read_number(const char *text, size_t size, uint32_t *ret)
{
	uint32_t number = 0;

	if (size == 0 || size > 7)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(text[i] - '0');
	}
	*ret = number;
	return number <= RATE_PER_SECOND_MAX;
}

bool rate_read(const char *text, struct rate_limit *ret)
{
	size_t size = strcspn(text, "/");
	struct rate_limit limit = {0};

	if (!read_number(text, size, &limit.per_second))
		return false;
	if (text[size] &&
	    (!read_number(text + size + 1, strlen(text + size + 1), &limit.burst) || !limit.burst))
		return false;
	*ret = limit;
	return true;
}

bool rate_is_above(struct rate_limit a, struct rate_limit b)
{
	if (!a.per_second || !b.per_second)
		return b.per_second != 0;
	return a.per_second != b.per_second ? a.per_second > b.per_second : a.burst > b.burst;
}
