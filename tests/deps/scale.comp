// Multiplies each number of a buffer by FACTOR.
#version 450

layout(local_size_x = 64) in;

layout(std430, binding = 0) buffer numbers
{
	uint values[];
};

void main()
{
	uint i = gl_GlobalInvocationID.x;

	if (i < values.length())
		values[i] *= FACTOR;
}
