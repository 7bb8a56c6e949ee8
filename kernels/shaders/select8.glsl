// What histogram8 and collect8 share: where among the keys of a query the wanted ones end.
//
// Keys are counted by their upper 11 bits, then those of the bin in which the count is reached by
// the next 11. The edge is the least key of the bin where it is reached: no key that is not below it
// is left out. With many equal keys a bin may hold more than there is room for; then the edge is
// above it, and what is below is asked for again, with room for all.

shared uint group_sums[THREADS];
shared uint found_bin, found_above, found_in;

// The bin, from the highest on, in which so many are reached; 0 if they never are. By all threads.
void bin_find(uint at, uint wanted)
{
	const uint t = gl_LocalInvocationIndex, each = BINS / THREADS;
	uint sum = 0u;

	for (uint i = 0u; i < each; i++)
		sum += scratch[at + t * each + i];
	group_sums[t] = sum;
	barrier();
	if (t == 0u) {
		uint group = THREADS - 1u, above = 0u, bin, here;

		while (group > 0u && above + group_sums[group] < wanted)
			above += group_sums[group--];
		bin = group * each + each - 1u;
		here = scratch[at + bin];
		while (bin > group * each && above + here < wanted) {
			above += here;
			here = scratch[at + --bin];
		}
		found_bin = bin;
		found_above = above;
		found_in = here;
	}
	barrier();
}
