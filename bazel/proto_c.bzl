"""Protocol buffers in C: proto_c_library and proto_descriptor_set.

Files are named by their path from the package that declares the target, which is the root of its
imports: proto/sluice/v1/chunk.proto is imported as sluice/v1/chunk.proto, and its messages are
included as "sluice/v1/chunk.pb-c.h".
"""

load("//bazel:embed.bzl", "embed")

# Where bazel/system.bzl links Debian's google/protobuf/*.proto.
_WELL_KNOWN_ROOT = "external/system/include/protobuf"

def _import_path(ctx, file):
    return file.short_path[len(ctx.label.package) + 1:]

def _generate_c_impl(ctx):
    paths = [_import_path(ctx, file) for file in ctx.files.srcs] + ctx.attr.well_known
    sources = []
    headers = []
    for path in paths:
        stem = path[:-len(".proto")]
        sources.append(ctx.actions.declare_file(stem + ".pb-c.c"))
        headers.append(ctx.actions.declare_file(stem + ".pb-c.h"))

    root = sources[0].path[:-len(paths[0][:-len(".proto")] + ".pb-c.c") - 1]
    args = ctx.actions.args()
    args.add("--plugin=protoc-gen-c=" + ctx.executable._plugin.path)
    args.add("--c_out=" + root)
    args.add("-I" + ctx.label.package)
    args.add("-I" + _WELL_KNOWN_ROOT)
    args.add_all(paths)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        env = {"PROTOC_GEN_C": ctx.executable._protoc_gen_c.path, "PATH": "/usr/bin:/bin"},
        inputs = ctx.files.srcs + ctx.files._well_known,
        tools = [ctx.executable._plugin, ctx.executable._protoc_gen_c],
        outputs = sources + headers,
        mnemonic = "ProtocC",
    )
    return [
        DefaultInfo(files = depset(sources + headers)),
        OutputGroupInfo(sources = depset(sources), headers = depset(headers)),
    ]

_protoc_attrs = {
    "srcs": attr.label_list(allow_files = [".proto"], mandatory = True),
    "_protoc": attr.label(
        default = "@system//:protoc",
        executable = True,
        allow_single_file = True,
        cfg = "exec",
    ),
    "_well_known": attr.label(default = "@system//:well_known_protos"),
}

_generate_c = rule(
    implementation = _generate_c_impl,
    attrs = dict(
        _protoc_attrs,
        well_known = attr.string_list(),
        _plugin = attr.label(
            default = "//bazel:protoc_gen_c_optional",
            executable = True,
            allow_single_file = True,
            cfg = "exec",
        ),
        _protoc_gen_c = attr.label(
            default = "@system//:protoc_gen_c",
            executable = True,
            allow_single_file = True,
            cfg = "exec",
        ),
    ),
)

def proto_c_library(name, srcs, well_known = [], **kwargs):
    """The messages of srcs, and of the google/protobuf files named in well_known, in one library.

    protobuf-c ships no code for google/protobuf, so well_known lists each one that is imported.
    """
    _generate_c(name = name + "_code", srcs = srcs, well_known = well_known)
    for group in ["sources", "headers"]:
        native.filegroup(
            name = name + "_" + group,
            srcs = [":" + name + "_code"],
            output_group = group,
        )
    native.cc_library(
        name = name,
        srcs = [":" + name + "_sources"],
        hdrs = [":" + name + "_headers"],
        copts = ["-std=c17"],
        includes = ["."],
        linkstatic = True,
        deps = ["@system//:protobuf_c"],
        **kwargs
    )

def _descriptor_set_impl(ctx):
    args = ctx.actions.args()
    args.add("--include_imports")
    args.add("--include_source_info")
    args.add("--descriptor_set_out=" + ctx.outputs.out.path)
    args.add("-I" + ctx.label.package)
    if ctx.attr.import_root:
        args.add("-I" + ctx.attr.import_root)
    args.add("-I" + _WELL_KNOWN_ROOT)
    args.add_all([_import_path(ctx, file) for file in ctx.files.srcs])
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = ctx.files.srcs + ctx.files.imports + ctx.files._well_known,
        outputs = [ctx.outputs.out],
        mnemonic = "ProtocDescriptors",
    )

_descriptor_set = rule(
    implementation = _descriptor_set_impl,
    attrs = dict(
        _protoc_attrs,
        imports = attr.label_list(allow_files = [".proto"]),
        import_root = attr.string(),
        out = attr.output(mandatory = True),
    ),
)

def proto_descriptor_set(name, srcs, symbol, imports = [], import_root = "", **kwargs):
    """A FileDescriptorSet of srcs, all they import, and every option, as `symbol` in NAME.h.

    imports are files of another package, named by their path from import_root, its folder.
    """
    _descriptor_set(
        name = name + "_binary",
        srcs = srcs,
        imports = imports,
        import_root = import_root,
        out = name + ".binpb",
    )
    embed(name = name, src = name + ".binpb", word_bytes = 1, symbol = symbol, **kwargs)
