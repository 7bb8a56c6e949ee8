/* lists_table - how much of the lists to read for which recall, as it was measured. Internal to the
 * lists.
 *
 * lists_measure.c measures with queries that are rows, or made of four. Questions miss a little more: on
 * one corpus (a hundred thousand passages of technical text and a thousand questions about them, 384
 * dimensions) a question finds with some z what such a query finds with a z that is less by up to 0.7
 * times the deviation of a random direction. So z is measured, and about that much added; and so many are
 * kept that the queries would find nearly all, were all lists read. On other texts both are a guess.
 */
#ifndef SLUICE_INDEX_ANN_LISTS_TABLE_H
#define SLUICE_INDEX_ANN_LISTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define LISTS_DEPTHS 3
#define LISTS_TARGETS 7

/* Of all rows: where more had to be read, a scan of all of them does better. */
#define LISTS_SHARE_MAX 0.8

/* lists_setting - what reaches a recall at a depth.
 * z      a list is read while its mean score, and z times what its radius is worth, reaches the
 *        worst score kept. keep  rows that go on to the second stage; 0: nothing reaches it.
 * share  of all rows that were read, on average. */
struct lists_setting {
	float z, share;
	uint32_t keep, zero;
};

/* As it is stored. */
struct lists_table {
	struct lists_setting settings[LISTS_DEPTHS][LISTS_TARGETS];
};

/* lists_depth, lists_target - of a row and a column, ascending: 10, 100, 1,000 and .80 to .999. */
uint32_t lists_depth(uint32_t row);
double lists_target(uint32_t column);

/* lists_margin_z - what is added to the z that was measured, in deviations of a random direction. */
double lists_margin_z(uint32_t row, uint32_t column);

/* lists_margin_recall - what those queries have to find where all lists are read, for questions to find the
 * target where some are. */
double lists_margin_recall(double target);

/* lists_choose - the setting for a depth, among a share of the rows: the same number of hits is then
 * spread like more hits among all. Between two depths of the table it lies between what they say;
 * beyond the last, up to four times it, as many more are kept.
 * False where the table does not reach it, or too much would be read. */
bool lists_choose(const struct lists_table *table, uint32_t depth, double recall, double share,
		  struct lists_setting *ret);

#endif
