/* manifest - what a store says of itself: its one config value and its one state value. Private to
 * this folder.
 */
#ifndef SLUICE_INDEX_STORE_MANIFEST_H
#define SLUICE_INDEX_STORE_MANIFEST_H

#include "index/store/value.h"

/* manifest_write_config - from the store's fields, at creation. */
status manifest_write_config(const struct transaction *transaction);

/* manifest_read_config - into the store's fields.
 * Fails: DATA_LOSS (absent, damaged, or a format that is not STORE_FORMAT, nor one that
 * upgrade.h makes it of) */
status manifest_read_config(const struct transaction *transaction);

/* manifest_read_state - also a state of STATE_BYTES_OLD, which ends before readable_from. */
status manifest_write_state(const struct transaction *transaction, const struct store_state *state);
status manifest_read_state(const struct transaction *transaction, struct store_state *ret);

/* manifest_read_segments - as store_read_segments, ret in the transaction's arena. */
status manifest_read_segments(const struct transaction *transaction, struct store_segment **ret,
			      size_t *ret_n);

/* manifest_write_segments - in place of the list that was there. */
status manifest_write_segments(const struct transaction *transaction,
			       const struct store_segment *segments, size_t n);

#endif
