"""An OCI image layout: blobs named by their SHA-256, and the JSON that holds them together.

The same input gives the same bytes: names in order, times at 0, owners by number, no name or time in
gzip's header. Media types and fields are those of the OCI image specification 1.0.
"""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layer:
    """A tar archive in the making. Folders above a file come with it, once."""

    def __init__(self):
        self._entries = {}

    def folder(self, path, mode=0o755, owner=0):
        self._parents(path)
        self._entries[path] = (tarfile.DIRTYPE, mode, owner, b"")

    def file(self, path, content, mode=0o644):
        self._parents(path)
        self._entries[path] = (tarfile.REGTYPE, mode, 0, content)

    def _parents(self, path):
        parts = path.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            self._entries.setdefault("/".join(parts[:i]), (tarfile.DIRTYPE, 0o755, 0, b""))

    def tar(self):
        """The archive, not compressed."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path, (kind, mode, owner, content) in sorted(self._entries.items()):
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode, entry.size = kind, mode, len(content)
                entry.uid = entry.gid = owner
                archive.addfile(entry, io.BytesIO(content))
        return out.getvalue()


class Layout:
    """A layout in an empty folder."""

    def __init__(self, folder):
        self._folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        self._write("oci-layout", {"imageLayoutVersion": "1.0.0"})

    def add_layer(self, layer):
        """(descriptor, digest of what is compressed): the latter goes into the configuration."""
        tar = layer.tar()
        return self.add_blob(LAYER, compress(tar)), digest(tar)

    def add_json(self, media_type, value):
        return self.add_blob(media_type, as_json(value))

    def add_blob(self, media_type, content):
        name = digest(content)
        (self._folder / "blobs" / name.replace(":", "/")).write_bytes(content)
        return {"mediaType": media_type, "digest": name, "size": len(content)}

    def finish(self, manifests):
        """Nothing but the index says which blobs are an image."""
        self._write("index.json", {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})

    def _write(self, name, value):
        (self._folder / name).write_bytes(as_json(value))


def compress(content):
    """As gzip, a thirtieth smaller than zlib makes it, and without a name or time."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            return subprocess.run(["libdeflate-gzip", "-12", "-c", file.name], check=True,
                                  stdout=subprocess.PIPE).stdout
        except FileNotFoundError:
            raise OSError("libdeflate-gzip is not installed: bazel/setup brings it "
                          "(libdeflate-tools)") from None


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()
