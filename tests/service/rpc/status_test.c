#include "service/rpc/status.h"

#include <criterion/criterion.h>

Test(status, maps_every_code_both_ways)
{
	for (int code = STATUS_OK; code <= STATUS_UNAUTHENTICATED; code++) {
		cr_assert_eq((int)status_to_grpc((enum status_code)code), code);
		cr_assert_eq((int)status_from_grpc((grpc_status_code)code), code);
	}
	cr_assert_eq(status_to_grpc((enum status_code)17), GRPC_STATUS_UNKNOWN);
	cr_assert_eq(status_to_grpc((enum status_code) - 1), GRPC_STATUS_UNKNOWN);
	cr_assert_eq(status_from_grpc((grpc_status_code)99), STATUS_UNKNOWN);
}

Test(status, cuts_details_between_characters)
{
	char text[3000];
	static const struct {
		size_t at;   /* where a character of two bytes begins; all else is ASCII */
		size_t size; /* what is left */
	} cases[] = {{1021, 1024}, {1022, 1024}, {1023, 1023}, {1024, 1024}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(text, 'a', sizeof text);
		text[sizeof text - 1] = 0;
		memcpy(text + cases[i].at, "\xC3\xBC", 2);
		cr_assert_eq(status_detail(status_make(STATUS_INTERNAL, text)).size, cases[i].size,
			     "case %zu", i);
	}
	cr_assert_eq(status_detail(status_make(STATUS_INTERNAL, "short")).size, 5);
	cr_assert_eq(status_detail(status_ok()).size, 0);
}
