// scan_matrix - as scan with KEYS and HALF, by cooperative matrices: sixteen rows against eight queries,
// which are halves, too, and of which zeros fill the other half.
//
// How a device rounds within a matrix it does not say: the query's coefficients allow for eight times
// what a sum in float may be off, and for what its values lost as halves (kernels/vulkan/matrix.h).
// A subgroup works on sixteen rows at once, as many subgroups as there are on THREADS of them in all
// passes together; sums meet in shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_shader_subgroup_basic : require
#pragma use_vulkan_memory_model

#define KEYS
#define HALF
#include "kernels/shaders/plan.glsl"

layout(local_size_x = 256) in;

layout(set = 0, binding = 0) readonly buffer query_half_block { uvec4 query_halves[]; };

const uint TILE = 16u; // rows, queries, and values of a step
const uint TILES = 8u; // of a workgroup: TILES * TILE * TILE floats are 8 KiB
const uint ROWS = TILES * TILE;

shared float sums[ROWS * TILE];

bool row_is_visible(uint of, uint row)
{
	uint at = plan.place + row, begin = words[of * QUERY_WORDS + QUERY_VISIBLE];

	return begin == NONE || (words[begin + (at >> 5)] >> (at & 31u) & 1u) != 0u;
}

float query_float(uint of, uint at)
{
	return uintBitsToFloat(words[of * QUERY_WORDS + at]);
}

uint upper_of(uint of, float s, vec2 side)
{
	float a = s;
	float slack = query_float(of, QUERY_ON_NORM) * side.x + query_float(of, QUERY_ABSOLUTE);

	if (floatBitsToUint(side.x) >= words[of * QUERY_WORDS + QUERY_NORM_LIMIT] ||
	    floatBitsToUint(side.y) >= 0x7f800000u)
		return 0x7f800000u;
	if (plan.is_l2 != 0u) {
		a = 2.0 * s - query_float(of, QUERY_QQ) - side.y;
		slack += query_float(of, QUERY_ON_SQUARE) * side.y;
	}
	return floatBitsToUint(a + slack);
}

// A tile's products, [row][query]. begin: its first row, in the chunk.
void tile_sum(uint tile, uint begin)
{
	coopmat<float, gl_ScopeSubgroup, TILE, TILE, gl_MatrixUseAccumulator> sum =
		coopmat<float, gl_ScopeSubgroup, TILE, TILE, gl_MatrixUseAccumulator>(0.0);
	coopmat<float16_t, gl_ScopeSubgroup, TILE, TILE, gl_MatrixUseA> rows;
	coopmat<float16_t, gl_ScopeSubgroup, TILE, TILE, gl_MatrixUseB> queries;

	// Pieces of eight halves, two a step.
	for (uint i = 0u; i < plan.stride; i += 2u) {
		coopMatLoad(rows, vectors, begin * plan.stride + i, plan.stride,
			    gl_CooperativeMatrixLayoutRowMajor);
		coopMatLoad(queries, query_halves, plan.values_at + i, plan.stride,
			    gl_CooperativeMatrixLayoutColumnMajor);
		sum = coopMatMulAdd(rows, queries, sum);
	}
	coopMatStore(sum, sums, tile * TILE * TILE, TILE, gl_CooperativeMatrixLayoutRowMajor);
}

void main()
{
	const uint t = gl_LocalInvocationIndex;
	const uint begin = gl_WorkGroupID.x * ROWS;

	// Past the last row a tile goes back, so that it reads nothing that is not there.
	for (uint tile = gl_SubgroupID; tile < TILES; tile += gl_NumSubgroups) {
		uint row = begin + tile * TILE;

		if (row < plan.n)
			tile_sum(tile, min(plan.first + row, plan.chunk_rows - TILE));
	}
	barrier();
	for (uint i = t; i < ROWS * plan.n_queries; i += THREADS) {
		uint row = begin + i % ROWS, of = i / ROWS;
		uint first = plan.first + begin + i % ROWS / TILE * TILE;
		uint back = first - min(first, plan.chunk_rows - TILE);
		uint key = 0u;

		if (row >= plan.n)
			continue;
		if (row_is_visible(of, row))
			key = ordered(upper_of(of, sums[(i % ROWS + back) * TILE + of],
					       sides[plan.first + row]));
		keys[of * plan.part_rows + plan.place + row] = key;
	}
}
