/* slab - first fit; pieces are split when they are taken and joined when they are given back, so that
 * giving back needs no memory.
 */
#include "kernels/vulkan/slab.h"

#include "kernels/vulkan/device.h"

#include <stdlib.h>

void slabs_init(struct slabs *slabs)
{
	*slabs = (struct slabs){0};
	pthread_mutex_init(&slabs->lock, NULL);
}

void slabs_finish(struct slabs *slabs)
{
	pthread_mutex_destroy(&slabs->lock);
}

/* Where in a free piece so much begins; UINT64_MAX: it does not fit. */
static uint64_t place_in(const struct slab_piece *piece, const VkMemoryRequirements *needs)
{
	uint64_t at = (piece->at + needs->alignment - 1) & ~(needs->alignment - 1);

	if (!piece->is_free || at - piece->at > piece->size ||
	    needs->size > piece->size - (at - piece->at))
		return UINT64_MAX;
	return at;
}

/* The first bytes of a piece stay its own, the others become a free piece behind it. False: no
 * memory. */
static bool piece_split(struct slab_piece *piece, uint64_t bytes)
{
	struct slab_piece *rest;

	if (bytes == piece->size)
		return true;
	rest = malloc(sizeof *rest);
	if (!rest)
		return false;
	*rest = (struct slab_piece){
		.slab = piece->slab,
		.before = piece,
		.behind = piece->behind,
		.at = piece->at + bytes,
		.size = piece->size - bytes,
		.is_free = true,
	};
	if (rest->behind)
		rest->behind->before = rest;
	piece->behind = rest;
	piece->size = bytes;
	return true;
}

/* Takes the free piece behind into this one. */
static void piece_join(struct slab_piece *piece)
{
	struct slab_piece *behind = piece->behind;

	piece->size += behind->size;
	piece->behind = behind->behind;
	if (piece->behind)
		piece->behind->before = piece;
	free(behind);
}

static struct slab_piece *piece_find(const struct slabs *slabs, uint32_t type,
				     const VkMemoryRequirements *needs)
{
	for (const struct slab *slab = slabs->first; slab; slab = slab->next) {
		for (struct slab_piece *piece = slab->type == type ? slab->first : NULL; piece;
		     piece = piece->behind)
			if (place_in(piece, needs) != UINT64_MAX)
				return piece;
	}
	return NULL;
}

static VkResult slab_open(struct vulkan_device *device, uint32_t type, uint64_t size)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	struct slab *slab = calloc(1, sizeof *slab);
	struct slab_piece *piece = calloc(1, sizeof *piece);
	VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;

	if (slab && piece)
		result = device->vk.vkAllocateMemory(device->device, &info, NULL, &slab->memory);
	if (result != VK_SUCCESS) {
		free(slab);
		free(piece);
		return result;
	}
	*piece = (struct slab_piece){.slab = slab, .size = size, .is_free = true};
	slab->type = type;
	slab->size = size;
	slab->first = piece;
	slab->next = device->slabs.first;
	device->slabs.first = slab;
	return VK_SUCCESS;
}

static void slab_close(struct vulkan_device *device, struct slab *slab)
{
	struct slab **link = &device->slabs.first;

	while (*link != slab)
		link = &(*link)->next;
	*link = slab->next;
	device->vk.vkFreeMemory(device->device, slab->memory, NULL);
	free(slab->first);
	free(slab);
}

/* Under the lock. */
static void piece_free(struct vulkan_device *device, struct slab_piece *piece)
{
	struct slab *slab = piece->slab;

	piece->is_free = true;
	if (piece->behind && piece->behind->is_free)
		piece_join(piece);
	if (piece->before && piece->before->is_free)
		piece_join(piece->before);
	if (slab->first->is_free && !slab->first->behind)
		slab_close(device, slab);
}

/* Under the lock. */
static VkResult piece_take(struct vulkan_device *device, struct slab_piece *piece,
			   const VkMemoryRequirements *needs, struct slab_piece **ret)
{
	uint64_t skipped = place_in(piece, needs) - piece->at;

	if (skipped > 0) {
		if (!piece_split(piece, skipped))
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		piece = piece->behind;
	}
	piece->is_free = false;
	if (!piece_split(piece, needs->size)) {
		piece_free(device, piece);
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	*ret = piece;
	return VK_SUCCESS;
}

VkResult slab_take(struct vulkan_device *device, uint32_t type, const VkMemoryRequirements *needs,
		   struct slab_piece **ret)
{
	struct slabs *slabs = &device->slabs;
	uint64_t size = needs->size > SLAB_BYTES / 2 ? needs->size : SLAB_BYTES;
	struct slab_piece *piece;
	VkResult result = VK_SUCCESS;

	pthread_mutex_lock(&slabs->lock);
	piece = piece_find(slabs, type, needs);
	if (!piece) {
		result = slab_open(device, type, size);
		/* There may still be room for no more than this. */
		if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY && size != needs->size)
			result = slab_open(device, type, needs->size);
		piece = result == VK_SUCCESS ? slabs->first->first : NULL;
	}
	if (piece)
		result = piece_take(device, piece, needs, ret);
	pthread_mutex_unlock(&slabs->lock);
	return result;
}

void slab_give(struct vulkan_device *device, struct slab_piece *piece)
{
	if (!piece)
		return;
	pthread_mutex_lock(&device->slabs.lock);
	piece_free(device, piece);
	pthread_mutex_unlock(&device->slabs.lock);
}
