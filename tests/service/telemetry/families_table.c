/* families_table - prints README's table of metrics: bazel run //tests/service/telemetry:families_table */
#include "service/telemetry/families.h"

#include <stdio.h>

int main(void)
{
	SCOPED(buffer) table = &(struct buffer){0};

	families_table(table);
	return table->failed || fwrite(table->data, 1, table->size, stdout) != table->size;
}
