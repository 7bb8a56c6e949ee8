/* collector - what spans are sent to: a server that keeps them, refuses them, or says nothing. */
#ifndef SLUICE_TESTS_SERVICE_TELEMETRY_COLLECTOR_H
#define SLUICE_TESTS_SERVICE_TELEMETRY_COLLECTOR_H

#include "kernels/base/status.h"
#include "service/rpc/rpc.h"
#include "service/telemetry/opentelemetry.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

typedef Opentelemetry__Proto__Trace__V1__Span span;
typedef Opentelemetry__Proto__Trace__V1__Resource resource;

struct collector;

/* collector_open - on a free port of the loopback; asserts. */
struct collector *collector_open(void);
/* collector_open_tls - with a certificate, and for clients that have one of that CA. */
struct collector *collector_open_tls(const struct rpc_tls *tls);
void collector_close(struct collector *collector);
const char *collector_address(const struct collector *collector); /* "127.0.0.1:PORT" */

/* collector_answer - how it ends calls from now on: OK at first, which keeps the spans. */
void collector_answer(struct collector *collector, enum status_code code);
/* collector_reject - of each batch that it takes it says that so many spans were not. */
void collector_reject(struct collector *collector, int64_t n);
/* collector_stall - from now on calls are not answered, until collector_close. */
void collector_stall(struct collector *collector);

/* collector_await - until there are n spans, or twenty seconds are over; gives how many there are. */
size_t collector_await(struct collector *collector, size_t n);
/* collector_await_calls - the same of calls, whatever became of them. */
size_t collector_await_calls(struct collector *collector, size_t n);

/* All of these live until collector_close. */
const span *collector_span(struct collector *collector, size_t i);
const resource *collector_resource(struct collector *collector, size_t i); /* of span i */
size_t collector_batch(struct collector *collector, size_t i); /* spans that came with it */
/* collector_authorization - the header of the last call; "" where it had none. */
const char *collector_authorization(struct collector *collector);
/* collector_has - whether the bytes stand anywhere in what came. */
bool collector_has(struct collector *collector, const void *bytes, size_t size);

/* span_text, span_number - an attribute; NULL and -1 where there is none of the kind. */
const char *span_text(const span *from, const char *name);
int64_t span_number(const span *from, const char *name);
const char *resource_text(const resource *from, const char *name);

#endif
