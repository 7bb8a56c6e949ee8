"""C as this project compiles it: c_library, c_binary, c_test and c_fuzz.

All take the attributes of Bazel's own cc_ rules. `copts` of a target are added to the common
ones: a file for one instruction set is a c_library of its own with copts = ["-mavx2", "-mfma"].
"""

# Every warning is an error. -Wcast-qual is not among them: LMDB's MDB_val and protobuf-c's
# ProtobufCBinaryData have no const, so their adapters could not do without the cast.
COPTS = [
    "-std=c17",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wconversion",
    "-Wdouble-promotion",
    "-Wformat=2",
    "-Wimplicit-fallthrough",
    "-Wmissing-prototypes",
    "-Wpointer-arith",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wundef",
    "-Wvla",
    "-Wwrite-strings",
    # Bazel's toolchain defines it as 1.
    "-U_FORTIFY_SOURCE",
] + select({
    "//bazel:sanitized": [],
    "//conditions:default": ["-D_FORTIFY_SOURCE=2"],
})

# Criterion's macros define functions without prototypes.
_TEST_COPTS = ["-Wno-missing-prototypes"]

_HARDENED = ["-Wl,-z,relro,-z,now"]

def c_library(name, copts = [], **kwargs):
    """A library; headers are included by their path from the repository's root."""
    native.cc_library(name = name, copts = COPTS + copts, linkstatic = True, **kwargs)

def c_binary(name, copts = [], linkopts = [], **kwargs):
    """A program."""
    native.cc_binary(name = name, copts = COPTS + copts, linkopts = _HARDENED + linkopts, **kwargs)

def c_test(name, copts = [], deps = [], linkopts = [], size = "small", tags = [], **kwargs):
    """A Criterion program. bazel/test counts its tests, and fails it if it has none.

    Criterion finds its tests in a section that nothing refers to, so the linker must keep it.
    Under ThreadSanitizer a stand-in with the same macros runs the tests in one process.
    """
    native.cc_test(
        name = name,
        size = size,
        copts = COPTS + _TEST_COPTS + copts,
        deps = deps + select({
            "//bazel:tsan": ["//bazel/criterion_tsan:criterion"],
            "//conditions:default": ["@system//:criterion"],
        }),
        # As in the server: one program, so that hidden symbols (volk's) are found.
        linkstatic = True,
        linkopts = ["-Wl,--no-gc-sections"] + linkopts,
        tags = ["criterion"] + tags,
        **kwargs
    )

def c_fuzz(name, copts = [], linkopts = [], tags = [], **kwargs):
    """A libFuzzer program; bazel/fuzz builds and runs them all.

    Beside NAME.c there may be NAME.dict, a dictionary, and NAME.seeds, a seed in hex on each line.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        copts = COPTS + _TEST_COPTS + copts,
        linkopts = ["-fsanitize=fuzzer"] + linkopts,
        tags = [
            "fuzz",
            "manual",
        ] + tags,
        **kwargs
    )
