/* dots_portable - sixteen running sums in plain C: whatever the compiler makes of them. */
#include "kernels/cpu/kernel.h"

#include "kernels/scanner.h"

#define LANES SCAN_STRIDE_FLOATS

static float dot(const float *query, const float *row, size_t stride)
{
	float sum[LANES] = {0};

	for (size_t i = 0; i < stride; i += LANES) {
		for (size_t j = 0; j < LANES; j++)
			sum[j] += query[i + j] * row[i + j];
	}
	for (size_t half = LANES / 2; half > 0; half /= 2) {
		for (size_t j = 0; j < half; j++)
			sum[j] += sum[j + half];
	}
	return sum[0];
}

void dots_portable(const float *query, const float *rows, size_t stride, size_t n, float *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = dot(query, rows + i * stride, stride);
}
