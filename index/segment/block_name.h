/* block_name - how names of block files are made. Internal to this folder. */
#ifndef SLUICE_INDEX_SEGMENT_BLOCK_NAME_H
#define SLUICE_INDEX_SEGMENT_BLOCK_NAME_H

#include "kernels/base/status.h"

#define BLOCK_ID_DIGITS 16
#define BLOCK_SUFFIX_NEW ".new" /* behind the suffix, until it is whole */

/* block_code_of - what an errno is to a caller. */
enum status_code block_code_of(int error);

#endif
