/* long_values - metadata strings above what a server takes, while importing. */
#include "service/cli/long_values.h"

#include <string.h>

status long_values_parse(struct arena *arena, const char *word, struct long_values *ret)
{
	bool stop = word && strcmp(word, "stop") == 0;

	if (word && !stop && strcmp(word, "cut") != 0)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "--long-values %.64s: cut or stop is needed", word);
	*ret = (struct long_values){.stop = stop};
	return status_ok();
}

/* The most bytes up to max that do not end within a character. */
static size_t cut_length(const char *text, size_t max)
{
	size_t n = max;

	while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	return n;
}

status long_values_apply(struct long_values *values, struct arena *arena, uint64_t line,
			 Sluice__V1__Chunk *chunk)
{
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const char *key = chunk->metadata[i]->key;
		Sluice__V1__MetadataValue *value = chunk->metadata[i]->value;
		size_t size;

		if (value->kind_case != SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE)
			continue;
		size = strlen(value->string_value);
		if (size <= METADATA_STRING_MAX)
			continue;
		if (values->stop)
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "metadata %.64s has %zu bytes, %zu are allowed", key,
					     size, METADATA_STRING_MAX);
		value->string_value[cut_length(value->string_value, METADATA_STRING_MAX)] = '\0';
		if (values->n_cut++ > 0)
			continue;
		values->first.line = line;
		values->first.size_bytes = size;
		snprintf(values->first.key, sizeof values->first.key, "%s", key);
	}
	return status_ok();
}

void long_values_report(const struct long_values *values, FILE *out)
{
	if (values->n_cut == 0)
		return;
	fprintf(out,
		"warning: %llu metadata strings were cut to %zu bytes, the first in line %llu (%s, "
		"%zu bytes); --long-values stop refuses them\n",
		(unsigned long long)values->n_cut, METADATA_STRING_MAX,
		(unsigned long long)values->first.line, values->first.key,
		values->first.size_bytes);
}
