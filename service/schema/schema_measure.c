/* schema_measure - counts what a set holds, so that every array of the schema is allocated once.
 *
 * It walks as schema_read does, and stops where that would fail; so its counts are never too low for
 * what schema_read puts down.
 */
#include "service/schema/schema_private.h"

static void message_measure(struct bytes bytes, size_t depth, struct schema_counts *counts)
{
	struct wire wire = wire_of(bytes);
	struct item item;

	counts->messages++;
	while (item_next(&wire, &item)) {
		if (item.type != WIRE_LENGTH)
			continue;
		switch (item.number) {
		case MESSAGE_FIELD:
			counts->fields++;
			break;
		case MESSAGE_EXTENSION:
			counts->fields++;
			counts->extensions++;
			break;
		case MESSAGE_ENUM:
			counts->enums++;
			break;
		case MESSAGE_NESTED:
			if (depth < NESTING_MAX)
				message_measure(item.bytes, depth + 1, counts);
			break;
		default:
			break;
		}
	}
}

static void file_measure(struct bytes bytes, struct schema_counts *counts)
{
	struct wire wire = wire_of(bytes);
	struct item item;

	while (item_next(&wire, &item)) {
		if (item.type != WIRE_LENGTH)
			continue;
		switch (item.number) {
		case FILE_MESSAGE:
			message_measure(item.bytes, 1, counts);
			break;
		case FILE_ENUM:
			counts->enums++;
			break;
		case FILE_EXTENSION:
			counts->fields++;
			counts->extensions++;
			break;
		case FILE_SERVICE:
			counts->services++;
			counts->methods += item_count(item.bytes, SERVICE_METHOD, WIRE_LENGTH);
			break;
		default:
			break;
		}
	}
}

struct schema_counts schema_measure(struct bytes set)
{
	struct schema_counts counts = {0};
	struct wire wire = wire_of(set);
	struct item item;

	while (item_next(&wire, &item))
		if (item_is(&item, 1, WIRE_LENGTH))
			file_measure(item.bytes, &counts);
	return counts;
}
