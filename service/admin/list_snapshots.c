/* list_snapshots - AdminService.ListSnapshots, by collection and age. The page token says the last one
 * of the page before; its form is nobody's business but this file's. */
#include "kernels/base/error_info.h"
#include "service/admin/admin.h"
#include "service/admin/snapshot_codec.h"
#include "service/codec/message.h"
#include "service/rpc/protobuf_arena.h"

#include <stdio.h>

#define FIELD_SNAPSHOTS 1
#define TOKEN_PREFIX "after:"
#define PAGE_DEFAULT 100
#define PAGE_MAX 1000
/* Manifests, which name some files for each segment. */
#define LIST_ARENA_BYTES ((size_t)64 << 20)

struct list_snapshots {
	const char *collection; /* empty: of every one */
	/* "NAME ID", which sorts as the list does; empty: from the start */
	const char *after;
	size_t page_size;
};

static status list_snapshots_request(struct rpc_call *call, struct bytes message)
{
	struct list_snapshots *list = rpc_state(call);
	struct arena *arena = rpc_arena(call);
	const size_t n = sizeof TOKEN_PREFIX - 1;
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__ListSnapshotsRequest *request;
	status invalid;

	TRY(message_unpack(arena, &sluice__v1__list_snapshots_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__ListSnapshotsRequest *)unpacked;
	list->collection = request->collection;
	list->page_size = request->page_size ? (size_t)request->page_size : PAGE_DEFAULT;
	if (list->page_size > PAGE_MAX)
		list->page_size = PAGE_MAX;
	list->after = request->page_token;
	if (!request->page_token[0])
		return status_ok();
	if (strncmp(list->after, TOKEN_PREFIX, n) == 0 && list->after[n]) {
		list->after += n;
		return status_ok();
	}
	invalid = status_make(STATUS_INVALID_ARGUMENT,
			      "page_token: not a next_page_token of this server");
	invalid = status_reason(invalid, arena, REASON_PAGE_TOKEN_INVALID, NULL);
	return status_field(invalid, arena, "page_token");
}

static bool is_wanted(struct rpc_call *call, const struct list_snapshots *list,
		      const struct backup *backup)
{
	char name[COLLECTION_NAME_MAX + BACKUP_ID_MAX + 2];

	if (list->collection[0] && strcmp(list->collection, backup->collection) != 0)
		return false;
	if (!rpc_allows(call, bytes_of_string(backup->collection)))
		return false;
	snprintf(name, sizeof name, "%s %s", backup->collection, backup->id);
	return strcmp(name, list->after) > 0;
}

/* token  of the last one of the page, in the arena, where there are more. */
static status append_page(struct rpc_call *call, struct arena *arena, struct buffer *ret,
			  char **ret_token)
{
	const struct list_snapshots *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	const struct backup *last = NULL;
	struct backup *backups = NULL;
	size_t n = 0, n_sent = 0;

	TRY(backup_list(services->database, arena, &backups, &n));
	for (size_t i = 0; i < n; i++) {
		struct snapshot_message snapshot;

		if (!is_wanted(call, list, &backups[i]))
			continue;
		if (n_sent++ == list->page_size) {
			*ret_token = arena_printf(arena, TOKEN_PREFIX "%s %s", last->collection,
						  last->id);
			return *ret_token ? status_ok()
					  : status_make(STATUS_RESOURCE_EXHAUSTED,
							"the call's memory is used up");
		}
		last = &backups[i];
		snapshot_to_message(last, &snapshot);
		buffer_append_message(ret, FIELD_SNAPSHOTS, &snapshot.message.base);
	}
	return status_ok();
}

static enum rpc_step list_snapshots_next(struct rpc_call *call, struct buffer *ret)
{
	Sluice__V1__ListSnapshotsResponse rest = SLUICE__V1__LIST_SNAPSHOTS_RESPONSE__INIT;
	SCOPED(arena) arena = &(struct arena){0};
	status appended;

	arena_init(arena, LIST_ARENA_BYTES);
	appended = append_page(call, arena, ret, &rest.next_page_token);
	if (status_failed(appended))
		return rpc_fail(call, appended);
	buffer_pack(ret, &rest.base);
	return RPC_LAST;
}

const struct rpc_method list_snapshots_method = {
	.path = "/sluice.v1.AdminService/ListSnapshots",
	.state_size = sizeof(struct list_snapshots),
	.request = list_snapshots_request,
	.next = list_snapshots_next,
	.is_long = services_always_long,
};
