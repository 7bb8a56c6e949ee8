"""Tests of the ordinary tools of a language, against a real server."""

def client_test(name, srcs, data = [], size = "large"):
    """A script that sources client.sh.

    What is tested is the client, and the server does nothing that it does not do in tests of its own:
    hence no sanitizer. Tagged further as the Python client is, and for the same reasons.

    Args:
      name: of the test.
      srcs: the script.
      data: what it reads besides the protocol.
      size: large where the first run compiles much.
    """
    native.sh_test(
        name = name,
        size = size,
        srcs = srcs,
        data = data + [
            "//proto:protos",
            "//service:sluice",
            "//tests/clients:client.sh",
        ],
        tags = [
            "criterion",
            "external",
            "no-asan",
            "no-tsan",
        ],
    )
