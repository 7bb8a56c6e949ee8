/* block_name - how names of block files are made, and what the files of this folder fail with. Internal
 * to it. */
#ifndef SLUICE_INDEX_SEGMENT_BLOCK_NAME_H
#define SLUICE_INDEX_SEGMENT_BLOCK_NAME_H

#include "kernels/base/status.h"

#define BLOCK_ID_DIGITS 16
#define BLOCK_SUFFIX_NEW ".new" /* behind the suffix, until it is whole */

/* block_code_of - what an errno is to a caller. */
enum status_code block_code_of(int error);

/* block_no_memory - RESOURCE_EXHAUSTED. what  "memory for a path"; literal */
status block_no_memory(const char *what);

#endif
