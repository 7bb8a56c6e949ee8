// What histogram8 and collect8 share: where among the keys of a query the wanted ones end.
//
// Keys are counted by their upper 11 bits, then those of the bin in which the count is reached by
// the next 11. The edge is the least key of the bin where it is reached: no key that is not below it
// is left out. With many equal keys a bin may hold more than there is room for; then the edge is
// above it, and what is below is asked for again, with room for all.

const uint EACH = BINS / THREADS;

shared uint sums[THREADS]; // of a thread's bins and all above
shared uint found_bin, found_above, found_in;

// The bin, from the highest on, in which so many are reached; 0 if they never are. By all threads.
void bin_find(uint at, uint wanted)
{
	const uint t = gl_LocalInvocationIndex;
	uint counts[EACH], above = 0u, sum = 0u;

	for (uint i = 0u; i < EACH; i++) {
		counts[i] = scratch[at + t * EACH + i];
		sum += counts[i];
	}
	sums[t] = sum;
	barrier();
	for (uint step = 1u; step < THREADS; step *= 2u) {
		above = t + step < THREADS ? sums[t + step] : 0u;
		barrier();
		sums[t] += above;
		barrier();
	}
	above = sums[t] - sum;
	// One thread alone: the last that reaches it, or the first.
	if ((t == THREADS - 1u || above < wanted) && (t == 0u || sums[t] >= wanted)) {
		uint i = EACH - 1u;

		for (; i > 0u && above + counts[i] < wanted; i--)
			above += counts[i];
		found_bin = t * EACH + i;
		found_above = above;
		found_in = counts[i];
	}
	barrier();
}
