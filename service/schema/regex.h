/* regex - patterns of RE2's syntax, compiled to a DFA: linear time, no backtracking, no
 * allocation.
 *
 * The subset: literals, ., classes with ranges, negation, \d \D \w \W \s \S, [[:alpha:]] and its
 * kin, \pL and \p{Greek} refused by name, escapes (\t \n \r \f \v \a \x7F \x{10FFFF} \123 \Q..\E
 * and any punctuation), groups (capturing, (?:), named), alternation, * + ? {n} {n,} {n,m} (to
 * 1,000, nested ones multiplied) and their lazy forms, ^ $ \A \z \b \B, flags (?i) (?s) (?m) (?U).
 * Without (?m), ^ and $ are the text's beginning and end. Words (\w, \b) are ASCII's. (?i) takes
 * ASCII letters, with the two of Unicode that fold to them; a literal beyond ASCII is refused
 * under it. Refused: looking ahead or behind, backreferences, \C, groups more than 100 deep,
 * patterns of more than 16 KiB.
 * Works on UTF-8: a dot is a code point. A match may stand anywhere in the text, as with RE2's
 * PartialMatch.
 */
#ifndef SLUICE_SERVICE_SCHEMA_REGEX_H
#define SLUICE_SERVICE_SCHEMA_REGEX_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <stdbool.h>

struct regex;

/* regex_compile - pattern to a DFA of at most states_max states (0: 10,000; at most 65,000), in
 * the arena. The detail of a failure is in the arena, too. Costs a few microseconds for each
 * state of a plain pattern; what would take more than half a second or 64 MiB on the way is
 * refused.
 * Fails: INVALID_ARGUMENT (a syntax error, with its place; or too large) RESOURCE_EXHAUSTED */
status regex_compile(struct arena *arena, struct bytes pattern, size_t states_max,
		     const struct regex **ret);

/* regex_match - whether the pattern is found in text, which is UTF-8 and may hold NULs; other
 * bytes are safe, but what they match is not said. Safe from any thread. */
bool regex_match(const struct regex *regex, struct bytes text);

/* regex_states - how many states it has, those for "no more" and "found" among them. */
size_t regex_states(const struct regex *regex);

#endif
