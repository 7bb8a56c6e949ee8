#include "service/cli/base64.h"

#include <criterion/criterion.h>

/* The first are those of RFC 4648. */
static const struct {
	const char *bytes, *text;
} cases[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xFB\xFF\xFE", "+//+"},
};

Test(base64, goes_there_and_back)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SCOPED(buffer) text = &(struct buffer){0};
		SCOPED(buffer) bytes = &(struct buffer){0};
		struct bytes wanted = bytes_of_string(cases[i].bytes);

		base64_append(text, wanted);
		cr_assert(bytes_equal(bytes_of(text->data, text->size),
				      bytes_of_string(cases[i].text)),
			  "%s", cases[i].text);
		cr_assert(base64_decode(cases[i].text, bytes), "%s", cases[i].text);
		cr_assert(bytes_equal(bytes_of(bytes->data, bytes->size), wanted), "%s",
			  cases[i].text);
	}
}

Test(base64, goes_without_its_padding)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	cr_assert(base64_decode("Zm9vYg", bytes));
	cr_assert(bytes_equal(bytes_of(bytes->data, bytes->size), bytes_of_string("foob")));
}

Test(base64, refuses_what_is_none)
{
	static const char *const texts[] = {"Z",     "Zm9vY", "Zg=",  "Zm9v=", "Zm=v",
					    "Zm9 v", "Zm-_",  "====", "=",     "Zm9v\n"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		SCOPED(buffer) bytes = &(struct buffer){0};

		cr_assert_not(base64_decode(texts[i], bytes), "\"%s\"", texts[i]);
	}
}
