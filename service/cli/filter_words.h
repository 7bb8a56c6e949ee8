/* filter_words - a filter as users write it, read against the fields that a collection declares.
 *
 *	filter     term, term, ...                 every term must hold
 *	term       [!] condition | any(condition, condition, ...)
 *	condition  field = value    field != value    field > value   >=  <  <=
 *	           field ^= value   the string begins with it
 *	           field in (value, value, ...)
 *	           field ?          the chunk has the field
 *	           document_id = value, document_id in (...): not a field, and only as a term
 *
 * A value is a word up to the next comma, or a JSON string. What it is, is the field's declared type
 * to say. `!` turns a condition round; `any` may stand once.
 */
#ifndef SLUICE_SERVICE_CLI_FILTER_WORDS_H
#define SLUICE_SERVICE_CLI_FILTER_WORDS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/filter.pb-c.h"

/* filter_words_read - ret and all it points to are the arena's.
 * Fails: INVALID_ARGUMENT, with what is wrong and at which character, from 1; RESOURCE_EXHAUSTED */
status filter_words_read(struct arena *arena, const char *text,
			 const Sluice__V1__Collection *collection, Sluice__V1__Filter **ret);

/* For help texts. */
#define FILTER_WORDS_HELP                                                                          \
	"A filter is terms with commas between them, all of which must hold:\n"                    \
	"  source=git  source!=git  chars>200  chars>=200  chars<9  chars<=9\n"                    \
	"  title^=\"git-\" (begins with)  lang in (en, de)  author? (has the field)\n"             \
	"  !lang=de (not)  any(lang=de, chars<100) (at least one)  document_id=git/log\n"          \
	"A value with a comma or a bracket is written as a JSON string: title=\"a, b\".\n"         \
	"Fields are those that the collection declares, and their types say what a value is."

#endif
