/* gpu - a GPU scans segments by their codes: answers are the same bits. And it is measured. */
#include "tests/e2e/command.h"
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(gpu, .init = world_open, .fini = world_close, .timeout = 120);

enum { n_rows = 700, seal_rows = 200 };

static void restart_on_gpu(void)
{
	char path[512]; /* the session's arena goes with it */
	FILE *out;

	snprintf(path, sizeof path, "%s/gpu.yaml", world.scratch.path);
	out = fopen(path, "we");
	cr_assert_not_null(out);
	fprintf(out, "index: {seal_rows: %d}\n", seal_rows);
	cr_assert_eq(fclose(out), 0);
	world_restart(&(struct server_options){.gpu = "software", .config = path});
}

/* A delete of nothing: the writer looks after sealing. */
static void nudge(const char *collection)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds ids = SLUICE__V1__CHUNK_IDS__INIT;
	char *id = text_of("nobody");

	ids.n_ids = 1;
	ids.ids = &id;
	request.collection = text_of("%s", collection);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &ids;
	WANT(session_call(&world.session, &delete_chunks, &request.base), GRPC_STATUS_OK, "");
	sched_yield();
}

static uint64_t indexed_rows(const char *collection)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const Sluice__V1__GetCollectionResponse *response;

	request.name = text_of("%s", collection);
	response = session_call(&world.session, &get_collection, &request.base).message;
	cr_assert_not_null(response);
	return response->status->indexed_rows;
}

Test(gpu, gives_the_same_answers_over_segments)
{
	static const Sluice__V1__Metric metrics[] = {SLUICE__V1__METRIC__METRIC_COSINE,
						     SLUICE__V1__METRIC__METRIC_INNER_PRODUCT,
						     SLUICE__V1__METRIC__METRIC_L2};
	static const char *const names[] = {"cosine", "product", "l2"};

	if (!server_has_software_gpu())
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	restart_on_gpu();
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		struct rows rows = {
			.collection = names[i], .metric = metrics[i], .dim = 37, .n = n_rows};
		float *query = query_make(rows.dim, 5);
		Sluice__V1__SearchRequest request;
		struct seen_list wanted, seen;

		rows_create(&rows, i + 1);
		while (indexed_rows(names[i]) < n_rows / seal_rows * seal_rows)
			nudge(names[i]);
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
