/* version - of this program, and the commit that it was built from. */
#ifndef SLUICE_SERVICE_VERSION_H
#define SLUICE_SERVICE_VERSION_H

#define SLUICE_VERSION "0.1.0"

/* The commit's short name, "+" behind it where the tree had changes; "unknown" outside git. */
extern const char sluice_commit[];

#endif
