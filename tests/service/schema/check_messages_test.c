/* Presence, what is ignored, oneofs, messages in messages, and those with a meaning of their own. */
#include "tests/service/schema/checked.h"

#include <criterion/criterion.h>

Test(check_messages, required_is_by_presence)
{
	static const struct check_case cases[] = {
		{"RequiredImplicit", "", "number required; real required; text required"},
		{"RequiredImplicit", "1:0 2:\"\" 3:d0",
		 "number required; real required; text required"},
		{"RequiredImplicit", "1:1 2:\"a\" 3:d-0.0", ""},
		{"RequiredImplicit", "1:1 1:0 2:\"a\" 3:d1", "number required"},
		{"RequiredExplicit", "", "inner required; number required; wrapped required"},
		{"RequiredExplicit", "1:0 2:{} 3:{}", ""},
		{"RequiredExplicit", "1:0 2:{1:10} 3:{}", "inner.low int32.lt"},
		{"RequiredMember", "", "number required"},
		{"RequiredMember", "1:0", ""},
		{"RequiredMember", "2:\"\"", "number required"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, ignore_says_when_rules_are_looked_at)
{
	static const struct check_case cases[] = {
		{"Ignored", "", "always_checked int32.gt"},
		{"Ignored", "1:6 2:0 3:1 4:0", "with_presence int32.gt"},
		{"Ignored", "1:6 2:1 3:0 4:6", "if_zero int32.gt"},
		{"Ignored", "1:6 2:6 3:1", ""},
		{"Ignored", "1:6 5:{1:10} 7:{1:10}", ""},
		/* Its bytes have to be sound all the same. */
		{"Ignored", "1:6 5:{=0f}", "! inner: a wire type is 6 or 7"},
		{"Ignored", "1:6 6:\"\\xff\"", "text wire.utf8"},
		{"Ignored", "1:6 6:\"\\x00\"", "text wire.nul"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, of_a_oneof_the_last_member_counts)
{
	static const struct check_case cases[] = {
		{"Choice", "", "kind required"},
		{"Choice", "1:6", ""},
		{"Choice", "1:0", "number int32.gt"},
		{"Choice", "2:\"a\"", "text string.min_len"},
		{"Choice", "3:{}", ""},
		{"Choice", "3:{1:10}", "inner.low int32.lt"},
		{"Choice", "1:0 2:\"ab\"", ""},
		{"Choice", "1:0 2:\"a\"", "text string.min_len"},
		{"Choice", "3:{1:10} 1:6", ""},
		{"Choice", "1:6 3:{1:10}", "inner.low int32.lt"},
		/* What another member replaced may come again: nothing is left of it to be doubled. */
		{"Choice", "3:{1:10} 1:6 3:{}", ""},
		/* A member that is replaced is unpacked all the same: it has to be sound. */
		{"Choice", "3:{=0f} 1:6", "! inner: a wire type is 6 or 7"},
		{"Choice", "1:6 2:\"\\xff\" 1:6", "text wire.utf8"},
		{"Choice", "1:6 2:\"\\x00\" 1:6", ""},
	};

	CHECK_CASES(cases);
}

Test(check_messages, of_a_message_s_oneof_one_member_is_set)
{
	static const struct check_case cases[] = {
		{"AtMostOne", "", ""},
		{"AtMostOne", "1:1", ""},
		{"AtMostOne", "1:1 2:\"ab\"", "message.oneof"},
		{"AtMostOne", "1:0 2:\"ab\"", ""},
		{"AtMostOne", "2:\"ab\" 3:{}", "message.oneof"},
		{"AtMostOne", "1:1 2:\"a\" 3:{1:10}",
		 "b string.min_len; c.low int32.lt; message.oneof"},
		/* A member without presence is looked at only where it is set. */
		{"AtMostOne", "2:\"\"", ""},
		{"ExactlyOne", "", "message.oneof"},
		{"ExactlyOne", "1:0", ""},
		{"ExactlyOne", "2:[0]", ""},
		{"ExactlyOne", "2:[]", "message.oneof"},
		{"ExactlyOne", "1:0 2:[0]", "message.oneof"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, paths_lead_into_messages)
{
	static const struct check_case cases[] = {
		{"Tree", "1:-1", "size int32.gte"},
		{"Tree", "2:{1:-1}", "left.size int32.gte"},
		{"Tree", "3:{} 3:{2:{1:-1}}", "children[1].left.size int32.gte"},
		{"Tree", "4:{1:\"a b\" 2:{3:{1:-1}}}", "named[\"a b\"].children[0].size int32.gte"},
		{"Tree", "3:{3:{3:{1:-1} 1:-1} 1:-1} 1:-1",
		 "children[0].children[0].children[0].size int32.gte; "
		 "children[0].children[0].size int32.gte; children[0].size int32.gte; "
		 "size int32.gte"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, wrappers_are_what_they_wrap)
{
	static const struct check_case cases[] = {
		{"Wrapped", "", ""},
		{"Wrapped",
		 "1:{1:6} 2:{1:\"ab\"} 3:{1:1} 4:{1:d1} 5:{1:f0} 6:{1:\"ab\"} 7:{1:3} 8:{1:4}"
		 " 9:{1:3}",
		 ""},
		{"Wrapped", "1:{} 2:{} 3:{} 6:{} 7:{}",
		 "bool bool.const; bytes bytes.len; int32 int32.gt; string string.min_len; "
		 "uint64 uint64.in"},
		{"Wrapped", "4:{1:dnan} 5:{1:f1} 8:{1:3} 9:{1:4}",
		 "double double.finite; float float.lt; int64 int64.not_in; uint32 uint32.lte"},
		{"Wrapped", "1:{1:6 1:5}", "int32 int32.gt"},
		{"Wrapped", "1:{9:1 1:6}", ""},
		{"Wrapped", "1:{9:1 1:5}", "int32 int32.gt"},
		{"Wrapped", "2:{1:\"a\\x00\"}", "string.value wire.nul"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, durations)
{
	static const struct check_case cases[] = {
		{"Durations", "1:{1:3}", ""},
		{"Durations", "1:{1:3 2:1}", "equal duration.const"},
		{"Durations", "1:{}", "equal duration.const"},
		{"Durations", "2:{1:2 2:999999999}", ""},
		{"Durations", "2:{1:3}", "below duration.lt"},
		{"Durations", "3:{1:3}", ""},
		{"Durations", "3:{1:3 2:1}", "at_most duration.lte"},
		{"Durations", "4:{2:1001}", ""},
		{"Durations", "4:{2:1000}", "above duration.gt"},
		{"Durations", "5:{1:-1 2:-500}", ""},
		{"Durations", "5:{1:-1 2:-501}", "at_least duration.gte"},
		{"Durations", "6:{1:1 2:1}", ""},
		{"Durations", "6:{1:1}", "within duration.gt_lt"},
		{"Durations", "6:{1:2}", "within duration.gt_lt"},
		{"Durations", "7:{1:1}", ""},
		{"Durations", "7:{1:1 2:1}", "outside duration.gte_lte_exclusive"},
		{"Durations", "7:{1:2}", ""},
		{"Durations", "8:{1:1}", ""},
		{"Durations", "8:{1:2}", "one_of duration.in"},
		{"Durations", "9:{1:2}", ""},
		{"Durations", "9:{1:1}", "none_of duration.not_in"},
		/* Fields that are not known stand anywhere between. */
		{"Durations", "1:{9:1 1:3}", ""},
		{"Durations", "1:{9:\"x\" 1:4}", "equal duration.const"},
	};

	CHECK_CASES(cases);
}

/* Now is 1,000,000,000 seconds (CHECKED_NOW_S). */
Test(check_messages, timestamps)
{
	static const struct check_case cases[] = {
		{"Timestamps", "1:{1:3}", ""},
		{"Timestamps", "1:{1:3 2:1}", "equal timestamp.const"},
		{"Timestamps", "2:{1:2 2:999999999}", ""},
		{"Timestamps", "2:{1:3}", "below timestamp.lt"},
		{"Timestamps", "3:{1:3 2:1}", "at_most timestamp.lte"},
		{"Timestamps", "4:{2:1001}", ""},
		{"Timestamps", "4:{2:1000}", "above timestamp.gt"},
		{"Timestamps", "5:{1:-2 2:999999999}", "at_least timestamp.gte"},
		{"Timestamps", "6:{1:1}", ""},
		{"Timestamps", "6:{1:2}", "within timestamp.gte_lt"},
		{"Timestamps", "7:{1:999999999}", ""},
		{"Timestamps", "7:{1:1000000001}", "past timestamp.lt_now"},
		{"Timestamps", "8:{1:1000000001}", ""},
		{"Timestamps", "8:{1:999999999}", "future timestamp.gt_now"},
		{"Timestamps", "9:{1:1000000060 2:500}", ""},
		{"Timestamps", "9:{1:1000000060 2:501}", "around timestamp.within"},
		{"Timestamps", "9:{1:999999939 2:999999500}", ""},
		{"Timestamps", "9:{1:999999939 2:999999499}", "around timestamp.within"},
		{"Timestamps", "10:{1:999999950}", ""},
		{"Timestamps", "10:{1:1000000001}", "recent timestamp.lt_now"},
		{"Timestamps", "10:{1:5}", "recent timestamp.within"},
		{"Timestamps", "10:{1:2000000000}",
		 "recent timestamp.lt_now; recent timestamp.within"},
		/* As far as numbers go. */
		{"Timestamps", "9:{1:9223372036854775807}", "around timestamp.within"},
		{"Timestamps", "9:{1:-9223372036854775808}", "around timestamp.within"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, field_masks)
{
	static const struct check_case cases[] = {
		{"Masks", "1:{1:\"a\" 1:\"b\"}", ""},
		{"Masks", "1:{1:\"b\" 1:\"a\"}", "equal field_mask.const"},
		{"Masks", "1:{1:\"a\"}", "equal field_mask.const"},
		{"Masks", "2:{}", ""},
		{"Masks", "2:{1:\"a\"}", ""},
		{"Masks", "2:{1:\"a.b\" 1:\"b.c\"}", ""},
		{"Masks", "2:{1:\"ab\"}", "one_of field_mask.in"},
		{"Masks", "2:{1:\"a\" 1:\"b\"}", "one_of field_mask.in"},
		{"Masks", "3:{1:\"b\"}", ""},
		{"Masks", "3:{1:\"b.c\"}", "none_of field_mask.not_in"},
		{"Masks", "3:{1:\"a.x\"}", "none_of field_mask.not_in"},
		{"Masks", "2:{9:1 1:\"ab\"}", "one_of field_mask.in"},
		{"Masks", "2:{1:\"a\\x00\"}", "one_of field_mask.in; one_of.paths[0] wire.nul"},
	};

	CHECK_CASES(cases);
}

Test(check_messages, anys)
{
	static const struct check_case cases[] = {
		{"Anys", "1:{1:\"type.example/a.A\" 2:\"\"}", ""},
		{"Anys", "1:{1:\"a.A\"}", "one_of any.in"},
		{"Anys", "1:{}", "one_of any.in"},
		{"Anys", "2:{1:\"type.example/a.A\"}", "none_of any.not_in"},
		{"Anys", "2:{1:\"type.example/b.B\"}", ""},
		/* The last of a URL that comes twice. */
		{"Anys", "1:{1:\"a.A\" 1:\"type.example/a.A\"}", ""},
		{"Anys", "1:{1:\"type.example/a.A\" 1:\"a.A\"}", "one_of any.in"},
		{"Anys", "1:{9:1 1:\"a.A\"}", "one_of any.in"},
		{"Anys", "1:{9:1 1:\"type.example/a.A\"}", ""},
	};

	CHECK_CASES(cases);
}

Test(check_messages, proto2_has_presence_and_defaults)
{
	static const struct check_case cases[] = {
		{"Second", "", ""},
		{"Second", "1:0", "number int32.gt"},
		{"Second", "2:3", "with_default int32.gt"},
		{"Second", "3:3", "if_zero int32.gt"},
		{"Second", "3:0", "if_zero int32.gt"},
		{"Second", "4:\"abc\"", "text string.max_bytes"},
		{"Second", "6:6 6:5 6:[4]", "expanded[1] int32.gt; expanded[2] int32.gt"},
		{"SecondRequired", "", "list required; number required"},
		{"SecondRequired", "1:0 2:0", ""},
	};

	CHECK_CASES(cases);
}
