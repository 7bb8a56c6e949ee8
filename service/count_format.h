/* count_format - numbers as people read them. */
#ifndef SLUICE_SERVICE_COUNT_FORMAT_H
#define SLUICE_SERVICE_COUNT_FORMAT_H

#include <stdint.h>
#include <stdio.h>

struct count_text {
	char text[28];
};

/* count_format - 99920 as "99,920". */
static inline struct count_text count_format(uint64_t count)
{
	struct count_text ret = {{0}};
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	char *at = ret.text;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	return ret;
}

#endif
