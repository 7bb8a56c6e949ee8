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

#include "kernels/shaders/codes8.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint QUERIES = 1u; // 1, 2, 4 or 8: room for n_queries

const uint LANES = 16u; // of a block
const uint BLOCKS = THREADS / LANES;

shared ivec4 partial[THREADS];

// Of the lane's row: the sum of the four lanes that added it.
int row_sum(uint team, uint row)
{
	uint at = team * LANES + (row >> 2), j = row & 3u;

	return (partial[at][j] + partial[at + 4u][j]) +
	       (partial[at + 8u][j] + partial[at + 12u][j]);
}

#ifdef BOUNDS
void row_write(uint of, int dot, uint block, uint row, uint at)
{
	uint lane = row & 15u;
	row_sides sides = sides_read(block, lane);
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
void row_write(uint of, int dot, uint block, uint row, uint at)
{
	uint key = 0u;

	if (row_is_visible(of, at))
		key = ordered(head_upper(of, dot, sides_read(block, row & 15u)));
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

	for (uint of = 0u; of < QUERIES; of++)
		sum[of] = ivec4(0);
	if (live) {
		for (uint quad = lane >> 2; quad < plan.head_quads; quad += 4u) {
			uvec4 codes = heads[block + plan.codes_at + quad * 4u + (lane & 3u)] ^
				      UNBIAS;

			for (uint of = 0u; of < QUERIES; of++) {
				uint q = query[plan.head_codes_at + quad * QUERIES + of];

				sum[of] += ivec4(dot4(codes.x, q), dot4(codes.y, q),
						 dot4(codes.z, q), dot4(codes.w, q));
			}
		}
	}
	for (uint of = 0u; of < QUERIES; of++) {
		if (of >= plan.n_queries)
			break;
		barrier();
		partial[t] = sum[of];
		barrier();
		if (mine)
			row_write(of, row_sum(team, lane), block, row,
				  plan.place + row - plan.first);
	}
}
