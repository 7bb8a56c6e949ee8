/* hold - a thread of the database's is stopped where it syncs a file, for as long as a test likes.
 *
 * Whoever links it has fsync replaced. LMDB syncs by other means.
 */
#ifndef SLUICE_TESTS_INDEX_HOLD_H
#define SLUICE_TESTS_INDEX_HOLD_H

/* hold_next - the next sync by a thread of that name (as far as it is given here) does not return before
 * hold_end. */
void hold_next(const char *thread);

/* hold_is_asked - nobody has come yet. */
int hold_is_asked(void);

/* hold_await - until somebody is held. */
void hold_await(void);
void hold_end(void);

#endif
