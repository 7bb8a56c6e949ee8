/* full_disk - a disk that fills up under a server: who reads notices nothing, who writes is told, and all
 * goes on when there is room again.
 */
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM = 64, BATCH = 100, ROUNDS = 3, BATCHES_MAX = 4000 };

static char disk[300], config[300];
static uint64_t n_acknowledged, sequence;
static int n_created;

/* A small file system of its own, seen by this process and its server alone. */
static bool mount_small(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", disk, "tmpfs", 0, "size=16m");
}

static void start(void)
{
	const struct server_options options = {.data = disk, .config = config};

	cr_assert(server_start(&world.server, &options), "the server does not start");
	session_open(&world.session, world.server.address);
}

static void begin(void)
{
	FILE *out;

	/* Where all tests run in one process the one before has left its own. */
	n_acknowledged = sequence = 0;
	n_created = 0;
	scratch_open(&world.scratch);
	snprintf(disk, sizeof disk, "%s/disk", world.scratch.path);
	snprintf(config, sizeof config, "%s/config.yaml", world.scratch.path);
	cr_assert_eq(mkdir(disk, 0700), 0);
	out = fopen(config, "we");
	cr_assert_not_null(out);
	fputs("index: {seal_rows: 300, dead_rows_retention: 0s}\nlogging: {level: error}\n", out);
	cr_assert_eq(fclose(out), 0);
}

static void end(void)
{
	int exit_status = world.server.pid ? server_stop(&world.server, 60) : 0;

	session_close(&world.session);
	umount2(disk, MNT_DETACH);
	scratch_close(&world.scratch);
	/* Criterion forgets an assertion that fails after a test; a crash it counts. */
	if (exit_status == 0)
		return;
	fprintf(stderr, "the server ended with %d\n", exit_status);
	abort();
}

TestSuite(full_disk, .init = begin, .fini = end, .timeout = 120);

/* All but so many bytes, in steps of a page. */
static void fill(off_t leave)
{
	static const char page[4096];
	char path[320];
	struct stat about;
	int fd;

	snprintf(path, sizeof path, "%s/filler", disk);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	while (write(fd, page, sizeof page) > 0)
		;
	cr_assert_eq(fstat(fd, &about), 0);
	cr_assert_eq(ftruncate(fd, about.st_size > leave ? about.st_size - leave : 0), 0);
	close(fd);
}

static void empty(void)
{
	char path[320];

	snprintf(path, sizeof path, "%s/filler", disk);
	cr_assert_eq(unlink(path), 0);
}

/* One batch of new chunks, in a call of its own. */
static struct answer upsert(void)
{
	const struct batch_shape shape = {
		.collection = "docs", .sequence = ++sequence, .n = BATCH, .dim = DIM};
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);
	bool acknowledged;

	cr_assert(stream_send(stream, &batch_make(&world.session.arena, &shape)->base));
	acknowledged = session_next(&world.session, &upsert_chunks, stream, NULL);
	if (acknowledged)
		n_acknowledged += BATCH;
	grpc_stream_half_close(stream);
	return session_finish(&world.session, stream);
}

static void upsert_until_full(void)
{
	for (int i = 0; i < BATCHES_MAX; i++) {
		struct answer answer = upsert();

		if (answer.code == GRPC_STATUS_OK)
			continue;
		WANT(answer, GRPC_STATUS_RESOURCE_EXHAUSTED, "docs");
		return;
	}
	cr_assert_fail("the disk does not fill up");
}

static void want_read(void)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__GetChunksRequest get = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;
	Sluice__V1__ListChunksRequest list = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	SCOPED(grpc_stream) stream = NULL;
	const Sluice__V1__ListChunksResponse *page;
	char *ids[] = {text_of("s1-0"), text_of("s1-7")};
	uint64_t n = 0;
	struct seen_list hits;

	vector.n_values = DIM;
	vector.values = query_make(DIM, sequence);
	request.collection = text_of("docs");
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = &vector;
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = 10;
	hits = search_all(&world.session, &request);
	WANT(hits.end, GRPC_STATUS_OK, "");
	cr_assert_eq(hits.n, 10);
	get.collection = request.collection;
	get.n_ids = 2;
	get.ids = ids;
	WANT(session_call(&world.session, &get_chunks, &get.base), GRPC_STATUS_OK, "");
	list.collection = request.collection;
	stream = session_stream(&world.session, &list_chunks, &list.base);
	while ((page = session_next(&world.session, &list_chunks, stream, NULL)))
		n += page->n_chunks;
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	cr_assert_eq(n, n_acknowledged, "%llu listed, %llu acknowledged", (unsigned long long)n,
		     (unsigned long long)n_acknowledged);
	cr_assert_eq(count_of("docs"), n_acknowledged);
}

static struct answer create(char *name)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;

	collection.name = name;
	collection.dimension = DIM;
	collection.metric = SLUICE__V1__METRIC__METRIC_L2;
	request.collection = &collection;
	return session_call(&world.session, &create_collection, &request.base);
}

/* Whatever writes: nothing of it is there afterwards. A seal or a merge that ends gives up pages and the file
 * that it had begun, and a write may find room there; so the disk is filled until nothing is given up. */
static void want_refused(void)
{
	Sluice__V1__ListCollectionsRequest list = SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	const Sluice__V1__ListCollectionsResponse *response;
	struct answer answer = {.code = GRPC_STATUS_OK};

	for (int i = 0, refused = 0; refused < 5; i++) {
		uint64_t before = n_acknowledged;

		cr_assert_lt(i, BATCHES_MAX, "the disk does not stay full");
		fill(0);
		upsert_until_full();
		refused = n_acknowledged == before ? refused + 1 : 0;
	}
	for (int i = 0; answer.code == GRPC_STATUS_OK; i++) {
		cr_assert_lt(i, BATCHES_MAX, "the disk does not stay full");
		fill(0);
		answer = create(text_of("more-%d", n_created));
		n_created += answer.code == GRPC_STATUS_OK;
	}
	WANT(answer, GRPC_STATUS_RESOURCE_EXHAUSTED, "");
	answer = session_call(&world.session, &list_collections, &list.base);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	cr_assert_eq(response->n_collections, 1 + (size_t)n_created);
}

Test(full_disk, stops_who_writes_until_there_is_room_and_nobody_else)
{
	if (!mount_small())
		SKIP_LOUDLY("no right to mount a small file system");
	start();
	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (int round = 0; round < ROUNDS; round++) {
		WANT(upsert(), GRPC_STATUS_OK, "");
		fill((off_t)round * 150000);
		upsert_until_full();
		want_read();
		want_refused();
		want_read();
		empty();
		for (int i = 0; i < 5; i++)
			WANT(upsert(), GRPC_STATUS_OK, "");
		want_read();
	}
	optimize_now("docs");
	want_read();
	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0);
	start();
	want_read();
}

/* A start on a full disk is refused with the path, or serves what there is. */
Test(full_disk, does_not_keep_a_server_from_starting_and_reading)
{
	if (!mount_small())
		SKIP_LOUDLY("no right to mount a small file system");
	start();
	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (int i = 0; i < 5; i++)
		WANT(upsert(), GRPC_STATUS_OK, "");
	session_close(&world.session);
	cr_assert_eq(server_stop(&world.server, 60), 0);
	fill(0);
	start();
	want_read();
	/* Some go into pages of its file that are free. */
	upsert_until_full();
	want_read();
	empty();
	WANT(upsert(), GRPC_STATUS_OK, "");
	want_read();
}
