// What every kernel is told and what it reads and writes. The host's side of it is struct
// vulkan_plan in kernels/vulkan/program.h: the same fields in the same order.

#include "kernels/shaders/common.glsl"

layout(push_constant) uniform plan_block {
	uint first;          // the first row, as a place in the bound chunk
	uint n;              // rows; merge: entries
	uint place;          // of the first row, in the whole submission; merge: its first entry
	uint stride_vec4;    // of a row
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
} plan;

layout(set = 0, binding = 0) readonly buffer query_block { vec4 query[]; };
layout(set = 0, binding = 1) readonly buffer visible_block { uint visible[]; };
layout(set = 0, binding = 2) writeonly buffer result_block { uint result[]; };
layout(set = 0, binding = 3) buffer scratch_block { uvec2 scratch[]; };
layout(set = 1, binding = 0) readonly buffer vector_block { vec4 vectors[]; };
layout(set = 1, binding = 1) readonly buffer side_block { vec2 sides[]; }; // norm, square
