/* gpu - a GPU scans segments by their codes: answers are the same bits. And it is measured. */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <stdio.h>
#include <stdlib.h>

TestSuite(gpu, .init = world_open, .fini = world_close, .timeout = 120);

enum { n_rows = 700, seal_rows = 200 };

Test(gpu, gives_the_same_answers_over_segments)
{
	static const Sluice__V1__Metric metrics[] = {SLUICE__V1__METRIC__METRIC_COSINE,
						     SLUICE__V1__METRIC__METRIC_INNER_PRODUCT,
						     SLUICE__V1__METRIC__METRIC_L2};
	static const char *const names[] = {"cosine", "product", "l2"};

	if (!server_has_software_gpu())
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	world_restart_with(&(struct server_options){.gpu = "software"},
			   text_of("index: {seal_rows: %d}\n", seal_rows));
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		struct rows rows = {
			.collection = names[i], .metric = metrics[i], .dim = 37, .n = n_rows};
		float *query = query_make(rows.dim, 5);
		Sluice__V1__SearchRequest request;
		struct seen_list wanted, seen;

		rows_create(&rows, i + 1);
		await_indexed(names[i], n_rows / seal_rows * seal_rows);
		wanted = oracle_order(&rows, query, NULL);
		request = search_request(&rows, query, 1000);
		seen = search_all(&world.session, &request);
		WANT_SAME(&seen, &wanted, rows.n);
	}
	want_idle();
}

/* In what is started from here on: as server_start does over Mesa's driver. */
static void search_no_leaks(void)
{
	const char *before = getenv("ASAN_OPTIONS");
	char with[600];

	snprintf(with, sizeof with, "%s:detect_leaks=0", before ? before : "");
	setenv("ASAN_OPTIONS", with, 1);
}

Test(gpu, is_measured_without_a_server)
{
	static const char *const arguments[] = {"bench", "gpu",    "--software", "--mib",
						"1",     "--json", NULL};
	struct said said;

	if (!server_has_software_gpu())
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	search_no_leaks();
	said = command_run(arguments);
	cr_assert_eq(said.result, 0, "%s", said.err);
	cr_assert_not_null(strstr(said.out, "\"scan_of_copy\": "));
	cr_assert_not_null(strstr(said.out, "\"batch_8\": "));
}
