/* collection_config - what a collection was created with; never changes. */
#ifndef SLUICE_INDEX_COLLECTION_CONFIG_H
#define SLUICE_INDEX_COLLECTION_CONFIG_H

#include "index/chunk.h"
#include "kernels/metric.h"

#define COLLECTION_NAME_MAX 63
#define COLLECTION_FIELDS_MAX 64

/* Numbers as in sluice.v1, since they are stored. */
enum index_kind { INDEX_UNSPECIFIED, INDEX_FLAT, INDEX_IVF, INDEX_FAISS };
enum vector_encoding { ENCODING_UNSPECIFIED, ENCODING_FLOAT32, ENCODING_FLOAT16 };

struct field_schema {
	char name[64];
	enum value_kind type;
	bool required;
};

struct collection_config {
	char name[COLLECTION_NAME_MAX + 1];
	uint32_t dim;
	enum metric metric;
	enum index_kind index_kind;
	enum vector_encoding encoding;
	char faiss_factory[257];
	uint32_t lists;
	float default_recall_target;
	size_t n_fields;
	struct field_schema fields[COLLECTION_FIELDS_MAX];
};

#endif
