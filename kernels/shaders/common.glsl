// What all kernels share, whatever they are told by a plan.

const uint THREADS = 256u;
const uint NONE = 0xffffffffu;

// Floats as unsigned numbers in the same order; zero has no sign. No score has key 0: that would be
// a NaN.
uint ordered(uint bits)
{
	if (bits == 0x80000000u)
		bits = 0u;
	return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}
