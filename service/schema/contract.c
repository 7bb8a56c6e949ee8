/* contract - one schema behind a pthread_once. What it failed with is kept: it is the answer for ever. */
#include "service/schema/contract.h"

#include "proto/descriptor_set.h"

#include <pthread.h>

#define DETAIL_BYTES ((size_t)64 << 10)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct schema *contract; /* NULL: not yet, or it failed */
static struct arena details;    /* of opened; lives as long as the process */
static status opened;

static status compile_ours(struct schema *schema)
{
	size_t n;
	struct schema_message **messages = schema_messages(schema, &n);

	for (size_t i = 0; i < n; i++)
		if (strncmp(messages[i]->full_name, "sluice.", 7) == 0)
			TRY(schema_compile(schema, messages[i], &details));
	return status_ok();
}

static status open_and_compile(void)
{
	SCOPED(schema) schema = NULL;

	TRY(schema_open(bytes_of(sluice_descriptor_set, sluice_descriptor_set_size), &details,
			&schema));
	TRY(compile_ours(schema));
	contract = TAKE(schema);
	return status_ok();
}

static void open_once(void)
{
	arena_init(&details, DETAIL_BYTES);
	opened = open_and_compile();
}

status contract_init(struct arena *arena)
{
	pthread_once(&once, open_once);
	if (!status_failed(opened))
		return opened;
	return status_format(arena, opened.code, "the contract in this program is broken: %s",
			     opened.detail);
}

const struct schema *contract_schema(void)
{
	return contract;
}

const struct schema_message *contract_message(const char *full_name)
{
	return contract ? schema_message(contract, full_name) : NULL;
}
