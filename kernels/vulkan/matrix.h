/* matrix - scans of several queries by cooperative matrices (K5): where they are there, right, and faster.
 *
 * There are three conditions. The compiler of shaders knew the extension when this was built; Debian 12's
 * does not. The device has it, for sixteen by sixteen halves summed up in float. And when the device was
 * opened the kernel agreed with KERNEL_SCAN_KEYS_HALF, and was faster. Where one of them does not hold,
 * nothing of it is used, and what is said of the device says which.
 *
 * The queries are halves, too: q' with |q - q'| <= lost. How a device rounds within a matrix it does not
 * say; taken is eight times the gamma of scanner.h, and pads eight times as large, so that
 *	|s - q.x'| <= 8 gamma |q'| |x'| + lost |x'|
 * and a row's norm, as it lies beside halves, is not below |x'|. That is why agreement is tested.
 */
#ifndef SLUICE_KERNELS_VULKAN_MATRIX_H
#define SLUICE_KERNELS_VULKAN_MATRIX_H

#include "kernels/vulkan/scan_select.h"
#include "kernels/vulkan/submit.h"

/* Rows of a tile, and queries. */
#define MATRIX_TILE 16

/* Rows of a workgroup of KERNEL_SCAN_MATRIX. */
#define MATRIX_ROWS_PER_GROUP 128

#define MATRIX_EXTENSIONS 3

/* matrix_is_built - whether the kernel is in this program. */
bool matrix_is_built(void);

/* matrix_is_extension - whether a name is one of MATRIX_EXTENSIONS that it takes. */
bool matrix_is_extension(const char *name);

/* matrix_is_there - whether a device that has the extensions has the features and the shape. */
bool matrix_is_there(VkInstance instance, VkPhysicalDevice physical);

/* matrix_enable - for vkCreateDevice: names [MATRIX_EXTENSIONS], and features chained before *next, in
 * memory that must stay until then. */
struct matrix_features {
	struct {
		VkStructureType type;
		void *next;
		VkBool32 is_there, is_robust;
	} matrix;
	VkPhysicalDeviceVulkanMemoryModelFeatures model;
	VkPhysicalDeviceShaderFloat16Int8Features half;
};

void matrix_enable(struct matrix_features *memory, const char **names, const void **next);

/* matrix_query - of a query: its halves, ret [stride] of them, and its coefficients as floats become those
 * as halves. */
void matrix_query(const struct scan_query *query, uint16_t *ret, struct select_query *coefficients);

/* matrix_try - makes the device use the kernel, or not. Nothing scans meanwhile. Gives what came of it, for
 * people. */
const char *matrix_try(struct vulkan_runtime *runtime);

#endif
