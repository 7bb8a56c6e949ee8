"""A file carried in the program as an array, made by embed.c."""

def embed(name, src, word_bytes, symbol, **kwargs):
    """A file as `const uintN_t symbol[]` and `const size_t symbol_size`, declared in NAME.h."""
    native.genrule(
        name = name + "_array",
        srcs = [src],
        outs = [name + ".c", name + ".h"],
        cmd = " ".join([
            "$(location //bazel:embed)",
            str(word_bytes),
            symbol,
            "$<",
            native.package_name() + "/" + name + ".h",
            "$(location %s.c)" % name,
            "$(location %s.h)" % name,
        ]),
        exec_tools = ["//bazel:embed"],
    )
    native.cc_library(
        name = name,
        srcs = [name + ".c"],
        hdrs = [name + ".h"],
        copts = ["-std=c17"],
        linkstatic = True,
        **kwargs
    )
