/* refusal - by the prefix alone: behind it a detail may quote what a client sent. */
#include "service/cli/refusal.h"

#include "kernels/base/error_info.h"

#include <string.h>

/* A number below n and a bracket; else n. */
static uint32_t index_read(const char *text, uint32_t n)
{
	uint64_t index = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && index < n; at++)
		index = index * 10 + (uint64_t)(*at - '0');
	return at > text && *at == ']' && index < n ? (uint32_t)index : n;
}

uint64_t refusal_line(struct arena *arena, status failed, const struct batch_lines *lines)
{
	const char *start =
		arena_printf(arena, "%s: batch %llu: chunks[", status_code_name(failed.code),
			     (unsigned long long)lines->sequence);
	uint32_t index;

	if (!start || strncmp(failed.detail, start, strlen(start)) != 0)
		return 0;
	index = index_read(failed.detail + strlen(start), lines->n);
	return index < lines->n ? lines->numbers[index] : 0;
}

status refusal_explain(struct arena *arena, status failed, const struct batch_lines *lines,
		       const char *path)
{
	unsigned long long line = refusal_line(arena, failed, lines);
	unsigned long long first = lines->numbers[0], last = lines->numbers[lines->n - 1];
	status explained;

	if (!line)
		explained = status_format(arena, failed.code,
					  "%s (lines %llu to %llu of %s; what is before them is "
					  "imported)",
					  failed.detail, first, last, path);
	else if (lines->sequence == 1)
		explained = status_format(arena, failed.code, "%s:%llu: %s (nothing is imported)",
					  path, line, failed.detail);
	else
		explained = status_format(arena, failed.code,
					  "%s:%llu: %s (what is before line %llu is imported)",
					  path, line, failed.detail, first);
	return status_with(explained, failed.info);
}
