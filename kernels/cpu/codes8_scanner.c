/* codes8_scanner - which kernel this processor can run. */
#include "kernels/cpu/codes8_scanner.h"

#include "kernels/cpu/codes8_kernel.h"

#include <stddef.h>

const struct codes8_kernel *codes8_scanner(enum codes8_isa isa)
{
#if defined(__x86_64__)
	bool avx2 = __builtin_cpu_supports("avx2");
	bool vnni = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
#else
	bool avx2 = false, vnni = false;
#endif

	switch (isa) {
	case CODES8_BEST:
		if (vnni)
			return &codes8_kernel_vnni;
		return avx2 ? &codes8_kernel_avx2 : &codes8_kernel_portable;
	case CODES8_PORTABLE:
		return &codes8_kernel_portable;
	case CODES8_AVX2:
		return avx2 ? &codes8_kernel_avx2 : NULL;
	case CODES8_VNNI:
		return vnni ? &codes8_kernel_vnni : NULL;
	}
	return NULL;
}

const char *codes8_scanner_name(const struct codes8_kernel *scanner)
{
	return scanner->name;
}
