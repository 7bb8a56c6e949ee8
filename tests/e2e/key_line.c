#include "tests/e2e/key_line.h"

#include "service/access/sha256.h"
#include "tests/e2e/world.h"

#include <stdio.h>

const char *key_line(const char *key, const char *rest)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256(bytes_of_string(key), digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return text_of("of-%s:%s:%s\n", key, hex, rest);
}
