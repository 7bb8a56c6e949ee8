/* libyaml - events in order, and the line on which a document breaks. */
#include <criterion/criterion.h>
#include <yaml.h>

#include <string.h>

/* Parses to the end; returns the number of scalars, or -1 - the line of the error. */
static int scalars_count(const char *text)
{
	yaml_parser_t parser;
	int count = 0;
	bool end = false;

	cr_assert(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (!end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			count = -1 - (int)parser.problem_mark.line;
			break;
		}
		count += event.type == YAML_SCALAR_EVENT;
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return count;
}

Test(yaml, gives_every_scalar)
{
	cr_assert_eq(scalars_count("listen: [\"[::]:0\", unix]\nlimits:\n  calls: 7\n"), 6);
}

Test(yaml, says_where_a_document_breaks)
{
	cr_assert_eq(scalars_count("a: 1\nb: [1, 2\nc: 3\n"), -1 - 2);
}
