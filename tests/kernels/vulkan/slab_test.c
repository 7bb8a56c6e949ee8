/* Memory in slabs: pieces apart from each other, joined again, few allocations. */
#include "kernels/vulkan/memory.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/random.h"
#include "tests/kernels/vulkan/layer.h"
#include "tests/kernels/vulkan/software.h"

#define BUFFERS 300

/* No piece overlaps another one, all of a slab is in some piece, and no two free ones touch. */
static void check(const struct vulkan_device *device)
{
	for (const struct slab *slab = device->slabs.first; slab; slab = slab->next) {
		uint64_t at = 0;
		bool was_free = false;

		for (const struct slab_piece *piece = slab->first; piece; piece = piece->behind) {
			cr_assert_eq(piece->at, at);
			cr_assert_gt(piece->size, 0);
			cr_assert_not(was_free && piece->is_free);
			cr_assert(!piece->behind || piece->behind->before == piece);
			at += piece->size;
			was_free = piece->is_free;
		}
		cr_assert_eq(at, slab->size);
	}
}

Test(vulkan_slab, holds_many_buffers_in_few_allocations)
{
	struct scanner *scanner;
	struct vulkan_device *device;
	struct vulkan_buffer buffers[BUFFERS] = {{0}};
	struct random random = {3};
	uint64_t bytes = 0;

	layer_install();
	scanner = software_open();
	device = scanner_vulkan_runtime(scanner)->device;
	for (size_t i = 0; i < BUFFERS; i++) {
		uint64_t size = 1 + random_below(&random, 1 << 20);

		cr_assert_not(status_failed(buffer_init(device, MEMORY_DEVICE, size, &buffers[i])));
		bytes += size;
	}
	check(device);
	cr_assert_leq(layer_alive(LAYER_MEMORY), (int64_t)(bytes / SLAB_BYTES) + 2);
	for (size_t i = 0; i < BUFFERS; i++)
		buffer_close(device, &buffers[i]);
	cr_assert_null(device->slabs.first);
	cr_assert_eq(layer_alive(LAYER_MEMORY), 0);
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

Test(vulkan_slab, finds_room_between_others)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;
	struct vulkan_buffer buffers[BUFFERS] = {{0}};
	struct random random = {4};

	for (size_t step = 0; step < 20 * BUFFERS; step++) {
		struct vulkan_buffer *buffer = &buffers[random_below(&random, BUFFERS)];
		uint64_t size = 1 + random_below(&random, 1 << 18);

		if (buffer->buffer)
			buffer_close(device, buffer);
		else
			cr_assert_not(
				status_failed(buffer_init(device, MEMORY_DEVICE, size, buffer)));
		if (step % 50 == 0)
			check(device);
	}
	for (size_t i = 0; i < BUFFERS; i++)
		buffer_close(device, &buffers[i]);
	cr_assert_null(device->slabs.first);
}

Test(vulkan_slab, gives_what_is_large_an_allocation_of_its_own)
{
	struct scanner *scanner;
	struct vulkan_device *device;
	struct vulkan_buffer small = {0}, large = {0};

	layer_install();
	scanner = software_open();
	device = scanner_vulkan_runtime(scanner)->device;
	cr_assert_not(status_failed(buffer_init(device, MEMORY_DEVICE, 1000, &small)));
	cr_assert_not(status_failed(buffer_init(device, MEMORY_DEVICE, SLAB_BYTES + 1000, &large)));
	cr_assert_neq(small.piece->slab, large.piece->slab);
	cr_assert_eq(large.piece->slab->first, large.piece);
	cr_assert_null(large.piece->behind);
	cr_assert_eq(layer_alive(LAYER_MEMORY), 2);
	buffer_close(device, &large);
	cr_assert_eq(layer_alive(LAYER_MEMORY), 1);
	buffer_close(device, &small);
	scanner_close(scanner);
}

/* The slab is refused, and what is needed is not. */
Test(vulkan_slab, makes_do_with_less_where_there_is_little)
{
	SCOPED(scanner) probe = software_open();
	struct scanner *scanner;
	struct vulkan_device *device;
	struct vulkan_buffer buffer = {0};

	layer_install();
	scanner = software_open();
	device = scanner_vulkan_runtime(scanner)->device;
	layer_fail(1, VK_ERROR_OUT_OF_DEVICE_MEMORY); /* vkCreateBuffer, then this */
	cr_assert_not(status_failed(buffer_init(device, MEMORY_DEVICE, 1000, &buffer)));
	cr_assert(layer_has_failed());
	cr_assert_lt(buffer.piece->slab->size, SLAB_BYTES);
	buffer_close(device, &buffer);
	scanner_close(scanner);
}
