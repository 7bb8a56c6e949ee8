/* Every rule of strings, bytes, enums and booleans. */
#include "tests/service/schema/checked.h"

#include <criterion/criterion.h>

Test(check_strings, rules)
{
	static const struct check_case cases[] = {
		{"Strings", "1:\"yes\"", ""},
		{"Strings", "1:\"no\"", "equal string.const"},
		{"Strings", "1:\"yess\"", "equal string.const"},
		{"Strings", "1:\"\"", "equal string.const"},
		{"Strings", "8:\"abc\"", ""},
		{"Strings", "8:\"abc7\"", ""},
		{"Strings", "8:\"abc77\"", "pattern string.pattern"},
		{"Strings", "8:\"\"", "pattern string.pattern"},
		{"Strings", "16:\"abba\"", ""},
		{"Strings", "16:\"acca\"", "part string.pattern"},
		{"Strings", "9:\"pre\"", ""},
		{"Strings", "9:\"prefix\"", ""},
		{"Strings", "9:\"pr\"", "prefix string.prefix"},
		{"Strings", "9:\"xpre\"", "prefix string.prefix"},
		{"Strings", "10:\"suffix\"", ""},
		{"Strings", "10:\"fixx\"", "suffix string.suffix"},
		{"Strings", "10:\"ix\"", "suffix string.suffix"},
		{"Strings", "11:\"a mid b\"", ""},
		{"Strings", "11:\"mi d\"", "contains string.contains"},
		{"Strings", "11:\"\"", "contains string.contains"},
		{"Strings", "12:\"\"", ""},
		{"Strings", "12:\"mi d\"", ""},
		{"Strings", "12:\"amid\"", "not_contains string.not_contains"},
		{"Strings", "13:\"a\"", ""},
		{"Strings", "13:\"b\xc3\xbc\"", ""},
		{"Strings", "13:\"\"", ""},
		{"Strings", "13:\"b\"", "one_of string.in"},
		{"Strings", "14:\"b\"", ""},
		{"Strings", "14:\"b\xc3\xbc\"", "none_of string.not_in"},
		{"Strings", "15:\"y\"",
		 "both string.min_len; both string.prefix; both string.suffix"},
		{"Strings", "15:\"xyz\"", ""},
	};

	CHECK_CASES(cases);
}

/* U+20AC has 3 bytes, U+1F600 has 4; e and U+0301 are two code points. */
Test(check_strings, lengths_count_code_points_or_bytes)
{
	static const struct check_case cases[] = {
		{"Strings", "2:\"abc\"", ""},
		{"Strings", "2:\"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\"", ""},
		{"Strings", "2:\"ab\"", "len string.len"},
		{"Strings", "2:\"abcd\"", "len string.len"},
		{"Strings", "2:\"e\xcc\x81\"", "len string.len"},
		{"Strings", "3:\"abc\"", ""},
		{"Strings", "3:\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"", "min_len string.min_len"},
		{"Strings", "4:\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"", ""},
		{"Strings", "4:\"\xf0\x9f\x98\x80...\"", "max_len string.max_len"},
		{"Strings", "4:\"\"", ""},
		{"Strings", "5:\"\xf0\x9f\x98\x80\"", ""},
		{"Strings", "5:\"abc\"", "len_bytes string.len_bytes"},
		{"Strings", "6:\"\xe2\x82\xac\"", "min_bytes string.min_bytes"},
		{"Strings", "6:\"\xe2\x82\xac.\"", ""},
		{"Strings", "7:\"\xf0\x9f\x98\x80\"", ""},
		{"Strings", "7:\"\xf0\x9f\x98\x80.\"", "max_bytes string.max_bytes"},
	};

	CHECK_CASES(cases);
}

/* Each format is taken apart in format_test.c; here, that the rule asks it, and the ids. */
Test(check_strings, formats)
{
	static const struct check_case cases[] = {
		{"Formats", "1:\"a@example.com\"", ""},
		{"Formats", "1:\"a.example.com\"", "email string.email"},
		{"Formats", "1:\"\"", "email string.email_empty"},
		{"Formats", "2:\"example.com\"", ""},
		{"Formats", "2:\"-example.com\"", "hostname string.hostname"},
		{"Formats", "2:\"\"", "hostname string.hostname_empty"},
		{"Formats", "3:\"127.0.0.1\"", ""},
		{"Formats", "3:\"::1\"", ""},
		{"Formats", "3:\"127.0.0.256\"", "ip string.ip"},
		{"Formats", "3:\"\"", "ip string.ip_empty"},
		{"Formats", "4:\"10.1.2.3\"", ""},
		{"Formats", "4:\"::1\"", "ipv4 string.ipv4"},
		{"Formats", "4:\"\"", "ipv4 string.ipv4_empty"},
		{"Formats", "5:\"fe80::1%eth0\"", ""},
		{"Formats", "5:\"10.1.2.3\"", "ipv6 string.ipv6"},
		{"Formats", "5:\"\"", "ipv6 string.ipv6_empty"},
		{"Formats", "6:\"https://example.com/a?b#c\"", ""},
		{"Formats", "6:\"/a/b\"", "uri string.uri"},
		{"Formats", "6:\"\"", "uri string.uri_empty"},
		{"Formats", "7:\"/a/b\"", ""},
		{"Formats", "7:\"\"", ""},
		{"Formats", "7:\"a b\"", "uri_ref string.uri_ref"},
		{"Formats", "8:\"example.com\"", ""},
		{"Formats", "8:\"::1\"", ""},
		{"Formats", "8:\"a_b\"", "address string.address"},
		{"Formats", "8:\"\"", "address string.address_empty"},
		{"Formats", "9:\"123e4567-e89b-12d3-a456-426614174000\"", ""},
		{"Formats", "9:\"123e4567e89b12d3a456426614174000\"", "uuid string.uuid"},
		{"Formats", "9:\"\"", "uuid string.uuid_empty"},
		{"Formats", "10:\"123e4567e89b12d3a456426614174000\"", ""},
		{"Formats", "10:\"123e4567-e89b-12d3-a456-426614174000\"", "tuuid string.tuuid"},
		{"Formats", "10:\"\"", "tuuid string.tuuid_empty"},
		{"Formats", "11:\"10.1.2.3/24\"", ""},
		{"Formats", "11:\"10.1.2.3\"", "ip_with_prefixlen string.ip_with_prefixlen"},
		{"Formats", "11:\"\"", "ip_with_prefixlen string.ip_with_prefixlen_empty"},
		{"Formats", "12:\"10.1.2.3/24\"", ""},
		{"Formats", "12:\"::1/24\"", "ipv4_with_prefixlen string.ipv4_with_prefixlen"},
		{"Formats", "12:\"\"", "ipv4_with_prefixlen string.ipv4_with_prefixlen_empty"},
		{"Formats", "13:\"::1/24\"", ""},
		{"Formats", "13:\"10.1.2.3/24\"", "ipv6_with_prefixlen string.ipv6_with_prefixlen"},
		{"Formats", "13:\"\"", "ipv6_with_prefixlen string.ipv6_with_prefixlen_empty"},
		{"Formats", "14:\"10.1.2.0/24\"", ""},
		{"Formats", "14:\"10.1.2.3/24\"", "ip_prefix string.ip_prefix"},
		{"Formats", "14:\"\"", "ip_prefix string.ip_prefix_empty"},
		{"Formats", "15:\"10.1.2.0/24\"", ""},
		{"Formats", "15:\"ff::/16\"", "ipv4_prefix string.ipv4_prefix"},
		{"Formats", "15:\"\"", "ipv4_prefix string.ipv4_prefix_empty"},
		{"Formats", "16:\"ff::/16\"", ""},
		{"Formats", "16:\"ff::1/16\"", "ipv6_prefix string.ipv6_prefix"},
		{"Formats", "16:\"\"", "ipv6_prefix string.ipv6_prefix_empty"},
		{"Formats", "17:\"example.com:80\"", ""},
		{"Formats", "17:\"[::1]:80\"", ""},
		{"Formats", "17:\"example.com\"", "host_and_port string.host_and_port"},
		{"Formats", "17:\"\"", "host_and_port string.host_and_port_empty"},
		{"Formats", "18:\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"", ""},
		{"Formats", "18:\"81ARZ3NDEKTSV4RRFFQ69G5FAV\"", "ulid string.ulid"},
		{"Formats", "18:\"\"", "ulid string.ulid_empty"},
		{"Formats", "23:\"\"", ""},
		{"Formats", "23:\"none\"", ""},
	};

	CHECK_CASES(cases);
}

Test(check_strings, headers)
{
	static const struct check_case cases[] = {
		{"Formats", "19:\"content-type\"", ""},
		{"Formats", "19:\":path\"", ""},
		{"Formats", "19:\"a b\"", "header_name string.well_known_regex.header_name"},
		{"Formats", "19:\"\"", "header_name string.well_known_regex.header_name_empty"},
		{"Formats", "20:\"text/html; q=1\"", ""},
		{"Formats", "20:\"\"", ""},
		{"Formats", "20:\"a\x07\"", "header_value string.well_known_regex.header_value"},
		{"Formats", "21:\"a b\"", ""},
		{"Formats", "21:\"a\x0a\"", "loose_name string.well_known_regex.header_name"},
		{"Formats", "21:\"\"", "loose_name string.well_known_regex.header_name_empty"},
		{"Formats", "22:\"a\x07\"", ""},
		{"Formats", "22:\"a\x0d\"", "loose_value string.well_known_regex.header_value"},
	};

	CHECK_CASES(cases);
}

Test(check_strings, bytes)
{
	static const struct check_case cases[] = {
		{"Bytes", "1:\"\\x00\\xff\"", ""},
		{"Bytes", "1:\"\\x00\"", "equal bytes.const"},
		{"Bytes", "2:\"abc\"", ""},
		{"Bytes", "2:\"\xc3\xbc.\"", ""},
		{"Bytes", "2:\"\xc3\xbc\"", "len bytes.len"},
		{"Bytes", "3:\"abc\"", ""},
		{"Bytes", "3:\"ab\"", "min_len bytes.min_len"},
		{"Bytes", "4:\"abc\"", ""},
		{"Bytes", "4:\"abcd\"", "max_len bytes.max_len"},
		{"Bytes", "5:\"abc\"", ""},
		{"Bytes", "5:\"ABC\"", "pattern bytes.pattern"},
		{"Bytes", "6:\"\\xff.\"", ""},
		{"Bytes", "6:\".\\xff\"", "prefix bytes.prefix"},
		{"Bytes", "7:\".\\xff\"", ""},
		{"Bytes", "7:\"\\xff.\"", "suffix bytes.suffix"},
		{"Bytes", "8:\".\\xff.\"", ""},
		{"Bytes", "8:\"..\"", "contains bytes.contains"},
		{"Bytes", "9:\"\\xff\"", ""},
		{"Bytes", "9:\"\\xff\\xff\"", "one_of bytes.in"},
		{"Bytes", "10:\"\\xff\\xff\"", ""},
		{"Bytes", "10:\"ab\"", "none_of bytes.not_in"},
		{"Bytes", "11:\"abcd\"", ""},
		{"Bytes", "11:\"0123456789abcdef\"", ""},
		{"Bytes", "11:\"abc\"", "ip bytes.ip"},
		{"Bytes", "11:\"\"", "ip bytes.ip_empty"},
		{"Bytes", "12:\"abcd\"", ""},
		{"Bytes", "12:\"0123456789abcdef\"", "ipv4 bytes.ipv4"},
		{"Bytes", "12:\"\"", "ipv4 bytes.ipv4_empty"},
		{"Bytes", "13:\"0123456789abcdef\"", ""},
		{"Bytes", "13:\"abcd\"", "ipv6 bytes.ipv6"},
		{"Bytes", "13:\"\"", "ipv6 bytes.ipv6_empty"},
		{"Bytes", "14:\"0123456789abcdef\"", ""},
		{"Bytes", "14:\"abcd\"", "uuid bytes.uuid"},
		{"Bytes", "14:\"\"", "uuid bytes.uuid_empty"},
	};

	CHECK_CASES(cases);
}

Test(check_strings, enums)
{
	static const struct check_case cases[] = {
		{"Enums", "1:5", ""},
		{"Enums", "1:1", "equal enum.const"},
		{"Enums", "2:1", ""},
		{"Enums", "2:-1", ""},
		{"Enums", "2:0", ""},
		{"Enums", "2:2", "defined enum.defined_only"},
		{"Enums", "2:4294967295", ""},
		{"Enums", "2:2147483647", "defined enum.defined_only"},
		{"Enums", "3:1", ""},
		{"Enums", "3:7", ""},
		{"Enums", "3:0", "one_of enum.in"},
		{"Enums", "4:1", ""},
		{"Enums", "4:0", "none_of enum.not_in"},
		{"Enums", "5:0", "both enum.not_in"},
		{"Enums", "5:9", "both enum.defined_only"},
	};

	CHECK_CASES(cases);
}

Test(check_strings, booleans)
{
	static const struct check_case cases[] = {
		{"Booleans", "1:1 2:0", ""},
		{"Booleans", "1:0 2:1", "no bool.const; yes bool.const"},
		/* Any varint but 0 is true. */
		{"Booleans", "1:256", ""},
		{"Booleans", "1:4294967296", ""},
	};

	CHECK_CASES(cases);
}
