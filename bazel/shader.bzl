"""A compute shader, compiled, validated and carried in the program."""

load("//bazel:embed.bzl", "embed")

def _made(source, target_env, options):
    return " ".join(
        ["$(location @system//:glslc) -O -Werror -fshader-stage=compute"] +
        ["--target-env=" + target_env, "-I . -I", native.package_name()] +
        options +
        ["-o $@ $(location %s)" % source] +
        ["&& $(location @system//:spirv_val) --target-env", target_env, "$@"],
    )

def shader(
        name,
        src,
        defines = [],
        hdrs = [],
        probe = None,
        target_env = "vulkan1.1",
        **kwargs):
    """`const uint32_t NAME_spv[]`, with `NAME_spv_size` in bytes, in "PACKAGE/NAME.spv.h".

    One source with different defines makes several shaders: defines = ["DIM=64"]. hdrs are what
    the source includes, found beside it or by their path from the repository's root.
    probe is a shader that not every compiler knows how to compile: where it does not compile or is
    found invalid, NAME_spv is one word and NAME_spv_size 4, so that a program can tell.
    """
    cmd = _made(src, target_env, ["-D'%s'" % define for define in defines])
    if probe:
        cmd = "if {{ {}; }} 2>/dev/null; then {}; else printf none >$@; fi".format(
            _made(probe, target_env, []),
            cmd,
        )
    native.genrule(
        name = name + "_spirv",
        srcs = [src] + hdrs + ([probe] if probe else []),
        outs = [name + ".spv.bin"],
        cmd = cmd,
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
