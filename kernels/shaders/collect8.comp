// collect8 - of each query the rows whose keys are not below the edge, with their final bounds: the
// lesser of the head's and the full one, for which their tails are read here.
//
// Entries come in no order. That loses nothing: the set is one, and the window orders it.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "kernels/shaders/codes8.glsl"

layout(local_size_x = 256) in;

#include "kernels/shaders/select8.glsl"

const uint LANES = 16u; // that share a tail
const uint TEAMS = THREADS / LANES;

shared uint waiting[2u * THREADS]; // places
shared uint n_waiting;
shared int partial[THREADS];
shared uint edge;

// Counters are the host's to read, so one workgroup writes what all of them find.
void edge_find(uint of)
{
	const uint at = plan.bins_at + of * 2u * BINS, counter = plan.counters_at + of * COUNTERS;
	uint above, key;

	bin_find(at, plan.wanted);
	above = found_above;
	key = found_bin << 21;
	barrier();
	bin_find(at + BINS, plan.wanted - min(above, plan.wanted));
	if (gl_LocalInvocationIndex == 0u) {
		key |= found_bin << 10;
		above += found_above;
		edge = above + found_in > plan.capacity ? key + 1024u : key;
		n_waiting = 0u;
		if (gl_WorkGroupID.x == 0u) {
			scratch[counter + COUNTER_EDGE] = edge;
			scratch[counter + COUNTER_TOTAL] = above + found_in;
		}
	}
	barrier();
}

void entry_write(uint of, uint key, uint place)
{
	uint at = atomicAdd(scratch[plan.counters_at + of * COUNTERS + COUNTER_ENTRIES], 1u);

	if (at < plan.capacity) {
		uint to = plan.entries_at + 2u * (of * plan.capacity + at);

		result[to] = key;
		result[to + 1u] = place;
	}
}

uint row_key(uint of, uint place, uint row, int tail)
{
	uint key = scratch[of * plan.part_rows + place], other;
	int dot = int(scratch[plan.dots_at + of * plan.part_rows + place]);
	row_sides sides = sides_read((row >> 4) * plan.block_size, row & 15u);
	bool finite;
	row_bounds full = tail_add(of, tail, tails[row * plan.tail_size],
				   head_bounds(of, dot, sides, QUERY_ON_REST_FULL), finite);
	precise float above = full.middle + full.slack;

	other = finite && sides.finite ? ordered(floatBitsToUint(above)) : KEY_INFINITE;
	return min(key, other);
}

// By all threads: the rows that wait, a team to each.
void waiting_settle(uint of, uint gate)
{
	const uint t = gl_LocalInvocationIndex, team = t / LANES, lane = t % LANES;

	for (uint at = 0u; at < n_waiting; at += TEAMS) {
		bool live = at + team < n_waiting;
		uint place = live ? waiting[at + team] : 0u;
		uint row = plan.first + place - plan.place;

		partial[t] = live ? tail_dot(of, row, lane, LANES) : 0;
		barrier();
		if (live && lane == 0u) {
			int dot = 0;
			uint key;

			for (uint i = 0u; i < LANES; i++)
				dot += partial[t + i];
			key = row_key(of, place, row, dot);
			if (key >= gate)
				entry_write(of, key, place);
		}
		barrier();
	}
	if (t == 0u) {
		if (n_waiting != 0u)
			atomicAdd(scratch[plan.counters_at + of * COUNTERS + COUNTER_TAILS],
				  n_waiting);
		n_waiting = 0u;
	}
	barrier();
}

void main()
{
	const uint t = gl_LocalInvocationIndex, of = gl_WorkGroupID.y;
	const uint gate = query[of * QUERY_WORDS + QUERY_GATE];
	const uint begin = gl_WorkGroupID.x * plan.rows_per_group;
	const uint end = min(begin + plan.rows_per_group, plan.n);

	edge_find(of);
	for (uint at = begin; at < end; at += THREADS) {
		uint place = plan.place + at + t;
		uint key = at + t < end ? scratch[of * plan.part_rows + place] : 0u;

		if (key >= edge && key_is_wanted(of, key)) {
			if (plan.tail_pairs == 0u)
				entry_write(of, key, place);
			else
				waiting[atomicAdd(n_waiting, 1u)] = place;
		}
		barrier();
		// Nobody adds to them before all have looked.
		bool many = n_waiting > THREADS;
		barrier();
		if (many)
			waiting_settle(of, gate);
	}
	waiting_settle(of, gate);
}
