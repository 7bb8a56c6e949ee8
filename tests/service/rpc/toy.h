/* toy - a server with methods that do next to nothing, each for one thing that a call can do.
 *
 *	Echo     unary: the request
 *	Last     unary: the request, through RPC_MESSAGE and RPC_END
 *	Fail     unary: the code is the request's first byte, the detail the rest
 *	Count    server stream: u32 how many, u32 how large; each begins with its u32 number
 *	         LongCount is long, HeavyCount some work
 *	Talk     both ways: each message comes back; while the gate is closed nothing is answered.
 *	         HeavyTalk is some work
 *	Wait     server stream: nothing until the gate opens, then one message; takes a hold and has
 *	         it given back by toy_release
 *	Late     unary: the request, which is not ready until the gate opens; takes a hold likewise
 *	LateTalk both ways: the same for each message
 *	Spin     unary, long: runs until its deadline says stop
 *	Deaf     server stream: waits and looks at nothing
 *	Huge     unary: u32 how large
 *	Info     unary: the peer, and the arena's cap, as text
 */
#ifndef SLUICE_TESTS_SERVICE_RPC_TOY_H
#define SLUICE_TESTS_SERVICE_RPC_TOY_H

#include "service/rpc/rpc.h"
#include "tests/support/grpc_client.h"

#include <pthread.h>
#include <stdatomic.h>

#define TOY(method) "/toy.Toy/" method

struct toy {
	struct pool *workers;
	struct rpc_server *server;
	struct rpc_service service;
	const char *address;
	struct arena arena; /* of the server's failures */

	atomic_int n_opened, n_closed;
	atomic_int n_requests; /* messages handed to Talk */
	atomic_int n_made;     /* messages made by Count */
	atomic_int n_spinning; /* Spins that have begun */
	atomic_int n_stopped;  /* Spins whose deadline said stop */
	atomic_int n_waiting;  /* Waits that wait */
	atomic_int n_overlaps; /* functions of one call that ran at once */
	atomic_int n_held;     /* holds that Wait and Late have taken */
	atomic_llong deadline_ns;

	pthread_mutex_t lock;
	bool open; /* the gate */
	struct rpc_call *waiting[8];
};

/* toy_open - serves on a free port with 2 pollers. address  NULL: "127.0.0.1:0" */
void toy_open(struct toy *toy, const char *address);

/* toy_open_as - the same, with what else of the options. */
void toy_open_as(struct toy *toy, const char *address, const struct rpc_server_options *own);

/* toy_close - drains, closes, and asserts that every call is gone and was closed once. */
void toy_close(struct toy *toy);

/* toy_open_gate - and wakes what is held. */
void toy_open_gate(struct toy *toy);

/* toy_release - gives Wait's holds back. */
void toy_release(struct toy *toy);

/* toy_reaches - waits for *count to be at least n; false after 20 s. */
bool toy_reaches(const atomic_int *count, int n);

/* toy_is_idle - waits for all calls to be gone; false after 20 s. */
bool toy_is_idle(void);

struct bytes toy_numbers(uint32_t numbers[2]);

#endif
