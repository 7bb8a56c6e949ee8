/* sealed_fixture - rows at random, and the files of segments made of them. */
#ifndef SLUICE_TESTS_INDEX_SEGMENT_SEALED_FIXTURE_H
#define SLUICE_TESTS_INDEX_SEGMENT_SEALED_FIXTURE_H

#include "index/segment/sealed.h"
#include "tests/support/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a segment is made of. */
struct sealed_made_of {
	enum metric metric;
	enum vector_encoding encoding;
	uint32_t dim, n;
	uint32_t head; /* of the codes; 0: no tail */
	bool rotated;
};

/* room - a folder, a collection's description and rows. */
struct room {
	struct scratch scratch;
	struct arena arena;
	struct collection_config config;
	uint8_t incarnation[16];
	uint32_t n;
	float *vectors; /* [n][dim] */
	float *matrix;  /* of the rotation */
	struct codes8_rotation rotation;
	struct sealed_coding coding;
};

void room_init(struct room *room, const struct sealed_made_of *what, uint64_t seed);
void room_finish(struct room *room);

/* Row numbers are 100, 103, 106 and so on. */
static inline uint64_t room_row(uint32_t place)
{
	return 100 + 3 * (uint64_t)place;
}

static inline const float *room_vector(const struct room *room, uint32_t place)
{
	return room->vectors + (size_t)place * room->config.dim;
}

struct sealed_file room_file(const struct room *room, uint64_t id);
struct sealed_source room_source(const struct room *room);

/* room_write - a file of all rows; must succeed. */
void room_write(struct room *room, uint64_t id);

/* room_open - must succeed. */
struct sealed *room_open(struct room *room, uint64_t id);

/* room_opens - what opening gives; closed again. The detail is the room's. */
status room_opens(struct room *room, uint64_t id);

/* room_flip - one bit of a byte of the file is another. */
void room_flip(struct room *room, uint64_t id, uint64_t offset);

uint64_t room_file_bytes(struct room *room, uint64_t id);

/* loss_value - what a status says of the key; "": nothing. */
const char *loss_value(status s, const char *key);

/* loss_check - it is DATA_LOSS of that file of a room's collection, and of this block; "": of none. */
void loss_check(status s, const char *file, const char *block);

#endif
