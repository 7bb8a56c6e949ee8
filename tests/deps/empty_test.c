/* A Criterion program without a test: it exits with 0, and bazel/test calls that a failure. */
#include <criterion/criterion.h>

/* So that the file declares something. */
struct criterion_test;
