"""What a test links with to use failing_malloc.h."""

FAILING_MALLOC_LINKOPTS = [
    "-Wl,--wrap=malloc",
    "-Wl,--wrap=calloc",
    "-Wl,--wrap=realloc",
    "-Wl,--wrap=pthread_create",
]
