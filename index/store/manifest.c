/* manifest - the config value, which begins with the format's version, and the state value. */
#include "index/store/manifest.h"

#include "index/store/upgrade.h"

static void put_text(struct buffer *out, const char *text)
{
	size_t size = strlen(text);

	buffer_append_varint(out, size);
	buffer_append(out, text, size);
}

static void encode_config(const struct store *store, struct buffer *out)
{
	const struct collection_config *config = &store->config;
	uint32_t recall_bits;

	memcpy(&recall_bits, &config->default_recall_target, sizeof recall_bits);
	buffer_append_u32(out, STORE_FORMAT);
	put_text(out, config->name);
	buffer_append_u32(out, config->dim);
	buffer_append_u32(out, (uint32_t)config->metric);
	buffer_append_u32(out, (uint32_t)config->index_kind);
	buffer_append_u32(out, (uint32_t)config->encoding);
	put_text(out, config->faiss_factory);
	buffer_append_u32(out, config->lists);
	buffer_append_u32(out, recall_bits);
	buffer_append_u64(out, (uint64_t)store->create_time_ns);
	buffer_append(out, store->incarnation, sizeof store->incarnation);
	buffer_append_u32(out, (uint32_t)config->n_fields);
	for (size_t i = 0; i < config->n_fields; i++) {
		put_text(out, config->fields[i].name);
		buffer_append_u32(out, (uint32_t)config->fields[i].type);
		buffer_append_u8(out, config->fields[i].required);
	}
}

static void get_text(struct reader *in, char *ret, size_t room)
{
	uint64_t size = reader_varint(in);

	if (size >= room)
		in->failed = true;
	if (in->failed)
		return;
	struct bytes text = reader_take(in, (size_t)size);

	if (in->failed)
		return;
	memcpy(ret, text.data, text.size);
	ret[text.size] = '\0';
}

/* A number that names something, from min to max. */
static uint32_t get_number(struct reader *in, uint32_t min, uint32_t max)
{
	uint32_t number = reader_u32(in);

	if (number < min || number > max)
		in->failed = true;
	return in->failed ? min : number;
}

static void decode_fields(struct reader *in, struct collection_config *config)
{
	config->n_fields = get_number(in, 0, COLLECTION_FIELDS_MAX);
	for (size_t i = 0; i < config->n_fields && !in->failed; i++) {
		struct field_schema *field = &config->fields[i];

		get_text(in, field->name, sizeof field->name);
		field->type = (enum value_kind)get_number(in, VALUE_STRING, VALUE_STRING_LIST);
		field->required = reader_u8(in) != 0;
	}
}

/* Behind the version. False: not as encode_config writes it. */
static bool decode_config(struct reader *in, struct store *ret)
{
	struct collection_config *config = &ret->config;
	struct bytes incarnation;
	uint32_t recall_bits;

	get_text(in, config->name, sizeof config->name);
	config->dim = get_number(in, 1, DIMENSION_MAX);
	config->metric = (enum metric)get_number(in, METRIC_COSINE, METRIC_L2);
	config->index_kind = (enum index_kind)get_number(in, INDEX_UNSPECIFIED, INDEX_FAISS);
	config->encoding =
		(enum vector_encoding)get_number(in, ENCODING_UNSPECIFIED, ENCODING_FLOAT16);
	get_text(in, config->faiss_factory, sizeof config->faiss_factory);
	config->lists = reader_u32(in);
	recall_bits = reader_u32(in);
	memcpy(&config->default_recall_target, &recall_bits, sizeof recall_bits);
	ret->create_time_ns = (int64_t)reader_u64(in);
	incarnation = reader_take(in, sizeof ret->incarnation);
	if (!in->failed)
		memcpy(ret->incarnation, incarnation.data, sizeof ret->incarnation);
	decode_fields(in, config);
	return !in->failed && in->at == in->end;
}

static const char config_key[] = "config";
static const char state_key[] = "state";

status manifest_write_config(const struct transaction *transaction)
{
	SCOPED(buffer) encoded = &(struct buffer){0};

	encode_config(transaction->store, encoded);
	if (encoded->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for its config");
	return value_put(transaction, TABLE_CONFIG, bytes_of_string(config_key),
			 bytes_of(encoded->data, encoded->size));
}

status manifest_read_config(const struct transaction *transaction)
{
	struct bytes key = bytes_of_string(config_key), payload;
	struct store *store = transaction->store;
	struct reader in;
	uint32_t version;
	bool found;

	TRY(value_get(transaction, TABLE_CONFIG, key, &found, &payload));
	if (!found)
		return value_damaged(transaction, TABLE_CONFIG, key, "the config is not there");
	in = reader_of(payload);
	version = reader_u32(&in);
	if (!in.failed && (version < UPGRADE_FORMAT_MIN || version > STORE_FORMAT))
		return status_format(transaction->arena, STATUS_DATA_LOSS,
				     "%s: its format is version %u, this program reads version %d",
				     store->directory, version, STORE_FORMAT);
	store->format = version;
	if (!decode_config(&in, store)) {
		store->config = (struct collection_config){0};
		return value_damaged(transaction, TABLE_CONFIG, key, "the config cannot be read");
	}
	return status_ok();
}

status manifest_write_state(const struct transaction *transaction, const struct store_state *state)
{
	uint8_t payload[STATE_BYTES];

	store_u64(payload, state->next_row);
	store_u64(payload + 8, state->generation);
	store_u64(payload + 16, state->live_rows);
	store_u64(payload + 24, state->readable_from);
	return value_put(transaction, TABLE_STATE, bytes_of_string(state_key),
			 bytes_of(payload, sizeof payload));
}

status manifest_read_state(const struct transaction *transaction, struct store_state *ret)
{
	struct bytes key = bytes_of_string(state_key), payload;
	bool found;

	TRY(value_get(transaction, TABLE_STATE, key, &found, &payload));
	if (!found)
		return value_damaged(transaction, TABLE_STATE, key, "the state is not there");
	ret->next_row = load_u64(payload.data);
	ret->generation = load_u64(payload.data + 8);
	ret->live_rows = load_u64(payload.data + 16);
	/* A state of the older size does not say what was purged. */
	ret->readable_from =
		payload.size == STATE_BYTES ? load_u64(payload.data + 24) : ret->generation;
	return status_ok();
}
