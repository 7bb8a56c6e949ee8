/* submit - slots: all that one submission to the queue needs, handed out one user at a time.
 *
 *	SCOPED(vulkan_slot) slot = NULL;
 *	TRY(slot_acquire(runtime, copy, deadline, &slot));
 *	TRY(slot_reserve(slot, ...));
 *	TRY(slot_begin(slot));
 *	... record into slot->commands, fill slot->input ...
 *	TRY(slot_run(slot, deadline));
 *	... read slot->output ...
 *
 * Every wait is bounded by the caller's deadline and cancel flag. A slot that is released while the
 * device is still at it goes to the reaper, a thread that holds it, and the copy that it reads,
 * until the device is done. So a caller that goes away never waits for the device.
 *
 * Commands are recorded anew each time: with lavapipe that is 2 us for a search of codes and 1 us for
 * the pool to be reset, where the smallest search takes some hundred. Kept ones would have to be kept
 * for each copy, part, number of queries and set of buffers.
 */
#ifndef SLUICE_KERNELS_VULKAN_SUBMIT_H
#define SLUICE_KERNELS_VULKAN_SUBMIT_H

#include "kernels/base/thread.h"
#include "kernels/vulkan/memory.h"
#include "kernels/vulkan/program.h"

struct batch_codes;
struct scanner;
struct vulkan_copy;

/* What threads of ours are to a failure (thread_start). */
#define GPU_THREAD "a thread for the GPU"

/* Submissions under way at once: one runs while the next waits behind it and a third is read. */
#define SLOTS 4

/* Of codes that are brought besides: one is filled while the device reads the other. */
#define UPLOADS 2

/* Places for how long submissions take. */
#define GUESSES 64

/* How often a wait looks at the deadline and the cancel flag. */
#define WAIT_STEP_NS ((int64_t)2000000)

enum slot_state {
	SLOT_FREE,
	SLOT_HELD,
	SLOT_LEFT, /* the reaper's */
};

struct vulkan_runtime;

struct vulkan_slot {
	struct vulkan_runtime *runtime;
	enum slot_state state; /* under the runtime's lock; all else is the holder's */

	VkCommandPool pool;
	VkCommandBuffer commands;
	struct vulkan_queue *queue; /* that it submits to */
	VkDescriptorPool descriptors;
	VkDescriptorSet set;
	bool is_bound; /* the set names the buffers as they are */
	struct vulkan_buffer input, output, scratch;

	struct vulkan_copy *copy; /* what the device reads or writes; referred to */
	uint32_t grown_to;        /* an upload: the rows of the copy once it is done; else 0 */
	int64_t sent_ns;          /* when it was submitted */
	_Atomic(int64_t) *guess;  /* how long such a one takes, about; NULL: nobody knows */
	/* What is waited for. */
	struct vulkan_queue *waits_for;
	uint64_t number;
	bool in_flight, done;
};

struct vulkan_runtime {
	struct vulkan_device *device;
	struct vulkan_program program;

	pthread_mutex_t lock;   /* states of slots; the list of copies and their counts */
	pthread_cond_t changed; /* a slot came free, a copy has grown */
	pthread_cond_t left;    /* something for the reaper */
	/* The last ones are for codes that are brought. */
	struct vulkan_slot slots[SLOTS + UPLOADS];
	_Atomic(int64_t) guesses[GUESSES];
	struct vulkan_copy *copies;
	struct scanner *scanner; /* whom blocks and seats with a copy name */
	struct batch_codes *batches;

	pthread_cond_t queued;     /* codes to be brought */
	struct deadline uploading; /* of that; cancelled at close */
	/* Scans wait until the codes that they need are there: where the device is for tests. */
	bool waits_for_uploads;

	pthread_t reaper, uploader;
	bool has_reaper, has_uploader, closing;
};

/* runtime_open - takes the device, also on failure.
 * cache_directory  where compiled kernels are kept; NULL: nowhere.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status runtime_open(struct vulkan_device *device, const char *cache_directory,
		    struct vulkan_runtime **ret);

/* runtime_close - no scan is running and no copy is left. Waits for what was left behind; a device
 * that hangs keeps its memory, and the log says so. NULL is fine. */
void runtime_close(struct vulkan_runtime *runtime);

/* runtime_wait - sleeps until something changes, a few milliseconds at most. Under the lock.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE (the device is lost) */
status runtime_wait(struct vulkan_runtime *runtime, const struct deadline *deadline);

/* slot_acquire - the slot refers to the copy until the device is done.
 * slot_acquire_upload - one whose queue is the one that transfers, where the device has it.
 * Fails: as runtime_wait */
status slot_acquire_upload(struct vulkan_runtime *runtime, struct vulkan_copy *copy,
			   const struct deadline *deadline, struct vulkan_slot **ret);
status slot_acquire(struct vulkan_runtime *runtime, struct vulkan_copy *copy,
		    const struct deadline *deadline, struct vulkan_slot **ret);
void slot_release(struct vulkan_slot *slot);

struct slot_sizes {
	uint64_t input_bytes, output_bytes, scratch_bytes;
};

/* slot_reserve - buffers of at least these sizes, bound to slot->set; what they held may be gone.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status slot_reserve(struct vulkan_slot *slot, const struct slot_sizes *sizes);

/* slot_begin - opens slot->commands. Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status slot_begin(struct vulkan_slot *slot);

/* slot_barrier - what is recorded so far has written before what is recorded next reads or writes. */
struct slot_order {
	VkPipelineStageFlags from, to;
	VkAccessFlags wrote, next;
};

void slot_barrier(struct vulkan_slot *slot, const struct slot_order *order);

/* slot_guess - what was submitted takes as long as others of this key did. Not knowing costs up to 50 us
 * a wait, a wrong guess as much of a processor. */
void slot_guess(struct vulkan_slot *slot, uint64_t key);

/* slot_send - closes slot->commands and submits them. slot_wait - until the device is done with them;
 * after CANCELLED and DEADLINE_EXCEEDED another may go on waiting. slot_run - both. slot_join - what was
 * sent is there for all that the queue of scans is given from now on; waits for nothing. After any
 * other failure the slot can only be released.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE RESOURCE_EXHAUSTED */
status slot_send(struct vulkan_slot *slot);
status slot_join(struct vulkan_slot *slot);
status slot_wait(struct vulkan_slot *slot, const struct deadline *deadline);
status slot_run(struct vulkan_slot *slot, const struct deadline *deadline);

/* For the reaper. slot_find - the first slot in that state, NULL: none; under the lock.
 * slot_settles - waits so long for the device; true: it is done, for good or because it is lost.
 * slot_free - ends a slot that the device is done with; under the lock. */
struct vulkan_slot *slot_find(struct vulkan_runtime *runtime, enum slot_state state);
bool slot_settles(struct vulkan_slot *slot, int64_t step_ns);
void slot_free(struct vulkan_slot *slot);

SCOPE_DEFINE(vulkan_slot, slot_release)
SCOPE_DEFINE(vulkan_runtime, runtime_close)

#endif
