// merge - lists of keys to fewer: each workgroup takes a run of entries and leaves the best k.
// Entries lie in scratch from plan.place on.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "kernels/shaders/plan.glsl"

layout(local_size_x = 256) in;

#include "kernels/shaders/queue.glsl"

void main()
{
	const uint t = gl_LocalInvocationIndex;
	const uint begin = gl_WorkGroupID.x * plan.rows_per_group;
	const uint end = min(begin + plan.rows_per_group, plan.n);

	queue_open();
	for (uint at = begin; at < end; at += THREADS) {
		if (at + t < end)
			queue_push(scratch[plan.place + at + t]);
		barrier();
		queue_make_room(THREADS);
		barrier();
	}
	queue_emit();
}
