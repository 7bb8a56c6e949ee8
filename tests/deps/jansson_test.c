/* jansson - reads and writes JSON, keeping a number's kind. */
#include <criterion/criterion.h>
#include <jansson.h>

Test(jansson, tells_integers_from_reals)
{
	json_error_t error;
	json_t *root = json_loads("{\"n\": 9007199254740993, \"x\": 2.0}", 0, &error);

	cr_assert_not_null(root, "line %d: %s", error.line, error.text);
	cr_assert(json_is_integer(json_object_get(root, "n")));
	cr_assert_eq(json_integer_value(json_object_get(root, "n")), 9007199254740993);
	cr_assert(json_is_real(json_object_get(root, "x")));
	json_decref(root);
}

Test(jansson, says_where_a_document_breaks)
{
	json_error_t error;

	cr_assert_null(json_loads("{\"a\": 1,\n \"b\": }", 0, &error));
	cr_assert_eq(error.line, 2);
}
