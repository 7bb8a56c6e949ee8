/* number - ints and doubles are put in one order, exactly. */
#include "index/filter/number.h"

#include <criterion/criterion.h>

#include <float.h>
#include <math.h>

static struct value of_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

static struct value of_double(double number)
{
	return (struct value){.kind = VALUE_DOUBLE, .number = number};
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

/* Each is below the next. */
Test(number, orders_ints_among_doubles)
{
	const struct value ladder[] = {
		of_double(-DBL_MAX),
		of_double(-0x1p63 - 2048),
		of_int(INT64_MIN),
		of_int(INT64_MIN + 1),
		of_int(INT64_MIN + 1023),
		of_double(-0x1p63 + 1024),
		of_int(-(INT64_C(1) << 53) - 1),
		of_double(-0x1p53),
		of_double(-1.5),
		of_int(-1),
		of_double(-DBL_TRUE_MIN),
		of_int(0),
		of_double(DBL_TRUE_MIN),
		of_int(1),
		of_double(nextafter(1, 2)),
		of_int((INT64_C(1) << 53) - 1),
		of_double(0x1p53),
		of_int((INT64_C(1) << 53) + 1),
		of_double(0x1p53 + 2),
		of_double(0x1p63 - 1024),
		of_int(INT64_MAX - 1),
		of_int(INT64_MAX),
		of_double(0x1p63),
		of_double(DBL_MAX),
	};
	size_t n = sizeof ladder / sizeof *ladder;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			cr_assert_eq(sign(number_compare(&ladder[i], &ladder[j])),
				     (i > j) - (i < j), "%zu and %zu", i, j);
}

Test(number, of_an_int_is_that_of_the_equal_double)
{
	static const struct {
		int64_t integer;
		double number;
	} pairs[] = {
		{0, 0.0},
		{0, -0.0},
		{1, 1.0},
		{-7, -7.0},
		{INT64_C(1) << 53, 0x1p53},
		{(INT64_C(1) << 53) + 2, 0x1p53 + 2},
		{INT64_MIN, -0x1p63},
		{INT64_C(1) << 62, 0x1p62},
		{INT64_MAX - 1023, 0x1p63 - 1024},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct value a = of_int(pairs[i].integer), b = of_double(pairs[i].number);

		cr_assert_eq(number_compare(&a, &b), 0, "pair %zu", i);
	}
}
