"""The libraries and tools that Debian's packages install, as Bazel targets.

Each library becomes @system//:NAME with its headers linked into a folder of its own. A header that
is not there fails with the package to install. The versions of the packages are among the inputs,
so an upgrade builds anew what depends on it.

/usr/include stays on the compiler's own path, so a file could include a header without the
dependency; tests/layers watches over that.
"""

# name: (package, paths under /usr/include, link options, names of other libraries it needs)
_LIBRARIES = {
    "criterion": ("libcriterion-dev", ["criterion"], ["-lcriterion"], []),
    "grpc": ("libgrpc-dev", ["grpc"], ["-lgrpc", "-lgpr"], []),
    "jansson": ("libjansson-dev", ["jansson.h", "jansson_config.h"], ["-ljansson"], []),
    "lmdb": ("liblmdb-dev", ["lmdb.h"], ["-llmdb"], []),
    "microhttpd": ("libmicrohttpd-dev", ["microhttpd.h"], ["-lmicrohttpd"], []),
    "openblas": ("libopenblas-dev", [], ["-lopenblas"], []),
    "protobuf_c": ("libprotobuf-c-dev", ["protobuf-c"], ["-lprotobuf-c"], []),
    "roaring": ("libroaring-dev", ["roaring"], ["-lroaring"], []),
    "vulkan": ("libvulkan-dev", ["vulkan", "vk_video"], [], []),
    "yaml": ("libyaml-dev", ["yaml.h"], ["-lyaml"], []),
}

# target: (package, program)
_TOOLS = {
    "glslc": ("glslc", "glslc"),
    "protoc": ("protobuf-compiler", "protoc"),
    "protoc_gen_c": ("protobuf-c-compiler", "protoc-gen-c"),
    "spirv_val": ("spirv-tools", "spirv-val"),
}

_LIBRARY = """
cc_library(
    name = "{name}",
    hdrs = glob(["include/{name}/**"], allow_empty = True) + ["include/stamp/{name}.h"],
    includes = ["include/{name}"],
    linkopts = {linkopts},
    deps = {deps},
)
"""

# Volk is a source file that opens the loader at run time.
_VOLK = """
cc_library(
    name = "volk",
    srcs = ["include/volk/volk.c"],
    hdrs = ["include/volk/volk.h", "include/stamp/volk.h"],
    copts = ["-w"],
    includes = ["include/volk"],
    linkopts = ["-ldl"],
    linkstatic = True,
    deps = [":vulkan"],
)
"""

_PROTOS = """
filegroup(
    name = "well_known_protos",
    srcs = glob(["include/protobuf/google/protobuf/*.proto"]),
)
"""

def _link(ctx, package, path, destination):
    source = ctx.path(path)
    if not source.exists:
        fail("%s is missing: run bazel/setup, or apt-get install -y %s" % (path, package))
    ctx.symlink(source, destination)

def _stamp(ctx, name, package):
    version = ctx.execute(["dpkg-query", "-W", "-f", "${Version}", package])
    if version.return_code != 0:
        fail("the package %s is missing: run bazel/setup, or apt-get install -y %s" %
             (package, package))
    ctx.file(
        "include/stamp/%s.h" % name,
        "/* %s %s */\n" % (package, version.stdout),
        executable = False,
    )

def _system_libraries_impl(ctx):
    build = ['package(default_visibility = ["//visibility:public"])\n']

    for name, (package, headers, linkopts, deps) in _LIBRARIES.items():
        for header in headers:
            _link(ctx, package, "/usr/include/" + header, "include/%s/%s" % (name, header))
        _stamp(ctx, name, package)
        build.append(_LIBRARY.format(
            name = name,
            linkopts = repr(linkopts),
            deps = repr([":" + dep for dep in deps]),
        ))

    for source in ["volk.h", "volk.c"]:
        _link(ctx, "libvulkan-volk-dev", "/usr/include/" + source, "include/volk/" + source)
    _stamp(ctx, "volk", "libvulkan-volk-dev")
    build.append(_VOLK)

    _link(
        ctx,
        "libprotobuf-dev",
        "/usr/include/google/protobuf",
        "include/protobuf/google/protobuf",
    )
    build.append(_PROTOS)

    tools = []
    for name, (package, program) in _TOOLS.items():
        found = ctx.which(program)
        if not found:
            fail("%s is missing: run bazel/setup, or apt-get install -y %s" % (program, package))
        ctx.symlink(found, "tools/" + program)
        build.append('\nalias(name = "%s", actual = "tools/%s")\n' % (name, program))
        tools.append("tools/" + program)
    build.append("\nexports_files(%s)\n" % repr(tools))

    ctx.file("BUILD.bazel", "".join(build), executable = False)

system_libraries = repository_rule(
    implementation = _system_libraries_impl,
    configure = True,
    local = True,
)
