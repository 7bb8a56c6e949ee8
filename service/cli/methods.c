/* methods - paths and the types of answers. */
#include "service/cli/methods.h"

#include "sluice/v1/admin_service.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

const struct method method_create_collection = {
	"/sluice.v1.CollectionService/CreateCollection",
	&sluice__v1__create_collection_response__descriptor,
};

const struct method method_get_collection = {
	"/sluice.v1.CollectionService/GetCollection",
	&sluice__v1__get_collection_response__descriptor,
};

const struct method method_list_collections = {
	"/sluice.v1.CollectionService/ListCollections",
	&sluice__v1__list_collections_response__descriptor,
};

const struct method method_delete_collection = {
	"/sluice.v1.CollectionService/DeleteCollection",
	&sluice__v1__delete_collection_response__descriptor,
};

const struct method method_optimize_collection = {
	"/sluice.v1.CollectionService/OptimizeCollection",
	&sluice__v1__optimize_collection_response__descriptor,
};

const struct method method_upsert_chunks = {
	"/sluice.v1.IngestService/UpsertChunks",
	&sluice__v1__upsert_chunks_response__descriptor,
};

const struct method method_delete_chunks = {
	"/sluice.v1.IngestService/DeleteChunks",
	&sluice__v1__delete_chunks_response__descriptor,
};

const struct method method_search = {
	"/sluice.v1.RetrievalService/Search",
	&sluice__v1__search_response__descriptor,
};

const struct method method_get_chunks = {
	"/sluice.v1.RetrievalService/GetChunks",
	&sluice__v1__get_chunks_response__descriptor,
};

const struct method method_list_chunks = {
	"/sluice.v1.RetrievalService/ListChunks",
	&sluice__v1__list_chunks_response__descriptor,
};

const struct method method_count_chunks = {
	"/sluice.v1.RetrievalService/CountChunks",
	&sluice__v1__count_chunks_response__descriptor,
};

const struct method method_get_server_info = {
	"/sluice.v1.AdminService/GetServerInfo",
	&sluice__v1__get_server_info_response__descriptor,
};

const struct method method_list_cursors = {
	"/sluice.v1.AdminService/ListCursors",
	&sluice__v1__list_cursors_response__descriptor,
};

const struct method method_cancel_cursor = {
	"/sluice.v1.AdminService/CancelCursor",
	&sluice__v1__cancel_cursor_response__descriptor,
};

const struct method method_create_snapshot = {
	"/sluice.v1.AdminService/CreateSnapshot",
	&sluice__v1__create_snapshot_response__descriptor,
};

const struct method method_list_snapshots = {
	"/sluice.v1.AdminService/ListSnapshots",
	&sluice__v1__list_snapshots_response__descriptor,
};

const struct method method_delete_snapshot = {
	"/sluice.v1.AdminService/DeleteSnapshot",
	&sluice__v1__delete_snapshot_response__descriptor,
};

const struct method method_download_snapshot = {
	"/sluice.v1.AdminService/DownloadSnapshot",
	&sluice__v1__download_snapshot_response__descriptor,
};
