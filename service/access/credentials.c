/* credentials - what they grant. */
#include "service/access/credentials.h"

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for credentials");
}

/* Takes as long for equal digests as for any others. */
static bool digest_equal(const uint8_t *a, const uint8_t *b)
{
	volatile uint8_t different = 0;

	for (size_t i = 0; i < SHA256_BYTES; i++)
		different |= (uint8_t)(a[i] ^ b[i]);
	return different == 0;
}

/* Copies of the patterns: a file may be read again while a call goes on. */
static status grant_add(struct grant *grant, const struct credential *credential,
			struct arena *arena)
{
	const char **all;

	grant->scoped = true;
	grant->everything |= credential->n_collections == 0;
	if (grant->everything)
		return status_ok();
	all = ARENA_ARRAY(arena, const char *, grant->n + credential->n_collections);
	if (!all)
		return out_of_memory();
	if (grant->n)
		memcpy((void *)all, (const void *)grant->allowed, grant->n * sizeof *all);
	for (size_t i = 0; i < credential->n_collections; i++) {
		const char *pattern = credential->collections[i];

		all[grant->n] = arena_copy(arena, pattern, strlen(pattern));
		if (!all[grant->n++])
			return out_of_memory();
	}
	grant->allowed = all;
	return status_ok();
}

static status grant_note(struct grant *grant, const struct credential *credential, enum scope scope,
			 struct arena *arena)
{
	grant->known = true;
	if (credential->rated && (!grant->rated || rate_is_above(credential->rate, grant->rate)))
		grant->rate = credential->rate;
	grant->rated |= credential->rated;
	return credential->scopes & scope ? grant_add(grant, credential, arena) : status_ok();
}

static uint64_t caller_of(const uint8_t digest[SHA256_BYTES])
{
	uint64_t caller;

	memcpy(&caller, digest, sizeof caller);
	return caller;
}

status credentials_of_key(const struct credentials *credentials, struct bytes key, enum scope scope,
			  struct arena *arena, struct grant *ret)
{
	uint8_t digest[SHA256_BYTES];

	*ret = (struct grant){0};
	sha256(key, digest);
	ret->caller = caller_of(digest);
	for (size_t i = 0; i < credentials->n; i++) {
		const struct credential *credential = &credentials->list[i];

		if (!credential->kind && digest_equal(digest, credential->digest))
			TRY(grant_note(ret, credential, scope, arena));
	}
	return status_ok();
}

static bool is_named(const struct credential *credential, const struct rpc_name *name)
{
	struct bytes wanted = bytes_of_string(credential->name), given = name->name;

	if (strcmp(credential->kind, name->kind) != 0)
		return false;
	if (credential->below && given.size > wanted.size)
		given.size = wanted.size;
	else if (credential->below)
		return false;
	return bytes_equal(wanted, given);
}

status credentials_of_names(const struct credentials *credentials, const struct rpc_caller *caller,
			    enum scope scope, struct arena *arena, struct grant *ret)
{
	uint8_t digest[SHA256_BYTES];

	*ret = (struct grant){0};
	for (size_t i = 0; i < credentials->n; i++) {
		const struct credential *credential = &credentials->list[i];
		const struct rpc_name *is = NULL;

		for (size_t j = 0; j < caller->n_names && credential->kind && !is; j++)
			if (is_named(credential, &caller->names[j]))
				is = &caller->names[j];
		if (!is)
			continue;
		/* Who it is, not what lets it in: of all below a URI each has a rate of its own. */
		if (!ret->known) {
			sha256(is->name, digest);
			ret->caller = caller_of(digest);
		}
		TRY(grant_note(ret, credential, scope, arena));
	}
	return status_ok();
}

bool grant_allows(const struct grant *grant, struct bytes collection)
{
	if (grant->everything)
		return true;
	for (size_t i = 0; i < grant->n; i++) {
		struct bytes pattern = bytes_of_string(grant->allowed[i]);
		struct bytes name = collection;

		if (pattern.size && pattern.data[pattern.size - 1] == '*') {
			pattern.size--;
			if (name.size > pattern.size)
				name.size = pattern.size;
		}
		if (bytes_equal(pattern, name))
			return true;
	}
	return false;
}

void credentials_init(struct credentials *credentials)
{
	*credentials = (struct credentials){0};
	arena_init(&credentials->arena, (size_t)64 << 20);
}

void credentials_finish(struct credentials *credentials)
{
	if (credentials)
		arena_finish(&credentials->arena);
}
