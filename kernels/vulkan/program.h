/* program - the kernels: layouts of what they bind, and pipelines made when first needed.
 *
 * Set 0 belongs to a submission: query, bitmap, results, scratch. Set 1 belongs to a chunk of rows:
 * vectors, sides. The numbers of both are in kernels/shaders/plan.glsl.
 */
#ifndef SLUICE_KERNELS_VULKAN_PROGRAM_H
#define SLUICE_KERNELS_VULKAN_PROGRAM_H

#include "kernels/vulkan/cache.h"

/* What a kernel is told: plan_block of kernels/shaders/plan.glsl, which explains the fields. */
struct vulkan_plan {
	uint32_t first, n, place;
	uint32_t stride;
	uint32_t rows_per_group;
	uint32_t k;
	uint32_t output_at, lower_at, visible_at;
	uint32_t gate_key, gate_place;
	uint32_t norm_limit;
	uint32_t is_l2, is_last;
	float qq, slack_norm, slack_xx, slack_abs;
	uint32_t n_queries, values_at, part_rows, chunk_rows;
};

_Static_assert(sizeof(struct vulkan_plan) == 88, "as the kernels see it");
/* What every device has for push constants, and what all plans stay within. */
#define PLAN_BYTES_MAX 128
_Static_assert(sizeof(struct vulkan_plan) <= PLAN_BYTES_MAX, "room for a plan");

#define PLAN_NONE UINT32_MAX

/* Lists of the best: at most so many. As QUEUE_KEPT in kernels/shaders/queue.glsl. */
#define TOP_MAX 128

/* Threads of a workgroup, and rows that each team of lanes has in flight. */
#define PROGRAM_THREADS 256
#define PROGRAM_ROWS 4

enum kernel {
	/* Over vectors. Behind each the same over halves. */
	KERNEL_SCAN, /* bounds of every row */
	KERNEL_SCAN_HALF,
	KERNEL_SCAN_TOP, /* the best rows of each workgroup */
	KERNEL_SCAN_TOP_HALF,
	KERNEL_SCAN_KEYS, /* keys of every row, for all queries */
	KERNEL_SCAN_KEYS_HALF,
	KERNEL_SCAN_MATRIX, /* as that, by cooperative matrices; only where matrix_is_built */
	KERNEL_MERGE,       /* lists of the best to fewer */
	/* Over int8 codes. */
	KERNEL_SCAN8,   /* products and head bounds of every row, for all queries */
	KERNEL_BOUNDS8, /* both bounds of every row */
	KERNEL_SCAN1,   /* as these two, over signs */
	KERNEL_BOUNDS1,
	KERNEL_HISTOGRAM8, /* counts of keys */
	KERNEL_COLLECT8,   /* the rows above the edge that the counts give */
	KERNEL_N,
};

/* What a kernel is made for: a team of 4, 8, 16, 32 lanes; under KERNEL_SCAN8 and KERNEL_SCAN1 1, 2, 4, 8
 * queries; under KERNEL_SCAN_KEYS these, with a team of 4 or of 8; under KERNEL_HISTOGRAM8 the first or the
 * second level. The others have one width, 0. */
#define PROGRAM_WIDTHS 8
#define PROGRAM_TEAMS 4

enum program_set {
	PROGRAM_SET_SUBMISSION, /* query, bitmap, results, scratch */
	PROGRAM_SET_CHUNK,      /* vectors, sides */
	PROGRAM_SET_N,
};

struct vulkan_program {
	struct vulkan_device *device;
	VkDescriptorSetLayout sets[PROGRAM_SET_N];
	VkPipelineLayout layout;
	pthread_mutex_t lock; /* around the making of pipelines */
	struct vulkan_cache cache;
	VkPipeline pipelines[KERNEL_N][PROGRAM_WIDTHS];
};

/* program_init - ret must be all zero. To be finished also after a failure.
 * cache_directory  as for cache_open.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status program_init(struct vulkan_program *ret, struct vulkan_device *device,
		    const char *cache_directory);
void program_finish(struct vulkan_program *program);

/* program_set_open - a set in a pool of its own; the caller destroys the pool, which takes the set
 * along. Nothing is bound in it yet.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status program_set_open(struct vulkan_program *program, enum program_set kind,
			VkDescriptorPool *ret_pool, VkDescriptorSet *ret);

/* program_set_bind - n buffers, from binding 0 on. The device must not be using the set. */
void program_set_bind(struct vulkan_program *program, VkDescriptorSet set, uint32_t n,
		      const VkDescriptorBufferInfo *buffers);

/* program_width - the place of the widest team that a row of so many pieces of 16 bytes keeps
 * busy; program_lanes - its lanes. */
uint32_t program_width(uint32_t stride);
uint32_t program_lanes(uint32_t width);

/* program_keys_width - of KERNEL_SCAN_KEYS, for 1 << queries of them; program_keys_lanes - its lanes. */
uint32_t program_keys_width(uint32_t stride, uint32_t queries);
uint32_t program_keys_lanes(uint32_t width);

/* program_pipeline - made at the first call, which takes tens of milliseconds. Safe from any
 * thread.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status program_pipeline(struct vulkan_program *program, enum kernel kernel, uint32_t width,
			VkPipeline *ret);

#endif
