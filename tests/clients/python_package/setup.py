"""Makes the stubs out of the contract while the package is built: none is kept in the repository."""

import os
import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent


def contract():
    """The folder with sluice/v1: SLUICE_PROTO, or that of the checkout around this folder."""
    named = os.environ.get("SLUICE_PROTO")
    for folder in [pathlib.Path(named)] if named else HERE.parents:
        protos = folder if named else folder / "proto"
        if (protos / "sluice" / "v1").is_dir():
            return protos
    raise SystemExit("the contract is not found: build in a checkout, or set SLUICE_PROTO")


class BuildWithStubs(build_py):
    def run(self):
        import grpc_tools
        from grpc_tools import protoc

        super().run()
        protos = contract()
        own = sorted(str(path.relative_to(protos)) for path in protos.glob("sluice/v1/*.proto"))
        well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        # protoc wants to find the files where it looks for imports.
        failed = protoc.main(
            ["protoc", f"-I{protos}", f"-I{well_known}", f"--python_out={self.build_lib}"]
            + [f"--pyi_out={self.build_lib}", f"--grpc_python_out={self.build_lib}"]
            + own
            + ["buf/validate/validate.proto"]
        )
        if failed:
            raise SystemExit("protoc failed")


setup(cmdclass={"build_py": BuildWithStubs})
