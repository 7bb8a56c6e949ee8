/* words - tables; the index is the enum's number. */
#include "service/cli/words.h"

#include <string.h>

static const char *const metrics[] = {NULL, "cosine", "ip", "l2"};
static const char *const types[] = {NULL, "string", "int", "double", "bool", "string_list"};
static const char *const encodings[] = {NULL, "float32", "float16"};
static const char *const stops[] = {
	"unknown",      "limit",       "exhausted", "min_score",
	"token_budget", "byte_budget", "closed",    "draining",
};
static const char *const guarantees[] = {"unknown", "exact", "approximate"};

#define N_OF(table) (sizeof(table) / sizeof *(table))

static const char *word_at(const char *const *table, size_t n, unsigned i)
{
	return i < n && table[i] ? table[i] : "unknown";
}

/* The place of the word, 0 if it is none of the table. */
static unsigned word_find(const char *const *table, size_t n, const char *word)
{
	for (unsigned i = 1; i < n; i++)
		if (strcmp(table[i], word) == 0)
			return i;
	return 0;
}

const char *metric_word(Sluice__V1__Metric metric)
{
	return word_at(metrics, N_OF(metrics), (unsigned)metric);
}

status metric_read(struct arguments *arguments, const char *word, Sluice__V1__Metric *ret)
{
	unsigned i = word_find(metrics, N_OF(metrics), word);

	if (i == 0)
		return arguments_misuse(arguments,
					"--metric must be cosine, ip or l2, not \"%.64s\"", word);
	*ret = (Sluice__V1__Metric)i;
	return status_ok();
}

const char *index_word(struct arena *arena, const Sluice__V1__IndexOptions *index)
{
	const char *text;

	switch (index ? index->kind : SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED) {
	case SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT:
		return "flat";
	case SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF:
		return "ivf";
	case SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS:
		text = arena_printf(arena, "faiss:%s", index->faiss_factory);
		return text ? text : "faiss";
	default:
		return "auto";
	}
}

status index_read(struct arguments *arguments, const char *word, Sluice__V1__IndexOptions *ret)
{
	if (strcmp(word, "flat") == 0) {
		ret->kind = SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT;
	} else if (strcmp(word, "ivf") == 0) {
		ret->kind = SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF;
	} else if (strncmp(word, "faiss:", 6) == 0 && word[6]) {
		ret->kind = SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS;
		ret->faiss_factory = (char *)(uintptr_t)(word + 6);
	} else {
		return arguments_misuse(arguments,
					"--index must be flat, ivf or faiss:FACTORY, "
					"not \"%.64s\"",
					word);
	}
	return status_ok();
}

status encoding_read(struct arguments *arguments, const char *word, Sluice__V1__VectorEncoding *ret)
{
	unsigned i = word_find(encodings, N_OF(encodings), word);

	if (i == 0)
		return arguments_misuse(
			arguments, "--encoding must be float32 or float16, not \"%.64s\"", word);
	*ret = (Sluice__V1__VectorEncoding)i;
	return status_ok();
}

status field_read(struct arguments *arguments, const char *word, Sluice__V1__FieldSchema *ret)
{
	const char *colon = strrchr(word, ':');
	unsigned type = colon ? word_find(types, N_OF(types), colon + 1) : 0;

	if (type == 0 || colon == word)
		return arguments_misuse(arguments,
					"--field must be name:type with a type of string, int, "
					"double, bool or string_list, not \"%.64s\"",
					word);
	ret->name = arena_copy(arguments->arena, word, (size_t)(colon - word));
	if (!ret->name)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for fields");
	ret->type = (Sluice__V1__FieldType)type;
	return status_ok();
}

const char *stop_word(Sluice__V1__StopReason reason)
{
	return word_at(stops, N_OF(stops), (unsigned)reason);
}

const char *guarantee_word(Sluice__V1__Guarantee guarantee)
{
	return word_at(guarantees, N_OF(guarantees), (unsigned)guarantee);
}
