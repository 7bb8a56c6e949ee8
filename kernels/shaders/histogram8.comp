// histogram8 - counts the keys of each query by 11 of their bits: the upper ones, or with LEVEL 1
// the next ones of those in the bin where the wanted count is reached.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "kernels/shaders/codes8.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint LEVEL = 0u;

#include "kernels/shaders/select8.glsl"

shared uint bins[BINS];

void main()
{
	const uint t = gl_LocalInvocationIndex, of = gl_WorkGroupID.y;
	const uint begin = gl_WorkGroupID.x * plan.rows_per_group;
	const uint end = min(begin + plan.rows_per_group, plan.part_rows);
	const uint out_at = plan.bins_at + (of * 2u + LEVEL) * BINS;
	uint prefix = 0u;

	if (LEVEL == 1u) {
		bin_find(plan.bins_at + of * 2u * BINS, plan.wanted);
		prefix = found_bin;
	}
	for (uint i = t; i < BINS; i += THREADS)
		bins[i] = 0u;
	barrier();
	for (uint at = begin + t; at < end; at += THREADS) {
		uint key = scratch[of * plan.part_rows + at];

		if (!key_is_wanted(of, key))
			continue;
		if (LEVEL == 0u)
			atomicAdd(bins[key >> 21], 1u);
		else if (key >> 21 == prefix)
			atomicAdd(bins[key >> 10 & (BINS - 1u)], 1u);
	}
	barrier();
	for (uint i = t; i < BINS; i += THREADS) {
		if (bins[i] != 0u)
			atomicAdd(scratch[out_at + i], bins[i]);
	}
}
