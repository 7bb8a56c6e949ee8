"""A compute shader, compiled, validated and carried in the program."""

load("//bazel:embed.bzl", "embed")

def shader(name, src, defines = [], hdrs = [], target_env = "vulkan1.1", **kwargs):
    """`const uint32_t NAME_spv[]`, with `NAME_spv_size` in bytes, in "PACKAGE/NAME.spv.h".

    One source with different defines makes several shaders: defines = ["DIM=64"]. hdrs are what
    the source includes, found beside it or by their path from the repository's root.
    """
    native.genrule(
        name = name + "_spirv",
        srcs = [src] + hdrs,
        outs = [name + ".spv.bin"],
        cmd = " ".join(
            ["$(location @system//:glslc) -O -Werror -fshader-stage=compute"] +
            ["--target-env=" + target_env, "-I . -I", native.package_name()] +
            ["-D'%s'" % define for define in defines] +
            ["-o $@ $(location %s)" % src] +
            ["&& $(location @system//:spirv_val) --target-env", target_env, "$@"],
        ),
        exec_tools = [
            "@system//:glslc",
            "@system//:spirv_val",
        ],
    )
    embed(
        name = name + ".spv",
        src = name + ".spv.bin",
        symbol = name + "_spv",
        word_bytes = 4,
        testonly = kwargs.pop("testonly", False),
    )
    native.alias(name = name, actual = name + ".spv", **kwargs)
