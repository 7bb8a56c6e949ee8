/* keeper - the runtime of a scanner, and a new one in its place when its device was lost.
 *
 *	TRY(keeper_enter(keeper, &runtime));
 *	... scan ...
 *	keeper_leave(keeper);
 *
 * Between the loss and the new runtime, and while there have been LOSSES_MAX losses within the
 * breaker's time, keeper_enter answers UNAVAILABLE at once. A thread does the rest: it waits until
 * the last scan has left, takes the copies from their blocks, closes the old device and opens one
 * anew, at first at once and then ever more seldom.
 */
#ifndef SLUICE_KERNELS_VULKAN_KEEPER_H
#define SLUICE_KERNELS_VULKAN_KEEPER_H

#include "kernels/vulkan/copy.h"
#include "kernels/vulkan/cost.h"
#include "kernels/vulkan/scanner_vulkan.h"

#define LOSSES_MAX 3
#define BREAKER_NS ((int64_t)600 * 1000000000)

struct keeper {
	struct gpu_options options; /* but for its string, of which this is the copy: */
	char *cache_directory;
	bool has_instance; /* a reference: see keeper_open */

	struct scanner *scanner;
	struct cost cost; /* measured once, when it is opened */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vulkan_runtime *runtime; /* NULL: there is none now */
	size_t users;
	bool is_retiring; /* copies are being taken from their blocks */
	bool closing, has_thread;
	pthread_t thread;

	int64_t losses_ns[LOSSES_MAX]; /* when; a ring */
	uint64_t losses;               /* so far */
	int64_t breaker_ns;            /* BREAKER_NS, but for tests */
};

/* keeper_open - ret NULL, with OK, where there is no device and none is required.
 * The instance is kept across losses: drivers are slow to load, and there is one (NVIDIA's 580) that
 * makes no thirtieth instance in a process.
 * Fails: as scanner_vulkan_open */
status keeper_open(const struct gpu_options *options, struct arena *arena, struct gpu_list *list,
		   struct keeper **ret);
void keeper_close(struct keeper *keeper); /* NULL is fine. No scan is running */

/* keeper_set_scanner - whom blocks and seats are to name. Before the first scan. */
void keeper_set_scanner(struct keeper *keeper, struct scanner *scanner);

/* keeper_enter - a runtime that stays until keeper_leave. Fails: UNAVAILABLE */
status keeper_enter(struct keeper *keeper, struct vulkan_runtime **ret);
void keeper_leave(struct keeper *keeper);

/* keeper_hold - the runtime even if its device is lost, for taking copies away; NULL: there are none.
 * To be left, where there is one. */
struct vulkan_runtime *keeper_hold(struct keeper *keeper);

SCOPE_DEFINE(keeper, keeper_close)

#endif
