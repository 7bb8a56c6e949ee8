/* copy_codes - int8 codes on their way to the device: brought by a thread, offered when all are there.
 */
#include "kernels/vulkan/copy.h"

#include "kernels/base/log.h"
#include "kernels/base/meter.h"
#include "kernels/codes1.h"
#include "kernels/vulkan/number.h"

#include <string.h>

/* Under the lock. */
static status codes_queue(struct vulkan_runtime *runtime, const struct codes8 *codes)
{
	struct vulkan_copy *copy = codes->seat->copy;

	if (!copy) {
		copy = copy_make(runtime);
		if (!copy)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a copy of codes");
		copy->unit = CODES8_ROWS;
		copy->is_thin = codes->seat->is_thin;
		copy->main_bytes = copy->is_thin ? codes1_block_bytes(&codes->shape)
						 : codes->shape.block_bytes;
		copy->side_bytes = copy->is_thin ? 0 : CODES8_ROWS * codes->shape.tail_bytes;
		copy->shape = codes->shape;
		copy->seat = codes->seat;
		copy->codes = codes;
		codes->seat->copy = copy;
		codes->seat->scanner = runtime->scanner;
	}
	if (copy->rows == 0 && !copy->is_refused && !copy->is_queued && !copy->growing) {
		copy->is_queued = true;
		pthread_cond_signal(&runtime->queued);
	}
	return status_ok();
}

/* Under the lock. */
static status codes_wait(struct vulkan_runtime *runtime, const struct codes8 *codes,
			 const struct deadline *deadline)
{
	struct vulkan_copy *copy;

	TRY(codes_queue(runtime, codes));
	while (copy = codes->seat->copy, copy && copy->rows < codes->n) {
		if (copy->is_refused)
			return status_make(STATUS_UNAVAILABLE, "the codes do not fit the GPU");
		if (!runtime->waits_for_uploads)
			return status_make(STATUS_UNAVAILABLE, "the codes are not there yet");
		TRY(runtime_wait(runtime, deadline));
		TRY(codes_queue(runtime, codes));
	}
	return copy ? status_ok() : status_make(STATUS_UNAVAILABLE, "the codes were forgotten");
}

status copy_acquire_codes(struct vulkan_runtime *runtime, const struct codes8 *codes,
			  const struct deadline *deadline, struct vulkan_copy **ret)
{
	status made;

	pthread_mutex_lock(&runtime->lock);
	made = codes_wait(runtime, codes, deadline);
	if (!status_failed(made)) {
		*ret = codes->seat->copy;
		(*ret)->references++;
	}
	pthread_mutex_unlock(&runtime->lock);
	return made;
}

/* Blocks of codes, from the at-th on, as they are kept. */
static void blocks_read(const struct vulkan_copy *copy, const struct codes8 *codes, uint64_t at,
			uint64_t units, unsigned char *ret)
{
	if (!copy->is_thin) {
		memcpy(ret, codes->heads + at * copy->main_bytes, units * copy->main_bytes);
		return;
	}
	/* What a device maps is not to be read. */
	for (uint64_t i = 0; i < units; i++) {
		_Alignas(uint32_t) unsigned char block[CODES1_BLOCK_BYTES_MAX];

		codes1_thin(&copy->shape, codes->heads + (at + i) * copy->shape.block_bytes, block);
		memcpy(ret + i * copy->main_bytes, block, copy->main_bytes);
	}
}

/* What is read must not go away meanwhile: copy_forget_codes waits for that. */
static bool piece_read(struct vulkan_copy *copy, uint32_t first, uint32_t n, void *ret)
{
	struct vulkan_runtime *runtime = copy->runtime;
	const struct codes8 *codes;
	uint64_t at = first / copy->unit, units = copy_units(copy, n);

	pthread_mutex_lock(&runtime->lock);
	codes = copy->codes;
	copy->is_uploading = codes;
	pthread_mutex_unlock(&runtime->lock);
	if (!codes)
		return false;
	blocks_read(copy, codes, at, units, ret);
	if (copy->side_bytes)
		memcpy((char *)ret + units * copy->main_bytes, codes->tails + at * copy->side_bytes,
		       units * copy->side_bytes);
	pthread_mutex_lock(&runtime->lock);
	copy->is_uploading = false;
	pthread_cond_broadcast(&runtime->changed);
	pthread_mutex_unlock(&runtime->lock);
	return true;
}

/* The slots that pieces go through in turn. */
struct ring {
	struct vulkan_slot *slots[UPLOADS];
	struct vulkan_slot *last; /* sent */
	size_t sent;
};

static void ring_finish(struct ring *ring)
{
	for (size_t i = 0; i < UPLOADS; i++)
		slot_release(ring->slots[i]);
}

SCOPE_DEFINE(ring, ring_finish)

static status piece_upload(struct ring *ring, struct vulkan_copy *copy,
			   const struct vulkan_chunk *chunk, uint32_t first, uint32_t n)
{
	struct vulkan_runtime *runtime = copy->runtime;
	struct vulkan_slot **slot = &ring->slots[ring->sent++ % UPLOADS];

	if (*slot)
		TRY(slot_wait(*slot, &runtime->uploading));
	else
		TRY(slot_acquire_upload(runtime, copy, &runtime->uploading, slot));
	TRY(copy_reserve_input(*slot, n));
	TRY(slot_begin(*slot));
	if (!piece_read(copy, first, n, (*slot)->input.mapped))
		return status_make(STATUS_CANCELLED, "the codes were forgotten");
	copy_record(*slot, chunk, first, n);
	ring->last = *slot;
	return slot_send(*slot);
}

/* The queue is through with the last piece after all others. */
static status pieces_join(struct ring *ring, const struct deadline *deadline)
{
	if (!ring->last)
		return status_ok();
	TRY(slot_join(ring->last));
	for (size_t i = 0; i < UPLOADS; i++) {
		if (ring->slots[i])
			TRY(slot_wait(ring->slots[i], deadline));
	}
	return status_ok();
}

static status codes_make_room(struct vulkan_copy *copy, uint32_t n)
{
	if (!memory_fits(copy->runtime->device, copy_bytes(copy, n)))
		return status_make(STATUS_UNAVAILABLE, "the GPU has no memory left for the codes");
	while (copy->room < n)
		TRY(copy_add_chunk(copy, least(n - copy->room, copy_chunk_rows(copy))));
	return status_ok();
}

static status codes_move(struct vulkan_copy *copy)
{
	struct ring memory = {0};
	SCOPED(ring) ring = &memory;

	for (struct vulkan_chunk *chunk = copy->chunks; chunk; chunk = chunk->next) {
		uint32_t end = chunk->first + chunk->n, rows;

		for (uint32_t first = chunk->first; first < end; first += rows) {
			rows = copy_piece_rows(copy, chunk, first, end);
			TRY(piece_upload(ring, copy, chunk, first, rows));
		}
	}
	return pieces_join(ring, &copy->runtime->uploading);
}

/* Under the lock. */
static void codes_refuse(struct vulkan_copy *copy, status why)
{
	copy->is_refused = true;
	meter_add(METER_GPU_REFUSED, 1);
	/* Nothing was submitted for them. */
	copy_drop_chunks(copy);
	log_write(LOG_WARNING, "a segment of %u rows stays on the processor: %s", copy->codes->n,
		  why.detail);
}

/* Under the lock, which it leaves meanwhile. */
static void codes_bring(struct vulkan_runtime *runtime, struct vulkan_copy *copy)
{
	uint32_t n = copy->codes->n;
	status has_room, moved = status_ok();

	copy->references++;
	copy->is_queued = false;
	copy->growing = true;
	pthread_mutex_unlock(&runtime->lock);
	has_room = codes_make_room(copy, n);
	if (!status_failed(has_room))
		moved = codes_move(copy);
	pthread_mutex_lock(&runtime->lock);
	copy->growing = false;
	if (!status_failed(has_room) && !status_failed(moved))
		copy->rows = n;
	else if (copy->codes && status_failed(has_room))
		codes_refuse(copy, has_room);
	else if (copy->codes)
		copy_detach(copy); /* the device may still be writing; who asks again begins anew */
	copy_release_locked(copy);
	pthread_cond_broadcast(&runtime->changed);
}

void *copy_upload_run(void *argument)
{
	struct vulkan_runtime *runtime = argument;

	pthread_mutex_lock(&runtime->lock);
	while (!runtime->closing) {
		struct vulkan_copy *copy = runtime->copies;

		while (copy && !copy->is_queued)
			copy = copy->next;
		if (copy)
			codes_bring(runtime, copy);
		else
			pthread_cond_wait(&runtime->queued, &runtime->lock);
	}
	pthread_mutex_unlock(&runtime->lock);
	return NULL;
}
