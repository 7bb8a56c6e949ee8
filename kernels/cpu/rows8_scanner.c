/* rows8_scanner - which kernel this processor can run, and what is the same for all of them. */
#include "kernels/cpu/rows8_kernel.h"

#include <math.h>
#include <stdbool.h>

static bool is_there(enum rows8_isa isa)
{
#if defined(__x86_64__)
	if (isa == ROWS8_VNNI)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
	if (isa == ROWS8_AVX2)
		return __builtin_cpu_supports("avx2");
#endif
	return isa == ROWS8_PORTABLE;
}

const struct rows8_kernel *rows8_scanner(enum rows8_isa isa)
{
	static const struct rows8_kernel *const kernels[] = {
		[ROWS8_PORTABLE] = &rows8_kernel_portable,
		[ROWS8_AVX2] = &rows8_kernel_avx2,
		[ROWS8_VNNI] = &rows8_kernel_vnni,
	};

	if (isa == ROWS8_BEST)
		for (isa = ROWS8_VNNI; !is_there(isa); isa--)
			continue;
	return is_there(isa) ? kernels[isa] : NULL;
}

static void replace_unless_finite(float *values, uint32_t n, float with)
{
	for (uint32_t i = 0; i < n; i++)
		values[i] = isfinite(values[i]) ? values[i] : with;
}

void rows8_bounds(const struct rows8_kernel *scanner, const struct rows8_query *query,
		  const unsigned char *rows, const uint32_t *positions, uint32_t n,
		  float *ret_upper, float *ret_lower)
{
	struct rows8_wanted wanted = {rows, positions, n, ret_upper, ret_lower};

	scanner->bounds(query, &wanted);
	replace_unless_finite(ret_upper, n, INFINITY);
	if (ret_lower)
		replace_unless_finite(ret_lower, n, -INFINITY);
}

void rows8_products(const struct rows8_kernel *scanner, const struct rows8_query *query,
		    const unsigned char *rows, uint32_t n, float *ret)
{
	/* For L2 the query's scale is doubled. */
	float scale = query->metric == METRIC_L2 ? query->scale / 2 : query->scale;

	scanner->products(query, scale, rows, n, ret);
}
