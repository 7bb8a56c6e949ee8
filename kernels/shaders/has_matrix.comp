// has_matrix - compiles where the compiler and the validator know cooperative matrices; see shader.bzl.
#version 450
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(local_size_x = 32) in;
layout(set = 0, binding = 0) buffer sum_block { float sums[]; };

void main()
{
	coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sum;

	sum = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);
	coopMatStore(sum, sums, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
}
