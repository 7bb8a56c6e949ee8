/* queue - one queue of a device, and the timeline that says how far it is.
 *
 * Submissions are numbered from 1; the timeline, a semaphore that counts, has the number of the last one that
 * is done, and so are all before it. There is no fence. Submitting is locked, waiting is not. Threads
 * submit for themselves: the lock is held for half a microsecond (with lavapipe), while handing over
 * to a thread that submits for all takes tens. A wait takes as long by a timeline as by a fence there.
 */
#ifndef SLUICE_KERNELS_VULKAN_QUEUE_H
#define SLUICE_KERNELS_VULKAN_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <volk.h>

struct vulkan_device;

struct vulkan_queue {
	struct vulkan_device *device; /* NULL: there is no such queue */
	VkQueue queue;
	uint32_t family;
	VkSemaphore timeline;
	pthread_mutex_t *lock; /* around submissions; of two queues that are the same one, one */
	pthread_mutex_t own_lock;
	uint64_t submitted; /* under the lock: the number of the last */
};

/* queue_init - the first queue of the family. ret must be all zero.
 * same_as  has this very queue already; NULL: nobody.
 * To be finished also after a failure. Gives what vkCreateSemaphore gives. */
VkResult queue_init(struct vulkan_device *device, uint32_t family, struct vulkan_queue *same_as,
		    struct vulkan_queue *ret);
void queue_finish(struct vulkan_queue *queue);

/* What a submission waits for: a number of another queue's. */
struct queue_after {
	const struct vulkan_queue *queue;
	uint64_t number;
};

/* queue_submit - the commands, or none. All that the queue is given later sees what after's queue had
 * written by then.
 * after  NULL: nothing is waited for.
 * Gives what vkQueueSubmit gives; *ret_number where that is VK_SUCCESS. */
VkResult queue_submit(struct vulkan_queue *queue, VkCommandBuffer commands,
		      const struct queue_after *after, uint64_t *ret_number);

/* queue_wait - for a submission, so long at most. VK_TIMEOUT: it is not done; any other failure is the
 * driver's. */
VkResult queue_wait(const struct vulkan_queue *queue, uint64_t number, int64_t at_most_ns);

#endif
