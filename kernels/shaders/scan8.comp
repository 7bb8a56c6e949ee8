// scan8 - int8 codes against 1 to 8 queries, each code read once for all of them.
//
// Sixteen lanes share a block of sixteen rows: each adds four rows over a quarter of the head's
// dimensions, 16 bytes a load, sums meet in shared memory, and then each lane has one row. Nothing
// depends on the size of subgroups.
// Written are for each row and query the key of the bound by the head, 0 where the row is not
// visible, and the product of the heads, from which others go on. With BOUNDS defined it is one
// query, the tail is read of every row, and both bounds are written.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "kernels/shaders/codes8.glsl"

// The same words, four at a load.
layout(set = 0, binding = 0) readonly buffer query4_block { uvec4 query4[]; };

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint QUERIES = 1u; // 1, 2, 4 or 8: room for n_queries

const uint LANES = 16u; // of a block
const uint BLOCKS = THREADS / LANES;

// Queries whose sums meet at once: 16 KiB, what every device has.
const uint TOGETHER = QUERIES < 4u ? QUERIES : 4u;

shared ivec4 partial[TOGETHER][THREADS];

// Of the lane's row: the sum of the four lanes that added it.
int row_sum(uint i, uint team, uint row)
{
	uint at = team * LANES + (row >> 2), j = row & 3u;

	return (partial[i][at][j] + partial[i][at + 4u][j]) +
	       (partial[i][at + 8u][j] + partial[i][at + 12u][j]);
}

// The words of all queries for four dimensions.
void query_load(uint quad, out uint ret[QUERIES])
{
	uint at = plan.head_codes_at + quad * QUERIES;

	if (QUERIES < 4u) {
		[[unroll]] for (uint of = 0u; of < QUERIES; of++)
			ret[of] = query[at + of];
		return;
	}
	[[unroll]] for (uint of = 0u; of < QUERIES; of++) {
		if (of % 4u == 0u) {
			uvec4 words = query4[(at + of) >> 2];

			ret[of] = words.x;
			ret[of + 1u] = words.y;
			ret[of + 2u] = words.z;
			ret[of + 3u] = words.w;
		}
	}
}

#ifdef BOUNDS
void row_write(uint of, int dot, row_sides sides, uint row, uint at)
{
	row_bounds full = head_bounds(of, dot, sides, QUERY_ON_REST_FULL);
	uint upper = head_upper(of, dot, sides), other, lower;
	bool finite = true;

	if (plan.tail_pairs != 0u)
		full = tail_add(of, tail_dot(of, row, 0u, 1u), tails[row * plan.tail_size], full,
				finite);
	finite = finite && sides.finite;
	precise float above = full.middle + full.slack, below = full.middle - full.slack;

	other = finite ? floatBitsToUint(above) : 0x7f800000u;
	lower = finite ? floatBitsToUint(below) : 0xff800000u;
	result[at] = ordered(other) < ordered(upper) ? other : upper;
	result[plan.part_rows + at] = lower;
}
#else
void row_write(uint of, int dot, row_sides sides, uint row, uint at)
{
	uint key = 0u;

	if (row_is_visible(of, at))
		key = ordered(head_upper(of, dot, sides));
	scratch[of * plan.part_rows + at] = key;
	scratch[plan.dots_at + of * plan.part_rows + at] = uint(dot);
}
#endif

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
		const uint begin = block + plan.codes_at + (lane & 3u);

		// Two loads at once, of rows that are longer than what one warp's worth hides.
		for (uint quad = lane >> 2; quad < plan.head_quads; quad += 8u) {
			const bool two = quad + 4u < plan.head_quads;
			const uint next = two ? quad + 4u : quad;
			uvec4 codes = heads[begin + quad * 4u] ^ UNBIAS;
			uvec4 more = heads[begin + next * 4u] ^ UNBIAS;
			uint words[QUERIES];

			if (!two)
				more = uvec4(0u);
			query_load(quad, words);
			[[unroll]] for (uint of = 0u; of < QUERIES; of++)
				sum[of] += ivec4(dot4(codes.x, words[of]), dot4(codes.y, words[of]),
						 dot4(codes.z, words[of]), dot4(codes.w, words[of]));
			query_load(next, words);
			[[unroll]] for (uint of = 0u; of < QUERIES; of++)
				sum[of] += ivec4(dot4(more.x, words[of]), dot4(more.y, words[of]),
						 dot4(more.z, words[of]), dot4(more.w, words[of]));
		}
		sides = sides_read(block, lane);
	}
	[[unroll]] for (uint first = 0u; first < QUERIES; first += TOGETHER) {
		barrier();
		[[unroll]] for (uint i = 0u; i < TOGETHER; i++)
			partial[i][t] = sum[first + i];
		barrier();
		[[unroll]] for (uint i = 0u; i < TOGETHER; i++) {
			if (mine && first + i < plan.n_queries)
				row_write(first + i, row_sum(i, team, lane), sides, row,
					  plan.place + row - plan.first);
		}
	}
}
