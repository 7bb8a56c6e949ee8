#include "tests/service/rpc/toy.h"

#include "kernels/base/gauge.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>

/* Of every method: whether two functions ran at once, and what else each needs. */
struct toy_call {
	atomic_bool inside;
	struct buffer message;
	bool has_message;
	uint32_t n, size, made;
	bool sent, held;
};

static struct toy_call *enter(struct rpc_call *call)
{
	struct toy_call *state = rpc_state(call);
	struct toy *toy = rpc_context(call);

	if (atomic_exchange(&state->inside, true))
		atomic_fetch_add(&toy->n_overlaps, 1);
	return state;
}

static void leave(struct toy_call *state)
{
	atomic_store(&state->inside, false);
}

static status toy_opened(struct rpc_call *call)
{
	struct toy *toy = rpc_context(call);

	leave(enter(call));
	atomic_fetch_add(&toy->n_opened, 1);
	return status_ok();
}

static status keep_message(struct rpc_call *call, struct bytes message)
{
	struct toy_call *state = enter(call);

	state->message.size = 0;
	buffer_append(&state->message, message.data, message.size);
	state->has_message = true;
	leave(state);
	return status_ok();
}

static void toy_closed(struct rpc_call *call)
{
	struct toy_call *state = enter(call);
	struct toy *toy = rpc_context(call);

	buffer_finish(&state->message);
	atomic_fetch_add(&toy->n_closed, 1);
	leave(state);
}

static void copy_message(struct toy_call *state, struct buffer *ret)
{
	buffer_append(ret, state->message.data, state->message.size);
	state->has_message = false;
}

static enum rpc_step echo_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);

	copy_message(state, ret);
	leave(state);
	return RPC_LAST;
}

static enum rpc_step last_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);
	enum rpc_step step = state->has_message ? RPC_MESSAGE : RPC_END;

	if (state->has_message)
		copy_message(state, ret);
	leave(state);
	return step;
}

static status fail_request(struct rpc_call *call, struct bytes message)
{
	return status_format(rpc_arena(call), (enum status_code)message.data[0], "%.*s",
			     (int)message.size - 1, (const char *)message.data + 1);
}

static enum rpc_step fail_next(struct rpc_call *call, struct buffer *ret)
{
	(void)ret;
	return rpc_fail(call, status_make(STATUS_INTERNAL, "never asked"));
}

static status count_request(struct rpc_call *call, struct bytes message)
{
	struct toy_call *state = enter(call);
	struct reader reader = reader_of(message);

	state->n = reader_u32(&reader);
	state->size = reader_u32(&reader);
	leave(state);
	return reader.failed ? status_make(STATUS_INVALID_ARGUMENT, "two numbers") : status_ok();
}

static enum rpc_step count_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);
	struct toy *toy = rpc_context(call);
	enum rpc_step step = RPC_END;

	if (state->made < state->n) {
		uint8_t *at = buffer_reserve(ret, state->size);

		memset(at, 0x5A, state->size);
		store_u32(at, state->made++);
		ret->size += state->size;
		atomic_fetch_add(&toy->n_made, 1);
		step = state->made == state->n ? RPC_LAST : RPC_MESSAGE;
	}
	leave(state);
	return step;
}

static bool gate_is_open(struct toy *toy, struct rpc_call *call)
{
	bool open;

	pthread_mutex_lock(&toy->lock);
	open = toy->open;
	/* Under the lock of whoever opens the gate, so that no wake is missed. */
	if (!open) {
		struct toy_call *state = rpc_state(call);

		for (size_t i = 0; i < 8 && !state->held; i++) {
			if (toy->waiting[i])
				continue;
			toy->waiting[i] = call;
			state->held = true;
			rpc_hold(call);
			atomic_fetch_add(&toy->n_held, 1);
		}
	}
	pthread_mutex_unlock(&toy->lock);
	return open;
}

static bool late_is_ready(struct rpc_call *call, struct bytes message)
{
	(void)message;
	return gate_is_open(rpc_context(call), call);
}

static status talk_request(struct rpc_call *call, struct bytes message)
{
	struct toy *toy = rpc_context(call);

	atomic_fetch_add(&toy->n_requests, 1);
	keep_message(call, message);
	rpc_wake(call);
	return status_ok();
}

static bool talk_wants_request(struct rpc_call *call)
{
	struct toy_call *state = enter(call);
	bool wants = !state->has_message;

	leave(state);
	return wants;
}

static enum rpc_step talk_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);
	enum rpc_step step = RPC_WAIT;

	if (state->has_message && gate_is_open(rpc_context(call), call)) {
		copy_message(state, ret);
		step = RPC_MESSAGE;
	} else if (!state->has_message && rpc_is_half_closed(call)) {
		step = RPC_END;
	} else if (!state->has_message && rpc_drain_phase(call) != RPC_SERVING) {
		step = rpc_fail(call, status_make(STATUS_UNAVAILABLE, "closing time"));
	}
	leave(state);
	return step;
}

static enum rpc_step wait_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);
	struct toy *toy = rpc_context(call);
	enum rpc_step step = RPC_WAIT;

	if (gate_is_open(toy, call)) {
		copy_message(state, ret);
		step = RPC_LAST;
	} else if (rpc_drain_phase(call) == RPC_ENDING) {
		step = rpc_fail(call, status_make(STATUS_UNAVAILABLE, "closing time"));
	} else {
		atomic_fetch_add(&toy->n_waiting, 1);
	}
	leave(state);
	return step;
}

static bool always(struct rpc_call *call)
{
	(void)call;
	return true;
}

static enum rpc_step spin_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = enter(call);
	struct toy *toy = rpc_context(call);
	status stop;

	(void)ret;
	atomic_store(&toy->deadline_ns, rpc_deadline(call)->at_ns);
	atomic_fetch_add(&toy->n_spinning, 1);
	do
		stop = deadline_check(rpc_deadline(call));
	while (!status_failed(stop));
	atomic_fetch_add(&toy->n_stopped, 1);
	leave(state);
	return rpc_fail(call, stop);
}

static enum rpc_step deaf_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy *toy = rpc_context(call);

	(void)ret;
	atomic_fetch_add(&toy->n_waiting, 1);
	return RPC_WAIT;
}

static enum rpc_step huge_next(struct rpc_call *call, struct buffer *ret)
{
	struct toy_call *state = rpc_state(call);
	size_t size = load_u32(state->message.data);

	memset(buffer_reserve(ret, size), 0, size);
	ret->size += size;
	return RPC_LAST;
}

static enum rpc_step info_next(struct rpc_call *call, struct buffer *ret)
{
	char text[200];
	int n = snprintf(text, sizeof text, "%s %zu", rpc_peer(call), rpc_arena(call)->cap_bytes);

	buffer_append(ret, text, (size_t)n);
	return RPC_LAST;
}

#define TOY_METHOD(name, do_request, do_next)                                                      \
	.path = TOY(name), .state_size = sizeof(struct toy_call), .open = toy_opened,              \
	.request = (do_request), .next = (do_next), .close = toy_closed

static const struct rpc_method toy_methods[] = {
	{TOY_METHOD("Echo", keep_message, echo_next)},
	{TOY_METHOD("Last", keep_message, last_next)},
	{TOY_METHOD("Fail", fail_request, fail_next)},
	{TOY_METHOD("Count", count_request, count_next)},
	{TOY_METHOD("LongCount", count_request, count_next), .is_long = always},
	{TOY_METHOD("HeavyCount", count_request, count_next), .is_heavy = always},
	{TOY_METHOD("Talk", talk_request, talk_next), .client_streams = true,
	 .wants_request = talk_wants_request},
	{TOY_METHOD("HeavyTalk", talk_request, talk_next), .client_streams = true,
	 .wants_request = talk_wants_request, .is_heavy = always},
	{TOY_METHOD("Wait", keep_message, wait_next)},
	{TOY_METHOD("Late", keep_message, echo_next), .is_ready = late_is_ready},
	{TOY_METHOD("LateTalk", talk_request, talk_next), .client_streams = true,
	 .is_ready = late_is_ready, .wants_request = talk_wants_request},
	{TOY_METHOD("Spin", keep_message, spin_next), .is_long = always},
	{TOY_METHOD("Deaf", keep_message, deaf_next)},
	{TOY_METHOD("Huge", keep_message, huge_next)},
	{TOY_METHOD("Info", keep_message, info_next)},
};

void toy_open(struct toy *toy, const char *address)
{
	toy_open_as(toy, address, &(struct rpc_server_options){0});
}

void toy_open_as(struct toy *toy, const char *address, const struct rpc_server_options *own)
{
	const char *addresses[] = {address ? address : "127.0.0.1:0"};
	struct rpc_server_options options = *own;
	status opened;

	options.addresses = addresses;
	options.n_addresses = 1;
	options.services = &toy->service;
	options.n_services = 1;
	options.n_pollers = own->n_pollers ? own->n_pollers : 2;
	memset(toy, 0, sizeof *toy);
	pthread_mutex_init(&toy->lock, NULL);
	arena_init(&toy->arena, 1 << 20);
	cr_assert(!status_failed(pool_open(2, "toy", &toy->workers)));
	toy->service = (struct rpc_service){
		.name = "toy.Toy",
		.methods = toy_methods,
		.n_methods = sizeof toy_methods / sizeof *toy_methods,
		.context = toy,
		.sheds = true,
	};
	options.workers = toy->workers;
	opened = rpc_server_open(&options, &toy->arena, &toy->server);
	cr_assert(!status_failed(opened), "%s", opened.detail);
	toy->address = rpc_server_address(toy->server, 0);
}

void toy_close(struct toy *toy)
{
	rpc_server_drain(toy->server, 0);
	cr_assert_eq(gauge_read(GAUGE_CALLS), 0);
	rpc_server_close(toy->server);
	pool_close(toy->workers);
	arena_finish(&toy->arena);
	pthread_mutex_destroy(&toy->lock);
	cr_assert_eq(atomic_load(&toy->n_opened), atomic_load(&toy->n_closed));
	cr_assert_eq(atomic_load(&toy->n_overlaps), 0);
}

void toy_open_gate(struct toy *toy)
{
	pthread_mutex_lock(&toy->lock);
	toy->open = true;
	for (size_t i = 0; i < 8; i++) {
		if (toy->waiting[i])
			rpc_wake(toy->waiting[i]);
	}
	pthread_mutex_unlock(&toy->lock);
}

void toy_release(struct toy *toy)
{
	pthread_mutex_lock(&toy->lock);
	for (size_t i = 0; i < 8; i++) {
		if (toy->waiting[i])
			rpc_unhold(toy->waiting[i]);
		toy->waiting[i] = NULL;
	}
	pthread_mutex_unlock(&toy->lock);
}

bool toy_reaches(const atomic_int *count, int n)
{
	int64_t until = clock_ns() + INT64_C(20000000000);

	while (atomic_load(count) < n) {
		if (clock_ns() > until)
			return false;
		sched_yield();
	}
	return true;
}

bool toy_is_idle(void)
{
	int64_t until = clock_ns() + INT64_C(20000000000);

	while (gauge_read(GAUGE_CALLS) > 0) {
		if (clock_ns() > until)
			return false;
		sched_yield();
	}
	return true;
}

struct bytes toy_numbers(uint32_t numbers[2])
{
	return bytes_of(numbers, 2 * sizeof *numbers);
}
