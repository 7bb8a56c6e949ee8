/* cost - a scan of next to nothing, one of much, and the same on the processor. */
#include "kernels/vulkan/cost.h"

#include "kernels/vulkan/trial.h"

#include <math.h>

/* Rows of the made-up codes: 26 MiB, more than most caches of one core. */
#define ROWS ((uint32_t)1 << 16)
#define REPEATS 3

struct cost cost_assumed(void)
{
	return (struct cost){
		.submit_ns = 100e3,
		.device_bytes_per_ns = 50,
		.processor_bytes_per_ns = 20,
	};
}

bool cost_favours_device(const struct cost *cost, uint64_t bytes, size_t n_queries)
{
	if (cost->bytes_min)
		return bytes >= cost->bytes_min;
	return cost->submit_ns + (double)bytes / cost->device_bytes_per_ns <
	       (double)n_queries * (double)bytes / cost->processor_bytes_per_ns;
}

uint64_t cost_break_even(const struct cost *cost)
{
	double gain = 1 / cost->processor_bytes_per_ns - 1 / cost->device_bytes_per_ns;

	if (cost->bytes_min)
		return cost->bytes_min;
	return gain > 0 && cost->submit_ns / gain < 1e18 ? (uint64_t)(cost->submit_ns / gain) + 1
							 : UINT64_MAX;
}

static status measure(struct vulkan_runtime *runtime, struct trial *trial,
		      const struct deadline *deadline, struct cost *ret)
{
	struct trial_scan little = {.n = CODES8_ROWS, .n_queries = 1};
	struct trial_scan much = {.n = ROWS, .n_queries = 1};
	SCOPED(vulkan_copy) copy = NULL;
	double bytes = (double)codes8_heads_bytes(&trial->codes.shape, ROWS);
	double little_ns, much_ns, processor_ns;

	TRY(copy_acquire_codes(runtime, &trial->codes, deadline, &copy));
	little.copy = much.copy = copy;
	TRY(trial_device_time(trial, &little, REPEATS, deadline, &little_ns));
	TRY(trial_device_time(trial, &much, REPEATS, deadline, &much_ns));
	TRY(trial_processor_time(trial, REPEATS, deadline, &processor_ns));
	ret->submit_ns = little_ns;
	ret->device_bytes_per_ns = bytes / fmax(much_ns - little_ns, 1);
	ret->processor_bytes_per_ns = bytes / fmax(processor_ns, 1);
	return status_ok();
}

void cost_measure(struct vulkan_runtime *runtime, const struct deadline *deadline, struct cost *ret)
{
	struct trial memory;
	SCOPED(trial) trial = &memory;
	bool waits = runtime->waits_for_uploads;
	status measured = trial_init(trial, ROWS);

	runtime->waits_for_uploads = true;
	if (!status_failed(measured))
		measured = measure(runtime, trial, deadline, ret);
	runtime->waits_for_uploads = waits;
	copy_forget_codes(runtime, &trial->seat);
	(void)measured;
}
