// The best k keys of a stream that a workgroup sees, k up to QUEUE_KEPT.
//
// A key is (ordered score, place): score descending, then place ascending. It enters only if it is
// before the gate, which is the k-th best so far; when the room behind the kept ones might not do
// for another pass, everything is sorted and the tail falls off. The k best under a total order are
// one set, so the result does not depend on the order in which threads arrive.

const uint QUEUE_KEPT = 128u;
const uint QUEUE_ALL = 512u; // two for each thread: one bitonic step is one exchange for each
const uint QUEUE_ROOM = QUEUE_ALL - QUEUE_KEPT;

// No score has key 0.
const uvec2 QUEUE_EMPTY = uvec2(0u, 0xffffffffu);

shared uvec2 queue[QUEUE_ALL];
shared uvec2 queue_gate;
shared uint queue_waiting;

bool key_before(uvec2 a, uvec2 b)
{
	return a.x > b.x || (a.x == b.x && a.y < b.y);
}

void queue_open()
{
	if (gl_LocalInvocationIndex < QUEUE_KEPT)
		queue[gl_LocalInvocationIndex] = QUEUE_EMPTY;
	if (gl_LocalInvocationIndex == 0u) {
		queue_waiting = 0u;
		queue_gate = uvec2(plan.gate_key, plan.gate_place);
	}
	barrier();
}

void queue_push(uvec2 key)
{
	if (key_before(key, queue_gate))
		queue[QUEUE_KEPT + atomicAdd(queue_waiting, 1u)] = key;
}

// By all threads at once, as everything below.
void queue_sort()
{
	const uint t = gl_LocalInvocationIndex;

	for (uint i = QUEUE_KEPT + queue_waiting + t; i < QUEUE_ALL; i += THREADS)
		queue[i] = QUEUE_EMPTY;
	barrier();
	for (uint size = 2u; size <= QUEUE_ALL; size <<= 1) {
		for (uint distance = size >> 1; distance > 0u; distance >>= 1) {
			uint i = 2u * t - (t & (distance - 1u));
			uint j = i + distance;
			uvec2 a = queue[i], b = queue[j];
			bool forward = (i & size) == 0u;

			if (forward ? key_before(b, a) : key_before(a, b)) {
				queue[i] = b;
				queue[j] = a;
			}
			barrier();
		}
	}
	if (t == 0u) {
		queue_waiting = 0u;
		if (queue[plan.k - 1u].x != 0u)
			queue_gate = queue[plan.k - 1u];
	}
	barrier();
}

// After a barrier behind the pushes of a pass; there must be another before the next pushes.
void queue_make_room(uint pass)
{
	if (queue_waiting > QUEUE_ROOM - pass)
		queue_sort();
}

void queue_emit()
{
	const uint at = plan.output_at + gl_WorkGroupID.x * plan.k;

	queue_sort();
	if (gl_LocalInvocationIndex < plan.k) {
		uvec2 key = queue[gl_LocalInvocationIndex];

		if (plan.is_last != 0u) {
			result[2u * (at + gl_LocalInvocationIndex)] = key.x;
			result[2u * (at + gl_LocalInvocationIndex) + 1u] = key.y;
		} else {
			scratch[at + gl_LocalInvocationIndex] = key;
		}
	}
}
