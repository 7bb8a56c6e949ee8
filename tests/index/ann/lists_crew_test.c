/* Lists that several threads build. */
#include "tests/index/ann/clouds.h"

#include "index/build/crew.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All of the index's file. ret  to be freed */
static size_t build_by(struct heaps *heaps, size_t n_threads, unsigned char **ret)
{
	struct stat about;
	char path[512];
	FILE *stream;

	crew_limit(n_threads);
	heaps_build(heaps);
	snprintf(path, sizeof path, "%s/0000000000000001.ann", heaps->room.scratch.path);
	cr_assert_eq(stat(path, &about), 0);
	*ret = malloc((size_t)about.st_size);
	stream = fopen(path, "re");
	cr_assert(stream && *ret);
	cr_assert_eq(fread(*ret, 1, (size_t)about.st_size, stream), (size_t)about.st_size);
	fclose(stream);
	return (size_t)about.st_size;
}

Test(lists_crew, makes_the_same_file_by_any_number_of_threads, .timeout = 300)
{
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

	for (size_t i = 0; i < COUNT(metrics); i++) {
		const struct heaps_made_of what = {.metric = metrics[i],
						   .encoding = ENCODING_FLOAT32,
						   .dim = 48,
						   .n = 2500,
						   .kind = INDEX_IVF};
		unsigned char *alone, *by_three;
		struct heaps heaps;
		size_t size;

		clouds_init(&heaps, &what, 3);
		size = build_by(&heaps, 1, &alone);
		cr_assert_eq(build_by(&heaps, 3, &by_three), size);
		cr_assert_eq(memcmp(alone, by_three, size), 0);
		free(alone);
		free(by_three);
		heaps_finish(&heaps);
	}
}
