"""Writes Sluice's container image.

    image.py PROGRAM DIR

In it are the program, the shared libraries that it asks for by name with their loader, the two files
that give the user a name, and what Debian says of each package that a library is from: its terms, and
its version, where scanners look for it. There is no shell and no CA: a server needs neither.
What changes seldom is one layer, the program the other.
"""

import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

from layout import CONFIG, MANIFEST, Layer, Layout

# The number that distroless images made customary.
USER = 65532
PROGRAM = "usr/bin/sluice"
DATA = "data"
PASSWD = f"nonroot:x:{USER}:{USER}::/{DATA}:/nonexistent\n"
GROUP = f"nonroot:x:{USER}:\n"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class ImageError(Exception):
    pass


def run(*command, good=(0,)):
    """What it prints; without the caller's surroundings, such as a path to other libraries."""
    done = subprocess.run(
        command, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in good:
        raise ImageError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def libraries(program):
    """{path in the image: file here} of all that the loader would load, itself included."""
    found = {}
    for line in run("ldd", str(program)).splitlines():
        name, _, place = line.strip().partition(" => ")
        path = (place or name).split(" (")[0].strip()
        if path.startswith("/"):
            # By the name that is asked for, without the links that lead to the file.
            found[path.lstrip("/")] = pathlib.Path(path).resolve(strict=True)
        elif "linux-vdso" not in path:
            raise ImageError(f"{program} needs {name}, which is not here")
    if not found:
        raise ImageError(f"{program} has no shared libraries")
    return found


def packages(files):
    """What Debian says of the packages that the files are from: {name: a paragraph}."""
    # /lib is a link to /usr/lib, and dpkg knows a file by the name that its package gave it.
    names = [str(name) for file in files for name in (file, pathlib.Path("/", *file.parts[2:]))]
    owners = run("dpkg-query", "-S", *names, good=(0, 1)).splitlines()
    told = run("dpkg-query", "-s", *sorted({owner.split(": ")[0] for owner in owners}))
    return {re.match(r"Package: (\S+)", paragraph)[1]: paragraph.strip() + "\n"
            for paragraph in told.split("\n\n") if paragraph.strip()}


def library_layer(program):
    layer = Layer()
    files = libraries(program)
    for path, file in files.items():
        layer.file(path, file.read_bytes(), 0o755)
    for name, paragraph in packages(files.values()).items():
        layer.file(f"var/lib/dpkg/status.d/{name}", paragraph.encode())
        terms = pathlib.Path("/usr/share/doc", name, "copyright")
        if terms.exists():
            layer.file(f"usr/share/doc/{name}/copyright", terms.read_bytes())
    layer.file("etc/os-release", pathlib.Path("/etc/os-release").read_bytes())
    layer.file("etc/passwd", PASSWD.encode())
    layer.file("etc/group", GROUP.encode())
    return layer


def program_layer(program):
    layer = Layer()
    with tempfile.NamedTemporaryFile() as stripped:
        run("strip", "-o", stripped.name, str(program))
        layer.file(PROGRAM, stripped.read(), 0o755)
    # A new volume takes its owner from here.
    layer.folder(DATA, 0o750, USER)
    return layer


def labels(version, commit):
    return {
        "org.opencontainers.image.title": "sluice",
        "org.opencontainers.image.description":
            "A vector retrieval server: streams the nearest chunks to a query over gRPC",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": commit,
    }


def write(program, folder):
    """The image's digest."""
    told = re.match(r"sluice (\S+) \((\S+)\)", run(str(program.resolve()), "version"))
    if not told:
        raise ImageError(f"{program} version says something else than a version")
    version, commit = told.groups()
    layout = Layout(folder)
    layers = [layout.add_layer(library_layer(program)), layout.add_layer(program_layer(program))]
    platform_here = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
    }
    config = layout.add_json(CONFIG, {
        **platform_here,
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/" + PROGRAM],
            "Cmd": ["serve"],
            "Env": ["PATH=/usr/bin", f"SLUICE_DATA=/{DATA}"],
            "Volumes": {f"/{DATA}": {}},
            "WorkingDir": f"/{DATA}",
            "StopSignal": "SIGTERM",
            "Labels": labels(version, commit),
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
        "history": [
            {"created": "1970-01-01T00:00:00Z", "created_by": "bazel/image", "comment": comment}
            for comment in ("libraries", "sluice")
        ],
    })
    manifest = layout.add_json(MANIFEST, {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [descriptor for descriptor, _ in layers],
        "annotations": labels(version, commit),
    })
    layout.finish([{
        **manifest,
        "platform": platform_here,
        "annotations": {"org.opencontainers.image.ref.name": version},
    }])
    size = manifest["size"] + config["size"] + sum(layer["size"] for layer, _ in layers)
    return version, manifest["digest"], size


def main():
    program, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if target.exists() and not (target / "oci-layout").exists() and any(target.iterdir()):
        raise ImageError(f"{target} is no image, and would be lost: remove it, or name another")
    # Beside its place until it is whole.
    new = target.with_name(target.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        version, digest, size = write(program, new)
    except BaseException:
        shutil.rmtree(new)
        raise
    if target.exists():
        shutil.rmtree(target)
    new.rename(target)
    print(f"{target}:{version} {digest}, {size / 1e6:.1f} MB compressed")


try:
    main()
except (ImageError, OSError) as error:
    sys.exit(f"bazel/image: {error}")
