/* recall - by rank and score of each row in the truth; k is small. */
#include "service/cli/recall.h"

/* The place of the row in the truth, or n. */
static size_t place_of(const struct truth *truth, uint32_t row)
{
	size_t at = 0;

	while (at < truth->n && (uint32_t)truth->rows[at] != row)
		at++;
	return at;
}

static bool ties(const struct truth *truth, size_t a, size_t b)
{
	double apart;

	if (a == b)
		return true;
	if (!truth->scores)
		return false;
	apart = (double)truth->scores[a] - (double)truth->scores[b];
	return apart < RECALL_TIE && apart > -RECALL_TIE;
}

static bool seen_before(const uint32_t *rows, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (rows[j] == rows[i])
			return true;
	return false;
}

size_t recall_found(const struct truth *truth, size_t k, const uint32_t *rows, size_t n_rows)
{
	size_t found = 0;

	for (size_t i = 0; i < n_rows && i < k; i++) {
		size_t place = place_of(truth, rows[i]);

		if (place < truth->n && !seen_before(rows, i) &&
		    (place < k || ties(truth, place, k - 1)))
			found++;
	}
	return found;
}

bool recall_in_order(const struct truth *truth, size_t k, const uint32_t *rows, size_t n_rows)
{
	if (n_rows != k)
		return false;
	for (size_t i = 0; i < k; i++) {
		size_t place = place_of(truth, rows[i]);

		if (place == truth->n || seen_before(rows, i) || !ties(truth, place, i))
			return false;
	}
	return true;
}
