/* orthonormal - a matrix that is nearly a rotation becomes one, as far as double goes. */
#ifndef SLUICE_INDEX_BUILD_ORTHONORMAL_H
#define SLUICE_INDEX_BUILD_ORTHONORMAL_H

#include <stdbool.h>
#include <stdint.h>

/* orthonormal_make - rows are made of unit length and orthogonal to those before, in order, in
 * place (Gram and Schmidt, modified). Costs dim^3 products.
 * matrix  [dim][dim]. False where a row is nearly within those before it; it is no use then. */
bool orthonormal_make(double *matrix, uint32_t dim);

#endif
