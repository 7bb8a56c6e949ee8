/* reflection - grpc.reflection: what is served here, told to clients that have no .proto files.
 *
 * Questions and answers alternate: the next question is read when the last answer has gone.
 */
#include "service/rpc/builtin.h"
#include "service/rpc/protobuf_arena.h"
#include "service/rpc/status.h"

#include "grpc/reflection/v1/reflection.pb-c.h"

/* Of one question and its answer; files are not copied into it. */
#define SCRATCH_MAX ((size_t)1 << 20)

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;
typedef Grpc__Reflection__V1__ExtensionRequest extension_request;
typedef Grpc__Reflection__V1__FileDescriptorResponse file_response;
typedef Grpc__Reflection__V1__ExtensionNumberResponse extension_response;
typedef Grpc__Reflection__V1__ListServiceResponse list_response;
typedef Grpc__Reflection__V1__ServiceResponse service_response;
typedef Grpc__Reflection__V1__ErrorResponse error_response;

/* The case of the oneof in a response. */
#define RESPONSE_IS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what
#define REQUEST_IS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a reflection answer");
}

/* --- answers: each fills the oneof of ret --- */

static status answer_error(struct arena *scratch, status failure, reflection_response *ret)
{
	error_response *error = ARENA_NEW(scratch, error_response);
	char *text = arena_copy(scratch, failure.detail, strlen(failure.detail));

	if (!error || !text)
		return out_of_memory();
	grpc__reflection__v1__error_response__init(error);
	error->error_code = (int32_t)status_to_grpc(failure.code);
	error->error_message = text;
	ret->message_response_case = RESPONSE_IS(ERROR_RESPONSE);
	ret->error_response = error;
	return status_ok();
}

/* With everything it imports, so that one question is enough. */
static status answer_file(const struct builtin *builtin, const struct descriptor_file *file,
			  struct arena *scratch, reflection_response *ret)
{
	size_t n_files = descriptors_n_files(builtin->descriptors);
	const struct descriptor_file **files =
		ARENA_ARRAY(scratch, const struct descriptor_file *, n_files);
	ProtobufCBinaryData *bytes = ARENA_ARRAY(scratch, ProtobufCBinaryData, n_files);
	file_response *response = ARENA_NEW(scratch, file_response);

	if (!files || !bytes || !response)
		return out_of_memory();
	grpc__reflection__v1__file_descriptor_response__init(response);
	response->n_file_descriptor_proto = descriptors_with_imports(file, files);
	response->file_descriptor_proto = bytes;
	for (size_t i = 0; i < response->n_file_descriptor_proto; i++) {
		bytes[i].len = files[i]->bytes.size;
		bytes[i].data = (uint8_t *)files[i]->bytes.data; /* only read */
	}
	ret->message_response_case = RESPONSE_IS(FILE_DESCRIPTOR_RESPONSE);
	ret->file_descriptor_response = response;
	return status_ok();
}

/* Inside a .proto file a full name has a dot in front; some ask with it. */
static const char *without_dot(const char *name)
{
	return name + (name[0] == '.');
}

static status answer_numbers(const struct builtin *builtin, char *message_name,
			     struct arena *scratch, reflection_response *ret)
{
	extension_response *response = ARENA_NEW(scratch, extension_response);
	const int32_t *numbers;

	if (!response)
		return out_of_memory();
	grpc__reflection__v1__extension_number_response__init(response);
	response->base_type_name = message_name;
	response->n_extension_number = descriptors_extension_numbers(
		builtin->descriptors, without_dot(message_name), &numbers);
	response->extension_number = (int32_t *)numbers; /* only read */
	ret->message_response_case = RESPONSE_IS(ALL_EXTENSION_NUMBERS_RESPONSE);
	ret->all_extension_numbers_response = response;
	return status_ok();
}

static status answer_services(const struct builtin *builtin, struct arena *scratch,
			      reflection_response *ret)
{
	list_response *response = ARENA_NEW(scratch, list_response);
	service_response *services = ARENA_ARRAY(scratch, service_response, builtin->n_names);
	service_response **pointers = ARENA_ARRAY(scratch, service_response *, builtin->n_names);

	if (!response || !services || !pointers)
		return out_of_memory();
	grpc__reflection__v1__list_service_response__init(response);
	response->n_service = builtin->n_names;
	response->service = pointers;
	for (size_t i = 0; i < builtin->n_names; i++) {
		grpc__reflection__v1__service_response__init(&services[i]);
		services[i].name = (char *)builtin->names[i]; /* only read */
		pointers[i] = &services[i];
	}
	ret->message_response_case = RESPONSE_IS(LIST_SERVICES_RESPONSE);
	ret->list_services_response = response;
	return status_ok();
}

/* --- questions --- */

/* "file", "a.b", found or NOT_FOUND. */
static status answer_found(const struct builtin *builtin, const struct descriptor_file *file,
			   status missing, struct arena *scratch, reflection_response *ret)
{
	if (file)
		return answer_file(builtin, file, scratch, ret);
	return answer_error(scratch, missing, ret);
}

static status answer_extension(const struct builtin *builtin, const extension_request *request,
			       struct arena *scratch, reflection_response *ret)
{
	const struct descriptor_file *file =
		descriptors_extension(builtin->descriptors, without_dot(request->containing_type),
				      request->extension_number);

	return answer_found(builtin, file,
			    status_format(scratch, STATUS_NOT_FOUND, "no extension %d of %s",
					  request->extension_number, request->containing_type),
			    scratch, ret);
}

static status answer(const struct builtin *builtin, const reflection_request *request,
		     struct arena *scratch, reflection_response *ret)
{
	const struct descriptors *descriptors = builtin->descriptors;
	char *name;

	switch (request->message_request_case) {
	case REQUEST_IS(FILE_BY_FILENAME):
		name = request->file_by_filename;
		return answer_found(builtin, descriptors_file(descriptors, name),
				    status_format(scratch, STATUS_NOT_FOUND, "no file %s", name),
				    scratch, ret);
	case REQUEST_IS(FILE_CONTAINING_SYMBOL):
		name = request->file_containing_symbol;
		return answer_found(builtin, descriptors_symbol(descriptors, without_dot(name)),
				    status_format(scratch, STATUS_NOT_FOUND, "no symbol %s", name),
				    scratch, ret);
	case REQUEST_IS(FILE_CONTAINING_EXTENSION):
		return answer_extension(builtin, request->file_containing_extension, scratch, ret);
	case REQUEST_IS(ALL_EXTENSION_NUMBERS_OF_TYPE):
		name = request->all_extension_numbers_of_type;
		if (descriptors_is_message(descriptors, without_dot(name)))
			return answer_numbers(builtin, name, scratch, ret);
		return answer_error(scratch,
				    status_format(scratch, STATUS_NOT_FOUND, "no message %s", name),
				    ret);
	case REQUEST_IS(LIST_SERVICES):
		return answer_services(builtin, scratch, ret);
	default:
		return answer_error(
			scratch, status_make(STATUS_INVALID_ARGUMENT, "no question in the request"),
			ret);
	}
}

/* The strings go back to the client, whose own decoder is strict. */
static bool is_utf8_request(const reflection_request *request)
{
	const char *text = "";

	switch (request->message_request_case) {
	case REQUEST_IS(FILE_BY_FILENAME):
	case REQUEST_IS(FILE_CONTAINING_SYMBOL):
	case REQUEST_IS(ALL_EXTENSION_NUMBERS_OF_TYPE):
	case REQUEST_IS(LIST_SERVICES):
		text = request->list_services; /* one union of strings */
		break;
	case REQUEST_IS(FILE_CONTAINING_EXTENSION):
		text = request->file_containing_extension->containing_type;
		break;
	default:
		break;
	}
	return bytes_is_utf8(bytes_of_string(text)) &&
	       bytes_is_utf8(bytes_of_string(request->host));
}

/* Fields that we do not know are not echoed: protobuf-c takes some that others refuse. */
static void forget_unknown(reflection_request *request)
{
	request->base.n_unknown_fields = 0;
	if (request->message_request_case == REQUEST_IS(FILE_CONTAINING_EXTENSION))
		request->file_containing_extension->base.n_unknown_fields = 0;
}

status reflection_answer(const struct builtin *builtin, struct bytes request, struct arena *scratch,
			 struct buffer *ret)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(scratch);
	reflection_response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
	reflection_request *question = grpc__reflection__v1__server_reflection_request__unpack(
		&allocator, request.size, request.data);

	if (!question)
		return protobuf_status(scratch, "grpc.reflection.ServerReflectionRequest", scratch);
	if (!is_utf8_request(question))
		return status_make(STATUS_INVALID_ARGUMENT, "a name that is not UTF-8");
	forget_unknown(question);
	response.valid_host = question->host;
	response.original_request = question;
	TRY(answer(builtin, question, scratch, &response));
	buffer_pack(ret, &response.base);
	return ret->failed ? out_of_memory() : status_ok();
}

/* --- the stream --- */

struct reflection {
	struct arena scratch;
	struct buffer answer; /* not sent yet; empty: none */
};

static status reflection_open(struct rpc_call *call)
{
	struct reflection *state = rpc_state(call);

	arena_init(&state->scratch, SCRATCH_MAX);
	return status_ok();
}

static status reflection_request_one(struct rpc_call *call, struct bytes message)
{
	struct reflection *state = rpc_state(call);

	arena_reset(&state->scratch);
	TRY(reflection_answer(rpc_context(call), message, &state->scratch, &state->answer));
	rpc_wake(call);
	return status_ok();
}

static bool reflection_wants_request(struct rpc_call *call)
{
	struct reflection *state = rpc_state(call);

	return state->answer.size == 0;
}

static enum rpc_step reflection_next(struct rpc_call *call, struct buffer *ret)
{
	struct reflection *state = rpc_state(call);

	if (state->answer.size > 0) {
		*ret = state->answer;
		state->answer = (struct buffer){0};
		return RPC_MESSAGE;
	}
	if (rpc_is_half_closed(call))
		return RPC_END;
	if (rpc_drain_phase(call) != RPC_SERVING)
		return rpc_fail(call, rpc_draining());
	return RPC_WAIT;
}

static void reflection_half_close(struct rpc_call *call)
{
	rpc_wake(call);
}

static void reflection_close(struct rpc_call *call)
{
	struct reflection *state = rpc_state(call);

	buffer_finish(&state->answer);
	arena_finish(&state->scratch);
}

#define REFLECTION_METHOD(package)                                                                 \
	{                                                                                          \
		.path = "/" package ".ServerReflection/ServerReflectionInfo",                      \
		.client_streams = true,                                                            \
		.state_size = sizeof(struct reflection),                                           \
		.open = reflection_open,                                                           \
		.request = reflection_request_one,                                                 \
		.half_close = reflection_half_close,                                               \
		.next = reflection_next,                                                           \
		.close = reflection_close,                                                         \
		.wants_request = reflection_wants_request,                                         \
	}

static const struct rpc_method reflection_v1 = REFLECTION_METHOD("grpc.reflection.v1");
static const struct rpc_method reflection_v1alpha = REFLECTION_METHOD("grpc.reflection.v1alpha");

struct rpc_service reflection_service(struct builtin *builtin)
{
	return (struct rpc_service){
		.name = "grpc.reflection.v1.ServerReflection",
		.methods = &reflection_v1,
		.n_methods = 1,
		.context = builtin,
	};
}

struct rpc_service reflection_service_v1alpha(struct builtin *builtin)
{
	return (struct rpc_service){
		.name = "grpc.reflection.v1alpha.ServerReflection",
		.methods = &reflection_v1alpha,
		.n_methods = 1,
		.context = builtin,
	};
}
