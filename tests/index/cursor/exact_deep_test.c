/* Long walks: the memory that they hold, and that they arrive. */
#include "index/cursor/exact.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>

/* The two halves of the window, the batch, the query of 8,192 dimensions and its codes. */
#define MEMORY_MAX ((size_t)1 << 20)

/* Walks to the end, and looks at the memory after every thousand hits. */
static void walk_deep(const struct fake_snapshot_options *options, const char *what)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(options);
	SCOPED(scanner) scanner = NULL;
	struct truth truth_of_it, rest;
	SCOPED(truth) truth = &truth_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	size_t most = 0;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	cr_assert(!status_failed(exact_open(
		&(struct exact_options){
			.snapshot = snapshot,
			.scanner = scanner,
			.scanner_cpu = scanner,
			.query = fake_snapshot_query(snapshot),
			.batch = 100,
			.walk = &walk,
		},
		&cursor)));
	for (rest = *truth; rest.n > 0;) {
		size_t n = truth_walk(&rest, cursor, 100, 1000, what);
		size_t bytes = exact_memory_bytes(cursor);

		rest.hits += n;
		rest.n -= n;
		most = bytes > most ? bytes : most;
	}
	truth_walk(&rest, cursor, 100, 1, what);
	cr_assert_lt(most, MEMORY_MAX, "%s", what);
	cr_log_info("%s: %lu rows scanned, %lu scored, %zu bytes", what,
		    (unsigned long)walk.scanned, (unsigned long)walk.reranked, most);
}

Test(exact_deep, reads_300000_rows_to_the_end, .timeout = 120)
{
	walk_deep(&(struct fake_snapshot_options){.n = 300000 / SLOWER,
						  .dim = 8,
						  .metric = METRIC_L2,
						  .block_rows = 65536,
						  .seed = 31},
		  "300,000 rows");
}

Test(exact_deep, reads_70000_identical_rows_to_the_end, .timeout = 120)
{
	walk_deep(&(struct fake_snapshot_options){.n = 70000 / SLOWER,
						  .dim = 8,
						  .metric = METRIC_COSINE,
						  .vectors = FAKE_SAME,
						  .block_rows = 65536,
						  .seed = 32},
		  "70,000 identical rows");
}
