// scan - bounds of rows against one query: written out for every row, or, with TOP defined, only
// the best k keys of each workgroup's slice, without a score ever going to memory.
//
// LANES threads share a row and read it side by side in pieces of 16 bytes, with ROWS rows in
// flight for each. Sums meet in shared memory instead of a subgroup, so the size of subgroups does
// not matter. Any order of summing is fine: the bounds allow for it (kernels/scanner.h).
// Whether a bound is finite is decided on the bits of the norm, since without float controls a
// device may do with infinities what it likes.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "kernels/shaders/plan.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint LANES = 32u; // 4, 8, 16 or 32

const uint ROWS = 4u;
const uint PASS_MAX = THREADS / 4u * ROWS;

#ifdef TOP
#include "kernels/shaders/queue.glsl"
#endif

// [row of the pass][lane], one float of padding behind each row: LANES = 4 needs the most.
shared float partial[PASS_MAX * 5u];

bool row_is_visible(uint row)
{
	uint at = plan.place + row;

	return plan.visible_at == NONE ||
	       (visible[plan.visible_at + (at >> 5)] >> (at & 31u) & 1u) != 0u;
}

// Bits of the upper and the lower bound.
uvec2 bounds_of(float s, vec2 side)
{
	float a = s, slack = plan.slack_norm * side.x + plan.slack_abs;

	if (floatBitsToUint(side.x) >= plan.norm_limit || floatBitsToUint(side.y) >= 0x7f800000u)
		return uvec2(0x7f800000u, 0xff800000u);
	if (plan.is_l2 != 0u) {
		a = 2.0 * s - plan.qq - side.y;
		slack += plan.slack_xx * side.y;
	}
	return floatBitsToUint(vec2(a + slack, a - slack));
}

void row_take(uint row, float s)
{
	uvec2 bounds = bounds_of(s, sides[plan.first + row]);

#ifdef TOP
	queue_push(uvec2(ordered(bounds.x), plan.place + row));
#else
	result[plan.output_at + row] = bounds.x;
	if (plan.lower_at != NONE)
		result[plan.lower_at + row] = bounds.y;
#endif
}

void pass_sum(uint at, uint end)
{
	const uint lane = gl_LocalInvocationIndex % LANES;
	const uint team = gl_LocalInvocationIndex / LANES * ROWS;
	uint begin[ROWS];
	bool live[ROWS];
	vec4 sum[ROWS];

	for (uint r = 0u; r < ROWS; r++) {
		uint row = at + team + r;

		live[r] = row < end && row_is_visible(row);
		begin[r] = (plan.first + row) * plan.stride_vec4;
		sum[r] = vec4(0.0);
	}
	for (uint i = lane; i < plan.stride_vec4; i += LANES) {
		vec4 q = query[i];

		for (uint r = 0u; r < ROWS; r++) {
			if (live[r])
				sum[r] += q * vectors[begin[r] + i];
		}
	}
	for (uint r = 0u; r < ROWS; r++)
		partial[(team + r) * (LANES + 1u) + lane] =
			(sum[r].x + sum[r].y) + (sum[r].z + sum[r].w);
}

void main()
{
	const uint pass = THREADS / LANES * ROWS;
	const uint t = gl_LocalInvocationIndex;
	const uint begin = gl_WorkGroupID.x * plan.rows_per_group;
	const uint end = min(begin + plan.rows_per_group, plan.n);

#ifdef TOP
	queue_open();
#endif
	for (uint at = begin; at < end; at += pass) {
		pass_sum(at, end);
		barrier();
		if (t < pass && at + t < end && row_is_visible(at + t)) {
			float s = 0.0;

			for (uint lane = 0u; lane < LANES; lane++)
				s += partial[t * (LANES + 1u) + lane];
			row_take(at + t, s);
		}
		barrier();
#ifdef TOP
		queue_make_room(pass);
#endif
	}
#ifdef TOP
	queue_emit();
#endif
}
