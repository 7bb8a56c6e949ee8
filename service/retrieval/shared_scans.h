/* shared_scans - searches that wait for a worker to scan the same codes, and who scans for several.
 *
 * A search whose next page begins with a long scan is listed when it is handed to the workers. The worker
 * that comes to one takes others along that are listed and scan alike: not more than its share, so that no
 * worker is idle, and at most EXACT_TOGETHER_MAX in all. When the turn of one of these comes, its scan is
 * done or under way; then it waits for a wake, and its worker does something else.
 * A pass costs little more than its dearest search: what a scan waits for is memory (index/cursor/exact.h).
 *
 *	listed by is_long ---> claimed by next: it leads
 *	       |
 *	       '--> taken by a leader ---> out: its scan is done
 */
#ifndef SLUICE_SERVICE_RETRIEVAL_SHARED_SCANS_H
#define SLUICE_SERVICE_RETRIEVAL_SHARED_SCANS_H

#include "index/cursor/cursor.h"
#include "service/rpc/rpc.h"

struct shared_scans;

enum scan_guest_state {
	GUEST_OUT,
	GUEST_LISTED,
	GUEST_TAKEN, /* a leader has its cursor */
};

/* scan_guest - a search, within its stream. All zero is out. */
struct scan_guest {
	struct cursor *cursor; /* borrowed while it is not out */
	struct rpc_call *call;
	struct scan_guest *next, *previous;
	enum scan_guest_state state;
	bool waits; /* it is taken, and has answered that it waits */
};

/* shared_scans_open - for scans by the threads of a pool. Fails: RESOURCE_EXHAUSTED */
status shared_scans_open(struct pool *workers, struct shared_scans **ret);
void shared_scans_close(struct shared_scans *scans); /* nobody is in it; NULL is fine */

/* shared_scans_list - the call will run on a worker soon; next of it claims the guest, which is out.
 * cursor  exact_waits_for_scan. */
void shared_scans_list(struct shared_scans *scans, struct scan_guest *guest, struct cursor *cursor,
		       struct rpc_call *call);

/* shared_scans_state - while it is GUEST_TAKEN nothing may be asked of its cursor. */
enum scan_guest_state shared_scans_state(struct shared_scans *scans, struct scan_guest *guest);

/* shared_scans_claim - at the beginning of next, on any thread. True: the guest is out, and its cursor the caller's.
 * False: next is to answer that it waits; the call is woken. */
bool shared_scans_claim(struct shared_scans *scans, struct scan_guest *guest);

/* shared_scans_lead - does the scan that a cursor, the caller's, waits for, and those of others that it takes along.
 */
void shared_scans_lead(struct shared_scans *scans, struct cursor *cursor);

/* shared_scans_leave - at the end of a call. A leader that has its cursor is waited for: where the call was ended
 * before its time, until it sees that, within a millisecond or so. */
void shared_scans_leave(struct shared_scans *scans, struct scan_guest *guest);

SCOPE_DEFINE(shared_scans, shared_scans_close)

#endif
