// What all kernels share, whatever they are told by a plan.

const uint THREADS = 256u;
const uint NONE = 0xffffffffu;

// A query's own words, QUERY_WORDS of them, at the beginning of what several queries at once are given.
const uint QUERY_WORDS = 16u;
const uint QUERY_SCALE_HEAD = 0u, QUERY_SCALE_TAIL = 1u;
const uint QUERY_ON_RESIDUAL = 2u, QUERY_ON_NORM = 3u;
const uint QUERY_ON_REST_HEAD = 4u, QUERY_ON_REST_FULL = 5u;
const uint QUERY_ON_TAIL_RESIDUAL = 6u, QUERY_ON_SQUARE = 7u;
const uint QUERY_ABSOLUTE = 8u, QUERY_QQ = 9u;
const uint QUERY_GATE = 10u;       // keys below it are not wanted,
const uint QUERY_CEILING = 11u;    // nor those from it on
const uint QUERY_VISIBLE = 12u;    // where its bitmap begins, in words; NONE: all rows
const uint QUERY_NORM_LIMIT = 13u; // vectors: as of a plan
const uint QUERY_SUM = 14u;        // signs: of its codes

// Floats as unsigned numbers in the same order; zero has no sign. No score has key 0: that would be
// a NaN.
uint ordered(uint bits)
{
	if (bits == 0x80000000u)
		bits = 0u;
	return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}
