/* methods - the table, and the walk to the names of collections. */
#include "service/access/methods.h"

#include "service/schema/wire.h"

#define RETRIEVAL(name, ...) {"/sluice.v1.RetrievalService/" name, SCOPE_READ, __VA_ARGS__}
#define INGEST(name) {"/sluice.v1.IngestService/" name, SCOPE_WRITE, .collection = {1}}
#define COLLECTIONS(name, scope, ...)                                                              \
	{"/sluice.v1.CollectionService/" name, SCOPE_##scope, __VA_ARGS__}
#define ADMIN(name, scope, ...) {"/sluice.v1.AdminService/" name, SCOPE_##scope, __VA_ARGS__}
#define HEALTH(name) {"/grpc.health.v1.Health/" name, SCOPE_READ, .open = true}
#define REFLECTION(version)                                                                        \
	{"/grpc.reflection." version ".ServerReflection/ServerReflectionInfo", SCOPE_READ,         \
	 .is_reflection = true}

static const struct access_method methods[] = {
	RETRIEVAL("Search", .collection = {1}),
	RETRIEVAL("Iterate", .collection = {1, 1}),
	RETRIEVAL("GetChunks", .collection = {1}),
	RETRIEVAL("ListChunks", .collection = {1}),
	RETRIEVAL("CountChunks", .collection = {1}),
	INGEST("UpsertChunks"),
	INGEST("DeleteChunks"),
	COLLECTIONS("CreateCollection", ADMIN, .collection = {1, 1}),
	COLLECTIONS("GetCollection", READ, .collection = {1}),
	COLLECTIONS("ListCollections", READ, .collection = {0}),
	COLLECTIONS("DeleteCollection", ADMIN, .collection = {1}),
	COLLECTIONS("OptimizeCollection", ADMIN, .collection = {1}),
	ADMIN("GetServerInfo", READ, .collection = {0}),
	ADMIN("ListCursors", ADMIN, .collection = {1}),
	ADMIN("CancelCursor", ADMIN, .collection = {0}),
	ADMIN("GetToolSchemas", READ, .collection = {0}),
	ADMIN("CreateSnapshot", ADMIN, .collection = {1}),
	ADMIN("ListSnapshots", ADMIN, .collection = {1}),
	ADMIN("DeleteSnapshot", ADMIN, .collection = {1}),
	ADMIN("DownloadSnapshot", ADMIN, .collection = {1}),
	HEALTH("Check"),
	HEALTH("List"),
	HEALTH("Watch"),
	REFLECTION("v1"),
	REFLECTION("v1alpha"),
};

static const struct access_method *find(const char *path)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].path, path) == 0)
			return &methods[i];
	return NULL;
}

const struct access_method *access_method(const char *path)
{
	static const struct access_method unknown = {.path = "", .scope = SCOPE_ADMIN};
	const struct access_method *method = find(path);

	return method ? method : &unknown;
}

bool access_method_is_known(const char *path)
{
	return find(path) != NULL;
}

struct walk {
	bool (*visit)(void *context, struct bytes collection);
	void *context;
};

/* As deep as COLLECTION_DEPTH. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool walk_message(const struct walk *walk, const uint8_t *path, struct bytes message)
{
	struct wire wire = wire_of(message);

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct bytes value;

		if (tag.type != WIRE_LENGTH || tag.number != path[0]) {
			wire_pass(&wire, tag.type);
			continue;
		}
		value = wire_length_delimited(&wire);
		if (wire.failed)
			break;
		if (path[1] ? !walk_message(walk, path + 1, value)
			    : !walk->visit(walk->context, value))
			return false;
	}
	return true;
}

bool access_collections(const struct access_method *method, struct bytes message,
			bool (*visit)(void *context, struct bytes collection), void *context)
{
	const struct walk walk = {visit, context};

	return !method->collection[0] || walk_message(&walk, method->collection, message);
}

static const struct {
	const char *name;
	enum scope scope;
} scopes[] = {{"read", SCOPE_READ}, {"write", SCOPE_WRITE}, {"admin", SCOPE_ADMIN}};

const char *scope_name(enum scope scope)
{
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
		if (scopes[i].scope == scope)
			return scopes[i].name;
	return "";
}

unsigned scope_of(struct bytes text)
{
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
		if (bytes_equal(text, bytes_of_string(scopes[i].name)))
			return scopes[i].scope;
	return 0;
}
