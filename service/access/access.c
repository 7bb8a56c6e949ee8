/* access - looks whether its files have changed, and holds calls against what they say. */
#include "service/access/access.h"

#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"
#include "service/access/credentials.h"
#include "service/file_print.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#define LOOK_NS INT64_C(1000000000)
#define DETAIL_BYTES ((size_t)64 << 10)
#define RATE_SETTING "access.calls_per_second_max"

enum { KEYS, CERTIFICATES, N_FILES };

struct access {
	const char *files[N_FILES]; /* NULL: there is none */
	bool open_reflection;
	struct rpc_guard guard;
	_Atomic int64_t look_ns; /* when to look at the files again, on clock_ns */

	pthread_rwlock_t lock;
	struct credentials credentials;
	struct rate_limit rate; /* of whose line has none */

	struct rates *rates;
	pthread_mutex_t reading; /* one thread reads; taken before lock */
	struct file_print prints[N_FILES];
};

/* --- the files --- */

static status read_files(const struct access *access, struct arena *arena, struct credentials *ret)
{
	if (access->files[KEYS])
		TRY(credentials_read_keys(ret, access->files[KEYS], arena));
	if (access->files[CERTIFICATES])
		TRY(credentials_read_certificates(ret, access->files[CERTIFICATES], arena));
	return status_ok();
}

/* Under reading. */
static status load(struct access *access, const struct file_print prints[N_FILES],
		   struct arena *arena)
{
	struct credentials fresh, before;
	status done;

	/* What cannot be read is not tried again until it changes again. */
	memcpy(access->prints, prints, sizeof access->prints);
	credentials_init(&fresh);
	done = read_files(access, arena, &fresh);
	if (status_failed(done)) {
		credentials_finish(&fresh);
		return done;
	}
	pthread_rwlock_wrlock(&access->lock);
	before = access->credentials;
	access->credentials = fresh;
	pthread_rwlock_unlock(&access->lock);
	credentials_finish(&before);
	return status_ok();
}

/* Within a second of a change, with the first call that comes then. */
static void look(struct access *access)
{
	int64_t due = atomic_load(&access->look_ns), now = clock_ns();
	struct file_print prints[N_FILES];
	struct arena arena;
	status done = status_ok();
	bool changed;

	if (now < due || !atomic_compare_exchange_strong(&access->look_ns, &due, now + LOOK_NS))
		return;
	arena_init(&arena, DETAIL_BYTES);
	pthread_mutex_lock(&access->reading);
	file_prints_take(access->files, prints, N_FILES);
	changed = !file_prints_equal(prints, access->prints, N_FILES);
	if (changed)
		done = load(access, prints, &arena);
	pthread_mutex_unlock(&access->reading);
	if (status_failed(done))
		log_write(LOG_WARNING, "credentials: %s; those from before go on", done.detail);
	else if (changed)
		log_write(LOG_INFO, "credentials were read again");
	arena_finish(&arena);
}

status access_reload(struct access *access, struct arena *arena)
{
	struct file_print prints[N_FILES];
	status done;

	pthread_mutex_lock(&access->reading);
	file_prints_take(access->files, prints, N_FILES);
	done = load(access, prints, arena);
	pthread_mutex_unlock(&access->reading);
	return done;
}

/* --- the guard --- */

static status refuse(struct arena *arena, enum error_reason reason, const char *path,
		     const char *sentence)
{
	status s = status_make(STATUS_UNAUTHENTICATED, sentence);

	return status_reason(s, arena, reason, "method", path, NULL);
}

static status lack_scope(struct arena *arena, enum scope scope, const char *path)
{
	status s = status_format(arena, STATUS_PERMISSION_DENIED,
				 "the credential has not the scope \"%s\", which %s needs",
				 scope_name(scope), path);

	return status_reason(s, arena, REASON_SCOPE_MISSING, "method", path, "scope",
			     scope_name(scope), NULL);
}

static status over_rate(struct arena *arena, struct rate_limit rate, bool is_own, int64_t wait_ns)
{
	const int64_t ms = (wait_ns + 999999) / 1000000;
	status s =
		status_format(arena, STATUS_RESOURCE_EXHAUSTED,
			      "the credential has begun as many calls as it may: %u a second, %u "
			      "at once (%s)",
			      rate.per_second, rate.burst ? rate.burst : rate.per_second,
			      is_own ? "its own rate" : RATE_SETTING);

	s = status_reason(s, arena, REASON_LIMIT_REACHED, "setting", is_own ? NULL : RATE_SETTING,
			  "limit", ERROR_NUMBER(rate.per_second), NULL);
	return status_retry(s, arena, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms);
}

/* "Bearer KEY", the first word in any case; no data where it is none. */
static struct bytes bearer_key(struct bytes header)
{
	static const char bearer[] = "Bearer ";
	const size_t n = sizeof bearer - 1;

	if (header.size <= n || strncasecmp((const char *)header.data, bearer, n) != 0)
		return bytes_of(NULL, 0);
	return bytes_of(header.data + n, header.size - n);
}

static status find(struct access *access, const struct rpc_caller *caller, enum scope scope,
		   struct arena *arena, struct grant *ret)
{
	struct bytes key = bearer_key(caller->authorization);
	status found = status_ok();

	*ret = (struct grant){0};
	pthread_rwlock_rdlock(&access->lock);
	if (caller->n_authorizations == 0)
		found = credentials_of_names(&access->credentials, caller, scope, arena, ret);
	else if (caller->n_authorizations == 1 && key.data)
		found = credentials_of_key(&access->credentials, key, scope, arena, ret);
	if (!ret->rated)
		ret->rate = access->rate;
	pthread_rwlock_unlock(&access->lock);
	return found;
}

static status take_call(struct access *access, const struct grant *found, struct arena *arena)
{
	int64_t wait_ns = rates_take(access->rates, found->caller, found->rate, clock_ns());

	return wait_ns ? over_rate(arena, found->rate, found->rated, wait_ns) : status_ok();
}

static status admit(void *context, const struct rpc_caller *caller, const char *path,
		    struct arena *arena, const void **ret_grant)
{
	struct access *access = context;
	const struct access_method *method = access_method(path);
	struct grant found, *grant;

	*ret_grant = NULL;
	if (method->open || (method->is_reflection && access->open_reflection))
		return status_ok();
	look(access);
	if (caller->n_authorizations == 0 && caller->n_names == 0)
		return refuse(arena, REASON_CREDENTIAL_MISSING, path,
			      "no credential: send \"authorization: Bearer KEY\", or a client "
			      "certificate");
	TRY(find(access, caller, method->scope, arena, &found));
	if (!found.known)
		return refuse(arena, REASON_CREDENTIAL_UNKNOWN, path,
			      "the credential is none that this server knows");
	TRY(take_call(access, &found, arena));
	if (!found.scoped)
		return lack_scope(arena, method->scope, path);
	if (found.everything)
		return status_ok();
	grant = arena_copy(arena, &found, sizeof found);
	if (!grant)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a call");
	*ret_grant = grant;
	return status_ok();
}

struct examination {
	const struct grant *grant;
	struct bytes refused;
};

static bool examine_one(void *context, struct bytes collection)
{
	struct examination *examination = context;

	if (grant_allows(examination->grant, collection))
		return true;
	examination->refused = collection;
	return false;
}

static status examine(const void *grant, const char *path, struct bytes message,
		      struct arena *arena)
{
	struct examination examination = {.grant = grant};
	const char *name;
	status s;

	if (access_collections(access_method(path), message, examine_one, &examination))
		return status_ok();
	name = ERROR_BYTES(examination.refused);
	s = status_format(arena, STATUS_PERMISSION_DENIED,
			  "the credential does not cover the collection \"%s\"", name);
	s = status_reason(s, arena, REASON_COLLECTION_NOT_ALLOWED, "collection", name, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, name);
}

static bool allows(const void *grant, struct bytes collection)
{
	return grant_allows(grant, collection);
}

/* --- life --- */

status access_open(const struct access_options *options, struct arena *arena, struct access **ret)
{
	SCOPED(access) access = calloc(1, sizeof *access);

	if (access)
		access->rates = rates_open();
	if (!access || !access->rates) {
		free(TAKE(access));
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for credentials");
	}
	access->rate = options->rate;
	access->files[KEYS] = options->keys_file;
	access->files[CERTIFICATES] = options->certificates_file;
	access->open_reflection = options->open_reflection;
	access->guard = (struct rpc_guard){access, admit, examine, allows};
	atomic_init(&access->look_ns, clock_ns() + LOOK_NS);
	pthread_rwlock_init(&access->lock, NULL);
	pthread_mutex_init(&access->reading, NULL);
	credentials_init(&access->credentials);
	TRY(access_reload(access, arena));
	*ret = TAKE(access);
	return status_ok();
}

void access_close(struct access *access)
{
	if (!access)
		return;
	credentials_finish(&access->credentials);
	rates_close(access->rates);
	pthread_mutex_destroy(&access->reading);
	pthread_rwlock_destroy(&access->lock);
	free(access);
}

void access_set_rate(struct access *access, struct rate_limit rate)
{
	pthread_rwlock_wrlock(&access->lock);
	access->rate = rate;
	pthread_rwlock_unlock(&access->lock);
}

const struct rpc_guard *access_guard(const struct access *access)
{
	return &access->guard;
}
