/* matrix - the extension's own declarations, since older headers lack them; features; queries. */
#include "kernels/vulkan/matrix.h"

#include "kernels/shaders/scan_matrix.spv.h"
#include "kernels/vulkan/halves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* VK_KHR_cooperative_matrix. */
#define TYPE_FEATURES ((VkStructureType)1000506000)
#define TYPE_SHAPE ((VkStructureType)1000506001)
#define COMPONENT_HALF 0
#define COMPONENT_FLOAT 1
#define SCOPE_SUBGROUP 3

/* VkCooperativeMatrixPropertiesKHR. */
struct shape {
	VkStructureType type;
	void *next;
	uint32_t rows, columns, depth;
	int32_t a, b, c, result;
	VkBool32 saturates;
	int32_t scope;
};

typedef VkResult(VKAPI_PTR *shapes_fn)(VkPhysicalDevice physical, uint32_t *n, struct shape *ret);

static const char *const extensions[MATRIX_EXTENSIONS] = {
	"VK_KHR_cooperative_matrix",
	VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
	VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
};

/* Times what is allowed for a sum in float; a power of two. */
#define ROUNDING 8

bool matrix_is_built(void)
{
	return scan_matrix_spv_size > sizeof(uint32_t);
}

bool matrix_is_extension(const char *name)
{
	for (size_t i = 0; i < MATRIX_EXTENSIONS; i++) {
		if (strcmp(name, extensions[i]) == 0)
			return true;
	}
	return false;
}

static void features_init(struct matrix_features *ret, void *next)
{
	*ret = (struct matrix_features){
		.matrix = {.type = TYPE_FEATURES, .next = &ret->model},
		.model = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
			  .pNext = &ret->half},
		.half = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
			 .pNext = next},
	};
}

static bool shape_serves(const struct shape *shape)
{
	return shape->rows == MATRIX_TILE && shape->columns == MATRIX_TILE &&
	       shape->depth == MATRIX_TILE && shape->a == COMPONENT_HALF &&
	       shape->b == COMPONENT_HALF && shape->c == COMPONENT_FLOAT &&
	       shape->result == COMPONENT_FLOAT && shape->scope == SCOPE_SUBGROUP;
}

static bool has_shape(VkInstance instance, VkPhysicalDevice physical)
{
	shapes_fn list = (shapes_fn)vkGetInstanceProcAddr(
		instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
	struct shape *shapes;
	uint32_t n = 0;
	bool found = false;

	if (!list || list(physical, &n, NULL) < 0 || n == 0)
		return false;
	shapes = calloc(n, sizeof *shapes);
	for (uint32_t i = 0; shapes && i < n; i++)
		shapes[i].type = TYPE_SHAPE;
	if (shapes && list(physical, &n, shapes) >= 0) {
		for (uint32_t i = 0; i < n; i++)
			found = found || shape_serves(&shapes[i]);
	}
	free(shapes);
	return found;
}

bool matrix_is_there(VkInstance instance, VkPhysicalDevice physical)
{
	struct matrix_features has;
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &has,
	};

	features_init(&has, NULL);
	vkGetPhysicalDeviceFeatures2(physical, &features);
	return has.matrix.is_there && has.model.vulkanMemoryModel && has.half.shaderFloat16 &&
	       has_shape(instance, physical);
}

void matrix_enable(struct matrix_features *memory, const char **names, const void **next)
{
	features_init(memory, (void *)(uintptr_t)*next);
	memory->matrix.is_there = VK_TRUE;
	memory->model.vulkanMemoryModel = VK_TRUE;
	memory->half.shaderFloat16 = VK_TRUE;
	*next = memory;
	memcpy(names, extensions, sizeof extensions);
}

/* Not below value, for coefficients, which are not negative. */
static float up(double value)
{
	return nextafterf((float)value, INFINITY);
}

void matrix_query(const struct scan_query *query, uint16_t *ret, struct select_query *coefficients)
{
	double lost = halves_fill(query->values, query->stride, ret);

	if (query->metric == METRIC_L2)
		lost *= 2;
	coefficients->on_norm = up(ROUNDING * (double)query->slack_norm + 1.02 * lost);
	coefficients->on_square *= ROUNDING;
	coefficients->absolute *= ROUNDING;
}
