/* calibration - what an approximate index was measured to find for how much reading: for people to see. */
#ifndef SLUICE_INDEX_ANN_CALIBRATION_H
#define SLUICE_INDEX_ANN_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALIBRATION_CURVES_MAX 3
#define CALIBRATION_POINTS_MAX 8

struct calibration_point {
	float share;  /* of the segment's rows: whose codes were read, or that were candidates */
	float recall; /* of as many hits as were asked for, the part that was found */
};

struct calibration_curve {
	uint32_t depth;                                          /* hits that are asked for */
	size_t n;                                                /* 0: no recall was reached */
	struct calibration_point points[CALIBRATION_POINTS_MAX]; /* [n] shares and recalls ascend */
};

struct calibration {
	bool candidates; /* shares are of candidates for exact scores, not of rows that were read */
	struct calibration_curve curves[CALIBRATION_CURVES_MAX];
};

/* calibration_add - a point behind the others; one that reads more and finds no more is left out. */
static inline void calibration_add(struct calibration_curve *curve, float share, float recall)
{
	if (curve->n == CALIBRATION_POINTS_MAX ||
	    (curve->n && recall <= curve->points[curve->n - 1].recall))
		return;
	curve->points[curve->n++] = (struct calibration_point){share, recall};
}

#endif
