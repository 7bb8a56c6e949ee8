/* gpu_for_cpu - makes a test that opens the processor's scanner scan on a software GPU instead.
 *
 * Linked in with -Wl,--wrap=scanner_cpu_open. Where there is no such device the test runs as it is,
 * and says so. What the device did is told at the end, since a test that asks for codes goes on
 * with the processor where the device refuses.
 */
#include "kernels/cpu/scanner_cpu.h"
#include "tests/support/test_gpu.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

status __real_scanner_cpu_open(enum cpu_kernel kernel, struct scanner **ret);
status __wrap_scanner_cpu_open(enum cpu_kernel kernel, struct scanner **ret);

static atomic_size_t answered, refused;

static status propose_codes(struct scanner *self, struct codes8_probe *probes, size_t n_probes,
			    const struct codes8_range *range, const struct deadline *deadline);
static status bounds_codes(struct scanner *self, const struct codes8_query *query,
			   const struct codes8_range *range, const struct deadline *deadline,
			   const struct codes8_bounds_out *out);

/* The device's own, with two in between. One device's ops are those of all. */
static const struct scanner_ops *real;
static struct scanner_ops counted;

static status count(status scanned)
{
	if (status_failed(scanned))
		atomic_fetch_add(&refused, 1);
	else
		atomic_fetch_add(&answered, 1);
	return scanned;
}

static status propose_codes(struct scanner *self, struct codes8_probe *probes, size_t n_probes,
			    const struct codes8_range *range, const struct deadline *deadline)
{
	return count(real->propose_codes(self, probes, n_probes, range, deadline));
}

static status bounds_codes(struct scanner *self, const struct codes8_query *query,
			   const struct codes8_range *range, const struct deadline *deadline,
			   const struct codes8_bounds_out *out)
{
	return count(real->bounds_codes(self, query, range, deadline, out));
}

static void tell(void)
{
	fprintf(stderr, "scans of codes on the GPU: %zu answered, %zu refused\n",
		atomic_load(&answered), atomic_load(&refused));
}

status __wrap_scanner_cpu_open(enum cpu_kernel kernel, struct scanner **ret)
{
	struct gpu_list list = {0};
	struct arena arena;
	struct gpu_options options = test_gpu();
	status opened;

	arena_init(&arena, 1 << 16);
	opened = scanner_vulkan_open(&options, &arena, &list, ret);
	arena_finish(&arena);
	if (opened.code == STATUS_UNAVAILABLE) {
		fprintf(stderr, "SKIPPED the GPU: no software Vulkan device "
				"(package mesa-vulkan-drivers)\n");
		return __real_scanner_cpu_open(kernel, ret);
	}
	TRY(opened);
	if (!real) {
		real = (*ret)->ops;
		counted = *real;
		counted.propose_codes = propose_codes;
		counted.bounds_codes = bounds_codes;
		atexit(tell);
	}
	(*ret)->ops = &counted;
	return status_ok();
}
