/* panels - as product.h, of a matrix that is laid out for it once: sixteen rows side by side, so that their
 * products with a vector come out side by side too, and nothing has to be added up across a register.
 *
 * A sum runs from the first coordinate to the last, whatever else is multiplied at the same time. The bits
 * differ from one processor to another.
 */
#ifndef SLUICE_KERNELS_PANELS_H
#define SLUICE_KERNELS_PANELS_H

#include <stddef.h>

#define PANEL_ROWS 16

/* panels_count - of so many rows; in the last one zeros stand for those that are missing. */
static inline size_t panels_count(size_t n_rows)
{
	return (n_rows + PANEL_ROWS - 1) / PANEL_ROWS;
}

/* panels_make - rows  [n_rows][dim]. ret  [panels_count][dim][PANEL_ROWS] */
void panels_make(const float *rows, size_t n_rows, size_t dim, float *ret);

/* Two dozen vectors of up to 200 dimensions stay in the first cache while the panels pass. */
struct panels_product {
	const float *panels; /* [n_panels][dim][PANEL_ROWS] */
	size_t n_panels, dim;
	const float *vectors; /* [n][dim] */
	size_t n;
	float *ret; /* [n][n_panels * PANEL_ROWS] */
};

void panels_multiply(const struct panels_product *product);

#endif
