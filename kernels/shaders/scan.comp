// scan - bounds of rows: written out for every row, or, with TOP defined, only the best k keys of each
// workgroup's slice, without a score ever going to memory, or, with KEYS defined, the keys of every
// row for each of 1 to 8 queries, to be selected from. Each row is read once, whatever is asked.
// With HALF defined rows are halves: two bytes a value instead of four.
//
// LANES threads share a row and read it side by side in pieces of 16 bytes, with ROWS rows in
// flight for each. Sums meet in shared memory instead of a subgroup, so the size of subgroups does
// not matter. Any order of summing is fine: the bounds allow for it (kernels/scanner.h).
// Whether a bound is finite is decided on the bits of the norm, since without float controls a
// device may do with infinities what it likes.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "kernels/shaders/plan.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint LANES = 32u; // 4, 8, 16 or 32

const uint ROWS = 4u;
const uint PASS_MAX = THREADS / 4u * ROWS;

#ifdef KEYS
layout(constant_id = 1) const uint QUERIES = 1u; // 1, 2, 4 or 8: room for n_queries
#else
const uint QUERIES = 1u;
#endif

#ifdef TOP
#include "kernels/shaders/queue.glsl"
#endif

// Queries whose sums meet at once.
const uint TOGETHER = QUERIES < 2u ? QUERIES : 2u;

// [query][row of the pass][lane], one float of padding behind each row: LANES = 4 needs the most.
shared float partial[TOGETHER * PASS_MAX * 5u];

#ifdef KEYS
uint query_word(uint of, uint at)
{
	return words[of * QUERY_WORDS + at];
}

float query_float(uint of, uint at)
{
	return uintBitsToFloat(query_word(of, at));
}

#define IS_ASKED(of) (of < plan.n_queries)
#define VISIBLE_AT(of) query_word(of, QUERY_VISIBLE)
#define NORM_LIMIT(of) query_word(of, QUERY_NORM_LIMIT)
#define QQ(of) query_float(of, QUERY_QQ)
#define SLACK_NORM(of) query_float(of, QUERY_ON_NORM)
#define SLACK_XX(of) query_float(of, QUERY_ON_SQUARE)
#define SLACK_ABS(of) query_float(of, QUERY_ABSOLUTE)
#else
#define IS_ASKED(of) true
#define VISIBLE_AT(of) plan.visible_at
#define NORM_LIMIT(of) plan.norm_limit
#define QQ(of) plan.qq
#define SLACK_NORM(of) plan.slack_norm
#define SLACK_XX(of) plan.slack_xx
#define SLACK_ABS(of) plan.slack_abs
#endif

bool row_is_visible(uint of, uint row)
{
	uint at = plan.place + row, begin = VISIBLE_AT(of);

	return begin == NONE || (words[begin + (at >> 5)] >> (at & 31u) & 1u) != 0u;
}

// By any of the queries: what none sees is not read.
bool row_is_read(uint row)
{
	bool visible = false;

	for (uint of = 0u; of < QUERIES; of++) {
		visible = visible || (IS_ASKED(of) && row_is_visible(of, row));
	}
	return visible;
}

// Bits of the upper and the lower bound.
uvec2 bounds_of(uint of, float s, vec2 side)
{
	float a = s, slack = SLACK_NORM(of) * side.x + SLACK_ABS(of);

	if (floatBitsToUint(side.x) >= NORM_LIMIT(of) || floatBitsToUint(side.y) >= 0x7f800000u)
		return uvec2(0x7f800000u, 0xff800000u);
	if (plan.is_l2 != 0u) {
		a = 2.0 * s - QQ(of) - side.y;
		slack += SLACK_XX(of) * side.y;
	}
	return floatBitsToUint(vec2(a + slack, a - slack));
}

// A row of the pass; s is not to be looked at where the row was not read.
void row_take(uint of, uint row, float s)
{
	bool visible = row_is_visible(of, row);

#ifdef KEYS
	uint key = 0u;

	if (visible)
		key = ordered(bounds_of(of, s, sides[plan.first + row]).x);
	keys[of * plan.part_rows + plan.place + row] = key;
#else
	uvec2 bounds;

	if (!visible)
		return;
	bounds = bounds_of(of, s, sides[plan.first + row]);
#ifdef TOP
	queue_push(uvec2(ordered(bounds.x), plan.place + row));
#else
	result[plan.output_at + row] = bounds.x;
	if (plan.lower_at != NONE)
		result[plan.lower_at + row] = bounds.y;
#endif
#endif
}

// A piece of 16 bytes of a row, and its product with a query.
#ifdef HALF
struct piece {
	vec4 lower, upper;
};

piece piece_read(uint at)
{
	uvec4 halves = vectors[at];

	return piece(vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y)),
		     vec4(unpackHalf2x16(halves.z), unpackHalf2x16(halves.w)));
}

piece query_read(uint of, uint i)
{
	uint at = plan.values_at + 2u * (i * QUERIES + of);

	return piece(query[at], query[at + 1u]);
}

float piece_dot(piece q, piece x)
{
	return dot(q.lower, x.lower) + dot(q.upper, x.upper);
}
#else
struct piece {
	vec4 all;
};

piece piece_read(uint at)
{
	return piece(vectors[at]);
}

piece query_read(uint of, uint i)
{
	return piece(query[plan.values_at + i * QUERIES + of]);
}

float piece_dot(piece q, piece x)
{
	return dot(q.all, x.all);
}
#endif

// Sums of the lane's part of its team's rows, for all queries.
void pass_sum(uint at, uint end, out float sum[QUERIES][ROWS])
{
	const uint lane = gl_LocalInvocationIndex % LANES;
	const uint team = gl_LocalInvocationIndex / LANES * ROWS;
	uint begin[ROWS];
	bool live[ROWS];
	piece x[ROWS];

	[[unroll]] for (uint r = 0u; r < ROWS; r++) {
		uint row = at + team + r;

		live[r] = row < end && row_is_read(row);
		begin[r] = (plan.first + row) * plan.stride;
		[[unroll]] for (uint of = 0u; of < QUERIES; of++)
			sum[of][r] = 0.0;
	}
	for (uint i = lane; i < plan.stride; i += LANES) {
		// All of them, before the first is waited for. Of a row that is not live nobody reads
		// the sum.
		[[unroll]] for (uint r = 0u; r < ROWS; r++) {
			if (live[r])
				x[r] = piece_read(begin[r] + i);
		}
		[[unroll]] for (uint of = 0u; of < QUERIES; of++) {
			piece q = query_read(of, i);

			[[unroll]] for (uint r = 0u; r < ROWS; r++)
				sum[of][r] += piece_dot(q, x[r]);
		}
	}
}

// What the lanes of a team have of a row: of the i-th in partial.
float team_sum(uint i)
{
	float s = 0.0;

	for (uint lane = 0u; lane < LANES; lane++)
		s += partial[i * (LANES + 1u) + lane];
	return s;
}

void main()
{
	const uint pass = THREADS / LANES * ROWS;
	const uint t = gl_LocalInvocationIndex, lane = t % LANES, team = t / LANES * ROWS;
	const uint begin = gl_WorkGroupID.x * plan.rows_per_group;
	const uint end = min(begin + plan.rows_per_group, plan.n);
	float sum[QUERIES][ROWS];

#ifdef TOP
	queue_open();
#endif
	for (uint at = begin; at < end; at += pass) {
		pass_sum(at, end, sum);
		for (uint first = 0u; first < QUERIES; first += TOGETHER) {
			// Sums stay in registers only if nothing but a constant says which.
			[[unroll]] for (uint of = 0u; of < QUERIES; of++) {
				uint begins = (of - first) * pass + team;

				if (of / TOGETHER * TOGETHER != first)
					continue;
				[[unroll]] for (uint r = 0u; r < ROWS; r++)
					partial[(begins + r) * (LANES + 1u) + lane] = sum[of][r];
			}
			barrier();
			for (uint i = t; i < TOGETHER * pass; i += THREADS) {
				uint of = first + i / pass, row = at + i % pass;

				if (IS_ASKED(of) && row < end)
					row_take(of, row, team_sum(i));
			}
			barrier();
		}
#ifdef TOP
		queue_make_room(pass);
#endif
	}
#ifdef TOP
	queue_emit();
#endif
}
