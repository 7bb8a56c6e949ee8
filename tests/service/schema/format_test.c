#include "service/schema/format.h"

#include <criterion/criterion.h>

/* Ends a list. */
#define LIST_MAX 40

struct samples {
	enum format format;
	const char *good[LIST_MAX], *bad[LIST_MAX]; /* up to NULL */
};

static void check_samples(const struct samples *samples)
{
	const char *name = format_name(samples->format);

	for (size_t i = 0; samples->good[i]; i++)
		cr_expect(format_matches(samples->format, bytes_of_string(samples->good[i]), true),
			  "\"%s\" is %s", samples->good[i], name);
	for (size_t i = 0; samples->bad[i]; i++)
		cr_expect_not(
			format_matches(samples->format, bytes_of_string(samples->bad[i]), true),
			"\"%s\" is not %s", samples->bad[i], name);
}

#define LABEL_63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"

Test(format, email_is_what_the_html_standard_takes)
{
	static const struct samples samples = {
		FORMAT_EMAIL,
		{"ann@sluice.test", "a.b+c@d-e.f", "..@x", "!#$%&'*+/=?^_`{|}~-@x", "a@1",
		 "a@" LABEL_63, "a@" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63},
		{"",           "a",
		 "@",          "a@",
		 "@b",         "a@b@c",
		 "a b@c",      "a@b.",
		 "a@.b",       "a@b..c",
		 "a@-b",       "a@b-",
		 "a@b_c",      "a@" LABEL_63 "4",
		 "\"a\"@b",    "a@[127.0.0.1]",
		 "a@b\n",      "a,b@c",
		 "\xc3\xa9@b", "a@\xc3\xa9"},
	};

	check_samples(&samples);
}

Test(format, hostname_has_labels_and_a_last_one_with_a_letter)
{
	static const struct samples samples = {
		FORMAT_HOSTNAME,
		{"localhost", "Example.COM", "example.com.", "a-b.c--d", "1.2.3.a", "9p", "x.9p",
		 LABEL_63, LABEL_63 "." LABEL_63 "." LABEL_63},
		{"", ".", "a..b", ".a", "a..", "-a", "a-", "a.-b", "1", "a.1", "a.1.", "a_b", "a b",
		 "a\n", LABEL_63 "4", "\xc3\xa9", "a:80"},
	};

	check_samples(&samples);
}

Test(format, hostname_has_at_most_253_bytes_without_its_last_dot)
{
	char name[256];

	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 ? '.' : 'a';
	cr_expect(format_matches(FORMAT_HOSTNAME, bytes_of(name, 253), true));
	cr_expect(format_matches(FORMAT_HOSTNAME, bytes_of(name, 254), true));
	cr_expect_not(format_matches(FORMAT_HOSTNAME, bytes_of(name, 255), true));
}

Test(format, ipv4_has_four_decimal_octets)
{
	static const struct samples samples = {
		FORMAT_IPV4,
		{"0.0.0.0", "255.255.255.255", "10.1.20.3"},
		{"", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "01.2.3.4",
		 "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", "1.2.3.+4", "1.2.3.4/8", "::1",
		 "1.2.3.1000000"},
	};

	check_samples(&samples);
}

Test(format, ipv6_is_that_of_rfc_4291)
{
	static const struct samples samples = {
		FORMAT_IPV6,
		{"::", "::1", "1::", "2001:db8::8:800:200C:417A", "FF01:0:0:0:0:0:0:101",
		 "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "0:0:0:0:0:FFFF:129.144.52.38",
		 "::13.1.68.3", "1::2:1.2.3.4", "fe80::1%eth0", "fe80::1%%25 \xc3\xa9",
		 "::1.2.3.4%x"},
		{"",
		 ":",
		 ":::",
		 "1",
		 "1:2:3:4:5:6:7",
		 "1:2:3:4:5:6:7:8:9",
		 "1:2:3:4:5:6:7:8::",
		 "1::2::3",
		 ":1::2",
		 "1::2:",
		 "12345::",
		 "::g",
		 "1.2.3.4",
		 "::1.2.3",
		 "::1.2.3.256",
		 "1.2.3.4::",
		 "::1.2.3.4:5",
		 "1:2:3:4:5:6:7:1.2.3.4",
		 "1:2:3:4:5:6::1.2.3.4",
		 "[::1]",
		 "::1/64",
		 "::1%",
		 " ::1"},
	};

	check_samples(&samples);
}

Test(format, ip_takes_the_versions_that_are)
{
	struct bytes four = bytes_of_string("1.2.3.4"), six = bytes_of_string("::1");

	cr_expect(format_is_ip(four, 0) && format_is_ip(six, 0));
	cr_expect(format_is_ip(four, 4) && !format_is_ip(six, 4));
	cr_expect(!format_is_ip(four, 6) && format_is_ip(six, 6));
	cr_expect(!format_is_ip(four, 5) && !format_is_ip(six, 5));
	cr_expect(!format_is_ip_prefix(bytes_of_string("1.2.3.4/8"), 5, false));
}

Test(format, prefix_length_is_within_the_address)
{
	static const struct samples either = {
		FORMAT_IP_WITH_PREFIXLEN,
		{"1.2.3.4/0", "1.2.3.4/32", "::1/0", "::1/128", "1::1.2.3.4/99"},
		{"", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/-1",
		 "1.2.3.4/8/8", "::1/129", "::1/064", "::1%a/64", "::1/64%a", "/8", "1.2.3.4/8 ",
		 "1.2.3.4/4294967304"},
	};
	static const struct samples four = {FORMAT_IPV4_WITH_PREFIXLEN, {"1.2.3.4/8"}, {"::1/8"}};
	static const struct samples six = {FORMAT_IPV6_WITH_PREFIXLEN, {"::1/8"}, {"1.2.3.4/8"}};

	check_samples(&either);
	check_samples(&four);
	check_samples(&six);
}

Test(format, prefix_has_no_bit_behind_its_length)
{
	static const struct samples either = {
		FORMAT_IP_PREFIX,
		{"0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "1.2.3.4/32", "::/0", "2001:db8::/32",
		 "::8000/113", "::1/128", "::1.2.0.0/112"},
		{"0.0.0.1/0", "10.128.0.0/8", "10.64.0.0/9", "1.2.3.5/31", "::1/0", "2001:db9::/31",
		 "::8000/112", "::1/127", "::1.2.0.1/112"},
	};
	static const struct samples four = {FORMAT_IPV4_PREFIX, {"10.0.0.0/8"}, {"1::/16"}};
	static const struct samples six = {FORMAT_IPV6_PREFIX, {"1::/16"}, {"10.0.0.0/8"}};

	check_samples(&either);
	check_samples(&four);
	check_samples(&six);
}

Test(format, uri_is_that_of_rfc_3986)
{
	static const struct samples samples = {
		FORMAT_URI,
		{"ftp://ftp.is.co.za/rfc/rfc1808.txt",
		 "http://www.ietf.org/rfc/rfc2396.txt",
		 "ldap://[2001:db8::7]/c=GB?objectClass?one",
		 "mailto:John.Doe@example.com",
		 "news:comp.infosystems.www.servers.unix",
		 "tel:+1-816-555-1212",
		 "telnet://192.0.2.16:80/",
		 "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
		 "a:",
		 "a+.-9:b",
		 "x://",
		 "x://:",
		 "x://u:p:@h:/",
		 "x://h:99999",
		 "x:////a",
		 "x:a:b",
		 "x:?#",
		 "x://h?a/?#b/?",
		 "x://%C3%A9",
		 "x://%41/%FF?%FF#%FF",
		 "x://%ff@h",
		 "x://[v1.a:b]",
		 "x://[VF.!]:1",
		 "x://[::1.2.3.4]",
		 "x://[fe80::1%25e%C3%A9]"},
		{"",
		 ":",
		 "x",
		 "1x:a",
		 "-:a",
		 "x y:a",
		 "/a",
		 "//a",
		 "x:a b",
		 "x:\"",
		 "x:<>",
		 "x:%",
		 "x:%4",
		 "x:%4g",
		 "x:#a#b",
		 "x:[",
		 "x://h:a",
		 "x://h:1:2",
		 "x://a@b@c",
		 "x://[::1",
		 "x://[]",
		 "x://[1.2.3.4]",
		 "x://[::1]a",
		 "x://[::1%e]",
		 "x://[::1%25]",
		 "x://[v.a]",
		 "x://[v1.]",
		 "x://[v1.%41]",
		 "x://[vg.a]",
		 "x://%FF",
		 "x://%C3a%A9",
		 "x://%E2%82",
		 "\xc3\xa9:",
		 "x:\xc3\xa9",
		 "x:\n"},
	};

	check_samples(&samples);
}

Test(format, uri_reference_may_be_relative)
{
	static const struct samples samples = {
		FORMAT_URI_REF,
		{"", "g", "./g", "/g", "//g", "?y", "g?y#s", ";x", "../..", "g;x=1/../y", "http:g",
		 "//u@h:1/a?b#c", "./a:b", "a/b:c", "a@b", "/:", "%41", "//"},
		{":", ":a", "1:a", "%41:a", "a b", "a#b#c", "//[x]", "//h:x", "%", "^", "\xc3\xa9"},
	};

	check_samples(&samples);
}

Test(format, address_is_a_hostname_or_an_ip)
{
	static const struct samples samples = {
		FORMAT_ADDRESS,
		{"localhost", "1.2.3.4", "::1", "fe80::1%a"},
		{"", "256.1.1.1", "[::1]", "a:80", "a_b"},
	};

	check_samples(&samples);
}

Test(format, host_and_port_has_a_port_of_16_bits)
{
	static const struct samples samples = {
		FORMAT_HOST_AND_PORT,
		{"a:0", "a.:1", "a:65535", "1.2.3.4:80", "[::1]:80", "[fe80::1%]]:a]:80"},
		{"",       ":",        ":80",  "a",     "a:",           "a:65536",
		 "a:00",   "a:080",    "a:+1", "a:1 ",  "::1:80",       "[::1]",
		 "[::1]:", "[::1]80",  "[::1", "[]:80", "[1.2.3.4]:80", "[a]:80",
		 "a:b:80", "1.2.3:80", "[",    "]:80",  "[:80"},
	};

	check_samples(&samples);
}

Test(format, port_may_be_left_out_where_it_is_not_required)
{
	static const char *const good[] = {"a", "a.", "1.2.3.4", "[::1]", "[::1]:1", "a:1"};
	static const char *const bad[] = {"", "a:", "[::1]:", "::1", "[a]", "["};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_expect(format_is_host_and_port(bytes_of_string(good[i]), false), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(format_is_host_and_port(bytes_of_string(bad[i]), false), "%s",
			      bad[i]);
}

Test(format, identifiers_have_their_alphabet_and_length)
{
	static const struct samples samples[] = {
		{FORMAT_UUID,
		 {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
		  "00000000-0000-0000-0000-000000000000"},
		 {"", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
		  "f81d4fae-7dec-11d0-a765-00a0c91e6bf67", "f81d4fae-7dec-11d0-a76500-a0c91e6bf6",
		  "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		  "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}"}},
		{FORMAT_TUUID,
		 {"f81d4fae7dec11d0a76500a0c91e6bf6"},
		 {"", "f81d4fae7dec11d0a76500a0c91e6bf", "f81d4fae7dec11d0a76500a0c91e6bf-",
		  "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}},
		{FORMAT_ULID,
		 {"01BX5ZZKBKACTAV9WEVGEMMVRZ", "7zzzzzzzzzzzzzzzzzzzzzzzzz"},
		 {"", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01BX5ZZKBKACTAV9WEVGEMMVRI",
		  "01BX5ZZKBKACTAV9WEVGEMMVRu", "01BX5ZZKBKACTAV9WEVGEMMVR",
		  "01BX5ZZKBKACTAV9WEVGEMMVRZ0"}},
		{FORMAT_PROTOBUF_FQN,
		 {"a", "_", "sluice.v1.Chunk", "a_1.B2"},
		 {"", ".", ".a", "a.", "a..b", "1a", "a.1", "a-b", "a b", "\xc3\xa9"}},
		{FORMAT_PROTOBUF_DOT_FQN,
		 {".a", ".sluice.v1.Chunk"},
		 {"", ".", "a", "..a", ".a.", ".1"}},
	};

	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		check_samples(&samples[i]);
}

Test(format, header_fields_are_tokens_and_printable)
{
	static const struct samples samples[] = {
		{FORMAT_HTTP_HEADER_NAME,
		 {"content-type", ":path", "X!#$%&'*+-.^_|~`", "a,b"},
		 {"", ":", "::a", "a:", "a b", "a/b", "a\n", "a\"", "\xc3\xa9"}},
		{FORMAT_HTTP_HEADER_VALUE,
		 {"", "a b\tc", "\xc3\xa9", ":/\"<>"},
		 {"a\nb", "a\rb", "\x01", "\x7f", "\x1f"}},
	};

	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		check_samples(&samples[i]);
}

Test(format, loose_header_fields_only_have_no_end_in_them)
{
	static const enum format formats[] = {FORMAT_HTTP_HEADER_NAME, FORMAT_HTTP_HEADER_VALUE};

	for (size_t i = 0; i < 2; i++) {
		cr_expect(
			format_matches(formats[i], bytes_of_string("::\x01 \x7f\xc3\xa9"), false));
		cr_expect_not(format_matches(formats[i], bytes_of_string("a\n"), false));
		cr_expect_not(format_matches(formats[i], bytes_of_string("a\r"), false));
		cr_expect_not(format_matches(formats[i], bytes_of("a\0", 2), false));
	}
	cr_expect_not(format_matches(FORMAT_HTTP_HEADER_NAME, bytes_of_string(""), false));
	cr_expect(format_matches(FORMAT_HTTP_HEADER_VALUE, bytes_of_string(""), false));
}

Test(format, bytes_have_the_sizes_of_addresses)
{
	static const struct {
		enum format format;
		bool fits_4, fits_16;
	} cases[] = {
		{FORMAT_BYTES_IP, true, true},
		{FORMAT_BYTES_IPV4, true, false},
		{FORMAT_BYTES_IPV6, false, true},
		{FORMAT_BYTES_UUID, false, true},
	};
	static const uint8_t bytes[17];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t size = 0; size <= sizeof bytes; size++)
			cr_expect_eq(format_matches(cases[i].format, bytes_of(bytes, size), true),
				     (size == 4 && cases[i].fits_4) ||
					     (size == 16 && cases[i].fits_16),
				     "%zu bytes, %s", size, format_name(cases[i].format));
}

/* A NUL ends no string here, and is a character of no format but a loose one. */
Test(format, refuses_a_nul_wherever_it_is)
{
	static const char *const texts[] = {
		"a@b.c",          "example.com", "1.2.3.4", "::1",
		"1.2.3.4/8",      "10.0.0.0/8",  "x://h/p", "fe80::1%z",
		"example.com:80", "a.b.c",       ".a.b",    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
	};
	char text[64];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t size = strlen(texts[i]);

		for (size_t at = 0; at <= size; at++) {
			memcpy(text, texts[i], at);
			text[at] = '\0';
			memcpy(text + at + 1, texts[i] + at, size - at);
			for (int f = FORMAT_EMAIL; f <= FORMAT_HTTP_HEADER_VALUE; f++)
				cr_expect_not(format_matches((enum format)f,
							     bytes_of(text, size + 1), true),
					      "%s, a NUL at %zu of %s", format_name((enum format)f),
					      at, texts[i]);
		}
	}
}

Test(format, takes_any_bytes)
{
	static const char alphabet[] = ":/.@[]%?#-09afgvV_ \xc3\xa9\n";
	uint64_t state = 88172645463325252U;

	for (int round = 0; round < 200000; round++) {
		uint8_t text[24];
		size_t n = (size_t)round % sizeof text;

		for (size_t i = 0; i < n; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			text[i] = (uint8_t)(state % 8 ? alphabet[(state >> 8) % sizeof alphabet]
						      : (char)(state >> 8));
		}
		for (int f = FORMAT_EMAIL; f <= FORMAT_BYTES_UUID; f++)
			(void)format_matches((enum format)f, bytes_of(text, n), round % 2);
	}
	cr_expect_not(format_matches(FORMAT_URI, bytes_of(NULL, 0), true));
	cr_expect(format_matches(FORMAT_URI_REF, bytes_of(NULL, 0), true));
}
