/* rows8_sides - what stands before a row's codes. Internal to rows8. */
#ifndef SLUICE_KERNELS_ROWS8_SIDES_H
#define SLUICE_KERNELS_ROWS8_SIDES_H

struct rows8_sides {
	float scale, residual, norm, square;
};

#endif
