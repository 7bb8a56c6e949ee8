/* words - the contract's enums as users write and read them. */
#ifndef SLUICE_SERVICE_CLI_WORDS_H
#define SLUICE_SERVICE_CLI_WORDS_H

#include "service/cli/arguments.h"
#include "service/count_format.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

/* metric_word - "cosine", "ip", "l2"; "unknown" for what is none. */
const char *metric_word(Sluice__V1__Metric metric);
/* metric_read - Fails: INVALID_ARGUMENT, a misuse of the arguments */
status metric_read(struct arguments *arguments, const char *word, Sluice__V1__Metric *ret);

/* index_word - "auto", "flat", "ivf", or "faiss:FACTORY" in the arena. */
const char *index_word(struct arena *arena, const Sluice__V1__IndexOptions *index);
/* index_read - flat, ivf or faiss:FACTORY. Fails: INVALID_ARGUMENT, a misuse */
status index_read(struct arguments *arguments, const char *word, Sluice__V1__IndexOptions *ret);

/* encoding_read - float32 or float16. Fails: INVALID_ARGUMENT, a misuse */
status encoding_read(struct arguments *arguments, const char *word,
		     Sluice__V1__VectorEncoding *ret);

/* field_read - name:type, of string, int, double, bool or string_list. The name is copied.
 * Fails: INVALID_ARGUMENT, a misuse; RESOURCE_EXHAUSTED */
status field_read(struct arguments *arguments, const char *word, Sluice__V1__FieldSchema *ret);

/* stop_word - "limit", "exhausted", "min_score" and so on. guarantee_word - "exact". */
const char *stop_word(Sluice__V1__StopReason reason);
const char *guarantee_word(Sluice__V1__Guarantee guarantee);

#endif
