/* load_table - a report for people. */
#ifndef SLUICE_SERVICE_CLI_LOAD_TABLE_H
#define SLUICE_SERVICE_CLI_LOAD_TABLE_H

#include "service/cli/load_stats.h"

#include <stdio.h>

/* load_table_head - the title and what stands above the columns. load_table_step - a line for a step,
 * and below it what ended otherwise than OK and what makes the figures doubtful. */
void load_table_head(FILE *out, const struct load_report *report);
void load_table_step(FILE *out, const struct load_step *step);

/* load_table_kinds - a line for each kind of call: first hits, gaps, bytes. */
void load_table_kinds(FILE *out, const struct load_step *step);

/* load_table_overload - what was answered at each load, the median of the rounds; that of the highest load over
 * the peak of them; and memory.
 * report      its steps are the first round's loads, then the second's in the same order, and so on
 * n_rounds    at least 1 */
void load_table_overload(FILE *out, const struct load_report *report, size_t n_rounds);

#endif
