// scan1 - as scan8, over signs instead of codes: 32 dimensions of a row in a word, a query as bit planes of
// its codes, and no tail (kernels/codes1.h). With BOUNDS defined it is one query, and both bounds are
// written.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "kernels/shaders/codes8.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint QUERIES = 1u; // 1, 2, 4 or 8: room for n_queries

const uint LANES = 16u; // of a block
const uint BLOCKS = THREADS / LANES;
const uint PLANES = 8u; // the last one weighs -128

shared ivec4 partial[THREADS];

// Of the lane's row: the sum of the four lanes that added it.
int row_sum(uint team, uint row)
{
	uint at = team * LANES + (row >> 2), j = row & 3u;

	return (partial[at][j] + partial[at + 4u][j]) +
	       (partial[at + 8u][j] + partial[at + 12u][j]);
}

// A word of four rows each with what a query has at its place.
ivec4 signs_dot(uvec4 signs, uint planes)
{
	ivec4 dot = ivec4(0);

	[[unroll]] for (uint i = 0u; i < PLANES - 1u; i++)
		dot += bitCount(signs & query[planes + i]) << int(i);
	return dot - (bitCount(signs & query[planes + PLANES - 1u]) << int(PLANES - 1u));
}

void row_write(uint of, int dot, row_sides sides, uint at)
{
#ifdef BOUNDS
	row_bounds head = head_bounds(of, dot, sides, QUERY_ON_REST_HEAD);
	precise float below = head.middle - head.slack;

	result[at] = head_upper(of, dot, sides);
	result[plan.part_rows + at] = sides.finite ? floatBitsToUint(below) : 0xff800000u;
#else
	uint key = 0u;

	if (row_is_visible(of, at))
		key = ordered(head_upper(of, dot, sides));
	scratch[of * plan.part_rows + at] = key;
#endif
}

void main()
{
	const uint t = gl_LocalInvocationIndex, team = t / LANES, lane = t % LANES;
	const uint number = (plan.first >> 4) + gl_WorkGroupID.x * BLOCKS + team;
	const uint block = number * plan.block_size;
	const uint row = number * 16u + lane;
	const bool live = number * 16u < plan.first + plan.n;
	const bool mine = live && row >= plan.first && row < plan.first + plan.n;
	ivec4 sum[QUERIES];
	row_sides sides;

	[[unroll]] for (uint of = 0u; of < QUERIES; of++)
		sum[of] = ivec4(0);
	if (live) {
		for (uint word = lane >> 2; word < plan.head_quads; word += 4u) {
			uvec4 signs = heads[block + plan.codes_at + word * 4u + (lane & 3u)];
			uint planes = plan.head_codes_at + word * QUERIES * PLANES;

			[[unroll]] for (uint of = 0u; of < QUERIES; of++)
				sum[of] += signs_dot(signs, planes + of * PLANES);
		}
		sides = sides_read(block, lane);
	}
	[[unroll]] for (uint of = 0u; of < QUERIES; of++) {
		barrier();
		partial[t] = sum[of];
		barrier();
		if (mine && of < plan.n_queries) {
			int dot = 2 * row_sum(team, lane) -
				  int(query[of * QUERY_WORDS + QUERY_SUM]);

			row_write(of, dot, sides, plan.place + row - plan.first);
		}
	}
}
