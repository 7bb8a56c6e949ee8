/* violations - collected while a message is walked, then told in one status. */
#include "service/schema/violations.h"

#include "kernels/base/error_info.h"
#include "service/schema/check.h"

#define PATH_BYTES_MAX 512

struct collector {
	struct arena *arena;
	struct error_violation *list; /* [n] */
	size_t n, n_more, size_bytes;
};

/* What is told of a violation passes the arena's cap: the violations are bounded themselves, and a
 * client whose message used the memory up should still learn what is wrong with it. */
static bool collect(void *context, const struct violation *violation)
{
	struct collector *collector = (struct collector *)context;
	struct error_violation *to = &collector->list[collector->n];
	char path[PATH_BYTES_MAX];
	size_t length = check_path_print(violation->path, path, sizeof path);
	size_t description = strlen(violation->message);

	if (collector->n == VIOLATIONS_MAX ||
	    (collector->n > 0 &&
	     collector->size_bytes + length + description > VIOLATIONS_BYTES_MAX)) {
		collector->n_more++;
		return collector->n + collector->n_more < VIOLATIONS_COUNTED_MAX;
	}
	if (length >= sizeof path)
		length = sizeof path - 1;
	to->field = arena_copy(collector->arena, path, length);
	to->rule_id = violation->rule_id;
	to->description = arena_copy(collector->arena, violation->message, description);
	if (!to->field || !to->description) {
		collector->n_more++;
		return false;
	}
	collector->size_bytes += length + description + strlen(to->rule_id);
	collector->n++;
	return true;
}

static status collected(const struct collector *collector, const char *name)
{
	struct arena *arena = collector->arena;
	const struct error_violation *first = &collector->list[0];
	size_t others = collector->n + collector->n_more - 1;
	const char *where = first->field[0] ? first->field : name;
	struct error_info *info = ARENA_NEW(arena, struct error_info);
	status failure;

	if (others == 0)
		failure = status_format(arena, STATUS_INVALID_ARGUMENT, "%s: %s", where,
					first->description);
	else
		failure = status_format(arena, STATUS_INVALID_ARGUMENT,
					"%s: %s; and %zu more violation%s%s", where,
					first->description, others, others == 1 ? "" : "s",
					others + 1 >= VIOLATIONS_COUNTED_MAX ? " at least" : "");
	if (!info)
		return status_as(failure, REASON_SCHEMA_VIOLATION);
	*info = (struct error_info){
		.reason = REASON_SCHEMA_VIOLATION,
		.metadata = {{"field", first->field}, {"rule", first->rule_id}},
		.violations = collector->list,
		.n_violations = collector->n,
		.n_more = collector->n_more,
	};
	return status_with(failure, info);
}

status violations_check(const struct schema_message *message, struct bytes bytes,
			struct arena *arena)
{
	struct error_violation list[VIOLATIONS_MAX];
	struct collector collector = {.arena = arena, .list = list};
	const struct check_options options = {
		.limits = &check_limits_strict,
		.report = collect,
		.context = &collector,
	};
	size_t cap_bytes = arena->cap_bytes;
	status checked;

	arena->cap_bytes = cap_bytes + 4 * VIOLATIONS_BYTES_MAX;
	checked = check_message(message, bytes, &options, arena);
	if (status_failed(checked)) {
		if (checked.code == STATUS_INVALID_ARGUMENT)
			checked = status_reason(checked, arena, REASON_MALFORMED_MESSAGE, "message",
						message->full_name, NULL);
	} else if (collector.n + collector.n_more > 0) {
		collector.list = arena_copy(arena, list, collector.n * sizeof *list);
		checked = collector.n > 0 && collector.list
				  ? collected(&collector, message->name)
				  : status_make(STATUS_INVALID_ARGUMENT,
						"the message breaks its rules, and no memory "
						"is left to say which");
	}
	arena->cap_bytes = cap_bytes;
	return checked;
}
