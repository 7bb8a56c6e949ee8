// What the kernels over int8 codes share: kernels/codes8.h has the layout and why the bounds hold.
//
// A row's bounds are those of the processor's scanner, in the same operations and order, so that on
// a device that rounds to nearest they are the same bits. What could leave float is decided on bits,
// since without float controls a device may do with infinities what it likes; queries that could are
// not asked here at all (kernels/vulkan/scan8.c).
// What selects (histogram8, collect8) reads keys alone, and serves scans of vectors as well: they have
// no tails.
// The host's side of plan_block is struct vulkan_plan8 in kernels/vulkan/scan8.h.

#include "kernels/shaders/common.glsl"

layout(push_constant) uniform plan_block {
	uint first;         // the first row, as a place in the bound chunk
	uint n;             // rows
	uint place;         // of the first row, in the whole submission
	uint part_rows;     // rows of the whole submission
	uint block_size;    // of sixteen rows, in pieces of 16 bytes
	uint codes_at;      // of a block's codes, in pieces of 16 bytes
	uint head_quads;    // dimensions of the head / 4; of signs: words
	uint tail_pairs;    // dimensions of the tail / 8; 0: there is none
	uint tail_size;     // of a row's tail, in pieces of 8 bytes
	uint is_l2;
	uint n_queries;
	uint head_codes_at; // in the queries: [head_quads][QUERIES] words
	uint tail_codes_at; // then [query][2 tail_pairs] words
	uint dots_at;       // in scratch, behind the keys: both [query][part_rows] words
	uint bins_at;       // in scratch: [query][2][BINS]
	uint counters_at;   // in scratch: [query][COUNTERS]
	uint entries_at;    // in the results: [query][capacity] pairs of words
	uint capacity;
	uint wanted;        // entries that are asked for
	uint rows_per_group;
} plan;

layout(set = 0, binding = 0) readonly buffer query_block { uint query[]; };
layout(set = 0, binding = 1) readonly buffer visible_block { uint visible[]; };
layout(set = 0, binding = 2) writeonly buffer result_block { uint result[]; };
layout(set = 0, binding = 3) buffer scratch_block { uint scratch[]; };
layout(set = 1, binding = 0) readonly buffer head_block { uvec4 heads[]; };
layout(set = 1, binding = 1) readonly buffer tail_block { uvec2 tails[]; };

const uint BINS = 2048u;

// What is counted for a query; the host reads it.
const uint COUNTERS = 4u;
const uint COUNTER_ENTRIES = 0u, COUNTER_EDGE = 1u, COUNTER_TOTAL = 2u, COUNTER_TAILS = 3u;

// Codes are stored as c + 128; this makes them signed bytes.
const uint UNBIAS = 0x80808080u;

#ifdef DOT
#extension GL_EXT_spirv_intrinsics : require
// OpSDot over four signed bytes in a word.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018],
		  id = 4450) int packed_dot(int a, int b, spirv_literal int format);

int dot4(uint a, uint b)
{
	return packed_dot(int(a), int(b), 0);
}
#else
int dot4(uint a, uint b)
{
	int x = int(a), y = int(b);

	return bitfieldExtract(x, 0, 8) * bitfieldExtract(y, 0, 8) +
	       bitfieldExtract(x, 8, 8) * bitfieldExtract(y, 8, 8) +
	       bitfieldExtract(x, 16, 8) * bitfieldExtract(y, 16, 8) +
	       bitfieldExtract(x, 24, 8) * bitfieldExtract(y, 24, 8);
}
#endif

float query_float(uint of, uint at)
{
	return uintBitsToFloat(query[of * QUERY_WORDS + at]);
}

bool key_is_wanted(uint of, uint key)
{
	return key != 0u && key >= query[of * QUERY_WORDS + QUERY_GATE] &&
	       key < query[of * QUERY_WORDS + QUERY_CEILING];
}

bool row_is_visible(uint of, uint place)
{
	uint at = query[of * QUERY_WORDS + QUERY_VISIBLE];

	return at == NONE || (visible[at + (place >> 5)] >> (place & 31u) & 1u) != 0u;
}

const uint KEY_INFINITE = 0xff800000u;

struct row_sides {
	float scale, residual, norm, rest, square;
	bool finite; // none is so large that a bound could leave float
};

// The kind-th array of halves of a block, 16 of them in two pieces.
uint side_half(uint block, uint kind, uint row)
{
	uint word = heads[block + kind * 2u + (row >> 3)][row >> 1 & 3u];

	return (row & 1u) == 0u ? word << 16 : word & 0xffff0000u;
}

// block: where the row's block begins. row: 0 to 15.
row_sides sides_read(uint block, uint row)
{
	uint scale = side_half(block, 0u, row), residual = side_half(block, 1u, row);
	uint norm = side_half(block, 2u, row), rest = side_half(block, 3u, row);
	uint square = plan.is_l2 != 0u ? heads[block + 8u + (row >> 2)][row & 3u] : 0u;
	row_sides sides;

	sides.scale = uintBitsToFloat(scale);
	sides.residual = uintBitsToFloat(residual);
	sides.norm = uintBitsToFloat(norm);
	sides.rest = uintBitsToFloat(rest);
	sides.square = uintBitsToFloat(square);
	// 2^62 and 2^124. None is negative.
	sides.finite = max(max(scale, residual), max(norm, rest)) < 0x5e800000u &&
		       square < 0x7d800000u;
	return sides;
}

struct row_bounds {
	float middle, slack;
};

// on_rest: QUERY_ON_REST_HEAD for the bounds by the head alone; QUERY_ON_REST_FULL for what tail_add
// goes on from.
row_bounds head_bounds(uint of, int dot, row_sides sides, uint on_rest)
{
	precise float middle =
		(float(dot) * sides.scale) * query_float(of, QUERY_SCALE_HEAD);
	precise float slack = (query_float(of, QUERY_ON_RESIDUAL) * sides.residual +
			       query_float(of, QUERY_ON_NORM) * sides.norm) +
			      query_float(of, on_rest) * sides.rest;

	if (plan.is_l2 != 0u) {
		precise float off = query_float(of, QUERY_QQ) + sides.square;

		middle = middle - off;
		slack = slack + query_float(of, QUERY_ON_SQUARE) * sides.square;
	}
	slack = slack + query_float(of, QUERY_ABSOLUTE);
	return row_bounds(middle, slack);
}

// The upper bound by the head alone, as bits.
uint head_upper(uint of, int dot, row_sides sides)
{
	row_bounds head = head_bounds(of, dot, sides, QUERY_ON_REST_HEAD);
	precise float upper = head.middle + head.slack;

	return sides.finite ? floatBitsToUint(upper) : 0x7f800000u;
}

// sides: the tail's own, as bits: scale, residual. finite: neither could leave float.
row_bounds tail_add(uint of, int dot, uvec2 sides, row_bounds head, out bool finite)
{
	precise float middle = head.middle + (float(dot) * uintBitsToFloat(sides.x)) *
						     query_float(of, QUERY_SCALE_TAIL);
	precise float slack =
		head.slack + query_float(of, QUERY_ON_TAIL_RESIDUAL) * uintBitsToFloat(sides.y);

	finite = max(sides.x, sides.y) < 0x5e800000u;
	return row_bounds(middle, slack);
}

// A part of the product of a row's tail: the pairs from `from` on, every step-th.
int tail_dot(uint of, uint row, uint from, uint step)
{
	uint codes = plan.tail_codes_at + of * 2u * plan.tail_pairs;
	uint at = row * plan.tail_size + 1u;
	int dot = 0;

	for (uint i = from; i < plan.tail_pairs; i += step) {
		uvec2 pair = tails[at + i] ^ UNBIAS;

		dot += dot4(pair.x, query[codes + 2u * i]) +
		       dot4(pair.y, query[codes + 2u * i + 1u]);
	}
	return dot;
}
