/* sealed_state - the inside of an open segment, for its own files alone. */
#ifndef SLUICE_INDEX_SEGMENT_SEALED_STATE_H
#define SLUICE_INDEX_SEGMENT_SEALED_STATE_H

#include "index/segment/sealed_layout.h"
#include "kernels/scanner.h"

#include <stdatomic.h>

struct sealed {
	uint64_t id;
	uint32_t n;
	bool half, rotated;
	uint64_t vector_bytes; /* of a row */
	struct codes8 codes;
	struct codes8_seat seat;         /* of a copy of them on a device */
	struct codes8_rotation rotation; /* where rotated */
	uint8_t rotation_hash[16];       /* of its matrix: to compare matrices would take long */
	const uint64_t *rows;            /* [n] */
	const unsigned char *vectors;

	/* [n] the complement of the generation of a row's death, so that the zeros of a fresh
	 * mapping mean that it lives, and pages of it are there where rows have died only. */
	_Atomic uint64_t *deaths;
	_Atomic uint64_t first_death; /* the least generation, GENERATION_NEVER: none has died */

	struct block_map file;
};

#endif
