"""Makes a folder of schemas for kubeconform of those that the package kubernetes-validate brings.

    schemas.py FOLDER VERSION... - FILE...

gives FOLDER/VERSION/KIND-GROUP-VERSION.json, strict, and the FILEs beside them. The package's own refer
to their definitions by an address of the web; here they lie in one folder.
"""

import json
import pathlib
import shutil
import sys

import kubernetes_validate


def main():
    folder = pathlib.Path(sys.argv[1])
    end = sys.argv.index("-")
    source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for version in sys.argv[2:end]:
        (folder / version).mkdir(parents=True)
        for file in (source / f"v{version}-local-strict").iterdir():
            schema = json.loads(
                file.read_text().replace("/api/_definitions.json", "_definitions.json"))
            schema.pop("$id", None)
            (folder / version / file.name).write_text(json.dumps(schema))
        for other in sys.argv[end + 1:]:
            shutil.copy(other, folder / version)


main()
