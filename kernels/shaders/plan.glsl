// What every kernel is told and what it reads and writes. The host's side of it is struct
// vulkan_plan in kernels/vulkan/program.h: the same fields in the same order.

#include "kernels/shaders/common.glsl"

layout(push_constant) uniform plan_block {
	uint first;          // the first row, as a place in the bound chunk
	uint n;              // rows; merge: entries
	uint place;          // of the first row, in the whole submission; merge: its first entry
	uint stride;         // of a row, in pieces of 16 bytes
	uint rows_per_group; // for one workgroup; merge: entries
	uint k;              // length of a list of the best
	uint output_at;      // where results begin, in entries
	uint lower_at;       // scan: where lower bounds begin; NONE: not wanted
	uint visible_at;     // where the bitmap begins, in words; NONE: all rows
	uint gate_key;       // only keys before (gate_key, gate_place) are wanted
	uint gate_place;
	uint norm_limit;     // bits of the norm from which on bounds might not be finite
	uint is_l2;
	uint is_last;        // lists go to the results; else to scratch
	float qq;
	float slack_norm;
	float slack_xx;
	float slack_abs;
	uint n_queries;      // keys: what is asked at once; values_at: where their values begin,
	uint values_at;      // in the queries, in pieces of 16 bytes
	uint part_rows;      // keys: rows of the whole submission; scratch: [query][part_rows]
	uint chunk_rows;     // matrix: all that the bound chunk has room for
} plan;

layout(set = 0, binding = 0) readonly buffer query_block { vec4 query[]; };
// The same buffer as words: bitmaps, and queries' own words.
layout(set = 0, binding = 1) readonly buffer word_block { uint words[]; };
layout(set = 0, binding = 2) writeonly buffer result_block { uint result[]; };
#ifdef KEYS
layout(set = 0, binding = 3) writeonly buffer scratch_block { uint keys[]; };
#else
layout(set = 0, binding = 3) buffer scratch_block { uvec2 scratch[]; };
#endif
#ifdef HALF
layout(set = 1, binding = 0) readonly buffer vector_block { uvec4 vectors[]; }; // eight halves each
#else
layout(set = 1, binding = 0) readonly buffer vector_block { vec4 vectors[]; };
#endif
layout(set = 1, binding = 1) readonly buffer side_block { vec2 sides[]; }; // norm, square
