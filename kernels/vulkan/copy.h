/* copy - rows on the device: a block's vectors, or a segment's int8 codes.
 *
 * Rows lie in chunks, a buffer each, which never move. A block's copy grows by further chunks, each
 * as large as all before it together, so scans go on while rows are added behind them; whoever needs
 * the rows brings them. Codes never change: their copy is made by a thread of its own, and offered
 * to scans only when all of it is there.
 * A copy is counted: the block (the seat) refers to it, and so does every scan and every slot that
 * works with it. The last one frees it, so a block may be forgotten while the device still reads.
 */
#ifndef SLUICE_KERNELS_VULKAN_COPY_H
#define SLUICE_KERNELS_VULKAN_COPY_H

#include "kernels/codes8.h"
#include "kernels/vulkan/submit.h"

/* The main part of the rows of a chunk, vectors or heads, and behind it their sides: norm and square
 * of each row, or tails. */
struct vulkan_chunk {
	struct vulkan_chunk *next;
	uint32_t first, n; /* places in the block that there is room for */
	uint64_t sides_at; /* bytes */
	struct vulkan_buffer buffer;
	VkDescriptorPool descriptors;
	VkDescriptorSet set;
};

struct vulkan_copy {
	struct vulkan_runtime *runtime;
	/* Of so many rows at a time. */
	uint32_t unit;
	uint64_t main_bytes, side_bytes;
	struct codes8_shape shape; /* of codes */
	bool is_thin;              /* their signs are kept */

	/* Under the runtime's lock. */
	struct scan_block *block;     /* NULL: forgotten, or of codes */
	struct codes8_seat *seat;     /* NULL: forgotten, or of a block */
	const struct codes8 *codes;   /* goes with the seat */
	bool is_queued, is_uploading; /* codes: to be brought; being read for it */
	struct vulkan_copy *next;
	size_t references;
	uint32_t rows;   /* that are there */
	bool growing;    /* somebody is making room or uploading */
	bool is_refused; /* there was no memory for more rows */

	/* Its grower's. Others read a chunk's next only if rows behind the chunk are there. */
	struct vulkan_chunk *chunks, *last;
	uint32_t room; /* of all chunks */
};

/* copy_acquire - the block's copy, with the first n rows there: uploads what is missing, or waits
 * until another thread has.
 * Fails: CANCELLED DEADLINE_EXCEEDED RESOURCE_EXHAUSTED UNAVAILABLE (no room on the device) */
status copy_acquire(struct vulkan_runtime *runtime, struct scan_block *block, uint32_t n,
		    const struct deadline *deadline, struct vulkan_copy **ret);

/* copy_acquire_codes - the copy of codes, all of them. Where it is not there it is asked for, and where
 * the runtime does not wait for uploads that fails with UNAVAILABLE.
 * Fails: as copy_acquire */
status copy_acquire_codes(struct vulkan_runtime *runtime, const struct codes8 *codes,
			  const struct deadline *deadline, struct vulkan_copy **ret);

/* copy_refer - once more, by somebody who refers to it already. */
void copy_refer(struct vulkan_copy *copy);

/* copy_release - NULL is fine. copy_release_locked - under the runtime's lock. */
void copy_release(struct vulkan_copy *copy);
void copy_release_locked(struct vulkan_copy *copy);

/* copy_forget - takes the copy from its block. copy_forget_codes - from its seat, and waits until the
 * codes are not read any more. Nothing is done where there is none, or it is another runtime's. */
void copy_forget(struct vulkan_runtime *runtime, struct scan_block *block);
void copy_forget_codes(struct vulkan_runtime *runtime, struct codes8_seat *seat);

/* copy_forget_all - of everything that still has one. No scan is running. */
void copy_forget_all(struct vulkan_runtime *runtime);

/* copy_upload_run - the thread that brings codes; argument: the runtime. Ends when that closes. */
void *copy_upload_run(void *argument);

/* For copy_codes.c. copy_make - a copy that is in the runtime's list, with one reference.
 * copy_add_chunk - room for the next n rows. Fails: UNAVAILABLE RESOURCE_EXHAUSTED
 * copy_drop_chunks - takes all room back: the device has never been told of it.
 * copy_detach - takes the copy from its block or seat. All but copy_add_chunk under the lock. */
struct vulkan_copy *copy_make(struct vulkan_runtime *runtime);
status copy_add_chunk(struct vulkan_copy *copy, uint32_t n);
void copy_drop_chunks(struct vulkan_copy *copy);
void copy_detach(struct vulkan_copy *copy);

/* copy_chunk_rows - how many rows a buffer can hold. copy_units - of how many units n rows are.
 * copy_bytes - what n rows take on the device at most. */
uint32_t copy_chunk_rows(const struct vulkan_copy *copy);
uint64_t copy_units(const struct vulkan_copy *copy, uint32_t n);
uint64_t copy_bytes(const struct vulkan_copy *copy, uint32_t n);

/* An upload. copy_piece_rows - how many rows from `first` on, before end and in the chunk, go at once.
 * copy_reserve_input - room for n rows in a slot's input.
 * copy_record - n rows, whose main parts and then sides are in the slot's input, to their places in
 * the chunk, for the kernels behind. */
uint32_t copy_piece_rows(const struct vulkan_copy *copy, const struct vulkan_chunk *chunk,
			 uint32_t first, uint32_t end);
status copy_reserve_input(struct vulkan_slot *slot, uint32_t n);
void copy_record(struct vulkan_slot *slot, const struct vulkan_chunk *chunk, uint32_t first,
		 uint32_t n);

SCOPE_DEFINE(vulkan_copy, copy_release)

#endif
