/* schema_features - what a field inherits from its message and its file: presence, the check of UTF-8,
 * and how a message is put on the wire. proto2 and proto3 are two more editions. */
#include "service/schema/schema_private.h"

/* As descriptor.proto numbers them. */
enum { EDITION_2023 = 1000, EDITION_2024 = 1001 };

/* Fields of FeatureSet. */
enum { FEATURE_PRESENCE = 1, FEATURE_UTF8 = 4, FEATURE_ENCODING = 5 };

static bool is(struct bytes text, const char *expected)
{
	return bytes_equal(text, bytes_of_string(expected));
}

bool features_of_file(struct bytes syntax, uint64_t edition, struct features *ret)
{
	if (syntax.size == 0 || is(syntax, "proto2"))
		*ret = (struct features){PRESENCE_EXPLICIT, UTF8_NONE, ENCODING_LENGTH};
	else if (is(syntax, "proto3"))
		*ret = (struct features){PRESENCE_IMPLICIT, UTF8_VERIFY, ENCODING_LENGTH};
	else if (is(syntax, "editions") && edition >= EDITION_2023 && edition <= EDITION_2024)
		*ret = (struct features){PRESENCE_EXPLICIT, UTF8_VERIFY, ENCODING_LENGTH};
	else
		return false;
	return true;
}

/* A value that is not known is passed over, as an unknown enum value is. */
static void apply(struct features *features, const struct item *item)
{
	if (item->type != WIRE_VARINT)
		return;
	switch (item->number) {
	case FEATURE_PRESENCE:
		if (item->bits >= PRESENCE_EXPLICIT && item->bits <= PRESENCE_REQUIRED)
			features->presence = (unsigned)item->bits;
		break;
	case FEATURE_UTF8:
		if (item->bits >= UTF8_VERIFY && item->bits <= UTF8_NONE)
			features->utf8 = (unsigned)item->bits;
		break;
	case FEATURE_ENCODING:
		if (item->bits >= ENCODING_LENGTH && item->bits <= ENCODING_DELIMITED)
			features->encoding = (unsigned)item->bits;
		break;
	default:
		break;
	}
}

struct features features_apply(struct features parent, struct bytes options, uint32_t number)
{
	struct wire wire = wire_of(options);
	struct item item;

	/* Occurrences are merged, so each is applied in turn. */
	while (item_next(&wire, &item)) {
		struct wire features = wire_of(item.bytes);
		struct item feature;

		if (!item_is(&item, number, WIRE_LENGTH))
			continue;
		while (item_next(&features, &feature))
			apply(&parent, &feature);
	}
	return parent;
}
