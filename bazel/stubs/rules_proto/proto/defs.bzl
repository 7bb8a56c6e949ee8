"""The native proto rules under the names that Bazel's own packages load them by."""

proto_lang_toolchain = native.proto_lang_toolchain
proto_library = native.proto_library
