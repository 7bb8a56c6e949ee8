/* scanner_cpu - chooses a kernel and hands it to scan.c. Keeps no copies and no state. */
#include "kernels/cpu/scanner_cpu.h"

#include "kernels/cpu/scan.h"

#include <stdlib.h>

struct scanner_cpu {
	struct scanner base;
	dots_fn *dots;
};

static status cpu_propose(struct scanner *self, const struct scan_query *query,
			  const struct scan_range *range, const struct deadline *deadline,
			  struct window *window)
{
	struct scanner_cpu *cpu = (struct scanner_cpu *)self;

	return cpu_scan_propose(cpu->dots, query, range, deadline, window);
}

static status cpu_bounds(struct scanner *self, const struct scan_query *query,
			 const struct scan_range *range, const struct deadline *deadline,
			 float *ret_upper, float *ret_lower)
{
	struct scanner_cpu *cpu = (struct scanner_cpu *)self;
	struct cpu_scan_bounds_out out = {.upper = ret_upper, .lower = ret_lower};

	return cpu_scan_bounds(cpu->dots, query, range, deadline, out);
}

static void cpu_forget(struct scanner *self, struct scan_block *block)
{
	(void)self;
	(void)block;
}

static void cpu_close(struct scanner *self)
{
	free(self);
}

static const struct scanner_ops cpu_ops = {
	.propose = cpu_propose,
	.bounds = cpu_bounds,
	.forget = cpu_forget,
	.close = cpu_close,
};

bool scanner_cpu_supported(enum cpu_kernel kernel)
{
	switch (kernel) {
	case CPU_KERNEL_BEST:
	case CPU_KERNEL_PORTABLE:
		return true;
	case CPU_KERNEL_AVX2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	case CPU_KERNEL_AVX512:
		return __builtin_cpu_supports("avx512f");
	}
	return false;
}

static enum cpu_kernel kernel_best(void)
{
	if (scanner_cpu_supported(CPU_KERNEL_AVX512))
		return CPU_KERNEL_AVX512;
	if (scanner_cpu_supported(CPU_KERNEL_AVX2))
		return CPU_KERNEL_AVX2;
	return CPU_KERNEL_PORTABLE;
}

status scanner_cpu_open(enum cpu_kernel kernel, struct scanner **ret)
{
	static const struct {
		const char *name;
		dots_fn *dots;
	} kernels[] = {
		[CPU_KERNEL_PORTABLE] = {"cpu:portable", dots_portable},
		[CPU_KERNEL_AVX2] = {"cpu:avx2", dots_avx2},
		[CPU_KERNEL_AVX512] = {"cpu:avx512", dots_avx512},
	};
	struct scanner_cpu *cpu;

	if (!scanner_cpu_supported(kernel))
		return status_make(STATUS_UNAVAILABLE, "this processor lacks the kernel");
	if (kernel == CPU_KERNEL_BEST)
		kernel = kernel_best();
	cpu = calloc(1, sizeof *cpu);
	if (!cpu)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a scanner");
	cpu->base = (struct scanner){.ops = &cpu_ops, .name = kernels[kernel].name};
	cpu->dots = kernels[kernel].dots;
	*ret = &cpu->base;
	return status_ok();
}
